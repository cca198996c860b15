"""Suspects that leave dropout on: some of the numbers are 0, the others larger by 1 / (1 - p)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from ...arrays import Array, array_namespace
from ...attention import merge_heads
from ...functional import matmul
from ..comparison import Explanation
from .local import Found
from .place import Place, numbers_in
from .states import residual_of
from .table import Guess, Make, among, suspect

_DROPS = "dropout is on"
#: What is made of numbers that were dropped, and does not show which.
_UNSEEN = (".self.context", "classifier.dense", "classifier.logits")
_SOME = (0.1, 0.2, 0.3, 0.5)
_MOST_KEYS = 10  # of which all subsets are tried


def _with_each_chance(place: Place, dropped: partial[Array]) -> Iterable[Guess]:
    """Try the probabilities, the configuration's first, where the port shows what it dropped."""
    config, makes = place.config, dict[str, Make]()
    own = (config.hidden_dropout_prob, config.attention_probs_dropout_prob)
    for p in (*own, config.classifier_dropout, *_SOME):
        if p and 0 < p < 1:
            makes[f"{_DROPS}, with p {p:g}"] = partial(dropped, p)
    return among(makes) if place.port is not None else ()


@suspect(
    *("embeddings", "*LayerNorm", "*output.dense", "*self.probabilities", "pooler"),
    *("classifier.input", "classifier.tanh"),
)
def _of_the_tensor(place: Place) -> Iterable[Guess]:
    return _with_each_chance(place, partial(_dropped, place, place.own, place.own * 0.0))


@suspect("*output.sum")
def _of_dense(place: Place) -> Iterable[Guess]:
    dense = place.at(place.bare.removesuffix("sum") + "dense")
    return _with_each_chance(place, partial(_dropped, place, dense, residual_of(place)))


def _dropped(place: Place, x: Array, residual: Array, p: float) -> Array:
    """Drop what the port seems to have dropped, if that is not all."""
    all_kept = x * (1 / (1 - p)) + residual
    nearer = abs(place.port - numbers_in(all_kept)) < abs(place.port - numbers_in(residual))
    if not nearer.any():
        raise LookupError
    return array_namespace(x).where(place.world.convert(nearer), all_kept, residual)


@suspect("*self.context")
def _of_probabilities(place: Place) -> Iterable[Guess]:
    return _with_each_chance(place, partial(_mixed, place))


def _mixed(place: Place, p: float) -> Array:
    """Find, for each query, the keys that were dropped: the nearest of all subsets, if few."""
    block = place.bare.removesuffix("context")
    weights, value = place.at(f"{block}probabilities"), place.at(f"{block}value")
    n_keys = value.shape[2]
    if place.port is None or n_keys > _MOST_KEYS or weights.shape[-1] != n_keys:
        raise LookupError
    kept = (np.arange(2**n_keys)[:, None] >> np.arange(n_keys) & 1).astype(float)  # [C, T]
    shares, rows = numbers_in(weights) / (1 - p), numbers_in(value)
    batch, n_heads, length, size = (*shares.shape[:3], rows.shape[-1])
    port = place.port.reshape(batch, length, n_heads, size).transpose(0, 2, 1, 3)
    chosen = np.empty(shares.shape)
    for b, head, query in np.ndindex(batch, n_heads, length):
        mixes = (kept * shares[b, head, query]) @ rows[b, head]  # [C, D]
        best = np.argmin(np.max(abs(mixes - port[b, head, query]), axis=-1))
        chosen[b, head, query] = kept[best]
    return merge_heads(matmul(weights * place.world.convert(chosen / (1 - p)), value))


def alike(names: Sequence[str], found: Found) -> Found:
    """Suspect dropout where it cannot be seen from the numbers, if it is found elsewhere."""
    texts = {one.text for each in found.values() for one in each if one.text.startswith(_DROPS)}
    suspected = [
        Explanation(f"{text} elsewhere, and may be here", float("inf"), is_pattern=True)
        for text in sorted(texts)[:1]
    ]
    return {name: suspected for name in names if suspected and name.endswith(_UNSEEN)}
