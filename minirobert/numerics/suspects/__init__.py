"""Which known mistake explains what departs: the reference makes each, and looks whether it fits.

- `minirobert.numerics.suspects.table`: how a mistake is entered;
- `minirobert.numerics.suspects.ids`, `embedding`, `norms`, `states`, `maps`, `attention`, `curves`,
  `heads`, `drops`, `factors`, `quantised`: the mistakes, by the step where they are made;
- `minirobert.numerics.suspects.local`: trying them where the port shows what a step was given;
- `minirobert.numerics.suspects.farther`: trying them where it does not;
- `minirobert.numerics.suspects.patterns`, `digits`: what can be said of the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...parameters import flatten
from ..arithmetic import Arithmetic
from ..operations import Operations
from ..replay import Call, passes
from ..rows import Explanation, Row
from ..traces import host
from . import (  # noqa: F401  # which enter their suspects
    attention,
    curves,
    drops,
    embedding,
    factors,
    heads,
    ids,
    maps,
    norms,
    quantised,
)
from .digits import lost
from .drops import alike
from .farther import tried_from_afar
from .local import Found, Spot, spots, tried
from .place import Place, World

__all__ = ["explained"]

_MOST = 6  # explanations of one row
#: Ratios to the budget that lie no further apart do not tell which of two mistakes it is.
_ALIKE = 0.15


def explained(
    rows: Sequence[Row],
    reference: Any,
    exact: Any,
    calls: Sequence[Call],
    arithmetic: Arithmetic,
    inputs: Mapping[str, Any] | None = None,
) -> tuple[Row, ...]:
    """Find the mistakes that explain what departs, within rounding.

    Parameters
    ----------
    rows : sequence of Row
        Of a comparison.
    reference : RobertaPreTrainedModel
    exact : RobertaPreTrainedModel
        The same, of `minirobert.numerics.replay.exact_model`.
    calls : sequence of Call
    arithmetic : Arithmetic
        Of the port.
    inputs : mapping of str to array, optional
        What the port was to be given.

    Returns
    -------
    tuple of Row
        With explanations where there are any.
    """
    departing = {row.name: row for row in rows if row.departs and row.reason != "shape"}
    if not departing:
        return tuple(rows)
    prefix = f"{reference._prefix}." if reference._prefix else ""
    world = World(
        reference.config,
        prefix,
        {name: np.asarray(one) for name, one in flatten(exact.params).items()},
        Operations(arithmetic).asarray,
        {},
    )
    with np.errstate(all="ignore"):  # a port may have infinities and NaN, and guesses may
        where = [
            one
            for one in spots(world, calls, passes(exact, list(calls), arithmetic))
            if one.name not in (inputs or {})
        ]
        found = tried(departing, [*_of_inputs(world, calls[0], inputs or {}), *where])
        run = exact, calls, arithmetic
        _add(found, tried_from_afar(_left(departing, found), world, *run))
        _add(found, lost(_left(departing, found), where, *run))
        _add(found, alike(_left(departing, found), found))
    return tuple(_with(row, found) for row in rows)


def _of_inputs(world: World, call: Call, inputs: Mapping[str, Any]) -> Iterator[Spot]:
    """Give the places of what the port was given otherwise."""
    around = world.of(call.arguments)
    for name, value in inputs.items():
        own, port = host(value), call.arguments.get(name)
        if port is not None and port.shape == own.shape:
            yield Spot(name, Place(name, around.convert(own), around, port), None)


def _left(names: Iterable[str], found: Found) -> list[str]:
    """List those that no mistake is named for."""
    return [name for name in names if all(one.is_pattern for one in found.get(name, ()))]


def _add(found: Found, more: Found) -> None:
    for name, new in more.items():
        found[name] = [*found.get(name, ()), *new]


def _with(row: Row, found: Found) -> Row:
    return replace(row, explanations=tuple(_ranked(row.name, found)[:_MOST]))


def _ranked(name: str, found: Found) -> list[Explanation]:
    """Put the best first: a mistake before a loss of digits, and one that explains more steps.

    Then one that fits much better: where a budget is wide, as behind steps that are not shown, many
    fit. Others stay in the order of the table, where the likelier are before.
    """
    by_text: dict[str, Explanation] = {}
    for one in found.get(name, ()):
        other = by_text.get(one.text)
        if other is None or one.ratio < other.ratio:
            by_text[one.text] = one
    least = min((one.ratio for one in by_text.values()), default=0.0)
    steps = Counter(text for each in found.values() for text in {one.text for one in each})

    def rank(one: Explanation) -> tuple[bool, bool, int, bool]:
        if one.is_pattern:
            return True, False, 0, False
        return False, one.is_coarse, -steps[one.text], one.ratio > 2 * least + _ALIKE

    return sorted(by_text.values(), key=rank)
