"""Cutting a piece where no merge ever goes across, so that what lies between is merged alone.

A merge joins a token that ends with one byte to a token that begins with the next one. Where no
merge of the vocabulary has these two bytes at its border, there is none: not now, and not after
other merges. A vocabulary that was learned from English meets such a border between nearly all
characters of Chinese or Japanese, whose words can hardly be remembered, as they are written without
spaces. But the stretches between the borders come back again and again.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ..bpe import Pair
from ..byte_alphabet import BYTE_TO_CHAR, CHAR_TO_BYTE

__all__ = ["Stretches"]


class Stretches:
    """Cuts pieces for the merges of a vocabulary.

    >>> Stretches([("Ã", "©"), ("Ã©", "e")]).of("éeé")
    ['Ã©e', 'Ã©']
    """

    def __init__(self, merges: Iterable[Pair]) -> None:
        # For each byte how to write each one behind it: with a space between where there is a
        # border, for the byte alphabet has no space.
        alone = [f" {symbol}" for symbol in BYTE_TO_CHAR]
        self._behind = [alone.copy() for _ in BYTE_TO_CHAR]
        for left, right in {(left[-1:], right[:1]) for left, right in merges}:
            if left in CHAR_TO_BYTE and right in CHAR_TO_BYTE:
                self._behind[CHAR_TO_BYTE[left]][CHAR_TO_BYTE[right]] = right

    def of(self, piece: str) -> list[str]:
        """Cut a piece that is not empty, and write its bytes in the byte alphabet."""
        data, behind = piece.encode("utf-8"), self._behind
        written = [behind[left][right] for left, right in pairwise(data)]
        return (BYTE_TO_CHAR[data[0]] + "".join(written)).split(" ")
