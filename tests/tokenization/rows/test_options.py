from enum import Enum

import pytest

from minirobert.tokenization.rows.options import (
    CallOptions,
    padding_strategy,
    truncation_strategy,
)


@pytest.mark.parametrize(
    ("given_as", "strategy"),
    [(True, "longest"), (False, "do_not_pad"), ("max_length", "max_length")],
)
def test_padding(given_as, strategy):
    assert padding_strategy(given_as) == strategy


@pytest.mark.parametrize(
    ("given_as", "strategy"),
    [(True, "longest_first"), (False, "do_not_truncate"), ("only_second", "only_second")],
)
def test_truncation(given_as, strategy):
    assert truncation_strategy(given_as) == strategy


def test_strategies_from_enums():
    class Strategy(str, Enum):  # noqa: UP042, as that of transformers is
        KEEP = "do_not_truncate"
        PAD = "max_length"

    options = CallOptions(padding=Strategy.PAD, truncation=Strategy.KEEP).checked()
    strategies = padding_strategy(options.padding), truncation_strategy(options.truncation)
    assert strategies == ("max_length", "do_not_truncate")
    assert set(map(type, strategies)) == {str}


@pytest.mark.parametrize("unknown", ["max", 1, None])
def test_unknown_padding(unknown):
    for check in (padding_strategy, lambda padding: CallOptions(padding=padding).checked()):
        with pytest.raises(ValueError, match=r"padding is .*, but must be True, False or one of"):
            check(unknown)


@pytest.mark.parametrize("unknown", ["longest", 1, []])
def test_unknown_truncation(unknown):
    for check in (truncation_strategy, lambda cuts: CallOptions(truncation=cuts).checked()):
        with pytest.raises(ValueError, match=r"truncation is .*, but must be .*True, False or one"):
            check(unknown)


@pytest.mark.parametrize(
    ("name", "value", "error", "sentence"),
    [
        ("max_length", -1, ValueError, "is -1, but must be None or an integer of at least 0"),
        ("pad_to_multiple_of", 0, ValueError, "is 0, but must be None or an integer of at least 1"),
        ("max_length", "5", TypeError, "is '5', but must be None or an integer"),
        ("max_length", 5.0, TypeError, "is 5.0, but must be None or an integer"),
        ("max_length", True, TypeError, "is True, but must be None or an integer"),
        ("stride", -3, ValueError, "is -3, but must be None or an integer of at least 0"),
        ("stride", "x", TypeError, "is 'x', but must be None or an integer"),
        ("padding_side", "top", ValueError, "is 'top', but must be None or one of 'right', 'left'"),
    ],
)
def test_what_an_option_may_be(name, value, error, sentence):
    with pytest.raises(error) as caught:
        CallOptions(**{name: value}).checked()
    assert str(caught.value) == f"{name} {sentence}"


@pytest.mark.parametrize(
    ("told", "columns"),
    [
        ({}, ["attention_mask"]),
        ({"return_attention_mask": False}, []),
        (
            {"return_special_tokens_mask": True, "return_token_type_ids": True},
            ["token_type_ids", "attention_mask", "special_tokens_mask"],
        ),
    ],
)
def test_columns(told, columns):
    assert CallOptions(**told).columns(("input_ids", "attention_mask")) == columns
