from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.byte_alphabet import text_to_symbols
from minirobert.tokenization.offsets import shifted, token_spans, trimmed


def test_the_tokens_of_one_character_all_cover_it():
    assert list(token_spans("a😀b", ["a", "ðŁĺ", "Ģ", "b"])) == [(0, 1), (1, 2), (1, 2), (2, 3)]


@given(st.text(min_size=1, max_size=8), st.data())
def test_spans_follow_one_another(piece, data):
    symbols = text_to_symbols(piece)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(symbols)), max_size=5)) | {len(symbols)})
    tokens = [symbols[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    spans = list(token_spans(piece, tokens))
    assert (spans[0][0], spans[-1][1]) == (0, len(piece))
    for token, (start, end) in zip(tokens, spans, strict=True):
        assert text_to_symbols(piece[start:end]).find(token) >= 0
    for (_, end), (start, _) in pairwise(spans):
        assert end - 1 <= start <= end


@pytest.mark.parametrize(
    ("token", "span", "expected"),
    [
        ("Hello", (0, 5), (0, 5)),
        ("Ġ", (5, 6), (6, 6)),
        ("Ġworld", (6, 12), (7, 12)),
        ("ĠĠa", (3, 6), (5, 6)),
        ("ĊĊ", (12, 14), (12, 14)),
        (" \n<mask>", (14, 22), (16, 22)),
        ("<x> ", (3, 7), (3, 6)),
    ],
)
def test_spaces_are_trimmed_and_other_white_space_is_not(token, span, expected):
    assert trimmed(token, span) == expected


@pytest.mark.parametrize(
    ("token", "span", "expected"),
    [("Ġa", (0, 1), (0, 1)), ("Ġ", (0, 1), (0, 0)), ("ĠĠa", (3, 6), (5, 6))],
)
def test_a_single_space_may_be_one_that_was_put_in(token, span, expected):
    assert trimmed(token, span, keep_single_space=True) == expected


def test_shifted():
    assert shifted([(0, 2), (2, 2)], 5) == ((5, 7), (7, 7))
