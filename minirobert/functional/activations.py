"""The activations: each is a curve, the same for every element, ``[...] -> [...]``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import singledispatch
from types import MappingProxyType

from ..arrays import Array, array_namespace, half_in_float32
from .error_function import erf

__all__ = [
    "ACTIVATIONS",
    "gelu",
    "gelu_10",
    "gelu_fast",
    "gelu_new",
    "laplace",
    "leaky_relu",
    "mish",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "sigmoid",
    "silu",
    "tanh",
]


@singledispatch
@half_in_float32
def gelu(x: Array) -> Array:
    """Weigh each input by the normal distribution's mass below it: ``x/2 (1 + erf(x / sqrt 2))``.

    This is the exact GELU, RoBERTa's own. `gelu_new` approximates it and differs by up to 4.7e-4.

    Notes
    -----
    Source: Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2.
    """
    return x * 0.5 * (1.0 + erf(x * math.sqrt(0.5)))


@half_in_float32
def gelu_new(x: Array) -> Array:
    """Approximate `gelu` with tanh: ``x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))``.

    Notes
    -----
    Source: Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2.

    >>> import numpy as np
    >>> x = np.linspace(-3, 3, 601)
    >>> f"{abs(gelu_new(x) - gelu(x)).max():.1e}"
    '4.7e-04'
    """
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1.0 + array_namespace(x).tanh(inner))


@half_in_float32
def gelu_fast(x: Array) -> Array:
    """Compute `gelu_new` with its constant cut to ten digits, as some checkpoints were trained."""
    inner = x * 0.7978845608 * (1.0 + 0.044715 * x * x)
    return 0.5 * x * (1.0 + array_namespace(x).tanh(inner))


@half_in_float32
def gelu_10(x: Array) -> Array:
    """Clip `gelu` to [-10, 10], which suits quantisation (Wu et al. 2020, arXiv:2004.09602)."""
    return array_namespace(x).clip(gelu(x), -10.0, 10.0)


@half_in_float32
def quick_gelu(x: Array) -> Array:
    """Approximate `gelu` with the logistic function: ``x sigmoid(1.702 x)``."""
    return x * sigmoid(1.702 * x)


@half_in_float32
def sigmoid(x: Array) -> Array:
    """Compute the logistic function ``1 / (1 + exp(-x))``.

    Left of zero it is written as ``exp(x) / (1 + exp(x))``, so that exp never overflows.
    """
    xp = array_namespace(x)
    e = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1.0, e) / (1.0 + e)


@half_in_float32
def silu(x: Array) -> Array:
    """Compute ``x sigmoid(x)``, also called swish."""
    return x * sigmoid(x)


@half_in_float32
def mish(x: Array) -> Array:
    """Compute ``x tanh(log(1 + exp(x)))`` (Misra 2019, arXiv:1908.08681)."""
    xp = array_namespace(x)
    softplus = xp.clip(x, 0.0, None) + xp.log1p(xp.exp(-xp.abs(x)))
    return x * xp.tanh(softplus)


def relu(x: Array) -> Array:
    """Compute ``max(x, 0)``."""
    return array_namespace(x).clip(x, 0.0, None)


@half_in_float32
def relu2(x: Array) -> Array:
    """Compute ``max(x, 0)^2`` (So et al. 2021, arXiv:2109.08668)."""
    return relu(x) * relu(x)


@half_in_float32
def relu6(x: Array) -> Array:
    """Compute ``min(max(x, 0), 6)``."""
    return array_namespace(x).clip(x, 0.0, 6.0)


@half_in_float32
def leaky_relu(x: Array) -> Array:
    """Compute ``x`` where it is positive and ``0.01 x`` elsewhere."""
    return array_namespace(x).where(x >= 0, x, 0.01 * x)


@half_in_float32
def tanh(x: Array) -> Array:
    """Compute the hyperbolic tangent."""
    return array_namespace(x).tanh(x)


@half_in_float32
def laplace(x: Array) -> Array:
    """Compute ``(1 + erf((x - mu) / (sigma sqrt 2))) / 2`` with mu 0.707107 and sigma 0.282095.

    Notes
    -----
    Source: Ma et al. 2022 (arXiv:2209.10655), equation 16.
    """
    return 0.5 * (1.0 + erf((x - 0.707107) / (0.282095 * math.sqrt(2))))


def _identity(x: Array) -> Array:
    return x


#: The activation of each name that ``RobertaConfig.hidden_act`` may have.
ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "gelu": gelu,
        "gelu_python": gelu,
        "gelu_new": gelu_new,
        "gelu_accurate": gelu_new,
        "gelu_pytorch_tanh": gelu_new,
        "gelu_fast": gelu_fast,
        "gelu_10": gelu_10,
        "quick_gelu": quick_gelu,
        "relu": relu,
        "relu2": relu2,
        "relu6": relu6,
        "leaky_relu": leaky_relu,
        "silu": silu,
        "swish": silu,
        "mish": mish,
        "tanh": tanh,
        "sigmoid": sigmoid,
        "laplace": laplace,
        "linear": _identity,
    }
)
