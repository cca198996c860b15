"""Products of fewer digits: their factors are rounded first, as hardware and small files do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arrays import Array
from ..bounded import BoundedArray, Numbers
from ..replay import round_to
from .maps import MAPS, map_of
from .place import Place, numbers_in
from .table import Guess, suspect


@suspect(*MAPS)
def _rounded_factors(place: Place) -> Iterator[Guess]:
    """Round what is multiplied, as hardware and files of fewer digits do."""
    own = map_of(place)
    convert = place.world.convert
    x, weight, bias = (numbers_in(one) for one in (own.x, own.weight, own.bias))
    for name in ("tf32", "float16", "bfloat16"):
        narrow = convert(round_to(weight, name))
        yield Guess(f"the weight is rounded to {name}", lambda w=narrow: own.made(weight=w), True)
        if name != "tf32":
            b = convert(round_to(bias, name))
            yield Guess(
                f"weight and bias are rounded to {name}",
                lambda w=narrow, b=b: own.made(weight=w, bias=b),
                True,
            )
        factor = _like(own.x, round_to(x, name))
        yield Guess(
            f"products are of factors rounded to {name}",
            lambda w=narrow, x=factor: own.made(x=x, weight=w),
            True,
        )
    cut_x, cut_weight = _like(own.x, _cut(x)), convert(_cut(weight))
    yield Guess(
        "products are of factors cut to tf32", lambda: own.made(x=cut_x, weight=cut_weight), True
    )


def _like(old: Array, new: Numbers) -> Array:
    """Give rounded numbers the bound of what was rounded."""
    if isinstance(old, BoundedArray):
        return BoundedArray(new, old.bound, old.dtype, old.xp, old.maps)
    return new


def _cut(x: Numbers) -> Numbers:
    """Leave out the last 13 bits of float32, without rounding."""
    bits = x.astype(np.float32).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32).astype(np.float64)
