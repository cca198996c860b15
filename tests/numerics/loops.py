"""Ports that are right and compute otherwise: one after the other, backwards, by other formulas.

A `Loops` array is NumPy's, but sums as its `Way` says, and rounds every partial sum. The models of
this package run on such arrays.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from minirobert.functional import gelu, layer_norm, linear, softmax


@dataclass(frozen=True)
class Way:
    """How a port computes."""

    backwards: bool = False  # sums begin with the last term
    bias_first: bool = False  # the bias is where the sum begins, and not added at the end
    variance: str = "two passes"  # or "Welford", or "one pass"
    maximum: bool = True  # whether softmax takes the largest score away first
    erf: str = "exact"  # or "7.1.26", of Abramowitz & Stegun


WAYS = {
    "forwards": Way(),
    "backwards, bias first": Way(backwards=True, bias_first=True),
    "Welford": Way(variance="Welford", bias_first=True),
    "erf 7.1.26": Way(erf="7.1.26", backwards=True),
    "no maximum": Way(maximum=False, variance="Welford"),
}

_way = [Way()]


class Loops(np.ndarray):
    """An array whose sums are loops."""

    def __matmul__(self, other):
        return product(self, other)


@contextmanager
def way(one):
    """Compute so within the block."""
    _way.append(one)
    try:
        yield
    finally:
        _way.pop()


def loops(array):
    return np.asarray(array).view(Loops)


def plain(array):
    return np.asarray(array).view(np.ndarray)


def product(x, y, start=None):
    """Multiply [..., M, X] and [..., X, Y], term by term."""
    x, y = plain(x), plain(y)
    n = x.shape[-1]
    total = np.zeros((*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]))
    total = total.astype(x.dtype) if start is None else total.astype(x.dtype) + plain(start)
    for k in range(n)[:: -1 if _way[-1].backwards else 1]:
        total = total + x[..., :, k, None] * y[..., k, None, :]
    return loops(total)


def add_up(x):
    """Add up the last axis, term by term, and keep it."""
    x = plain(x)
    total = np.zeros((*x.shape[:-1], 1), x.dtype)
    for k in range(x.shape[-1])[:: -1 if _way[-1].backwards else 1]:
        total = total + x[..., k, None]
    return total


@linear.register
def _(x: Loops, weight, bias=None):
    rows = plain(x).reshape(-1, x.shape[-1])
    first = bias is not None and _way[-1].bias_first
    y = product(rows, plain(weight).T, bias if first else None)
    if bias is not None and not first:
        y = y + bias
    return loops(y.reshape(*x.shape[:-1], weight.shape[0]))


@softmax.register
def _(x: Loops):
    x = plain(x)
    top = np.max(x, axis=-1, keepdims=True)
    if not _way[-1].maximum:
        top = np.where(top > -1000, np.float32(0.0), top).astype(x.dtype)
    e = np.exp(x - top)
    return loops(e / add_up(e))


@layer_norm.register
def _(x: Loops, weight, bias, eps):
    x, n = plain(x), x.dtype.type(x.shape[-1])
    mean, variance = _moments(x, n)
    h = (x - mean) / np.sqrt(variance + x.dtype.type(eps))
    return loops(h * plain(weight) + plain(bias))


def _moments(x, n):
    if _way[-1].variance == "Welford":
        mean = np.zeros((*x.shape[:-1], 1), x.dtype)
        squares = mean
        for k in range(x.shape[-1]):
            off = x[..., k, None] - mean
            mean = mean + off / x.dtype.type(k + 1)
            squares = squares + off * (x[..., k, None] - mean)
        return mean, squares / n
    mean = add_up(x) / n
    if _way[-1].variance == "one pass":
        return mean, np.maximum(add_up(x * x) / n - mean * mean, x.dtype.type(0))
    return mean, add_up((x - mean) * (x - mean)) / n


@gelu.register
def _(x: Loops):
    x = plain(x)
    if _way[-1].erf == "exact":
        return loops(gelu(x))
    one = x.dtype.type(1)
    z = abs(x) * x.dtype.type(np.sqrt(0.5))
    t = one / (one + x.dtype.type(0.3275911) * z)
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    p = np.zeros_like(t)
    for factor in factors:
        p = p * t + x.dtype.type(factor)
    erf = np.copysign(one - p * t * np.exp(-z * z), x)
    return loops(x * x.dtype.type(0.5) * (one + erf))
