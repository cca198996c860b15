"""Losses of digits: no mistake, but sums or numbers of fewer bits than the port says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..arithmetic import FORMATS, Arithmetic
from ..bounded import BoundedArray, Numbers
from ..comparison import Explanation
from ..replay import Call, Passes, Step, passes, round_to
from .fits import misfit
from .maps import map_of
from .place import Place

__all__ = ["coarser", "is_in_format", "loss", "narrow"]

#: The share of a tensor's numbers that must be off where all are computed so.
_MANY = 0.2
#: The least part of the bound, in the root mean square, that rounding makes use of.
_LEAST = 0.01


def narrow(place: Place) -> Iterator[str]:
    """Name the formats of fewer bits that all numbers of the port fit into, the bias aside."""
    if place.port is None or not isinstance(place.own, BoundedArray):
        return
    port = place.port.astype(np.float64)
    if not np.isfinite(port).all() or np.unique(port).size < 4:
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
        bias = map_of(place).bias.value
    except KeyError:
        return False
    if place.bare.endswith((".query", ".key", ".value")):
        bias = bias.reshape(port.shape[1], 1, port.shape[-1])
    product = port - bias
    return bool((abs(round_to(product, name) - product) <= 2 * place.own.dtype.unit * abs(port)).all())


def coarser(
    model: Any, calls: Sequence[Call], arithmetic: Arithmetic
) -> Iterator[tuple[str, Passes]]:
    """Repeat the run in formats of fewer digits than the port's.

    Yields
    ------
    name : str
        The format.
    passes : list of dict of str to (Step, BoundedArray)
    """
    for name in ("tf32", "float16", "bfloat16"):
        if FORMATS[name].unit > FORMATS[str(arithmetic.accumulate)].unit:
            store = arithmetic.store if name == "tf32" else name
            yield name, passes(model, list(calls), Arithmetic(store, name))


def loss(
    text: str, ran: tuple[Step, BoundedArray], off: Numbers, counts: Numbers | None
) -> Explanation | None:
    """Tell whether the error of a tensor is one that fewer digits make.

    Parameters
    ----------
    text : str
        What to say then.
    ran : (Step, BoundedArray)
        Of `coarser`.
    off : boolean array
        Which numbers depart from those of the port's own arithmetic.
    counts : boolean array, optional
        Which of them count.
    """
    step, array = ran
    if step.port is None or step.bound is None or array.maps > 1:
        return None
    if np.mean(off) < _MANY:  # one that is wrong among many right ones is no rounding
        return None
    ratio = misfit(step.value, step.bound, step.port, counts)
    is_small = _rms(step.port - step.value) < _LEAST * _rms(step.bound)
    return None if ratio > 1 or is_small else Explanation(text, ratio, True)


def _rms(x: Numbers) -> float:
    finite = x[np.isfinite(x)]
    return float(np.sqrt(np.mean(finite * finite))) if finite.size else 0.0
