import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.rows.truncation import (
    kept_lengths,
    kept_slice,
    truncated,
)


def one_by_one(first, second, budget):
    """Shorten the longer one by a token at a time; of two equally long ones that once shorter."""
    first_is_shorter = first <= second
    while first + second > budget:
        if first > second or (first == second and first_is_shorter):
            first -= 1
        else:
            second -= 1
    return [first, second]


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60))
def test_longest_first_is_what_shortening_one_by_one_gives(first, second, budget):
    kept = kept_lengths([first, second], budget, "longest_first")
    assert kept == one_by_one(first, second, budget)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=2),
    st.integers(0, 60),
    st.sampled_from(["longest_first", "only_first", "only_second"]),
)
def test_the_budget_is_used_up(lengths, budget, strategy):
    try:
        kept = kept_lengths(lengths, budget, strategy)
    except ValueError:
        assert strategy != "longest_first"
    else:
        assert sum(kept) == min(sum(lengths), budget)
        assert all(new <= old for new, old in zip(kept, lengths, strict=True))


def test_only_one_sequence_is_shortened():
    assert kept_lengths([5, 3], 6, "only_first") == [3, 3]
    assert kept_lengths([5, 3], 6, "only_second") == [5, 1]


def test_a_sequence_is_not_cut_to_nothing_for_the_sake_of_the_other():
    with pytest.raises(ValueError, match="the other text alone has 5 tokens, and 5 fit"):
        kept_lengths([5, 3], 5, "only_second")
    with pytest.raises(ValueError, match="the other text alone has 3 tokens, and 2 fit"):
        kept_lengths([5, 3], 2, "only_first")


def test_only_second_needs_a_second():
    assert kept_lengths([5], 5, "only_second") == [5]
    with pytest.raises(ValueError, match="has no pair, and its 5 tokens do not fit into 4"):
        kept_lengths([5], 4, "only_second")


def test_sides():
    assert "abcde"[kept_slice(5, 2, "right")] == "ab"
    assert "abcde"[kept_slice(5, 2, "left")] == "de"
    assert "abcde"[kept_slice(5, 0, "left")] == ""


@pytest.mark.parametrize(
    ("side", "stride", "kept", "overflowing"),
    [
        ("right", 0, [5, 6, 7], [8, 9]),
        ("right", 1, [5, 6, 7], [7, 8, 9]),
        ("right", 9, [5, 6, 7], [5, 6, 7, 8, 9]),
        ("left", 0, [7, 8, 9], [5, 6]),
        ("left", 2, [7, 8, 9], [5, 6, 7, 8]),
        ("left", 9, [7, 8, 9], [5, 6, 7, 8, 9]),
    ],
)
def test_what_is_cut_off_comes_with_as_many_kept_ones_as_the_stride(
    side, stride, kept, overflowing
):
    ids, other = [5, 6, 7, 8, 9], [1, 2]
    assert truncated([ids], 2, True, stride, side) == ([kept], overflowing)
    pair = truncated([other, ids], 2, "only_second", stride, side)
    assert pair == ([other, kept], overflowing)


def test_nothing_is_told_of_what_both_lose():
    assert truncated([[1, 2], [3, 4]], 2, True, 1, "right") == ([[1], [3]], [])
