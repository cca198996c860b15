"""Masks, and multi-head self-attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2)."""

from __future__ import annotations

import math
from typing import Any

from .arrays import Array, array_namespace, astype
from .functional import linear, matmul, softmax
from .observe import observe, scope

__all__ = ["attend_mask", "dot", "mask", "merge_heads", "self_attention", "split_heads"]


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


def self_attention(
    hidden: Array,
    attend: Array,
    layer: Any,
    n_heads: int,
    head_mask: Array | None = None,
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
        scores = observe("scores", dot(query, key) / math.sqrt(query.shape[-1]))  # [B,N,S,T]
        probabilities = softmax(mask(scores, attend))
        if head_mask is not None:
            probabilities = probabilities * head_mask
        probabilities = observe("probabilities", probabilities)
        context = observe("context", merge_heads(matmul(probabilities, value)))  # [B,S,H]
    return context, probabilities
