"""What a pipeline is given: one input, a list, a column of a table, a stream, or a data set."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from ..rules import STRING, check, is_missing
from ..sentences import cut, listed, plain, shown, type_name

__all__ = ["check_text", "chunks", "opened", "own"]

T = TypeVar("T")


def check_text(name: str, text: Any) -> None:
    """Refuse what is no text, such as the rows of a data set, or where a column has none."""
    cure = ""
    if isinstance(text, Mapping):
        cure = ": of a data set's rows give the texts alone, as in (row['text'] for row in rows)"
    elif is_missing(text):
        cure = (
            ": it is missing, so leave its row out, as dropna() does, or fill it with a text (rows "
            "are counted from 0)"
        )
    check(name, text, STRING.but(cure), TypeError)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Take items by the size; those before an error come before the error.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    remaining = iter(items)
    failure: Exception | None = None
    while failure is None:
        chunk: list[T] = []
        try:
            for item in islice(remaining, min(size, sys.maxsize)):
                chunk.append(item)  # list() would lose those before an error
        except Exception as error:
            failure = error
        if chunk:
            yield chunk
        elif failure is None:
            return
    raise failure


def opened(inputs: Any, noun: str = "text") -> Any:
    """Make a list of an array or a collection, and a stream of a data set that only has numbers.

    >>> import numpy as np
    >>> opened(np.array(["a", "b"])), opened({"a": 1}.keys())
    (['a', 'b'], ['a'])
    """
    inputs = own(inputs)
    if isinstance(inputs, str | bytes | Mapping | type):
        return inputs
    if hasattr(inputs, "columns") and hasattr(inputs, "shape"):  # some give columns, some rows
        raise _not_a_column(inputs, noun)
    for name in ("tolist", "to_list", "to_pylist"):  # of NumPy and pandas, polars, Arrow
        if hasattr(inputs, name):
            return _listed(inputs, name)
    if isinstance(inputs, Collection):
        return list(map(own, inputs))
    if isinstance(inputs, Iterable) or not hasattr(inputs, "__getitem__"):
        return inputs
    if hasattr(inputs, "__len__"):  # not all raise IndexError at their end, as iter expects
        return (inputs[i] for i in range(len(inputs)))
    return iter(inputs)


def own(value: Any) -> Any:
    """Make Python's own value of a scalar of Arrow, which a loop over a column gives."""
    is_theirs = hasattr(value, "as_py") and not isinstance(value, type)
    return value.as_py() if is_theirs else value


def _not_a_column(table: Any, noun: str) -> TypeError:
    """Say which columns a table has, and how to take one."""
    names = list(getattr(table, "column_names", table.columns))  # Arrow's columns are arrays
    one = next((name for name in (noun, "text", *names) if name in names), "text")
    key = f'"{plain(one, 40)}"' if isinstance(one, str) else shown(one, 40)
    has = listed(names, 100, each=shown) or "none"
    return TypeError(
        f"inputs is a {type_name(table)}, but must be one column of it, as in df[{key}]: the "
        f"{noun}s alone (its columns: {has})"
    )


def _listed(inputs: Any, method: str) -> Any:
    try:
        return getattr(inputs, method)()
    except Exception as error:  # as of a tensor without numbers
        raise TypeError(
            f"inputs is a {type(inputs).__name__}, of which no list can be made "
            f"({cut(str(error), 200)}): give a list"
        ) from None
