"""Suspects of attention: scale, mask, softmax and heads."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

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
from ..bounded import BoundedArray, Numbers
from ..replay import is_masked
from .place import Place, numbers_in
from .table import Guess, Makes, among, suspect

_UNSPLIT = "heads are split without transpose"
_BACKWARDS = "distances have the wrong sign: j - i"
_TRANSPOSED = "the mask is transposed: it hides queries, not keys"
_NOT_APPLIED = "the mask is not applied: padding is attended to"
_LOW = -10000.0  # of masks that were made for float16


def _block(place: Place) -> str:
    return place.bare[: place.bare.index(".self.") + len(".self.")]


def _query(place: Place) -> Array:
    return place.at(f"{_block(place)}query")


def _keys(place: Place, name: str) -> Array:
    """Give keys or values, those of the cache before the new ones."""
    new = place.at(_block(place) + name)
    old = place.world.past.get(place.scope + _block(place) + name)
    return new if old is None else array_namespace(new).concat([old, new], axis=2)


@suspect("*self.scores")
def _scale(place: Place) -> Makes:
    own, size = place.own, _query(place).shape[-1]
    root, hidden = math.sqrt(size), math.sqrt(place.config.hidden_size)
    return {
        "scores are not divided by sqrt(D)": lambda: own * root,
        "scores are divided by D: the scale is applied twice": lambda: own * (1 / root),
        "scores are divided by sqrt(H), not sqrt(D)": lambda: own * (root / hidden),
        "scores have the wrong sign": lambda: -own,
    }


@suspect("*self.scores")
def _factors(place: Place) -> Makes:
    query, key, value = _query(place), _keys(place, "key"), _keys(place, "value")
    scores = partial(_scores, place)
    return {
        "queries and keys are exchanged": lambda: scores(key, query),
        "keys are the values": lambda: scores(query, value),
        _UNSPLIT: lambda: scores(_unsplit(query), _unsplit(key)),
        "heads of the keys are split without transpose": lambda: scores(query, _unsplit(key)),
    }


def _scores(place: Place, query: Array, key: Array) -> Array:
    name, scores = f"{_block(place)}distance_embedding", dot(query, key)
    if place.has(name):
        kind = place.config.position_embedding_type
        scores = scores + _relative(query, key, place.at(name), kind)
    return scores / math.sqrt(query.shape[-1])


def _relative(query: Array, key: Array, distances: Array, kind: str) -> Array:
    scores = relative_query_scores(query, distances)
    if kind == "relative_key_query":
        scores = scores + relative_key_scores(key, distances)
    return scores


@suspect("attention.self.scores")
def _distances(place: Place) -> Makes:
    distances = place.at("attention.self.distance_embedding")
    query, key = _query(place), _keys(place, "key")
    plain, root = dot(query, key), math.sqrt(query.shape[-1])
    kind = place.config.position_embedding_type
    other = "relative_key" if kind == "relative_key_query" else "relative_key_query"
    back = array_namespace(distances).permute_dims(distances, (1, 0, 2))
    relative = partial(_relative, query, key)
    return {
        "distances are left out": lambda: plain / root,
        f"distances are those of {other}, not {kind}": lambda: (
            (plain + relative(distances, other)) / root
        ),
        "the scores of distances are not scaled": lambda: plain / root + relative(distances, kind),
        _BACKWARDS: lambda: (plain + relative(back, kind)) / root,
    }


@suspect("attention.self.distance_embedding")
def _distance_rows(place: Place) -> Iterable[Guess]:
    length, n_keys, _ = place.own.shape

    def of_layer(j: int) -> Array:
        table = place.weight(f"{place.bare}.weight", j)
        rows = relative_distances(length, n_keys, n_keys - length, table.shape[0], table)
        return embedding(table, rows)

    yield from among({text: partial(of_layer, j) for text, j in place.other_layers()})
    back = array_namespace(place.own).permute_dims(place.own, (1, 0, 2))
    yield Guess(_BACKWARDS, lambda: back)


def _unsplit(x: Array) -> Array:
    """Split the heads again, without the transpose that belongs to it."""
    return array_namespace(x).reshape(merge_heads(x), tuple(x.shape))


@suspect("*self.scores.masked")
def _masked_scores(place: Place) -> Iterable[Guess]:
    """Tell what is masked, if the port shows the scores before: how it masks is its own matter."""
    scores, port = place.at(f"{_block(place)}scores"), place.port
    if port is None or not isinstance(scores, BoundedArray) or scores.bound is not None:
        return ()
    shown, before = ~is_masked(numbers_in(place.own)), scores.value
    turned = shown.swapaxes(-1, -2) if shown.shape[-1] == shown.shape[-2] else shown
    lowest = np.where(port == before, scores.dtype.lowest, port)

    def masked(visible: Numbers) -> Array:
        return place.world.convert(np.where(visible, before, lowest))

    makes: dict[str, Numbers] = {
        _NOT_APPLIED: np.ones_like(shown),
        "the mask is inverted": ~shown,
        _TRANSPOSED: turned,
        "the mask hides queries, too, of which nothing is looked at": shown & turned,
    }
    return among({text: partial(masked, visible) for text, visible in makes.items()})


@suspect("*self.probabilities")
def _masks(place: Place) -> Iterable[Guess]:
    scores, masked = place.at(f"{_block(place)}scores"), place.at(f"{_block(place)}scores.masked")
    xp, convert, own = array_namespace(scores), place.world.convert, place.own
    shown = ~is_masked(numbers_in(masked))
    if bool(shown.all()) and not place.bare.startswith("cross"):  # or the port masks later
        shown = np.broadcast_to(numbers_in(place.world.seen["attend"]), shown.shape)
    if bool(shown.all()):
        return
    any_shown = np.broadcast_to(shown.any(axis=-1, keepdims=True), shown.shape)
    ones, low = convert(shown.astype(np.float64)), convert(np.where(shown, 0.0, _LOW))
    nan, seen = convert(np.where(any_shown, 0.0, np.nan)), convert(any_shown.copy())
    all_keys = np.broadcast_to(shown[..., -1:, :], shown.shape)  # of the last query

    def where(visible: Numbers, lowest: float = float(xp.finfo(scores.dtype).min)) -> Array:
        return softmax(xp.where(convert(np.ascontiguousarray(visible)), scores, lowest))

    yield from among(
        {
            _NOT_APPLIED: lambda: softmax(scores),
            "masked scores are -inf: a row whose keys are all masked is NaN": lambda: own + nan,
            f"masked scores are {_LOW:g}": lambda: where(shown, _LOW),
            "masked scores are 0": lambda: where(shown, 0.0),
            "a row whose keys are all masked has probabilities 0": lambda: xp.where(
                seen, own, own * 0.0
            ),
            "the mask is applied after softmax, and nothing normalised again": lambda: (
                softmax(scores) * ones
            ),
            "the mask is inverted": lambda: where(~shown),
            "the mask is added as it is: 1 to the scores": lambda: softmax(scores + ones),
            _TRANSPOSED: lambda: where(shown.swapaxes(-1, -2)),
            "the causal mask is left out": lambda: where(all_keys),
        }
    )
    yield Guess(f"masked scores have {_LOW:g} added", lambda: softmax(scores + low), is_wide=True)


@suspect("*self.probabilities")
def _softmaxes(place: Place) -> Makes:
    masked = place.at(f"{_block(place)}scores.masked")
    xp = array_namespace(masked)
    root = math.sqrt(_query(place).shape[-1])
    visible = place.world.convert(~is_masked(numbers_in(masked)))

    def scaled(factor: float) -> Array:
        return softmax(xp.where(visible, masked * factor, masked))

    return {
        "softmax is over the queries, not the keys": lambda: xp.matrix_transpose(
            softmax(xp.matrix_transpose(masked))
        ),
        "softmax is over the heads": lambda: xp.permute_dims(
            softmax(xp.permute_dims(masked, (0, 2, 3, 1))), (0, 3, 1, 2)
        ),
        "scores are multiplied by sqrt(D) before softmax": lambda: scaled(root),
        "scores are divided by sqrt(D) before softmax": lambda: scaled(1 / root),
        "there is no softmax": lambda: place.at(f"{_block(place)}scores"),
        "softmax is applied twice": lambda: softmax(place.own),
    }


@suspect("*self.context")
def _context(place: Place) -> Makes:
    p, query = _weights(place), _query(place)
    key, value = _keys(place, "key"), _keys(place, "value")
    xp, shape = array_namespace(p), tuple(place.own.shape)
    return {
        "heads are merged without transpose": lambda: xp.reshape(matmul(p, value), shape),
        _UNSPLIT: lambda: merge_heads(matmul(p, _unsplit(value))),
        "heads are neither split nor merged with a transpose": lambda: xp.reshape(
            matmul(p, _unsplit(value)), shape
        ),
        "values are the keys": lambda: merge_heads(matmul(p, key)),
        "values are the queries": lambda: merge_heads(matmul(p, query)),
        "probabilities are transposed": lambda: merge_heads(matmul(xp.matrix_transpose(p), value)),
        "the head mask is left out": lambda: merge_heads(
            matmul(place.at(f"{_block(place)}probabilities"), value)
        ),
    }


def _weights(place: Place) -> Array:
    """Give the probabilities by which the values are weighed."""
    for behind in (".head_mask", ".dropout", ""):
        if place.has(f"{_block(place)}probabilities{behind}"):
            return place.at(f"{_block(place)}probabilities{behind}")
    raise KeyError("probabilities")
