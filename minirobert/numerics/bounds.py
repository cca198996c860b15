"""The bounds of the formulas that may be computed in more than one way.

Each says how far correct arithmetic may be from the exact result, whatever the order of its sums:
u is the unit roundoff of what is stored, v that of what is summed (the same but in half precision),
``c(n) = 3 sqrt(n) + 4``, and d what the input is off already. Importing this file makes the
functions of `minirobert.functional` take a `BoundedArray`.

Source: Higham 2002 (Accuracy and Stability of Numerical Algorithms), chapters 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..functional import ACTIVATIONS, gelu, layer_norm, linear, log_softmax, softmax
from .bounded import BoundedArray, Numbers, c, carried, equal_pairs, rounded

__all__ = ["activation", "bounded_gelu", "bounded_layer_norm", "bounded_linear"]

_FEW = 8  # roundoffs of exp, of the division and of the last rounding


@linear.register
def bounded_linear(
    x: BoundedArray, weight: BoundedArray, bias: BoundedArray | None = None
) -> BoundedArray:
    """Bound a map: ``c(n) v (|x| |W|^T + |b|) + 2 u |y| + u |y - b| + d |W|^T``."""
    size = np.matrix_transpose(abs(weight.value))
    product = x.value @ np.matrix_transpose(weight.value)
    b: Numbers = np.zeros(1) if bias is None else bias.value
    n, sums, store = x.shape[-1], x.xp.sums, x.dtype
    off = c(n) * sums.unit * (abs(x.value) @ size + abs(b)) + n * sums.floor
    off += store.unit * (abs(product) + abs(product + b))
    if x.bound is not None:
        off += abs(x.bound) @ size
    result = rounded(product + b, [off], x)
    result.maps = carried(x) + 1
    return result


@softmax.register
def bounded_softmax(x: BoundedArray) -> BoundedArray:
    """Bound probabilities p by what exp makes of the errors of the scores.

    ``p (r + sum(p r) + (c(n) + 8) v + 2 u)``, where ``r = exp(e) - 1`` is the relative error of an
    exponential, with ``e = d + 4 v (max - s) + 2 v |s|``. Scores that are masked count for nothing.
    """
    exponentials = np.exp(x.value - np.max(x.value, axis=-1, keepdims=True))
    p = exponentials / np.sum(exponentials, axis=-1, keepdims=True)
    e, total = _exponents(x, p)
    return rounded(p, [p * (np.expm1(e) + total + x.dtype.unit)], x)


@log_softmax.register
def bounded_log_softmax(x: BoundedArray) -> BoundedArray:
    """Bound logarithms y of probabilities: ``e + sum(p r) + (c(n) + 8) v + 2 u |y|``, see above.

    A port in half precision may hand them on as it stores them.
    """
    y: Numbers = np.asarray(log_softmax(x.value))
    e, total = _exponents(x, np.exp(y))
    return rounded(y, [e + total + x.xp.store.unit * abs(y)], x)


def _exponents(x: BoundedArray, p: Numbers) -> tuple[Numbers, Numbers]:
    """Say how far the arguments of exp are off, and relatively the sum that divides by it."""
    s, v = x.value, x.xp.sums.unit
    visible = s > x.dtype.lowest
    e = 4 * v * (np.max(s, axis=-1, keepdims=True) - s) + 2 * v * abs(s)
    e = np.where(visible, e if x.bound is None else e + x.bound, 0.0)
    e = np.minimum(e, 700.0)
    n = equal_pairs(s, s.shape[-1] * v, visible)
    return e, np.sum(p * np.expm1(e), axis=-1, keepdims=True) + (c(n) + _FEW) * v


@layer_norm.register
def bounded_layer_norm(
    x: BoundedArray, weight: BoundedArray, bias: BoundedArray, eps: float
) -> BoundedArray:
    """Bound a layer norm, whose mean and variance are off by what they are summed from.

    ``|w| / s (m + d + mean(d) + |h| mean(|h| d)) + |w h| ((c(n) / 2 + 3) v + 2 u) + 2 u |y|``,
    where s is the root, h the normalised input, and ``m = c(n) v mean(|x|)`` the error of the mean,
    which moves all alike and so leaves the variance as it is. The root halves the error of the
    variance.
    """
    w, n, v, u = weight.value, x.shape[-1], x.xp.sums.unit, x.dtype.unit
    centred = x.value - _mean(x.value)
    s = np.sqrt(_mean(centred * centred) + eps)
    h = centred / s
    value = h * w + bias.value
    off = c(n) * v * _mean(abs(x.value))
    if x.bound is not None:
        off = off + x.bound + _mean(x.bound) + abs(h) * _mean(abs(h) * x.bound)
    off = abs(w) / s * off + abs(w * h) * ((c(n) / 2 + 3) * v + 2 * u) + u * abs(value)
    return rounded(value, [off], x)


def _mean(x: Numbers) -> Numbers:
    return np.asarray(np.mean(x, axis=-1, keepdims=True))


def activation(name: str) -> Callable[[Any], Any]:
    """Give an activation for arrays with and without bounds: ``12 v (|x| + |y|) + 2 u |y|``.

    It is relative to ``|x|``, too, where the curve is a difference that cancels.
    """

    def curve(x: Any) -> Any:
        if not isinstance(x, BoundedArray) or name == "gelu":
            return ACTIVATIONS[name](x)
        unit = x.dtype.unit if name in _OF_PARTS else None
        return x.xp.curve(ACTIVATIONS[name], x, _CENTRES.get(name, 0.0), unit)

    return curve


_CENTRES = {"laplace": 0.707107}
#: Those that torch does not have: transformers makes them of elementary operations, each of which
#: rounds in half precision.
_OF_PARTS = (
    *("gelu_new", "gelu_accurate", "gelu_fast", "gelu_python", "gelu_10", "quick_gelu"),
    *("relu2", "laplace"),
)


@gelu.register
def bounded_gelu(x: BoundedArray) -> BoundedArray:
    """Bound the exact GELU as any activation, and by ``e x^2 phi(x)`` in float16.

    A graph in float16 has a root of 2 that is rounded, by e of itself, and the derivative of
    ``x Phi(x (1 + e))`` by e is ``x^2 phi(x)``, where phi is the density of the normal
    distribution. bfloat16 has the same root, and rounds more than that costs in the end.
    """
    y = cast("BoundedArray", x.xp.curve(gelu, x))
    if x.dtype.name == "float16":
        square = x.value * x.value
        off = _ROOT * square * np.exp(-square / 2) / np.sqrt(2 * np.pi)
        y.bound = off if y.bound is None else y.bound + off
    return y


#: What the root of 2 is off in float16, which has 181/128 for it, as its half for the inverse.
_ROOT = 1 - 181 / 128 / np.sqrt(2)
