"""Truncation: how many tokens of each sequence are kept, and which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...rules import check, integer
from .options import truncation_strategy

__all__ = ["kept_lengths", "kept_slice", "truncated", "window_slices"]


def kept_lengths(lengths: Sequence[int], budget: int, strategy: str) -> list[int]:
    """Tell how many tokens of one sequence, or of each of two, fit into a budget.

    ``longest_first`` takes tokens off the longer sequence until both are equally long, then off
    both in turn. In closed form: the shorter one keeps at most half of the budget, rounded down,
    the longer one the rest. Of two equally long ones the first counts as the shorter.

    >>> kept_lengths([4, 4], 5, "longest_first")
    [2, 3]
    >>> kept_lengths([9, 2], 6, "longest_first"), kept_lengths([9, 2], 6, "only_first")
    ([4, 2], [4, 2])
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
    if taken >= budget and taken:  # there is room for none of either, if both are 0
        raise ValueError(
            f"truncation is {strategy!r}, but the other text alone has {taken} tokens, and {budget}"
            " fit besides the special tokens: pass a larger max_length, or"
            " truncation='longest_first'"
        )
    return budget - taken


def kept_slice(length: int, kept: int, side: str) -> slice:
    """Tell which tokens are kept where the others are cut off on a side."""
    return slice(kept) if side == "right" else slice(length - kept, length)


def window_slices(length: int, kept: int, stride: int, side: str) -> list[slice]:
    """Cut a sequence that is too long into windows that share `stride` tokens with the next.

    Each window begins ``kept - stride`` tokens after the one before, and the last is the first that
    reaches the end. With the side ``"left"`` all is counted from the end. The window that
    truncation keeps comes first.

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
    """Shorten one sequence, or two, by a number of elements, and give also what is removed.

    That comes with `stride` of the elements that are kept, and is empty where both sequences lose
    some.
    """
    strategy = truncation_strategy(truncation)
    lengths = [len(sequence) for sequence in sequences]
    stride = int(check("stride", stride, integer(0)))
    limit = integer(0, sum(lengths)).but(", the number of ids")
    removed = int(check("num_tokens_to_remove", removed, limit))
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
