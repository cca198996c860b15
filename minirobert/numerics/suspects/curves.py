"""Suspects of the activations and of the residual sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from inspect import unwrap

from ...arrays import Array
from ...functional import ACTIVATIONS, gelu
from ...functional.error_function import erf
from ..bounded import BoundedArray, Numbers
from ..bounds import activation
from .fits import root_mean_square
from .place import Place, numbers_in
from .states import LATE_RESIDUAL, PRE_NORM, other_states, residual_of
from .table import Guess, among, suspect

#: What each curve is of, and which it is where the configuration does not tell.
_CURVES = {
    "intermediate": ("intermediate.dense", ""),
    "lm_head.gelu": ("lm_head.dense", "gelu"),
    "pooler": ("pooler.dense", "tanh"),
    "classifier.tanh": ("classifier.dense", "tanh"),
}

#: Those of which half precision rounds each part, where a port writes them out.
_OF_PARTS = ("gelu_new", "gelu_fast", "quick_gelu")


@suspect(*_CURVES)
def _activations(place: Place) -> Iterator[Guess]:
    before, named = _CURVES[place.bare]
    act, x = named or place.config.hidden_act, place.at(before)
    own = act if isinstance(act, str) else "the given function"
    yield Guess(f"there is no activation, but must be {own}", lambda: x)
    tried = {ACTIVATIONS[own]} if own in ACTIVATIONS else set()
    for name, formula in ACTIVATIONS.items():
        if formula not in tried and name != "linear":
            tried.add(formula)
            text = f"the activation is {name}, not {own}"
            yield Guess(text, partial(_at_once, formula, x))
            if _is_nearer(place, numbers_in(formula(numbers_in(x)))):
                if name in _OF_PARTS:
                    yield Guess(text, partial(unwrap(formula), x))
                yield Guess(text, partial(activation(name), x))
    if ACTIVATIONS.get(own) is gelu and isinstance(x, BoundedArray) and x.dtype.is_half:
        text = f"each operation of the activation is rounded to {x.dtype}"
        yield Guess(text, partial(_by_parts, x), is_coarse=True)
    if own in ACTIVATIONS:
        yield Guess("the activation is applied twice", partial(activation(own), place.own))


def _at_once(formula: Callable[[Array], Array], x: Array) -> Array:
    """Round a curve once, as a library does that has it, whatever its parts are here."""
    return x.xp.curve(formula, x) if isinstance(x, BoundedArray) else formula(x)


def _is_nearer(place: Place, other: Numbers) -> bool:
    """Tell whether the port is nearer to another curve, if it is rounded so that both would fit."""
    if place.port is None:
        return True
    own, far = (root_mean_square(place.port - one) for one in (numbers_in(place.own), other))
    return far < own


def _by_parts(x: BoundedArray) -> BoundedArray:
    """Write the exact GELU out."""
    curve: BoundedArray = x.xp.curve(erf, x * math.sqrt(0.5))
    return x * 0.5 * (1.0 + curve)


@suspect("*output.sum")
def _residuals(place: Place) -> Iterable[Guess]:
    dense, residual, own = _dense(place), residual_of(place), place.own
    for text, state in other_states(place):
        yield Guess(text, lambda state=state: dense + state)
        if text == PRE_NORM:
            yield Guess(text, lambda state=state: state)
    yield Guess("the residual is left out", lambda: dense)
    yield Guess(LATE_RESIDUAL, lambda: dense)  # of what the norm is given
    yield from among(
        {
            "there is nothing but the residual": lambda: residual,
            "the residual is added twice": lambda: own + residual,
            "the residual is subtracted": lambda: dense - residual,
        }
    )
    if isinstance(own, BoundedArray):
        text = "its terms are shown rounded, but were added unrounded"
        make = partial(_added_unrounded, own, dense, residual)
        yield Guess(text, make, is_coarse=True, is_far_fetched=True)
    for name, other in place.alike(own):
        if other is not residual and other is not dense:
            text, is_rare = place.said_of(name, "the residual is")
            if name == place.state_name(place.layer or 0):
                text, is_rare = "the residual is what the layer was given", False
            yield Guess(text, lambda other=other: dense + other, is_far_fetched=is_rare)


def _dense(place: Place) -> Array:
    before = place.bare.removesuffix("sum")
    dropped = f"{before}dense.dropout"
    return place.at(dropped if place.has(dropped) else f"{before}dense")


def _added_unrounded(own: BoundedArray, *terms: Array) -> BoundedArray:
    """Allow for what a port rounds that computes in more digits than it shows."""
    size = sum(abs(numbers_in(term)) for term in terms)
    bound = own.dtype.unit * size + (0.0 if own.bound is None else own.bound)
    return BoundedArray(own.value, bound, own.dtype, own.xp)
