"""A row of a comparison: one tensor of the port, beside what it must be."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

import numpy as np

from .arithmetic import FORMATS
from .bounded import Numbers
from .replay import Step, is_masked, is_split

__all__ = ["Explanation", "Row", "as_rows", "is_seen_split", "judged"]


@dataclass(frozen=True)
class Explanation:
    """A known mistake that gives what the port has, within rounding.

    Parameters
    ----------
    text : str
        As ``"the activation is gelu_new, not gelu"``.
    ratio : float
        The largest error over its budget, if the reference makes this mistake.
    is_coarse : bool
        Whether it is no mistake, but a way to compute that loses digits.
    is_pattern : bool
        Whether it does not name a mistake, but tells what is odd about the tensor.
    """

    text: str
    ratio: float
    is_coarse: bool = False
    is_pattern: bool = False


@dataclass(frozen=True)
class Row:
    """One tensor of the port, and what the reference makes of the port's own inputs of that step.

    Parameters
    ----------
    name : str
    verdict : str
        ``"exact"``: the very numbers. ``"rounding"``: no further from the exact result than correct
        arithmetic may be. ``"departs"``. ``"missing"``: the port does not show it.
    reason : str
        Of a departure: ``""``, ``"range"`` (infinite or not a number, where the other is not) or
        ``"shape"``.
    shape : tuple of int
        As the port has it; of a missing one as we do.
    dtype : str
        In which the port stores it.
    ratio, rms_ratio : float
        The largest error over its budget; the root mean square of the errors over that of the
        budgets.
    max_abs, mean_abs : float
        The largest and mean absolute error.
    rel_to_scale : float
        The largest error over the root mean square of the tensor.
    ulp : float
        The error at the worst place in units of its last place, in the port's dtype.
    cosine : float
        Of the angle between the two tensors.
    bits : float
        How many binary digits agree, of the largest error relative to the scale.
    at : tuple of int
        The place that is worst by its budget.
    port, expected, budget : float
        What stands there.
    inherited : bool
        Whether the step is right, but not what it was given.
    explanations : tuple of Explanation
        The best first.
    """

    name: str
    verdict: str
    reason: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    ratio: float = 0.0
    rms_ratio: float = 0.0
    max_abs: float = 0.0
    mean_abs: float = 0.0
    rel_to_scale: float = 0.0
    ulp: float = 0.0
    cosine: float = 1.0
    bits: float = float("inf")
    at: tuple[int, ...] = ()
    port: float = 0.0
    expected: float = 0.0
    budget: float = 0.0
    inherited: bool = False
    explanations: tuple[Explanation, ...] = ()

    @property
    def departs(self) -> bool:
        """Whether rounding does not explain it."""
        return self.verdict == "departs"


def judged(name: str, step: Step, dtype: str, counts: Numbers | None = None) -> Row:
    """Compare a tensor of the port with what it must be.

    Parameters
    ----------
    name : str
    step : Step
        Which has the port's tensor.
    dtype : str
        In which the port stores it.
    counts : boolean array, optional
        Which of its numbers count: of scores, those that are not masked.
    """
    assert step.port is not None
    own, port = step.value, step.port
    if own.dtype.kind != "f":
        return _judged_exactly(name, own, port, dtype)
    port = port.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (port == own) | (np.isnan(port) & np.isnan(own))
        if counts is not None:
            same = same | ~counts
        error = np.where(same, 0.0, abs(port - own))
        budget = np.zeros(own.shape) if step.bound is None else step.bound
        ratios = np.where(same, 0.0, error / budget)
        odd = ~same & ~(np.isfinite(port) & np.isfinite(own))
        ratios = np.where(np.isnan(ratios) | odd, np.inf, ratios)
    row = _measured(name, own, port, same, error, budget, ratios, dtype)
    if odd.any():
        return replace(row, verdict="departs", reason="range")
    return row


def _measured(
    name: str,
    own: Numbers,
    port: Numbers,
    same: Numbers,
    error: Numbers,
    budget: Numbers,
    ratios: Numbers,
    dtype: str,
) -> Row:
    """Fill in the numbers of a row."""
    at = np.unravel_index(int(np.argmax(ratios)), ratios.shape) if ratios.ndim else ()
    ratio = float(ratios[at])
    verdict = "exact" if bool(same.all()) else "rounding" if ratio <= 1 else "departs"
    unit = FORMATS.get(dtype, FORMATS["float64"]).unit
    with np.errstate(all="ignore"):
        finite = np.isfinite(port) & np.isfinite(own) & (abs(own) < 1e300) & (error < 1e300)
        a, b = np.where(finite, own, 0.0), np.where(finite, port, 0.0)
        off = np.where(finite, error, 0.0)
        scale = _root_mean_square(a)
        spacing = 2 * unit * 2.0 ** np.floor(np.log2(abs(a[at]) or 1.0))
        largest = float(np.max(off, initial=0.0))
        relative = largest / scale if scale else (0.0 if largest == 0 else np.inf)
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        rms_budget = _root_mean_square(np.where(np.isfinite(budget), budget, 0.0))
        rms = _root_mean_square(off)
        return Row(
            name,
            verdict,
            shape=tuple(port.shape),
            dtype=dtype,
            ratio=ratio,
            rms_ratio=rms / rms_budget if rms_budget else (np.inf if rms else 0.0),
            max_abs=largest,
            mean_abs=float(np.mean(off)),
            rel_to_scale=float(relative),
            ulp=float(off[at] / spacing),
            cosine=float(np.vdot(a, b) / norms) if norms else 1.0,
            bits=float(-np.log2(relative)) if relative else np.inf,
            at=tuple(int(i) for i in at),
            port=float(port[at]),
            expected=float(own[at]),
            budget=float(budget[at]),
        )


def _root_mean_square(x: Numbers) -> float:
    return float(np.sqrt(np.mean(x * x)))


def _judged_exactly(name: str, own: Numbers, port: Numbers, dtype: str) -> Row:
    """Compare integers or booleans."""
    wrong = own != port
    row = Row(name, "exact", shape=tuple(port.shape), dtype=dtype)
    if not wrong.any():
        return row
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    off = abs(port.astype(np.float64) - own.astype(np.float64))
    return replace(
        row,
        verdict="departs",
        ratio=np.inf,
        rms_ratio=np.inf,
        max_abs=float(np.max(off)),
        mean_abs=float(np.mean(off)),
        at=at,
        port=float(port[at]),
        expected=float(own[at]),
    )


def as_rows(
    steps: Mapping[str, Step], shown: Mapping[str, Numbers], dtypes: Mapping[str, str]
) -> tuple[Row, ...]:
    """Compare all tensors of a call.

    Parameters
    ----------
    steps : mapping of str to Step
        In the order of the computation.
    shown : mapping of str to NumPy array
        What the port has, whatever its shape.
    dtypes : mapping of str to str
        In which the port stores each.
    """
    rows = []
    for name, step in steps.items():
        if step.port is not None:
            masked = steps.get(f"{name}.masked")
            counts = None if masked is None else ~is_masked(masked.value)
            rows.append(judged(name, step, dtypes[name], counts))
        elif name in shown:
            shape = tuple(shown[name].shape)
            rows.append(Row(name, "departs", "shape", shape, dtypes[name], ratio=np.inf))
        elif not is_seen_split(name, shown):
            rows.append(Row(name, "missing", shape=tuple(step.value.shape)))
    return tuple(rows)


def is_seen_split(name: str, shown: Container[str]) -> bool:
    """Tell whether all the numbers of a tensor are shown after they were split into heads.

    >>> is_seen_split("attention.self.query.dense", {"attention.self.query"})
    True
    """
    split = name.removesuffix(".dense")
    return split != name and is_split(split) and split in shown
