"""Whether a guess is what the port has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import Array
from ..bounded import BoundedArray, Numbers
from ..replay import Step, is_masked
from .table import Guess

__all__ = ["counting", "made", "misfit", "root_mean_square", "surprise"]


def made(guess: Guess, like: Array) -> Array | None:
    """Compute a guess, or None where the mistake cannot be made in this model."""
    try:
        array = guess.make()
    except (LookupError, ValueError):  # other shapes, ids beyond a table, a tensor that is not here
        return None
    return array if tuple(array.shape) == tuple(like.shape) else None


def misfit(
    value: Numbers, bound: Numbers | None, port: Numbers, counts: Numbers | None = None
) -> float:
    """Give the largest error over its budget, 0 where the two are the same."""
    return float(np.max(_ratios(value, bound, port, counts), initial=0.0))


def surprise(
    value: Numbers, bound: Numbers | None, port: Numbers, counts: Numbers | None = None
) -> float:
    """Tell how unlikely it is, as a power of ten, that something else comes to what the port has.

    An error of r budgets is met by chance in one of r cases.
    """
    return float(np.sum(np.log10(np.maximum(_ratios(value, bound, port, counts), 1.0))))


def _ratios(
    value: Numbers, bound: Numbers | None, port: Numbers, counts: Numbers | None
) -> Numbers:
    """Give each error over its budget, infinity where one of the two alone is odd."""
    same = (port == value) | (_is_nan(port) & _is_nan(value))
    if counts is not None:
        same = same | ~counts
    off = np.full(value.shape, np.inf) if bound is None else abs(port - value) / bound
    off = np.where(np.isnan(off) | np.isinf(port), np.inf, off)
    return np.where(same, 0.0, off)


def _is_nan(x: Numbers) -> Any:
    return np.isnan(x) if x.dtype.kind == "f" else np.zeros((), bool)


def root_mean_square(x: Numbers) -> float:
    """Give the size of numbers, those aside that are infinite or NaN."""
    finite = x[np.isfinite(x)]
    return float(np.sqrt(np.mean(finite * finite))) if finite.size else 0.0


def counting(name: str, steps: Mapping[str, tuple[Step, BoundedArray]]) -> Numbers | None:
    """Tell which numbers of a tensor count: of scores, those that are not masked."""
    masked = steps.get(f"{name}.masked")
    return None if masked is None else ~is_masked(masked[0].value)
