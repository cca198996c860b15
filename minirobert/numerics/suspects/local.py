"""Suspects tried where the port shows what a step was given: the step alone is computed again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ...config import RobertaConfig
from ..arithmetic import Arithmetic
from ..bounded import BoundedArray, Numbers
from ..comparison import Explanation, Row
from ..operations import Operations
from ..replay import Call, Passes
from .fits import counting, made, misfit
from .place import Place, World, kind_of
from .patterns import patterns
from .table import Guess, guesses

__all__ = ["Found", "places", "tried"]

#: The explanations of rows, by name.
Found = dict[str, list[Explanation]]

#: After so many steps of a kind that nothing explains, the others are not looked into.
_ATTEMPTS = 3


def places(
    config: RobertaConfig,
    prefix: str,
    weights: Mapping[str, Numbers],
    calls: Sequence[Call],
    passes: Passes,
    arithmetic: Arithmetic,
) -> Iterator[tuple[str, Place, Numbers | None]]:
    """Go through all steps of all calls.

    Parameters
    ----------
    config : RobertaConfig
    prefix : str
        Of the encoder's names.
    weights : mapping of str to NumPy array
    calls : sequence of Call
    passes : list of dict of str to (Step, BoundedArray)
        Of `minirobert.numerics.replay.passes`.
    arithmetic : Arithmetic

    Yields
    ------
    name : str
        Of the row.
    place : Place
    counts : boolean array or None
        Which of its numbers count.
    """
    past: dict[str, Array] = {}
    for call, steps in zip(calls, passes, strict=True):
        past = past if call.extends else {}
        convert = Operations(arithmetic).asarray
        world = World(config, prefix, weights, convert, call.arguments, past=past)
        for name, (step, own) in steps.items():
            yield call.prefix + name, Place(name, own, world, step.port), counting(name, steps)
            world.seen[name] = own if step.port is None else _exact(own, step.port)
        past = {**past, **_extended(past, world.seen)}


def _exact(own: BoundedArray, port: Numbers) -> BoundedArray:
    return BoundedArray(port.astype(own.value.dtype), None, own.dtype, own.xp)


def _extended(past: Mapping[str, Array], seen: Mapping[str, Array]) -> dict[str, Array]:
    """Put the keys and values of a call behind those before."""
    new = {name: one for name, one in seen.items() if name.endswith((".self.key", ".self.value"))}
    return {
        name: one.xp.concat([past[name], one], axis=2) if name in past else one
        for name, one in new.items()
        if ".crossattention." not in name
    }


def tried(rows: Mapping[str, Row], where: Iterator[tuple[str, Place, Numbers | None]]) -> Found:
    """Try the suspects of each step that departs, and keep those that fit.

    Parameters
    ----------
    rows : mapping of str to Row
    where : iterator
        Of `places`.
    """
    found: Found = {}
    known: dict[str, set[str]] = {}
    failures: Counter[str] = Counter()
    for name, place, counts in where:
        row = rows.get(name)
        if row is None or not row.departs or place.port is None:
            continue
        kind = kind_of(name)
        fits = _fitting(place, counts, known.get(kind))
        if not fits and failures[kind] < _ATTEMPTS:
            fits = _fitting(place, counts, None)
            failures[kind] += not any(not one.is_coarse for one in fits)
        if not any(not one.is_coarse for one in fits):
            fits = [*patterns(place, counts), *fits]
        if fits:
            found[name] = fits
            known.setdefault(kind, set()).update(one.text for one in fits if not one.is_coarse)
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
    return [
        Explanation(guess.text, ratio, guess.is_coarse) for guess, ratio in tests if ratio <= 1
    ]


def _ratio(guess: Guess, place: Place, counts: Numbers | None) -> float:
    array: Any = made(guess, place.own)
    if array is None or array.maps > 1:  # a bound that came through several maps says nothing
        return float("inf")
    assert place.port is not None
    with np.errstate(all="ignore"):
        return misfit(array.value, array.bound, place.port, counts)
