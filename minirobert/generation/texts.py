"""The texts that are being continued, and the model that reads them."""

from __future__ import annotations

from typing import Any, Protocol

from ..arrays import Array, array_namespace, astype, device_of, index_dtype, widened
from ..cache import KeyValueCache
from ..embeddings import create_position_ids_from_input_ids
from ..observe import scope

__all__ = ["NextLogits", "Texts", "is_padding"]


class NextLogits(Protocol):
    """What generation needs of a model: the logits of the word behind the last token, [B, V]."""

    def __call__(
        self,
        input_ids: Array | None,
        attention_mask: Array,
        past_key_values: KeyValueCache | None,
        encoder_hidden_states: Array | None,
        encoder_attention_mask: Array | None,
        inputs_embeds: Array | None = None,
        position_ids: Array | None = None,
        token_type_ids: Array | None = None,
    ) -> Array:
        """Read tokens, [B, S], behind those of the cache; the mask, [B, K + S], covers both.

        The embeddings of a prompt, [B, S, H], are read in place of its tokens.
        """


class Texts:
    """A batch of texts that grow by a token at a time.

    Parameters
    ----------
    next_logits : NextLogits
    input_ids : int64 Array of shape [B, S]
        The prompts.
    attention_mask : bool Array of shape [B, S]
    cache : KeyValueCache, optional
        An empty one. Without it, each step reads the texts from their beginning.
    encoder_hidden_states : Array of shape [B, E, H], optional
    encoder_attention_mask : bool Array of shape [B, E], optional
    inputs_embeds : Array of shape [B, K, H], optional
        Read in place of the prompts, which may have no tokens then, S = 0, or K. The mask is
        theirs, [B, K], and says where positions are counted. They need a cache.
    pad_token_id : int
        The model's padding, and its position.
    token_type_ids : integer Array of the attention mask's shape, optional
        New tokens are of the type of the last one.
    padding : int, optional
        What the masked tokens are that the model reads as its own padding.
    """

    def __init__(
        self,
        next_logits: NextLogits,
        input_ids: Array,
        attention_mask: Array,
        cache: KeyValueCache | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        pad_token_id: int = 0,
        token_type_ids: Array | None = None,
        padding: int | None = None,
    ) -> None:
        self._next_logits = next_logits
        self.input_ids = input_ids
        self.attention_mask = attention_mask
        self.cache = cache
        self._encoder = encoder_hidden_states, encoder_attention_mask
        self._embeds, self._pad_token_id = inputs_embeds, pad_token_id
        self._types, self._padding = token_type_ids, padding
        #: The dtype of the last scores.
        self.scores_dtype: Any = None
        self._steps = 0

    def next_scores(self) -> Array:  # [B, V]
        """Score every word as the next; those of a model of 16 bits are float32 from here on.

        The intermediates of each step have names of their own: ``step.0.roberta…``, ``step.1. …``.
        """
        with scope(f"step.{self._steps}"):
            logits = self._read() if self._embeds is None else self._read_embeds(self._embeds)
        self._steps += 1
        scores: Array = widened(logits)
        self.scores_dtype = scores.dtype
        return scores

    def _read(self) -> Array:  # [B, V]
        past = 0 if self.cache is None else self.cache.get_seq_length()
        tokens = self.input_ids[:, past:]
        if self._padding is not None:
            hidden = is_padding(tokens, self.attention_mask[:, past:], self._padding)
            tokens = array_namespace(tokens).where(hidden, self._pad_token_id, tokens)
        types = self._last_types(tokens.shape[1])
        return self._next_logits(
            tokens, self.attention_mask, self.cache, *self._encoder, None, None, types
        )

    def _last_types(self, n: int) -> Array | None:  # -> [B, S]
        return None if self._types is None else self._types[:, -n:]

    def _read_embeds(self, embeds: Array) -> Array:  # [B, K, H] -> [B, V]
        """Read the embeddings first, and tokens behind them: all that the mask shows counts."""
        mask = astype(self.attention_mask, index_dtype(array_namespace(embeds)))
        positions = self._pad_token_id + create_position_ids_from_input_ids(mask, padding_idx=0)
        first = self._steps == 0
        n_read = embeds.shape[1] if first else 1
        return self._next_logits(
            None if first else self.input_ids[:, -1:],
            self.attention_mask,
            self.cache,
            *self._encoder,
            embeds if first else None,
            positions[:, -n_read:],
            self._last_types(n_read),
        )

    def append(self, tokens: Array) -> None:  # int64 [B]
        """Add a token to each text."""
        xp = array_namespace(tokens)
        self.input_ids = xp.concat([self.input_ids, tokens[:, None]], axis=1)
        seen = xp.ones((tokens.shape[0], 1), dtype=xp.bool, device=device_of(tokens))
        self.attention_mask = xp.concat([self.attention_mask, seen], axis=1)
        if self._types is not None:
            self._types = xp.concat([self._types, self._types[:, -1:]], axis=1)

    def select(self, rows: Array) -> None:  # integers [X]
        """Keep only these texts, in this order; one may be named more than once."""
        xp = array_namespace(rows)
        self.input_ids = xp.take(self.input_ids, rows, axis=0)
        self.attention_mask = xp.take(self.attention_mask, rows, axis=0)
        hidden, mask, self._types = (
            one if one is None else xp.take(one, rows, axis=0)
            for one in (*self._encoder, self._types)
        )
        self._encoder = hidden, mask
        if self.cache is not None:
            self.cache.reorder_cache(rows)

    def repeat(self, each: int, scores: Array) -> Array:  # [B, V] -> [B R, V]
        """Put R copies in place of each text, and of its scores."""
        if each == 1:
            return scores
        xp = array_namespace(scores)
        rows = xp.arange(scores.shape[0], dtype=index_dtype(xp), device=device_of(scores))
        rows = xp.repeat(rows, each)
        self.select(rows)
        return xp.take(scores, rows, axis=0)


def is_padding(ids: Array, mask: Array, padding: int) -> Array:  # [B, S] -> bool [B, S]
    """Tell where a mask hides what is padding."""
    return (ids == padding) & ~mask
