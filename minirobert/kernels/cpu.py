"""NumPy versions of the formulas that take the most time, for float32 arrays.

A formula written with NumPy's operators walks through memory once for every operator. These
walk once in all: a block that fits the processor's cache is finished before the next is touched,
and each step writes over the last (``out=``). Other dtypes and empty arrays go to the formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..functional import gelu, largest, layer_norm, linear, softmax
from .few_columns import product
from .registry import kernel_of

__all__ = ["gelu_cpu", "largest_cpu", "layer_norm_cpu", "linear_cpu", "softmax_cpu"]

NDArray: TypeAlias = np.ndarray[Any, Any]

BLOCK = 1 << 16  # elements of a block: 256 KiB, and a few of them fit a second-level cache
_FEW_ROWS = 64
_MANY_WEIGHTS = 4096  # rows of them: with more BLAS takes longer for each
_FLOAT32 = np.dtype(np.float32)

# glibc gives freed memory back to the system, which must clear it page by page at the next use: a
# tenth of a forward pass. It keeps what is smaller than twice the largest block that it has seen
# freed, up to 32 MiB; so here it sees one, which is never touched.
np.empty((32 << 20) - (64 << 10), np.uint8)


def _suits(*args: Any, **kwargs: Any) -> bool:
    for value in (*args, *kwargs.values()):
        if isinstance(value, np.ndarray) and (value.dtype != _FLOAT32 or not value.size):
            return False
    return True


def _blocks(*arrays: NDArray) -> Sequence[tuple[NDArray, ...]]:  # [M, X]
    """Cut arrays of the same shape into blocks of whole rows."""
    rows, width = arrays[0].shape
    step = max(1, BLOCK // width)
    if rows <= step:
        return (arrays,)
    starts = range(0, rows, step)
    return [tuple([array[start : start + step] for array in arrays]) for start in starts]


@kernel_of(linear, np.ndarray, _suits)
def linear_cpu(x: NDArray, weight: NDArray, bias: NDArray | None = None) -> NDArray:
    """Compute `minirobert.functional.linear` as one matrix product over all leading axes.

    Where x has few rows, most of the time goes into reading the weights, and BLAS reads them
    faster in their own order: as ``(W x^T)^T``.
    """
    rows = x.reshape(-1, x.shape[-1])  # [M, X]
    few = 1 < len(rows) <= _FEW_ROWS
    product = _of_few(rows, weight) if few else rows @ weight.T  # [M, Y]
    if bias is not None:
        product += bias
    return product.reshape(*x.shape[:-1], weight.shape[0])


def _of_few(rows: NDArray, weight: NDArray) -> NDArray:  # [M, X], [Y, X] -> [M, Y]
    """Multiply a part of the weights at a time, and lay the result with a row for each of ours."""
    result = np.empty((len(rows), len(weight)), rows.dtype)
    for start in range(0, len(weight), _MANY_WEIGHTS):
        part = slice(start, start + _MANY_WEIGHTS)
        result[:, part] = product(weight[part], rows.T).T
    return result


@kernel_of(softmax, np.ndarray, _suits)
def softmax_cpu(x: NDArray) -> NDArray:
    """Compute `minirobert.functional.softmax` block by block."""
    result = np.empty(x.shape, x.dtype)
    width = x.shape[-1]
    for source, target in _blocks(x.reshape(-1, width), result.reshape(-1, width)):
        np.subtract(source, source.max(axis=-1, keepdims=True), out=target)
        np.exp(target, out=target)
        target /= target.sum(axis=-1, keepdims=True)
    return result


@kernel_of(layer_norm, np.ndarray, _suits)
def layer_norm_cpu(x: NDArray, weight: NDArray, bias: NDArray, eps: float) -> NDArray:
    """Compute `minirobert.functional.layer_norm` block by block."""
    result = np.empty(x.shape, x.dtype)
    width = x.shape[-1]
    for source, target in _blocks(x.reshape(-1, width), result.reshape(-1, width)):
        np.subtract(source, source.mean(axis=-1, keepdims=True), out=target)
        variance = np.mean(target * target, axis=-1, keepdims=True)
        target /= np.sqrt(variance + eps)
        target *= weight
        target += bias
    return result


# The normal distribution's mass below x is (1 + tanh(x P(x^2))) / 2. P is a least-squares fit of
# atanh(erf(x / sqrt 2)) / x, reweighted until the error that it makes in gelu was even: at most
# half a float32 rounding of |x|. It grows with x^2 without end, so that tanh is 1 where erf is.
_P = (
    *(1.75617061e-09, -1.32263336e-07, 3.96474438e-06, -5.53061935e-05),
    *(-3.25949759e-05, 0.0363330846, 0.797884941),
)


@kernel_of(gelu, np.ndarray, _suits)
def gelu_cpu(x: NDArray) -> NDArray:
    """Compute `minirobert.functional.gelu` block by block, as ``x/2 (1 + tanh(x P(x^2)))``.

    The result is within 4 float32 roundings of ``|x|`` of the formula.
    """
    result = np.empty(x.shape, x.dtype)
    flat, out = x.reshape(-1), result.reshape(-1)
    square, inner = np.empty((2, min(BLOCK, x.size)), x.dtype)
    for start in range(0, x.size, BLOCK):
        part = flat[start : start + BLOCK]
        gelu_block(part, out[start : start + BLOCK], square[: len(part)], inner[: len(part)])
    return result


def gelu_block(x: NDArray, out: NDArray, square: NDArray, inner: NDArray) -> None:
    """Compute gelu of x, which may be ``out`` itself; the other two are overwritten."""
    with np.errstate(over="ignore"):  # of an x beyond all that matters, whose tanh is 1
        np.multiply(x, x, out=square)
        np.multiply(square, _P[0], out=inner)
        inner += _P[1]
        for coefficient in _P[2:]:
            inner *= square
            inner += coefficient
        inner *= x
        np.tanh(inner, out=inner)
    np.multiply(x, 0.5, out=out)
    inner *= out
    out += inner


def _can_be_parted(x: NDArray, k: int) -> bool:
    """Tell whether some numbers are left out, and all can be compared: NaN cannot."""
    return 0 < k < x.shape[1] and x.size > 0 and not np.isnan(x.max())


@kernel_of(largest, np.ndarray, _can_be_parted)
def largest_cpu(x: NDArray, k: int) -> tuple[NDArray, NDArray]:
    """Compute `minirobert.functional.largest` without sorting more than is asked for.

    Most numbers are below the k-th largest, which can be found without an order of the others.
    """
    least = np.partition(x, -k, axis=1)[:, -k]  # [M]
    places = np.empty((len(x), k), np.int64)
    for row, start, found in zip(x, least, places, strict=True):
        among = np.flatnonzero(row >= start)  # k, or more where several are equal to the last
        found[:] = among[np.argsort(-row[among], kind="stable")[:k]]
    return np.take_along_axis(x, places, axis=1), places
