"""The models: a configuration, its parameters, and the forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .arrays import Array, Shape
from .encoder import EncoderOutput
from .heads import lm_head, pooler
from .inputs import Inputs
from .labels import check_labels
from .losses import token_loss
from .observe import observe, scope
from .outputs import BaseModelOutputWithPoolingAndCrossAttentions, MaskedLMOutput
from .parameters import parameter_shapes
from .pretrained import RobertaPreTrainedModel

__all__ = ["RobertaForMaskedLM", "RobertaHeadModel", "RobertaModel", "RobertaPreTrainedModel"]


@dataclass(frozen=True, repr=False, eq=False)
class RobertaModel(RobertaPreTrainedModel):
    """The encoder, without a head: hidden states for every token.

    Parameters
    ----------
    config : RobertaConfig
    params : ParameterTree, optional
        Drawn from ``seed`` where it is not given.
    seed : int
    add_pooling_layer : bool
        Whether the model has a pooler, which summarises a text by its first token.

    >>> model = RobertaModel.from_pretrained(add_pooling_layer=False)
    >>> model([[0, 100, 200, 2]]).last_hidden_state.shape
    (1, 4, 256)
    """

    add_pooling_layer: bool = True

    def parameter_shapes(self) -> dict[str, Shape]:
        """Give the name and shape of every tensor of the model."""
        return parameter_shapes(
            self.config, "RobertaModel", add_pooling_layer=self.add_pooling_layer
        )

    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        *,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Compute the hidden states of a batch of texts.

        Parameters
        ----------
        input_ids : integers of shape [B, S]
            Or nested lists of them.
        attention_mask : 0 and 1 of shape [B, S] or [B, S, S], optional
            1 where a token may be looked at. Without it, padding is looked at too.
        token_type_ids : integers of shape [B, S], optional
        position_ids : integers of shape [S] or [B, S], optional
            Counted from ``pad_token_id + 1`` by default, see `minirobert.embeddings`.
        head_mask : numbers of shape [N] or [L, N], optional
            A factor for the probabilities of each head.
        inputs_embeds : floats of shape [B, S, H], optional
            Word embeddings, in place of ``input_ids``.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.

        Returns
        -------
        BaseModelOutputWithPoolingAndCrossAttentions
            Or with ``return_dict=False`` a tuple: last hidden state, pooled output (None without
            a pooler), then the hidden states and the attentions where they were asked for.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others; see `minirobert.inputs`.
        """
        inputs = self._inputs(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        last, states, attentions = self._encode(inputs, output_hidden_states, output_attentions)
        pooled = pooler(last, self.params.pooler) if self.add_pooling_layer else None
        output = BaseModelOutputWithPoolingAndCrossAttentions(last, pooled, states, attentions)
        if self._choice("return_dict", return_dict):
            return output
        extras = (extra for extra in (states, attentions) if extra is not None)
        return (last, pooled, *extras)  # type: ignore[return-value]  # see _returned


@dataclass(frozen=True, repr=False, eq=False)
class RobertaHeadModel(RobertaPreTrainedModel):
    """The base of the models with a head: their encoder's weights are named ``roberta.…``."""

    @property
    def roberta(self) -> RobertaModel:
        """The encoder, on the same weights."""
        pooling = "pooler" in self.params.roberta
        return RobertaModel(self.config, self.params.roberta, add_pooling_layer=pooling)

    def _encode(
        self, inputs: Inputs, output_hidden_states: bool | None, output_attentions: bool | None
    ) -> EncoderOutput:
        with scope("roberta"):
            return super()._encode(inputs, output_hidden_states, output_attentions)


@dataclass(frozen=True, repr=False, eq=False)
class RobertaForMaskedLM(RobertaHeadModel):
    """The encoder with the language-model head, which tells the word behind a ``<mask>``.

    >>> model = RobertaForMaskedLM.from_pretrained()
    >>> model([[0, 100, 200, 2]]).logits.shape
    (1, 4, 8192)
    """

    def lm_head(self, hidden: Array) -> Array:  # [..., H] -> [..., V]
        """Score every word of the vocabulary for hidden states of any positions."""
        tied = self.config.tie_word_embeddings
        decoder = self.word_embeddings if tied else self.params.lm_head.decoder.weight
        return lm_head(hidden, self.params.lm_head, decoder, self.config.layer_norm_eps)

    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        *,
        labels: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> MaskedLMOutput:
        """Score every word of the vocabulary at every position, and with labels the loss.

        Parameters
        ----------
        input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
            See `RobertaModel.__call__`.
        labels : integers of shape [B, S], optional
            The right word of each position in [0, V), or -100 where it does not count.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.

        Returns
        -------
        MaskedLMOutput
            Or with ``return_dict=False`` a tuple: the loss where there are labels, the logits, then
            the hidden states and the attentions where they were asked for.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        inputs = self._inputs(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        if labels is not None:
            vocab = self.config.vocab_size
            labels = check_labels(labels, self.word_embeddings, vocab, inputs.shape)
        last, states, attentions = self._encode(inputs, output_hidden_states, output_attentions)
        logits = self.lm_head(last)  # [B, S, V]
        loss = None if labels is None else observe("loss", token_loss(logits, labels))
        return self._returned(MaskedLMOutput(loss, logits, states, attentions), return_dict)
