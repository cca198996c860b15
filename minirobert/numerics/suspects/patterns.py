"""Patterns in what a port has: no known mistake, but words that help to find an unknown one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..bounded import BoundedArray, Numbers
from ..comparison import Explanation
from .fits import misfit
from .place import Place

__all__ = ["patterns"]

_LARGEST_HALF = 65504.0


def patterns(place: Place, counts: Numbers | None) -> Iterator[Explanation]:
    """Tell what is odd about a tensor that no suspect explains.

    Parameters
    ----------
    place : Place
        Of the reference run on arrays with bounds.
    counts : boolean array, optional
        Which of the tensor's numbers count.
    """
    if place.port is None or not isinstance(place.own, BoundedArray):
        return
    own, port, bound = place.own.value, place.port, place.own.bound
    budget = np.zeros(own.shape) if bound is None else bound
    if own.dtype.kind != "f":
        yield from _of_ids(place.bare, own, port)
        return
    port = port.astype(np.float64)
    counted = np.ones(own.shape, bool) if counts is None else counts
    yield from _not_finite(own, port, budget, counted)
    if bool(np.isfinite(port).all()):
        yield from _scaled(place, own, port, budget, counted)
        yield from _moved(place, own, port, budget, counted)
        yield from _equal(place, port, budget, counted)
    yield from _somewhere(place, own, port, budget, counted)


def _of_ids(name: str, own: Numbers, port: Numbers) -> Iterator[Explanation]:
    wrong = int((own != port).sum())
    if name == "input_ids":
        text = f"the ids are others at {wrong} of {own.size} places: compare the tokens first"
        yield Explanation(text, 0.0)


def _not_finite(
    own: Numbers, port: Numbers, budget: Numbers, counted: Numbers
) -> Iterator[Explanation]:
    odd = ~np.isfinite(port) & np.isfinite(own) & counted
    n = int(odd.sum())
    if not n:
        return
    ratio = misfit(own, budget, port, counted & ~odd)
    if bool((abs(own[odd]) > _LARGEST_HALF).all()):
        yield Explanation("numbers overflow float16", ratio)
        return
    what = "is NaN or infinite" if n == 1 else "are NaN or infinite"
    rest = "; the others are right" if ratio <= 1 else ""
    yield Explanation(f"{n} of {own.size} numbers {what}{rest}", ratio)


def _scaled(
    place: Place, own: Numbers, port: Numbers, budget: Numbers, counted: Numbers
) -> Iterator[Explanation]:
    """Find a constant factor, or a vector that is added at each position."""
    if not port[counted].any():
        yield Explanation("it is all 0: it was never computed", 0.0)
        return
    square = float((own * own)[counted].sum())
    factor = float((own * port)[counted].sum()) / square if square else 0.0
    if counted.sum() > 2 and factor:
        ratio = misfit(own * factor, budget * 2 * max(abs(factor), 1.0), port, counted)
        if ratio <= 1:
            yield Explanation(f"it is {factor:.4g} times what it must be{_known(place, factor)}", ratio)
    rows = int(np.prod(own.shape[:-1]))
    if own.ndim > 1 and rows > 1 and bool(counted.all()):
        shift = np.mean((port - own).reshape(rows, -1), axis=0)
        ratio = misfit(own + shift, budget * 3, port)
        if ratio <= 1:
            yield Explanation("the same vector is added at each position, as by another bias", ratio)


def _known(place: Place, factor: float) -> str:
    """Name a factor, if it is a known one."""
    sizes = {"H": place.config.hidden_size, "D": place.config.head_size}
    for letter, size in sizes.items():
        for name, value in (
            (f"sqrt({letter})", math.sqrt(size)),
            (f"1 / sqrt({letter})", 1 / math.sqrt(size)),
            (letter, float(size)),
            (f"1 / {letter}", 1 / size),
        ):
            if size > 1 and abs(factor / value - 1) < 1e-4:
                return f": {name}"
    return ""


def _moved(
    place: Place, own: Numbers, port: Numbers, budget: Numbers, counted: Numbers
) -> Iterator[Explanation]:
    """Find out whether the numbers are right, but stand elsewhere."""
    for text, move in _moves(own):
        other = move(own)
        if other.shape == port.shape and not np.array_equal(other, own):
            ratio = misfit(other, move(budget), port, counted)
            if ratio <= 1:
                yield Explanation(text, ratio)


def _moves(own: Numbers) -> Iterator[tuple[str, object]]:
    if own.ndim < 2:
        return
    length = own.shape[-2]
    if own.shape[-1] == length:
        yield "it is transposed", lambda x: x.swapaxes(-1, -2)
    for steps in (1, -1):
        way = "later" if steps == 1 else "earlier"
        yield f"each row stands one place {way}", lambda x, k=steps: np.roll(x, k, axis=-2)
        yield f"each number stands one place {way}", lambda x, k=steps: np.roll(x, k, axis=-1)
    yield "the order of the positions is reversed", lambda x: x[..., ::-1, :]
    if own.ndim == 4:
        yield "the order of the heads is reversed", lambda x: x[:, ::-1]
    yield "the order of the texts is reversed", lambda x: x[::-1]


def _equal(
    place: Place, port: Numbers, budget: Numbers, counted: Numbers
) -> Iterator[Explanation]:
    """Find another tensor that it is."""
    for name, array in place.alike(place.own):
        other = array.value if isinstance(array, BoundedArray) else np.asarray(array)
        ratio = misfit(other, budget, port, counted)
        if ratio <= 1:
            yield Explanation(f"it is {place.told(name)}", ratio)
            return


def _somewhere(
    place: Place, own: Numbers, port: Numbers, budget: Numbers, counted: Numbers
) -> Iterator[Explanation]:
    """Find out whether it is wrong in a part alone."""
    with np.errstate(all="ignore"):
        wrong = ~(abs(port - own) <= budget) & counted
    hidden = _hidden(place, own.shape)
    if hidden is not None and not bool((wrong & ~hidden).any()):
        yield Explanation("it is wrong only where the mask hides the token, which nothing looks at", 0.0)
        return
    for axis, what in enumerate(_axes(place.bare, own.ndim)):
        others = tuple(k for k in range(own.ndim) if k != axis)
        at = np.flatnonzero(wrong.any(axis=others))
        if len(at) == 1 and own.shape[axis] > 2 and what:
            yield Explanation(f"it is wrong in {what} {int(at[0])} alone", 0.0)


def _axes(name: str, ndim: int) -> tuple[str, ...]:
    if ".self." in name and ndim == 4:
        last = "key" if name.endswith(("scores", "scores.masked", "probabilities")) else "number"
        return "text", "head", "query" if last == "key" else "token", last
    if ndim == 3:
        return "text", "token", "number"
    return ("text", "number") if ndim == 2 else ("",) * ndim


def _hidden(place: Place, shape: tuple[int, ...]) -> Numbers | None:
    """Tell which numbers are of tokens that are masked; of [B, S, ...] and [B, N, S, ...]."""
    mask = place.numbers("attention_mask")
    if mask is None or mask.ndim != 2 or bool((mask != 0).all()) or len(shape) < 3:
        return None
    masked = mask == 0
    axes = (slice(None), None, slice(None), None) if len(shape) == 4 else (slice(None), slice(None), None)
    try:
        return np.broadcast_to(masked[axes], shape)
    except ValueError:  # of a call that goes on with a cache, or cross-attention
        return None
