"""NumPy versions of the formulas that take the most time, for float32 arrays.

A formula written with NumPy's operators walks through memory once for every operator. These
walk once in all: a block that fits the processor's cache is finished before the next is touched,
and each step writes over the last (``out=``). Other dtypes and empty arrays go to the formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..functional import gelu, largest, layer_norm, linear, softmax
from .registry import kernel_of

__all__ = ["gelu_cpu", "largest_cpu", "layer_norm_cpu", "linear_cpu", "softmax_cpu"]

NDArray: TypeAlias = np.ndarray[Any, Any]

_BLOCK = 1 << 16  # elements of a block: 256 KiB, and a few of them fit a second-level cache
_FEW_ROWS = 64
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
    step = max(1, _BLOCK // width)
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
    product = (weight @ rows.T).T if few else rows @ weight.T  # [M, Y]
    if bias is not None:
        product += bias
    return product.reshape(*x.shape[:-1], weight.shape[0])


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


# erf(u) is u P(u^2) / Q(u^2) for |u| up to _ERF_ONE, beyond which float32 has no number between
# erf(u) and 1. A least-squares fit, reweighted until its error was even: at most 2.0e-8 of erf(u).
_ERF_ONE = 3.94
_ERF_P = (
    *(2.03393392e-06, 0.000284739974, 0.00379364379),
    *(0.0528320782, 0.191161722, 1.12837911),
)
_ERF_Q = (
    *(3.79174817e-05, 0.00116790645, 0.0150257694),
    *(0.114406295, 0.50274539, 1.0),
)


@kernel_of(gelu, np.ndarray, _suits)
def gelu_cpu(x: NDArray) -> NDArray:
    """Compute `minirobert.functional.gelu` block by block, with a shorter approximation of erf.

    The result is within 4 float32 roundings of ``|x|`` of the formula.
    """
    result = np.empty(x.shape, x.dtype)
    width = min(_BLOCK, x.size)
    whole = x.size - x.size % width
    flat, out = x.reshape(-1), result.reshape(-1)
    for source, target in _blocks(flat[:whole].reshape(-1, width), out[:whole].reshape(-1, width)):
        _gelu_block(source, target)
    _gelu_block(flat[whole:], out[whole:])
    return result


def _gelu_block(x: NDArray, out: NDArray) -> None:
    u = x * np.float32(math.sqrt(0.5))
    np.clip(u, -_ERF_ONE, _ERF_ONE, out=u)
    square = u * u
    _polynomial(square, _ERF_P, out)
    u *= out
    _polynomial(square, _ERF_Q, out)
    np.divide(u, out, out=out)
    out += 1
    out *= x
    out *= 0.5


def _polynomial(x: NDArray, coefficients: tuple[float, ...], out: NDArray) -> None:
    np.multiply(x, coefficients[0], out=out)
    out += coefficients[1]
    for coefficient in coefficients[2:]:
        out *= x
        out += coefficient


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
