"""A comparison as a table of HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from ..steps import formulas
from .advice import advice
from .text import exactly, number, place

if TYPE_CHECKING:
    from ...intermediates import Intermediate
    from ..comparison import Comparison
    from ..rows import Row

__all__ = ["html"]

#: Readable on white and on black.
_COLOURS = {"departs": "#e05252", "rounding": "inherit", "exact": "#3d9970", "inherits": "#c98a1b"}
_HEADINGS = (
    *("tensor", "shape", "verdict", "error / budget", "worst at", "yours", "here", "budget"),
    *("max error", "mean error", "ulp", "cosine", "explanation"),
)


def html(comparison: Comparison) -> str:
    """Give the table of a comparison, without scripts.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str

    >>> from minirobert.numerics import Arithmetic, Comparison
    >>> html(Comparison((), Arithmetic(), "RobertaModel", 2))[:20]
    '<div><p><b>RobertaMo'
    """
    table = formulas(comparison.config, comparison.architecture)
    departing = [_row(comparison, row, table) for row in comparison.departing]
    others = [_row(comparison, row, table) for row in comparison.compared if not row.departs]
    title = (
        f"{comparison.architecture}, {comparison.arithmetic}: {comparison.verdict}; "
        f"{len(comparison.compared)} of {len(comparison.rows)} tensors compared"
    )
    parts = [f"<p><b>{escape(title)}</b><br>{escape(advice(comparison))}</p>"]
    if departing:
        parts.append(_table(departing))
    if others:
        parts.append(
            f"<details><summary>{len(others)} tensors that agree</summary>{_table(others)}"
            "</details>"
        )
    parts += [f"<p>{escape(note)}</p>" for note in _notes(comparison)]
    return f"<div>{''.join(parts)}</div>"


def _notes(comparison: Comparison) -> Iterator[str]:
    yield from comparison.notes
    for what, names in (("not shown", comparison.missing), ("unknown", comparison.unknown)):
        if names:
            yield f"{what} ({len(names)}): {', '.join(names)}"


def _table(rows: list[str]) -> str:
    headings = "".join(f"<th>{escape(one)}</th>" for one in _HEADINGS)
    return f"<table><tr>{headings}</tr>{''.join(rows)}</table>"


def _row(comparison: Comparison, row: Row, table: dict[str, Intermediate]) -> str:
    verdict = "inherits" if row.inherited else row.verdict
    is_odd = row.verdict == "exact" or row.reason == "shape"
    numbers = [
        *(number(row.ratio), place(comparison, row, table), exactly(row.port, row)),
        *(
            exactly(row.expected, row),
            number(row.budget),
            number(row.max_abs),
            number(row.mean_abs),
        ),
        *(number(row.ulp), f"{row.cosine:.6f}"),
    ]
    cells = [row.name, str(list(row.shape)), verdict + (f" ({row.reason})" if row.reason else "")]
    cells += [""] * len(numbers) if is_odd else numbers
    cells.append("; ".join(one.text for one in row.explanations))
    texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr style="color: {_COLOURS[verdict]}">{texts}</tr>'
