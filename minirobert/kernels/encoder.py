"""The layers of an encoder on NumPy's float32 arrays, without what nobody reads.

What `minirobert.encoder.encoder` computes for each position is computed here for the tokens that
count: see `minirobert.kernels.texts`. The formula runs where somebody watches, where states or
attentions are asked for, and where a layer is given more than its text and a cache.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..attention import Extras
from ..config import RobertaConfig
from ..encoder import EncoderOutput, encoder
from ..observe import is_watched
from ..parameters import ParameterTree
from .cached import decoder
from .columns import after_attention, attention, projected
from .cpu import suits as all_float32
from .registry import kernel_of
from .texts import Group, grouped

__all__ = ["encoder_cpu"]

NDArray: TypeAlias = np.ndarray[Any, Any]


def _suits(
    hidden: NDArray,
    attend: NDArray,
    layers: Sequence[ParameterTree],
    config: RobertaConfig,
    extras: Sequence[Extras] | None = None,
    *,
    read: NDArray | None = None,
    output_hidden_states: bool = False,
    output_attentions: bool = False,
) -> bool:
    return (
        bool(layers)
        and not (output_hidden_states or output_attentions or is_watched())
        and config.position_embedding_type == "absolute"
        and isinstance(config.hidden_act, str)
        and all(part is None for one in extras or () for part in one._replace(cache=None))
        and (read is None or bool(read.any()))
        and all_float32(hidden, layers[0].output.dense.weight)
    )


@kernel_of(encoder, np.ndarray, _suits)
def encoder_cpu(
    hidden: NDArray,
    attend: NDArray,
    layers: Sequence[ParameterTree],
    config: RobertaConfig,
    extras: Sequence[Extras] | None = None,
    *,
    read: NDArray | None = None,
    output_hidden_states: bool = False,
    output_attentions: bool = False,
) -> EncoderOutput:
    """Compute `minirobert.encoder.encoder` for the tokens that are read or looked at."""
    caches = [one.cache for one in extras or () if one.cache is not None]
    if caches:
        result = decoder(hidden, attend, layers, config, caches, read)
        return EncoderOutput(result, None, None, None)
    batch, length, size = hidden.shape
    rows = hidden.reshape(-1, size)
    groups = grouped(attend, read, batch, length)
    states = [np.ascontiguousarray(rows[group.tokens].T) for group in groups]
    for i, layer in enumerate(layers):
        is_last = i == len(layers) - 1
        for j, group in enumerate(groups):
            states[j] = _layer(states[j], group, layer, config, is_last)
    result = np.empty_like(rows) if read is None else np.zeros_like(rows)
    for group, state in zip(groups, states, strict=True):
        result[group.read] = state.T
    return EncoderOutput(result.reshape(hidden.shape), None, None, None)


def _layer(
    x: NDArray, group: Group, layer: ParameterTree, config: RobertaConfig, is_last: bool
) -> NDArray:  # [H, M] -> [H, Y]
    """Compute `minirobert.encoder.encoder_layer`."""
    asked = group.asked if is_last else None
    before = x if asked is None else x[:, asked]
    context = _self_attention(before, x, group, layer.attention.self, config, asked is not None)
    return after_attention(context, before, layer, config)


def _self_attention(
    asking: NDArray,
    x: NDArray,
    group: Group,
    layer: ParameterTree,
    config: RobertaConfig,
    asked: bool,
) -> NDArray:  # [H, Y], [H, M] -> [N D, Y]
    """Compute `minirobert.attention.self_attention`."""
    heads = (-1, config.head_size)
    query = projected(asking, layer.query)
    query *= 1 / math.sqrt(config.head_size)
    key, value = projected(x, layer.key), projected(x, layer.value)
    return attention(
        query.reshape(*heads, asking.shape[1]),
        key.reshape(*heads, x.shape[1]),
        value.reshape(*heads, x.shape[1]),
        group.runs,
        asked,
    )
