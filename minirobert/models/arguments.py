"""The arguments that the calls of all models share: their meaning, and two bundles of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..rules import BOOLEAN, check, optional

__all__ = ["FLAG", "SHARED", "Arguments", "Wanted"]

FLAG = optional(BOOLEAN)


class Arguments(NamedTuple):
    """What a call is given to read, not checked yet: see `SHARED`."""

    input_ids: Any = None
    attention_mask: Any = None
    token_type_ids: Any = None
    position_ids: Any = None
    head_mask: Any = None
    inputs_embeds: Any = None
    encoder_hidden_states: Any = None
    encoder_attention_mask: Any = None
    past_key_values: Any = None
    use_cache: bool | None = None
    cache_position: Any = None
    read: Any = None


class Wanted(NamedTuple):
    """What a call is to return; None is what the configuration says."""

    output_attentions: bool | None = None
    output_hidden_states: bool | None = None
    return_dict: bool | None = None

    def checked(self) -> Wanted:
        """Give these, or the error of the first that is neither True nor False."""
        for name, value in zip(self._fields, self, strict=True):
            if value is not None:
                check(name, value, FLAG, TypeError)
        return self


#: The part of a docstring that stands for each argument.
SHARED = {
    "input_ids": """
        input_ids : integers of shape [B, S]
            Or nested lists of them.
        """,
    "attention_mask": """
        attention_mask : 0 and 1 of shape [B, K + S] or [B, S, K + S], optional
            1 where a token may be looked at. Without it, padding is looked at too. With K tokens in
            ``past_key_values``, it stands for these and the new ones. In a decoder a mask of three
            axes takes the place of the rule that tokens look only back.
        """,
    "token_type_ids": """
        token_type_ids : integers of shape [B, S], optional
            Zeros where they are not given.
        """,
    "position_ids": """
        position_ids : integers of shape [S] or [B, S], optional
            Counted from ``pad_token_id + 1`` by default, see `minirobert.embeddings`; with a cache
            they go on from there. They have no effect where positions are relative.
        """,
    "head_mask": """
        head_mask : numbers of shape [N] or [L, N], optional
            A factor for the probabilities of each head.
        """,
    "inputs_embeds": """
        inputs_embeds : floats of shape [B, S, H], optional
            Word embeddings, in place of ``input_ids``.
        """,
    "encoder_hidden_states": """
        encoder_hidden_states : floats of shape [B, E, H], optional
            What the cross-attention of a decoder looks at. Without it the cross-attention is left
            out, unless the cache has what it needs of an earlier call.
        """,
    "encoder_attention_mask": """
        encoder_attention_mask : 0 and 1 of shape [B, E] or [B, S, E], optional
            1 where the encoder's text may be looked at. Where the text is that of the cache, so is
            the mask, unless one is given.
        """,
    "past_key_values": """
        past_key_values : KeyValueCache, optional
            Of the tokens before, which are not computed again; the call extends it. Tuples of
            arrays are taken too, and copied: see `KeyValueCache.from_legacy_cache`.
        """,
    "use_cache": """
        use_cache : bool, optional
            Whether a decoder makes a cache where none is given; by default as the configuration
            says. With labels none is made.
        """,
    "cache_position": """
        cache_position : integers of shape [S], optional
            Where the tokens stand in the cache. There is only one right answer, K, K + 1, …
        """,
    "read": """
        read : "tokens", or 0 and 1 of shape [B, S], optional
            What is read of the last hidden states, and of logits of each token; everywhere else
            they are zero, and where the model is one of NumPy's float32 arrays, not computed:
            `minirobert.models.reading` says more. ``"tokens"`` is where ``attention_mask`` is 1.
        """,
    "output_attentions": """
        output_attentions : bool, optional
            Whether to return the attention probabilities of each layer; by default as the
            configuration says.
        """,
    "output_hidden_states": """
        output_hidden_states : bool, optional
            Whether to return the hidden states before and after each layer; by default as the
            configuration says.
        """,
    "return_dict": """
        return_dict : bool, optional
            False gives a tuple in place of the output's class; by default as the configuration
            says.
        """,
    "train": """
        train : bool
            Drop what dropout drops.
        """,
    "rng": """
        rng : int or numpy.random.Generator, optional
            A seed, or where the random numbers of dropout come from.
        """,
}
