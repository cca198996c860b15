from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.byte_alphabet import text_to_symbols
from minirobert.tokenization.offsets import Token, token_spans, trimmed_offsets


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


def test_spaces_are_trimmed_and_other_white_space_is_not():
    tokens = [
        Token(0, "Hello", 0, 5),
        Token(1, "Ġ", 5, 6),
        Token(2, "Ġworld", 6, 12),
        Token(3, "ĊĊ", 12, 14),
        Token(4, " \n<mask>", 14, 22),
    ]
    assert trimmed_offsets(tokens, False) == [(0, 5), (6, 6), (7, 12), (12, 14), (16, 22)]


@pytest.mark.parametrize(
    ("token", "offsets"),
    [
        (Token(0, "Ġa", 0, 1), (0, 1)),
        (Token(0, "Ġ", 0, 1), (0, 0)),
        (Token(0, "ĠĠa", 3, 6), (5, 6)),
    ],
)
def test_the_first_space_may_be_one_that_was_put_in(token, offsets):
    assert trimmed_offsets([token], True) == [offsets]
