"""Patterns in what a port has: no known mistake, but words that help to find an unknown one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..bounded import BoundedArray, Numbers
from ..comparison import Explanation
from .fits import misfit, root_mean_square
from .maps import as_rows, map_of
from .place import Place, numbers_in

__all__ = ["patterns"]

_LARGEST_HALF = 65504.0


class _Sight(NamedTuple):
    """A tensor of the port beside ours."""

    place: Place
    own: Numbers
    port: Numbers
    budget: Numbers
    counted: Numbers  # which of its numbers count

    def ratio(self, value: Numbers, more: float = 1.0) -> float:
        """Give the largest error over so many budgets, if this were right."""
        return misfit(value, self.budget * more, self.port, self.counted)


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
    own, bound = place.own.value, place.own.bound
    if own.dtype.kind != "f":
        texts = _of_ids(place.bare, own, place.port)
    else:
        counted = np.ones(own.shape, bool) if counts is None else counts
        budget = np.zeros(own.shape) if bound is None else bound
        texts = _of_numbers(_Sight(place, own, place.port.astype(np.float64), budget, counted))
    for text, ratio in texts:
        yield Explanation(text, ratio, is_pattern=True)


def _of_ids(name: str, own: Numbers, port: Numbers) -> Iterator[tuple[str, float]]:
    wrong = int((own != port).sum())
    if name == "input_ids":
        yield f"the ids are others at {wrong} of {own.size} places: compare the tokens first", 0.0
    elif name == "attend":
        yield f"the mask is another at {wrong} of {own.size} places", 0.0


def _of_numbers(sight: _Sight) -> Iterator[tuple[str, float]]:
    if bool(np.isfinite(sight.port[sight.counted]).all()):
        yield from _scaled(sight)
        yield from _moved(sight)
        yield from _equal(sight)
        yield from _another_map(sight)
    else:
        yield from _not_finite(sight)
    yield from _somewhere(sight)


def _not_finite(sight: _Sight) -> Iterator[tuple[str, float]]:
    odd = ~np.isfinite(sight.port) & np.isfinite(sight.own) & sight.counted
    n = int(odd.sum())
    if not n:
        return
    ratio = sight._replace(counted=sight.counted & ~odd).ratio(sight.own)
    if bool((abs(sight.own[odd]) > _LARGEST_HALF).all()):
        yield "numbers overflow float16", ratio
        return
    what = "is NaN or infinite" if n == 1 else "are NaN or infinite"
    rest = "; the others are right" if ratio <= 1 else ""
    yield f"{n} of {sight.own.size} numbers {what}{rest}", ratio


def _scaled(sight: _Sight) -> Iterator[tuple[str, float]]:
    """Find a constant factor, or a vector that is added at each position."""
    own, port, counted = sight.own, sight.port, sight.counted
    if not port[counted].any():
        yield "it is all 0: it was never computed", 0.0
        return
    square = float((own * own)[counted].sum())
    factor = float((own * port)[counted].sum()) / square if square else 0.0
    if counted.sum() > 2 and factor:
        ratio = sight.ratio(own * factor, 2 * max(abs(factor), 1.0))
        if ratio <= 1:
            yield f"it is {factor:.4g} times what it must be{_known(sight.place, factor)}", ratio
    rows = math.prod(own.shape[:-1])
    if own.ndim > 1 and rows > 1 and bool(counted.all()):
        shift = np.mean((port - own).reshape(rows, -1), axis=0)
        ratio = sight.ratio(own + shift, 3)
        if ratio <= 1:
            yield "the same vector is added at each position, as by another bias", ratio


def _known(place: Place, factor: float) -> str:
    """Name a factor, if it is a known one."""
    sizes = {"H": place.config.hidden_size, "D": place.config.head_size}
    for letter, size in sizes.items():
        known = {
            f"sqrt({letter})": math.sqrt(size),
            f"1 / sqrt({letter})": 1 / math.sqrt(size),
            letter: float(size),
            f"1 / {letter}": 1 / size,
        }
        for name, value in known.items():
            if size > 1 and abs(factor / value - 1) < 1e-4:
                return f": {name}"
    return ""


def _moved(sight: _Sight) -> Iterator[tuple[str, float]]:
    """Find out whether the numbers are right, but stand elsewhere."""
    for text, move in _moves(sight.own):
        other = move(sight.own)
        if other.shape == sight.port.shape and not np.array_equal(other, sight.own):
            ratio = sight._replace(budget=move(sight.budget)).ratio(other)
            if ratio <= 1:
                yield text, ratio


def _moves(own: Numbers) -> Iterator[tuple[str, Callable[..., Numbers]]]:
    if own.ndim < 2:
        return
    if own.shape[-1] == own.shape[-2]:
        yield "it is transposed", lambda x: x.swapaxes(-1, -2)
    for steps, way in ((1, "later"), (-1, "earlier")):
        yield f"each row stands one place {way}", lambda x, k=steps: np.roll(x, k, axis=-2)
        yield f"each number stands one place {way}", lambda x, k=steps: np.roll(x, k, axis=-1)
    yield "the order of the positions is reversed", lambda x: x[..., ::-1, :]
    if own.ndim == 4:
        yield "the order of the heads is reversed", lambda x: x[:, ::-1]
    yield "the order of the texts is reversed", lambda x: x[::-1]


def _equal(sight: _Sight) -> Iterator[tuple[str, float]]:
    """Find another tensor that it is."""
    for name, array in sight.place.alike(sight.place.own):
        ratio = sight.ratio(numbers_in(array))
        if ratio <= 1:
            yield f"it is {sight.place.told(name)}", ratio
            return


def _another_map(sight: _Sight) -> Iterator[tuple[str, float]]:
    """Find out whether a linear map would do, with weights that are not in the model.

    It can be told where there are more positions than numbers in the input.
    """
    try:
        own = map_of(sight.place)
    except KeyError:
        return
    is_decoder = sight.place.bare == "lm_head.logits"
    is_tied = is_decoder and sight.place.config.tie_word_embeddings
    must_be = ": it is to be the table of word embeddings" if is_tied else ""
    x = numbers_in(own.x).reshape(-1, own.x.shape[-1])  # [B S, H]
    port = as_rows(sight.place, sight.port)
    if x.shape[0] != port.shape[0] or len(np.unique(x, axis=0)) < x.shape[1] + 3:
        if is_decoder and _has_other_words(sight, numbers_in(own.x) @ numbers_in(own.weight).T):
            yield f"the decoder seems to have other weights{must_be}", 0.0
        return
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    weight = np.linalg.lstsq(x, port, rcond=None)[0]
    budget = as_rows(sight.place, sight.budget)
    scale = max(
        1.0, root_mean_square(port) / max(root_mean_square(as_rows(sight.place, sight.own)), 1e-300)
    )
    ratio = misfit(x @ weight, _ROOM * scale * (budget + np.mean(budget)), port)
    if ratio <= 1:
        yield f"it is a linear map of its input, but with other weights{must_be}", ratio


def _has_other_words(sight: _Sight, product: Numbers) -> bool:
    """Tell whether the scores of nearly all words have little to do with the product."""
    words = product.shape[-1]
    error = (sight.port - sight.own).reshape(-1, words)
    far = np.mean(error**2, axis=0) > _LITTLE_ALIKE**2 * np.mean(product**2)
    return bool(np.mean(far) > _NEARLY_ALL)


#: The share of words of which another decoder changes the scores.
_NEARLY_ALL = 0.9
#: How far it moves those of a word at least, in the size of the product.
_LITTLE_ALIKE = 0.3
#: How much more than a budget a map may be off whose weights were found from its results.
_ROOM = 4.0


def _somewhere(sight: _Sight) -> Iterator[tuple[str, float]]:
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
    if ".self." in name and ndim == 4:
        is_key = name.endswith(("scores", "scores.masked", "probabilities"))
        return ("text", "head", "query", "key") if is_key else ("text", "head", "token", "number")
    if ndim == 3:
        return "text", "token", "number"
    return ("text", "number") if ndim == 2 else ()


def _hidden(place: Place, shape: tuple[int, ...]) -> Any:
    """Tell which numbers are of masked tokens, of [B, S, ...] or [B, N, S, ...]; or None."""
    mask = place.numbers("attention_mask")
    if mask is None or mask.ndim != 2 or bool((mask != 0).all()) or len(shape) < 3:
        return None
    masked = mask == 0
    rows = masked[:, None, :, None] if len(shape) == 4 else masked[:, :, None]
    if rows.shape[-2] != shape[-2] or rows.shape[0] not in (1, shape[0]):
        return None  # of a call that goes on with a cache, or of cross-attention
    return np.broadcast_to(rows, shape)
