"""A port's tensors of a case, against those expected and their budgets."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...parameters import CheckpointError
from ...sentences import plain
from ..tensor_file import read_tensors
from .results import CaseScore

__all__ = ["BUDGET", "Error", "largest_error", "score_tensors"]

Numbers = np.ndarray[Any, Any]

#: What stands before the name of a tensor in that of its budget.
BUDGET = "budget."


def score_tensors(name: str, outputs: list[str], expected: Path, port: Path) -> CaseScore:
    """Compare each tensor that the port has.

    Parameters
    ----------
    name : str
        Of the case.
    outputs : list of str
        What the port must have.
    expected, port : Path
        The two files; that of the port may be missing.
    """
    if not port.exists():
        return CaseScore(name, "missing", why=f"there is no {plain(port.name)}")
    right = read_tensors(expected).tensors
    try:
        found = read_tensors(port).tensors
    except CheckpointError as error:
        return CaseScore(name, "departs", why=plain(error, 300), ratio=math.inf)
    names = [one for one in right if one in found and not one.startswith(BUDGET)]
    unknown = tuple(one for one in found if one not in right)
    errors = {one: largest_error(found[one], right[one], right.get(BUDGET + one)) for one in names}
    absent = [one for one in outputs if one not in found]
    wrong = [one for one in names if not errors[one].ratio <= 1]
    ratio = max((error.ratio for error in errors.values()), default=0.0)
    if wrong:
        why = errors[wrong[0]].why
        return CaseScore(name, "departs", len(names), wrong[0], why, ratio, unknown)
    if absent:
        why = "the port does not have it"
        return CaseScore(name, "departs", len(names), absent[0], why, math.inf, unknown)
    return CaseScore(name, "passes", len(names), ratio=ratio, unknown=unknown)


class Error(NamedTuple):
    """The largest error of a tensor over its budget, and where it is."""

    ratio: float
    why: str = ""


def largest_error(port: Numbers, expected: Numbers, budget: Numbers | None) -> Error:
    """Compare two tensors: NaN is right where it is expected; without a budget all is equal."""
    if budget is None:
        port, expected = _alike(port, expected)
    if port.shape != expected.shape:
        return Error(math.inf, f"its shape is {[*port.shape]}, and must be {[*expected.shape]}")
    if not expected.size:
        return Error(0.0)
    own, right = port.astype(np.float64), expected.astype(np.float64)
    allowed = np.zeros(right.shape) if budget is None else budget.astype(np.float64)
    with np.errstate(all="ignore"):
        off = np.where((own == right) | (np.isnan(own) & np.isnan(right)), 0.0, abs(own - right))
        ratios = np.where(off == 0, 0.0, off / allowed)
    ratios = np.where(np.isinf(allowed), 0.0, np.where(np.isnan(ratios), math.inf, ratios))
    at = np.unravel_index(int(np.argmax(ratios)), ratios.shape)
    place = [int(one) for one in at]
    why = f"at {place} it is {own[at]:.9g}, and must be {right[at]:.9g}"
    if budget is not None:
        why += f" within {allowed[at]:.2g}"
    return Error(float(ratios[at]), why)


def _alike(port: Numbers, expected: Numbers) -> tuple[Numbers, ...]:
    """Bring ids, masks and rows of tables to one shape: one row may stand for all.

    The choices of a text may have an axis of their own.
    """
    if port.size == expected.size and port.shape[-1:] == expected.shape[-1:]:
        return port.reshape(expected.shape), expected
    try:
        return np.broadcast_arrays(port, expected)
    except ValueError:
        return port, expected
