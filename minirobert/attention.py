"""Masks, relative positions, and multi-head self-attention.

Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.
"""

from __future__ import annotations

import math
from typing import Any

from .arrays import Array, array_namespace, astype, device_of
from .functional import embedding, linear, matmul, softmax
from .observe import observe, scope

__all__ = [
    "attend_mask",
    "dot",
    "mask",
    "merge_heads",
    "relative_distances",
    "relative_key_scores",
    "relative_query_scores",
    "relative_scores",
    "self_attention",
    "split_heads",
]


def attend_mask(attention_mask: Array) -> Array:  # [B, T] or [B, S, T] -> [B, 1, 1 or S, T]
    """Turn an attention mask (1 = attend) into booleans with an axis for the heads.

    Parameters
    ----------
    attention_mask : Array of shape [B, T] or [B, S, T]
        Of two axes, every query of a text sees the same keys; of three, each has its own row.

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


def mask(scores: Array, attend: Array) -> Array:  # [B, N, S, T], bool [B, 1, 1 or S, T]
    """Replace the scores of keys that may not be looked at by the dtype's lowest number.

    The lowest number and not minus infinity: where every key of a row is masked, softmax then
    gives each the same weight instead of NaN. Where any key is left, a masked one gets exactly 0.
    """
    xp = array_namespace(scores, attend)
    lowest = float(xp.finfo(scores.dtype).min)
    return xp.where(attend, scores, lowest)


def split_heads(x: Array, n_heads: int) -> Array:  # [B, S, H] -> [B, N, S, D]
    """Cut the hidden axis into heads, and bring the heads forward.

    A reshape to [B, N, S, D] would be wrong: it would mix positions into heads. The hidden axis
    must be cut where it is, and then moved.
    """
    xp = array_namespace(x)
    batch, length, hidden = x.shape
    x = xp.reshape(x, (batch, length, n_heads, hidden // n_heads))  # [B, S, N, D]
    return xp.permute_dims(x, (0, 2, 1, 3))


def merge_heads(x: Array) -> Array:  # [B, N, S, D] -> [B, S, H]
    """Undo `split_heads`."""
    xp = array_namespace(x)
    batch, n_heads, length, size = x.shape
    x = xp.permute_dims(x, (0, 2, 1, 3))  # [B, S, N, D]
    return xp.reshape(x, (batch, length, n_heads * size))


def dot(query: Array, key: Array) -> Array:  # [B, N, S, D], [B, N, T, D] -> [B, N, S, T]
    """Take the dot product of every query with every key."""
    return matmul(query, array_namespace(key).matrix_transpose(key))


def relative_distances(n_queries: int, n_keys: int, rows: int, like: Array) -> Array:
    """Give for each query i and key j the row of a distance table that stands for ``i - j``.

    A table of ``2 P - 1`` rows has one for each distance from ``-(P - 1)`` to ``P - 1``, in this
    order.

    Parameters
    ----------
    n_queries, n_keys : int
        S and T.
    rows : int
        2 P - 1.
    like : Array
        Shows the library and device.

    Returns
    -------
    int64 Array of shape [S, T]

    >>> import numpy as np
    >>> relative_distances(2, 3, rows=7, like=np.zeros(1))
    array([[3, 2, 1],
           [4, 3, 2]])
    """
    xp = array_namespace(like)
    queries = xp.arange(n_queries, dtype=xp.int64, device=device_of(like))
    keys = xp.arange(n_keys, dtype=xp.int64, device=device_of(like))
    return queries[:, None] - keys[None, :] + rows // 2


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


def relative_scores(query: Array, key: Array, table: Array, kind: str) -> Array:
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

    Returns
    -------
    Array of shape [B, N, S, T]
    """
    rows = relative_distances(query.shape[2], key.shape[2], table.shape[0], table)  # [S, T]
    distances = observe("distance_embedding", embedding(table, rows))  # [S, T, D]
    scores = relative_query_scores(query, distances)
    if kind == "relative_key_query":
        scores = scores + relative_key_scores(key, distances)
    return scores


def self_attention(
    hidden: Array,
    attend: Array,
    layer: Any,
    n_heads: int,
    head_mask: Array | None = None,
    position_embedding_type: str = "absolute",
) -> tuple[Array, Array]:  # [B, S, H], bool [B, 1, 1 or S, S] -> [B, S, H], [B, N, S, S]
    """Let every position gather values from the positions that it may look at.

    ``softmax(Q K^T / sqrt(D)) V``, for each head on its own.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
    attend : boolean Array of shape [B, 1, 1 or S, S]
        See `attend_mask`.
    layer : ParameterTree
        ``query``, ``key`` and ``value``, each a weight [H, H] and a bias [H].
    n_heads : int
        N, a divisor of H.
    head_mask : Array of shape [N, 1, 1], optional
        A factor for each head's probabilities: 0 silences the head.
    position_embedding_type : str
        Unless it is ``"absolute"``, the scores depend on distances, too: see `relative_scores`.

    Returns
    -------
    context : Array of shape [B, S, H]
    probabilities : Array of shape [B, N, S, S]
        After the head mask.

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), equation 1 and section 3.2.2.
    """
    with scope("self"):
        query = observe("query", split_heads(linear(hidden, **layer.query), n_heads))  # [B,N,S,D]
        key = observe("key", split_heads(linear(hidden, **layer.key), n_heads))  # [B,N,T,D]
        value = observe("value", split_heads(linear(hidden, **layer.value), n_heads))  # [B,N,T,D]
        scores = dot(query, key)  # [B,N,S,T]
        if position_embedding_type != "absolute":
            table = layer.distance_embedding.weight
            scores = scores + relative_scores(query, key, table, position_embedding_type)
        scores = observe("scores", scores / math.sqrt(query.shape[-1]))
        probabilities = softmax(mask(scores, attend))
        if head_mask is not None:
            probabilities = probabilities * head_mask
        probabilities = observe("probabilities", probabilities)
        context = observe("context", merge_heads(matmul(probabilities, value)))  # [B,S,H]
    return context, probabilities
