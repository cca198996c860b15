"""From lists to arrays of NumPy, CuPy or PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import to_device, to_numpy
from ...sentences import plain, shown
from .options import LIBRARIES
from .padding import FILL

__all__ = ["tensor_type_of", "to_tensors"]

_TYPE_OF_LIBRARY = {library: tensor_type for tensor_type, library in LIBRARIES.items()}

# What NumPy calls the dtypes of numbers. Only NumPy itself has arrays of strings.
_NUMBERS = "biufc"
_STRINGS = "US"


def tensor_type_of(library: str | None) -> str | None:
    """Tell what `return_tensors` would be for arrays of a library, if there is one."""
    return None if library is None else _TYPE_OF_LIBRARY.get(library, "np")


def to_tensors(columns: Mapping[str, Any], tensor_type: str) -> dict[str, Any]:
    """Turn the columns of a batch, whose rows must be equally long, into arrays.

    They are ``[B, S]``, or ``[B, S, 2]`` for offsets and ``[B]`` for lengths, and integers become
    int64. Numbers of Python that are not integers become what the library makes of them: float32
    with PyTorch, else float64. What is an array already keeps its dtype.
    """
    return {name: _to_tensor(name, rows, tensor_type) for name, rows in columns.items()}


def _to_tensor(name: str, rows: Any, tensor_type: str) -> Any:
    if hasattr(rows, "dtype"):
        return _in_library(rows, tensor_type)
    has_dtype = False
    if isinstance(rows, list | tuple):
        has_dtype = any(hasattr(row, "dtype") for row in rows)
        if has_dtype:
            rows = [to_numpy(row) if hasattr(row, "dtype") else row for row in rows]
    try:
        array = np.array(rows)
    except ValueError:
        raise ValueError(_ragged(name, rows)) from None
    if not array.size:  # an array of no elements would be one of floats
        array = array.astype(np.int64)
    if array.dtype.kind not in (_NUMBERS + _STRINGS if tensor_type == "np" else _NUMBERS):
        raise ValueError(
            f"the column {plain(name)} is {shown(rows)}: an array of {LIBRARIES[tensor_type]} holds"
            " numbers of up to 64 bits; leave the column out, or pass return_tensors=None for lists"
        )
    if tensor_type == "pt" and array.dtype == np.float64 and not has_dtype:
        array = array.astype(np.float32)
    return _in_library(array, tensor_type)


def _ragged(name: str, rows: Any) -> str:
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in rows]
    lengths = {len(row) if isinstance(row, list | tuple) else 1 for row in rows}
    elements = (
        f"from {min(lengths)} to {max(lengths)} elements"
        if len(lengths) > 1
        else "elements of different shapes"
    )
    cure = (
        "pass padding=True, and truncation=True if they are too long,"
        if name == "input_ids" or name in FILL
        else "padding leaves this column as it is, so make its rows equally long before, leave it"
        " out,"
    )
    return (
        f"the rows of {plain(name)} have {elements} and do not make one array: {cure} or pass"
        " return_tensors=None for lists"
    )


def _in_library(array: Any, tensor_type: str) -> Any:
    if tensor_type == "pt":
        import torch

        return torch.as_tensor(array)
    return to_device(array, "cuda" if tensor_type == "cp" else "cpu")
