"""Answers in a file, by its suffix: ``.npy``, ``.jsonl``, ``.csv`` or ``.parquet``.

A table has a row for each result, so several for a text that has several: first the number and the
text of the line, then what the result says. A file is written as a whole, or not at all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

import numpy as np

from ..files.exchange import exchanging
from ..sentences import shown
from .common import json_line

__all__ = [
    "SUFFIXES",
    "AnswerFile",
    "Form",
    "Row",
    "check_suffix",
    "columns_of",
    "rows_of_results",
    "saving",
]

#: A result in a table: names of columns, and what stands there.
Row: TypeAlias = Mapping[str, Any]

SUFFIXES = (".npy", ".jsonl", ".csv", ".parquet")
#: Rows of a Parquet file that are written together.
GROUP = 10_000
#: Arrow's names of types.
ARROW = {int: "int64", float: "double", str: "string"}


@dataclass(frozen=True)
class Form:
    """What the answers of a task look like in a file."""

    #: ``rows(text, answer)`` makes rows of an answer.
    rows: Callable[[str, Any], Iterable[Row]]
    #: The columns of these rows, by the types of their values: of a table without any row.
    columns: Mapping[str, type] = field(default_factory=dict)
    #: Numbers in a vector, where answers are arrays of vectors.
    width: int = 0

    @property
    def all_columns(self) -> dict[str, type]:
        """The columns of a table, which begins with the number and the text of the line."""
        return {"line": int, "text": str, **self.columns}


def columns_of(result: type) -> dict[str, type]:
    """Take the columns of a table out of the class of its results."""
    return {name: kind for name, kind in get_type_hints(result).items() if kind in ARROW}


def rows_of_results(_pipe: Any, _text: str, answer: Any) -> Iterable[Row]:
    """Make a row of each result of a text: there is one, or a list."""
    return [answer] if isinstance(answer, Mapping) else answer


def check_suffix(path: Path, has_arrays: bool) -> None:
    """Refuse a file that nothing is known to write, before anything is computed."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"{shown(str(path))} ends in {shown(suffix)}, but must end in .npy (an array, of "
            "feature-extraction), .jsonl (a line for each text), .csv or .parquet (a row for each "
            "result)"
        )
    if suffix == ".npy" and not has_arrays:
        raise ValueError(
            f"{shown(str(path))} would be an array, which feature-extraction alone gives: let it "
            "end in .jsonl, .csv or .parquet"
        )
    if suffix == ".parquet":
        _pyarrow()


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise ImportError(
            "a .parquet file needs pyarrow, which is not installed: pip install pyarrow (or let "
            "the file end in .csv or .jsonl)"
        ) from None
    return pyarrow


@contextmanager
def saving(path: Path, form: Form) -> Iterator[AnswerFile]:
    """Give what takes the answers; at the end they are in the file, or after an error nothing."""
    kind = KINDS[path.suffix.lower()]
    with exchanging(path.parent) as new:
        made = kind(new / path.name, form)
        try:
            yield made
            made.finish()
        finally:
            made.close()


class AnswerFile:
    """A file that takes the answers of texts, in their order."""

    #: What becomes of a text that cannot be answered.
    instead = "left out"

    def __init__(self, path: Path, form: Form):
        self.form = form
        self.count = 0

    def take(self, number: int, text: str, answer: Any) -> None:
        """Write the answer of a text."""
        self.count += 1
        self.write(number, text, _storable(answer))

    def write(self, number: int, text: str, answer: Any) -> None:
        """Write the answer in this kind of file."""
        raise NotImplementedError

    def leave_out(self) -> None:
        """Write what stands for a text that has no answer."""

    def finish(self) -> None:
        """Write what is still kept."""

    def close(self) -> None:
        """Close the file, whatever has happened."""


class _Lines(AnswerFile):
    """A line of JSON for each text, as ``--json`` prints them."""

    instead = "left out (null in the file)"

    def __init__(self, path: Path, form: Form):
        super().__init__(path, form)
        self.file = open(path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115  # see close

    def write(self, number: int, text: str, answer: Any) -> None:
        value = answer.tolist() if isinstance(answer, np.ndarray) else answer
        self.file.write(json_line(value) + "\n")

    def leave_out(self) -> None:
        self.file.write("null\n")

    def close(self) -> None:
        self.file.close()


class _Table(AnswerFile):
    """A row for each result."""

    def write(self, number: int, text: str, answer: Any) -> None:
        for row in self.form.rows(text, answer):
            self.add({"line": number, "text": text, **row})

    def add(self, row: Row) -> None:
        """Write a row."""
        raise NotImplementedError


class _Csv(_Table):
    """Values with commas between them; each text in quotes, so that it may have line ends."""

    def __init__(self, path: Path, form: Form):
        super().__init__(path, form)
        self.file = open(path, "w", encoding="utf-8", newline="")  # noqa: SIM115  # see close
        self.writer = csv.writer(self.file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        self.columns: list[str] = []

    def add(self, row: Row) -> None:
        cells = dict(_cells(row))
        if not self.columns:
            self.columns = list(cells)
            self.writer.writerow(self.columns)
        self.writer.writerow([cells[name] for name in self.columns])

    def finish(self) -> None:
        if not self.columns:
            self.writer.writerow(self.form.all_columns)

    def close(self) -> None:
        self.file.close()


def _cells(row: Row) -> Iterator[tuple[str, Any]]:
    """Give each number of a vector a column of its own."""
    for name, value in row.items():
        if isinstance(value, np.ndarray):
            yield from ((f"{name}_{i}", number) for i, number in enumerate(value))
        else:
            yield name, value


class _Parquet(_Table):
    """Columns of Arrow, in which a vector is a list."""

    def __init__(self, path: Path, form: Form):
        super().__init__(path, form)
        self.path = path
        self.rows: list[Row] = []
        self.writer: Any = None

    def add(self, row: Row) -> None:
        self.rows.append(row)
        if len(self.rows) == GROUP:
            self._write_group()

    def _write_group(self) -> None:
        pa = _pyarrow()
        if self.writer is None:
            columns = self.form.all_columns.items()
            empty = {name: pa.array([], ARROW[kind]) for name, kind in columns}
            table = pa.Table.from_pylist(self.rows) if self.rows else pa.table(empty)
            self.writer = pa.parquet.ParquetWriter(self.path, table.schema)
        else:
            table = pa.Table.from_pylist(self.rows, self.writer.schema)
        self.writer.write_table(table)
        self.rows = []

    def finish(self) -> None:
        if self.rows or self.writer is None:
            self._write_group()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


class _Array(AnswerFile):
    """One array, whose first axis counts the texts."""

    instead = "left out (NaN in the array)"

    def __init__(self, path: Path, form: Form):
        super().__init__(path, form)
        self.path = path
        self.arrays: list[np.ndarray[Any, Any] | None] = []
        self.first: tuple[int, tuple[int, ...]] | None = None  # its number and shape

    def write(self, number: int, text: str, answer: Any) -> None:
        array = answer[0] if answer.ndim == 3 else answer  # [1, S, H] of tokens
        number_of_first, shape = self.first = self.first or (number, array.shape)
        if array.shape != shape:
            raise ValueError(
                f"text {number} has the shape {shown(list(array.shape))}, but text "
                f"{number_of_first} has {shown(list(shape))}, and one array cannot hold both: give "
                "--pooling mean or cls for one vector a text, or let the file end in .jsonl, .csv "
                "or .parquet"
            )
        self.arrays.append(array)

    def leave_out(self) -> None:
        self.arrays.append(None)

    def finish(self) -> None:
        some = np.empty(self.form.width, np.float32)
        some = next((array for array in self.arrays if array is not None), some)
        whole = np.full((len(self.arrays), *some.shape), np.nan, some.dtype)
        for i, array in enumerate(self.arrays):
            if array is not None:
                whole[i] = array
        with self.path.open("wb") as file:  # np.save would add ".npy" to a name that ends in ".NPY"
            np.save(file, whole)


def _storable(answer: Any) -> Any:
    """Make float32 of bfloat16, which no file has."""
    is_theirs = isinstance(answer, np.ndarray) and answer.dtype.isbuiltin != 1
    return answer.astype(np.float32) if is_theirs else answer


KINDS: dict[str, Callable[[Path, Form], AnswerFile]] = {
    ".npy": _Array,
    ".jsonl": _Lines,
    ".csv": _Csv,
    ".parquet": _Parquet,
}
