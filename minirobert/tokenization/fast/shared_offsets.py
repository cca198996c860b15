"""Offsets that texts have in common, made once.

The offsets ``(0, 5)`` or ``(12, 17)`` occur in nearly every text. A tuple of two integers takes
over a hundred bytes: to make it anew takes longer than to look it up, and to keep it takes ten
times the memory, through which the garbage collector has to walk again and again. Nothing changes a
tuple, so texts can share it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..offsets import Offsets

__all__ = ["MAX_END", "STEP", "OffsetTable", "span_keys"]

MAX_END = 2**12  # the places in a text for which offsets are kept
MAX_DIFFERENT_OFFSETS = 2**16

# What a key grows by if offsets move by one character: the numbers below it are their lengths.
STEP = MAX_END + 1


def span_keys(spans: Iterable[Offsets]) -> tuple[int, ...]:
    """Write each span as one number, which can be moved by adding and is looked up at once.

    >>> OffsetTable()[span_keys([(2, 5)])[0] + 10 * STEP]
    (12, 15)
    """
    return tuple([start * STEP + end - start for start, end in spans])


class OffsetTable(dict[int, Offsets]):
    """Gives the offsets of a key, which are the same tuple each time."""

    def __missing__(self, key: int) -> Offsets:
        if len(self) >= MAX_DIFFERENT_OFFSETS:
            self.clear()
        start, length = divmod(key, STEP)
        self[key] = offsets = start, start + length
        return offsets
