"""Suspects that leave dropout on: some of the numbers are 0, the others larger by 1 / (1 - p)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...arrays import Array, array_namespace
from ...attention import merge_heads
from ...functional import matmul
from ..rows import Explanation
from .local import Found
from .place import Place, numbers_in
from .states import residual_of
from .table import Guess, suspect

_SOME = (0.1, 0.2, 0.3, 0.5)
_MOST_KEYS = 10  # of which all subsets are tried


def _told(p: float) -> str:
    return f"{_DROPS}, with p {p:g}"


def _chances(*own: float | None) -> list[float]:
    """List the probabilities to try, the configuration's first."""
    return list(dict.fromkeys(p for p in (*own, *_SOME) if p and 0 < p < 1))


@suspect(
    *("embeddings", "*LayerNorm", "*output.dense", "*self.probabilities", "pooler"),
    *("classifier.input", "classifier.tanh"),
)
def _of_the_tensor(place: Place) -> Iterator[Guess]:
    config = place.config
    for p in _chances(
        config.hidden_dropout_prob, config.attention_probs_dropout_prob, config.classifier_dropout
    ):
        yield Guess(_told(p), lambda p=p: _dropped(place, place.own, p, place.own * 0.0))


@suspect("*output.sum")
def _of_dense(place: Place) -> Iterator[Guess]:
    dense = place.at(place.bare.removesuffix("sum") + "dense")
    for p in _chances(place.config.hidden_dropout_prob):
        yield Guess(_told(p), lambda p=p: _dropped(place, dense, p, residual_of(place)))


def _dropped(place: Place, x: Array, p: float, residual: Array) -> Array:
    """Drop what the port seems to have dropped.

    Raises
    ------
    KeyError
        If that cannot be told.
    """
    if place.port is None:
        raise KeyError("the port shows nothing")
    xp = array_namespace(x)
    all_kept = x * (1 / (1 - p)) + residual
    nearer = abs(place.port - numbers_in(all_kept)) < abs(place.port - numbers_in(residual))
    if not nearer.any():
        raise KeyError("all was dropped")
    return xp.where(place.world.convert(nearer), all_kept, residual)


@suspect("*self.context")
def _of_probabilities(place: Place) -> Iterator[Guess]:
    for p in _chances(place.config.attention_probs_dropout_prob):
        yield Guess(_told(p), lambda p=p: _mixed(place, p))


def _mixed(place: Place, p: float) -> Array:
    """Find, for each query, the keys that were dropped: the nearest of all subsets.

    Raises
    ------
    KeyError
        If there are too many keys to try.
    """
    block = place.bare.removesuffix("context")
    weights, value = place.at(f"{block}probabilities"), place.at(f"{block}value")
    n_keys = value.shape[2]
    if place.port is None or n_keys > _MOST_KEYS or weights.shape[-1] != n_keys:
        raise KeyError("too many keys")
    kept = (np.arange(2**n_keys)[:, None] >> np.arange(n_keys) & 1).astype(float)  # [C, T]
    shares, rows = numbers_in(weights) / (1 - p), numbers_in(value)
    batch, n_heads, length, size = (*shares.shape[:3], rows.shape[-1])
    port = place.port.reshape(batch, length, n_heads, size).transpose(0, 2, 1, 3)
    chosen = np.empty(shares.shape)
    for b, head, query in np.ndindex(batch, n_heads, length):
        mixes = (kept * shares[b, head, query]) @ rows[b, head]  # [C, D]
        best = np.argmin(np.max(abs(mixes - port[b, head, query]), axis=-1))
        chosen[b, head, query] = kept[best]
    dropped = weights * place.world.convert(chosen / (1 - p))
    return merge_heads(matmul(dropped, value))


def alike(names: Sequence[str], found: Found) -> Found:
    """Suspect dropout where it cannot be seen from the numbers, if it is found elsewhere.

    Parameters
    ----------
    names : sequence of str
        Of the rows to explain.
    found : dict of str to list of Explanation
    """
    texts = {one.text for each in found.values() for one in each}
    text = next((one for one in sorted(texts) if one.startswith(_DROPS)), None)
    if text is None:
        return {}
    unseen = [name for name in names if name.endswith(_UNSEEN)]
    suspected = Explanation(f"{text} elsewhere, and may be here", float("inf"), is_pattern=True)
    return {name: [suspected] for name in unseen}


_DROPS = "dropout is on"
#: What is made of numbers that were dropped, and does not show which.
_UNSEEN = (".self.context", "classifier.dense", "classifier.logits")
