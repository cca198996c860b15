"""Suspects of quantised models: weights alone, or activations too, as integers of few bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array
from ...functional import layer_norm
from ..bounded import BoundedArray, Numbers
from ..replay import round_to
from .maps import MAPS, Map, map_of
from .place import Place, numbers_in
from .samples import sample_of
from .table import Guess, suspect


class _Grid(NamedTuple):
    """Numbers at equal distances, as many as integers of some bits tell apart."""

    bits: int
    least: int
    most: int
    is_symmetric: bool  # about 0; or else from the least number to the largest


_GRIDS = (
    _Grid(8, -127, 127, is_symmetric=True),
    _Grid(8, 0, 255, is_symmetric=False),
    _Grid(8, -128, 127, is_symmetric=True),
    _Grid(7, -64, 64, is_symmetric=True),  # so that sums of two products fit into 16 bits
    _Grid(7, 0, 127, is_symmetric=False),
)
#: How near to the middle of two integers the last digits of float32 decide between them.
_TIE = 1e-4
#: The part of a departure that is left where a grid is the right one, ties aside.
_LEFT = 0.1


class _Way(NamedTuple):
    """How numbers are quantised: on which grid, and along which axis each has a scale of its own.

    The axis is None where there is one scale for all.
    """

    grid: _Grid
    axis: int | None

    def scale(self, x: Numbers) -> tuple[Numbers, Numbers]:
        """Give the distance of neighbours, in float32, and the integer that stands for 0."""
        high = np.maximum(x.max(axis=self.axis, keepdims=True), 0.0)
        low = np.minimum(x.min(axis=self.axis, keepdims=True), 0.0)
        if self.grid.is_symmetric:
            high = np.maximum(high, -low)
            low = -high
        step = ((high - low) / (self.grid.most - self.grid.least)).astype(np.float32)
        step = np.where(step == 0, np.float32(1), step)
        return step, 0.0 * step if self.grid.is_symmetric else np.rint(-low / step)


def _quantised(x: Numbers, way: _Way, whole: Numbers) -> tuple[Numbers, Numbers]:
    """Quantise rows of a whole matrix; and tell what each may be off where it is nearly a tie."""
    step, start = way.scale(whole if way.axis is None else x)
    exact = x.astype(np.float32) / step
    near = np.rint(exact)
    is_tie = abs(abs(exact - near) - 0.5) < _TIE
    near = np.clip(near, way.grid.least - start, way.grid.most - start)
    return near * step.astype(np.float64), np.where(is_tie, step, 0.0)


def _ways() -> Iterator[_Way]:
    for axis in (None, 1):
        for grid in _GRIDS:
            yield _Way(grid, axis)


@suspect(*MAPS)
def _quantised_map(place: Place) -> Iterator[Guess]:
    """Quantise the weight, or what is multiplied with it, too, in the first way that comes near."""
    own, found = map_of(place), _nearest(place)
    if found is not None:
        yield Guess(_told(*found), lambda: _made(own, *found), is_coarse=True)


def _told(of_x: _Way | None, of_weight: _Way) -> str:
    bits = of_weight.grid.bits
    if of_x is None:
        return f"the weight is quantised to {bits} bits, of {_scaled(of_weight, 'each output')}"
    what = f"weights and activations are quantised to {bits} bits"
    if of_x.grid.bits != bits:
        what = f"weights are quantised to {bits} bits, and activations to {of_x.grid.bits}"
    if of_x.axis is None and of_weight.axis is None:
        return f"{what} (dynamic: scale of the whole tensor)"
    of_both = f"{_scaled(of_weight, 'each output')}, and of {_scaled(of_x, 'each token')}"
    return f"{what} (dynamic: scale of {of_both})"


def _scaled(way: _Way, one: str) -> str:
    return "the whole" if way.axis is None else one


def _nearest(place: Place) -> tuple[_Way | None, _Way] | None:
    """Find how a map is quantised, by some of its numbers; None if that explains nothing."""
    sample = sample_of(place)
    if sample is None:
        return None
    enough = _LEFT * sample.departure
    some, outputs = sample.x[sample.rows], sample.weight[sample.outputs]
    weights = [(way, _quantised(outputs, way, sample.weight)[0]) for way in _ways()]
    for of_x in (None, *_ways()):
        x = some if of_x is None else _quantised(some, of_x, sample.x)[0]
        for of_weight, narrow in weights:
            if sample.error(x, narrow) < enough:
                return of_x, of_weight
    return None


def _made(own: Map, of_x: _Way | None, of_weight: _Way) -> Array:
    """Compute a map of what is quantised, and what nearly ties may change."""
    old: Any = own.x
    x, weight = numbers_in(own.x), numbers_in(own.weight)
    weight, weight_off = _quantised(weight, of_weight, weight)
    bound = old.bound
    if of_x is not None:
        rows = x.reshape(-1, x.shape[-1])
        x, off = (one.reshape(x.shape) for one in _quantised(rows, of_x, rows))
        bound = off if bound is None else bound + off
    given = BoundedArray(x, bound, old.dtype, old.xp, old.maps)
    made = own.made(x=given, weight=old.xp.asarray(weight))
    if weight_off.any() and isinstance(made, BoundedArray) and made.bound is not None:
        made.bound = made.bound + numbers_in(own.shaped(old.xp.asarray(abs(x) @ weight_off.T)))
    return made


@suspect("embeddings.*_embeddings", "*distance_embedding")
def _narrow_table(place: Place) -> Iterator[Guess]:
    """Quantise a table of embeddings, or round it."""
    table, own = place.world.weights[f"{place.name}.weight"], place.own
    if not isinstance(own, BoundedArray):
        return
    rows = own.value.reshape(-1, table.shape[-1])
    for name in ("float16", "bfloat16"):
        narrow = round_to(own.value, name)
        yield Guess(
            f"the table is rounded to {name}",
            lambda narrow=narrow: place.world.convert(narrow),
            is_coarse=True,
        )
    for way in _ways():
        what = _scaled(way, "each row")
        yield Guess(
            f"the table is quantised to {way.grid.bits} bits, of {what}",
            lambda way=way: _made_of(own, *_quantised(rows, way, table)),
            is_coarse=True,
        )


def _made_of(own: BoundedArray, rows: Numbers, off: Numbers) -> BoundedArray:
    """Give quantised rows, which a port makes of integers by one product."""
    bound = off + 2 * own.dtype.unit * abs(rows)
    return BoundedArray(rows.reshape(own.shape), bound.reshape(own.shape), own.dtype, own.xp)


@suspect("*LayerNorm", "lm_head.layer_norm")
def _narrow_norm(place: Place) -> Iterator[Guess]:
    """Round the parameters of a layer norm."""
    is_head = place.bare == "lm_head.layer_norm"
    x = place.at("lm_head.gelu" if is_head else f"{place.bare.removesuffix('LayerNorm')}sum")
    own = [numbers_in(place.weight(f"{place.bare}.{part}")) for part in ("weight", "bias")]
    for name in ("float16", "bfloat16"):
        narrow = [place.world.convert(round_to(one, name)) for one in own]
        yield Guess(
            f"weight and bias are rounded to {name}",
            lambda narrow=narrow: layer_norm(x, *narrow, place.config.layer_norm_eps),
            is_coarse=True,
        )
