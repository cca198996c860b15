"""What the models return: named tensors that can also be unpacked, indexed and iterated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, overload

from .arrays import Array
from .cache import KeyValueCache

__all__ = [
    "BaseModelOutputWithPoolingAndCrossAttentions",
    "CausalLMOutputWithCrossAttentions",
    "GenerateOutput",
    "MaskedLMOutput",
    "ModelOutput",
    "MultipleChoiceModelOutput",
    "QuestionAnsweringModelOutput",
    "SequenceClassifierOutput",
    "TokenClassifierOutput",
]


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """Base of the outputs: a field is read by name, by position, or by unpacking.

    Fields that are None were not computed. They can be read as attributes, but do not count as
    keys or positions, so that ``output[0]`` is the loss with labels and the logits without.

    Iterating gives the values (in transformers it gives the names), so that
    ``loss, logits = model(input_ids, labels=labels)`` means what it says.

    >>> output = MaskedLMOutput(logits=3.5)
    >>> output.logits, output["logits"], output[0], output.loss, list(output.keys())
    (3.5, 3.5, 3.5, None, ['logits'])
    """

    def keys(self) -> tuple[str, ...]:
        """Name the fields that are not None, in order."""
        names = (one.name for one in fields(self))
        return tuple(name for name in names if getattr(self, name) is not None)

    def values(self) -> tuple[Any, ...]:
        """Give the fields that are not None, in order."""
        return tuple(getattr(self, name) for name in self.keys())

    def items(self) -> tuple[tuple[str, Any], ...]:
        """Give name and value of the fields that are not None, in order."""
        return tuple((name, getattr(self, name)) for name in self.keys())

    def to_tuple(self) -> tuple[Any, ...]:
        """Give the fields that are not None, in order."""
        return self.values()

    def get(self, name: str, default: Any = None) -> Any:
        """Give a field by name, or a default where it is None or there is none."""
        return getattr(self, name) if name in self.keys() else default

    @overload
    def __getitem__(self, key: str | int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, key: str | int | slice) -> Any:
        if not isinstance(key, str):
            return self.values()[key]
        if key not in self.keys():
            raise KeyError(f"{key!r} is not in this output, which has {', '.join(self.keys())}")
        return getattr(self, key)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())

    def __len__(self) -> int:
        return len(self.keys())

    def __repr__(self) -> str:
        parts = (f"{name}={_brief(value)}" for name, value in self.items())
        return f"{type(self).__name__}({', '.join(parts)})"


def _brief(value: Any) -> str:
    """Show an array by its dtype and shape, a tuple by its length and first element."""
    if isinstance(value, tuple):
        return f"{len(value)} x {_brief(value[0])}" if value else "()"
    if getattr(value, "ndim", 0) == 0:  # a cache, too
        return repr(value)
    return f"{value.dtype}{list(value.shape)}"


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
        Of P tokens before and the S of this call. In transformers, too, it stands here in the
        output, but before the hidden states in the tuple of ``return_dict=False``.
    attentions : tuple of L Arrays of shape [B, N, S, P + S], optional
        The attention probabilities of each layer.
    cross_attentions : tuple of L Arrays of shape [B, N, S, E], optional
        Those of a decoder's cross-attention.
    """

    last_hidden_state: Array = None
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
        Of P tokens before and the S of this call.
    hidden_states : tuple of L + 1 Arrays of shape [B, S, H], optional
    attentions : tuple of L Arrays of shape [B, N, S, P + S], optional
    cross_attentions : tuple of L Arrays of shape [B, N, S, E], optional
    """

    loss: Array | None = None
    logits: Array = None
    past_key_values: KeyValueCache | None = None
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None
    cross_attentions: tuple[Array, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class GenerateOutput(ModelOutput):
    """Output of generation, with R sequences for each text.

    Attributes
    ----------
    sequences : int64 Array of shape [R B, T]
        The prompts, what follows, and padding where others are longer: those of the first text, of
        the second …
    sequences_scores : Array of shape [R B], optional
        Of beam search: the sum of the logarithmic probabilities of the new tokens, divided by their
        number to the power of ``length_penalty``.
    scores : tuple of Arrays of shape [R B, V], or [K B, V] for K beams, optional
        Of each step: the scores that the word was chosen by, with everything done to them. They are
        logits, or for beam search the logarithms of probabilities.
    """

    sequences: Array = None
    sequences_scores: Array | None = None
    scores: tuple[Array, ...] | None = None


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
    logits: Array = None
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
    logits: Array = None
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
    logits: Array = None
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
    start_logits: Array = None
    end_logits: Array = None
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
    logits: Array = None
    hidden_states: tuple[Array, ...] | None = None
    attentions: tuple[Array, ...] | None = None
