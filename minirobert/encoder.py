"""One encoder layer, and the stack of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .arrays import Array
from .attention import self_attention
from .config import RobertaConfig
from .functional import ACTIVATIONS, layer_norm, linear
from .observe import observe, scope

__all__ = ["EncoderOutput", "add_and_norm", "encoder", "encoder_layer"]


class EncoderOutput(NamedTuple):
    """What a stack of layers computes; the two tuples are None unless asked for."""

    last_hidden_state: Array  # [B, S, H]
    hidden_states: tuple[Array, ...] | None  # L + 1 times [B, S, H], the embeddings first
    attentions: tuple[Array, ...] | None  # L times [B, N, S, S]


def add_and_norm(x: Array, residual: Array, block: Any, eps: float) -> Array:
    """Project, add what was there before, normalise: ``LayerNorm(dense(x) + residual)``.

    The norm comes after the sum (*post-LN*, as in the original Transformer), not before the layer
    as in GPT-2, and none follows the last layer.

    Parameters
    ----------
    x : Array of shape [B, S, H or I]
    residual : Array of shape [B, S, H]
    block : ParameterTree
        ``dense`` [H, H or I] and ``LayerNorm`` [H].
    eps : float

    Returns
    -------
    Array of shape [B, S, H]
    """
    with scope("output"):
        dense = observe("dense", linear(x, **block.dense))
        return observe("LayerNorm", layer_norm(dense + residual, **block.LayerNorm, eps=eps))


def encoder_layer(
    hidden: Array,
    attend: Array,
    layer: Any,
    config: RobertaConfig,
    head_mask: Array | None = None,
) -> tuple[Array, Array]:  # [B, S, H], bool [B, 1, 1 or S, S] -> [B, S, H], [B, N, S, S]
    """Attend, then feed forward, each with its residual and layer norm.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
    attend : boolean Array of shape [B, 1, 1 or S, S]
    layer : ParameterTree
        ``encoder.layer.{i}`` of a checkpoint.
    config : RobertaConfig
    head_mask : Array of shape [N, 1, 1], optional

    Returns
    -------
    hidden : Array of shape [B, S, H]
    probabilities : Array of shape [B, N, S, S]

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.1 and equation 2.
    """
    activation = (
        ACTIVATIONS[config.hidden_act] if isinstance(config.hidden_act, str) else config.hidden_act
    )
    eps = config.layer_norm_eps
    n_heads = layer.attention.self.query.bias.shape[0] // config.head_size  # some may be pruned
    with scope("attention"):
        context, probabilities = self_attention(
            hidden,
            attend,
            layer.attention.self,
            n_heads,
            head_mask,
            config.position_embedding_type,
        )
        hidden = add_and_norm(context, hidden, layer.attention.output, eps)
    expanded = observe("intermediate.dense", linear(hidden, **layer.intermediate.dense))  # [B,S,I]
    expanded = observe("intermediate", activation(expanded))
    return add_and_norm(expanded, hidden, layer.output, eps), probabilities


def encoder(
    hidden: Array,
    attend: Array,
    layers: Sequence[Any],
    config: RobertaConfig,
    head_mask: Array | None = None,
    *,
    output_hidden_states: bool = False,
    output_attentions: bool = False,
) -> EncoderOutput:
    """Run the layers one after the other.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The output of the embeddings.
    attend : boolean Array of shape [B, 1, 1 or S, S]
    layers : sequence of L ParameterTrees
        ``encoder.layer`` of a checkpoint.
    config : RobertaConfig
    head_mask : Array of shape [L, N, 1, 1], optional
    output_hidden_states, output_attentions : bool
        Keep the tensors of every layer.

    Returns
    -------
    EncoderOutput
    """
    states, attentions = [hidden], []
    for i, layer in enumerate(layers):
        with scope(f"encoder.layer.{i}"):
            of_layer = None if head_mask is None else head_mask[i, ...]
            hidden, probabilities = encoder_layer(hidden, attend, layer, config, of_layer)
        if output_hidden_states:
            states.append(hidden)
        if output_attentions:
            attentions.append(probabilities)
    return EncoderOutput(
        hidden,
        tuple(states) if output_hidden_states else None,
        tuple(attentions) if output_attentions else None,
    )
