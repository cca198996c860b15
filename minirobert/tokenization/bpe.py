"""Byte-pair encoding: from a piece of text to tokens, by merging pairs of symbols.

The algorithm is that of Sennrich et al. 2016, section 3.2 (arXiv:1508.07909), on the bytes of a
piece instead of its characters (Radford et al. 2019, section 2.2). Training has left a list of
merges, the most frequent first; the position of a merge in it is its *rank*. Encoding replays them:
of all adjacent pairs in the piece, the one with the lowest rank is merged first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from .byte_alphabet import text_to_symbols

Pair = tuple[str, str]

# Beyond these a piece is encoded anew each time: the table of pieces must not grow without end.
MAX_CACHED_PIECES = 2**16
MAX_CACHED_LENGTH = 64


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
    """Merge adjacent symbols, lowest rank first, until no adjacent pair has a rank.

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
    while len(symbols) > 1:
        best = min(pairwise(symbols), key=lambda pair: ranks.get(pair, math.inf))
        if best not in ranks:
            break
        symbols = merge_pair(symbols, best)
    return symbols


def merge_pair(symbols: Sequence[str], pair: Pair) -> list[str]:
    """Join every occurrence of a pair, from left to right and without overlap.

    Parameters
    ----------
    symbols : sequence of str
        The symbols before the merge.
    pair : (str, str)
        The two symbols to join.

    Returns
    -------
    list of str
        The symbols after the merge.

    Examples
    --------
    >>> merge_pair("aaab", ("a", "a"))
    ['aa', 'a', 'b']
    """
    merged: list[str] = []
    position = 0
    while position < len(symbols):
        if tuple(symbols[position : position + 2]) == pair:
            merged.append(pair[0] + pair[1])
            position += 2
        else:
            merged.append(symbols[position])
            position += 1
    return merged


class EncodedPiece(NamedTuple):
    """The tokens of one piece, as strings in the byte alphabet and as ids."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...]


class PieceTable(dict[str, EncodedPiece]):
    """A dictionary from pieces to their tokens, which encodes a piece when it first meets it.

    A few thousand words make up most of any text, so nearly every look-up finds its piece here.
    What the table holds never changes a result: it may be emptied at any time.

    Parameters
    ----------
    vocab : mapping of str to int
        The ids of the tokens.
    merges : iterable of (str, str)
        The merges, in order.
    unk_id : int
        The id of a token that the vocabulary lacks.

    Examples
    --------
    >>> table = PieceTable({"a": 0, "b": 1, "ab": 2, "<unk>": 3}, [("a", "b")], unk_id=3)
    >>> table["abc"]
    EncodedPiece(tokens=('ab', 'c'), ids=(2, 3))
    """

    def __init__(self, vocab: Mapping[str, int], merges: Iterable[Pair], unk_id: int) -> None:
        super().__init__()
        self.vocab = vocab
        self.ranks = rank_merges(merges)
        self.unk_id = unk_id

    def __missing__(self, piece: str) -> EncodedPiece:
        tokens = bpe(text_to_symbols(piece), self.ranks)
        encoded = EncodedPiece(
            tuple(tokens), tuple(self.vocab.get(token, self.unk_id) for token in tokens)
        )
        if len(piece) <= MAX_CACHED_LENGTH:
            if len(self) >= MAX_CACHED_PIECES:
                self.clear()
            self[piece] = encoded
        return encoded
