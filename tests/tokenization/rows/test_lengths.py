import warnings

import pytest

from minirobert.tokenization.rows.lengths import LengthPlan, plan_lengths


def quiet_plan(*args):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return plan_lengths(*args)


@pytest.mark.parametrize(
    ("arguments", "plan"),
    [
        ((False, None, None, None, None), ("do_not_pad", "do_not_truncate", None, None)),
        ((False, True, None, None, 9), ("do_not_pad", "longest_first", 9, None)),
        ((True, "only_first", 5, None, 9), ("longest", "only_first", 5, None)),
        (("max_length", None, 5, 4, 9), ("max_length", "do_not_truncate", 5, 4)),
        ((False, False, 5, None, 9), ("do_not_pad", "do_not_truncate", 5, None)),
        ((True, True, 8, 4, None), ("longest", "longest_first", 8, 4)),
    ],
)
def test_plans(arguments, plan):
    assert quiet_plan(*arguments) == LengthPlan(*plan)


@pytest.mark.parametrize(
    ("arguments", "message", "plan"),
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
def test_warnings_point_at_the_caller(arguments, message, plan):
    with pytest.warns(UserWarning, match=message) as caught:
        assert plan_lengths(*arguments) == LengthPlan(*plan)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((True, True, 5, 4, None), ValueError, "5 tokens cannot be padded to a multiple of 4"),
        ((True, True, 3, 4, None), ValueError, "pass max_length=4"),
        ((True, True, -1, None, None), ValueError, "max_length is -1: it must be at least 0"),
        ((True, True, None, 0, None), ValueError, "pad_to_multiple_of is 0: it must be at least 1"),
        ((True, True, "5", None, None), TypeError, "max_length is '5': it must be an integer"),
        ((True, True, 5.0, None, None), TypeError, r"max_length is 5\.0: it must be an integer"),
        ((True, True, True, None, None), TypeError, "max_length is True: it must be an integer"),
    ],
)
def test_conflicts(arguments, error, message):
    with pytest.raises(error, match=message):
        quiet_plan(*arguments)
