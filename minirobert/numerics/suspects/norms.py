"""Suspects of layer norm: another eps, variance or place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...arrays import Array, array_namespace, half_in_float32
from ...functional import layer_norm
from ..bounded import BoundedArray, c
from .place import Place
from .states import LATE_RESIDUAL, PRE_NORM, residual_of
from .table import Guess, suspect

_EPS = (1e-12, 1e-5, 1e-6, 1e-8, 1e-3, 1e-7, 1e-4, 0.0)  # the likeliest first

_NORMS = ("*LayerNorm", "lm_head.layer_norm")


def _input(place: Place) -> Array:
    """Give what is normalised."""
    if place.bare == "lm_head.layer_norm":
        return place.at("lm_head.gelu")
    return place.at(place.bare.removesuffix("LayerNorm") + "sum")


@suspect(*_NORMS)
def _eps(place: Place) -> Iterator[Guess]:
    x, own = _input(place), place.config.layer_norm_eps
    weight, bias = _parameters(place)
    for eps in _EPS:
        if eps != own:
            yield Guess(
                f"layer_norm_eps is {eps:g}, not {own:g}",
                lambda eps=eps: layer_norm(x, weight, bias, eps),
            )


@suspect(*_NORMS)
def _variance(place: Place) -> Iterator[Guess]:
    x, eps, n = _input(place), place.config.layer_norm_eps, place.own.shape[-1]
    weight, bias = _parameters(place)
    shrink = (n - 1) / n
    if n > 1:
        yield Guess(
            "the variance is divided by H - 1",
            lambda: layer_norm(x, weight * math.sqrt(shrink), bias, eps * shrink),
        )
    for text, divisor in _divisors(eps, shrink):
        for normed in (_normed_at_once, _normed):  # in half precision a port may round each step
            yield Guess(
                text,
                lambda normed=normed, divisor=divisor: normed(x, weight, bias, divisor),
            )
    yield Guess("the mean is not subtracted", lambda: _rms_normed(x, weight, bias, eps))
    yield Guess(
        "the mean is subtracted, but nothing divided",
        lambda: _centred(x) * weight + bias,
    )
    if isinstance(place.own, BoundedArray):
        yield Guess(
            "the variance is computed in one pass, mean(x^2) - mean(x)^2",
            lambda: _in_one_pass(place.own, x, weight, eps),
            is_coarse=True,
        )


@suspect(*_NORMS)
def _affine(place: Place) -> Iterator[Guess]:
    x, eps = _input(place), place.config.layer_norm_eps
    weight, bias = _parameters(place)
    one, zero = (
        place.world.convert(np.ones(weight.shape)),
        place.world.convert(np.zeros(bias.shape)),
    )
    yield Guess("there is no layer norm", lambda: x)
    yield Guess("the weight of the layer norm is left out", lambda: layer_norm(x, one, bias, eps))
    yield Guess("the bias of the layer norm is left out", lambda: layer_norm(x, weight, zero, eps))
    yield Guess(
        "weight and bias of the layer norm are left out", lambda: layer_norm(x, one, zero, eps)
    )
    yield Guess(
        "weight and bias of the layer norm are exchanged", lambda: layer_norm(x, bias, weight, eps)
    )
    yield Guess(
        "1 is added to the weight of the layer norm", lambda: layer_norm(x, weight + 1.0, bias, eps)
    )
    yield Guess("it is normalised twice", lambda: layer_norm(place.own, weight, bias, eps))


@suspect("*output.LayerNorm")
def _other_weights(place: Place) -> Iterator[Guess]:
    x, eps = _input(place), place.config.layer_norm_eps
    for j in range(place.n_layers):
        if j != place.layer:
            weight, bias = _parameters(place, j)
            yield Guess(
                f"the weights are those of layer {j}",
                lambda weight=weight, bias=bias: layer_norm(x, weight, bias, eps),
            )
    for other in ("attention.output.LayerNorm", "output.LayerNorm"):
        if other != place.bare:
            pair = place.weight(f"{other}.weight"), place.weight(f"{other}.bias")
            yield Guess(
                f"the weights are those of {other}", lambda pair=pair: layer_norm(x, *pair, eps)
            )


@suspect("*output.LayerNorm")
def _residual(place: Place) -> Iterator[Guess]:
    before = place.bare.removesuffix("LayerNorm")
    dense, residual = place.at(f"{before}dense"), residual_of(place)
    weight, bias = _parameters(place)
    eps = place.config.layer_norm_eps
    yield Guess(LATE_RESIDUAL, lambda: layer_norm(dense, weight, bias, eps) + residual)
    yield Guess(LATE_RESIDUAL, lambda: place.own + residual)
    yield Guess(
        "the residual is left out: the norm is of dense alone",
        lambda: layer_norm(dense, weight, bias, eps),
    )
    yield Guess(
        "the norm is of the residual alone", lambda: layer_norm(residual, weight, bias, eps)
    )
    yield Guess(PRE_NORM, lambda: dense + layer_norm(residual, weight, bias, eps))


def _parameters(place: Place, layer: int | None = None) -> tuple[Array, Array]:
    return place.weight(f"{place.bare}.weight", layer), place.weight(f"{place.bare}.bias", layer)


def _centred(x: Array) -> Array:
    return x - array_namespace(x).mean(x, axis=-1, keepdims=True)


def _root(x: Array) -> Array:
    return array_namespace(x).sqrt(x)


def _divisors(eps: float, shrink: float) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    """Give what a port may divide by in place of the root of variance and eps."""
    if shrink:
        yield "the variance is divided by H - 1", lambda variance: _root(variance / shrink + eps)
    yield "eps is added outside the root", lambda variance: _root(variance) + eps
    if shrink:
        yield (
            "the deviation, divided by H - 1, has eps added outside the root",
            lambda variance: _root(variance / shrink) + eps,
        )
    yield "the variance takes the place of its root", lambda variance: variance + eps


def _normed(x: Array, weight: Array, bias: Array, divisor: Callable[[Array], Array]) -> Array:
    """Divide by something else than the root of variance and eps."""
    centred = _centred(x)
    variance = array_namespace(x).mean(centred * centred, axis=-1, keepdims=True)
    return centred / divisor(variance) * weight + bias


_normed_at_once = half_in_float32(_normed)


@half_in_float32
def _rms_normed(x: Array, weight: Array, bias: Array, eps: float) -> Array:
    square = array_namespace(x).mean(x * x, axis=-1, keepdims=True)
    return x / _root(square + eps) * weight + bias


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
