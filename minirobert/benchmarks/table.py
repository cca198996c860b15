"""Rows as a table, of text or of Markdown: the same cells in both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from ..parameters import columns
from .rows import OURS

__all__ = ["cells", "markdown", "text"]

#: What `Row.to_json` gives.
Told: TypeAlias = dict[str, Any]

#: Sides with columns of their own; all others share those of transformers, and are named there.
_OWN = ("transformers", "onnxruntime")


def cells(rows: Iterable[Told]) -> list[list[str]]:
    """Write rows as cells, the heads first; columns in which nothing would stand are left out.

    Parameters
    ----------
    rows : iterable of dict
        As `minirobert.benchmarks.rows.with_shares` gives them.

    Returns
    -------
    list of list of str
    """
    lines = [_line(row) for row in rows]
    used = {key: head for key, head in _HEADS.items() if any(line.get(key) for line in lines)}
    return [list(used.values()), *([line.get(key, "") for key in used] for line in lines)]


_HEADS = {
    "title": "",
    OURS: OURS,
    "transformers": "transformers",
    "transformers ratio": "ratio",
    "onnxruntime": "onnxruntime",
    "onnxruntime ratio": "ratio",
    "tokens_per_second": "tokens/s",
    "share_of_peak": "of matmul peak",
}


def _line(row: Told) -> dict[str, str]:
    """Write the cells of a row, by their columns."""
    line = {"title": row["title"], OURS: _value(row[OURS], row["unit"])}
    for side, other in row["theirs"].items():
        column, name = (side, "") if side in _OWN else (_OWN[0], f" ({side})")
        line[column] = _value(other["value"], row["unit"]) + name
        line[f"{column} ratio"] = _ratio(other["ratio"], row["rounds"])
    line |= {side: why for side, why in row["notes"].items() if side in _OWN}
    if row["tokens_per_second"] is not None:
        line["tokens_per_second"] = f"{row['tokens_per_second']:,.0f}"
    if row["share_of_peak"] is not None:
        line["share_of_peak"] = f"{row['share_of_peak']:.0%}"
    return line


def _value(value: float, unit: str) -> str:
    """Write a time or a size.

    >>> _value(0.00123, "s"), _value(1.0761, "s"), _value(391.7, "MiB")
    ('1.23 ms', '1,076 ms', '392 MiB')
    """
    if unit == "s":
        value, unit = 1e3 * value, "ms"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _ratio(ratio: Told, rounds: int) -> str:
    text = f"{ratio['median']:.2f}"
    if rounds > 1:
        text += f" ({ratio['low']:.2f} to {ratio['high']:.2f})"
    return text if ratio["of"] == "theirs / ours" else f"{text} of theirs"


def text(table: Sequence[Sequence[str]]) -> str:
    """Write cells in columns.

    Parameters
    ----------
    table : sequence of sequence of str

    Returns
    -------
    str
    """
    return columns(table, "<" + ">" * (len(table[0]) - 1))


def markdown(table: Sequence[Sequence[str]]) -> str:
    """Write cells as a table of Markdown.

    Parameters
    ----------
    table : sequence of sequence of str

    Returns
    -------
    str

    >>> print(markdown([["", "ours"], ["1x16", "9 ms"]]))
    |  | ours |
    | --- | --- |
    | 1x16 | 9 ms |
    """
    heads, *lines = table
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
