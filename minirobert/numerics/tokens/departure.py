"""A text whose ids part from the port's: where, in which piece, and at which step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from ...sentences import plain, shown
from ...tokenization import RobertaTokenizer
from ...tokenization.byte_alphabet import symbols_to_bytes
from ...tokenization.rows.encoding import Encoding
from .ranking import Explanation
from .steps import Call, Steps

__all__ = ["Departure", "PieceAt", "code_points"]

#: How many tokens are shown before the first that parts, and after it.
_BEFORE, _AFTER = 3, 4
#: The most explanations of a text that are printed.
_MOST_SHOWN = 8


class PieceAt(NamedTuple):
    """A piece of a text, its kind as `explain` names it, and where it is, in code points.

    `text` includes a space that was put before it, if there was one; `of` is ``"text"`` or
    ``"text_pair"``.
    """

    text: str
    kind: str
    start: int
    end: int
    of: str


class Shown(NamedTuple):
    """A place of both rows, with the ids there and what they stand for."""

    place: int
    our_id: int | None
    our_token: str | None
    port_id: int | None
    port_token: str | None


@dataclass(frozen=True)
class Departure:
    """A text, or a pair, whose ids, or offsets, are not the port's.

    Attributes
    ----------
    number : int
        Which of the texts it is, from 1 on.
    texts : tuple of str
        The text, or the two of a pair.
    ours, port : list of int
        The ids of the two.
    port_tokens : list of str, optional
        What the port calls its tokens; by default the vocabulary's names.
    explanations : tuple of Explanation
        The mistakes that give the port's ids, the likeliest first; none if none was found.
    offsets : tuple of str
        Where the ids agree and the offsets do not: what gives the port's, as far as is known.
    tokenizer, call : RobertaTokenizer and Call
        What our ids come from.
    steps : Steps, optional
        Those of the tokenizer; None where it has others than RoBERTa's own.
    """

    number: int
    texts: tuple[str, ...]
    ours: list[int]
    port: list[int]
    port_tokens: Sequence[str] | None
    explanations: tuple[Explanation, ...]
    offsets: tuple[str, ...]
    tokenizer: RobertaTokenizer
    call: Call
    steps: Steps | None

    @cached_property
    def place(self) -> int | None:
        """The first place, from 0 on, at which the ids part; None where only offsets do."""
        both = zip_longest(self.ours, self.port)
        return next((place for place, (mine, theirs) in enumerate(both) if mine != theirs), None)

    @cached_property
    def piece(self) -> PieceAt | None:
        """The piece of the text in which the ids part; None at a special token, or an end."""
        place, row = self.place, self._row
        if place is None or place >= len(self.ours) or self.steps is None:
            return None
        number, word = row.sequence_ids[place], row.word_ids[place]
        if number is None or word is None:
            return None
        pieces = self.steps.pieces(self.texts[number])
        text, start, end, is_added = next(islice(pieces, word, None))
        of = ("text", "text_pair")[number]
        return PieceAt(text, "added token" if is_added else self._kind(text), start, end, of)

    def _kind(self, piece: str) -> str:
        """Say what the pattern takes a piece for, which is the same where it stands alone."""
        return self.tokenizer.explain(piece, False, True).pieces[0].kind

    @cached_property
    def step(self) -> str:
        """The first step whose result the port's row cannot have come from: see `_parting_step`."""
        if self.place is None:
            return "offsets"
        return _parting_step(self._tokens(self.ours), self._tokens(self.port), self._row)

    @property
    def likely(self) -> list[Explanation]:
        """The explanations that would change no text that agrees; all, where there is none."""
        found = list(self.explanations)
        return [one for one in found if not one.would_change] or found

    @property
    def around(self) -> list[Shown]:
        """The places around the first at which the ids part."""
        place = self.place or 0
        names = self._names(self.ours), self.port_tokens or self._names(self.port)
        rows = list(zip_longest(self.ours, names[0], self.port, names[1]))
        first = max(place - _BEFORE, 0)
        return [Shown(at, *row) for at, row in enumerate(rows[: place + _AFTER]) if at >= first]

    @cached_property
    def _row(self) -> Encoding:
        return self.call.encode(self.tokenizer, self.texts)

    def _names(self, ids: list[int]) -> list[str]:
        names: list[str] = self.tokenizer.convert_ids_to_tokens(ids)
        return names

    def _tokens(self, ids: list[int]) -> list[bytes]:
        """Give the bytes of each token that does not frame a row."""
        framing = {self.tokenizer.cls_token_id, self.tokenizer.sep_token_id}
        framing.add(self.tokenizer.pad_token_id)
        named = zip(ids, self._names(ids), strict=True)
        return [symbols_to_bytes(name) for index, name in named if index not in framing]

    def to_dict(self) -> dict[str, Any]:
        """Give all of it in lists and dictionaries, as JSON has them."""
        piece = self.piece and self.piece._asdict()
        return {
            "number": self.number,
            "text": self.texts[0],
            **({"text_pair": self.texts[1]} if len(self.texts) > 1 else {}),
            "place": self.place,
            "piece": piece,
            "step": self.step,
            "ids": self.ours,
            "tokens": self._names(self.ours),
            "port_ids": self.port,
            "port_tokens": list(self.port_tokens or self._names(self.port)),
            "explanations": [str(one) for one in self.explanations] or list(self.offsets),
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for which, text in zip(("text", "pair"), self.texts, strict=False):
            number = f" {self.number:,}" if which == "text" else ""
            yield f"{which}{number}: {shown(text, most=200)}{code_points(text)}"
        yield f"  {self._where()}"
        yield from _table(self.around, self.place)
        likely = self.likely
        for explanation in likely[:_MOST_SHOWN]:
            yield f"  {explanation.sentence()}"
        if len(likely) > _MOST_SHOWN:
            yield f"  … and {len(likely) - _MOST_SHOWN} more explanations"
        for way in self.offsets:
            yield f"  offsets: the port {plain(way, 400)}"
        if not self.explanations and not self.offsets:
            yield f"  no mistake that is known here gives the port's row; first wrong: {self.step}"

    def _where(self) -> str:
        if self.place is None:
            return "the ids agree, but not the offsets"
        where = f"the ids part at place {self.place}"
        if self.place >= min(len(self.ours), len(self.port)):
            longer = "the port's" if len(self.port) > len(self.ours) else "this"
            return f"{where}, where {longer} row goes on"
        if self.piece is None:
            return f"{where}, a special token"
        text, kind, start, end, of = self.piece
        of = "" if of == "text" else " of the second text"
        return (
            f"{where}, in {shown(text, most=60)} ({kind}), characters {start} to {end}{of}"
            f"{code_points(text)}"
        )


def code_points(text: str, most: int = 6) -> str:
    r"""Name what cannot be seen, or told from others, in a text.

    >>> code_points("a\x85é b")
    ', with U+0085, U+00E9'
    """
    others = dict.fromkeys(c for c in text if not " " <= c <= "~")
    names = [f"U+{ord(character):04X}" for character in list(others)[:most]]
    more = ["…"] if len(others) > most else []
    return ", with " + ", ".join([*names, *more]) if names else ""


def _table(rows: Sequence[Shown], place: int | None) -> Iterator[str]:
    """Show both rows side by side."""
    cells = [
        (str(row.place), *(("", "") if i is None else (plain(token, 24), str(i))))
        + (("", "") if row.port_id is None else (plain(row.port_token, 24), str(row.port_id)))
        for row in rows
        for i, token in [(row.our_id, row.our_token)]
    ]
    cells = [("place", "here", "id", "port", "id"), *cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for at, (number, mine, my_id, theirs, their_id) in enumerate(cells):
        mark = ">" if at and rows[at - 1].place == place else " "
        yield (
            f"  {mark} {number:>{widths[0]}}  {mine:{widths[1]}} {my_id:>{widths[2]}}"
            f"   {theirs:{widths[3]}} {their_id:>{widths[4]}}"
        ).rstrip()


def _parting_step(ours: list[bytes], port: list[bytes], row: Encoding) -> str:
    """Say what is the first step that must have been another one.

    If all tokens but those of the frame are the same, that is the frame. If they spell other bytes,
    it is the text. A port's token that reaches across the border of two pieces tells of other
    pieces; one that does not, of other merges, or of more pieces.
    """
    if ours == port:
        return "special tokens"
    mine, theirs = b"".join(ours), b"".join(port)
    if mine != theirs:
        if theirs in (b" " + mine, mine[1:] if mine[:1] == b" " else mine):
            return "prefix space"
        both = enumerate(zip(mine, theirs, strict=False))
        place = next((at for at, (a, b) in both if a != b), min(len(mine), len(theirs)))
        return (
            f"text, or bytes: the port's tokens spell {_around(theirs, place)},"
            f" and those here {_around(mine, place)}"
        )
    crossing = _across(port, _borders(ours, row))
    if crossing is not None:
        return f"pieces: {_quoted(crossing)} reaches from one piece into the next"
    return "merges, or pieces: the bytes are the same, and so may the pieces be"


def _borders(tokens: list[bytes], row: Encoding) -> set[int]:
    """Give the places, in bytes, at which pieces end."""
    words = [(s, w) for s, w in zip(row.sequence_ids, row.word_ids, strict=True) if w is not None]
    ends, borders = 0, set()
    for number, token in enumerate(tokens):
        if number and words[number : number + 1] != words[number - 1 : number]:
            borders.add(ends)
        ends += len(token)
    return borders


def _across(tokens: list[bytes], borders: set[int]) -> bytes | None:
    """Find a token that has a border inside."""
    start = 0
    for token in tokens:
        if not borders.isdisjoint(range(start + 1, start + len(token))):
            return token
        start += len(token)
    return None


def _around(octets: bytes, place: int) -> str:
    return _quoted(octets[max(place - 12, 0) : place + 12])


def _quoted(octets: bytes) -> str:
    return shown(octets.decode("utf-8", "replace"), most=40)
