"""Memory for the arrays of a model, many of them in one piece.

The system gives memory page by page, at the first use of each; where NumPy asks for a large piece,
in pages of 2 MiB in place of 4 KiB. A base-sized model is read in half the time so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from ..arrays import Shape

__all__ = ["side_by_side"]

Numbers = np.ndarray[Any, Any]

#: Bytes of a piece. It is given back when the last of its arrays is: so a new table of words does
#: not hold the whole model that it was read with.
_PIECE = 64 << 20
_ALIGNED = 64  # bytes, as a line of the processor's cache


def side_by_side(shapes: Mapping[str, Shape], dtype: Any) -> dict[str, Numbers]:
    """Make arrays for any numbers, those that follow each other in a piece of memory.

    >>> arrays = side_by_side({"a": (2, 3), "b": (4,)}, np.float32)
    >>> arrays["a"].shape, arrays["b"].ctypes.data - arrays["a"].ctypes.data
    ((2, 3), 64)
    """
    step = _ALIGNED // np.dtype(dtype).itemsize
    arrays: dict[str, Numbers] = {}
    for names in _pieces(shapes, _PIECE // np.dtype(dtype).itemsize):
        sizes = [prod(shapes[name]) for name in names]
        *starts, end = accumulate((-(-size // step) * step for size in sizes), initial=0)
        piece = np.empty(end, dtype)
        for name, start, size in zip(names, starts, sizes, strict=True):
            arrays[name] = piece[start : start + size].reshape(shapes[name])
    return arrays


def _pieces(shapes: Mapping[str, Shape], most: int) -> Iterator[list[str]]:
    """Divide arrays into pieces of few numbers, of at least one array each."""
    names: list[str] = []
    size = 0
    for name, shape in shapes.items():
        if names and size + prod(shape) > most:
            yield names
            names, size = [], 0
        names.append(name)
        size += prod(shape)
    if names:
        yield names
