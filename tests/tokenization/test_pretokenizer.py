import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.pretokenizer import WHITE_SPACE, split_pieces, with_prefix_space


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello  world", ["Hello", " ", " world"]),
        ("end   ", ["end", "   "]),
        ("\n\n x", ["\n\n", " x"]),
        ("a\tx", ["a", "\t", "x"]),
        ("a\xa0x", ["a", "\xa0", "x"]),
        ("don't DON'T", ["don", "'t", " DON", "'", "T"]),
        ("we'll've", ["we", "'ll", "'ve"]),
        ("it’s it'S", ["it", "’", "s", " it", "'", "S"]),
        ("e\u0301", ["e", "\u0301"]),
        ("x2 ½²", ["x", "2", " ½²"]),
        ("(a, b)", ["(", "a", ",", " b", ")"]),
        ("\x1c\x1d", ["\x1c\x1d"]),
        ("", []),
    ],
)
def test_pieces(text, pieces):
    assert split_pieces(text) == pieces


@given(st.text())
def test_the_pieces_are_the_text(text):
    pieces = split_pieces(text)
    assert "".join(pieces) == text
    assert all(pieces)


def test_white_space_is_that_of_the_pattern():
    everything = "".join(map(chr, range(0x110000)))
    assert set(regex.findall(r"\s", everything)) == WHITE_SPACE


def test_only_a_plain_space_is_a_prefix():
    assert [with_prefix_space(text) for text in ("a", " a", "\ta", "\xa0a")] == [
        " a",
        " a",
        " \ta",
        " \xa0a",
    ]
