"""From lists to arrays of NumPy, CuPy or PyTorch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

LIBRARIES = {"np": "numpy", "cp": "cupy", "pt": "torch"}


def check_tensor_type(return_tensors: Any) -> None:
    """Check the argument `return_tensors` before any work is done.

    Parameters
    ----------
    return_tensors : str or None
        The argument.

    Raises
    ------
    ValueError
        If it names no library known here.
    ModuleNotFoundError
        If the library is not installed.
    """
    if return_tensors is None:
        return
    if not isinstance(return_tensors, str) or return_tensors not in LIBRARIES:
        raise ValueError(
            f"return_tensors is {return_tensors!r}: it must be None, for lists, or 'np', 'cp' or"
            " 'pt', for arrays of NumPy, CuPy or PyTorch"
        )
    library = LIBRARIES[return_tensors]
    if importlib.util.find_spec(library) is None:
        raise ModuleNotFoundError(
            f"return_tensors={return_tensors!r} needs {library}, which is not installed: install"
            " it, or pass 'np' for NumPy arrays"
        )


def to_tensors(columns: Mapping[str, Any], tensor_type: str) -> dict[str, Any]:
    """Turn the columns of a batch into arrays, integers into int64.

    Parameters
    ----------
    columns : mapping of str to list
        For each name a list of rows, which must be equally long.
    tensor_type : str
        ``"np"``, ``"cp"`` or ``"pt"``.

    Returns
    -------
    dict of str to array
        The arrays, ``[B, S]``, or ``[B, S, 2]`` for offsets and ``[B]`` for lengths.

    Raises
    ------
    ValueError
        If the rows differ in length.
    """
    return {name: _to_tensor(name, rows, tensor_type) for name, rows in columns.items()}


def _to_tensor(name: str, rows: Any, tensor_type: str) -> Any:
    import numpy as np  # only here, so that the tokenizer can be imported without it

    if not hasattr(rows, "dtype"):
        lengths = {len(row) if isinstance(row, list) else 1 for row in rows}
        if len(lengths) > 1:
            raise ValueError(
                f"the rows of {name} have from {min(lengths)} to {max(lengths)} elements and do not"
                " make one array: pass padding=True, and truncation=True if they are too long, or"
                " return_tensors=None for lists"
            )
        rows = np.array(rows)
        if not rows.size:  # an array of no elements would be one of floats
            rows = rows.astype(np.int64)
    return _in_library(rows, tensor_type)


def _in_library(array: Any, tensor_type: str) -> Any:
    if tensor_type == "pt":
        import torch

        return torch.as_tensor(array)
    from ..arrays import to_device

    return to_device(array, "cuda" if tensor_type == "cp" else "cpu")
