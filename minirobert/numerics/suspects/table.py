"""The table of suspects: mistakes that ports make, each with the steps where it can be made.

A family of suspects is a function that gives guesses of a `Place`. Importing the files beside this
one enters theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from ...arrays import Array
from .place import Place

__all__ = ["Family", "Guess", "Make", "Makes", "among", "families", "of_family", "suspect"]

#: Gives, without arguments, what a step computes with a mistake.
Make = Callable[..., Array]
#: By the sentences that name the mistakes.
Makes = Mapping[str, Make]


class Guess(NamedTuple):
    """A mistake at one step."""

    text: str  # the sentence that names it, the same in every layer
    make: Make
    is_coarse: bool = False  # no mistake, but a way to compute that loses digits
    is_far_fetched: bool = False  # is not tried where the port does not show the step
    is_wide: bool = False  # rounds so much that a wide bound does not speak against it


#: Gives guesses, or where none needs a flag what each gives by its text.
Family = Callable[[Place], "Iterable[Guess] | Makes"]

_FAMILIES: list[tuple[tuple[str, ...], Family]] = []


def suspect(*patterns: str) -> Callable[[Family], Family]:
    """Enter a family for the steps whose names, within the layer or model, fit a pattern."""

    def entered(family: Family) -> Family:
        _FAMILIES.append((patterns, family))
        return family

    return entered


def among(makes: Makes, **flags: bool) -> Iterator[Guess]:
    """Make guesses of texts and what each gives."""
    return (Guess(text, make, **flags) for text, make in makes.items())


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
        found = family(place)
        yield from among(found) if isinstance(found, Mapping) else found
    except KeyError:
        return
