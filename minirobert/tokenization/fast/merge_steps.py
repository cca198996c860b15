"""The merges of long pieces, each with its place, in O(n log n)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..bpe import Merge, Pair
from .bpe import fast_bpe

__all__ = ["fast_merge_steps"]


def fast_merge_steps(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[Merge]:
    """Give the merges that `bpe.merge_steps` finds in symbols of one character each.

    >>> fast_merge_steps("lower", {("e", "r"): 0, ("l", "o"): 1})[1]
    Merge(position=0, left='l', right='o', rank=1)
    """
    tokens, standing = list(symbols), _Standing(len(symbols))
    joined: list[int] = []
    fast_bpe(symbols, ranks, joined)
    steps = []
    for first in joined:
        left = tokens[first]
        second = first + len(left)
        right = tokens[second]
        steps.append(Merge(standing.before(first), left, right, ranks[left, right]))
        tokens[first] = left + right
        standing.remove(second)
    return steps


class _Standing:
    """How many of n things stand before one, while they are taken away: a Fenwick tree.

    Entry i has the count of the last ``i & -i`` things before i (Fenwick 1994, Software: Practice
    and Experience 24).
    """

    def __init__(self, n: int) -> None:
        self._counts = [i & -i for i in range(n + 1)]

    def before(self, thing: int) -> int:
        total = 0
        while thing:
            total += self._counts[thing]
            thing -= thing & -thing
        return total

    def remove(self, thing: int) -> None:
        entry = thing + 1
        while entry < len(self._counts):
            self._counts[entry] -= 1
            entry += entry & -entry
