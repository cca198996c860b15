"""A bounded memory of pieces that have been encoded before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["MAX_CACHED_BYTES", "MAX_CACHED_LENGTH", "MAX_CACHED_PIECES", "PieceTable"]

T = TypeVar("T")

# Beyond these a piece is encoded anew each time: the table must not grow without end.
MAX_CACHED_PIECES = 2**16
MAX_CACHED_LENGTH = 64
MAX_CACHED_BYTES = 2**20  # of all pieces, each of which may be a token


class PieceTable(dict[str, T], Generic[T]):
    """A dictionary that computes the entry of a piece when it is first asked for.

    A few thousand words make up most of any text, so nearly every look-up finds its piece here.
    What the table holds never changes a result: it may be emptied at any time, and is when it is
    full.

    >>> table = PieceTable(len)
    >>> table["abc"], list(table)
    (3, ['abc'])
    """

    def __init__(self, encode: Callable[[str], T]) -> None:
        super().__init__()
        self._encode = encode
        self._n_bytes = 0

    def __missing__(self, piece: str) -> T:
        entry = self._encode(piece)
        if len(piece) <= MAX_CACHED_LENGTH:
            n_bytes = len(piece.encode("utf-8"))
            if len(self) >= MAX_CACHED_PIECES or self._n_bytes + n_bytes > MAX_CACHED_BYTES:
                self.clear()
                self._n_bytes = 0
            self._n_bytes += n_bytes
            self[piece] = entry
        return entry
