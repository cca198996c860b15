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
from .compiled import steps_for
from .in_threads import in_threads, threads_for
from .registry import kernel_of
from .steps import Steps
from .texts import Group, chosen, grouped

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
        and all(map(_is_float32, (hidden, *layers)))
    )


def _is_float32(node: Any) -> bool:
    """Tell whether an array, or all below a node of parameters, is of NumPy's float32."""
    if isinstance(node, ParameterTree):
        return all(map(_is_float32, vars(node).values()))
    return isinstance(node, np.ndarray) and node.dtype == np.float32


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
    weight = layers[0].output.dense.weight
    steps = steps_for(weight)
    caches = [one.cache for one in extras or () if one.cache is not None]
    if caches:
        result = decoder(hidden, attend, layers, config, caches, read, steps)
        return EncoderOutput(result, None, None, None)
    batch, length, size = hidden.shape
    rows = hidden.reshape(-1, size)
    result = np.empty_like(rows) if read is None else np.zeros_like(rows)

    def compute(group: Group) -> None:
        x = np.ascontiguousarray(rows[group.tokens].T)
        for layer in layers:
            x = _layer(x, group, layer, config, steps, layer is layers[-1])
        result[group.read] = x.T

    texts = chosen(attend, read, batch, length)
    n_tokens = sum(len(text.tokens) for text in texts)
    groups, at_once = grouped(texts, threads_for(n_tokens, weight))
    if at_once:
        in_threads(compute, groups)
    else:
        for group in groups:
            compute(group)
    return EncoderOutput(result.reshape(hidden.shape), None, None, None)


def _layer(
    x: NDArray,
    group: Group,
    layer: ParameterTree,
    config: RobertaConfig,
    steps: Steps,
    is_last: bool,
) -> NDArray:  # [H, M] -> [H, Y]
    """Compute `minirobert.encoder.encoder_layer`."""
    asked = group.asked if is_last else None
    before = x if asked is None else np.take(x, asked, axis=1)
    context = _self_attention(before, x, group, layer.attention.self, config.head_size, steps)
    return after_attention(context, before, layer, config, steps)


def _self_attention(
    before: NDArray, x: NDArray, group: Group, layer: ParameterTree, size: int, steps: Steps
) -> NDArray:  # [H, Y], [H, M] -> [N D, Y]
    """Compute `minirobert.attention.self_attention`, of the tokens that ask alone."""
    query = _by_head(projected(before, layer.query), size)
    query *= 1 / math.sqrt(size)
    key = _by_head(projected(x, layer.key), size)
    value = _by_head(projected(x, layer.value), size)
    return attention(query, key, value, group.runs, before is not x, steps)


def _by_head(x: NDArray, size: int) -> NDArray:  # [N D, M] -> [N, D, M]
    """Cut the rows into heads."""
    return x.reshape(-1, size, x.shape[1])
