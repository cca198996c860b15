"""Suspects tried where the port does not show the step: the model is run with the mistake in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array
from ..arithmetic import Arithmetic
from ..bounded import BoundedArray, Numbers
from ..replay import Call, Step, is_masked, of_port, replay, values
from ..rows import Explanation
from .fits import made, misfit
from .local import Found, extended
from .place import Place, World, is_boundary, kind_of
from .table import Family, families, of_family

__all__ = ["tried_from_afar"]

#: How often the model is run at most, for all mistakes.
_MOST_RUNS = 400
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


class Offer(NamedTuple):
    """A suspect at one step that the port does not show."""

    text: str
    name: str
    family: Family


class _Mistake(NamedTuple):
    """A suspect, and for each step at which it is made, all at once, where it comes from."""

    text: str
    families: dict[str, list[Family]]

    @classmethod
    def of(cls, offers: Sequence[Offer]) -> _Mistake:
        """Put the same suspect at several steps together."""
        made_at: dict[str, list[Family]] = {}
        for one in offers:
            made_at.setdefault(one.name, []).append(one.family)
        return cls(offers[0].text, made_at)

    @property
    def sentence(self) -> str:
        """Name it with the step, which is not that of the row."""
        one, *more = self.families
        kinds = {kind_of(name) for name in self.families}
        if len(kinds) > 1:
            return self.text
        return f"{self.text}, at {kind_of(one).rpartition('.layer.*.')[2] if more else one}"


class _Change:
    """A watcher that makes a mistake, in each of the runs through all calls."""

    def __init__(self, mistake: _Mistake | None, world: World, calls: Sequence[Call]) -> None:
        self._mistake = mistake
        self._model = world
        self._calls = calls
        self._k = -1
        self._world = world
        self.offered: list[Offer] = []

    def __call__(self, name: str, array: Any) -> Any:
        if self._k < 0 or name in self._world.seen:
            self._next(array)
        new = self._changed(name, array)
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

    def _changed(self, name: str, array: Any) -> Any:
        place = Place(name, array, self._world, None, len(self._world.seen))
        if self._mistake is None:
            self.offered += _offers(place)
            return array
        for family in self._mistake.families.get(name, ()):
            for guess in of_family(family, place):
                if guess.text == self._mistake.text:
                    new = made(guess, array)
                    return array if new is None else new
        return array


def _offers(place: Place) -> Iterator[Offer]:
    for family in families(place):
        for guess in of_family(family, place):
            if not guess.is_coarse and not guess.is_far_fetched:
                yield Offer(guess.text, place.name, family)


def _like(array: Any, port: Numbers) -> Array:
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
    near: float  # within so many budgets a mistake is looked at closely

    def ratio(self, value: Numbers) -> float:
        """Give the largest error over its budget, if this were right."""
        assert self.step.port is not None
        return misfit(value, self.step.bound, self.step.port, self.counts)


def tried_from_afar(
    rows: Sequence[str], world: World, model: Any, calls: Sequence[Call], arithmetic: Arithmetic
) -> Found:
    """Try suspects at the steps that a port does not show, before those that depart.

    Parameters
    ----------
    rows : sequence of str
        Names of the rows that depart and are not explained.
    world : World
        Of the model.
    model : RobertaPreTrainedModel
        Of `minirobert.numerics.replay.exact_model`.
    calls : sequence of Call
    arithmetic : Arithmetic
        Of the port.
    """
    gaps = dict(_gaps(rows, model, world, calls))
    if not gaps:
        return {}
    asked = [
        one for one in _asked(calls, replay(model, list(calls), arithmetic)) if one.row in gaps
    ]
    offered = _offered(model, world, calls, frozenset().union(*gaps.values()))
    trial = _Trial(model, world, list(calls), arithmetic, asked)
    found: Found = {}
    for _ in range(_MOST_ROWS):
        first = next((one for one in asked if one.row not in found and one.row in gaps), None)
        if first is None:
            break
        names = gaps.pop(first.row)
        for mistakes in (_together(offered), _alone(offered)):
            if first.row not in found:
                here = [one for one in mistakes if any(name in names for name in one.families)]
                found |= trial.found(first, here)
    return found


def _gaps(
    rows: Sequence[str], model: Any, world: World, calls: Sequence[Call]
) -> Iterator[tuple[str, list[str]]]:
    """Give for each row the steps before it that the port does not show.

    They go back to the last hidden states that it shows, on which alone the rest depends.
    """
    asked = set(rows)
    if not asked:
        return
    for call, own in zip(calls, values(model, list(calls), None), strict=True):
        gap: list[str] = []
        for name, array in own.items():
            if call.prefix + name in asked and gap:
                yield call.prefix + name, [*gap, name]
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
                before = misfit(step.value, step.bound, step.port, counts)
                near = max(_NEAR, _NEARER * before) if np.isfinite(before) else _NEAR
                yield _Asked(call.prefix + name, k, name, step, counts, near)


def _offered(model: Any, world: World, calls: Sequence[Call], names: frozenset[str]) -> list[Offer]:
    """List the mistakes that can be made at some steps."""
    change = _Change(None, world, calls)
    values(model, list(calls), change)
    return [one for one in change.offered if one.name in names]


def _together(offered: Sequence[Offer]) -> list[_Mistake]:
    """Make each mistake in all layers at once, and at all steps that have it.

    The latter are such as heads that are split in one way for all products.
    """
    steps: dict[tuple[str, str], list[Offer]] = {}
    texts: dict[str, list[Offer]] = {}
    for one in offered:
        steps.setdefault((one.text, kind_of(one.name)), []).append(one)
        texts.setdefault(one.text, []).append(one)
    several = [group for group in texts.values() if len({kind_of(one.name) for one in group}) > 1]
    return [_Mistake.of(group) for group in [*steps.values(), *several]]


def _alone(offered: Sequence[Offer]) -> list[_Mistake]:
    """Make each mistake in one layer, where there are several."""
    steps: dict[tuple[str, str], dict[str, list[Offer]]] = {}
    for one in offered:
        names = steps.setdefault((one.text, kind_of(one.name)), {})
        names.setdefault(one.name, []).append(one)
    several = [names for names in steps.values() if len(names) > 1]
    return [_Mistake.of(group) for names in several for group in names.values()]


class _Trial(NamedTuple):
    """What is needed to try a mistake."""

    model: Any
    world: World
    calls: list[Call]
    arithmetic: Arithmetic
    asked: list[_Asked]

    def found(self, first: _Asked, mistakes: Sequence[_Mistake]) -> Found:
        """Try each mistake without bounds, up to a row, and those that come near in full."""
        near: list[tuple[float, _Mistake]] = []
        for mistake in mistakes[:_MOST_RUNS]:
            change = _Change(mistake, self.world, self.calls)
            run = values(self.model, self.calls, change, until=(first.k, first.name))
            ratio = first.ratio(run[first.k][first.name])
            if ratio <= first.near:
                near.append((ratio, mistake))
        near.sort(key=lambda pair: pair[0])
        nearest = [mistake for ratio, mistake in near if ratio <= _AS_NEAR * near[0][0] + 1]
        found: Found = {}
        for row, explanation in (
            one for mistake in nearest[:_MOST_CLOSE] for one in self._fits(mistake)
        ):
            found.setdefault(row, []).append(explanation)
        return found

    def _fits(self, mistake: _Mistake) -> Iterator[tuple[str, Explanation]]:
        """Find the rows that a mistake explains."""
        change = _Change(mistake, self.world, self.calls)
        steps = replay(self.model, self.calls, self.arithmetic, change)
        for one in self.asked:
            step = steps[one.k][one.name]
            ratio = one._replace(step=step).ratio(step.value)
            if ratio <= 1:
                yield one.row, Explanation(mistake.sentence, ratio)
