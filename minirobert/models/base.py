"""The base model: a configuration, its parameters, and the forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..arrays import Shape
from ..checks import random_generator
from ..encoder import EncoderOutput
from ..heads import pooler
from ..observe import scope
from ..parameters import parameter_shapes
from .inputs import Inputs
from .outputs import BaseModelOutputWithPoolingAndCrossAttentions
from .pretrained import RobertaPreTrainedModel

__all__ = ["RobertaHeadModel", "RobertaModel", "RobertaPreTrainedModel"]


@dataclass(frozen=True, repr=False, eq=False)
class RobertaModel(RobertaPreTrainedModel):
    """The encoder or decoder, without a head: hidden states for every token.

    With ``config.is_decoder`` each token looks only back, and with ``config.add_cross_attention``
    also at the text of an encoder.

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
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Any = None,
        *,
        train: bool = False,
        rng: Any = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Compute the hidden states of a batch of texts.

        Parameters
        ----------
        input_ids : integers of shape [B, S]
            Or nested lists of them.
        attention_mask : 0 and 1 of shape [B, P + S] or [B, S, P + S], optional
            1 where a token may be looked at. Without it, padding is looked at too. With P tokens in
            ``past_key_values``, it stands for these and the new ones. In a decoder a mask of three
            axes takes the place of the rule that tokens look only back.
        token_type_ids : integers of shape [B, S], optional
        position_ids : integers of shape [S] or [B, S], optional
            Counted from ``pad_token_id + 1`` by default, see `minirobert.embeddings`; with a cache
            they go on from there.
        head_mask : numbers of shape [N] or [L, N], optional
            A factor for the probabilities of each head.
        inputs_embeds : floats of shape [B, S, H], optional
            Word embeddings, in place of ``input_ids``.
        encoder_hidden_states : floats of shape [B, E, H], optional
            What the cross-attention of a decoder looks at. Without it the cross-attention is left
            out, unless the cache has what it needs of an earlier call.
        encoder_attention_mask : 0 and 1 of shape [B, E] or [B, S, E], optional
            1 where the encoder's text may be looked at. Where the text is that of the cache, so is
            the mask, unless one is given.
        past_key_values : KeyValueCache, optional
            Of the tokens before, which are not computed again; the call extends it. Tuples of
            arrays are taken too, and copied: see `KeyValueCache.from_legacy_cache`.
        use_cache : bool, optional
            Whether a decoder makes a cache where none is given; by default as the configuration
            says.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.
        cache_position : integers of shape [S], optional
            Where the tokens stand in the cache. There is only one right answer, P, P + 1, …
        train : bool
            Drop what dropout drops.
        rng : int or numpy.random.Generator, optional
            A seed, or where the random numbers of dropout come from.

        Returns
        -------
        BaseModelOutputWithPoolingAndCrossAttentions
            Or with ``return_dict=False`` a tuple: last hidden state, pooled output (None without
            a pooler), then what there is of the cache, the hidden states, the attentions and the
            cross-attentions.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others; see `minirobert.models.inputs`.
        """
        rng = random_generator(train, rng)
        inputs = self._inputs(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            head_mask,
            inputs_embeds,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=past_key_values,
            use_cache=self._use_cache(use_cache),
            cache_position=cache_position,
        )
        encoded = self._encode(inputs, output_hidden_states, output_attentions, rng)
        last = encoded.last_hidden_state
        pooled = pooler(last, self.params.pooler) if self.add_pooling_layer else None
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last,
            pooled,
            encoded.hidden_states,
            inputs.cache,
            encoded.attentions,
            encoded.cross_attentions,
        )
        if self._choice("return_dict", return_dict):
            return output
        # transformers' tuple has the cache before the hidden states, its output behind them
        extras = (inputs.cache, encoded.hidden_states, *encoded[2:])
        present = (extra for extra in extras if extra is not None)
        return (last, pooled, *present)  # type: ignore[return-value]  # see _returned


@dataclass(frozen=True, repr=False, eq=False)
class RobertaHeadModel(RobertaPreTrainedModel):
    """The base of the models with a head: their encoder's weights are named ``roberta.…``."""

    @property
    def roberta(self) -> RobertaModel:
        """The encoder, on the same weights."""
        pooling = "pooler" in self.params.roberta
        return RobertaModel(self.config, self.params.roberta, add_pooling_layer=pooling)

    def _encode(
        self,
        inputs: Inputs,
        output_hidden_states: bool | None,
        output_attentions: bool | None,
        rng: Any,
    ) -> EncoderOutput:
        with scope("roberta"):
            return super()._encode(inputs, output_hidden_states, output_attentions, rng)
