"""Offsets that texts have in common, made once.

The offsets ``(0, 5)`` or ``(12, 17)`` occur in nearly every text. A tuple of two integers takes
over a hundred bytes: to make it anew takes about as long as all else that is done for a token, and
to keep it takes ten times the memory. Nothing changes a tuple, so texts can share it.
"""

from __future__ import annotations

from ..offsets import Offsets, shifted

__all__ = ["MAX_START", "OffsetsFrom", "PieceSpans", "SpanTable"]

# Beyond these, offsets are made anew each time: the tables must not grow without end.
MAX_START = 2**11  # the places in a text for which offsets are kept
MAX_SPANS = 2**6  # the spans that are kept for each
MAX_TOKENS = 4  # the tokens of a piece whose spans are kept: of those with more, few are alike
MAX_DIFFERENT_SPANS = 2**12


class PieceSpans:
    """The offsets of the tokens of a piece into it, as a key that is compared by what it is.

    The tuples themselves would have to be hashed at each look-up.
    """

    __slots__ = ("spans",)

    def __init__(self, spans: tuple[Offsets, ...]) -> None:
        self.spans = spans


class SpanTable(dict[tuple[Offsets, ...], PieceSpans]):
    """Gives equal spans the same `PieceSpans`."""

    def __missing__(self, spans: tuple[Offsets, ...]) -> PieceSpans:
        if len(self) >= MAX_DIFFERENT_SPANS:
            self.clear()
        self[spans] = entry = PieceSpans(spans)
        return entry


class OffsetsFrom(dict[PieceSpans, tuple[Offsets, ...]]):
    """For the spans of pieces that begin at one place in a text, the offsets into the text."""

    __slots__ = ("start",)

    def __init__(self, start: int) -> None:
        self.start = start

    def __missing__(self, entry: PieceSpans) -> tuple[Offsets, ...]:
        offsets = shifted(entry.spans, self.start)
        if len(offsets) <= MAX_TOKENS:
            if len(self) >= MAX_SPANS:
                self.clear()
            self[entry] = offsets
        return offsets
