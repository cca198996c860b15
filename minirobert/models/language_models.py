"""The language models: the encoder that fills masks, and the decoder that continues texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeAlias

from ..arrays import Array, Shape, is_array_api_obj
from ..checks import random_generator, warn
from ..config import RobertaConfig
from ..documentation import documented
from ..heads import lm_head
from ..intermediates import Intermediate, Pass, Row
from ..losses import causal_lm_loss, token_loss
from ..parameters import ParameterTree, linear_shapes, norm_shapes
from ..rules import POSITIVE, check, optional
from .arguments import SHARED, Arguments, Wanted
from .base import RobertaHeadModel
from .generation_mixin import GenerationMixin
from .head import Head
from .labels import check_labels
from .outputs import CausalLMOutputWithCrossAttentions, MaskedLMOutput

__all__ = ["LanguageModel", "RobertaForCausalLM", "RobertaForMaskedLM"]


class LanguageModelHead(Head):
    """The score of every word: the right one at each position."""

    name = "lm_head"
    output: ClassVar[type[Any]] = MaskedLMOutput

    def shapes(self, config: RobertaConfig) -> dict[str, Shape]:
        """One layer more; the decoder is the word embedding table where the two are tied."""
        hidden, vocab = config.hidden_size, config.vocab_size
        return {
            **linear_shapes("dense", hidden, hidden),
            **norm_shapes("layer_norm", hidden),
            "bias": (vocab,),
            **({} if config.tie_word_embeddings else {"decoder.weight": (vocab, hidden)}),
        }

    def intermediates(self, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
        """List the layer, and the logits."""
        for name, formula in (("dense", "linear"), ("gelu", "gelu"), ("layer_norm", "layer_norm")):
            yield f"lm_head.{name}", Intermediate("[B, S, H]", f"functional.{formula}")
        yield "lm_head.logits", Intermediate("[B, S, V]", "functional.linear")

    def logits(
        self, hidden: Array, params: ParameterTree, config: RobertaConfig, shape: Shape, rng: Any
    ) -> tuple[Array]:  # [..., H] -> [..., V]
        """Score every word."""
        tied = config.tie_word_embeddings
        owner = params.roberta.embeddings.word_embeddings if tied else params.lm_head.decoder
        return (lm_head(hidden, params.lm_head, owner.weight, config.layer_norm_eps),)

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> Any:
        """Check that each is a word, or ignored."""
        (given,) = labels
        return None if given is None else check_labels(given, like, config.vocab_size, shape)

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the mean cross-entropy of the words that count."""
        return token_loss(logits[0], labels)


class CausalLanguageModelHead(LanguageModelHead):
    """The score of every word: the one that comes next."""

    output = CausalLMOutputWithCrossAttentions

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> Any:
        """Check that each is a word, or ignored; the second of them is what to divide by."""
        given, num_items_in_batch = labels
        checked = super().check_labels((given,), like, config, shape)
        if is_array_api_obj(num_items_in_batch) and num_items_in_batch.shape in ((), (1,)):
            num_items_in_batch = num_items_in_batch.item()  # in no dtype of its own
        check("num_items_in_batch", num_items_in_batch, optional(POSITIVE))
        return None if checked is None else (checked, num_items_in_batch)

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the mean cross-entropy of the words that follow."""
        return causal_lm_loss(logits[0], *labels)


class _LanguageModel(RobertaHeadModel):
    """A model with the language-model head."""

    def lm_head(self, hidden: Array) -> Array:  # [..., H] -> [..., V]
        """Score every word of the vocabulary for hidden states of any positions."""
        return self.head.logits(hidden, self.params, self.config, (), None)[0]


class RobertaForMaskedLM(_LanguageModel):
    """The encoder with the language-model head, which tells the word behind a ``<mask>``.

    >>> model = RobertaForMaskedLM.from_pretrained()
    >>> model([[0, 100, 200, 2]]).logits.shape
    (1, 4, 8192)
    """

    head = LanguageModelHead()

    def __post_init__(self, seed: int) -> None:
        super().__post_init__(seed)
        if self.config.is_decoder:
            warn(
                "is_decoder is True, so RobertaForMaskedLM looks only back: set it to False to "
                "look at both sides of a mask"
            )

    @documented(SHARED)
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
        labels: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        read: Any = None,
        train: bool = False,
        rng: Any = None,
    ) -> MaskedLMOutput:
        """Score every word of the vocabulary at every position, and with labels the loss.

        Parameters
        ----------
        labels : integers of shape [B, S], optional
            The right word of each position in [0, V), or -100 where it does not count.

        Returns
        -------
        MaskedLMOutput
            Or with ``return_dict=False`` a tuple: the loss where there are labels, the logits, then
            what there is of the hidden states, the attentions and the cross-attentions.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        arguments = Arguments(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            *(encoder_hidden_states, encoder_attention_mask),
            read=read,
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        output: MaskedLMOutput = self._answer(
            arguments, wanted, random_generator(train, rng), labels
        )
        return output


class RobertaForCausalLM(_LanguageModel, GenerationMixin):
    """The decoder with the language-model head, which tells the word that comes next.

    It needs ``config.is_decoder``; with ``config.add_cross_attention`` it also looks at the text of
    an encoder.

    >>> from minirobert import RobertaConfig
    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9, is_decoder=True)
    >>> output = RobertaForCausalLM(config)([[0, 5, 6, 7]])
    >>> output.logits.shape, output.past_key_values
    ((1, 4, 9), KeyValueCache(batch 1, 4 tokens, 1 layer))
    """

    head = CausalLanguageModelHead()

    def __post_init__(self, seed: int) -> None:
        super().__post_init__(seed)
        if not self.config.is_decoder:
            warn(
                "is_decoder is False, so RobertaForCausalLM looks ahead, at the words that it "
                "should tell: set it to True"
            )

    @documented(SHARED)
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
        labels: Any = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        cache_position: Any = None,
        read: Any = None,
        num_items_in_batch: int | None = None,
        train: bool = False,
        rng: Any = None,
    ) -> CausalLMOutputWithCrossAttentions:
        """Score every word of the vocabulary as the next, and with labels the loss.

        Parameters
        ----------
        labels : integers of shape [B, S], optional
            The words of the texts themselves in [0, V), or -100 where one does not count: the
            logits of each position are compared with the label of the next.
        num_items_in_batch : int, optional
            What to divide the sum of the losses by, in place of the number of counted labels: in
            training with gradients that are added up over several batches, that of them all.

        Returns
        -------
        CausalLMOutputWithCrossAttentions
            Or with ``return_dict=False`` a tuple: the loss where there are labels, the logits, then
            what there is of the cache, the hidden states, the attentions and the cross-attentions.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        arguments = Arguments(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            *(encoder_hidden_states, encoder_attention_mask, past_key_values),
            use_cache=self._use_cache(use_cache) and labels is None,
            cache_position=cache_position,
            read=read,
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        rng = random_generator(train, rng)
        output: CausalLMOutputWithCrossAttentions = self._answer(
            arguments, wanted, rng, labels, num_items_in_batch
        )
        return output


LanguageModel: TypeAlias = RobertaForMaskedLM | RobertaForCausalLM
