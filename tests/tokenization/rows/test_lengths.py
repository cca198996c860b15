import warnings

import pytest

from minirobert.tokenization.rows.lengths import LengthPlan, plan_lengths
from minirobert.tokenization.rows.options import CallOptions


def plan(padding, truncation, max_length, multiple, model_max_length, **options):
    told = CallOptions(
        padding=padding,
        truncation=truncation,
        max_length=max_length,
        pad_to_multiple_of=multiple,
        **options,
    )
    return plan_lengths(told.checked(), model_max_length)


def quiet_plan(*args):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return plan(*args)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((False, None, None, None, None), ("do_not_pad", "do_not_truncate", None, None)),
        ((False, True, None, None, 9), ("do_not_pad", "longest_first", 9, None)),
        ((True, "only_first", 5, None, 9), ("longest", "only_first", 5, None)),
        (("max_length", None, 5, 4, 9), ("max_length", "do_not_truncate", 5, 4)),
        ((False, False, 5, None, 9), ("do_not_pad", "do_not_truncate", 5, None)),
        ((True, True, 8, 4, None), ("longest", "longest_first", 8, 4)),
    ],
)
def test_plans(arguments, expected):
    assert quiet_plan(*arguments) == LengthPlan(*expected)


@pytest.mark.parametrize(
    ("arguments", "message", "expected"),
    [
        (
            (False, None, 5, None, 9),
            "max_length=5 is given without truncation",
            ("do_not_pad", "longest_first", 5, None),
        ),
        (
            (True, None, 5, None, 9),
            "max_length=5 has no effect with padding=True",
            ("longest", "do_not_truncate", 5, None),
        ),
        (
            ("max_length", False, None, None, None),
            "padding='max_length' has no effect: neither max_length nor",
            ("do_not_pad", "do_not_truncate", None, None),
        ),
        (
            (False, "only_first", None, None, None),
            "truncation='only_first' has no effect: neither max_length nor",
            ("do_not_pad", "do_not_truncate", None, None),
        ),
    ],
)
def test_warnings_point_at_the_caller(arguments, message, expected):
    with pytest.warns(UserWarning, match=message) as caught:
        assert plan(*arguments) == LengthPlan(*expected)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plan(*arguments, verbose=False) == LengthPlan(*expected)


@pytest.mark.parametrize(("length", "cure"), [(5, 4), (3, 4)])
def test_a_length_that_is_no_multiple(length, cure):
    message = f"{length} tokens cannot be padded to a multiple of 4: pass max_length={cure}, or"
    with pytest.raises(ValueError, match=message):
        quiet_plan(True, True, length, 4, None)
