"""Exercises of lesson 10: one code, many array libraries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from minirobert.arrays import array_namespace, device_of, dtype_name, is_array_api_obj, to_numpy
from minirobert.functional import embedding, layer_norm, softmax

from .judging import Exercise, Refused, SameFunction, called, difference, written

__all__ = ["EXERCISES", "AnyLibrary"]

Move = Callable[[Any], Any]


def _libraries() -> Iterator[tuple[str, Move]]:
    """Give the libraries to judge on, each with what moves an array of NumPy there."""
    yield "NumPy", lambda array: array
    if find_spec("array_api_strict"):
        import array_api_strict as strict

        device = strict.Device("device1")
        yield "array_api_strict, device1", lambda array: strict.asarray(array, device=device)


@dataclass(frozen=True)
class AnyLibrary:
    """The answer is a function of arrays that gives what ``reference`` gives, in any library.

    It must stay in the library of its arrays, on their device, and in the dtype of the first.
    """

    reference: Callable[..., Any]
    names: tuple[str, ...]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    tolerance: float = 1e-5
    times: int = 5

    def __call__(self, answer: Any) -> None:
        if not callable(answer):
            raise Refused(f"  got: {written(answer)}\n  wanted: a function of arrays")
        rng = np.random.default_rng(0)
        for _ in range(self.times):
            drawn = self.inputs(rng)
            with np.errstate(all="ignore"):
                wanted = self.reference(*drawn)
                for library, move in _libraries():
                    self._compare(answer, drawn, np.asarray(wanted), library, move)

    def _compare(self, answer: Any, drawn: Any, wanted: Any, library: str, move: Move) -> None:
        moved = tuple(move(one.copy()) if isinstance(one, np.ndarray) else one for one in drawn)
        try:
            got = called(answer, moved, list(self.names), told=drawn)
        except Refused as refused:
            raise Refused(f"  on {library}\n{refused}") from None
        told = _elsewhere(got, moved[0])
        if not told and not np.array_equal(to_numpy(moved[0]), drawn[0], equal_nan=True):
            told = "the array that it was given is another one now: an answer must not change it"
        if told:
            raise Refused(f"  on {library}\n  {told}")
        host = to_numpy(got)
        told = difference(host, wanted, self.tolerance)
        if told:
            raise Refused(
                f"  on {library}\n  got: {written(host)}\n  wanted: {written(wanted)}\n  {told}"
            )

    def like(self, wrong: Callable[..., Any]) -> AnyLibrary:
        """Judge as if a wrong answer were right."""
        return AnyLibrary(wrong, self.names, self.inputs, self.tolerance, self.times)


def _elsewhere(got: Any, first: Any) -> str | None:
    """Tell whether a result is of another library, device or dtype than the array it came from."""
    if got is None:
        return "None is no answer: is there a return?"
    if not is_array_api_obj(got):
        return f"wanted: an array of the same library, and this is of type {type(got).__name__}"
    if array_namespace(got) is not array_namespace(first):
        return f"wanted: an array of the same library, and this is of {type(got).__module__}"
    if device_of(got) != device_of(first):
        return f"wanted: on the same device, and this is on {device_of(got)}"
    if got.dtype != first.dtype:
        return f"wanted: {dtype_name(first)} as it goes in, and this is {dtype_name(got)}"
    return None


# What is drawn, and the typical wrong answers


def _scores(rng: np.random.Generator) -> tuple[Any, ...]:
    return ((rng.normal(0, 2, (2, 3, 4)) + rng.choice([0, 500])).astype(np.float32),)


def _without_maximum(x: Any) -> Any:
    xp = array_namespace(x)
    e = xp.exp(x)
    return e / xp.sum(e, axis=-1, keepdims=True)


def _over_rows(x: Any) -> Any:
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=-2, keepdims=True))
    return e / xp.sum(e, axis=-2, keepdims=True)


def _over_all(x: Any) -> Any:
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x))
    return e / xp.sum(e)


def _rows(rng: np.random.Generator) -> tuple[Any, ...]:
    x = (rng.normal(3, 1, (2, 3, 6)) * 10 ** rng.uniform(-2, 1)).astype(np.float32)
    weight, bias = (rng.normal(1, 0.5, 6).astype(np.float32) for _ in range(2))
    return x, weight, bias, 1e-3


def _unbiased(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    xp = array_namespace(x)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.var(x, axis=-1, keepdims=True, correction=1)
    return centred / xp.sqrt(variance + eps) * weight + bias


def _eps_outside(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    xp = array_namespace(x)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    return centred / (xp.sqrt(variance) + eps) * weight + bias


def _table_and_ids(rng: np.random.Generator) -> tuple[Any, ...]:
    shape = tuple(int(n) for n in rng.integers(1, 4, int(rng.integers(1, 4))))
    return rng.normal(0, 1, (7, 3)).astype(np.float32), rng.integers(0, 7, shape)


def _flat_rows(table: Any, ids: Any) -> Any:
    xp = array_namespace(table)
    return xp.take(table, xp.reshape(ids, (-1,)), axis=0)


def _scaled_scores(query: Any, key: Any) -> Any:
    return query @ array_namespace(query).matrix_transpose(key) / math.sqrt(query.shape[-1])


def _unscaled(query: Any, key: Any) -> Any:
    return query @ array_namespace(query).matrix_transpose(key)


def _scaled_by_all(query: Any, key: Any) -> Any:
    return _unscaled(query, key) / query.shape[-1]


def _query_and_key(rng: np.random.Generator) -> tuple[Any, ...]:
    return tuple(rng.normal(0, 1, (2, 3, n, 5)).astype(np.float32) for n in (4, 6))


def _mask_future(scores: Any) -> Any:
    return _masked(scores, lambda i, j: j > i)


def _masked(scores: Any, hidden: Callable[[Any, Any], Any]) -> Any:
    xp = array_namespace(scores)
    places = xp.arange(scores.shape[-1], device=device_of(scores))
    return xp.where(hidden(places[:, None], places[None, :]), -math.inf, scores)


def _squares(rng: np.random.Generator) -> tuple[Any, ...]:
    size = int(rng.integers(2, 6))
    return (rng.normal(0, 1, (2, size, size)).astype(np.float32),)


class _Curve:
    """A smooth function of an array, which can be written in a message."""

    def __init__(self, factors: Any) -> None:
        self.factors = factors

    def __call__(self, x: Any) -> float:
        return float(np.sum(np.sin(self.factors * x)) + np.sum(x**3) / 3)

    def __repr__(self) -> str:
        return f"a sum of sin({written(self.factors)} x) + x**3 / 3"


def _slope(function: Any, x: Any, direction: Any, step: float) -> float:
    ahead, back = function(x + step * direction), function(x - step * direction)
    return float((ahead - back) / (2 * step))


def _one_sided(function: Any, x: Any, direction: Any, step: float) -> float:
    return float((function(x + step * direction) - function(x)) / step)


def _twice(function: Any, x: Any, direction: Any, step: float) -> float:
    return 2 * _slope(function, x, direction, step)


def _undivided(function: Any, x: Any, direction: Any, step: float) -> float:
    return 2 * step * _slope(function, x, direction, step)


def _curve_and_place(rng: np.random.Generator) -> tuple[Any, ...]:
    return _Curve(rng.normal(0, 2, 4)), rng.normal(0, 1, 4), rng.normal(0, 1, 4), 1e-2


EXERCISES = [
    Exercise(
        number="10.1",
        title="Softmax, for any library",
        minutes=10,
        difficulty="easy",
        judge=AnyLibrary(softmax, ("x",), _scores),
        right="xp is found from the array, and no line says NumPy.",
        hint="Begin with xp = array_namespace(x). Which three functions of xp do you need?",
        mistakes={
            "exp overflows from 89 on in float32: take the largest score away first.": (
                _without_maximum
            ),
            "The probabilities of the last axis sum to 1.": _over_rows,
            "Each row is a distribution of its own: axis=-1, and keepdims=True.": _over_all,
        },
    ),
    Exercise(
        number="10.2",
        title="Layer norm, for any library",
        minutes=10,
        difficulty="medium",
        judge=AnyLibrary(layer_norm, ("x", "weight", "bias", "eps"), _rows),
        right="eps is a number of Python, and so leaves float32 alone.",
        hint="xp.mean twice, of x and of a square, each with axis=-1 and keepdims=True.",
        mistakes={
            "The variance is divided by the size, not by the size less 1.": _unbiased,
            "eps is added to the variance, under the root.": _eps_outside,
        },
    ),
    Exercise(
        number="10.3",
        title="An embedding lookup without fancy indexing",
        minutes=10,
        difficulty="medium",
        judge=AnyLibrary(embedding, ("table", "ids"), _table_and_ids),
        right="take wants ids in one row, and reshape brings their axes back, and one more.",
        hint="The standard has xp.take(table, ids, axis=0), for ids of one axis. Make them one.",
        mistakes={
            "The ids had a shape, and the result is to have it, too: [..., H].": _flat_rows,
        },
    ),
    Exercise(
        number="10.4",
        title="Repair what upcasts",
        minutes=5,
        difficulty="easy",
        judge=AnyLibrary(_scaled_scores, ("query", "key"), _query_and_key),
        right="A number of Python takes the dtype of the array, and the function is found from it.",
        hint="Two calls of np are in it. One gives a float64, and both are NumPy's alone.",
        mistakes={
            "Divide by the root of the head size.": _unscaled,
            "By its root, not by the head size itself.": _scaled_by_all,
        },
    ),
    Exercise(
        number="10.5",
        title="A mask without assignment",
        minutes=10,
        difficulty="medium",
        judge=AnyLibrary(_mask_future, ("scores",), _squares),
        right="where makes a new array, and what is made from nothing is made on the right device.",
        hint="xp.where(hidden, -math.inf, scores). `hidden` compares two xp.arange, each of which "
        "needs device=.",
        mistakes={
            "A token may look back and at itself, not ahead: the other triangle.": (
                lambda scores: _masked(scores, lambda i, j: j < i)
            ),
            "A token may look at itself.": lambda scores: _masked(scores, lambda i, j: j >= i),
        },
    ),
    Exercise(
        number="10.6",
        title="A slope by differences",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_slope, _curve_and_place),
        right="Two values, one step ahead and one back: the error falls with the square of the "
        "step.",
        hint="From -step to step it is twice a step.",
        mistakes={
            "Take a step back, too: from one side the error is as large as the step.": _one_sided,
            "From -step to step it is two steps.": _twice,
            "A slope is a difference over a distance.": _undivided,
        },
    ),
]
