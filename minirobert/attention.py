"""Masks, relative positions, multi-head self-attention and cross-attention.

S is the number of queries, T that of keys: of the tokens in the cache (K) and the new ones, or of
an encoder's tokens (E). Heads of the size D = H / N are counted from the weights: N, or fewer in a
layer that was pruned.

Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

from .arrays import (
    Array,
    array_namespace,
    astype,
    device_of,
    half_in_float32,
    index_dtype,
    lowest,
)
from .cache import LayerCache
from .config import RobertaConfig
from .dropout import dropped
from .functional import embedding, linear, matmul, softmax
from .observe import observe, scope
from .parameters import ParameterTree

__all__ = [
    "CrossInputs",
    "Extras",
    "attend_mask",
    "causal_mask",
    "cross_attention",
    "dot",
    "mask",
    "merge_heads",
    "relative_distances",
    "relative_key_scores",
    "relative_query_scores",
    "relative_scores",
    "scaled",
    "self_attention",
    "split_heads",
]


def attend_mask(attention_mask: Array) -> Array:  # [B, T] or [B, S, T] -> [B, 1, 1 or S, T]
    """Turn an attention mask (1 = attend) into booleans with an axis for the heads.

    Parameters
    ----------
    attention_mask : Array of shape [B, T] or [B, S, T]
        Of two axes, every query of a text sees the same keys; of three, each has its own row. One
        row (B = 1) does for a batch.

    Returns
    -------
    boolean Array of shape [B, 1, 1, T] or [B, 1, S, T]
        True where a query may look. It broadcasts against scores of shape [B, N, S, T].

    >>> import numpy as np
    >>> attend_mask(np.array([[1, 1, 0]]))
    array([[[[ True,  True, False]]]])
    """
    attend = astype(attention_mask, array_namespace(attention_mask).bool)
    return attend[:, None, None, :] if attend.ndim == 2 else attend[:, None, :, :]


def causal_mask(n_queries: int, n_keys: int, like: Array) -> Array:  # -> [S, T]
    """Let each token look at itself and back, but not ahead.

    The queries are the last of the keys: what stands before them is the past.

    Parameters
    ----------
    n_queries, n_keys : int
        S and T.
    like : Array
        Shows the library and device.

    Returns
    -------
    boolean Array of shape [S, T]

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.3.

    >>> import numpy as np
    >>> causal_mask(2, 3, like=np.zeros(1))
    array([[ True,  True, False],
           [ True,  True,  True]])
    """
    queries, keys = _places(n_queries, n_keys, n_keys - n_queries, like)
    return keys <= queries


def _places(n_queries: int, n_keys: int, past: int, like: Array) -> tuple[Array, Array]:
    """Count the places of queries and keys in a text: a column [S, 1] and a row [1, T]."""
    xp = array_namespace(like)
    kind, device = index_dtype(xp), device_of(like)
    queries = xp.arange(past, past + n_queries, dtype=kind, device=device)
    keys = xp.arange(n_keys, dtype=kind, device=device)
    return queries[:, None], keys[None, :]


def mask(
    scores: Array, attend: Array
) -> Array:  # [B, N, S, T], bool [1 or B, 1, 1 or S, T] -> [B, N, S, T]
    """Replace the scores of keys that may not be looked at by the dtype's lowest number.

    The lowest number and not minus infinity: where every key of a row is masked, softmax then
    gives each the same weight instead of NaN. Where any key is left, a masked one gets exactly 0.

    >>> import numpy as np
    >>> scores = np.array([[[[2.0, 5.0]]]])
    >>> softmax(mask(scores, np.array([[[[True, False]]]]))).tolist()
    [[[[1.0, 0.0]]]]
    >>> softmax(mask(scores, np.array([[[[False, False]]]]))).tolist()
    [[[[0.5, 0.5]]]]
    """
    return array_namespace(scores, attend).where(attend, scores, lowest(scores))


def split_heads(x: Array, n_heads: int) -> Array:  # [B, S, N D] -> [B, N, S, D]
    """Cut the hidden axis into heads, and bring the heads forward.

    A reshape to [B, N, S, D] would be wrong: it would mix positions into heads. The hidden axis
    must be cut where it is, and then moved.

    >>> import numpy as np
    >>> x = np.array([[[0, 1, 2, 3], [4, 5, 6, 7]]])  # two positions of two heads
    >>> split_heads(x, 2).tolist()
    [[[[0, 1], [4, 5]], [[2, 3], [6, 7]]]]
    >>> x.reshape(1, 2, 2, 2).tolist()
    [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]]
    """
    xp = array_namespace(x)
    batch, length, hidden = x.shape
    x = xp.reshape(x, (batch, length, n_heads, hidden // n_heads))  # [B, S, N, D]
    return xp.permute_dims(x, (0, 2, 1, 3))


def merge_heads(x: Array) -> Array:  # [B, N, S, D] -> [B, S, N D]
    """Undo `split_heads`."""
    xp = array_namespace(x)
    batch, n_heads, length, size = x.shape
    x = xp.permute_dims(x, (0, 2, 1, 3))  # [B, S, N, D]
    return xp.reshape(x, (batch, length, n_heads * size))


def dot(query: Array, key: Array) -> Array:  # [B, N, S, D], [B, N, T, D] -> [B, N, S, T]
    """Take the dot product of every query with every key."""
    return matmul(query, array_namespace(key).matrix_transpose(key))


@half_in_float32
def scaled(scores: Array, size: int) -> Array:  # [B, N, S, T] -> [B, N, S, T]
    """Divide by the root of a head's size, or else longer vectors would have larger products."""
    return scores / math.sqrt(size)


def relative_distances(n_queries: int, n_keys: int, past: int, rows: int, like: Array) -> Array:
    """Give for each query i and key j the row of a distance table that stands for ``i - j``.

    A table of ``2 P - 1`` rows has one for each distance from ``-(P - 1)`` to ``P - 1``, in this
    order.

    Parameters
    ----------
    n_queries, n_keys : int
        S and T.
    past : int
        K, the number of keys before the first query.
    rows : int
        2 P - 1, where P is ``max_position_embeddings``.
    like : Array
        Shows the library and device.

    Returns
    -------
    int64 Array of shape [S, T]

    >>> import numpy as np
    >>> relative_distances(2, 3, past=1, rows=7, like=np.zeros(1))
    array([[4, 3, 2],
           [5, 4, 3]])
    """
    queries, keys = _places(n_queries, n_keys, past, like)
    return queries - keys + rows // 2


def relative_query_scores(query: Array, distances: Array) -> Array:
    """Score each key by its distance from the query: ``q_i . E[i - j]``.

    Parameters
    ----------
    query : Array of shape [B, N, S, D]
    distances : Array of shape [S, T, D]
        ``E[i - j]``, the embeddings of the distances.

    Returns
    -------
    Array of shape [B, N, S, T]

    Notes
    -----
    Source: Shaw et al. 2018 (arXiv:1803.02155), equation 4.
    """
    xp = array_namespace(query, distances)
    batch, n_heads, n_queries, size = query.shape
    by_query = xp.permute_dims(query, (2, 0, 1, 3))  # [S, B, N, D]
    by_query = xp.reshape(by_query, (n_queries, batch * n_heads, size))  # [S, B N, D]
    scores = matmul(by_query, xp.matrix_transpose(distances))  # [S, B N, T]
    scores = xp.reshape(scores, (n_queries, batch, n_heads, distances.shape[1]))  # [S, B, N, T]
    return xp.permute_dims(scores, (1, 2, 0, 3))


def relative_key_scores(key: Array, distances: Array) -> Array:
    """Score each query by its distance from the key: ``k_j . E[i - j]``.

    The same as `relative_query_scores`, with the parts of queries and keys exchanged.

    Parameters
    ----------
    key : Array of shape [B, N, T, D]
    distances : Array of shape [S, T, D]

    Returns
    -------
    Array of shape [B, N, S, T]

    Notes
    -----
    Source: Huang et al. 2020 (arXiv:2009.13658), method 4.
    """
    xp = array_namespace(key, distances)
    by_key = relative_query_scores(key, xp.permute_dims(distances, (1, 0, 2)))  # [B, N, T, S]
    return xp.matrix_transpose(by_key)


def relative_scores(query: Array, key: Array, table: Array, kind: str, past: int = 0) -> Array:
    """Add up the scores that depend on distances, as ``position_embedding_type`` says.

    Parameters
    ----------
    query : Array of shape [B, N, S, D]
    key : Array of shape [B, N, T, D]
    table : Array of shape [2 P - 1, D]
        ``distance_embedding`` of the layer.
    kind : str
        ``"relative_key"``: `relative_query_scores` alone.
        ``"relative_key_query"``: with `relative_key_scores`.
    past : int
        K, the number of keys before the first query.

    Returns
    -------
    Array of shape [B, N, S, T]
    """
    rows = relative_distances(query.shape[2], key.shape[2], past, table.shape[0], table)  # [S, T]
    distances = observe("distance_embedding", embedding(table, rows))  # [S, T, D]
    scores = relative_query_scores(query, distances)
    if kind == "relative_key_query":
        scores = scores + relative_key_scores(key, distances)
    return scores


class CrossInputs(NamedTuple):
    """The text of an encoder, which a decoder's cross-attention looks at."""

    hidden_states: Array | None  # [B, E, H]; None where the cache has its keys and values
    attend: Array  # bool [B or 1, 1, 1 or S, E]


class Extras(NamedTuple):
    """What a layer may be given besides its text: an encoder that only reads has none of it."""

    head_mask: Array | None = None  # [N, 1, 1]: a factor for each head's probabilities
    cross: CrossInputs | None = None  # what a decoder looks at besides its own text
    cache: LayerCache | None = None  # keys and values of the tokens before; it is extended
    rng: Any = None  # where dropout draws from, in training


NOTHING = Extras()


def self_attention(
    hidden: Array,
    attend: Array,
    layer: ParameterTree,
    config: RobertaConfig,
    extras: Extras = NOTHING,
) -> tuple[Array, Array]:  # [B, S, H], bool [1 or B, 1, 1 or S, T] -> [B, S, N D], [B, N, S, T]
    """Let every position gather values from the positions that it may look at.

    ``softmax(Q K^T / sqrt(D)) V``, for each head on its own. Where the configuration's
    ``position_embedding_type`` is not ``"absolute"``, the scores depend on distances, too: see
    `relative_scores`.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
    attend : boolean Array of shape [1 or B, 1, 1 or S, T]
        See `attend_mask`.
    layer : ParameterTree
        ``query``, ``key`` and ``value``, each a weight [N D, H] and a bias [N D].
    config : RobertaConfig
    extras : Extras
        With a cache, the keys and values of ``hidden`` are put behind those that it holds.

    Returns
    -------
    context : Array of shape [B, S, N D]
    probabilities : Array of shape [B, N, S, T]
        After dropout and the head mask.

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), equation 1 and section 3.2.2.
    """
    cache, kind = extras.cache, config.position_embedding_type
    with scope("self"):
        query = _heads("query", hidden, layer.query, config)  # [B, N, S, D]
        key = _heads("key", hidden, layer.key, config)  # [B, N, S, D]
        value = _heads("value", hidden, layer.value, config)  # [B, N, S, D]
        if cache is not None:
            key, value = cache.write(key, value)  # [B, N, T, D]
        scores = dot(query, key)  # [B, N, S, T]
        if kind != "absolute":
            past = key.shape[2] - query.shape[2]
            table = layer.distance_embedding.weight
            scores = scores + relative_scores(query, key, table, kind, past)
        return _gather(scaled(scores, query.shape[-1]), value, attend, config, extras)


def cross_attention(
    hidden: Array,
    cross: CrossInputs,
    layer: ParameterTree,
    config: RobertaConfig,
    extras: Extras = NOTHING,
) -> tuple[Array, Array]:  # [B, S, H] -> [B, S, H], [B, N, S, E]
    """Let every position of a decoder gather values from the positions of an encoder's text.

    The same as `self_attention`, but that keys and values are made from the encoder's hidden
    states, and that distances play no part.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
    cross : CrossInputs
    layer : ParameterTree
        ``query``, ``key`` and ``value``, each a weight [H, H] and a bias [H].
    config : RobertaConfig
    extras : Extras
        A cache keeps the encoder's keys and values; where it has them, the encoder's hidden states
        are not read.

    Returns
    -------
    context : Array of shape [B, S, H]
    probabilities : Array of shape [B, N, S, E]
        After dropout and the head mask.

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.3.
    """
    cache = extras.cache
    with scope("self"):
        query = _heads("query", hidden, layer.query, config)  # [B, N, S, D]
        if cache is not None and cache.cross is not None:
            key, value = cache.cross
        else:
            text = cast("Array", cross.hidden_states)  # given where there is no cache of it
            key = _heads("key", text, layer.key, config)  # [B, N, E, D]
            value = _heads("value", text, layer.value, config)  # [B, N, E, D]
            if cache is not None:
                cache.cross = key, value
        scores = scaled(dot(query, key), query.shape[-1])  # [B, N, S, E]
        return _gather(scores, value, cross.attend, config, extras)


def _heads(
    name: str, hidden: Array, projection: ParameterTree, config: RobertaConfig
) -> Array:  # [B, S, H] -> [B, N, S, D]
    """Make the queries, keys or values of each head."""
    projected = observe(f"{name}.dense", linear(hidden, **projection))  # [B, S, N D]
    n_heads = projected.shape[-1] // config.head_size  # fewer than N where some are pruned
    return observe(name, split_heads(projected, n_heads))


def _gather(
    scores: Array, value: Array, attend: Array, config: RobertaConfig, extras: Extras
) -> tuple[Array, Array]:  # [B, N, S, T], [B, N, T, D] -> [B, S, N D], [B, N, S, T]
    """Turn scores into probabilities, and average the values by them."""
    scores = mask(observe("scores", scores), attend)
    probabilities = softmax(observe("scores.masked", scores))
    p = config.attention_probs_dropout_prob
    probabilities = dropped("probabilities", probabilities, p, extras.rng)
    if extras.head_mask is not None:
        probabilities = observe("probabilities.head_mask", probabilities * extras.head_mask)
    context = observe("context", merge_heads(matmul(probabilities, value)))  # [B, S, N D]
    return context, probabilities
