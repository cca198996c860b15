"""Which mistakes a case shows: a port that makes one is so many budgets off what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ...arrays import Array
from ...observe import watch
from ...parameters import flatten
from ..replay import exact_model
from ..suspects.place import Place, World, numbers_in
from .cases import Case
from .expected import call
from .mistakes import MISTAKES, Mistake
from .tensors import largest_error

__all__ = ["mistakes_shown"]

Numbers = np.ndarray[Any, Any]

#: More budgets than that, or a number that is none, say nothing else.
_MOST = 1e9
#: Less is rounding in float64.
_LEAST = 1e-2


def mistakes_shown(
    case: Case, expected: Mapping[str, Numbers], bounds: Mapping[str, Numbers]
) -> Iterator[dict[str, Any]]:
    """Make each mistake that is tried on a case, and say what of it is seen.

    Parameters
    ----------
    case : Case
    expected, bounds : mapping of str to NumPy array
        Its tensors, and their budgets.

    Yields
    ------
    dict
        The ``mistake``; the ``first`` tensor that departs; how many ``budgets`` the farthest is
        off, and the farthest ``of_outputs``; with a ``remark`` where those cannot show it.
    """
    tried = [one for one in MISTAKES if case.name in one.cases]
    for mistake, port in zip(tried, _ports(case, tried), strict=True):
        ratios = {
            name: largest_error(numbers_in(port[name]), array, bounds.get(name)).ratio
            for name, array in expected.items()
            if name in port
        }
        first = next((name for name, ratio in ratios.items() if not ratio <= 1), "")
        if first:
            yield {
                "mistake": mistake.name,
                "first": first,
                "budgets": _most(ratios[name] for name in ratios if name in bounds),
                "of_outputs": _most(ratios[name] for name in case.outputs),
                **({"remark": mistake.remark} if mistake.remark else {}),
            }


def _ports(case: Case, mistakes: Iterable[Mistake]) -> Iterator[Mapping[str, Array]]:
    """Run the case with each of some mistakes, and give what such a port has."""
    model = exact_model(case.model(lambda weight: weight), "float32")
    prefix = f"{model._prefix}." if model._prefix else ""
    weights = {name: np.asarray(weight) for name, weight in flatten(model.params).items()}
    arguments = {name: np.array(value) for name, value in case.calls[0].items()}
    for mistake in mistakes:
        world = World(case.config, prefix, weights, np.asarray, arguments)

        def watcher(name: str, array: Array, world: World = world, one: Mistake = mistake) -> Array:
            new = one.made(Place(name, array, world))
            world.seen[name] = array if new is None else new
            return world.seen[name]

        with watch(watcher), np.errstate(all="ignore"):
            call(case, 0, model)
        yield world.seen


def _most(ratios: Iterable[float]) -> float:
    """Give the largest in as few digits as the rounding of another machine does not reach."""
    largest = min(max(ratios), _MOST)
    return float(f"{largest:.1e}") if largest >= _LEAST else 0.0
