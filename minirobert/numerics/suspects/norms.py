"""Suspects of layer norm: another eps, variance or place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ...arrays import Array, array_namespace, half_in_float32
from ...functional import layer_norm
from ..bounded import BoundedArray, c
from .place import Place
from .states import LATE_RESIDUAL, residual_of
from .table import Guess, Makes, suspect

_EPS = (1e-12, 1e-5, 1e-6, 1e-8, 1e-3, 1e-7, 1e-4, 0.0)  # the likeliest first
_NORMS = ("*LayerNorm", "lm_head.layer_norm")


def _input(place: Place) -> Array:
    """Give what is normalised."""
    if place.bare == "lm_head.layer_norm":
        return place.at("lm_head.gelu")
    return place.at(place.bare.removesuffix("LayerNorm") + "sum")


def _parameters(place: Place, layer: int | None = None) -> tuple[Array, Array]:
    return place.weight(f"{place.bare}.weight", layer), place.weight(f"{place.bare}.bias", layer)


@suspect(*_NORMS)
def _eps(place: Place) -> Makes:
    own = place.config.layer_norm_eps
    norm = partial(layer_norm, _input(place), *_parameters(place))
    return {
        f"layer_norm_eps is {eps:g}, not {own:g}": partial(norm, eps) for eps in _EPS if eps != own
    }


@suspect(*_NORMS)
def _affine(place: Place) -> Makes:
    x, (weight, bias), eps = _input(place), _parameters(place), place.config.layer_norm_eps
    one, zero = (place.world.convert(fill(weight.shape)) for fill in (np.ones, np.zeros))
    which = "of the layer norm"
    return {
        "there is no layer norm": lambda: x,
        f"the weight {which} is left out": lambda: layer_norm(x, one, bias, eps),
        f"the bias {which} is left out": lambda: layer_norm(x, weight, zero, eps),
        f"weight and bias {which} are left out": lambda: layer_norm(x, one, zero, eps),
        f"weight and bias {which} are exchanged": lambda: layer_norm(x, bias, weight, eps),
        f"1 is added to the weight {which}": lambda: layer_norm(x, weight + 1.0, bias, eps),
        "it is normalised twice": lambda: layer_norm(place.own, weight, bias, eps),
    }


@suspect(*_NORMS)
def _variance(place: Place) -> Iterator[Guess]:
    x, (weight, bias), eps = _input(place), _parameters(place), place.config.layer_norm_eps
    for text, divisor in _divisors(eps, place.own.shape[-1]).items():
        # In half precision a port may round each step.
        for normed in (half_in_float32(_normed), _normed):
            yield Guess(text, partial(normed, x, weight, bias, divisor))
    yield Guess(
        "the mean is not subtracted",
        lambda: (
            x / _root(array_namespace(x).mean(x * x, axis=-1, keepdims=True) + eps) * weight + bias
        ),
    )
    if isinstance(place.own, BoundedArray):
        yield Guess(
            "the variance is computed in one pass, mean(x^2) - mean(x)^2",
            lambda: _in_one_pass(place.own, x, weight, eps),
            is_coarse=True,
        )


def _root(x: Array) -> Array:
    return array_namespace(x).sqrt(x)


def _divisors(eps: float, n: int) -> dict[str, Callable[[Array], Array]]:
    """Give what a port may divide by in place of the root of variance and eps."""
    shrink = (n - 1) / n or math.nan
    return {
        "the variance is divided by H - 1": lambda variance: _root(variance / shrink + eps),
        "eps is added outside the root": lambda variance: _root(variance) + eps,
        "the deviation, divided by H - 1, has eps added outside the root": lambda variance: (
            _root(variance / shrink) + eps
        ),
        "the variance takes the place of its root": lambda variance: variance + eps,
        "the mean is subtracted, but nothing divided": lambda variance: variance * 0.0 + 1.0,
    }


def _normed(x: Array, weight: Array, bias: Array, divisor: Callable[[Array], Array]) -> Array:
    """Divide by something else than the root of variance and eps."""
    xp = array_namespace(x)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    squares = centred * centred
    variance = xp.mean(squares, axis=-1, keepdims=True)
    return centred / divisor(variance) * weight + bias


def _in_one_pass(own: Any, x: Any, weight: Any, eps: float) -> Any:
    """Allow for the digits that ``mean(x^2) - mean(x)^2`` loses where the mean is large."""
    mean = np.mean(x.value, axis=-1, keepdims=True)
    square = np.mean(x.value * x.value, axis=-1, keepdims=True)
    variance = np.maximum(square - mean * mean, 0.0) + eps
    lost = (c(x.shape[-1]) + 4) * x.xp.sums.unit * square / variance
    normed = (x.value - mean) / np.sqrt(variance)
    # Of a variance that is lost altogether nothing is known; half of the loss is the root's.
    off = abs(weight.value * normed) * np.where(lost < 1, lost, np.inf)
    return BoundedArray(
        own.value, off + (0.0 if own.bound is None else own.bound), own.dtype, own.xp
    )


@suspect("*output.LayerNorm")
def _other_weights(place: Place) -> Iterable[Guess]:
    x, eps = _input(place), place.config.layer_norm_eps
    for text, j in place.other_layers():
        yield Guess(text, lambda j=j: layer_norm(x, *_parameters(place, j), eps))
    other = "output.LayerNorm" if "attention" in place.bare else "attention.output.LayerNorm"
    pair = place.weight(f"{other}.weight"), place.weight(f"{other}.bias")
    yield Guess(f"the weights are those of {other}", lambda: layer_norm(x, *pair, eps))


@suspect("*output.LayerNorm")
def _residual(place: Place) -> Iterable[Guess]:
    dense = place.at(place.bare.removesuffix("LayerNorm") + "dense")
    residual, own = residual_of(place), place.own
    weight, bias = _parameters(place)
    eps = place.config.layer_norm_eps
    yield Guess(LATE_RESIDUAL, lambda: layer_norm(dense, weight, bias, eps) + residual)
    yield Guess(LATE_RESIDUAL, lambda: own + residual)
    yield Guess(
        "the residual is left out: the norm is of dense alone",
        lambda: layer_norm(dense, weight, bias, eps),
    )
