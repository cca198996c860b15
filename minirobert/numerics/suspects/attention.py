"""Suspects of attention: scale, mask, softmax and heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...arrays import Array, array_namespace
from ...attention import (
    dot,
    merge_heads,
    relative_distances,
    relative_key_scores,
    relative_query_scores,
)
from ...functional import embedding, matmul, softmax
from ..bounded import Numbers
from ..replay import is_masked
from .place import Place, numbers_in
from .table import Guess, suspect

_UNSPLIT = "heads are split without transpose"
_LOW = -10000.0  # of masks that were made for float16


def _block(place: Place) -> str:
    return place.bare[: place.bare.index(".self.") + len(".self.")]


def _keys(place: Place, name: str) -> Array:
    """Give keys or values, those of the cache before the new ones."""
    new = place.at(_block(place) + name)
    old = place.world.past.get(place.scope + _block(place) + name)
    return new if old is None else array_namespace(new).concat([old, new], axis=2)


@suspect("*self.scores")
def _scale(place: Place) -> Iterator[Guess]:
    root = math.sqrt(place.at(f"{_block(place)}query").shape[-1])
    own, config = place.own, place.config
    yield Guess("scores are not divided by sqrt(D)", lambda: own * root)
    yield Guess("scores are divided by D: the scale is applied twice", lambda: own * (1 / root))
    hidden = root / math.sqrt(config.hidden_size)
    yield Guess("scores are divided by sqrt(H), not sqrt(D)", lambda: own * hidden)
    heads = root / math.sqrt(config.num_attention_heads)
    yield Guess("scores are divided by sqrt(N), not sqrt(D)", lambda: own * heads)
    yield Guess("scores are multiplied by sqrt(D), not divided", lambda: own * root**2)
    yield Guess("scores have the wrong sign", lambda: -own)


@suspect("*self.scores")
def _factors(place: Place) -> Iterator[Guess]:
    query, key, value = (
        place.at(f"{_block(place)}query"),
        _keys(place, "key"),
        _keys(place, "value"),
    )
    if query.shape == key.shape:
        yield Guess("queries and keys are exchanged", lambda: _scores(place, key, query))
        yield Guess("queries are the keys", lambda: _scores(place, key, key))
        yield Guess("keys are the queries", lambda: _scores(place, query, query))
    yield Guess("keys are the values", lambda: _scores(place, query, value))
    yield Guess(_UNSPLIT, lambda: _scores(place, _unsplit(query), _unsplit(key)))
    yield Guess(
        "heads of the keys are split without transpose",
        lambda: _scores(place, query, _unsplit(key)),
    )
    yield Guess(
        "heads of the queries are split without transpose",
        lambda: _scores(place, _unsplit(query), key),
    )


def _scores(place: Place, query: Array, key: Array) -> Array:
    scores = dot(query, key)
    name = f"{_block(place)}distance_embedding"
    if place.has(name):
        scores = scores + _relative(
            place, query, key, place.at(name), place.config.position_embedding_type
        )
    return scores / math.sqrt(query.shape[-1])


def _relative(place: Place, query: Array, key: Array, distances: Array, kind: str) -> Array:
    scores = relative_query_scores(query, distances)
    if kind == "relative_key_query":
        scores = scores + relative_key_scores(key, distances)
    return scores


@suspect("attention.self.scores")
def _distances(place: Place) -> Iterator[Guess]:
    distances = place.at("attention.self.distance_embedding")
    query, key = place.at("attention.self.query"), _keys(place, "key")
    plain, root = dot(query, key), math.sqrt(query.shape[-1])
    yield Guess("distances are left out", lambda: plain / root)
    kinds = {"relative_key", "relative_key_query"} - {place.config.position_embedding_type}
    for kind in kinds:
        other = _relative(place, query, key, distances, kind)
        yield Guess(
            f"distances are those of {kind}, not {place.config.position_embedding_type}",
            lambda other=other: (plain + other) / root,
        )
    own = _relative(place, query, key, distances, place.config.position_embedding_type)
    yield Guess("the scores of distances are not scaled", lambda: plain / root + own)
    if query.shape == key.shape:
        back = array_namespace(distances).permute_dims(distances, (1, 0, 2))
        turned = _relative(place, query, key, back, place.config.position_embedding_type)
        yield Guess("distances have the wrong sign: j - i", lambda: (plain + turned) / root)


@suspect("attention.self.distance_embedding")
def _distance_rows(place: Place) -> Iterator[Guess]:
    xp = array_namespace(place.own)
    length, n_keys, _ = place.own.shape
    for j in range(place.n_layers):
        if j != place.layer:
            table = place.weight(f"{place.bare}.weight", j)
            rows = relative_distances(length, n_keys, n_keys - length, table.shape[0], table)
            yield Guess(
                f"the weights are those of layer {j}",
                lambda table=table, rows=rows: embedding(table, rows),
            )
    if length == n_keys:
        yield Guess(
            "distances have the wrong sign: j - i",
            lambda: xp.permute_dims(place.own, (1, 0, 2)),
        )


def _unsplit(x: Array) -> Array:
    """Split the heads again, without the transpose that belongs to it."""
    return array_namespace(x).reshape(merge_heads(x), tuple(x.shape))


@suspect("*self.probabilities")
def _masks(place: Place) -> Iterator[Guess]:
    scores, masked = place.at(f"{_block(place)}scores"), place.at(f"{_block(place)}scores.masked")
    xp = array_namespace(masked)
    visible = place.world.convert(~is_masked(numbers_in(masked)))
    none = "the mask is not applied: padding is attended to"
    if not bool(np.all(numbers_in(visible))):
        yield Guess(none, lambda: softmax(scores))
        hidden = place.world.convert(np.where(numbers_in(visible), 0.0, _LOW))
        yield Guess(f"masked scores have {_LOW:g} added", lambda: softmax(scores + hidden))
        yield Guess(f"masked scores are {_LOW:g}", lambda: softmax(xp.where(visible, scores, _LOW)))
        yield from _odd_masks(place, scores, visible)


def _odd_masks(place: Place, scores: Array, visible: Array) -> Iterator[Guess]:
    xp, convert = array_namespace(scores), place.world.convert
    shown = numbers_in(visible)
    any_shown = shown.any(axis=-1, keepdims=True)
    zero = xp.where(convert(np.broadcast_to(any_shown, shown.shape)), place.own, place.own * 0.0)
    yield Guess("a row whose keys are all masked has probabilities 0", lambda: zero)
    nan = convert(np.where(any_shown, 0.0, np.nan) * np.ones(shown.shape))
    yield Guess(
        "masked scores are -inf: a row whose keys are all masked is NaN", lambda: place.own + nan
    )
    yield Guess(
        "the mask is applied after softmax, and nothing normalised again",
        lambda: softmax(scores) * convert(shown.astype(np.float64)),
    )
    yield Guess("masked scores are 0", lambda: softmax(xp.where(visible, scores, 0.0)))
    yield Guess("the mask is inverted", lambda: softmax(_hidden(scores, ~shown, convert)))
    yield Guess(
        "the mask is added as it is: 1 to the scores",
        lambda: softmax(scores + convert(shown.astype(np.float64))),
    )
    if shown.shape[-1] == shown.shape[-2]:
        turned = shown.swapaxes(-1, -2)
        yield Guess(
            "the mask is transposed: it hides queries, not keys",
            lambda: softmax(_hidden(scores, turned, convert)),
        )
        all_seen = np.broadcast_to(shown[..., -1:, :], shown.shape)  # by the last query
        yield Guess(
            "the causal mask is left out", lambda: softmax(_hidden(scores, all_seen, convert))
        )


def _hidden(scores: Array, shown: Numbers, convert: Callable[[Any], Array]) -> Array:
    """Mask the scores that are not shown."""
    lowest = float(array_namespace(scores).finfo(scores.dtype).min)
    return array_namespace(scores).where(convert(np.ascontiguousarray(shown)), scores, lowest)


@suspect("*self.probabilities")
def _softmaxes(place: Place) -> Iterator[Guess]:
    masked = place.at(f"{_block(place)}scores.masked")
    xp = array_namespace(masked)
    length = masked.shape[-1]
    root = math.sqrt(place.at(f"{_block(place)}query").shape[-1])
    visible = place.world.convert(~is_masked(numbers_in(masked)))
    yield Guess(
        "softmax is over the queries, not the keys",
        lambda: xp.matrix_transpose(softmax(xp.matrix_transpose(masked))),
    )
    yield Guess("softmax is over the heads", lambda: _over(masked, 1))
    yield Guess("softmax is over the texts", lambda: _over(masked, 0))
    for factor, words in ((root, "multiplied"), (1 / root, "divided")):
        yield Guess(
            f"scores are {words} by sqrt(D) before softmax",
            lambda factor=factor: softmax(xp.where(visible, masked * factor, masked)),
        )
    yield Guess("probabilities are all the same", lambda: place.own * 0.0 + 1 / length)
    yield Guess("there is no softmax", lambda: place.at(f"{_block(place)}scores"))
    yield Guess("softmax is applied twice", lambda: softmax(place.own))


def _over(x: Array, axis: int) -> Array:
    """Apply softmax to another axis."""
    xp = array_namespace(x)
    order = [k for k in range(x.ndim) if k != axis]
    moved = softmax(xp.permute_dims(x, (*order, axis)))
    back = np.argsort([*order, axis])
    return xp.permute_dims(moved, tuple(int(k) for k in back))


@suspect("*self.context")
def _context(place: Place) -> Iterator[Guess]:
    p, value = _weights(place), _keys(place, "value")
    key = _keys(place, "key")
    xp = array_namespace(p)
    shape = tuple(place.own.shape)
    yield Guess("heads are merged without transpose", lambda: xp.reshape(matmul(p, value), shape))
    unsplit = matmul(p, _unsplit(value))
    yield Guess(_UNSPLIT, lambda: merge_heads(unsplit))
    yield Guess(
        "heads are neither split nor merged with a transpose", lambda: xp.reshape(unsplit, shape)
    )
    yield Guess("values are the keys", lambda: merge_heads(matmul(p, key)))
    if p.shape[-1] == p.shape[-2]:
        turned = xp.matrix_transpose(p)
        yield Guess("probabilities are transposed", lambda: merge_heads(matmul(turned, value)))
    query = place.at(f"{_block(place)}query")
    if query.shape == value.shape:
        yield Guess("values are the queries", lambda: merge_heads(matmul(p, query)))
        yield Guess("values are not weighed: they are passed on", lambda: merge_heads(value))
    yield Guess("heads are in the reverse order", lambda: merge_heads(matmul(p, value)[:, ::-1]))
    plain = f"{_block(place)}probabilities"
    if place.has(f"{plain}.head_mask"):
        yield Guess(
            "the head mask is left out", lambda: merge_heads(matmul(place.at(plain), value))
        )


def _weights(place: Place) -> Array:
    """Give the probabilities by which the values are weighed."""
    for behind in (".head_mask", ".dropout", ""):
        if place.has(f"{_block(place)}probabilities{behind}"):
            return place.at(f"{_block(place)}probabilities{behind}")
    raise KeyError("probabilities")
