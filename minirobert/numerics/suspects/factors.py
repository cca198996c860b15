"""Products of fewer digits: their factors are rounded first, as hardware and small files do."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from ...arrays import Array
from ..bounded import BoundedArray, Numbers
from ..replay import round_to
from .maps import MAPS, map_of
from .place import Place, numbers_in
from .table import Guess, Make, among, suspect


@suspect(*MAPS)
def _rounded_factors(place: Place) -> Iterable[Guess]:
    own, convert = map_of(place), place.world.convert
    x, weight, bias = (numbers_in(one) for one in (own.x, own.weight, own.bias))
    makes: dict[str, Make] = {}
    for name in ("tf32", "float16", "bfloat16"):
        narrow, few = convert(round_to(weight, name)), convert(round_to(bias, name))
        factor = _like(own.x, round_to(x, name))
        makes |= {
            f"the weight is rounded to {name}": partial(own.made, weight=narrow),
            f"weight and bias are rounded to {name}": partial(own.made, weight=narrow, bias=few),
            f"products are of factors rounded to {name}": partial(own.made, factor, narrow),
        }
    cut = _like(own.x, _cut(x)), convert(_cut(weight))
    makes["products are of factors cut to tf32"] = partial(own.made, *cut)
    return among(makes, is_coarse=True)


def _like(old: Array, new: Numbers) -> Array:
    """Give rounded numbers the bound of what was rounded."""
    if isinstance(old, BoundedArray):
        return BoundedArray(new, old.bound, old.dtype, old.xp, old.maps)
    return new


def _cut(x: Numbers) -> Numbers:
    """Leave out the last 13 bits of float32, without rounding."""
    bits = x.astype(np.float32).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32).astype(np.float64)
