"""Values in sentences: what fits is quoted as it is, and of all else as much as is readable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.sentences import LIMIT, cut, fitted, listed, plain, shown, type_name

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


class Mine(list):
    def __repr__(self):
        return "Mine"


@given(st.none() | st.booleans() | st.text(max_size=16) | st.binary(max_size=10) | st.floats())
def test_what_is_short_is_told_as_python_tells_it(value):
    for one in (value, [value], (value,), {"key": value}, {value}, frozenset([value])):
        assert shown(one, 1000) == plain(repr(one), 1000)


@given(plain_values, st.integers(20, 120))
def test_whatever_is_told_is_short_and_on_one_line(value, most):
    text = shown(value, most)
    assert len(text) <= most + 60
    assert text.isprintable()
    assert len(plain(value, most)) <= most
    assert plain(value, most).isprintable()


@given(st.text(), st.integers(1, 30))
def test_a_text_keeps_its_ends(text, most):
    told = cut(text, most)
    if len(text) <= most:
        assert told == text
    else:
        start, end = told[: most // 2], told[most // 2 + 1 :]
        assert told == f"{start}…{end}"
        assert len(told) == most
        assert text.startswith(start)
        assert text.endswith(end)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 101, f"'{'x' * 49}…{'x' * 49}' (101 characters)"),
        (b"x" * 101, f"b'{'x' * 49}…' (101 bytes)"),
        (list(range(7)), "[0, 1, 2, 3, 4, 5, …] (7 elements)"),
        ({i: i for i in range(7)}, "{0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, …} (7 elements)"),
        (set(), "set()"),
        ((1,), "(1,)"),
        ([[[[]]], [[[1]]]], "[[[[]]], [[[…]]]]"),
        (10**41, "an integer of about 42 digits"),
        (-(10**5000), "an integer of about 5,001 digits"),
        (np.zeros((2, 3)), "array([[0., 0., 0.], [0., 0., 0.]])"),
        (np.zeros((100, 3)), "an array (ndarray) of shape [100, 3]"),
        (Unprintable(), "a value of type Unprintable"),
        ([Unprintable()], "a value of type list"),
        (Mine(range(9)), "Mine (9 elements)"),
        (np.ndarray, "<class 'numpy.ndarray'>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values(value, text):
    assert shown(value) == text


def test_names_that_fit_are_listed_and_the_others_counted():
    assert listed([]) == ""
    assert listed(["a"], each=shown) == "'a'"
    assert listed(["a", "b"], between=" or ") == "a or b"
    assert listed("abc", room=4) == "a, b … and 1 more"
    assert listed(["x" * 300, "b"], room=9) == "xxxx…xxxx … and 1 more"
    assert listed(map(str, range(10**5)), room=10) == "0, 1, 2, 3 … and 99,996 more"
    assert listed([Unprintable()]) == "a value of type Unprintable"


def test_a_sentence_has_as_much_of_its_lists_as_fits():
    names = [f"name{i}" for i in range(99)]
    text = fitted("of ", names, " and ", names, ": a cure")
    assert LIMIT - 80 < len(text) <= LIMIT
    assert text.startswith("of name0, name1, ")
    assert text.endswith(" more: a cure")
    assert fitted("of ", ["a", "b"], between=" or ") == "of a or b"
    assert len(fitted("a" * 600, names)) == LIMIT


def test_the_name_of_a_type_is_cut():
    assert type_name(3) == "int"
    assert len(type_name(type("L" * 999, (), {})())) == 40


def test_a_huge_value_is_looked_at_no_further_than_it_is_shown():
    class Counted(list):
        looks = 0

        def __iter__(self):
            for one in super().__iter__():
                Counted.looks += 1
                yield one

    value = Counted(range(10**5))
    assert shown(value) == "[0, 1, 2, 3, 4, 5, …] (100,000 elements)"
    assert Counted.looks <= 7
