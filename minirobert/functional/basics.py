"""Maps, sums and probabilities: what the layers are made of."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from ..arrays import Array, array_namespace, half_in_float32, move_like
from ..sentences import shown

__all__ = [
    "apply_dropout",
    "dropout",
    "dropout_mask",
    "embedding",
    "layer_norm",
    "linear",
    "log_softmax",
    "matmul",
    "softmax",
]


def embedding(table: Array, ids: Array) -> Array:  # [X, Y], [...] -> [..., Y]
    """Look up one row of a table for each id.

    Parameters
    ----------
    table : Array of shape [X, Y]
    ids : integer Array of any shape, values in [0, X)

    Returns
    -------
    Array of shape [..., Y]
    """
    xp = array_namespace(table, ids)
    rows = xp.take(table, xp.reshape(ids, (-1,)), axis=0)
    return xp.reshape(rows, (*ids.shape, table.shape[-1]))


@singledispatch
@half_in_float32
def linear(
    x: Array, weight: Array, bias: Array | None = None
) -> Array:  # [..., X], [Y, X], [Y] -> [..., Y]
    """Apply an affine map: ``x W^T + b``.

    Parameters
    ----------
    x : Array of shape [..., X]
    weight : Array of shape [Y, X]
        In torch's orientation: one row an output.
    bias : Array of shape [Y], optional

    Returns
    -------
    Array of shape [..., Y]

    >>> import numpy as np
    >>> linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])).tolist()
    [11.0, 17.0, 23.0]
    """
    product = x @ array_namespace(x).matrix_transpose(weight)
    return product if bias is None else product + bias


@half_in_float32
def matmul(a: Array, b: Array) -> Array:  # [..., M, X], [..., X, Y] -> [..., M, Y]
    """Multiply matrices, over any leading axes."""
    return a @ b


@singledispatch
@half_in_float32
def softmax(x: Array) -> Array:  # [..., X] -> [..., X]
    """Turn the scores of the last axis into probabilities: ``exp(x) / sum(exp(x))``.

    The largest score is subtracted first, which changes nothing but keeps exp from overflowing.

    >>> import numpy as np
    >>> softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


@singledispatch
@half_in_float32
def log_softmax(x: Array) -> Array:  # [..., X] -> [..., X]
    """Take the logarithm of `softmax`, without ever forming a probability of zero.

    >>> import numpy as np
    >>> log_softmax(np.array([0.0, -1000.0])).tolist()
    [0.0, -1000.0]
    """
    xp = array_namespace(x)
    shifted = x - xp.max(x, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


@singledispatch
@half_in_float32
def layer_norm(
    x: Array, weight: Array, bias: Array, eps: float
) -> Array:  # [..., X], [X], [X] -> [..., X]
    """Normalise the last axis to mean 0 and variance 1, then scale and shift it.

    ``(x - mean) / sqrt(variance + eps) * weight + bias``, with the biased variance (divided by X,
    not X - 1).

    Parameters
    ----------
    x : Array of shape [..., X]
    weight, bias : Array of shape [X]
    eps : float
        Keeps a constant row from dividing by zero.

    Notes
    -----
    Source: Ba, Kiros & Hinton 2016 (arXiv:1607.06450), equations 3 and 4.

    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), eps=0.0).tolist()
    [[-1.0, 1.0]]
    """
    xp = array_namespace(x)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    return centred / xp.sqrt(variance + eps) * weight + bias


@half_in_float32
def dropout(x: Array, p: float, rng: Any = None) -> Array:  # [...] -> [...]
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
        raise ValueError(f"p is {shown(p)}, but must be a number from 0 to 1")
    if p == 0 or rng is None:
        return x
    return apply_dropout(x, p, dropout_mask(x, p, rng))


def dropout_mask(x: Array, p: float, rng: Any) -> Array:  # [...] -> bool [...]
    """Draw which elements are kept by dropout.

    Parameters
    ----------
    x : Array of any shape
    p : float in [0, 1]
        The probability of each element to be dropped.
    rng : random generator
        See `dropout`.

    Returns
    -------
    boolean Array of the shape of x
        True, with probability ``1 - p``, where an element is kept.
    """
    return move_like(rng.random(x.shape) >= p, x)


@half_in_float32
def apply_dropout(x: Array, p: float, kept: Array) -> Array:  # [...], bool [...] -> [...]
    """Set to zero what is not kept, and scale the rest by ``1 / (1 - p)``.

    Parameters
    ----------
    x : Array of any shape
    p : float in [0, 1]
    kept : boolean Array of the shape of x
        Of `dropout_mask`.

    Returns
    -------
    Array of the shape of x
    """
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return array_namespace(x).where(kept, x * scale, 0.0)
