"""Offsets as ports count them: in other units, or with the white space of a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, product
from typing import NamedTuple

from ...tokenization.offsets import Offsets

__all__ = ["OurOffsets", "explained_offsets"]


class OurOffsets(NamedTuple):
    """The offsets of a row, in code points: as the tokenizer gives them, trimmed, and whole.

    `of` tells for each token which of the `texts` it stands in, and None for a special token.
    """

    given: Sequence[Offsets]
    trimmed: Sequence[Offsets]
    whole: Sequence[Offsets]
    of: Sequence[int | None]
    texts: Sequence[str]


#: How many units a character has.
UNITS: dict[str, Callable[[str], int]] = {
    "in code points": lambda character: 1,
    "in 16-bit units of UTF-16, as JavaScript, Java and C# do": lambda character: (
        1 + (character > "\uffff")
    ),
    "in bytes of UTF-8, as Rust does": lambda character: len(character.encode("utf-8")),
}
SPACES = {
    "without the white space at the ends of a token": "trimmed",
    "with the white space of a token": "whole",
}
ENDS: dict[str, Callable[[int, int], Offsets]] = {
    "up to but not including the end": lambda start, end: (start, end),
    "up to and including the end": lambda start, end: (start, end - 1),
    "as a start and a length": lambda start, end: (start, end - start),
}
#: What goes without saying.
_USUAL = (next(iter(UNITS)), next(iter(ENDS)))


def explained_offsets(ours: OurOffsets, port: Sequence[Offsets]) -> list[str]:
    """Find ways to count that give the port's offsets.

    >>> spans = [(0, 0), (0, 1), (1, 2), (0, 0)]
    >>> ours = OurOffsets(spans, spans, spans, [None, 0, 0, None], ["😀a"])
    >>> explained_offsets(ours, [(0, 0), (0, 2), (2, 3), (0, 0)])[0]
    'counts offsets in 16-bit units of UTF-16, as JavaScript, Java and C# do'
    """
    found: dict[str, None] = {}
    for (unit, measure), (space, which), (end, pair) in product(
        UNITS.items(), SPACES.items(), ENDS.items()
    ):
        spans: Sequence[Offsets] = getattr(ours, which)
        if _counted(spans, ours, measure, pair) == list(port):
            ways = [unit, *([] if spans == ours.given else [space]), end]
            found[", ".join(way for way in ways if way not in _USUAL)] = None
    return [f"counts offsets {ways}" for ways in found]


def _counted(
    spans: Sequence[Offsets],
    ours: OurOffsets,
    measure: Callable[[str], int],
    pair: Callable[[int, int], Offsets],
) -> list[Offsets]:
    """Count the same ranges in other units, from the beginning of their text."""
    before = [list(accumulate(map(measure, text), initial=0)) for text in ours.texts]
    return [
        (0, 0) if of is None else pair(before[of][start], before[of][end])
        for (start, end), of in zip(spans, ours.of, strict=True)
    ]
