"""Suspects tried where the port does not show the step: the model is run with the mistake in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..arithmetic import Arithmetic
from ..bounded import BoundedArray, Numbers
from ..comparison import Explanation
from ..replay import Call, Step, is_masked, of_port, replay, values
from ..steps import kind, layer
from .fits import made, misfit, surprise
from .local import Found, extended
from .place import Place, World, is_boundary
from .table import Family, families, of_family

__all__ = ["tried_from_afar"]

#: How often the model is run at most, for all mistakes in one or in all layers; and how many
#: multiplications that may be in all.
_MOST_RUNS, _MOST_WORK = 2000, 2e12
#: How far a run without bounds of its own may be off, in budgets, to be looked at closely.
_NEAR = 50.0
#: Or how much nearer it must come.
_NEARER = 0.01
#: Not so many times farther than the nearest.
_AS_NEAR = 20.0
#: For how many rows mistakes are looked for; most explain all that are alike.
_MOST_ROWS = 3
#: How many are looked at closely.
_MOST_CLOSE = 6
#: How unlikely a row must be, as a power of ten, lest one of a thousand guesses fit by chance.
_SURPRISING = 4.0


class _Offer(NamedTuple):
    """A suspect at one step that the port does not show."""

    text: str
    name: str
    family: Family
    is_coarse: bool


class _Mistake(NamedTuple):
    """A suspect at one step or several, made at all of them at once."""

    offers: Sequence[_Offer]

    def is_in(self, names: frozenset[str]) -> bool:
        """Tell whether it is made at one of some steps."""
        return any(one.name in names for one in self.offers)

    def families(self, name: str) -> Iterator[Family]:
        """Give where it comes from at a step, if it is made there."""
        return (one.family for one in self.offers if one.name == name)

    @property
    def text(self) -> str:
        """Name it."""
        return self.offers[0].text

    @property
    def sentence(self) -> str:
        """Name it with the step, which is not that of the row."""
        names = sorted({one.name for one in self.offers})
        kinds, layers = {kind(name) for name in names}, {layer(name) for name in names}
        if len(names) == 1:
            return f"{self.text}, at {names[0]}"
        if len(kinds) == 1:
            return f"{self.text}, at {kinds.pop().removeprefix('layer.*.')}"
        return f"{self.text}, in layer {layers.pop()}" if len(layers) == 1 else self.text


#: The steps at which a mistake is made at once: all, those of a kind, those of a layer, or one.
_EVERYWHERE: Sequence[Callable[[str], Any]] = (lambda name: None, kind)
_SOMEWHERE: Sequence[Callable[[str], Any]] = (layer, lambda name: name)


def _mistakes(offered: Sequence[_Offer], keys: Sequence[Callable[[str], Any]]) -> list[_Mistake]:
    """Put the same suspect at several steps together; a loss of digits is one of all of them."""
    groups: dict[Any, list[_Offer]] = {}
    for key in keys:
        for one in offered:
            if not one.is_coarse or key is _EVERYWHERE[0]:
                groups.setdefault((key, one.text, key(one.name)), []).append(one)
    return list({tuple(group): _Mistake(group) for group in groups.values()}.values())


class _Change:
    """A watcher that makes a mistake, in each of the runs through all calls."""

    def __init__(self, mistake: _Mistake | None, world: World, calls: Sequence[Call]) -> None:
        self._mistake = mistake
        self._model = world
        self._calls = calls
        self._k = -1
        self._world = world
        self.offered: list[_Offer] = []

    def __call__(self, name: str, array: Any) -> Any:
        if self._k < 0 or name in self._world.seen:
            self._next(array)
        new = self._changed(Place(name, array, self._world, None, len(self._world.seen)))
        value = new.value if isinstance(new, BoundedArray) else new
        port = of_port(name, self._calls[self._k], value)
        self._world.seen[name] = new if port is None else _like(new, port)
        return new

    def _next(self, array: Any) -> None:
        """Begin with the next call, or again with the first."""
        past = extended(self._world.past, self._world.seen)
        self._k = (self._k + 1) % len(self._calls)
        call = self._calls[self._k]
        convert = array.xp.asarray if isinstance(array, BoundedArray) else np.asarray
        self._world = self._model.of(call.arguments, past if call.extends else {}, convert)

    def _changed(self, place: Place) -> Any:
        if self._mistake is None:
            self.offered += _offers(place)
            return place.own
        for family in self._mistake.families(place.name):
            for guess in of_family(family, place):
                if guess.text == self._mistake.text:
                    new = made(guess, place.own)
                    return place.own if new is None else new
        return place.own


def _offers(place: Place) -> Iterator[_Offer]:
    for family in families(place):
        for guess in of_family(family, place):
            if not guess.is_far_fetched:
                yield _Offer(guess.text, place.name, family, guess.is_coarse)


def _like(array: Any, port: Numbers) -> Any:
    if not isinstance(array, BoundedArray):
        return port.astype(array.dtype)
    return BoundedArray(port.astype(array.value.dtype), None, array.dtype, array.xp)


class _Asked(NamedTuple):
    """A row to be explained: its call, its name there, and what it must be."""

    row: str
    k: int
    name: str
    step: Step
    counts: Numbers | None

    def ratio(self, value: Numbers, bound: Numbers | None) -> float:
        """Give the largest error over its budget, if this were right."""
        assert self.step.port is not None
        return misfit(value, bound, self.step.port, self.counts)

    @property
    def near(self) -> float:
        """Within so many budgets a mistake is looked at closely."""
        before = self.ratio(self.step.value, self.step.bound)
        return max(_NEAR, _NEARER * before) if np.isfinite(before) else _NEAR


def tried_from_afar(
    rows: Sequence[str], world: World, model: Any, calls: Sequence[Call], arithmetic: Arithmetic
) -> Found:
    """Try suspects at the steps that a port does not show, before those that depart."""
    gaps = dict(_gaps(set(rows), model, calls))
    if not gaps:
        return {}
    steps = replay(model, list(calls), arithmetic)
    asked = [one for one in _asked(calls, steps) if one.row in gaps]
    change = _Change(None, world, calls)
    values(model, list(calls), change)
    trial = _Trial(model, world, list(calls), arithmetic, asked)
    found: Found = {}
    offered = [one for one in change.offered if any(one.name in gap for gap in gaps.values())]
    left = _MOST_ROWS
    for first in asked:
        if first.row in found or not left:
            continue
        left -= 1
        for keys in (_EVERYWHERE, _SOMEWHERE):
            here = [one for one in _mistakes(offered, keys) if one.is_in(gaps[first.row])]
            found |= trial.found(first, here) if first.row not in found else {}
    return found


def _gaps(
    rows: set[str], model: Any, calls: Sequence[Call]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Give for each row the steps before it that the port does not show.

    They go back to the last hidden states that it shows, on which alone the rest depends.
    """
    for call, own in zip(calls, values(model, list(calls), None), strict=True):
        gap: list[str] = []
        for name, array in own.items():
            if call.prefix + name in rows and gap:
                yield call.prefix + name, frozenset([*gap, name])
            if of_port(name, call, array) is None:
                gap.append(name)
            elif is_boundary(name):
                gap.clear()


def _asked(calls: Sequence[Call], steps: Sequence[dict[str, Step]]) -> Iterator[_Asked]:
    for k, (call, one) in enumerate(zip(calls, steps, strict=True)):
        for name, step in one.items():
            if step.port is not None:
                masked = one.get(f"{name}.masked")
                counts = None if masked is None else ~is_masked(masked.value)
                if surprise(step.value, step.bound, step.port, counts) >= _SURPRISING:
                    yield _Asked(call.prefix + name, k, name, step, counts)


class _Trial(NamedTuple):
    """What is needed to try a mistake."""

    model: Any
    world: World
    calls: list[Call]
    arithmetic: Arithmetic
    asked: list[_Asked]

    @property
    def most_runs(self) -> int:
        """How often the model may be run: a large one not as often."""
        weights = sum(one.size for one in self.world.weights.values())
        tokens = sum(prod(next(iter(one.arguments.values())).shape[:2]) for one in self.calls)
        return min(_MOST_RUNS, int(_MOST_WORK / (weights * tokens)))

    def found(self, first: _Asked, mistakes: Sequence[_Mistake]) -> Found:
        """Try each mistake without bounds, up to a row, and those that come near in full."""
        ratios: list[float] = []
        for mistake in mistakes[: self.most_runs]:
            change = _Change(mistake, self.world, self.calls)
            run = values(self.model, self.calls, change, until=(first.k, first.name))
            ratios.append(first.ratio(run[first.k][first.name], first.step.bound))
        near = min(first.near, _AS_NEAR * min(ratios, default=0.0) + 1)
        nearest = [k for k in np.argsort(ratios, kind="stable")[:_MOST_CLOSE] if ratios[k] <= near]
        found: Found = {}
        for k in sorted(nearest):  # in the order of the table, where the likelier are before
            for row, explanation in self._fits(mistakes[k]):
                found.setdefault(row, []).append(explanation)
        return found

    def _fits(self, mistake: _Mistake) -> Iterator[tuple[str, Explanation]]:
        """Find the rows that a mistake explains."""
        change = _Change(mistake, self.world, self.calls)
        steps = replay(self.model, self.calls, self.arithmetic, change)
        for one in self.asked:
            step = steps[one.k][one.name]
            ratio = one.ratio(step.value, step.bound)
            if ratio <= 1:
                is_coarse = mistake.offers[0].is_coarse
                yield one.row, Explanation(mistake.sentence, ratio, is_coarse)
