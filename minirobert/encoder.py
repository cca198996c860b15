"""One layer of an encoder or decoder, and the stack of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .arrays import Array, array_namespace
from .attention import CrossInputs, cross_attention, self_attention
from .cache import LayerCache
from .config import RobertaConfig
from .functional import ACTIVATIONS, dropout, layer_norm, linear
from .observe import observe, scope

__all__ = [
    "EncoderOutput",
    "LayerOutput",
    "add_and_norm",
    "encoder",
    "encoder_layer",
    "feed_forward",
]


class EncoderOutput(NamedTuple):
    """What a stack of layers computes; the tuples are None unless asked for."""

    last_hidden_state: Array  # [B, S, H]
    hidden_states: tuple[Array, ...] | None  # L + 1 times [B, S, H], the embeddings first
    attentions: tuple[Array, ...] | None  # L times [B, N, S, T]
    cross_attentions: tuple[Array, ...] | None  # L times [B, N, S, E]


class LayerOutput(NamedTuple):
    """What one layer computes."""

    hidden: Array  # [B, S, H]
    attention: Array  # [B, N, S, T]
    cross_attention: Array | None  # [B, N, S, E]


def add_and_norm(
    x: Array, residual: Array, block: Any, config: RobertaConfig, rng: Any = None
) -> Array:
    """Project, add what was there before, normalise: ``LayerNorm(dense(x) + residual)``.

    The norm comes after the sum (*post-LN*, as in the original Transformer), not before the layer
    as in GPT-2, and none follows the last layer.

    Parameters
    ----------
    x : Array of shape [B, S, H or I]
    residual : Array of shape [B, S, H]
    block : ParameterTree
        ``dense`` [H, H or I] and ``LayerNorm`` [H].
    config : RobertaConfig
    rng : random generator, optional
        Given in training: ``hidden_dropout_prob`` of ``dense(x)`` is dropped.

    Returns
    -------
    Array of shape [B, S, H]
    """
    with scope("output"):
        dense = observe("dense", linear(x, **block.dense))
        dense = dropout(dense, config.hidden_dropout_prob, rng)
        eps = config.layer_norm_eps
        return observe("LayerNorm", layer_norm(dense + residual, **block.LayerNorm, eps=eps))


def feed_forward(
    hidden: Array, layer: Any, config: RobertaConfig, rng: Any = None
) -> Array:  # [B, S, H] -> [B, S, H]
    """Work on each position by itself: ``LayerNorm(W2 act(W1 h) + h)``.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
    layer : ParameterTree
        ``intermediate.dense`` [I, H], ``output.dense`` [H, I] and ``output.LayerNorm`` [H].
    config : RobertaConfig
        ``hidden_act`` is the activation.
    rng : random generator, optional
        Given in training.

    Returns
    -------
    Array of shape [B, S, H]

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), equation 2.
    """
    activation = (
        ACTIVATIONS[config.hidden_act] if isinstance(config.hidden_act, str) else config.hidden_act
    )
    expanded = observe("intermediate.dense", linear(hidden, **layer.intermediate.dense))  # [B,S,I]
    expanded = observe("intermediate", activation(expanded))
    return add_and_norm(expanded, hidden, layer.output, config, rng)


def _feed_forward_in_chunks(
    hidden: Array, layer: Any, config: RobertaConfig, rng: Any
) -> Array:  # [B, S, H] -> [B, S, H]
    """Run `feed_forward` on a few positions at a time: the same numbers, in less memory."""
    size, length = config.chunk_size_feed_forward, hidden.shape[1]
    chunks = []
    for start in range(0, length, size):
        with scope(f"chunk.{start // size}"):
            chunk = hidden[:, start : min(start + size, length), :]
            chunks.append(feed_forward(chunk, layer, config, rng))
    return array_namespace(hidden).concat(chunks, axis=1)


def encoder_layer(
    hidden: Array,
    attend: Array,
    layer: Any,
    config: RobertaConfig,
    head_mask: Array | None = None,
    *,
    cross: CrossInputs | None = None,
    cache: LayerCache | None = None,
    past: int = 0,
    rng: Any = None,
) -> LayerOutput:
    """Attend, in a decoder also to an encoder's text, then feed forward.

    Each step has its residual and layer norm.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
    attend : boolean Array of shape [B, 1, 1 or S, T]
    layer : ParameterTree
        ``encoder.layer.{i}`` of a checkpoint.
    config : RobertaConfig
    head_mask : Array of shape [N, 1, 1], optional
        Of both attentions.
    cross : CrossInputs, optional
        Without it the cross-attention is left out.
    cache : LayerCache, optional
        Of a decoder; the layer reads and extends it.
    past : int
        P, how many tokens are in the cache.
    rng : random generator, optional
        Given in training: where dropout takes its random numbers from.

    Returns
    -------
    LayerOutput

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.1.
    """
    with scope("attention"):
        context, attention = self_attention(
            hidden,
            attend,
            layer.attention.self,
            config,
            head_mask,
            cache=cache,
            past=past,
            rng=rng,
        )
        hidden = add_and_norm(context, hidden, layer.attention.output, config, rng)
    across = None
    if cross is not None:
        with scope("crossattention"):
            context, across = cross_attention(
                hidden, cross, layer.crossattention.self, config, head_mask, cache=cache, rng=rng
            )
            hidden = add_and_norm(context, hidden, layer.crossattention.output, config, rng)
    if config.chunk_size_feed_forward:
        hidden = _feed_forward_in_chunks(hidden, layer, config, rng)
    else:
        hidden = feed_forward(hidden, layer, config, rng)
    return LayerOutput(hidden, attention, across)


def encoder(
    hidden: Array,
    attend: Array,
    layers: Sequence[Any],
    config: RobertaConfig,
    head_mask: Array | None = None,
    *,
    cross: CrossInputs | None = None,
    caches: Sequence[LayerCache] | None = None,
    past: int = 0,
    rng: Any = None,
    output_hidden_states: bool = False,
    output_attentions: bool = False,
) -> EncoderOutput:
    """Run the layers one after the other.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The output of the embeddings.
    attend : boolean Array of shape [B, 1, 1 or S, T]
    layers : sequence of L ParameterTrees
        ``encoder.layer`` of a checkpoint.
    config : RobertaConfig
    head_mask : Array of shape [L, N, 1, 1], optional
    cross : CrossInputs, optional
    caches : sequence of L LayerCaches, optional
    past : int
        P, how many tokens are in the caches.
    rng : random generator, optional
        Given in training.
    output_hidden_states, output_attentions : bool
        Keep the tensors of every layer.

    Returns
    -------
    EncoderOutput
    """
    states, attentions, across = [hidden], [], []
    for i, layer in enumerate(layers):
        with scope(f"encoder.layer.{i}"):
            output = encoder_layer(
                hidden,
                attend,
                layer,
                config,
                None if head_mask is None else head_mask[i, ...],
                cross=cross,
                cache=None if caches is None else caches[i],
                past=past,
                rng=rng,
            )
        hidden = output.hidden
        if output_hidden_states:
            states.append(hidden)
        if output_attentions:
            attentions.append(output.attention)
            across.append(output.cross_attention)
    return EncoderOutput(
        hidden,
        tuple(states) if output_hidden_states else None,
        tuple(attentions) if output_attentions else None,
        tuple(across) if output_attentions and cross is not None else None,
    )
