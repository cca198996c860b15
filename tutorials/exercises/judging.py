"""How an answer is judged: as a value, as a function on drawn inputs, or by what it must satisfy.

A judge is called with the answer. It returns nothing if the answer is right, and raises `Refused`
with what was got and how far that is from what is wanted. Write a judge of your own the same way.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

__all__ = [
    "Exercise",
    "Judge",
    "Refused",
    "SameFunction",
    "SameValue",
    "Satisfies",
    "called",
    "difference",
    "written",
]


class Refused(Exception):
    """An answer is not right: the message tells what was got, and how far it is from right."""


class Judge(Protocol):
    """Returns if an answer is right, and raises `Refused` if not."""

    def __call__(self, answer: Any) -> None: ...


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    ``mistakes`` maps a hint to the wrong answer that it helps with: whoever gives an answer that
    is wrong in the same way gets that hint, and not the general one. They are what a judge would
    accept if the mistake were right, so only `SameValue` and `SameFunction` have them; a judge of
    another kind says in its `Refused` what is wrong.
    """

    number: str
    title: str
    minutes: int
    difficulty: str  # easy, medium or hard
    judge: Judge
    right: str  # what the right answer shows
    hint: str
    mistakes: dict[str, Any] = field(default_factory=dict)

    def refusal(self, answer: Any) -> str | None:
        """Tell what is wrong with an answer, or nothing if it is right."""
        try:
            self.judge(answer)
        except Refused as refused:
            return str(refused)
        return None

    def hint_for(self, answer: Any) -> str:
        """Give the hint of the mistake that the answer makes, or the general one."""
        for told, wrong in self.mistakes.items():
            try:
                self.judge.like(wrong)(answer)  # type: ignore[attr-defined]
            except Refused:
                continue
            return told
        return self.hint


@dataclass(frozen=True)
class SameValue:
    """The answer is a number, a text, an array, or a list or a dict of such.

    ``wanted`` may be a function without arguments, which is called when the first answer comes:
    loading a model takes a second. Numbers may differ by ``tolerance``.
    """

    wanted: Any
    tolerance: float = 0.0

    def __call__(self, answer: Any) -> None:
        wanted = self.wanted() if callable(self.wanted) else self.wanted
        told = difference(answer, wanted, self.tolerance)
        if told:
            raise Refused(f"  got: {written(answer)}\n  {told}")

    def like(self, wrong: Any) -> SameValue:
        """Judge as if a wrong answer were right."""
        return SameValue(wrong, self.tolerance)


@dataclass(frozen=True)
class SameFunction:
    """The answer is a function, and gives what ``reference`` gives, for every drawn input.

    ``inputs`` takes a random generator of NumPy and gives the arguments of one call, as a tuple.
    """

    reference: Callable[..., Any]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    tolerance: float = 1e-6
    times: int = 20

    def __call__(self, answer: Any) -> None:
        if not callable(answer):
            raise Refused(
                f"  got: {written(answer)}\n  wanted: a function; give it without calling it"
            )
        rng = np.random.default_rng(0)
        for _ in range(self.times):
            arguments = self.inputs(rng)
            wanted = self.reference(*copy.deepcopy(arguments))
            got = called(answer, copy.deepcopy(arguments), self._names())
            told = difference(got, wanted, self.tolerance)
            if told:
                raise Refused(
                    f"  for: {_call(arguments, self._names())}\n  got: {written(got)}\n"
                    f"  wanted: {written(wanted)}\n  {told}"
                )

    def like(self, wrong: Callable[..., Any]) -> SameFunction:
        """Judge as if a wrong answer were right."""
        return SameFunction(wrong, self.inputs, self.tolerance, self.times)

    def _names(self) -> list[str]:
        return list(inspect.signature(self.reference).parameters)


@dataclass(frozen=True)
class Satisfies:
    """The answer is anything for which ``complaint`` gives nothing, and not a sentence."""

    complaint: Callable[[Any], str | None]

    def __call__(self, answer: Any) -> None:
        try:
            told = self.complaint(answer)
        except Exception as error:  # of an answer of another kind
            told = f"that raises {type(error).__name__}: {error}"
        if told:
            raise Refused(f"  got: {written(answer)}\n  {told}")


def difference(got: Any, wanted: Any, tolerance: float = 0.0) -> str | None:
    """Tell how far two values are apart, or nothing if they are the same.

    >>> difference([1.0, 2.5], [1.0, 2.0])
    'how far: 0.5 at [1], the largest of 1 differences in 2 numbers'
    """
    if got is None:
        return "None is no answer: is there a return?"
    if isinstance(wanted, str | dict | bool) or wanted is None:
        is_same = not isinstance(got, np.ndarray) and got == wanted
        return None if is_same else f"how far: {_unlike(got, wanted)}"
    try:
        ours, theirs = np.asarray(got), np.asarray(wanted)
    except ValueError:  # rows of different lengths
        return None if got == wanted else f"how far: {_unlike(got, wanted)}"
    if ours.shape != theirs.shape:
        return f"wanted: the shape {list(theirs.shape)}, and this has {list(ours.shape)}"
    if theirs.dtype.kind not in "biufc" or ours.dtype.kind not in "biufc":
        return None if np.array_equal(ours, theirs) else f"how far: {_unlike(got, wanted)}"
    return _apart(ours.astype(float), theirs.astype(float), tolerance)


def _apart(got: Any, wanted: Any, tolerance: float) -> str | None:
    """Tell the largest difference of two arrays of one shape; NaN is like NaN only."""
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    with np.errstate(invalid="ignore"):
        distance = np.where(same, 0.0, np.abs(got - wanted))  # of the shape of both
    distance = np.where(np.isnan(distance), np.inf, distance)
    far = distance > tolerance * np.maximum(1.0, np.where(np.isfinite(wanted), np.abs(wanted), 1))
    if not far.any():
        return None
    place = np.unravel_index(distance.argmax(), distance.shape)
    where = f" at {[int(i) for i in place]}" if place else ""
    told = f"how far: {distance.max():.3g}{where}"
    many = f", the largest of {int(far.sum())} differences in {far.size} numbers"
    return told + (many if far.size > 1 else "")


def _unlike(got: Any, wanted: Any) -> str:
    """Count the places where two texts, lists or dicts differ."""
    if type(got) is not type(wanted):
        return f"a {type(wanted).__name__} is wanted, and this is a {type(got).__name__}"
    try:
        pairs = list(zip(got, wanted, strict=True))
    except (TypeError, ValueError):
        return (
            "another value"
            if not hasattr(got, "__len__")
            else (f"{len(wanted)} of them are wanted, and these are {len(got)}")
        )
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), 0)
    return f"the first difference is at place {first} of {len(pairs)}"


def called(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    names: list[str],
    told: tuple[Any, ...] | None = None,
) -> Any:
    """Call an answer, and refuse it if it raises, with its arguments, or what is told of them."""
    try:
        return function(*arguments)
    except Exception as error:
        raise Refused(
            f"  for: {_call(told or arguments, names)}\n  it raises {type(error).__name__}: {error}"
        ) from None


def _call(arguments: tuple[Any, ...], names: list[str]) -> str:
    return ", ".join(f"{name} = {written(a)}" for name, a in zip(names, arguments, strict=False))


def written(value: Any) -> str:
    """Write a value, the long ones shortened; a matrix begins on a line of its own."""
    if inspect.isroutine(value):  # without its address, which nobody needs
        return f"the function {value.__name__}"
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, threshold=40, edgeitems=2, suppress_small=True)
        return text if value.ndim < 2 else "\n    " + text.replace("\n", "\n    ")
    text = repr(_plain(value))
    return text if len(text) <= 200 else f"{text[:200]} …"


def _plain(value: Any) -> Any:
    """Make numbers of NumPy, also in a list or tuple, those of Python: they are easier to read."""
    if isinstance(value, np.generic):
        return value.item()
    return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value
