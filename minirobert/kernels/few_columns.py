"""Products of a weight with few columns, by blocks of rows that BLAS multiplies as they lie.

BLAS copies both factors of a product into the order of its loops. Where tokens are few, the copy of
a weight takes longer than the product. For processors with AVX-512 OpenBLAS has loops that copy
nothing, for up to a million multiplications. They have one thread: with one a product takes three
fifths of the time, and where BLAS has several they make good for the copy.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ..threads import has_one_thread, multiplies_small

__all__ = ["product"]

NDArray: TypeAlias = np.ndarray[Any, Any]

_SMALL = 1_000_000  # multiplications that OpenBLAS does without a copy
_COLUMNS = range(2, 65)  # one is no matrix; of more than 64 the copy is worth its time


def product(weight: NDArray, x: NDArray) -> NDArray:  # [Y, X], [X, M] -> [Y, M]
    """Compute ``W x``."""
    rows = _SMALL // max(1, x.size)
    if (
        x.shape[1] in _COLUMNS
        and 0 < rows < len(weight)
        and weight.flags.c_contiguous
        and multiplies_small()
        and has_one_thread()
    ):
        return _by_blocks(weight, np.ascontiguousarray(x), rows)
    result: NDArray = weight @ x
    return result


def _by_blocks(weight: NDArray, x: NDArray, most: int) -> NDArray:  # [Y, X], [X, M] -> [Y, M]
    """Multiply blocks of at most so many rows, all in one call of NumPy but for what is left."""
    rows = -(-len(weight) // -(-len(weight) // most))  # as even as may be, and fewer are left
    n_blocks = len(weight) // rows
    end = n_blocks * rows
    result = np.empty((len(weight), x.shape[1]), np.result_type(weight, x))
    blocks, out = (one[:end].reshape(n_blocks, rows, -1) for one in (weight, result))
    np.matmul(blocks, x, out=out)
    np.matmul(weight[end:], x, out=result[end:])
    return result
