"""Byte-pair encoding in O(n log n), where the definition in `bpe` takes O(n²).

Two things make the difference. A merge changes only the pairs on both sides of it, so only these
are looked up again; a linked list finds the neighbours. And the positions at which a pair of some
rank stands are collected rank by rank: there is a heap of ranks, and one of the positions of each.

A word is too short for the second: searching its few ranks takes less time than keeping a heap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise, repeat

from ..bpe import Pair

__all__ = ["FEW", "fast_bpe"]

FEW = 40  # up to this many ranks, searching them is faster than keeping a heap
NO_RANK = math.inf


def fast_bpe(
    symbols: Sequence[str], ranks: Mapping[Pair, int], joined: list[int] | None = None
) -> list[str]:
    """Give what `bpe.bpe` gives. No two pairs may share a rank.

    To a list `joined`, each merge adds the number of the symbol with which its pair begins.

    >>> fast_bpe("lower", {("l", "o"): 0, ("lo", "w"): 1, ("e", "r"): 2})
    ['low', 'er']
    """
    if joined is None and len(symbols) <= FEW:
        return _bpe_of_few(symbols, ranks)
    tokens = list(symbols)  # a token stands where its first symbol stood; the others become ""
    n = len(tokens)
    following = list(range(1, n + 1))  # for each token the position of the next one, at last n
    preceding = list(range(-1, n - 1))
    waiting: dict[int, list[int]] = {}  # for each rank the positions of the pairs that have it
    for position, rank in enumerate(map(ranks.get, pairwise(tokens))):
        if rank is not None:
            waiting.setdefault(rank, []).append(position)  # in order, which makes it a heap
    queue = list(waiting)
    heapify(queue)

    def enqueue(left: int, right: int) -> None:
        rank = ranks.get((tokens[left], tokens[right]))
        if rank is None:
            return
        if rank not in waiting:
            waiting[rank] = []
            heappush(queue, rank)
        heappush(waiting[rank], left)

    while queue:
        rank = queue[0]
        left = heappop(waiting[rank])
        if not waiting[rank]:
            del waiting[heappop(queue)]
        right = following[left]
        # The pair that was here may have lost one of its two tokens to another merge.
        if right == n or ranks.get((tokens[left], tokens[right])) != rank:
            continue
        if joined is not None:
            joined.append(left)
        tokens[left] += tokens[right]
        tokens[right] = ""
        following[left] = after = following[right]
        before = preceding[left]
        if after < n:
            preceding[after] = left
            enqueue(left, after)
        if before >= 0:
            enqueue(before, left)
    return [token for token in tokens if token]


def _bpe_of_few(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    tokens, rank_of = list(symbols), ranks.get
    found = [*map(rank_of, pairwise(tokens), repeat(NO_RANK))]  # for each pair its rank
    while found:
        rank = min(found)
        if rank == NO_RANK:
            break
        left = found.index(rank)
        tokens[left] += tokens.pop(left + 1)
        del found[left]
        if left < len(found):
            found[left] = rank_of((tokens[left], tokens[left + 1]), NO_RANK)
        if left:
            found[left - 1] = rank_of((tokens[left - 1], tokens[left]), NO_RANK)
    return tokens
