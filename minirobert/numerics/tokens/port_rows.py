"""What a port's tokenizer gave: a row of ids for each text, as values or as lines of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from ...rules import Rule, check, list_of
from ...sentences import plain, shown
from ...tokenization.offsets import Offsets
from ...tokenization.vocabulary import ID

__all__ = ["PortRow", "as_port_row", "json_value", "read_port_rows", "rows_in"]

IDS = list_of(ID, "the list of the ids of one text, each an integer of at least 0")
TOKENS = Rule(
    lambda value: isinstance(value, list | tuple) and all(isinstance(v, str) for v in value),
    "a list of strings",
)
_IDS = ("input_ids", "ids")  # whichever a mapping has
TEXT = Rule(lambda value: value is None or isinstance(value, str), "a string")


class PortRow(NamedTuple):
    """The ids of a text, and what else the port has told of them.

    `offsets` are ranges in whatever the port counts; None stands for a special token.
    """

    ids: list[int]
    tokens: list[str] | None = None
    offsets: list[Offsets] | None = None
    text: str | None = None
    text_pair: str | None = None


def rows_in(value: Any) -> list[Any]:
    """Divide what a tokenizer gives for several texts; what is of one text is one row.

    Parameters
    ----------
    value : list, array or mapping
        Of several texts a list of lists of ids, or a mapping with such lists.

    Returns
    -------
    list
        A list or mapping for each text, see `as_port_row`.

    >>> rows_in({"input_ids": [[0, 2], [0, 5, 2]], "attention_mask": [[1, 1], [1, 1, 1]]})[1]
    {'input_ids': [0, 5, 2], 'attention_mask': [1, 1, 1]}
    """
    if not isinstance(value, Mapping):
        value = _listed(value)
        return list(value) if _has_rows(value) else [value]
    columns = {name: _listed(column) for name, column in value.items()}
    ids: Any = next((columns[name] for name in _IDS if name in columns), None)
    if not _has_rows(ids):
        return [value]
    whole = {n: one for n, one in columns.items() if _has_rows(one) and len(one) == len(ids)}
    return [{name: column[i] for name, column in whole.items()} for i in range(len(ids))]


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value  # of an array


def _has_rows(value: Any) -> bool:
    is_list = isinstance(value, list | tuple) and len(value) > 0
    return is_list and all(isinstance(row, list | tuple) for row in value)


def as_port_row(value: Any, where: str) -> PortRow:
    """Read a list of ids, or a mapping that has one and may have tokens, offsets and the text.

    Parameters
    ----------
    value : list of int, or mapping
        With ``input_ids`` or ``ids``, and optionally ``tokens``, ``offsets`` or
        ``offset_mapping``, ``text`` and ``text_pair``. Other keys are passed over.
    where : str
        What has it, for the error.

    Returns
    -------
    PortRow

    Raises
    ------
    ValueError
        If there are no ids, or something is not as long as they are.

    >>> as_port_row({"ids": [0, 2]}, "line 1").ids
    [0, 2]
    """
    if not isinstance(value, Mapping):
        return PortRow(_ids(value, where))
    name = next((name for name in _IDS if name in value), None)
    if name is None:
        raise ValueError(f"{plain(where)} has no 'input_ids', but only {shown(list(value))}")
    ids = _ids(value[name], f"{where}: {name}")
    tokens = value.get("tokens")
    if tokens is not None:
        check(f"{where}: tokens", tokens, TOKENS)
        _check_length("tokens", tokens, ids, where)
    texts = [check(f"{where}: {n}", value.get(n), TEXT) for n in ("text", "text_pair")]
    return PortRow(ids, tokens, _offsets(value, ids, where), *texts)


def _ids(value: Any, where: str) -> list[int]:
    ids: list[int] = list(check(where, _listed(value), IDS))
    return ids


def _offsets(value: Mapping[str, Any], ids: list[int], where: str) -> list[Offsets] | None:
    names = ("offsets", "offset_mapping")
    name = next((name for name in names if value.get(name) is not None), None)
    if name is None:
        return None
    offsets = value[name]
    rule = Rule(
        lambda given: isinstance(given, list | tuple) and all(map(_is_range, given)),
        "a list of pairs of integers, the start and the end of each token",
    )
    check(f"{where}: {name}", offsets, rule)
    _check_length(name, offsets, ids, where)
    return [(0, 0) if pair is None else (pair[0], pair[1]) for pair in offsets]


def _is_range(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(ID.allows, value))


def _check_length(name: str, values: Sequence[Any], ids: list[int], where: str) -> None:
    if len(values) != len(ids):
        raise ValueError(
            f"{plain(where)} has {len(values):,} {plain(name)}, but {len(ids):,} ids: each id has"
            " one of its own"
        )


def read_port_rows(path: str | os.PathLike[str]) -> list[PortRow]:
    """Read a file with one JSON value a line: a list of ids, or an object, as `as_port_row` takes.

    A line may have the rows of several texts, see `rows_in`.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    list of PortRow

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If a line is no JSON in UTF-8, or has no ids; the sentence names the line.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {shown(str(path))}")
    if Path(path).is_dir():
        raise IsADirectoryError(f"{shown(str(path))} is a directory: give a file of JSON lines")
    if Path(path).is_char_device():
        raise OSError(f"{shown(str(path))} is a device: give a file of JSON lines")
    name = plain(Path(path).name, 60)
    with open(path, "rb") as file:
        places = (f"{name}, line {number}" for number in count(1))
        return [
            as_port_row(row, where)
            for line, where in zip(file, places, strict=False)
            for row in rows_in(_value(line, where))
        ]


def _value(line: bytes, where: str) -> Any:
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8: byte {error.start + 1} is none") from None
    return json_value(text, where, "a list of ids, or an object with 'input_ids'")


def json_value(line: str, where: str, what: str) -> Any:
    """Read a line of JSON; `where` it stands and `what` it must be, for the error.

    >>> json_value("[0, 2", "ids.jsonl, line 1", "a list of ids")
    Traceback (most recent call last):
    ValueError: ids.jsonl, line 1 is no JSON: Expecting ',' delimiter in column 6 of '[0, 2'; each
    line is a list of ids
    """
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{plain(where)} is no JSON: {plain(error.msg)} in column {error.colno} of"
            f" {shown(line.strip(), most=40)}; each line is {plain(what)}"
        ) from None
    except (ValueError, RecursionError):
        raise ValueError(
            f"{plain(where)} has a number that is too long, or lists nested too deeply"
        ) from None
