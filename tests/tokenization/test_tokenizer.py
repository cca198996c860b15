import copy
import inspect
import json
import math
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import AddedToken, RobertaTokenizer, RobertaTokenizerFast
from minirobert.tokenization.rows.options import CallOptions
from minirobert.tokenization.settings import SETTINGS
from tests.equivalence.texts import TINY
from tests.tokenization.small import MASK, MERGES, VOCAB, small


@pytest.fixture
def tokenizer():
    return small()


@pytest.fixture(scope="module")
def tiny():
    return RobertaTokenizer.from_pretrained(TINY)


# Making a tokenizer


def test_one_class_under_both_names():
    assert RobertaTokenizerFast is RobertaTokenizer


def test_import_leaves_torch_and_transformers_alone():
    code = (
        "import sys, minirobert.tokenization; print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_missing_special_tokens_are_appended():
    tokenizer = RobertaTokenizer.from_vocab({"a": 0}, [], mask_token="[M]")
    assert tokenizer.get_vocab() == {
        "a": 0,
        "<s>": 1,
        "</s>": 2,
        "<unk>": 3,
        "<pad>": 4,
        "[M]": 5,
    }
    assert (tokenizer.vocab_size, len(tokenizer)) == (1, 6)


def test_a_custom_mask_makes_the_usual_one_ordinary_text():
    tokenizer = small(mask_token="[M]")
    assert tokenizer.mask_token_id == MASK
    assert tokenizer.encode("a [M]<mask>", add_special_tokens=False)[:3] == [4, MASK, 3]


def test_mask_flags_are_those_that_are_given():
    tokenizer = small(mask_token=AddedToken("<mask>", rstrip=True, special=True))
    assert tokenizer.tokenize("a <mask> b") == ["a", "Ġ", "<mask>", "b"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "needs vocab_file and merges_file, or tokenizer_file alone"),
        ({"vocab_file": VOCAB}, ValueError, "needs vocab_file and merges_file"),
        (
            {"vocab_file": VOCAB, "merges_file": [], "tokenizer_file": "x"},
            ValueError,
            "or tokenizer_file alone",
        ),
        ({"tokenizer_file": "nowhere.json"}, FileNotFoundError, "no file nowhere.json"),
        (
            {"vocab_file": "nowhere.json", "merges_file": []},
            FileNotFoundError,
            "no file nowhere.json",
        ),
    ],
)
def test_files_are_needed(arguments, error, message):
    with pytest.raises(error, match=message):
        RobertaTokenizer(**arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"padding_side": "middle"},
            ValueError,
            "padding_side is 'middle', but must be one of 'right'",
        ),
        (
            {"truncation_side": "top"},
            ValueError,
            "truncation_side is 'top', but must be one of 'right'",
        ),
        ({"errors": "foo"}, ValueError, "errors is 'foo', but must be one that bytes.decode knows"),
        ({"model_max_length": 0}, ValueError, "model_max_length is 0, but must be an integer"),
        ({"model_max_length": "9"}, ValueError, "model_max_length is '9', but must be an integer"),
        ({"pad_token": 5}, TypeError, "pad_token is 5: it must be a string or an AddedToken"),
        ({"additional_special_tokens": [5]}, TypeError, "additional_special_tokens is 5"),
        ({"additional_special_tokens": "<x>"}, TypeError, "'<x>': it must be a list of tokens"),
        ({"model_max_length": True}, ValueError, "model_max_length is True, but must be an int"),
        ({"model_max_length": math.nan}, ValueError, "model_max_length is nan, but must be an int"),
        ({"add_prefix_space": "yes"}, TypeError, "add_prefix_space is 'yes', but must be True or"),
        ({"trim_offsets": 1}, TypeError, "trim_offsets is 1, but must be True or False"),
        (
            {"clean_up_tokenization_spaces": None},
            TypeError,
            "spaces is None, but must be True or F",
        ),
        ({"split_special_tokens": "no"}, TypeError, "split_special_tokens is 'no', but must be"),
        ({"model_input_names": "input_ids"}, ValueError, "model_input_names is 'input_ids', but m"),
        (
            {"model_input_names": ["x"]},
            ValueError,
            r"\['x'\], but .* input_ids, token_type_ids, attent",
        ),
        ({"pad_tokens": "<pad>"}, TypeError, "pad_tokens"),
    ],
)
def test_options_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        small(**options)
    ((name, value),) = options.items()
    if name in SETTINGS:
        tokenizer = small()
        before = getattr(tokenizer, name)
        with pytest.raises(error, match=message):
            setattr(tokenizer, name, value)
        assert getattr(tokenizer, name) == before


def test_a_token_can_be_given_the_role_of_a_special_one(tokenizer):
    tokenizer.pad_token = "c"
    assert tokenizer.pad_token_id == VOCAB["c"]
    assert tokenizer(["a", ""], padding=True).input_ids[1] == [0, 2, VOCAB["c"]]
    assert tokenizer.tokenize("ac") == ["a", "c"]
    assert "c" in tokenizer.all_special_tokens
    tokenizer.sep_token_id = VOCAB["b"]
    assert tokenizer.sep_token == "b"
    assert tokenizer.encode("a") == [0, VOCAB["a"], VOCAB["b"]]


@pytest.mark.parametrize(
    ("attribute", "value", "error", "message"),
    [
        ("pad_token", "x", ValueError, r"vocabulary lacks: add it with add_special_tokens\({'pad_"),
        ("pad_token", 5, TypeError, "pad_token is 5: it must be a string or an AddedToken"),
        ("pad_token_id", 99, ValueError, "no token has the id 99"),
    ],
)
def test_roles_are_for_tokens_of_the_vocabulary(tokenizer, attribute, value, error, message):
    with pytest.raises(error, match=message):
        setattr(tokenizer, attribute, value)
    assert tokenizer.pad_token == "<pad>"


def test_adding_tokens(tokenizer):
    before = tokenizer("a x b")
    assert tokenizer.add_tokens(["x", "ab", "x"]) == 2
    assert tokenizer.add_tokens("x") == 0
    assert tokenizer.add_tokens(AddedToken("x", lstrip=True)) == 1
    assert len(tokenizer) == MASK + 2
    assert tokenizer.get_added_vocab()["ab"] == VOCAB["ab"]
    assert tokenizer.added_tokens_decoder[MASK + 1] == AddedToken("x", lstrip=True)
    assert tokenizer.tokenize("a x b") == ["a", "x", "Ġ", "b"]
    assert before.word_ids() == [None, 0, 1, 1, 2, 2, None]  # as it was then


def test_ids_follow_the_order_of_the_mapping(tokenizer):
    tokens = {"additional_special_tokens": ["<u>", "<v>"], "pad_token": "[P]"}
    tokenizer.add_special_tokens(tokens)
    assert tokenizer.convert_tokens_to_ids(["<u>", "<v>", "[P]"]) == [MASK + 1, MASK + 2, MASK + 3]


def test_assigning_additional_special_tokens(tokenizer):
    tokenizer.additional_special_tokens = ["<u>"]
    assert tokenizer.additional_special_tokens_ids == [MASK + 1]
    with pytest.raises(TypeError, match="additional_special_tokens is '<v>': it must be a list"):
        tokenizer.additional_special_tokens = "<v>"


def test_adding_special_tokens(tokenizer):
    assert tokenizer.add_special_tokens({"mask_token": "[M]", "pad_token": "<pad>"}) == 2
    assert tokenizer.tokenize("a [M]") == ["a", "Ġ", "[M]"]
    assert tokenizer.add_special_tokens({"additional_special_tokens": ["[A]", "[B]"]}) == 2
    options = {"replace_additional_special_tokens": False}
    assert (
        tokenizer.add_special_tokens({"additional_special_tokens": ["[B]", "[C]"]}, **options) == 1
    )
    assert tokenizer.additional_special_tokens == ["[A]", "[B]", "[C]"]
    assert tokenizer.add_special_tokens({"additional_special_tokens": ["[A]"]}) == 0
    assert tokenizer.additional_special_tokens == ["[A]"]
    assert tokenizer.additional_special_tokens_ids == [tokenizer.get_vocab()["[A]"]]
    assert tokenizer.decode(tokenizer.encode("a[A]b[C]"), skip_special_tokens=True) == "ab"


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ({"foo": "x"}, ValueError, "'foo' is the name of no special token: it must be one of bos_"),
        ({"pad_token": 5}, TypeError, "pad_token is 5: it must be a string or an AddedToken"),
        ({"additional_special_tokens": "abc"}, TypeError, "'abc': it must be a list of tokens"),
        ({"pad_token": "[P]", "foo": "x"}, ValueError, "'foo' is the name of no special token"),
        (
            ["x"],
            TypeError,
            r"special_tokens_dict is \['x'\]: it must be a mapping such as {'pad_tok",
        ),
        ("x", TypeError, "special_tokens_dict is 'x': it must be a mapping"),
    ],
)
def test_what_cannot_be_a_special_token(tokenizer, tokens, error, message):
    with pytest.raises(error, match=message):
        tokenizer.add_special_tokens(tokens)
    assert len(tokenizer) == MASK + 1
    assert tokenizer.pad_token == "<pad>"


@pytest.mark.parametrize("tokens", [5, None, [5], ["x", None], {"x": 1}])
def test_what_cannot_be_an_added_token(tokenizer, tokens):
    with pytest.raises(TypeError, match="new_tokens is"):
        tokenizer.add_tokens(tokens)
    assert len(tokenizer) == MASK + 1


def test_no_limit_is_none():
    assert small(model_max_length=int(1e30)).model_max_length is None
    assert small(model_max_length=1e30).model_max_length is None
    assert small(model_max_length=5).model_max_length == 5
    assert small(model_max_length=np.int64(5)).model_max_length == 5


def test_columns_that_are_returned_unless_asked_otherwise():
    names = ["input_ids", "token_type_ids"]
    tokenizer = small(model_input_names=names)
    assert list(tokenizer("ab")) == list(tokenizer(["ab"])) == names
    assert list(tokenizer("ab", return_token_type_ids=False)) == ["input_ids"]
    assert list(tokenizer("ab", return_attention_mask=True)) == [*names, "attention_mask"]


def test_arguments_in_their_order():
    tokenizer = small()
    assert tokenizer.encode("a", "b", False) == [4, 5]
    row = tokenizer("a", "b", None, None, False, "max_length", True, 5)
    assert row.input_ids == [4, 5, 1, 1, 1]


def test_copies_encode_alike(tokenizer):
    tokenizer.encode("ab c")
    for other in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert other("ab <mask> cab") == tokenizer("ab <mask> cab")


def test_what_has_been_encoded_is_not_copied(tokenizer):
    before = pickle.dumps(tokenizer)
    tokenizer(["ab", "cab"], return_offsets_mapping=True)
    assert pickle.dumps(tokenizer) == before


def test_the_result_does_not_depend_on_what_was_encoded_before(tokenizer):
    texts = ["ab", "ab cab", " ab", "ab"]
    assert [tokenizer.encode(text) for text in texts] == [small().encode(text) for text in texts]


def test_repr_tells_the_settings(tokenizer):
    assert repr(tokenizer).startswith("RobertaTokenizer(vocab_size=11, model_max_length=None, ")


# One text


def test_unknown_symbols_are_unk(tokenizer):
    assert tokenizer.encode("abxb") == [0, 8, 3, 5, 2]
    assert tokenizer.tokenize("abxb") == ["ab", "x", "b"]
    assert tokenizer("axé", return_offsets_mapping=True).offset_mapping == [
        (0, 0),
        (0, 1),
        (1, 2),
        (2, 3),
        (2, 3),
        (0, 0),
    ]


def test_special_tokens_in_the_text(tokenizer):
    encoding = tokenizer("a <mask> b</s>", return_special_tokens_mask=True)
    assert encoding.input_ids == [0, 4, MASK, 7, 5, 2, 2]
    assert encoding.special_tokens_mask == [1, 0, 0, 0, 0, 0, 1]
    assert tokenizer.get_special_tokens_mask(
        encoding.input_ids, already_has_special_tokens=True
    ) == [1, 0, 1, 0, 0, 1, 1]


@pytest.mark.parametrize("space", ["", " ", "  \n", "\xa0", "\u3000\t", "\x85"])
def test_the_mask_takes_white_space_on_its_left(tokenizer, space):
    assert tokenizer.encode(f"a{space}<mask>") == [0, 4, MASK, 2]


def test_add_prefix_space():
    tokenizer = small(add_prefix_space=True)
    for text in ("ab", " ab"):
        assert tokenizer.tokenize(text) == ["Ġab"]
    assert tokenizer.tokenize("ab<mask>ab") == ["Ġab", "<mask>", "Ġab"]
    assert tokenizer.tokenize("") == []
    assert tokenizer.tokenize("ab", add_prefix_space=False) == ["ab"]
    assert small().tokenize("ab", add_prefix_space=True) == ["Ġab"]
    assert small().encode("ab", add_prefix_space=True) == [0, 10, 2]


def test_offsets(tokenizer):
    options = {"return_offsets_mapping": True, "add_special_tokens": False}
    assert tokenizer("ab  ab", **options).offset_mapping == [(0, 2), (3, 3), (4, 6)]
    untrimmed = small(trim_offsets=False)
    assert untrimmed("ab  ab", **options).offset_mapping == [(0, 2), (2, 3), (3, 6)]
    prefixed = small(add_prefix_space=True)
    assert prefixed("ab ab", **options).offset_mapping == [(0, 2), (3, 5)]
    assert prefixed("é", **options).offset_mapping == [(0, 0), (0, 1), (0, 1)]


def test_an_empty_second_text_is_still_a_second_text(tokenizer):
    assert tokenizer.encode("a", "") == [0, 4, 2, 2, 2]
    assert tokenizer(["a"], [""]).input_ids == [[0, 4, 2, 2, 2]]


def test_encode_takes_tokens_and_ids(tokenizer):
    assert tokenizer.encode([4, 5], [6]) == [0, 4, 5, 2, 2, 6, 2]
    assert tokenizer.encode(["ab", "<mask>", "zzz"]) == [0, VOCAB["ab"], MASK, 3, 2]
    assert tokenizer.encode([]) == [0, 2]
    assert tokenizer.encode(["a", " b"], is_split_into_words=True) == tokenizer.encode(" a b")
    assert tokenizer.encode_plus([4, 5, 6], max_length=4, truncation=True).input_ids == [0, 4, 5, 2]


def test_the_axis_of_the_batch_of_prepared_ids(tokenizer):
    options = {"return_tensors": "np", "return_length": True}
    row = tokenizer.prepare_for_model([4, 5], **options)
    assert {name: array.shape for name, array in row.items()} == {
        "input_ids": (4,),
        "attention_mask": (4,),
        "length": (),
    }
    assert row.input_ids.tolist() == tokenizer.prepare_for_model([4, 5]).input_ids == [0, 4, 5, 2]
    batch = tokenizer.prepare_for_model([4, 5], prepend_batch_axis=True, **options)
    assert (batch.input_ids.shape, batch.length.shape) == ((1, 4), (1,))
    assert tokenizer.prepare_for_model([4], prepend_batch_axis=True).input_ids == [0, 4, 2]
    windows = {"max_length": 3, "truncation": True, "return_overflowing_tokens": True, **options}
    assert tokenizer.prepare_for_model([4, 5], **windows).input_ids.tolist() == [
        [0, 4, 2],
        [0, 5, 2],
    ]
    assert tokenizer.encode([4, 5], return_tensors="np").shape == (1, 4)
    assert tokenizer.encode_plus([4, 5], return_tensors="np").input_ids.shape == (1, 4)


@pytest.mark.parametrize("index", [-5, 999_999])
def test_only_ids_of_tokens_are_prepared(tokenizer, index):
    for call in (
        lambda: tokenizer.encode([index]),
        lambda: tokenizer.prepare_for_model([4, index]),
        lambda: tokenizer.prepare_for_model([4], [index]),
        lambda: tokenizer.build_inputs_with_special_tokens([index]),
        lambda: tokenizer.build_inputs_with_special_tokens([4], [index]),
    ):
        with pytest.raises(ValueError, match=f"no token has the id {index}"):
            call()


def test_only_ids_are_framed(tokenizer):
    with pytest.raises(TypeError, match=r"ids\[0\] is of type float: it must be an integer"):
        tokenizer.build_inputs_with_special_tokens([1.5])
    assert tokenizer.build_inputs_with_special_tokens(np.array([4, 5])) == [0, 4, 5, 2]


@pytest.mark.parametrize("text", [5, None, ["a", 5], [["a"], ["b"]], [True]])
def test_encode_takes_one_text(tokenizer, text):
    with pytest.raises(TypeError, match=r"it must be one str, or the tokens or ids of one text"):
        tokenizer.encode(text)


def test_tokenize_takes_one_text(tokenizer):
    for text in (["a", "b"], [("a", "b"), ("b", "a")], []):
        with pytest.raises(TypeError, match="is a batch, where one text is wanted"):
            tokenizer.tokenize(text)
    words = [["a", "b"], ["b"]]
    with pytest.raises(TypeError, match="is a batch, where one text is wanted"):
        tokenizer.encode(words, is_split_into_words=True)
    with pytest.raises(TypeError, match="batch_text_or_text_pairs is of type str"):
        tokenizer.batch_encode_plus("a")


def test_tokenize_checks_its_text(tokenizer):
    with pytest.raises(TypeError, match="text is of type int"):
        tokenizer.tokenize(5)


def test_what_has_been_set_between_calls_counts(tokenizer):
    """The options of the last call are remembered."""
    assert tokenizer("ab").input_ids == tokenizer("ab").input_ids == [0, 8, 2]
    tokenizer.add_prefix_space = True
    assert tokenizer("ab").input_ids == [0, 10, 2]
    tokenizer.model_input_names = ["input_ids"]
    assert list(tokenizer("ab")) == ["input_ids"]
    tokenizer.trim_offsets = False
    tokenizer.cls_token = "c"
    tokenizer.add_tokens("ab")
    assert tokenizer("ab", return_offsets_mapping=True) == {
        "input_ids": [6, 8, 2],
        "offset_mapping": [(0, 0), (0, 2), (0, 0)],
    }
    tokenizer.split_special_tokens = True
    assert tokenizer("</s>").input_ids[1:-1] != tokenizer("</s>", split_special_tokens=False)


@pytest.mark.parametrize("times", [1, 2])
def test_each_call_warns_of_what_has_no_effect(tokenizer, times):
    for _ in range(times):
        with pytest.warns(UserWarning, match="truncation='longest_first' has no effect"):
            tokenizer("ab", truncation=True)


def test_texts_and_targets_warn_once(tokenizer):
    with pytest.warns(UserWarning, match="max_length=3 is given without truncation") as caught:
        assert tokenizer("ab", text_target="cc", max_length=3)["labels"] == [0, 6, 2]
    assert len(caught) == 1


@pytest.mark.parametrize(
    "name",
    [
        *("__call__", "encode", "encode_plus", "batch_encode_plus", "tokenize"),
        *("prepare_for_model",),
    ],
)
def test_help_tells_what_each_option_means(name):
    words = inspect.getdoc(getattr(RobertaTokenizer, name))
    entries = [line.strip().partition(" : ") for line in words.splitlines() if " : " in line]
    described = {each for names, _, kind in entries if kind for each in names.split(", ")}
    assert described >= set(CallOptions._fields)


def test_the_options_of_a_call_are_its_arguments():
    parameters = inspect.signature(RobertaTokenizer.__call__).parameters
    usual = {name: parameters[name].default for name in CallOptions._fields}
    assert usual == CallOptions()._asdict()


def test_unknown_arguments(tokenizer):
    with pytest.raises(TypeError, match="paddding"):
        tokenizer("a", paddding=True)
    with pytest.raises(TypeError, match="stride is 'x', but must be None or an integer"):
        tokenizer("a", stride="x")
    with pytest.raises(TypeError, match="foo"):
        tokenizer.encode("a", foo=1)


@given(st.text())
def test_spans_cover_all_that_is_no_space(text):
    tokenizer = small(add_prefix_space=False)
    encoding = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
    covered = {i for start, end in encoding.offset_mapping for i in range(start, end)}
    assert {i for i, char in enumerate(text) if not char.isspace()} <= covered
    starts = [start for start, _ in encoding.offset_mapping]
    assert starts == sorted(starts)


# Batches


def test_an_empty_batch_is_empty(tokenizer):
    assert tokenizer([]) == {"input_ids": [], "attention_mask": []}
    assert tokenizer([], padding=True, return_tensors="np").input_ids.shape == (0,)


def test_the_whole_batch_is_checked_before_any_work(tokenizer):
    with pytest.raises(ValueError, match=r"text\[1\] has a lone surrogate, U\+DC00, at position 1"):
        tokenizer(["a", "a\udc00"])


def test_columns_and_their_order(tokenizer):
    encoding = tokenizer(
        ["a", "ab c"],
        padding=True,
        return_token_type_ids=True,
        return_special_tokens_mask=True,
        return_offsets_mapping=True,
        return_length=True,
    )
    assert encoding == {
        "input_ids": [[0, 4, 2, 1, 1], [0, 8, 7, 6, 2]],
        "token_type_ids": [[0] * 5, [0] * 5],
        "attention_mask": [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]],
        "special_tokens_mask": [[1, 0, 1, 1, 1], [1, 0, 0, 0, 1]],
        "offset_mapping": [
            [(0, 0), (0, 1), (0, 0), (0, 0), (0, 0)],
            [(0, 0), (0, 2), (3, 3), (3, 4), (0, 0)],
        ],
        "length": [5, 5],
    }
    assert list(encoding) == [
        "input_ids",
        "token_type_ids",
        "attention_mask",
        "special_tokens_mask",
        "offset_mapping",
        "length",
    ]
    assert list(tokenizer("a", return_attention_mask=False)) == ["input_ids"]
    assert tokenizer("ab", return_length=True)["length"] == [3]  # a list, as in transformers


def test_padding_sides(tokenizer):
    texts, left, right = ["a", "ba"], [1, 0, 4, 2], [0, 4, 2, 1]
    assert tokenizer(texts, padding=True).input_ids[0] == right
    assert tokenizer(texts, padding=True, padding_side="left").input_ids[0] == left
    tokenizer.padding_side = "left"
    assert tokenizer(texts, padding=True).input_ids[0] == left
    assert tokenizer(texts, padding=True, padding_side="right").input_ids[0] == right


@pytest.mark.parametrize(
    ("arguments", "options", "ids"),
    [
        (("caca",), {"max_length": 4}, [0, 6, 4, 2]),
        (("caca",), {"max_length": 2}, [0, 2]),
        (("caca", "bbb"), {"max_length": 7}, [0, 6, 4, 2, 2, 5, 2]),
        (("caca", "bbb"), {"max_length": 8, "truncation": "only_first"}, [0, 6, 2, 2, 5, 5, 5, 2]),
        (("ca", "bbb"), {"max_length": 7, "truncation": "only_second"}, [0, 6, 4, 2, 2, 5, 2]),
        (("caca",), {"max_length": 0, "add_special_tokens": False}, []),
    ],
)
def test_truncation(tokenizer, arguments, options, ids):
    assert tokenizer.encode(*arguments, **{"truncation": True, **options}) == ids


def test_truncation_side(tokenizer):
    tokenizer.truncation_side = "left"
    assert tokenizer.encode("cacb", truncation=True, max_length=4) == [0, 6, 5, 2]


@pytest.mark.parametrize("name", ["padding_side", "truncation_side"])
def test_sides_are_checked_when_they_are_assigned(tokenizer, name):
    with pytest.raises(ValueError, match=f"{name} is 'both'"):
        setattr(tokenizer, name, "both")
    assert getattr(tokenizer, name) == "right"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("a",), {"max_length": 1}, "max_length=1 has no room for the 2 special tokens"),
        (("a", "b"), {"max_length": 3}, "pass 4 or more, or add_special_tokens=False"),
        (
            ("ca", "b"),
            {"max_length": 6, "truncation": "only_second"},
            "the other text alone has 2 tokens, and 2 fit",
        ),
        (("caca",), {"max_length": 4, "truncation": "only_second"}, "the text has no pair"),
        (("a",), {"truncation": ""}, "truncation is '', but must be None or True, False or"),
        (
            ("a",),
            {"truncation": "first"},
            "truncation is 'first', but must be None or True, False or",
        ),
        (("a",), {"padding": "all"}, "padding is 'all', but must be True, False or"),
        (("a",), {"padding_side": "top"}, "padding_side is 'top', but must be None or one of"),
        (
            ("a",),
            {"max_length": 5, "padding": True, "pad_to_multiple_of": 4},
            "5 tokens cannot be padded to a multiple of 4",
        ),
        ((["a", "ba"],), {"return_tensors": "np"}, r"padding=True"),
        (("a",), {"return_tensors": "tf"}, "return_tensors is 'tf'"),
        (("a",), {"stride": -3}, "stride is -3, but must be None or an integer of at least 0"),
        (
            ("a",),
            {"stride": -3, "return_overflowing_tokens": True},
            "stride is -3, but must be None or an integer of at least 0",
        ),
    ],
)
def test_what_cannot_be_done(tokenizer, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        tokenizer(*arguments, **{"truncation": True, "max_length": 9, **options})


def test_a_text_that_is_too_long_for_the_model_is_warned_of_once():
    tokenizer = small(model_max_length=4)
    with pytest.warns(UserWarning, match="a row has 6 tokens, but the model takes 4") as caught:
        tokenizer("caca")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenizer("caca")
        small(model_max_length=4)("caca", truncation=True)
        small(model_max_length=4)("caca", max_length=9, truncation=True)
        small(model_max_length=6)("caca")


def test_a_length_without_truncation_truncates_with_a_warning(tokenizer):
    with pytest.warns(UserWarning, match="max_length=3 is given without truncation") as caught:
        assert tokenizer.encode("caca", max_length=3) == [0, 6, 2]
    assert caught[0].filename == __file__


def test_pad(tokenizer):
    encodings = [tokenizer("a", return_offsets_mapping=True), tokenizer("ca")]
    with pytest.raises(ValueError, match="encoding 1 has no 'offset_mapping'"):
        tokenizer.pad(encodings)
    encodings[1] = tokenizer("ca", return_offsets_mapping=True)
    assert tokenizer.pad(encodings, padding_side="left") == {
        "input_ids": [[1, 0, 4, 2], [0, 6, 4, 2]],
        "attention_mask": [[0, 1, 1, 1], [1, 1, 1, 1]],
        "offset_mapping": [[(0, 0), (0, 0), (0, 1), (0, 0)], [(0, 0), (0, 1), (1, 2), (0, 0)]],
    }
    assert tokenizer.pad({"input_ids": []}) == {"input_ids": [], "attention_mask": []}
    assert list(tokenizer.pad({"input_ids": [4]}, return_attention_mask=False)) == ["input_ids"]


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_pad_gives_arrays_of_the_same_library(tokenizer, make):
    kind = type(make([0]))
    single = tokenizer.pad({"input_ids": make([4, 2])}, "max_length", max_length=3)
    assert single.input_ids.tolist() == [4, 2, 1]
    rows = [{"input_ids": make([4]), "labels": make(0.5)}, {"input_ids": make([4, 5]), "labels": 1}]
    batch = tokenizer.pad(rows)
    assert batch.input_ids.tolist() == [[4, 1], [4, 5]]
    assert batch.labels.tolist() == [0.5, 1.0]
    columns = tokenizer.pad({"input_ids": make([[4], [5]])}, pad_to_multiple_of=2)
    assert columns.input_ids.tolist() == [[4, 1], [5, 1]]
    for encoding in (single, batch, columns):
        assert {type(array) for array in encoding.values()} == {kind}
    other = {np.array: "pt", torch.tensor: "np"}[make]
    assert not isinstance(tokenizer.pad(rows, return_tensors=other).input_ids, kind)


@pytest.mark.gpu
def test_pad_gives_arrays_of_cupy_for_those_of_cupy(tokenizer):
    import cupy

    batch = tokenizer.pad([{"input_ids": cupy.array([4])}, {"input_ids": cupy.array([4, 5])}])
    assert isinstance(batch.input_ids, cupy.ndarray)
    assert batch.input_ids.tolist() == [[4, 1], [4, 5]]


def test_pad_gives_arrays_where_asked(tokenizer):
    batch = tokenizer.pad([{"input_ids": [4]}, {"input_ids": [4, 5]}], return_tensors="np")
    assert batch.attention_mask.tolist() == [[1, 0], [1, 1]]
    single = tokenizer.pad({"input_ids": [4, 5], "labels": 0.5}, return_tensors="pt")
    assert (single.input_ids.tolist(), single.labels.tolist()) == ([4, 5], 0.5)


def test_pad_says_what_it_does_not_pad(tokenizer):
    rows = [{"input_ids": [4], "labels": [4]}, {"input_ids": [4, 5], "labels": [4, 5]}]
    with pytest.raises(
        ValueError, match=r"labels have .*: padding leaves this column as it is, so"
    ):
        tokenizer.pad(rows, return_tensors="pt")
    assert tokenizer.pad(rows).labels == [[4], [4, 5]]
    with pytest.raises(ValueError, match=r"the rows of input_ids have .*: pass padding=True"):
        tokenizer.pad(rows, padding=False, return_tensors="pt")


def test_pad_warns_unless_told_not_to(tokenizer):
    with pytest.warns(UserWarning, match="max_length=9 has no effect with padding=True"):
        tokenizer.pad({"input_ids": [4]}, max_length=9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenizer.pad({"input_ids": [4]}, max_length=9, verbose=False)


# Decoding


def test_decoding(tiny):
    ids = tiny.encode("Hello world", "naïve <mask> 😀")
    assert tiny.decode(ids) == "<s>Hello world</s></s>naïve<mask> 😀</s>"
    assert tiny.decode(ids, skip_special_tokens=True) == "Hello worldnaïve 😀"
    assert tiny.decode(np.array(ids)) == tiny.decode(ids)
    assert tiny.decode(ids[0]) == tiny.decode(np.int64(0)) == "<s>"
    assert tiny.batch_decode([ids, ids[:1]]) == [tiny.decode(ids), "<s>"]
    assert tiny.batch_decode(np.array([ids])) == [tiny.decode(ids)]
    assert tiny.batch_decode(ids[:2]) == ["<s>", "H"]


def test_clean_up_is_off_unless_asked_for(tokenizer):
    tidy = RobertaTokenizer.from_pretrained(TINY, clean_up_tokenization_spaces=True)
    ids = tidy.encode("a . b", add_special_tokens=False)
    assert tidy.decode(ids) == "a. b"
    assert tidy.decode(ids, clean_up_tokenization_spaces=False) == "a . b"


@pytest.mark.parametrize("index", [-1, 8192, 10**9])
def test_ids_that_no_token_has(tiny, index):
    for method in (tiny.decode, tiny.convert_ids_to_tokens):
        for ids in (index, [0, index]):
            with pytest.raises(
                ValueError, match=f"no token has the id {index}: .* 8192 tokens.* as -100 in labels"
            ):
                method(ids)


def test_added_tokens_are_decoded_as_they_are_written():
    tokens = {11: AddedToken("é"), 12: AddedToken("a b")}
    tokenizer = small(added_tokens_decoder=tokens)
    ids = tokenizer.encode("aéa b", add_special_tokens=False)
    assert ids == [4, 11, 12]
    assert tokenizer.decode(ids) == "aéa b"


def test_spaces_are_put_around_special_tokens_beyond_the_vocabulary():
    vocab = {**VOCAB, "<mask>": MASK, "[V]": MASK + 1}
    special = ["[V]", "[X]", "[Y]"]
    tokenizer = RobertaTokenizer.from_vocab(vocab, MERGES, additional_special_tokens=special)
    assert tokenizer.additional_special_tokens_ids == [MASK + 1, MASK + 2, MASK + 3]
    assert tokenizer.vocab_size == MASK + 2
    ids = tokenizer.encode("a[V]b[X]a[Y]b<mask>", add_special_tokens=False)
    spaced = tokenizer.decode(ids, spaces_between_special_tokens=True)
    assert spaced == "a[V]b [X] a [Y] b<mask>"


def test_conversions(tokenizer):
    assert tokenizer.convert_tokens_to_ids("ab") == 8
    assert tokenizer.convert_tokens_to_ids(["ab", "zzz"]) == [8, 3]
    assert tokenizer.convert_ids_to_tokens(8) == "ab"
    assert tokenizer.convert_ids_to_tokens([0, 8], skip_special_tokens=True) == ["ab"]
    assert tokenizer.convert_tokens_to_string(["Ġab", "<s>", "c"]) == " ab<s>c"
    assert tokenizer.convert_tokens_to_ids(iter(["ab", "zzz"])) == [8, 3]
    with pytest.raises(TypeError, match=r"tokens\[1\] is of type int: it must be a str"):
        tokenizer.convert_tokens_to_ids(["a", 5])
    with pytest.raises(TypeError, match="tokens is 5: it must be a list of str"):
        tokenizer.convert_tokens_to_ids(5)


@pytest.mark.parametrize("index", [8, np.int64(8), np.array(8), torch.tensor(8)])
def test_one_id_gives_one_token(tokenizer, index):
    assert tokenizer.convert_ids_to_tokens(index) == "ab"
    assert tokenizer.convert_ids_to_tokens([index]) == ["ab"]
    assert tokenizer.decode(index) == tokenizer.decode([index]) == "ab"
    assert tokenizer.decode([index, index]) == "abab"


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ("ab", TypeError, "tokens is 'ab': it must be a list of str; put a single token into a l"),
        (5, TypeError, "tokens is 5: it must be a list of str; .* give ids to decode"),
        (["a", None], TypeError, r"tokens\[1\] is None: it must be a str"),
        ([8], TypeError, r"tokens\[0\] is of type int: it must be a str; ids go to .* decode"),
        (["\ud800"], ValueError, r"tokens\[0\] has a lone surrogate, U\+D800"),
    ],
)
def test_what_is_no_list_of_tokens(tokenizer, tokens, error, message):
    with pytest.raises(error, match=message):
        tokenizer.convert_tokens_to_string(tokens)


def test_the_second_sequence_of_a_finished_row(tokenizer):
    with pytest.raises(ValueError, match="token_ids_1 is given although already_has_special"):
        tokenizer.get_special_tokens_mask([4], [5], already_has_special_tokens=True)


# Files


def test_directories_without_a_tokenizer(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.* is no directory on this machine"):
        RobertaTokenizer.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"there is no tokenizer in .*: it needs"):
        RobertaTokenizer.from_pretrained(tmp_path)
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=r"there is no tokenizer in"):
        RobertaTokenizer.from_pretrained(tmp_path)


def test_overrides_win(tmp_path):
    small(add_prefix_space=True, model_max_length=9).save_pretrained(tmp_path)
    tokenizer = RobertaTokenizer.from_pretrained(tmp_path, add_prefix_space=False)
    assert (tokenizer.add_prefix_space, tokenizer.model_max_length) == (False, 9)
    with pytest.raises(TypeError, match="add_prefix_spaces"):
        RobertaTokenizer.from_pretrained(tmp_path, add_prefix_spaces=True)


def test_saving_and_loading(tmp_path):
    tokenizer = small(
        errors="ignore",
        mask_token="[M]",
        trim_offsets=False,
        padding_side="left",
        truncation_side="left",
        clean_up_tokenization_spaces=True,
        additional_special_tokens=[AddedToken("[X]", rstrip=True, special=True)],
        added_tokens_decoder={30: AddedToken("word", single_word=True)},
    )
    written = tokenizer.save_pretrained(tmp_path / "new" / "directory")
    assert sorted(Path(path).name for path in written) == [
        "added_tokens.json",
        "merges.txt",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.json",
    ]
    assert sorted(map(str, (tmp_path / "new" / "directory").iterdir())) == sorted(written)
    again = RobertaTokenizer.from_pretrained(tmp_path / "new" / "directory")
    assert repr(again) == repr(tokenizer)
    assert again.get_vocab() == tokenizer.get_vocab()
    for name in ("errors", "trim_offsets", "clean_up_tokenization_spaces"):
        assert getattr(again, name) == getattr(tokenizer, name)
    for text in ("ab [M]", "[X]  a word b", "aword", "[X] [M] <mask>"):
        assert again(text, return_offsets_mapping=True) == tokenizer(
            text, return_offsets_mapping=True
        )


def test_a_new_tokenizer_keeps_the_settings_that_mean_nothing_here(tmp_path):
    small().save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": "x", "foo": [1]}))
    tokenizer = RobertaTokenizer.from_pretrained(tmp_path)
    new = tokenizer.train_new_from_iterator(["ab ab"], 300, show_progress=False)
    new.save_pretrained(tmp_path / "new")
    saved = json.loads((tmp_path / "new" / "tokenizer_config.json").read_text())
    assert (saved["chat_template"], saved["foo"]) == ("x", [1])


def test_saving_replaces_the_tokenizer_that_was_there(tmp_path):
    for stale in ("tokenizer.json", "added_tokens.json"):
        (tmp_path / stale).write_text("stale")
    (tmp_path / "config.json").write_text("kept")
    tokenizer = RobertaTokenizer.from_vocab({**VOCAB, "<mask>": MASK}, MERGES)
    tokenizer.save_pretrained(tmp_path)
    assert RobertaTokenizer.from_pretrained(tmp_path).get_vocab() == tokenizer.get_vocab()
    assert not (tmp_path / "added_tokens.json").exists()
    assert (tmp_path / "config.json").read_text() == "kept"


def test_saving_the_vocabulary_with_a_prefix(tokenizer, tmp_path):
    vocab, merges = tokenizer.save_vocabulary(tmp_path, "small")
    assert (Path(vocab).name, Path(merges).name) == ("small-vocab.json", "small-merges.txt")
    assert RobertaTokenizer(vocab, merges).get_vocab() == tokenizer.get_vocab()


def test_a_file_is_no_directory(tokenizer, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file: give a directory to save in"):
        tokenizer.save_pretrained(tmp_path / "file")
    with pytest.raises(NotADirectoryError, match="is a file: give the directory"):
        RobertaTokenizer.from_pretrained(tmp_path / "file")


def test_attributes_of_transformers(tiny):
    assert tiny.is_fast
    assert tiny.model_input_names == ("input_ids", "attention_mask")
    assert tiny.pad_token_type_id == 0
    assert (tiny.max_len_single_sentence, tiny.max_len_sentences_pair) == (126, 124)
    assert small().max_len_single_sentence is None
    assert all(
        (TINY / name).exists() or name == "tokenizer.json"
        for name in tiny.vocab_files_names.values()
    )


def test_pad_makes_a_mask_unless_told_otherwise(tokenizer):
    row = {"input_ids": [0, 2]}
    assert "attention_mask" in tokenizer.pad(row)
    assert "attention_mask" in tokenizer.pad(row, return_attention_mask=None)
    assert "attention_mask" not in tokenizer.pad(row, return_attention_mask=False)
    bare = small(model_input_names=["input_ids"])
    assert "attention_mask" not in bare.pad(row)
    assert "attention_mask" in bare.pad(row, return_attention_mask=True)
