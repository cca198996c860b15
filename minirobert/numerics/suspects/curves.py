"""Suspects of the activations and of the residual sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from ...arrays import Array
from ...functional import ACTIVATIONS, gelu
from ...functional.error_function import erf
from ..bounded import BoundedArray, Numbers
from ..bounds import activation
from .fits import root_mean_square
from .place import Place, numbers_in
from .states import LATE_RESIDUAL, PRE_NORM, other_states, residual_of
from .table import Guess, suspect

_CURVES = {
    "intermediate": "intermediate.dense",
    "lm_head.gelu": "lm_head.dense",
    "pooler": "pooler.dense",
    "classifier.tanh": "classifier.dense",
}

#: Those of which half precision rounds each part, where a port writes them out.
_OF_PARTS = ("gelu_new", "gelu_fast", "quick_gelu")


@suspect(*_CURVES)
def _activations(place: Place) -> Iterator[Guess]:
    x, own = place.at(_CURVES[place.bare]), _own_name(place)
    yield Guess(f"there is no activation, but must be {own}", lambda: x)
    tried = {ACTIVATIONS[own]} if own in ACTIVATIONS else set()
    for name, formula in ACTIVATIONS.items():
        if formula not in tried and name != "linear":
            tried.add(formula)
            text = f"the activation is {name}, not {own}"
            yield Guess(text, lambda formula=formula: _at_once(formula, x))
            if _is_nearer(place, numbers_in(formula(numbers_in(x)))):
                if name in _OF_PARTS:
                    yield Guess(text, lambda formula=formula: formula.__wrapped__(x))
                yield Guess(text, lambda name=name: activation(name)(x))
    if ACTIVATIONS.get(own) is gelu and isinstance(x, BoundedArray) and x.dtype.is_half:
        text = f"each operation of the activation is rounded to {x.dtype}"
        yield Guess(text, lambda: _by_parts(x), is_coarse=True)
    if own in ACTIVATIONS:
        twice = activation(own)
        yield Guess("the activation is applied twice", lambda: twice(place.own))


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


def _own_name(place: Place) -> str:
    if place.bare in ("pooler", "classifier.tanh"):
        return "tanh"
    if place.bare == "lm_head.gelu":
        return "gelu"
    act = place.config.hidden_act
    return act if isinstance(act, str) else "the given function"


@suspect("*output.sum")
def _residuals(place: Place) -> Iterator[Guess]:
    dense, residual = _dense(place), residual_of(place)
    for text, state in other_states(place):
        yield Guess(text, lambda state=state: dense + state)
        if text == PRE_NORM:
            yield Guess(text, lambda state=state: state)
    yield Guess("the residual is left out", lambda: dense)
    yield Guess(LATE_RESIDUAL, lambda: dense)  # of what the norm is given
    yield Guess("there is nothing but the residual", lambda: residual)
    yield Guess("the residual is added twice", lambda: place.own + residual)
    yield Guess("the residual is subtracted", lambda: dense - residual)
    yield Guess("the sum is halved", lambda: place.own * 0.5)
    yield Guess("the sum is divided by sqrt(2)", lambda: place.own * math.sqrt(0.5))
    for name, other in place.alike(place.own):
        if other is not residual and other is not dense:
            text, is_rare = _said(place, name)
            yield Guess(text, lambda other=other: dense + other, is_far_fetched=is_rare)


def _said(place: Place, name: str) -> tuple[str, bool]:
    """Tell of another residual, and whether there is no reason to think of it."""
    layer = place.layer or 0
    if name == place.state_name(layer) and layer:
        return "the residual is what the layer was given", False
    for before in range(layer):
        if name == place.state_name(before):
            return "a layer is skipped: the residual is what that was given", False
    return f"the residual is {place.told(name)}", True


def _dense(place: Place) -> Array:
    before = place.bare.removesuffix("sum")
    dropped = f"{before}dense.dropout"
    return place.at(dropped if place.has(dropped) else f"{before}dense")
