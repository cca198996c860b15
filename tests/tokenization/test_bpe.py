from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import bpe as module
from minirobert.tokenization.bpe import EncodedPiece, PieceTable, bpe, merge_pair, rank_merges

symbols = st.text("abc", max_size=12)
ranks = st.lists(st.tuples(*[st.text("abc", min_size=1, max_size=3)] * 2), max_size=8).map(
    rank_merges
)


def test_lower_ranks_go_first():
    assert bpe("abc", rank_merges([("a", "b"), ("b", "c")])) == ["ab", "c"]
    assert bpe("abc", rank_merges([("b", "c"), ("a", "b")])) == ["a", "bc"]


def test_all_occurrences_of_a_pair_are_merged_before_the_next_pair():
    # One at a time, the second "ab" would lose its "b" to the better pair that the first has made.
    merges = rank_merges([("ab", "b"), ("a", "b"), ("b", "a")])
    assert bpe("abab", merges) == ["ab", "ab"]


def test_occurrences_are_merged_from_the_left():
    assert merge_pair("aaaaa", ("a", "a")) == ["aa", "aa", "a"]
    assert bpe("aaaaa", rank_merges([("a", "a"), ("aa", "aa")])) == ["aaaa", "a"]


def test_the_last_rank_of_a_repeated_merge_counts():
    assert bpe("abc", rank_merges([("a", "b"), ("b", "c"), ("a", "b")])) == ["a", "bc"]


@given(symbols, ranks)
def test_tokens_are_the_symbols_and_no_merge_is_left(symbols, ranks):
    tokens = bpe(symbols, ranks)
    assert "".join(tokens) == symbols
    assert not any(pair in ranks for pair in pairwise(tokens))


@pytest.fixture
def table():
    return PieceTable({"a": 0, "b": 1, "ab": 2, "Ġ": 3, "<unk>": 9}, [("a", "b")], unk_id=9)


def test_pieces_are_encoded_in_the_byte_alphabet(table):
    assert table[" abé"] == EncodedPiece(("Ġ", "ab", "Ã", "©"), (3, 2, 9, 9))


def test_each_unknown_symbol_is_one_unknown_token(table):
    assert table["zaz"].ids == (9, 0, 9)


def test_the_table_stays_bounded(table, monkeypatch):
    monkeypatch.setattr(module, "MAX_CACHED_PIECES", 3)
    monkeypatch.setattr(module, "MAX_CACHED_LENGTH", 4)
    for piece in ("a", "b", "ab", "aab", "aaaaa", "a"):
        assert "".join(table[piece].tokens) == piece
        assert len(table) <= 3
    assert "aaaaa" not in table
