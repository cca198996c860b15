"""Suspects tried where the port shows what a step was given: the step alone is computed again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...arrays import Array, array_namespace
from ..bounded import BoundedArray, Numbers
from ..replay import Call, Passes
from ..rows import Explanation, Row
from ..steps import kind
from .fits import counting, made, misfit, root_mean_square
from .patterns import patterns
from .place import Place, World, as_split
from .table import Guess, families, of_family

__all__ = ["Found", "Spot", "extended", "is_far", "spots", "tried"]

#: The explanations of rows, by name.
Found = dict[str, list[Explanation]]

#: After so many steps of a kind that nothing explains, the others are not looked into.
_ATTEMPTS = 3
#: How much wider the bound of a guess may be that rounds much.
_WIDE = 4.0


class Spot(NamedTuple):
    """A step of a call, under the name that its row has."""

    name: str
    place: Place
    counts: Numbers | None  # which of its numbers count
    k: int = 0  # the number of the call


def spots(world: World, calls: Sequence[Call], passes: Passes) -> Iterator[Spot]:
    """Go through all steps of all calls."""
    past: dict[str, Array] = {}
    for k, (call, steps) in enumerate(zip(calls, passes, strict=True)):
        past = past if call.extends else {}
        around = world.of(call.arguments, past)
        for name, (step, own) in steps.items():
            place = Place(name, own, around, step.port, len(around.seen))
            yield Spot(call.prefix + name, as_split(place), counting(name, steps), k)
            around.seen[name] = own if step.port is None else _exact(own, step.port)
        past = extended(past, around.seen)


def _exact(own: BoundedArray, port: Numbers) -> BoundedArray:
    return BoundedArray(port.astype(own.value.dtype), None, own.dtype, own.xp)


def extended(past: Mapping[str, Array], seen: Mapping[str, Array]) -> dict[str, Array]:
    """Put the keys and values of a call behind those before, by name."""
    return {
        name: array_namespace(one).concat([past[name], one], axis=2) if name in past else one
        for name, one in seen.items()
        if name.endswith((".attention.self.key", ".attention.self.value"))
    }


def tried(rows: Mapping[str, Row], where: Iterable[Spot]) -> Found:
    """Try the suspects of each step that departs, and keep those that fit."""
    found: Found = {}
    known: dict[str, set[str]] = {}
    failures: Counter[str] = Counter()
    for spot in where:
        if spot.name not in rows or spot.place.port is None:
            continue
        same = kind(spot.name)
        fits = list(_fitting(spot, known.get(same, set())))
        if failures[same] < _ATTEMPTS and all(one.is_coarse for one in fits):
            fits = list(_fitting(spot, None))
            failures[same] += all(one.is_coarse for one in fits)
        if fits:
            known.setdefault(same, set()).update(one.text for one in fits)
        elif not is_far(spot.place.own):
            fits = [*patterns(spot.place, spot.counts)]
        if fits:
            found[spot.name] = fits
    return found


def _fitting(spot: Spot, texts: set[str] | None) -> Iterator[Explanation]:
    """Try the guesses of a place, or those alone that a step of the same kind fits."""
    for family in families(spot.place) if texts != set() else ():
        for guess in of_family(family, spot.place):
            if texts is None or guess.text in texts:
                ratio = _ratio(guess, spot)
                if ratio <= 1:
                    yield Explanation(guess.text, ratio, guess.is_coarse)


def _ratio(guess: Guess, spot: Spot) -> float:
    array: Any = made(guess, spot.place.own)
    if array is None or spot.place.port is None or is_far(array):
        return float("inf")
    if not guess.is_coarse and _is_vague(array, spot.place, _WIDE if guess.is_wide else 1.0):
        return float("inf")
    return misfit(array.value, array.bound, spot.place.port, spot.counts)


def _is_vague(array: Any, place: Place, wide: float) -> bool:
    """Tell whether a guess has so wide a bound that it would fit whatever the port has."""
    own: Any = place.own
    if array.bound is None or own.bound is None or place.port is None or is_far(own):
        return False
    departure = root_mean_square(place.port - own.value)
    width = root_mean_square(array.bound)
    return width > wide * max(departure, 10 * root_mean_square(own.bound))


def is_far(array: Any) -> bool:
    """Tell whether an array stands so far behind what the port shows that its bound is given up."""
    return bool(array.maps > 1)
