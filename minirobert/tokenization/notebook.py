"""Tokens in a notebook: the rows of an encoding, and the path of a text to its tokens, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from ..marking.html import TEXT, aside, background, written
from ..sentences import cut, shown
from .units import units

if TYPE_CHECKING:
    from .explain import ExplainedPiece
    from .rows.encoding import Encoding

__all__ = ["pieces_html", "rows_html"]

#: No more than these are shown: tokens of a row, rows, pieces, and of a piece these.
TOKENS, ROWS, PIECES = 256, 8, 64
LETTERS, SYMBOLS, MERGES = 500, 256, 256
#: More merges than these are folded.
FOLDED = 16


#: Numbers below are put out of the flow: as a block they would be a line end in what is copied.
_BOX = (
    "display:inline-block;position:relative;vertical-align:top;margin:1px;padding:0 .2em 1em;"
    f"border-radius:.25em;text-align:center;{TEXT}"
)
_BELOW = "position:absolute;bottom:0;left:0;right:0;font-size:.65em"
#: How wide one of their digits is.
_DIGIT = 0.4


class Kind(Enum):
    """What a token is, and how it looks: special ones have a frame in place of a colour."""

    TEXT = ""
    SPECIAL = "opacity:.65;border:1px solid"
    PADDING = "opacity:.4;border:1px dotted"


def rows_html(rows: Sequence[Encoding], columns: Mapping[str, Any]) -> str:
    """Write the rows of an encoding: tokens in colours, with their ids below, and its columns."""
    shown_rows = "".join(map(_row, rows[:ROWS]))
    lines = "\n".join(f"{name}: {shown(column, most=300)}" for name, column in columns.items())
    table = f"<summary>{written(', '.join(columns))}</summary><pre>{written(lines)}</pre>"
    more = _more(len(rows) - ROWS, "row")
    return f"<div>{shown_rows}{more}<details>{table}</details></div>"


def _row(row: Encoding) -> str:
    marks = zip(row.special_tokens_mask, row.attention_mask, strict=True)
    kinds = [_kind(*mark) for mark in islice(marks, TOKENS)]
    start, boxes = 0, ""
    for kind, run in groupby(kinds):
        end = start + len(list(run))
        shown_end = start + 1 if kind is Kind.PADDING else end
        boxes += _boxes(row.tokens[start:shown_end], row.ids[start:shown_end], kind)
        if end - shown_end:
            boxes += aside(f" × {end - start:,} ")
        start = end
    more = _more(len(row) - TOKENS, "token")
    return f'<div dir="auto" style="line-height:1.4;margin:.4em 0">{boxes}{more}</div>'


def _kind(is_special: int, attend: int) -> Kind:
    if not is_special:
        return Kind.TEXT
    return Kind.SPECIAL if attend else Kind.PADDING


def _boxes(tokens: Sequence[str], ids: Sequence[int], kind: Kind) -> str:
    """Write tokens, so that neighbours have other colours."""
    return "".join(
        _box(text, tokens[start:end], ids[start:end], kind.value or background(number % 4))
        for number, (text, start, end) in enumerate(units(tokens))
    )


def _box(text: str, tokens: Sequence[str], ids: Sequence[int], look: str) -> str:
    """Write a text with its tokens where the mouse is over it, and their ids below."""
    numbers = " ".join(map(str, ids))
    style = f"{_BOX};min-width:{_DIGIT * len(numbers):.1f}em;{look}"
    ends_line = aside("↵") if text.endswith("\n") else ""
    # In bdi, frames of a text do not count where it is asked whether it begins at the right.
    words = written(text) if look.startswith("background") else f"<bdi>{written(text)}</bdi>"
    note = written(" ".join(tokens))
    below = aside(numbers, _BELOW)
    return f'<span style="{style}" title="{note}">{ends_line}{words}{below}</span>'


def _more(count: int, what: str) -> str:
    """Tell how many are left out."""
    if count <= 0:
        return ""
    return aside(f" … and {count:,} more {what}{'s' * (count > 1)}, not shown here")


def pieces_html(pieces: Sequence[ExplainedPiece]) -> str:
    """Write the pieces of a text as a table: each with its symbols, merges and tokens."""
    names = ("piece", "kind", "symbols", "merges: rank and pair", "tokens")
    headings = "".join(f'<th style="text-align:start">{name}</th>' for name in names)
    rows = "".join(map(_piece, pieces[:PIECES]))
    more = _more(len(pieces) - PIECES, "piece")
    return f"<div><table><tr>{headings}</tr>{rows}</table>{more}</div>"


def _piece(piece: ExplainedPiece) -> str:
    tokens = piece.tokens[:TOKENS]
    boxes = _boxes([one.token for one in tokens], [one.id for one in tokens], Kind.TEXT)
    text = written(cut(piece.text, LETTERS))
    cells = (
        f'<span dir="auto" style="{TEXT};{background(5)}">{text}</span>',
        written(piece.kind),
        " ".join(f"<bdi>{written(symbol)}</bdi>" for symbol in piece.symbols[:SYMBOLS])
        + _more(len(piece.symbols) - SYMBOLS, "symbol"),
        _merges(piece),
        boxes + _more(len(piece.tokens) - TOKENS, "token"),
    )
    style = "text-align:start;vertical-align:top;padding-inline-end:1em"
    return "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in cells) + "</tr>"


def _merges(piece: ExplainedPiece) -> str:
    """Write the merges, to be folded out where they are many."""
    lines = "<br>".join(
        f"{rank}: <bdi>{written(left)}</bdi> + <bdi>{written(right)}</bdi>"
        for _, left, right, rank in piece.merges[:MERGES]
    )
    lines += _more(len(piece.merges) - MERGES, "merge")
    if len(piece.merges) <= FOLDED:
        return lines
    return f"<details><summary>{len(piece.merges):,} merges</summary>{lines}</details>"
