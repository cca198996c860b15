"""Patterns in what a port has: no known mistake, but words that help to find an unknown one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ..bounded import BoundedArray, Numbers
from ..rows import Explanation
from .fits import misfit, root_mean_square
from .maps import as_rows, map_of
from .place import Place, numbers_in

__all__ = ["patterns"]

_LARGEST_HALF = 65504.0
#: How much more than a budget a map may be off whose weights were found from its results.
_ROOM = 4.0
#: How many numbers there must be, beyond those that any weights can be fitted to.
_SPARE = 8
#: How many budgets off it must be where a factor, vector or weights are found from its numbers,
#: which fit a part of any error.
_OFF = 50.0
#: How many budgets the rows of a tensor differ, where one vector for all of them means something.
_VARIED = 100.0

#: A pattern, and the largest error over its budget if it is all that is wrong.
_Told = Iterator[tuple[str, float]]


class _Sight(NamedTuple):
    """A tensor of the port beside ours."""

    place: Place
    own: Numbers
    port: Numbers
    budget: Numbers
    counted: Numbers  # which of its numbers count
    unit: float  # the port's roundoff

    def ratio(self, value: Numbers, more: float = 1.0) -> float:
        """Give the largest error over so many budgets, if this were right."""
        return misfit(value, self.budget * more, self.port, self.counted)


def patterns(place: Place, counts: Numbers | None) -> Iterator[Explanation]:
    """Tell what is odd about a tensor that no suspect explains."""
    if place.port is None or not isinstance(place.own, BoundedArray):
        return
    own, bound = place.own.value, place.own.bound
    if own.dtype.kind != "f":
        texts = _of_ids(place.bare, own, place.port)
    else:
        counted = np.ones(own.shape, bool) if counts is None else counts
        budget = np.zeros(own.shape) if bound is None else bound
        port, unit = place.port.astype(np.float64), place.own.dtype.unit
        texts = _of_numbers(_Sight(place, own, port, budget, counted, unit))
    for text, ratio in texts:
        yield Explanation(text, ratio, is_pattern=True)


def _of_ids(name: str, own: Numbers, port: Numbers) -> _Told:
    at = f"at {int((own != port).sum())} of {own.size} places"
    if name == "input_ids":
        yield f"the ids are others {at}: compare the tokens first", 0.0
    elif name == "attend":
        yield f"the mask is another {at}", 0.0


def _of_numbers(sight: _Sight) -> _Told:
    if bool(np.isfinite(sight.port[sight.counted]).all()):
        told = [*_scaled(sight), *_moved(sight), *_equal(sight)]
        yield from told or _another_map(sight)
    else:
        yield from _not_finite(sight)
    yield from _somewhere(sight)


def _not_finite(sight: _Sight) -> _Told:
    odd = ~np.isfinite(sight.port) & np.isfinite(sight.own) & sight.counted
    n = int(odd.sum())
    if not n:
        return
    ratio = sight._replace(counted=sight.counted & ~odd).ratio(sight.own)
    if bool((abs(sight.own[odd]) > _LARGEST_HALF).all()):
        yield "numbers overflow float16", ratio
        return
    what = "is NaN or infinite" if n == 1 else "are NaN or infinite"
    rest = "; the others are right" if ratio <= 1 and n < sight.counted.sum() else ""
    yield f"{n} of {sight.own.size} numbers {what}{rest}", ratio


def _scaled(sight: _Sight) -> _Told:
    """Find a constant factor, or a vector that is added at each position."""
    own, port, counted = sight.own, sight.port, sight.counted
    if not port[counted].any():
        yield "it is all 0: it was never computed", 0.0
        return
    rows = own.reshape(-1, own.shape[-1])
    is_varied = bool((np.ptp(rows, axis=0) > _VARIED * sight.budget.max()).any())
    if not is_varied or sight.ratio(own) < _OFF:
        return  # of rows that are all the same there is always such a factor or vector
    factor = float((own * port)[counted].sum()) / float((own * own)[counted].sum())
    ratio = sight.ratio(own * factor, 2 * max(abs(factor), 1.0))
    if ratio <= 1 and factor:
        yield f"it is {factor:.7g} times what it must be{_known(sight.place, factor)}", ratio
    if own.ndim > 1 and bool(counted.all()):
        shift = np.mean((port - own).reshape(rows.shape), axis=0)
        ratio = sight.ratio(own + shift, 3)
        if ratio <= 1:
            yield "the same vector is added at each position, as by another bias", ratio


def _known(place: Place, factor: float) -> str:
    """Name a factor, if it is a known one."""
    for letter, size in {"H": place.config.hidden_size, "D": place.config.head_size}.items():
        for name, power in {f"sqrt({letter})": 0.5, letter: 1.0}.items():
            for way, known in (("", size**power), ("1 / ", size**-power)):
                if size > 1 and math.isclose(factor, known, rel_tol=1e-4):
                    return f": {way}{name}"
    return ""


def _moved(sight: _Sight) -> _Told:
    """Find out whether the numbers are right, but stand elsewhere."""
    for text, move in _MOVES.items() if sight.own.ndim > 1 else ():
        other = move(sight.own)
        if other.shape == sight.port.shape and not np.array_equal(other, sight.own):
            ratio = sight._replace(budget=move(sight.budget)).ratio(other)
            if ratio <= 1:
                yield text, ratio


_MOVES: dict[str, Callable[[Numbers], Numbers]] = {
    "it is transposed": lambda x: x.swapaxes(-1, -2),
    "each row stands one place later": lambda x: np.roll(x, 1, axis=-2),
    "each row stands one place earlier": lambda x: np.roll(x, -1, axis=-2),
    "the order of the positions is reversed": lambda x: x[..., ::-1, :],
}


def _equal(sight: _Sight) -> _Told:
    """Find another tensor that it is."""
    for name, array in sight.place.alike(sight.place.own):
        ratio = sight.ratio(numbers_in(array))
        if ratio <= 1:
            yield f"it is {sight.place.told(name)}", ratio
            return


def _another_map(sight: _Sight) -> _Told:
    """Find out whether a linear map would do, with weights that are not in the model.

    It can be told where there are more positions than weights of an output: to as many as these,
    any numbers can be fitted.
    """
    try:
        own = map_of(sight.place)
    except KeyError:
        return
    is_tied = sight.place.bare == "lm_head.logits" and sight.place.config.tie_word_embeddings
    must_be = ": it is to be the table of word embeddings" if is_tied else ""
    x = numbers_in(own.x).reshape(-1, own.x.shape[-1])  # [B S, H]
    ours, port, budget = (as_rows(sight.place, one) for one in sight[1:4])
    is_odd = x.shape[0] != port.shape[0] or not np.isfinite(x).all()
    if is_odd or sight.ratio(sight.own) < _OFF:
        return
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    last_digits = 4 * sight.unit  # the rows of a layer norm depend on each other, but for these
    weight, _, rank, _ = np.linalg.lstsq(x, port, rcond=last_digits)
    if (len(np.unique(x, axis=0)) - rank) * port.shape[-1] < _SPARE:
        return
    scale = max(1.0, root_mean_square(port) / max(root_mean_square(ours), 1e-300))
    ratio = misfit(x @ weight, _ROOM * scale * (budget + np.mean(budget)), port)
    if ratio <= 1:
        yield f"it is a linear map of its input, but with other weights{must_be}", ratio


def _somewhere(sight: _Sight) -> _Told:
    """Find out whether it is wrong in a part alone."""
    wrong = ~(abs(sight.port - sight.own) <= sight.budget) & sight.counted
    hidden = _hidden(sight.place, sight.own.shape)
    if hidden is not None and not bool((wrong & ~hidden).any()):
        yield "it is wrong only where the mask hides the token, which nothing looks at", 0.0
        return
    for axis, what in enumerate(_axes(sight.place.bare, sight.own.ndim)):
        others = tuple(k for k in range(sight.own.ndim) if k != axis)
        at = np.flatnonzero(wrong.any(axis=others))
        if len(at) == 1 and sight.own.shape[axis] > 2:
            yield f"it is wrong in {what} {int(at[0])} alone", 0.0


def _axes(name: str, ndim: int) -> tuple[str, ...]:
    if name.endswith(("scores", "scores.masked", "probabilities")):
        return "text", "head", "query", "key"
    names = {2: ("text", "number"), 3: ("text", "token", "number")}
    return names.get(ndim, ("text", "head", "token", "number"))


def _hidden(place: Place, shape: tuple[int, ...]) -> Numbers | None:
    """Tell which numbers are of masked tokens, of [B, S, ...] or [B, N, S, ...]; or None."""
    if place.bare.endswith("scores.masked"):
        return None  # of which those of hidden keys may not have been compared
    mask = place.numbers("attention_mask")
    if mask is None or mask.ndim != 2 or bool((mask != 0).all()) or len(shape) < 3:
        return None
    rows = (mask == 0).reshape(len(mask), *(1,) * (len(shape) - 3), -1, 1)
    if rows.shape[-2] != shape[-2] or rows.shape[0] not in (1, shape[0]):
        return None  # of a call that goes on with a cache, or of cross-attention
    return np.broadcast_to(rows, shape)
