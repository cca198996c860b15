"""The table of suspects: mistakes that ports make, each with the steps where it can be made.

A family of suspects is a function of a `Place` that gives guesses. Importing the files beside this
one enters theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from ...arrays import Array
from .place import Place

__all__ = ["Family", "Guess", "families", "guesses", "of_family", "suspect"]


class Guess(NamedTuple):
    """A mistake at one step."""

    text: str  # the sentence that names it, the same in every layer
    make: Callable[..., Array]  # called without arguments: what the step gives with it
    is_coarse: bool = False  # no mistake, but a way to compute that loses digits
    is_far_fetched: bool = False  # is not tried where the port does not show the step


Family = Callable[[Place], Iterator[Guess]]

_FAMILIES: list[tuple[tuple[str, ...], Family]] = []


def suspect(*patterns: str) -> Callable[[Family], Family]:
    """Enter a family for the steps whose names, within the layer or model, fit a pattern."""

    def entered(family: Family) -> Family:
        _FAMILIES.append((patterns, family))
        return family

    return entered


def guesses(place: Place) -> Iterator[Guess]:
    """Give all mistakes that can be made at a place."""
    for family in families(place):
        yield from of_family(family, place)


def families(place: Place) -> list[Family]:
    """List the families that have guesses for a place."""
    return [
        family
        for patterns, family in _FAMILIES
        if any(fnmatchcase(place.bare, pattern) for pattern in patterns)
    ]


def of_family(family: Family, place: Place) -> Iterator[Guess]:
    """Give the guesses of one family.

    What it needs and the place does not have, as a tensor of another kind of model, ends them.
    """
    try:
        yield from family(place)
    except KeyError:
        return
