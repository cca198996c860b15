"""What a layer computes between two products, in place: by NumPy, or compiled.

Three steps, each on columns: arrays ``[X, M]`` in which a token is a column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .cpu import BLOCK, gelu_block

__all__ = ["NUMPY", "Steps"]

NDArray: TypeAlias = np.ndarray[Any, Any]


class Steps(NamedTuple):
    """The three steps; each writes over its first argument."""

    #: ``gelu(x, bias)``: add the bias, and compute `minirobert.functional.gelu`.
    gelu: Callable[[NDArray, NDArray], None]
    #: ``exponentials(x, sums)``: compute exp, and put its sums over the keys into ``sums``.
    exponentials: Callable[[NDArray, NDArray], None]
    #: ``add_and_norm(x, residual, bias, weight, shift, eps)``: add the bias and the residual, and
    #: compute `minirobert.functional.layer_norm` with the weight, and with ``shift`` as its bias.
    add_and_norm: Callable[[NDArray, NDArray, NDArray, NDArray, NDArray, float], None]


def _gelu(x: NDArray, bias: NDArray) -> None:  # [I, M], [I]
    step = max(1, BLOCK // x.shape[1])
    square, inner = np.empty((2, step, x.shape[1]), x.dtype)
    for start in range(0, len(x), step):
        part = x[start : start + step]
        part += bias[start : start + step, None]
        gelu_block(part, part, square[: len(part)], inner[: len(part)])


def _exponentials(x: NDArray, sums: NDArray) -> None:  # [X, T, S], [X, S]
    with np.errstate(over="ignore"):
        np.exp(x, out=x)
        x.sum(axis=1, out=sums)


def _add_and_norm(
    x: NDArray, residual: NDArray, bias: NDArray, weight: NDArray, shift: NDArray, eps: float
) -> None:  # [H, M], [H, M], [H], [H], [H]
    x += bias[:, None]
    x += residual
    x -= x.mean(axis=0)
    variance = np.square(x).mean(axis=0)
    x *= 1 / np.sqrt(variance + eps)
    x *= weight[:, None]
    x += shift[:, None]


NUMPY = Steps(_gelu, _exponentials, _add_and_norm)
