"""Suspects tried where the port shows what a step was given: the step alone is computed again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...arrays import Array, array_namespace
from ..bounded import BoundedArray, Numbers
from ..comparison import Explanation, Row
from ..replay import Call, Passes
from .fits import counting, made, misfit, root_mean_square
from .patterns import patterns
from .place import Place, World, kind_of
from .table import Guess, guesses

__all__ = ["Found", "Spot", "extended", "is_far", "spots", "tried"]

#: The explanations of rows, by name.
Found = dict[str, list[Explanation]]

#: After so many steps of a kind that nothing explains, the others are not looked into.
_ATTEMPTS = 3


class Spot(NamedTuple):
    """A step of a call, under the name that its row has."""

    name: str
    place: Place
    counts: Numbers | None  # which of its numbers count


def spots(world: World, calls: Sequence[Call], passes: Passes) -> Iterator[Spot]:
    """Go through all steps of all calls.

    Parameters
    ----------
    world : World
        Of the model.
    calls : sequence of Call
    passes : list of dict of str to (Step, BoundedArray)
        Of `minirobert.numerics.replay.passes`.
    """
    past: dict[str, Array] = {}
    for call, steps in zip(calls, passes, strict=True):
        past = past if call.extends else {}
        around = world.of(call.arguments, past)
        for name, (step, own) in steps.items():
            place = Place(name, own, around, step.port, len(around.seen))
            yield Spot(call.prefix + name, place, counting(name, steps))
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
    """Try the suspects of each step that departs, and keep those that fit.

    Parameters
    ----------
    rows : mapping of str to Row
        Those that depart.
    where : iterable of Spot
    """
    found: Found = {}
    known: dict[str, set[str]] = {}
    failures: Counter[str] = Counter()
    for name, place, counts in where:
        if name not in rows or place.port is None:
            continue
        kind = kind_of(name)
        fits = _fitting(place, counts, known.get(kind))
        if failures[kind] < _ATTEMPTS and all(one.is_coarse for one in fits):
            fits = _fitting(place, counts, None)
            failures[kind] += all(one.is_coarse for one in fits)
        if fits:
            known.setdefault(kind, set()).update(one.text for one in fits)
        elif not is_far(place.own):
            fits = [*patterns(place, counts)]
        if fits:
            found[name] = fits
    return found


def _fitting(place: Place, counts: Numbers | None, texts: set[str] | None) -> list[Explanation]:
    """Try the guesses of a place, or those alone that a step of the same kind fits."""
    if texts is not None and not texts:
        return []
    asked = guesses(place)
    tests = (
        (guess, _ratio(guess, place, counts))
        for guess in asked
        if texts is None or guess.text in texts
    )
    return [Explanation(guess.text, ratio, guess.is_coarse) for guess, ratio in tests if ratio <= 1]


def _ratio(guess: Guess, place: Place, counts: Numbers | None) -> float:
    array: Any = made(guess, place.own)
    if array is None or place.port is None or is_far(array):
        return float("inf")
    if not guess.is_coarse and _is_vague(array, place):
        return float("inf")
    return misfit(array.value, array.bound, place.port, counts)


def _is_vague(array: Any, place: Place) -> bool:
    """Tell whether a guess has so wide a bound that it would fit whatever the port has."""
    own: Any = place.own
    if array.bound is None or own.bound is None or place.port is None or is_far(own):
        return False
    departure = root_mean_square(place.port - own.value)
    width = root_mean_square(array.bound)
    return width > max(departure, 10 * root_mean_square(own.bound))


def is_far(array: Any) -> bool:
    """Tell whether an array stands so far behind what the port shows that its bound is given up."""
    return bool(array.maps > 1)
