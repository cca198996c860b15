"""Padding: rows of different lengths made equally long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...arrays import library_name
from ...sentences import listed, shown, type_name
from ..decoding import as_lists
from .columns import COLUMNS
from .lengths import LengthPlan

__all__ = ["pad_columns", "pad_row", "padded_length", "read_pad_input"]

# What fills up each column. The padding of `input_ids` is the tokenizer's.
FILL = {name: column.fill for name, column in COLUMNS.items()}


def padded_length(lengths: Iterable[int], plan: LengthPlan) -> int:
    """Tell to which length the rows of a batch are padded; longer rows stay. 0 is no padding.

    >>> padded_length([3, 5], LengthPlan("longest", "do_not_truncate", None, pad_to_multiple_of=4))
    8
    """
    if plan.padding == "do_not_pad":
        return 0
    if plan.padding == "max_length" and plan.max_length is not None:
        target = plan.max_length
    else:
        target = max(lengths, default=0)
    multiple = plan.pad_to_multiple_of
    return target if multiple is None else -(-target // multiple) * multiple


def pad_row(row: Sequence[Any], length: int, fill: Any, side: str) -> list[Any]:
    """Pad one row; one that is longer stays as it is.

    >>> pad_row([0, 9, 2], 5, fill=1, side="left")
    [1, 1, 0, 9, 2]
    """
    if length <= len(row):
        return list(row)
    padding = [fill] * (length - len(row))
    return [*row, *padding] if side == "right" else [*padding, *row]


def pad_columns(
    columns: Mapping[str, list[Any]], length: int, pad_token_id: int, side: str
) -> dict[str, list[Any]]:
    """Pad those columns of a batch that run along the tokens; leave the others as they are."""
    fill = {"input_ids": pad_token_id, **FILL}
    return {
        name: [pad_row(row, length, fill[name], side) for row in rows] if name in fill else rows
        for name, rows in columns.items()
    }


class PadInput(NamedTuple):
    """What `pad` was given, as columns of rows.

    `library` is that of the arrays that the ids came in, None for lists.
    """

    columns: dict[str, Any]
    is_single: bool
    library: str | None


def read_pad_input(encoded: Any) -> PadInput:
    """Read encodings given as one mapping or as a sequence of mappings, of lists or of arrays.

    If the ids are arrays, all columns become lists; otherwise only those that are padded.
    """
    columns = dict(encoded) if isinstance(encoded, Mapping) else _to_columns(encoded)
    if "input_ids" not in columns:
        raise ValueError(
            f"there are no input_ids to pad, {_only(columns)}: give encodings as a call of the"
            " tokenizer returns them"
        )
    library = _library(columns["input_ids"])
    for name in columns if library else {"input_ids", *FILL} & columns.keys():
        columns[name] = _to_list(columns[name])
    ids = columns["input_ids"]
    _check_list("input_ids", ids)
    is_single = bool(ids) and not isinstance(ids[0], list | tuple) and ids[0] is not None
    if is_single:
        columns = {name: [row] for name, row in columns.items()}
    _check_ids(columns["input_ids"], is_single)
    _check_row_lengths(columns)
    return PadInput(columns, is_single, library)


def _only(columns: Mapping[str, Any]) -> str:
    return f"only {listed(columns, each=shown)}" if columns else "for the encoding is empty"


def _to_columns(encodings: Any) -> dict[str, list[Any]]:
    if not isinstance(encodings, list | tuple) or not all(
        isinstance(encoding, Mapping) for encoding in encodings
    ):
        raise TypeError(
            f"cannot pad a {type_name(encodings)}: give an encoding or a list of encodings"
        )
    names = list(encodings[0]) if encodings else ["input_ids"]
    for index, encoding in enumerate(encodings):
        for name in names:
            if name not in encoding:
                raise ValueError(f"encoding {index} has no {shown(name)}, which encoding 0 has")
    return {name: [encoding[name] for encoding in encodings] for name in names}


def _library(rows: Any) -> str | None:
    for value in (rows, *(rows if isinstance(rows, list | tuple) else ())):
        if hasattr(value, "tolist"):
            return library_name(value)
    return None


def _to_list(rows: Any) -> Any:
    rows = as_lists("a column", rows)
    if not isinstance(rows, list | tuple):
        return rows
    return [as_lists("a row", row) for row in rows]


def _check_list(where: str, row: Any) -> None:
    if not isinstance(row, list | tuple):
        raise TypeError(
            f"{where} is {shown(row)}: it must be a list or an array, as a call of the tokenizer"
            " returns it"
        )


def _check_ids(rows: Sequence[Any], is_single: bool) -> None:
    for number, row in enumerate(rows):
        where = "input_ids" if is_single else f"row {number} of input_ids"
        _check_list(where, row)
        if set(map(type, row)) <= {int}:
            continue
        for position, index in enumerate(row):
            if not hasattr(index, "__index__"):
                raise TypeError(
                    f"element {position} of {where} is {shown(index)}: it must be an integer;"
                    " convert_tokens_to_ids gives the ids of tokens"
                )


def _check_row_lengths(columns: Mapping[str, list[Any]]) -> None:
    ids = columns["input_ids"]
    for name in FILL.keys() & columns.keys():
        _check_list(name, columns[name])
        if len(columns[name]) != len(ids):
            raise ValueError(f"{name} has {len(columns[name])} rows, but input_ids has {len(ids)}")
        for index, (row, reference) in enumerate(zip(columns[name], ids, strict=True)):
            _check_list(f"row {index} of {name}", row)
            if len(row) != len(reference):
                raise ValueError(
                    f"row {index} of {name} has {len(row)} elements, but that of input_ids has"
                    f" {len(reference)}: they must be equally long"
                )
