"""The steps between two products as loops that numba compiles, where it is installed.

NumPy walks through memory once for each operator of a formula, a compiled loop once or twice in
all: gelu takes a tenth of the time, a layer norm a quarter, the exponentials of the scores a third.
Each runs in the thread that calls it. The first call on a machine compiles, in a few seconds, and
keeps what it compiled.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from .steps import NUMPY, Steps

__all__ = ["steps_for", "uses_numba"]

NDArray: TypeAlias = np.ndarray[Any, Any]

#: Numbers of a weight below which numba is left alone: its start would take longer than a text.
_FEW = 1 << 19

F = np.float32  # numba reads it as a constant


def steps_for(weight: NDArray) -> Steps:
    """Give the compiled steps where numba is installed, and a model of such weights is large."""
    compiled = _compiled() if weight.size >= _FEW else None
    return NUMPY if compiled is None else compiled


def uses_numba() -> bool:
    """Tell whether numba is installed and compiles; ``NUMBA_DISABLE_JIT=1`` forbids it."""
    return _compiled() is not None


@cache
def _compiled() -> Steps | None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None  # without the 50 MiB that it takes to learn it from numba
    try:
        import numba  # if at all
    except ImportError:  # also of a numba that is too old for this NumPy
        return None
    if getattr(numba.config, "DISABLE_JIT", 0):  # a file can say so, too
        return None

    def compile_(signature: tuple[Any, ...], function: Callable[..., None]) -> Any:
        def compiled(keep: bool) -> Any:
            return numba.njit(signature, nogil=True, error_model="numpy", cache=keep)(function)

        try:
            return compiled(keep=True)
        except RuntimeError:  # there is no directory to keep it in
            return compiled(keep=False)

    ours: list[Any] = [numba.types.Array(numba.float32, n, "C") for n in range(4)]
    given = numba.types.Array(numba.float32, 1, "A", readonly=True)  # a bias may lie anyhow
    return Steps(
        compile_((ours[2], given), _gelu),
        compile_((ours[3], ours[2]), _exponentials),
        compile_((ours[2], ours[2], given, given, given, numba.float64), _add_and_norm),
    )


def _gelu(x: NDArray, bias: NDArray) -> None:  # [I, M], [I]
    """Add the bias and compute gelu.

    erf(u) is u P(u^2) / Q(u^2) for |u| up to 3.94, beyond which float32 has no number between
    erf(u) and 1. It is a least-squares fit, reweighted until its error was even: at most 2.0e-8 of
    erf(u).
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            value = x[i, j] + bias[i]
            u = min(max(value * F(0.70710678), F(-3.94)), F(3.94))
            s = u * u
            p = F(2.03393392e-06) * s + F(0.000284739974)
            p = (p * s + F(0.00379364379)) * s + F(0.0528320782)
            p = (p * s + F(0.191161722)) * s + F(1.12837911)
            q = F(3.79174817e-05) * s + F(0.00116790645)
            q = (q * s + F(0.0150257694)) * s + F(0.114406295)
            q = (q * s + F(0.50274539)) * s + F(1.0)
            x[i, j] = value * F(0.5) * (F(1.0) + u * p / q)


def _exponentials(x: NDArray, sums: NDArray) -> None:  # [X, T, S], [X, S]
    """Compute exp, and its sums over T.

    exp(x) is 2^k exp(r) with r = x - k log 2, at most (log 2) / 2 from zero: there exp(r) is
    1 + r + r^2 P(r), with P fitted as above, to 4e-9. 2^k is written as the bits of a float32, and
    log 2 is subtracted in two parts, the first of so few bits that k times it is exact.
    """
    bits = np.empty(x.shape[2], np.int32)
    power = bits.view(np.float32)
    for i in range(x.shape[0]):
        sums[i, :] = F(0.0)
        for t in range(x.shape[1]):
            row, total = x[i, t], sums[i]
            for s in range(len(row)):
                value = min(max(row[s], F(-87.0)), F(88.0))
                k = np.floor(value * F(1.44269504) + F(0.5))
                r = (value - k * F(0.693359375)) + k * F(2.12194440e-4)
                p = F(0.00138144219) * r + F(0.00836879674)
                p = ((p * r + F(0.0416683959)) * r + F(0.1666652)) * r + F(0.499999934)
                bits[s] = (np.int32(k) + np.int32(127)) << np.int32(23)
                near = p * r * r + r + F(1.0)
                row[s] = row[s] if np.isnan(row[s]) else F(0.0) if row[s] < F(-87.0) else near
            for s in range(len(row)):
                row[s] *= power[s]
                total[s] += row[s]


def _add_and_norm(
    x: NDArray, residual: NDArray, bias: NDArray, weight: NDArray, shift: NDArray, eps: float
) -> None:  # [H, M], [H, M], [H], [H], [H]
    """Add the bias and the residual, and compute the layer norm of each column.

    Each inner loop is along a row, which lies in one piece, with the sums of all columns at hand.
    """
    size, n_columns = F(x.shape[0]), x.shape[1]
    mean, square = np.zeros(n_columns, F), np.zeros(n_columns, F)
    for i in range(x.shape[0]):
        row, before = x[i], residual[i]
        for j in range(n_columns):
            row[j] += bias[i] + before[j]
        for j in range(n_columns):
            mean[j] += row[j]
    mean /= size
    for i in range(x.shape[0]):
        row = x[i]
        for j in range(n_columns):
            centred = row[j] - mean[j]
            row[j] = centred
            square[j] += centred * centred
    scale = F(1.0) / np.sqrt(square / size + F(eps))
    for i in range(x.shape[0]):
        row = x[i]
        for j in range(n_columns):
            row[j] = row[j] * scale[j] * weight[i] + shift[i]
