import json

import pytest

from minirobert.tokenization.added_tokens import AddedToken
from minirobert.tokenization.files import config_files
from minirobert.tokenization.files.config_files import (
    config_object,
    read_added_token,
    special_tokens_object,
)

MASK = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
VOCAB = {letter: index for index, letter in enumerate("abcde")}


def read_settings(directory, declared):
    """Read what is there beside a vocabulary of five tokens."""
    return config_files.read_settings(directory, VOCAB, declared)


@pytest.fixture
def directory(tmp_path):
    def write(**files):
        for name, content in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        return tmp_path

    return write


def test_no_files_no_settings(directory):
    assert read_settings(directory(), {}) == {"mask_token": MASK, "added_tokens_decoder": {}}


def test_settings_that_are_not_ours_are_kept_apart(directory):
    config = {"errors": "strict", "tokenizer_class": "X", "auto_map": {}, "model_max_length": None}
    assert read_settings(directory(tokenizer_config=config), {}) == {
        "errors": "strict",
        "other_settings": {"auto_map": {}},
        "mask_token": MASK,
        "added_tokens_decoder": {},
    }


def test_the_configuration_wins_over_the_older_files(directory):
    settings = read_settings(
        directory(
            tokenizer_config={
                "mask_token": "<mask>",
                "added_tokens_decoder": {"5": {"content": "<mask>", "rstrip": True}},
            },
            special_tokens_map={"mask_token": "[M]"},
            added_tokens={"x": 10},
        ),
        {},
    )
    assert settings == {
        "mask_token": "<mask>",
        "added_tokens_decoder": {5: AddedToken("<mask>", rstrip=True)},
    }


def test_the_older_files_are_read_where_the_configuration_lacks_their_content(directory):
    settings = read_settings(
        directory(
            tokenizer_config={"pad_token": "<p>", "mask_token": "<m>"},
            special_tokens_map={
                "mask_token": {"content": "[M]", "lstrip": True, "normalized": False},
                "cls_token": "<mask>",
                "additional_special_tokens": ["<e>", {"content": "<f>", "rstrip": True}],
            },
            added_tokens={"[M]": 5, "<e>": 6, "word": 7},
        ),
        {},
    )
    mask = AddedToken("[M]", lstrip=True, normalized=False, special=True)
    assert settings == {
        "pad_token": "<p>",
        "mask_token": mask,
        "cls_token": "<mask>",
        "additional_special_tokens": ["<e>", AddedToken("<f>", rstrip=True, special=True)],
        "added_tokens_decoder": {
            5: mask,
            6: AddedToken("<e>", special=True),
            7: AddedToken("word"),
        },
    }


def test_a_mask_in_the_older_files_still_takes_white_space(directory):
    files = {"special_tokens_map": {"mask_token": "<mask>"}, "added_tokens": {"<mask>": 5}}
    added = read_settings(directory(**files), {})["added_tokens_decoder"]
    assert added[5].lstrip is True


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tokenizer_config": []}, "tokenizer_config.json holds a JSON array"),
        ({"tokenizer_config": {"errors": 5}}, "config.json: errors is 5, but must be one that"),
        ({"tokenizer_config": {"trim_offsets": 1}}, "trim_offsets is 1, but must be True or False"),
        ({"tokenizer_config": {"model_max_length": True}}, "model_max_length is True, but must be"),
        (
            {"tokenizer_config": {"model_max_length": 0}},
            "model_max_length is 0, but must be an integer of at",
        ),
        ({"tokenizer_config": {"padding_side": "top"}}, "config.json: padding_side is 'top'"),
        ({"special_tokens_map": {"mask_token": ""}}, "map.json: mask_token: the content of a tok"),
        ({"tokenizer_config": {"mask_token": 5}}, "mask_token is 5: it must be an object"),
        (
            {"tokenizer_config": {"added_tokens_decoder": []}},
            "must be an object from ids to tokens",
        ),
        (
            {"tokenizer_config": {"added_tokens_decoder": {"x": {"content": "y"}}}},
            "must be an object from ids to tokens",
        ),
        (
            {"tokenizer_config": {"added_tokens_decoder": {"5": {}}}},
            r"added_tokens_decoder\[5\] is {}: it must be an object with a string `content`",
        ),
        (
            {"tokenizer_config": {"additional_special_tokens": "x"}},
            "additional_special_tokens is 'x': it must be an array",
        ),
        (
            {"tokenizer_config": {"model_input_names": ["x"]}},
            r"config.json: model_input_names is \['x'\], but must be a list of some of input_ids",
        ),
        (
            {"tokenizer_config": {"extra_special_tokens": "<img>"}},
            "extra_special_tokens is '<img>', neither an object nor an array",
        ),
        (
            {"tokenizer_config": {"extra_special_tokens": [5]}},
            r"extra_special_tokens\[0\] is 5: it must be an object with a string",
        ),
        ({"added_tokens": {"x": "5"}}, "the id of 'x' is '5', but must be an integer from 0"),
        ({"added_tokens": {"x": 5, "y": 5}}, "'y' and 'x' have the same id 5"),
        (
            {"tokenizer_config": {"mask_token": {"content": "x", "lstrip": "yes"}}},
            "mask_token: lstrip is 'yes', but must be True or False",
        ),
    ],
)
def test_broken_files(directory, files, message):
    with pytest.raises(ValueError, match=message):
        read_settings(directory(**files), {})


def test_unknown_entries_of_a_token_are_left_alone():
    entry = {"content": "x", "lstrip": True, "__type": "AddedToken", "id": 5}
    assert read_added_token(entry, "here") == AddedToken("x", lstrip=True)


def test_what_is_written_is_read(directory):
    mask = AddedToken("<mask>", lstrip=True, special=True)
    extra = AddedToken("<e>", rstrip=True, special=True)
    names = [("mask_token", mask), ("additional_special_tokens", extra)]
    special = {"mask_token": "<mask>", "additional_special_tokens": ["<e>"]}
    settings = {"errors": "ignore", "model_max_length": int(1e30), "padding_side": "left"}
    added = {7: extra, 5: mask, 6: AddedToken("word", single_word=True)}
    config = config_object({**settings, "model_max_length": None, **special}, added)
    assert config["tokenizer_class"] == "RobertaTokenizer"
    assert config["model_max_length"] == int(1e30)  # as transformers says that there is no limit
    path = directory(tokenizer_config=config, special_tokens_map=special_tokens_object(names))
    roles = ("bos", "eos", "unk", "sep", "pad", "cls")
    absent = {f"{role}_token": None for role in roles}
    expected = {**settings, **absent, "other_settings": {"extra_special_tokens": {}}}
    assert read_settings(path, {}) == {**expected, **special, "added_tokens_decoder": added}
    del config["added_tokens_decoder"]
    path = directory(tokenizer_config=config, added_tokens={"<mask>": 5, "word": 6, "<e>": 7})
    assert read_settings(path, {}) == {
        **expected,
        "mask_token": mask,
        "additional_special_tokens": [extra],
        "added_tokens_decoder": {5: mask, 6: AddedToken("word"), 7: extra},
    }


def test_whose_flags_win(directory):
    declared = {5: AddedToken("<m>", lstrip=True), 6: AddedToken("word", rstrip=True)}
    mask = {"content": "<m>", "single_word": True}
    files = {
        "special_tokens_map": {"mask_token": mask, "additional_special_tokens": [mask, "x"]},
        "added_tokens": {"<m>": 5, "word": 6, "x": 7},
    }
    assert read_settings(directory(**files), declared) == {
        "mask_token": "<m>",  # it takes the flags of the added token
        "additional_special_tokens": ["<m>", "x"],
        "added_tokens_decoder": {**declared, 7: AddedToken("x", special=True)},
    }
    newest = {"added_tokens_decoder": {"5": mask}}
    assert read_settings(directory(tokenizer_config=newest, **files), declared) == {
        "mask_token": MASK,
        "added_tokens_decoder": {**declared, 5: AddedToken("<m>", single_word=True)},
    }
