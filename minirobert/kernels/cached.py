"""The layers of a decoder on NumPy's float32 arrays, behind the tokens that a cache holds.

The new tokens of all texts stand side by side, as the columns of a matrix ``[H, M]`` with M = B S:
in a step of generation one a text. Their keys and values are all computed, for the tokens that
follow; in the last layer, the rest only where it is read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from ..cache import LayerCache, rows_of
from ..config import RobertaConfig
from ..parameters import ParameterTree
from .columns import after_attention, gather, projected
from .registry import kernel_of
from .steps import Steps

__all__ = ["decoder", "rows_of_cpu"]

NDArray: TypeAlias = np.ndarray[Any, Any]

_ROOM = 64  # tokens


def decoder(
    hidden: NDArray,
    attend: NDArray,
    layers: Sequence[ParameterTree],
    config: RobertaConfig,
    caches: Sequence[LayerCache],
    read: NDArray | None,
    steps: Steps,
) -> NDArray:  # [B, S, H], bool [1 or B, 1, 1 or S, T] -> [B, S, H]
    """Compute the last hidden states of new tokens, and extend the caches by them."""
    batch, length, size = hidden.shape
    x = np.ascontiguousarray(hidden.reshape(-1, size).T)  # [H, M]
    places = np.arange(length) if read is None else np.flatnonzero(read.any(axis=0))
    may = _by_key(attend, batch, length)
    for layer, cache in zip(layers, caches, strict=True):
        asking = x
        if layer is layers[-1] and len(places) < length:
            asking = np.take(x.reshape(size, batch, length), places, axis=2).reshape(size, -1)
            may = None if may is None else may[..., places]
        block = layer.attention.self
        context = _self_attention(asking, x, may, block, config, cache, batch, steps)
        x = after_attention(context, asking, layer, config, steps)
    result = np.zeros_like(hidden)
    result[:, places] = x.T.reshape(batch, -1, size)
    if read is not None:
        result[~read] = 0
    return result


def _by_key(
    attend: NDArray, batch: int, length: int
) -> NDArray | None:  # bool [1 or B, 1, 1 or S, T] -> bool [B, 1, T, S]
    """Turn a mask, that it fits scores with the keys first; None where nothing is masked."""
    if attend.all():
        return None
    return np.broadcast_to(attend, (batch, 1, length, attend.shape[3])).swapaxes(2, 3)


def _self_attention(
    asking: NDArray,
    x: NDArray,
    may: NDArray | None,
    layer: ParameterTree,
    config: RobertaConfig,
    cache: LayerCache,
    batch: int,
    steps: Steps,
) -> NDArray:  # [H, Y], [H, M], bool [B, 1, T, S] -> [N D, Y]
    """Compute `minirobert.attention.self_attention`."""

    def by_text(columns: NDArray) -> NDArray:  # [N D, Y] -> [B, N, D, S]
        apart = columns.reshape(-1, config.head_size, batch, columns.shape[1] // batch)
        return apart.transpose(2, 0, 1, 3)

    query = projected(asking, layer.query)
    query *= 1 / math.sqrt(config.head_size)
    new = [by_text(projected(x, block)).swapaxes(2, 3) for block in (layer.key, layer.value)]
    keys, values = cast("list[NDArray]", cache.write(*new))  # [B, N, T, D]
    context = np.empty_like(query)
    by_column = keys.swapaxes(2, 3), values.swapaxes(2, 3)  # [B, N, D, T]
    gather(by_text(query), *by_column, may, steps, by_text(context))
    return context


@kernel_of(rows_of, np.ndarray, lambda x, rows, spare: isinstance(x, np.ndarray))
def rows_of_cpu(
    x: NDArray, rows: NDArray, spare: NDArray | None = None
) -> NDArray:  # [B, N, K, D], [X], [Y, N, spare, D] -> [X, N, room, D]
    """Compute `minirobert.cache.rows_of` in one copy, which the next tokens fit into.

    Memory that the system has just given takes longer to write than what was written before.
    """
    _, n_heads, length, size = x.shape
    buffer = spare
    if buffer is None or len(buffer) != len(rows) or buffer.shape[2] <= length:
        buffer = np.empty((len(rows), n_heads, length + _ROOM, size), x.dtype)
    for row, to in zip(rows.tolist(), buffer, strict=True):
        to[:, :length] = x[row]
    return buffer
