"""A text that has been changed, each of whose characters knows which of the text as given it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .offsets import Offsets

__all__ = ["Aligned"]


class Aligned(NamedTuple):
    """Characters, and for each the range of characters of the given text that it stands for.

    >>> Aligned.of("ab").changed([("x", 0), ("y", 1), ("b", 0)])
    Aligned(text='xyb', spans=[(0, 1), (0, 1), (1, 2)])
    """

    text: str
    spans: Sequence[Offsets]

    @classmethod
    def of(cls, text: str, start: int = 0) -> Aligned:
        """Begin with a text that is not changed yet."""
        return cls(text, [(at, at + 1) for at in range(start, start + len(text))])

    def part(self, start: int, end: int) -> Aligned:
        """Take some of the characters."""
        return Aligned(self.text[start:end], self.spans[start:end])

    def changed(self, changes: Iterable[tuple[str, int]]) -> Aligned:
        """Replace the characters one after the other.

        Each new one comes with a number: 0 if it replaces the next old one, 1 if it is inserted and
        belongs to the old one before it, -n if it takes n more old ones along, whose place is lost.
        """
        text, spans, position = [], [], 0
        for character, change in changes:
            if change > 0:
                spans.append(self.spans[position - 1] if position else (0, 0))
            else:
                spans.append(self.spans[position])
                position += 1 - change
            text.append(character)
        return Aligned("".join(text), spans)

    def replaced(self, ranges: Iterable[Offsets], content: str) -> Aligned:
        """Put other characters in place of ranges; they belong to the last character of theirs.

        >>> Aligned.of("abc").replaced([(0, 2), (2, 3)], "x")
        Aligned(text='xx', spans=[(1, 2), (2, 3)])
        """
        texts: list[str] = []
        spans: list[Offsets] = []
        position = 0
        for start, end in ranges:
            texts += self.text[position:start], content
            spans += self.spans[position:start]
            spans += [self.spans[end - 1] if end else (0, 0)] * len(content)
            position = end
        return Aligned("".join([*texts, self.text[position:]]), [*spans, *self.spans[position:]])

    def prefixed(self, content: str) -> Aligned:
        """Put characters before the first one, to which they belong."""
        if not self.text:
            return self
        return Aligned(content + self.text, [*[self.spans[0]] * len(content), *self.spans])
