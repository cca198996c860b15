"""Losses of digits: no mistake, but sums or numbers of fewer bits than the port says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..arithmetic import FORMATS, Arithmetic
from ..bounded import BoundedArray, Numbers
from ..replay import Call, Step, passes, replay, round_to
from ..rows import Explanation
from .fits import misfit, root_mean_square
from .local import Found, Spot, is_far
from .maps import map_of
from .place import Place, numbers_in
from .samples import sample_of

__all__ = ["is_in_format", "lost", "narrow"]

_PRODUCTS = ("query", "key", "value", "scores", "context", "dense", "logits")
#: The share of a tensor's numbers that must be off, by that part of the bound, where all are
#: computed so.
_MANY, _PART = 0.2, 0.25
#: The part of the errors that a factor leaves, if it is all that is wrong.
_LEFT = 0.1
#: The least part of the bound, in the root mean square, that rounding makes use of.
_LEAST = 0.01


def narrow(place: Place) -> Iterator[str]:
    """Name the formats of fewer bits that all numbers of the port fit into, the bias aside."""
    if place.port is None or not isinstance(place.own, BoundedArray):
        return
    port = place.port.astype(np.float64)
    if not np.isfinite(port).all() or np.unique(port).size < 8:
        return
    for name in ("bfloat16", "float16"):
        if FORMATS[name].unit > place.own.dtype.unit and (
            is_in_format(port, name) or _is_before_bias(place, port, name)
        ):
            yield name


def is_in_format(x: Numbers, name: str) -> bool:
    """Tell whether a format has all these numbers.

    >>> is_in_format(np.array([0.5, 1.0009765625]), "float16")
    True
    """
    return bool(np.array_equal(round_to(x, name), x))


def _is_before_bias(place: Place, port: Numbers, name: str) -> bool:
    """Tell whether the numbers are those of a format but for a bias that was added after."""
    try:
        bias = numbers_in(map_of(place).bias)
    except KeyError:
        return False
    if place.bare.endswith((".query", ".key", ".value")):
        bias = bias.reshape(port.shape[1], 1, port.shape[-1])
    product = port - bias
    return bool(
        (abs(round_to(product, name) - product) <= 2 * place.own.dtype.unit * abs(port)).all()
    )


def lost(
    names: Sequence[str],
    where: Sequence[Spot],
    model: Any,
    calls: Sequence[Call],
    arithmetic: Arithmetic,
) -> Found:
    """Find which steps are explained by fewer digits than the port's own, the most digits first."""
    asked = [one for one in where if one.name in names]
    found: Found = {}
    for name in ("tf32", "float16", "bfloat16"):
        store = _store(arithmetic, name)
        near = [one for one in asked if _is_off_in_general(one)] if store else []
        run = passes(model, list(calls), Arithmetic(store, name)) if near else []
        for one in near:
            step, array = run[one.k][one.place.name]
            text = _text(one.place, name)
            ratio = float("inf") if is_far(array) else _loss(one, step)
            if ratio <= 1 and text:
                found.setdefault(one.name, []).append(Explanation(text, ratio, is_coarse=True))
    far = [one for one in asked if is_far(one.place.own)]
    if far and _store(arithmetic, "tf32"):
        steps = replay(model, list(calls), Arithmetic(arithmetic.store, "tf32"))
        ratios = {one.name: _loss(one, steps[one.k][one.place.name]) for one in far}
        text = "it is no farther off than sums or factors in tf32 or float16 may be"
        for name, ratio in ratios.items():
            found |= {name: [Explanation(text, ratio, is_pattern=True)]} if ratio <= 1 else {}
    return found


def _store(arithmetic: Arithmetic, name: str) -> str:
    """Tell in what a port stores numbers that sums in a format; nothing where it always does."""
    unit = FORMATS[name].unit
    if unit <= FORMATS[str(arithmetic.accumulate)].unit:
        return ""
    if name == "tf32":  # which is made of float32
        return arithmetic.store if FORMATS[arithmetic.store].unit < unit else ""
    return arithmetic.store if FORMATS[arithmetic.store].unit >= unit else name


def _is_off_in_general(spot: Spot) -> bool:
    """Tell whether many numbers are off: one that is wrong among right ones is no rounding.

    Nor is an error that a factor common to all takes away.
    """
    own, port = spot.place.own, spot.place.port
    if port is None or not isinstance(own, BoundedArray) or own.bound is None or is_far(own):
        return False
    are_many = bool(np.mean(abs(port - own.value) > _PART * own.bound) >= _MANY)
    return are_many and not _is_scaled(own.value, port, spot.counts)


def _is_scaled(own: Numbers, port: Numbers, counts: Numbers | None) -> bool:
    """Tell whether hardly anything is left of the errors but for a factor."""
    counted = np.isfinite(own) & np.isfinite(port) & (True if counts is None else counts)
    x, y = own[counted], port[counted].astype(np.float64)
    factor = float(x @ y) / (float(x @ x) or 1.0)
    return root_mean_square(y - factor * x) < _LEFT * root_mean_square(y - x)


def _text(place: Place, name: str) -> str:
    """Say what is of fewer digits, as far as the port's numbers show it."""
    fitting = next(narrow(place), None)
    if fitting is not None:
        return f"its numbers are those of {name}: it is summed or stored in it" * (fitting == name)
    # A curve or a norm that is summed in few digits gives numbers of few digits; a product whose
    # factors are rounded need not.
    is_product = place.bare.endswith(_PRODUCTS) and name != "bfloat16" and _is_as_lossy(place)
    return f"sums or their factors are kept in {name}" if is_product else ""


def _is_as_lossy(place: Place) -> bool:
    """Tell whether a map is off by what sums in float16 are, term by term from either end.

    The bound alone would allow for much more, as quantised factors make it: it is of sums whose
    terms have one sign.
    """
    try:
        sample = sample_of(place)
    except KeyError:  # of scores, or of a context
        return True
    if sample is None:
        return False
    x, weight = sample.x[sample.rows], sample.weight[sample.outputs]
    sums = np.zeros((2, len(x), len(weight)), np.float16)
    for k in range(x.shape[1]):
        for total, i in zip(sums, (k, -1 - k), strict=True):
            total += np.outer(x[:, i], weight[:, i]).astype(np.float16)
    errors = [root_mean_square(total - x @ weight.T) for total in sums.astype(np.float64)]
    return sample.departure <= _ROOM * max(errors)


#: How many times the error of sums that are computed here one of a port's may be.
_ROOM = 2


def _loss(spot: Spot, step: Step) -> float:
    """Give the error over the bound of fewer digits, or infinity if they do not explain it."""
    if step.port is None or step.bound is None:
        return float("inf")
    is_small = root_mean_square(step.port - step.value) < _LEAST * root_mean_square(step.bound)
    if is_small and not any(narrow(spot.place)):
        return float("inf")
    return misfit(step.value, step.bound, step.port, spot.counts)
