"""One layer of an encoder or decoder, the stack of them, and the way from ids to hidden states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any, NamedTuple, cast

from .arrays import Array, array_namespace
from .attention import NOTHING, CrossInputs, Extras, cross_attention, self_attention
from .cache import KeyValueCache
from .config import RobertaConfig
from .dropout import dropped
from .embeddings import embed
from .functional import ACTIVATIONS, embedding, layer_norm, linear
from .observe import observe, scope
from .parameters import ParameterTree

__all__ = [
    "EncoderOutput",
    "Inputs",
    "LayerOutput",
    "activation_of",
    "add_and_norm",
    "encoder",
    "encoder_layer",
    "feed_forward",
    "roberta",
]


def add_and_norm(
    x: Array, residual: Array, block: ParameterTree, config: RobertaConfig, rng: Any = None
) -> Array:  # [B, S, N D or I], [B, S, H] -> [B, S, H]
    """Project, add what was there before, normalise: ``LayerNorm(dense(x) + residual)``.

    The norm comes after the sum (*post-LN*, as in the original Transformer), not before the layer
    as in GPT-2, and none follows the last layer.

    Parameters
    ----------
    x : Array of shape [B, S, N D or I]
    residual : Array of shape [B, S, H]
    block : ParameterTree
        ``dense`` [H, N D or I] and ``LayerNorm`` [H].
    config : RobertaConfig
    rng : random generator, optional
        Given in training: ``hidden_dropout_prob`` of ``dense(x)`` is dropped.

    Returns
    -------
    Array of shape [B, S, H]
    """
    with scope("output"):
        dense = dropped("dense", linear(x, **block.dense), config.hidden_dropout_prob, rng)
        total = observe("sum", dense + residual)
        normed = layer_norm(total, **block.LayerNorm, eps=config.layer_norm_eps)
        return observe("LayerNorm", normed)


def feed_forward(
    hidden: Array, layer: ParameterTree, config: RobertaConfig, rng: Any = None
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
    activation = activation_of(config)
    expanded = observe("intermediate.dense", linear(hidden, **layer.intermediate.dense))
    expanded = observe("intermediate", activation(expanded))  # [B, S, I]
    return add_and_norm(expanded, hidden, layer.output, config, rng)


def activation_of(config: RobertaConfig) -> Callable[[Array], Array]:
    """Give the function that ``config.hidden_act`` names, or is."""
    act = config.hidden_act
    return ACTIVATIONS[act] if isinstance(act, str) else act


def _feed_forward_in_chunks(
    hidden: Array, layer: ParameterTree, config: RobertaConfig, rng: Any
) -> Array:  # [B, S, H] -> [B, S, H]
    """Run `feed_forward` on a few positions at a time: the same numbers, in less memory."""
    size, length = config.chunk_size_feed_forward, hidden.shape[1]
    chunks = []
    for start in range(0, length, size):
        with scope(f"chunk.{start // size}"):
            chunk = hidden[:, start : min(start + size, length), :]
            chunks.append(feed_forward(chunk, layer, config, rng))
    return array_namespace(hidden).concat(chunks, axis=1)


class LayerOutput(NamedTuple):
    """What one layer computes."""

    hidden: Array  # [B, S, H]
    attention: Array  # [B, N, S, T]
    cross_attention: Array | None  # [B, N, S, E]


def encoder_layer(
    hidden: Array,
    attend: Array,
    layer: ParameterTree,
    config: RobertaConfig,
    extras: Extras = NOTHING,
) -> LayerOutput:  # [B, S, H], bool [1 or B, 1, 1 or S, T]
    """Attend, in a decoder also to an encoder's text, then feed forward.

    Each step has its residual and layer norm.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
    attend : boolean Array of shape [1 or B, 1, 1 or S, T]
    layer : ParameterTree
        ``encoder.layer.{i}`` of a checkpoint.
    config : RobertaConfig
    extras : Extras
        Without ``cross`` the cross-attention is left out; the head mask is that of both.

    Returns
    -------
    LayerOutput

    Notes
    -----
    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.1.
    """
    cross, rng = extras.cross, extras.rng
    with scope("attention"):
        context, attention = self_attention(hidden, attend, layer.attention.self, config, extras)
        hidden = add_and_norm(context, hidden, layer.attention.output, config, rng)
    across = None
    if cross is not None:
        block = layer.crossattention
        with scope("crossattention"):
            context, across = cross_attention(hidden, cross, block.self, config, extras)
            hidden = add_and_norm(context, hidden, block.output, config, rng)
    if config.chunk_size_feed_forward:
        hidden = _feed_forward_in_chunks(hidden, layer, config, rng)
    else:
        hidden = feed_forward(hidden, layer, config, rng)
    return LayerOutput(hidden, attention, across)


class EncoderOutput(NamedTuple):
    """What a stack of layers computes; the tuples are None unless asked for."""

    last_hidden_state: Array  # [B, S, H]
    hidden_states: tuple[Array, ...] | None  # L + 1 times [B, S, H], the embeddings first
    attentions: tuple[Array, ...] | None  # L times [B, N, S, T]
    cross_attentions: tuple[Array, ...] | None  # L times [B, N, S, E]


@singledispatch
def encoder(
    hidden: Array,
    attend: Array,
    layers: Sequence[ParameterTree],
    config: RobertaConfig,
    extras: Sequence[Extras] | None = None,
    *,
    read: Array | None = None,
    output_hidden_states: bool = False,
    output_attentions: bool = False,
) -> EncoderOutput:  # [B, S, H], bool [1 or B, 1, 1 or S, T]
    """Run the layers one after the other.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The output of the embeddings.
    attend : boolean Array of shape [1 or B, 1, 1 or S, T]
    layers : sequence of L ParameterTrees
        ``encoder.layer`` of a checkpoint.
    config : RobertaConfig
    extras : sequence of L Extras, optional
        What each layer is given besides.
    read : boolean Array of shape [B, S], optional
        Which of the last hidden states are read; the others are zero. By default all are read.
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
                hidden, attend, layer, config, NOTHING if extras is None else extras[i]
            )
        hidden = output.hidden
        if output_hidden_states:
            states.append(hidden)
        if output_attentions:
            attentions.append(output.attention)
            if output.cross_attention is not None:
                across.append(output.cross_attention)
    if read is not None:
        xp = array_namespace(hidden)
        hidden = states[-1] = xp.where(read[:, :, None], hidden, xp.zeros_like(hidden))
    return EncoderOutput(
        hidden,
        tuple(states) if output_hidden_states else None,
        tuple(attentions) if output_attentions else None,
        tuple(across) if output_attentions and across else None,
    )


class Inputs(NamedTuple):
    """What a forward pass reads; exactly one of the first two is None.

    Without an attention mask each token may look everywhere, but not ahead in a decoder.

    The C choices of a text are rows of the batch like any others: B is then the number of texts
    times C.
    """

    input_ids: Array | None  # [B, S]
    inputs_embeds: Array | None  # [B, S, H], word embeddings in place of ids
    attend: Array  # bool [1 or B, 1, 1 or S, T]: where each token may look
    token_type_ids: Array  # [B, S], by default 0
    position_ids: Array | None  # [B, S]; None where positions are relative
    is_token: Array  # bool [B, S]: what is not padding
    head_mask: Array | None = None  # [L, N, 1, 1]
    cross: CrossInputs | None = None  # the text of an encoder, for a decoder
    cache: KeyValueCache | None = None  # the tokens before, for a decoder
    read: Array | None = None  # bool [B, S]: which of the last hidden states are read

    def observed(self) -> Inputs:
        """Give the ids and the mask their names."""
        names = ("input_ids", "token_type_ids", "position_ids", "attend")
        given = {name: getattr(self, name) for name in names}
        observed: dict[str, Any] = {
            name: observe(name, array) for name, array in given.items() if array is not None
        }
        return self._replace(**observed)

    def extras(self, n_layers: int, rng: Any = None) -> list[Extras]:
        """Give each layer its part."""
        mask = self.head_mask
        masks = [None if mask is None else mask[i, ...] for i in range(n_layers)]
        caches = [None] * n_layers if self.cache is None else self.cache.open(n_layers)
        parts = zip(masks, caches, strict=True)
        return [Extras(factor, self.cross, cache, rng) for factor, cache in parts]


def roberta(
    params: ParameterTree,
    inputs: Inputs,
    config: RobertaConfig,
    rng: Any = None,
    *,
    output_hidden_states: bool = False,
    output_attentions: bool = False,
) -> EncoderOutput:
    """Embed a batch of texts, and run it through the layers: all of RoBERTa but its heads.

    Parameters
    ----------
    params : ParameterTree
        ``embeddings`` and ``encoder`` of a checkpoint, which a model with a head has in
        ``roberta``.
    inputs : Inputs
        A cache among them is extended by the tokens of this pass.
    config : RobertaConfig
    rng : random generator, optional
        Given in training: where dropout takes its random numbers from.
    output_hidden_states, output_attentions : bool
        Keep the tensors of every layer.

    Returns
    -------
    EncoderOutput
    """
    if inputs.input_ids is not None:
        words = embedding(params.embeddings.word_embeddings.weight, inputs.input_ids)
    else:
        words = cast("Array", inputs.inputs_embeds)  # one of the two is given
    hidden = embed(
        params.embeddings, words, inputs.token_type_ids, inputs.position_ids, config, rng
    )  # [B, S, H]
    output = encoder(
        observe("embeddings", hidden),
        inputs.attend,
        params.encoder.layer if config.num_hidden_layers else (),
        config,
        inputs.extras(config.num_hidden_layers, rng),
        read=inputs.read,
        output_hidden_states=output_hidden_states,
        output_attentions=output_attentions,
    )
    cross = inputs.cross
    if inputs.cache is not None:
        inputs.cache.advance(inputs.is_token, None if cross is None else cross.attend)
    if output_attentions and cross is not None and not config.num_hidden_layers:
        output = output._replace(cross_attentions=())  # as of each layer, of which there is none
    return output
