import copy
import json

import pytest

from minirobert.tokenization.added_tokens import AddedToken
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR
from minirobert.tokenization.files.tokenizer_json import read_tokenizer_json
from minirobert.tokenization.files.tokenizer_json_text import tokenizer_text
from minirobert.tokenization.vocabulary import Vocabulary

CONTENT = {
    "truncation": None,
    "padding": {"direction": "Left"},
    "added_tokens": [{"id": 3, "content": "<mask>", "lstrip": True, "special": True}],
    "normalizer": None,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True},
    "post_processor": {
        "type": "RobertaProcessing",
        "sep": ["</s>", 5],
        "cls": ["<s>", 4],
        "trim_offsets": False,
    },
    "decoder": {"type": "ByteLevel"},
    "model": {
        "type": "BPE",
        "dropout": None,
        "continuing_subword_prefix": "",
        "vocab": {"a": 0, "b": 1, "ab": 2, "<mask>": 3, "<s>": 4, "</s>": 5},
        "merges": [["a", "b"]],
    },
}
SETTINGS = {
    "add_prefix_space": True,
    "trim_offsets": False,
    "cls_token": "<s>",
    "sep_token": "</s>",
    "padding_side": "left",
}
WHOLE_VOCAB = {
    **CONTENT["model"]["vocab"],
    **{symbol: 10 + byte for byte, symbol in enumerate(BYTE_TO_CHAR) if symbol not in "ab"},
}


def special(name):
    return {"SpecialToken": {"id": name, "type_id": 0}}


def sequence(name):
    return {"Sequence": {"id": name, "type_id": 0}}


TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [special("<s>"), sequence("A"), special("</s>")],
    "pair": [
        *(special("<s>"), sequence("A"), special("</s>")),
        *(special("</s>"), sequence("B"), special("</s>")),
    ],
    "special_tokens": {
        "<s>": {"id": "<s>", "ids": [4], "tokens": ["<s>"]},
        "</s>": {"id": "</s>", "ids": [5], "tokens": ["</s>"]},
    },
}
BERT_PAIR = [special("<s>"), sequence("A"), special("</s>"), sequence("B"), special("</s>")]


@pytest.fixture
def file(tmp_path):
    """Write the file, with values at some places replaced."""

    def write(*changes):
        content = copy.deepcopy(CONTENT)
        for path, value in changes:
            part = content
            for name in path[:-1]:
                part = part[name]
            part[path[-1]] = value
        (tmp_path / "tokenizer.json").write_text(json.dumps(content))
        return tmp_path / "tokenizer.json"

    return write


def test_content(file):
    content = read_tokenizer_json(file())
    assert content.vocab == CONTENT["model"]["vocab"]
    assert content.merges == [("a", "b")]
    assert content.added_tokens == {3: AddedToken("<mask>", lstrip=True, special=True)}
    assert content.settings == SETTINGS


def test_older_files(file):
    assert read_tokenizer_json(file((["model", "merges"], ["a b"]))).merges == [("a", "b")]
    model = {key: value for key, value in CONTENT["model"].items() if key != "type"}
    assert read_tokenizer_json(file((["model"], model))).merges == [("a", "b")]


# What changes nothing


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], "1.0"),
        (["normalizer"], {"type": "Sequence", "normalizers": []}),
        (
            ["pre_tokenizer"],
            {"type": "Sequence", "pretokenizers": [CONTENT["pre_tokenizer"]]},
        ),
        (["pre_tokenizer", "use_regex"], True),
        (["pre_tokenizer", "trim_offsets"], True),
        (["decoder"], None),
        (["decoder"], {"type": "Sequence", "decoders": [{"type": "ByteLevel"}]}),
        (["post_processor", "add_prefix_space"], False),
        (["post_processor"], TEMPLATE),
        (["post_processor"], {"type": "Sequence", "processors": [CONTENT["post_processor"]]}),
        (
            ["post_processor"],
            {
                "type": "Sequence",
                "processors": [{"type": "ByteLevel", "trim_offsets": False}, TEMPLATE],
            },
        ),
        (["model", "dropout"], 0.0),
        (["model", "end_of_word_suffix"], None),
        (["model", "ignore_merges"], False),
        (["model", "fuse_unk"], False),
        (["model", "unk_token"], None),
        (["truncation"], {"direction": "Right", "max_length": 5, "strategy": "OnlyFirst"}),
        (["padding"], {"direction": "Left", "pad_type_id": 1, "pad_to_multiple_of": 8}),
    ],
)
def test_what_does_the_same(file, path, value):
    found = read_tokenizer_json(file((path, value))).settings
    assert {**found, "truncation_side": "right"} == {**SETTINGS, "truncation_side": "right"}


def test_a_template_with_trimmed_offsets(file):
    byte_level = {"type": "ByteLevel", "trim_offsets": True, "add_prefix_space": True}
    both = {"type": "Sequence", "processors": [byte_level, TEMPLATE]}
    content = read_tokenizer_json(file((["post_processor"], both)))
    assert content.settings == {**SETTINGS, "trim_offsets": True}


def test_the_sides_of_the_last_call(file):
    path = file((["truncation"], {"direction": "Left"}), (["padding"], {}))
    settings = read_tokenizer_json(path).settings
    assert (settings["truncation_side"], settings["padding_side"]) == ("left", "right")


@pytest.mark.parametrize("option", ["fuse_unk", "byte_fallback"])
def test_unknown_symbols_where_there_are_none(file, option):
    path = file(
        (["model", option], True),
        (["model", "unk_token"], "a"),
        (["model", "vocab"], WHOLE_VOCAB),
    )
    assert read_tokenizer_json(path).settings == SETTINGS


def test_a_token_for_unknown_symbols(file):
    path = file((["model", "unk_token"], "ab"))
    assert read_tokenizer_json(path).settings == {**SETTINGS, "unk_token": "ab"}


# What is refused

MASK = {"id": 3, "content": "<mask>"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["version"], "2.0", r": version is '2\.0', but only '1\.0' is known"),
        (
            ["normalizer"],
            {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Precompiled"}]},
            ": normalizer: Precompiled is not known here, .* SentencePiece tokenizer, of XLM-R or",
        ),
        (["normalizer"], {"type": "BertNormalizer"}, "this is a WordPiece tokenizer, of BERT"),
        (["normalizer"], {"type": "Replace"}, ": normalizer: Replace cannot be used: "),
        (["normalizer"], 5, ": normalizer is 5, not an object"),
        (["pre_tokenizer"], {"type": "Whitespace"}, ": the pre_tokenizer is Whitespace, where"),
        (["pre_tokenizer"], None, ": the pre_tokenizer is missing, where RoBERTa has ByteLevel"),
        (["pre_tokenizer"], {"type": "Metaspace"}, "this is a SentencePiece tokenizer, of XLM-R"),
        (
            ["pre_tokenizer"],
            {"type": "Sequence", "pretokenizers": [{"type": "Split"}, {"type": "ByteLevel"}]},
            ": pre_tokenizer: Split cannot be used: 'behavior'",
        ),
        (["pre_tokenizer"], {"type": "Sequence"}, ": pre_tokenizer: pretokenizers is missing, not"),
        (["pre_tokenizer"], {"type": []}, r": the pre_tokenizer is \[\], where"),
        (
            ["pre_tokenizer", "add_prefix_space"],
            1,
            "add_prefix_space is 1, but must be True",
        ),
        (["decoder"], {"type": "WordPiece"}, ": the decoder is WordPiece, where RoBERTa has"),
        (["post_processor"], {"type": "BertProcessing"}, "post_processor: cls is missing, not a"),
        (["post_processor"], {"type": "X"}, ": post_processor: X is not known here, only ByteL"),
        (["post_processor"], {**TEMPLATE, "single": None}, "single is None, not an array"),
        (["post_processor"], {**TEMPLATE, "special_tokens": {}}, "not say which token '<s>' is"),
        (
            ["post_processor"],
            {
                "type": "Sequence",
                "processors": [{"type": "ByteLevel"}, CONTENT["post_processor"]],
            },
            "ByteLevel then RobertaProcessing frames or trims what is framed or trimmed already",
        ),
        (["post_processor", "cls"], "<s>", "post_processor: cls is '<s>', not a token and its id"),
        (["post_processor", "cls"], ["<s>", 5], "gives '<s>' the id 5, but .* it has the id 4"),
        (["post_processor", "sep"], ["X", 5], "gives 'X' the id 5, but .* it has no id"),
        (["post_processor", "trim_offsets"], None, "trim_offsets is None, but must be True"),
        (["model", "type"], "WordPiece", "the model is 'WordPiece', where RoBERTa has BPE"),
        (["model"], None, ": model is missing, not an object"),
        (["model", "vocab"], [], r": model: vocab is \[\], not an object"),
        (["model", "merges"], {}, ": model: merges is {}, not an array"),
        (["model", "dropout"], 0.1, r"dropout is 0\.1, which gives other tokens than RoBERTa's"),
        (["model", "type"], "Unigram", "BPE; this is a SentencePiece tokenizer, of XLM-R"),
        (["model", "continuing_subword_prefix"], "##", "prefix is '##', which gives other"),
        (["model", "unk_token"], "X", "unk_token is 'X', which is not in the vocabulary"),
        (["model", "unk_token"], [], r"unk_token is \[\], which is not in the vocabulary"),
        (["model", "fuse_unk"], True, "fuse_unk is true, but RoBERTa gives one '<unk>' for each"),
        (["model", "byte_fallback"], True, "byte_fallback is true, but RoBERTa gives one"),
        (["model", "vocab", "a"], "0", "the id of 'a' is '0', but must be an integer"),
        (["model", "merges"], [["a", "b"], ["a"]], r"merge 1: \['a'\] is no merge"),
        (["model", "merges"], ["b a"], "the merge of 'b' and 'a' needs the token 'ba'"),
        (["added_tokens"], [{"content": "x"}], r"_tokens\[0\]: the id of 'x' is None, but must"),
        (["added_tokens"], [{"content": "x", "id": True}], "the id of 'x' is True, but must"),
        (
            ["added_tokens"],
            [{"content": "x", "id": -1}],
            "the id of 'x' is -1, but must",
        ),
        (["added_tokens"], [{"id": 7}], r"added_tokens\[0\] is .* a string `content`"),
        (["added_tokens"], [{"id": 7, "content": ""}], "the content of a token is ''"),
        (["added_tokens"], [{"id": 7, "content": "\ud800"}], r"content of a token is '\\ud800'"),
        (["added_tokens"], 5, ": added_tokens is 5, not an array"),
        (["padding"], 5, ": padding is 5, not an object"),
        (["padding", "direction"], "left", ": padding: direction is 'left', neither 'Left' nor"),
        (["truncation"], {"direction": {}}, ": truncation: direction is {}, neither"),
    ],
)
def test_what_is_not_a_tokenizer_of_roberta(file, path, value, message):
    with pytest.raises(ValueError, match=rf"tokenizer\.json.*{message}"):
        read_tokenizer_json(file((path, value)))


# Writing


@pytest.mark.parametrize("vocab", [CONTENT["model"]["vocab"], WHOLE_VOCAB])
def test_what_is_written_is_read(tmp_path, vocab):
    unknown = AddedToken("ab", special=True)
    vocabulary = Vocabulary(vocab, {5: AddedToken("</s>", single_word=True)}, [unknown])
    merges = [("a", "b")]
    settings = {**SETTINGS, "padding_side": "right", "unk_token": "ab"}
    text = tokenizer_text(vocabulary, merges, settings)
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    content = read_tokenizer_json(tmp_path / "tokenizer.json")
    assert (content.vocab, content.merges) == (vocab, merges)
    assert content.added_tokens == {5: AddedToken("</s>", single_word=True), 2: unknown}
    del settings["padding_side"]
    if vocab is WHOLE_VOCAB:  # nothing is unknown
        del settings["unk_token"]
    assert content.settings == settings


def test_the_vocabulary_is_written_by_rising_id():
    vocabulary = Vocabulary({"<s>": 1, "</s>": 0}, {}, [])
    content = json.loads(tokenizer_text(vocabulary, [], {**SETTINGS, "unk_token": "<unk>"}))
    assert list(content["model"]["vocab"]) == ["</s>", "<s>"]
    assert content["model"]["unk_token"] is None  # it is not in the vocabulary
