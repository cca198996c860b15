"""The definition of byte-pair encoding, and the fast version of it."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import BPE

from minirobert.tokenization.bpe import bpe, merge_steps, rank_merges
from minirobert.tokenization.fast.bpe import fast_bpe
from minirobert.tokenization.fast.merge_steps import fast_merge_steps


def bpe_with_a_heap(symbols, ranks):
    """Merge few symbols in the way that is taken for many."""
    return fast_bpe(symbols, ranks, joined=[])


every = pytest.mark.parametrize("bpe", [bpe, fast_bpe, bpe_with_a_heap])

symbols = st.text("abc", max_size=12)
ranks = st.lists(st.tuples(*[st.text("abc", min_size=1, max_size=3)] * 2), max_size=8).map(
    rank_merges
)


@every
def test_lower_ranks_go_first(bpe):
    assert bpe("abc", rank_merges([("a", "b"), ("b", "c")])) == ["ab", "c"]
    assert bpe("abc", rank_merges([("b", "c"), ("a", "b")])) == ["a", "bc"]


@every
def test_a_better_pair_that_a_merge_makes_comes_next(bpe):
    # If all occurrences of ("a", "b") were merged first, there would be no ("ab", "a") any more.
    assert bpe("abab", rank_merges([("ab", "a"), ("a", "b")])) == ["aba", "b"]


@every
def test_occurrences_are_merged_from_the_left(bpe):
    assert bpe("aaaaa", rank_merges([("a", "a"), ("aa", "aa")])) == ["aaaa", "a"]


@every
def test_the_last_rank_of_a_repeated_merge_counts(bpe):
    assert bpe("abc", rank_merges([("a", "b"), ("b", "c"), ("a", "b")])) == ["a", "bc"]


@given(symbols, ranks)
def test_tokens_are_the_symbols_and_no_merge_is_left(symbols, ranks):
    tokens = bpe(symbols, ranks)
    assert "".join(tokens) == symbols
    assert not any(pair in ranks for pair in pairwise(tokens))


@st.composite
def vocabularies(draw):
    """Draw merges in any order: a merge may come before those that make its parts."""
    tokens, merges = list("abc"), []
    for _ in range(draw(st.integers(0, 10))):
        pair = draw(st.tuples(st.sampled_from(tokens), st.sampled_from(tokens)))
        if pair not in merges:
            merges.append(pair)
            tokens += {"".join(pair)} - set(tokens)
    return tokens, draw(st.permutations(merges))


@every
@given(vocabulary=vocabularies(), texts=st.lists(st.text("abc", max_size=30), min_size=5))
def test_tokens_are_those_of_the_rust_tokenizers(bpe, vocabulary, texts):
    tokens, merges = vocabulary
    theirs = Tokenizer(BPE({token: index for index, token in enumerate(tokens)}, merges))
    for text in texts:
        assert bpe(text, rank_merges(merges)) == theirs.encode(text).tokens


@pytest.mark.parametrize("fast_bpe", [fast_bpe, bpe_with_a_heap])
@given(symbols=st.text("abc", max_size=60), ranks=ranks)
def test_the_fast_version_gives_the_same(fast_bpe, symbols, ranks):
    assert fast_bpe(symbols, ranks) == bpe(symbols, ranks)


@given(symbols=st.text("abc", max_size=60), ranks=ranks)
def test_the_fast_version_takes_the_same_steps(symbols, ranks):
    left = list(symbols)
    steps = []
    for step in merge_steps(left, ranks):
        step.apply(left)
        steps.append(step)
    assert fast_merge_steps(symbols, ranks) == steps


def test_the_fast_version_gives_the_same_for_long_pieces():
    rng = random.Random(0)
    ranks = rank_merges(
        dict.fromkeys(
            ("".join(rng.choices("ab", k=left)), "".join(rng.choices("ab", k=right)))
            for left in range(1, 6)
            for right in range(1, 6)
            for _ in range(3)
        )
    )
    for symbols in ("a" * 1001, "ab" * 500, "".join(rng.choices("ab", k=1000))):
        assert fast_bpe(symbols, ranks) == bpe(symbols, ranks)
