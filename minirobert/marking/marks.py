"""Marks in a text, and the parts into which they divide it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from . import html, terminal

__all__ = ["Mark", "Marked", "MarkedText", "Part"]


class Mark(NamedTuple):
    """What is marked: ``text[start:end]``.

    Attributes
    ----------
    start, end : int
    label : str
        Stands behind it.
    note : str
        Is told where the mouse is over it, in a notebook.
    colour : int
        Marks of one colour belong together.
    strength : float
        Of the colour: 0 is none, 1 is full.
    """

    start: int
    end: int
    label: str = ""
    note: str = ""
    colour: int = 0
    strength: float = 1.0


class Part(NamedTuple):
    """A part of a text: of one mark, or of none; or a number of characters that are left out."""

    text: str
    mark: Mark | None = None
    ends: bool = False  # whether the mark ends here
    left_out: int = 0


class MarkedText(NamedTuple):
    """A text with its marks, of which the first counts where some overlap.

    Attributes
    ----------
    text : str
    marks : sequence of Mark
    before : str
        Stands before the text, such as its score.
    """

    text: str
    marks: Sequence[Mark] = ()
    before: str = ""


@dataclass(frozen=True, repr=False)
class Marked:
    """Texts with marks: in a notebook it shows itself; printed, it has the terminal's colours.

    Parameters
    ----------
    texts : sequence of MarkedText

    >>> print(Marked([MarkedText("Anna is in Rome.", [Mark(0, 4, "PER"), Mark(11, 15, "LOC")])]))
    [Anna PER] is in [Rome LOC].
    """

    texts: Sequence[MarkedText]

    def _repr_html_(self) -> str:
        return html.marked_texts((one.before, parts(one)) for one in self.texts)

    def in_colours(self) -> str:
        """Give it with the codes of a terminal's colours."""
        return "\n".join(terminal.painted(one.before, parts(one)) for one in self.texts)

    def in_brackets(self) -> str:
        """Give it with brackets around what is marked."""
        return "\n".join(terminal.bracketed(one.before, parts(one)) for one in self.texts)

    def __str__(self) -> str:
        return self.in_colours() if terminal.has_colours() else self.in_brackets()

    __repr__ = __str__


#: Of a long text, so many characters around each mark are shown.
LONG, AROUND = 2000, 200


def parts(text: MarkedText) -> Iterator[Part]:
    """Divide a text into parts of a mark and of none; of a long one, little far from marks stays.

    >>> [part.text for part in parts(MarkedText("Anna is in Rome.", [Mark(0, 4), Mark(2, 7)]))]
    ['Anna', ' is', ' in Rome.']
    """
    owners: list[int] = [-1] * len(text.text)
    for number in reversed(range(len(text.marks))):
        start, end = text.marks[number][:2]
        owners[start:end] = [number] * (end - start)
    at = 0
    for number, run in groupby(owners):
        end = at + len(list(run))
        if number < 0:
            yield from _between(text.text, at, end)
        else:
            mark = text.marks[number]
            yield Part(text.text[at:end], mark, end == mark.end)
        at = end


def _between(text: str, start: int, end: int) -> Iterator[Part]:
    """Give what has no mark, or of much its beginning and its end, if these are beside marks."""
    before = AROUND if start > 0 else 0
    after = AROUND if end < len(text) else 0
    if len(text) <= LONG or end - start <= LONG // 2:
        yield Part(text[start:end])
        return
    before = before or (0 if after else LONG)
    yield Part(text[start : start + before])
    yield Part("", left_out=end - start - before - after)
    yield Part(text[end - after : end])
