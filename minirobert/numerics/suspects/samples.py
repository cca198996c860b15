"""Some numbers of a linear map, by which one of many guesses is chosen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..bounded import Numbers
from .fits import root_mean_square
from .maps import as_rows, map_of
from .place import Place, numbers_in

__all__ = ["Sample", "sample_of"]

_ROWS, _OUTPUTS = 16, 32


class Sample(NamedTuple):
    """Which rows and outputs of a map are looked at, and what they must be."""

    x: Numbers  # all rows of the input
    weight: Numbers  # all rows, one an output
    rows: Numbers
    outputs: Numbers
    port: Numbers  # at these, without the bias

    def error(self, x: Numbers, weight: Numbers) -> float:
        """Give how far the port is from a product of these rows and outputs, without the bias."""
        return root_mean_square(self.port - x @ weight.T)

    @property
    def departure(self) -> float:
        """How far the port is from what must be."""
        return self.error(self.x[self.rows], self.weight[self.outputs])


def sample_of(place: Place) -> Sample | None:
    """Take a sample of a map and of what the port has; None where that has no such shape.

    Raises
    ------
    KeyError
        If the step is no map.
    """
    own = map_of(place)
    x, weight, bias = (numbers_in(one) for one in (own.x, own.weight, own.bias))
    x = x.reshape(-1, x.shape[-1])
    if place.port is None or place.port.size != len(x) * len(weight):
        return None
    rows, outputs = _spread(len(x), _ROWS), _spread(len(weight), _OUTPUTS)
    port = as_rows(place, place.port).reshape(len(x), -1)[np.ix_(rows, outputs)]
    return Sample(x, weight, rows, outputs, port - bias[outputs])


def _spread(n: int, most: int) -> Numbers:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))
