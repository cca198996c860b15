import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.rows.inputs import check_text, read_texts, read_words


@pytest.mark.parametrize(
    ("arguments", "rows", "is_single"),
    [
        (("a",), [("a",)], True),
        (("a", "b"), [("a", "b")], True),
        (("a", ""), [("a", "")], True),
        ((["a", "b"],), [("a",), ("b",)], False),
        ((("a", "b"),), [("a",), ("b",)], False),
        ((["a"], ["b"]), [("a", "b")], False),
        (([["a", "b"], ("c", "d")],), [("a", "b"), ("c", "d")], False),
        (([],), [], False),
        (([], []), [], False),
    ],
)
def test_kinds(arguments, rows, is_single):
    assert read_texts(*arguments) == (rows, is_single)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None,), TypeError, "text is None: it must be a str, a list of str, or a list of pairs"),
        ((5,), TypeError, "text is of type int"),
        ((b"a",), TypeError, "text is of type bytes"),
        ((np.array(["a"]),), TypeError, r"ndarray: it must .* list of str, as text.tolist\(\) is"),
        ((["a", float("nan")],), TypeError, r"text\[1\] is nan: it must be a str"),
        (
            ([5, 6],),
            TypeError,
            r"text\[0\] is of type int: it must be a str; ids go to prepare_for_model, or",
        ),
        ((["a", None],), TypeError, r"text\[1\] is None: it must be a str"),
        ((["a", ["b", "c"]],), TypeError, r"text\[1\] is of type list"),
        (([["a", "b"], ["c"]],), ValueError, r"text\[1\] has 1 elements: a pair has two texts"),
        (([["a", 5]],), TypeError, r"text\[0\]\[1\] is of type int"),
        (("a", ["b"]), TypeError, "text_pair is of type list: it must be a str"),
        ((["a"], "b"), TypeError, "text is a batch, but text_pair is of type str"),
        ((["a"], ["b", "c"]), ValueError, "text has 1 texts, but text_pair has 2"),
        ((["a"], [None]), TypeError, r"text_pair\[0\] is None"),
        (
            (["a", "b\ud800"],),
            ValueError,
            r"text\[1\] has a lone surrogate, U\+D800, at position 1",
        ),
        (("a", "\udfff"), ValueError, r"text_pair has a lone surrogate, U\+DFFF, at position 0"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        read_texts(*arguments)


def test_words_and_lists_of_words_are_not_mixed():
    with pytest.raises(TypeError) as caught:
        read_words([["a"], "b"])
    assert str(caught.value) == "text[0] is of type list: it must be a str"
    with pytest.raises(TypeError) as caught:
        read_words(["b", ["a"]])
    assert str(caught.value) == "text[1] is of type list: it must be a str"
    with pytest.raises(TypeError, match=r"^row 1, text 0\[0\] is None: it must be a str"):
        read_words([["a"], [None]])


@given(st.text(st.characters(categories=["Cs", "Lu"]), min_size=1))
def test_the_cure_for_surrogates_works(text):
    cured = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    check_text(cured, "text")
