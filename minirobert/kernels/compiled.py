"""Two steps of a layer that numba compiles, where it is installed (``pip install numba``).

NumPy walks through memory once for each operator of a formula, a compiled loop once in all: `gelu`
takes a tenth of the time, and the exponentials of the scores a third. Each runs in the thread that
calls it. The first call on a machine compiles, in a second or two, and keeps what it compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

__all__ = ["Compiled", "compiled_for", "uses_numba"]

NDArray: TypeAlias = np.ndarray[Any, Any]

#: Elements of an array below which numba is left alone: its start takes a tenth of a second.
_FEW = 1 << 16

F = np.float32  # numba reads it as a constant


class Compiled(NamedTuple):
    """The functions below, compiled."""

    gelu: Callable[[NDArray, NDArray], None]
    exponentials: Callable[[NDArray, NDArray], None]


def compiled_for(x: NDArray) -> Compiled | None:
    """Give the compiled functions where numba is installed, and x is worth its start."""
    return _compiled() if x.size >= _FEW else None


def uses_numba() -> bool:
    """Tell whether numba is installed and compiles; ``NUMBA_DISABLE_JIT=1`` forbids it."""
    return _compiled() is not None


@cache
def _compiled() -> Compiled | None:
    try:
        import numba  # if at all
    except ImportError:  # also of a numba that is too old for this NumPy
        return None
    if getattr(numba.config, "DISABLE_JIT", 0):
        return None

    def compile_(signature: str, function: Callable[..., None]) -> Any:
        def compiled(keep: bool) -> Any:
            return numba.njit(signature, nogil=True, error_model="numpy", cache=keep)(function)

        try:
            return compiled(keep=True)
        except RuntimeError:  # there is no directory to keep it in
            return compiled(keep=False)

    return Compiled(
        compile_("void(f4[:,::1], f4[::1])", _gelu),
        compile_("void(f4[:,:,::1], f4[:,::1])", _exponentials),
    )


def _gelu(x: NDArray, bias: NDArray) -> None:  # [I, M], [I]
    """Add the bias and compute `minirobert.functional.gelu`, in place.

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
    """Compute exp in place, and its sums over T.

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
