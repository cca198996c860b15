"""Byte-pair encoding: from a piece of text to tokens, by merging pairs of symbols.

The algorithm is that of Sennrich et al. 2016, section 3.2 (arXiv:1508.07909), on the bytes of a
piece instead of its characters (Radford et al. 2019, section 2.2). Training has left a list of
merges, the most frequent first; the position of a merge in it is its *rank*. Encoding replays them:
of all adjacent pairs in the piece, the one with the lowest rank is merged first.

This is the definition. `fast_bpe` gives the same tokens sooner.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Merge", "Pair", "bpe", "merge_steps", "rank_merges"]

Pair = tuple[str, str]


def rank_merges(merges: Iterable[Pair]) -> dict[Pair, int]:
    """Rank merges by their order; where a merge is repeated, its last place counts.

    Parameters
    ----------
    merges : iterable of (str, str)
        The merges, in the order in which training found them.

    Returns
    -------
    dict
        From each pair to its rank.
    """
    return {pair: rank for rank, pair in enumerate(merges)}


def bpe(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """Merge the adjacent pair of the lowest rank, until no adjacent pair has a rank.

    Where a pair occurs several times, the first is merged, and then the search begins anew: the
    new symbol may form a pair of still lower rank with its neighbour.

    Parameters
    ----------
    symbols : sequence of str
        The piece, cut into single symbols. A string is such a sequence.
    ranks : mapping
        From pairs to ranks, as `rank_merges` makes it.

    Returns
    -------
    list of str
        The tokens. Joined, they are the symbols again.

    Examples
    --------
    >>> ranks = rank_merges([("l", "o"), ("lo", "w"), ("e", "r")])
    >>> bpe("lower", ranks)
    ['low', 'er']
    """
    symbols = list(symbols)
    for merge in merge_steps(symbols, ranks):
        merge.apply(symbols)
    return symbols


class Merge(NamedTuple):
    """One step of `bpe`.

    Attributes
    ----------
    position : int
        Where in the symbols, as they are before this step, the left one of the pair stands.
    left, right : str
        The pair.
    rank : int
        Its rank.
    """

    position: int
    left: str
    right: str
    rank: int

    def apply(self, symbols: list[str]) -> None:
        """Join the pair.

        Parameters
        ----------
        symbols : list of str
            The symbols before this step; changed to those after it.
        """
        symbols[self.position : self.position + 2] = [self.left + self.right]


def merge_steps(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> Iterator[Merge]:
    """Find the next merge, again and again, while whoever asks applies them to the symbols.

    Parameters
    ----------
    symbols : sequence of str
        The symbols as they are at each step.
    ranks : mapping
        From pairs to ranks.

    Yields
    ------
    Merge
        The next merge.

    Examples
    --------
    >>> symbols = list("low")
    >>> for merge in merge_steps(symbols, {("l", "o"): 0, ("lo", "w"): 1}):
    ...     merge.apply(symbols)
    ...     print(merge.rank, symbols)
    0 ['lo', 'w']
    1 ['low']
    """
    while len(symbols) > 1:
        rank, position = min(
            (ranks.get(pair, math.inf), position) for position, pair in enumerate(pairwise(symbols))
        )
        if rank == math.inf:
            break
        yield Merge(position, symbols[position], symbols[position + 1], int(rank))
