"""Truncation: how many tokens of each sequence are kept, and which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TRUNCATION_STRATEGIES = ("longest_first", "only_first", "only_second", "do_not_truncate")
SIDES = ("right", "left")


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
    return str(truncation)


def check_side(name: str, side: Any) -> str:
    """Check a side to pad or to truncate on.

    Parameters
    ----------
    name : str
        The argument, for the error.
    side : str
        Its value.

    Returns
    -------
    str
        The side.
    """
    if side not in SIDES:
        raise ValueError(f"{name} is {side!r}: it must be 'right' or 'left'")
    return str(side)


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
