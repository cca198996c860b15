"""Truncation: how many tokens of each sequence are kept, and which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TRUNCATION_STRATEGIES = ("longest_first", "only_first", "only_second", "do_not_truncate")


def truncation_strategy(truncation: Any) -> str:
    """Read the argument `truncation` of a tokenizer.

    Parameters
    ----------
    truncation : bool or str
        True stands for ``"longest_first"``, False for ``"do_not_truncate"``.

    Returns
    -------
    str
        The strategy.
    """
    if truncation is True:
        return "longest_first"
    if truncation is False:
        return "do_not_truncate"
    if truncation not in TRUNCATION_STRATEGIES:
        raise ValueError(
            f"truncation is {truncation!r}: it must be True, False or one of"
            f" {', '.join(map(repr, TRUNCATION_STRATEGIES))}"
        )
    return TRUNCATION_STRATEGIES[TRUNCATION_STRATEGIES.index(truncation)]  # plain, also for an enum


def kept_lengths(lengths: Sequence[int], budget: int, strategy: str) -> list[int]:
    """Tell how many tokens of each sequence fit into a budget.

    ``longest_first`` takes tokens off the longer sequence until both are equally long, then off
    both in turn. In closed form: the shorter one keeps at most half of the budget, rounded down,
    the longer one the rest. Of two equally long ones the first counts as the shorter.

    Parameters
    ----------
    lengths : sequence of int
        The lengths of one sequence, or of the two of a pair.
    budget : int
        How many tokens may be kept in all, special tokens not counted.
    strategy : str
        ``"longest_first"``, ``"only_first"`` or ``"only_second"``.

    Returns
    -------
    list of int
        The lengths to keep.

    Raises
    ------
    ValueError
        If the one sequence that may be shortened would have to lose all of its tokens.

    Examples
    --------
    >>> kept_lengths([4, 4], 5, "longest_first")
    [2, 3]
    >>> kept_lengths([9, 2], 6, "longest_first")
    [4, 2]
    >>> kept_lengths([9, 2], 6, "only_first")
    [4, 2]
    """
    if sum(lengths) <= budget:
        return list(lengths)
    if len(lengths) == 1:
        if strategy == "only_second":
            raise ValueError(
                f"truncation is 'only_second', but the text has no pair, and its {lengths[0]}"
                f" tokens do not fit into {budget}: use truncation='longest_first'"
            )
        return [budget]
    first, second = lengths
    if strategy == "only_first":
        return [_remaining(budget, second, strategy), second]
    if strategy == "only_second":
        return [first, _remaining(budget, first, strategy)]
    shorter = min(first, second, budget // 2)
    return [shorter, budget - shorter] if first <= second else [budget - shorter, shorter]


def _remaining(budget: int, taken: int, strategy: str) -> int:
    if taken >= budget:
        raise ValueError(
            f"truncation is {strategy!r}, but the other text alone has {taken} tokens, and {budget}"
            " fit besides the special tokens: pass a larger max_length, or"
            " truncation='longest_first'"
        )
    return budget - taken


def kept_slice(length: int, kept: int, side: str) -> slice:
    """Tell which tokens of a sequence are kept.

    Parameters
    ----------
    length : int
        How many there are.
    kept : int
        How many are kept.
    side : str
        The side on which the others are cut off.

    Returns
    -------
    slice
        The kept ones.
    """
    return slice(kept) if side == "right" else slice(length - kept, length)


def window_slices(length: int, kept: int, stride: int, side: str) -> list[slice]:
    """Cut a sequence that is too long into windows that overlap.

    Each window begins ``kept - stride`` tokens after the one before, and the last is the first that
    reaches the end. With the side ``"left"`` all is counted from the end.

    Parameters
    ----------
    length : int
        How many tokens there are.
    kept : int
        How many a window holds.
    stride : int
        How many tokens a window shares with the next.
    side : str
        The side on which the tokens lie that the first window leaves out.

    Returns
    -------
    list of slice
        The windows, the one that truncation keeps first.

    Raises
    ------
    ValueError
        If the windows would not move on.

    Examples
    --------
    >>> window_slices(10, kept=4, stride=2, side="right")
    [slice(0, 4, None), slice(2, 6, None), slice(4, 8, None), slice(6, 10, None)]
    >>> window_slices(5, kept=4, stride=2, side="left")
    [slice(1, 5, None), slice(0, 3, None)]
    """
    if kept >= length:
        return [slice(0, length)]
    if stride >= kept:
        raise ValueError(
            f"windows of {kept} tokens that share stride={stride} tokens with the next would never"
            f" reach the end of {length} tokens: pass a smaller stride or a larger max_length"
        )
    step = kept - stride
    starts = range(0, length - kept + step, step)  # up to the first that reaches the end
    windows = [slice(start, min(start + kept, length)) for start in starts]
    if side == "right":
        return windows
    return [slice(length - window.stop, length - window.start) for window in windows]


def truncated(
    sequences: Sequence[list[int]], removed: int, truncation: Any, stride: int, side: str
) -> tuple[list[list[int]], list[int]]:
    """Shorten one sequence, or two, by a number of elements.

    Parameters
    ----------
    sequences : sequence of list of int
        One sequence or two.
    removed : int
        How many elements to remove in all.
    truncation : bool or str
        As for `truncation_strategy`.
    stride : int
        How many of the kept elements are repeated with the removed ones.
    side : str
        The side on which elements are removed.

    Returns
    -------
    kept : list of list of int
        What is left of each sequence.
    overflowing : list of int
        What is removed, with `stride` kept elements; empty where both sequences lose some.
    """
    strategy = truncation_strategy(truncation)
    lengths = [len(sequence) for sequence in sequences]
    if not 0 <= removed <= sum(lengths):
        raise ValueError(
            f"num_tokens_to_remove is {removed}: it must be from 0 to {sum(lengths)}, the number of"
            " ids"
        )
    if removed == 0 or strategy == "do_not_truncate":
        return list(sequences), []
    counts = kept_lengths(lengths, sum(lengths) - removed, strategy)
    slices = [
        kept_slice(length, count, side) for length, count in zip(lengths, counts, strict=True)
    ]
    kept = [sequence[part] for sequence, part in zip(sequences, slices, strict=True)]
    shortened = [place for place, length in enumerate(lengths) if counts[place] < length]
    if len(shortened) > 1:
        return kept, []
    (place,) = shortened
    window = removed + stride
    sequence = sequences[place]
    return kept, sequence[-window:] if side == "right" else sequence[:window]
