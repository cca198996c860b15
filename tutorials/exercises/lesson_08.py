"""Exercises of lesson 8: numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minirobert.functional import gelu, gelu_new

from .judging import Exercise, SameFunction, Satisfies

__all__ = ["EXERCISES"]


# 8.1: roundoff


def _roundoff(dtype: Any) -> float:
    return float(np.finfo(dtype).eps) / 2


def _a_dtype(rng: np.random.Generator) -> tuple[Any, ...]:
    return ((np.float16, np.float32, np.float64)[int(rng.integers(3))],)


# 8.2: Kahan's sum


def _no_kahan(answer: Any) -> str | None:
    if not callable(answer):
        return "wanted: a function of an array"
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64, np.float16):
        u = float(np.finfo(dtype).eps) / 2
        n = 1500 if dtype is np.float16 else 4000
        for x in (rng.random(n).astype(dtype), (rng.random(n) + 3).astype(dtype)):
            total = answer(x.copy().view(_OneByOne))
            if getattr(total, "dtype", None) != dtype:
                kind = getattr(total, "dtype", type(total).__name__)
                return (
                    f"a sum of {dtype.__name__} is wanted in {dtype.__name__}, and this is {kind}"
                )
            off = _relative(total, x) / u
            if not off <= 2:
                return (
                    f"{n} numbers of {dtype.__name__} are off by {off:.1f} u, and 2 are allowed "
                    f"(one by one it would be {_relative(np.cumsum(x)[-1], x) / u:.1f} u)"
                )
    return None


class _OneByOne(np.ndarray[Any, Any]):
    """An array that does not add itself up: NumPy does that in pairs."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            raise TypeError(
                f"np.{ufunc.__name__}.{method}, as a sum of NumPy's, is not allowed here: "
                "add the numbers up one by one"
            )
        plain = [one.view(np.ndarray) if isinstance(one, _OneByOne) else one for one in inputs]
        return ufunc(*plain, **options)


def _relative(total: Any, x: Any) -> float:
    exact = math.fsum(x.astype(float).tolist())
    return abs(float(total) - exact) / abs(exact)


# 8.3: exponentials


def _logsumexp(x: Any) -> Any:  # [..., X] -> [...]
    top = x.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True)))[..., 0]


def _without_maximum(x: Any) -> Any:
    with np.errstate(over="ignore", divide="ignore"):
        return np.log(np.exp(x).sum(axis=-1))


def _maximum_of_all(x: Any) -> Any:
    with np.errstate(divide="ignore"):
        return x.max() + np.log(np.exp(x - x.max()).sum(axis=-1))


def _forgets_the_maximum(x: Any) -> Any:
    return np.log(np.exp(x - x.max(axis=-1, keepdims=True)).sum(axis=-1))


def _keeps_the_axis(x: Any) -> Any:
    return _logsumexp(x)[..., None]


def _huge_rows(rng: np.random.Generator) -> tuple[Any, ...]:
    x = rng.normal(0, 3, (3, 2, 5))
    x[0] += 1e4
    x[1] -= 1e4
    return (x,)


# 8.4: variance


def _variance(x: Any) -> Any:  # [..., X] -> [...]
    wide = x.astype(np.float64)
    return wide.var(axis=-1)


def _one_pass(x: Any) -> Any:
    return (x * x).mean(axis=-1) - x.mean(axis=-1) ** 2


def _unbiased(x: Any) -> Any:
    return x.astype(np.float64).var(axis=-1, ddof=1)


def _no_square(x: Any) -> Any:
    return np.sqrt(_variance(x))


def _far_rows(rng: np.random.Generator) -> tuple[Any, ...]:
    means = 10 ** rng.uniform(0, 4, (3, 1))
    return ((rng.normal(0, 1, (3, 64)) + means).astype(np.float32),)


# 8.5 to 8.7: judges


def _rms(x: Any) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def _times_theirs(ours: Any, theirs: Any, exact: Any) -> float:
    return _rms(ours - exact) / _rms(theirs - exact)


def _against_theirs(ours: Any, theirs: Any, exact: Any) -> float:
    return _rms(ours - theirs) / _rms(theirs - exact)


def _theirs_over_ours(ours: Any, theirs: Any, exact: Any) -> float:
    return 1 / _times_theirs(ours, theirs, exact)


def _by_means(ours: Any, theirs: Any, exact: Any) -> float:
    return float(abs(np.mean(ours - exact)) / abs(np.mean(theirs - exact)))


def _three_results(rng: np.random.Generator) -> tuple[Any, ...]:
    exact = rng.normal(0, 3, (4, 7))
    ours, theirs = (exact + rng.normal(0, rng.uniform(1e-3, 1), (4, 7)) for _ in range(2))
    return ours, theirs, exact


#: How far torch's gelu in float32 is off on this grid, measured with torch 2.13 on a CPU.
_ROUNDING_OF_TORCH = 9.0e-7


def _no_atol(atol: Any) -> str | None:
    grid = np.linspace(-6, 6, 4001, dtype=np.float32)
    exact = gelu(grid.astype(np.float64))
    rounding = max(float(np.abs(gelu(grid) - exact).max()), _ROUNDING_OF_TORCH)
    mistake = float(np.abs(gelu_new(grid) - exact).max())
    if not float(atol) > rounding:
        return f"it refuses gelu in float32, which is off by up to {rounding:.1e}"
    return None if atol < mistake else f"it accepts gelu_new, which is off by {mistake:.1e}"


def _not_close(answer: Any) -> str | None:
    if not callable(answer):
        return "wanted: a function of got and wanted"
    rng = np.random.default_rng(0)
    row = rng.normal(0, 1, (1, 50))
    if answer(row.astype(np.float32), np.repeat(row, 4, axis=0)):
        return "it accepts one row where there should be four of its kind: compare the shapes"
    for scale in (1e-6, 1.0, 1e5):
        wanted = rng.normal(0, scale, (4, 50))
        wanted[0, 0] = 0.0
        top = np.abs(wanted).max()
        for told, got, is_close in _cases(wanted, top, rng):
            said = answer(got, wanted.copy())
            if bool(said) != is_close:
                verdict = "refuses" if is_close else "accepts"
                return f"with numbers of the size {scale:g} it {verdict} {told}"
    return None


def _cases(wanted: Any, top: float, rng: np.random.Generator) -> list[tuple[str, Any, bool]]:
    """List results for the judge, each with a name and whether it is close."""
    off = wanted.copy()
    off[2, 3] += 1e-3 * top
    missing = wanted.copy()
    missing[1, 1] = np.nan
    noise = rng.uniform(-18, 18, wanted.shape) * 2.0**-24 * top
    return [
        ("what is only rounded to float32", wanted.astype(np.float32), True),
        ("rounding of up to 19 u of the largest", (wanted + noise).astype(np.float32), True),
        ("one element that is off by a thousandth", off.astype(np.float32), False),
        ("a NaN", missing.astype(np.float32), False),
        ("all elements in another order", wanted[:, ::-1].astype(np.float32), False),
    ]


EXERCISES = [
    Exercise(
        number="8.1",
        title="The unit roundoff, by trying",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(_roundoff, _a_dtype, tolerance=0),
        right="Half of the distance from 1 to the next number vanishes when it is added to 1.",
        hint="Begin with u = 1, halve it as long as 1 + u is more than 1, and keep to the dtype.",
        mistakes={
            "That is the distance to the next number, eps. Half of it is the one that vanishes.": (
                lambda dtype: 2 * _roundoff(dtype)
            ),
            "That is one half too far: 1 + 2u vanished already?": lambda dtype: (
                _roundoff(dtype) / 2
            ),
            "Is every number of the dtype? A number of Python beside it may make it float64.": (
                lambda dtype: _roundoff(np.float64)
            ),
        },
    ),
    Exercise(
        number="8.2",
        title="Kahan's sum",
        minutes=10,
        difficulty="medium",
        judge=Satisfies(_no_kahan),
        right="Off by no more than two roundoffs, however many numbers there are: what is lost "
        "is kept.",
        hint="It is the loop above. Begin with x.dtype.type(0), and return the total.",
    ),
    Exercise(
        number="8.3",
        title="The logarithm of a sum of exponentials",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_logsumexp, _huge_rows),
        right="Take the maximum of each row away, and add it again behind the logarithm.",
        hint="log Σ exp(x) = m + log Σ exp(x - m), for any m. Which one is safe for each row?",
        mistakes={
            "exp is infinite from 710 on in float64, and 0 below -745.": _without_maximum,
            "Rows are far from each other: each needs a maximum of its own.": _maximum_of_all,
            "What was taken away has to come back, behind the logarithm.": _forgets_the_maximum,
            "The last axis is summed, and should be gone.": _keeps_the_axis,
        },
    ),
    Exercise(
        number="8.4",
        title="A variance that does not cancel",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_variance, _far_rows, tolerance=1e-4),
        right="The mean is taken away first, and what is squared then is small.",
        hint="Which numbers are squared in the formula on the left, and how large are they?",
        mistakes={
            "That is the formula on the right: both halves are about as large as the square of "
            "the mean.": _one_pass,
            "Divided by n, not by n - 1.": _unbiased,
            "That is the deviation, the root of the variance.": _no_square,
        },
    ),
    Exercise(
        number="8.5",
        title="How many times their error?",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(_times_theirs, _three_results),
        right="About 1 is as good as theirs. It says nothing of how far the two are apart.",
        hint="Two differences from the exact result, a root mean square of each, and a quotient.",
        mistakes={
            "Our error is the distance from the exact result, not from theirs.": _against_theirs,
            "It is the other way round: ours over theirs.": _theirs_over_ours,
            "Errors of either sign cancel in a mean. Square them first.": _by_means,
        },
    ),
    Exercise(
        number="8.6",
        title="A tolerance that stops gelu_new",
        minutes=5,
        difficulty="easy",
        judge=Satisfies(_no_atol),
        right="It lies between the two measurements, rounding and mistake.",
        hint="Look at the picture: rounding is the lower curve. A line between the two?",
    ),
    Exercise(
        number="8.7",
        title="A judge for tensors of any scale",
        minutes=10,
        difficulty="hard",
        judge=Satisfies(_not_close),
        right="The largest error over the largest element: one number, whatever the scale.",
        hint="What is the largest difference, over the largest element of `wanted`? Compare shapes "
        "first, and remember that NaN is less than nothing.",
    ),
]
