"""The mathematics of RoBERTa: one formula a function, on arrays of any library.

Axis letters, here and in every file: B batch, S sequence (queries), T keys, H hidden size, N heads,
D = H / N head size, I intermediate size, V vocabulary. ``...`` stands for any leading axes.

Each function computes in the dtype of its input (float16 is computed in float32 and rounded once)
and never changes its arguments. `minirobert.kernels` holds faster versions of a few of them for
NumPy arrays, each tested against the formula here, which stays ``gelu.dispatch(object)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import singledispatch
from types import MappingProxyType
from typing import Any

from .arrays import Array, array_namespace, half_in_float32, move_like

__all__ = [
    "ACTIVATIONS",
    "apply_dropout",
    "dropout",
    "dropout_mask",
    "embedding",
    "erf",
    "gelu",
    "gelu_10",
    "gelu_fast",
    "gelu_new",
    "laplace",
    "largest",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "matmul",
    "mish",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]


def embedding(table: Array, ids: Array) -> Array:  # [V, H], [...] -> [..., H]
    """Look up one row of a table for each id.

    Parameters
    ----------
    table : Array of shape [V, H]
    ids : integer Array of any shape, values in [0, V)

    Returns
    -------
    Array of shape [..., H]
    """
    xp = array_namespace(table, ids)
    rows = xp.take(table, xp.reshape(ids, (-1,)), axis=0)
    return xp.reshape(rows, (*ids.shape, table.shape[-1]))


@singledispatch
@half_in_float32
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:  # [..., I] -> [..., O]
    """Apply an affine map: ``x W^T + b``.

    Parameters
    ----------
    x : Array of shape [..., I]
    weight : Array of shape [O, I]
        In torch's orientation: one row an output.
    bias : Array of shape [O], optional

    Returns
    -------
    Array of shape [..., O]
    """
    product = x @ array_namespace(x).matrix_transpose(weight)
    return product if bias is None else product + bias


@half_in_float32
def matmul(a: Array, b: Array) -> Array:  # [..., S, D], [..., D, T] -> [..., S, T]
    """Multiply matrices, over any leading axes."""
    return a @ b


@singledispatch
@half_in_float32
def softmax(x: Array) -> Array:  # [..., T] -> [..., T]
    """Turn the scores of the last axis into probabilities: ``exp(x) / sum(exp(x))``.

    The largest score is subtracted first, which changes nothing but keeps exp from overflowing.
    """
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


@half_in_float32
def log_softmax(x: Array) -> Array:  # [..., C] -> [..., C]
    """Take the logarithm of `softmax`, without ever forming a probability of zero."""
    xp = array_namespace(x)
    shifted = x - xp.max(x, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


@singledispatch
@half_in_float32
def layer_norm(x: Array, weight: Array, bias: Array, eps: float) -> Array:  # [..., H] -> [..., H]
    """Normalise the last axis to mean 0 and variance 1, then scale and shift it.

    ``(x - mean) / sqrt(variance + eps) * weight + bias``, with the biased variance (divided by H,
    not H - 1).

    Parameters
    ----------
    x : Array of shape [..., H]
    weight, bias : Array of shape [H]
    eps : float
        Keeps a constant row from dividing by zero.

    Notes
    -----
    Source: Ba, Kiros & Hinton 2016 (arXiv:1607.06450), equations 3 and 4.
    """
    xp = array_namespace(x)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    return centred / xp.sqrt(variance + eps) * weight + bias


@singledispatch
def largest(x: Array, k: int) -> tuple[Array, Array]:  # [B, M] -> [B, k], [B, k]
    """Find the k largest numbers of each row, and where they are.

    Parameters
    ----------
    x : Array of shape [B, M]
    k : int, at most M

    Returns
    -------
    values : Array of shape [B, k]
        The largest first.
    places : integer Array of shape [B, k]
        Of equal numbers, the first comes first.

    >>> import numpy as np
    >>> largest(np.array([[5.0, 7.0, 6.0, 7.0]]), 3)
    (array([[7., 7., 6.]]), array([[1, 3, 2]]))
    """
    xp = array_namespace(x)
    places = xp.argsort(x, axis=1, descending=True)[:, :k]
    return xp.take_along_axis(x, places, axis=1), places


@half_in_float32
def dropout(x: Array, p: float, rng: Any = None) -> Array:
    """Set each element to zero with probability ``p``, and scale the others by ``1 / (1 - p)``.

    The scale keeps the expected value (*inverted* dropout), so nothing needs to be done outside
    of training.

    Parameters
    ----------
    x : Array of any shape
    p : float in [0, 1]
        0 returns ``x`` itself.
    rng : random generator, optional
        ``rng.random(shape)`` gives uniform numbers in [0, 1): ``numpy.random.Generator``, whose
        numbers are moved to the device of ``x``, or a generator of its own library. None returns
        ``x`` itself: the model is not being trained.

    Raises
    ------
    ValueError
        If ``p`` is no probability.

    Notes
    -----
    Source: Srivastava et al. 2014 (JMLR 15), section 10.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p!r}, but must be a number from 0 to 1")
    if p == 0 or rng is None:
        return x
    return apply_dropout(x, p, dropout_mask(x, p, rng))


def dropout_mask(x: Array, p: float, rng: Any) -> Array:
    """Draw which elements of ``x`` are kept: booleans of its shape, True with probability 1 - p."""
    return move_like(rng.random(x.shape) >= p, x)


def apply_dropout(x: Array, p: float, kept: Array) -> Array:
    """Set to zero what is not kept, and scale the rest by ``1 / (1 - p)``."""
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return array_namespace(x).where(kept, x * scale, 0.0)


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Evaluate ``c[0] x^n + … + c[n]`` by Horner's rule."""
    result = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        result = result * x + coefficient
    return result


# erf(x) = x + x * sum over n of _ERF_SERIES[n] * x^(2n), highest power first: the Maclaurin series,
# with the leading 2 / sqrt(pi) split into 1 + 0.128…, so that adding the rest costs no accuracy.
_TWO_OVER_SQRT_PI_MINUS_1 = 0.12837916709551257390
_ERF_SERIES = (
    *(
        2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1))
        for n in range(18, 0, -1)
    ),
    _TWO_OVER_SQRT_PI_MINUS_1,
)
# erfc(x) = exp(-x^2) * numerator(x) / denominator(x), for 0.46875 <= x <= 4 and good enough beyond,
# where erf(x) = 1 - erfc(x) no longer feels it.
_ERFC_NUMERATOR = (
    *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0),
    *(6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2),
    *(1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
)
_ERFC_DENOMINATOR = (
    *(1.0, 1.57449261107098347e1, 1.17693950891312499e2),
    *(5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3),
    *(4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)


@half_in_float32
def erf(x: Array) -> Array:
    """Compute the error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 to x.

    Up to ``|x| = 1`` this is the Maclaurin series; from there on ``1 - erfc(x)``, with a rational
    approximation of ``erfc(x) exp(x^2)``.

    Returns
    -------
    Array
        Within 2 units in the last place in float32, within 4 in float64; NaN for NaN.

    Notes
    -----
    Sources: the series is equation 7.6.1 of the NIST Digital Library of Mathematical Functions;
    the approximation is Cody 1969 (Mathematics of Computation 23, 631-637), table 2, n = 8.

    >>> import numpy as np
    >>> erf(np.array([-np.inf, 0.0, 0.5]))
    array([-1. ,  0. , 0.52049988])
    """
    xp = array_namespace(x)
    size = xp.abs(x)
    small = xp.clip(x, -1.0, 1.0)
    near = small + small * _polynomial(small * small, _ERF_SERIES)
    large = xp.clip(size, 1.0, 6.0)  # erf(6) is 1 in float64
    ratio = _polynomial(large, _ERFC_NUMERATOR) / _polynomial(large, _ERFC_DENOMINATOR)
    far = 1.0 - xp.exp(-large * large) * ratio
    return xp.where(size <= 1.0, near, xp.copysign(far, x))


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
