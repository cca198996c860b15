"""What each model returns, field by field."""

from __future__ import annotations

from dataclasses import dataclass

from ..arrays import Array
from ..cache import KeyValueCache
from ..model_output import GIVEN, ModelOutput

__all__ = [
    "BaseModelOutputWithPoolingAndCrossAttentions",
    "CausalLMOutputWithCrossAttentions",
    "MaskedLMOutput",
    "MultipleChoiceModelOutput",
    "QuestionAnsweringModelOutput",
    "SequenceClassifierOutput",
    "TokenClassifierOutput",
]


@dataclass(frozen=True, repr=False, eq=False)
class BaseModelOutputWithPoolingAndCrossAttentions(ModelOutput):
    """Output of the base model.

    Attributes
    ----------
    last_hidden_state : Array of shape [B, S, H]
    pooler_output : Array of shape [B, H], optional
        Where the model has a pooler.
    hidden_states : tuple of L + 1 Arrays of shape [B, S, H], optional
        The output of the embeddings, and of each layer.
    past_key_values : KeyValueCache, optional
        Of K tokens before and the S of this call. In transformers, too, it stands here in the
        output, but before the hidden states in the tuple of ``return_dict=False``.
    attentions : tuple of L Arrays of shape [B, N, S, K + S], optional
        The attention probabilities of each layer.
    cross_attentions : tuple of L Arrays of shape [B, N, S, E], optional
        Those of a decoder's cross-attention.
    """

    last_hidden_state: Array = GIVEN
    pooler_output: Array | None = None
    hidden_states: tuple[Array, ...] | None = None
    past_key_values: KeyValueCache | None = None
    attentions: tuple[Array, ...] | None = None
    cross_attentions: tuple[Array, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class CausalLMOutputWithCrossAttentions(ModelOutput):
    """Output of the causal language model.

    Attributes
    ----------
    loss : Array of shape [], optional
        Where labels were given.
    logits : Array of shape [B, S, V]
        Of the word that follows each token.
    past_key_values : KeyValueCache, optional
        Of K tokens before and the S of this call.
    hidden_states : tuple of L + 1 Arrays of shape [B, S, H], optional
    attentions : tuple of L Arrays of shape [B, N, S, K + S], optional
    cross_attentions : tuple of L Arrays of shape [B, N, S, E], optional
    """

    loss: Array | None = None
    logits: Array = GIVEN
    past_key_values: KeyValueCache | None = None
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None
    cross_attentions: tuple[Array, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class MaskedLMOutput(ModelOutput):
    """Output of the masked language model.

    Attributes
    ----------
    loss : Array of shape [], optional
        Where labels were given.
    logits : Array of shape [B, S, V]
    hidden_states : tuple of L + 1 Arrays of shape [B, S, H], optional
    attentions : tuple of L Arrays of shape [B, N, S, S], optional
    """

    loss: Array | None = None
    logits: Array = GIVEN
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class SequenceClassifierOutput(ModelOutput):
    """Output of the classifier of texts.

    Attributes
    ----------
    loss : Array of shape [], optional
        Where labels were given.
    logits : Array of shape [B, C]
        For regression, the predicted numbers.
    hidden_states : tuple of L + 1 Arrays of shape [B, S, H], optional
    attentions : tuple of L Arrays of shape [B, N, S, S], optional
    """

    loss: Array | None = None
    logits: Array = GIVEN
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class TokenClassifierOutput(ModelOutput):
    """Output of the classifier of tokens.

    Attributes
    ----------
    loss : Array of shape [], optional
        Where labels were given.
    logits : Array of shape [B, S, C]
    hidden_states : tuple of L + 1 Arrays of shape [B, S, H], optional
    attentions : tuple of L Arrays of shape [B, N, S, S], optional
    """

    loss: Array | None = None
    logits: Array = GIVEN
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class QuestionAnsweringModelOutput(ModelOutput):
    """Output of the finder of answers.

    Attributes
    ----------
    loss : Array of shape [], optional
        Where start and end positions were given.
    start_logits, end_logits : Array of shape [B, S]
        Of each token as the first, and as the last, of the answer.
    hidden_states : tuple of L + 1 Arrays of shape [B, S, H], optional
    attentions : tuple of L Arrays of shape [B, N, S, S], optional
    """

    loss: Array | None = None
    start_logits: Array = GIVEN
    end_logits: Array = GIVEN
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class MultipleChoiceModelOutput(ModelOutput):
    """Output of the chooser among continuations.

    Attributes
    ----------
    loss : Array of shape [], optional
        Where labels were given.
    logits : Array of shape [B, C]
    hidden_states : tuple of L + 1 Arrays of shape [B C, S, H], optional
        All choices of the first text, then of the second …
    attentions : tuple of L Arrays of shape [B C, N, S, S], optional
    """

    loss: Array | None = None
    logits: Array = GIVEN
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None
