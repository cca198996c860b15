"""Rules for options: what they allow, how they say it, and the form of every error."""

from fractions import Fraction

import numpy as np
import pytest

from minirobert.rules import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    POSITIVE,
    PROBABILITY,
    STRING,
    Rule,
    check,
    dictionary_of,
    either,
    integer,
    list_of,
    number,
    one_of,
    optional,
)

RULES = [
    (INTEGER, [-3, 0, np.int64(2), np.uint8(7)], [True, 1.0, "1", None, np.float32(1), np.True_]),
    (integer(2), [2, 99], [1, True, 2.5]),
    (integer(2, 4), [2, 4, np.int32(3)], [1, 5, "3"]),
    (NUMBER, [-1, 0.5, np.float32(2)], [True, Fraction(1, 3), float("nan"), float("inf"), "1"]),
    (number(0), [0, 1e300], [-1e-9, float("inf"), False]),
    (number(0, 1), [0, 1, 0.5], [1.1, -0.1, float("nan")]),
    (POSITIVE, [1e-9, 3], [0, -1, True]),
    (PROBABILITY, [0, 0.25, 1], [2, True]),
    (BOOLEAN, [True, False], [0, 1, None, "True"]),
    (STRING, ["", "a"], [b"a", None, 1]),
    (one_of("a", "b"), ["a"], ["c", None, ["a"], 1]),
    (one_of(None, "a"), [None, "a"], ["b", {}]),
    (optional(integer(0)), [None, 0], [-1, "None"]),
    (either(INTEGER, STRING), [1, "a"], [1.5, None]),
    (list_of(INTEGER, "integers"), [[], [1], (1, 2)], [[True], 1, "12", {1}]),
    (list_of(INTEGER, "integers", list), [[1]], [(1,)]),
    (dictionary_of(STRING, INTEGER, "names"), [{}, {"a": 1}], [{1: 1}, {"a": "1"}, [("a", 1)]]),
]


@pytest.mark.parametrize(("rule", "right", "wrong"), RULES, ids=[one[0].sentence for one in RULES])
def test_what_a_rule_allows(rule, right, wrong):
    for value in right:
        assert check("name", value, rule) is value
    for value in wrong:
        with pytest.raises(ValueError, match=r"^name is ") as made:
            check("name", value, rule)
        assert str(made.value) == f"name is {value!r}, but must be {rule.sentence}"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (integer(1), "an integer of at least 1"),
        (integer(1, 9), "an integer from 1 to 9"),
        (number(0, 1), "a number from 0 to 1"),
        (one_of(None, "a"), "one of None, 'a'"),
        (optional(integer(0)), "None or an integer of at least 0"),
        (either(INTEGER, list_of(INTEGER, "a list")), "an integer or a list"),
        (integer(1).but(", the size"), "an integer of at least 1, the size"),
    ],
)
def test_how_a_rule_says_it(rule, sentence):
    assert rule.sentence == sentence


def test_the_class_of_an_error_can_be_chosen():
    with pytest.raises(TypeError, match="name is 3, but must be a string"):
        check("name", 3, STRING, TypeError)


def test_a_value_that_is_too_long_for_a_sentence_is_cut():
    with pytest.raises(ValueError, match="name is ") as made:
        check("name", ["word"] * 1000, STRING)
    assert str(made.value).startswith("name is ['word', 'word', ")
    assert len(str(made.value)) < 300


def test_a_rule_is_only_asked_of_what_comes_first():
    assert either(INTEGER, Rule(lambda value: 1 / 0, "never asked")).allows(3)
