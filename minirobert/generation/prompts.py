"""The prompts that a caller gives, checked, and how many tokens may follow them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arrays import Array, array_namespace, astype, device_of, index_dtype
from ..cache import KeyValueCache
from ..checks import (
    booleans,
    check_not_empty,
    check_range,
    check_shape,
    floats,
    integers,
    place,
    warn,
)
from ..config import RobertaConfig
from ..rules import check, integer
from ..sentences import shown
from .config import GenerationConfig
from .texts import NextLogits, Texts, is_padding

__all__ = ["new_tokens", "prepare"]

#: New tokens where nobody says how many.
DEFAULT_NEW_TOKENS = 20


def prepare(
    next_logits: NextLogits,
    model: RobertaConfig,
    weights: Array,
    config: GenerationConfig,
    input_ids: Any = None,
    attention_mask: Any = None,
    encoder_hidden_states: Any = None,
    encoder_attention_mask: Any = None,
    inputs_embeds: Any = None,
    token_type_ids: Any = None,
) -> tuple[Texts, int]:
    """Check the prompts, and how many tokens may follow.

    Parameters
    ----------
    next_logits : NextLogits
    model : RobertaConfig
    weights : Array
        Any of the model's: shows its library, device and dtype.
    config : GenerationConfig
    input_ids : integers of shape [B, S], optional
        Padded on the left, with the model's ``pad_token_id`` or that of the options. Without them,
        each text begins with ``bos_token_id``.
    attention_mask : 0 and 1 of shape [B, S], optional
        By default padding is masked, unless it is also what ends a text.
    encoder_hidden_states : floats of shape [B, E, H], optional
    encoder_attention_mask : 0 and 1 of shape [B, E], optional
    inputs_embeds : floats of shape [B, K, H], optional
        Read in place of ``input_ids``, which need not be given then. By default no row has padding.
    token_type_ids : integers of the shape of ``attention_mask``, optional
        By default 0. What follows is of the type of the last token.

    Returns
    -------
    texts : Texts
    n_new : int
        How many tokens to add at most.

    Raises
    ------
    ValueError, TypeError
        If the prompts are padded on the right, are empty, do not fit the others or the position
        table, or an option does not fit the model.
    """
    _check_ids(config, model)
    xp = array_namespace(weights)
    hidden, encoder_mask = _encoder(
        encoder_hidden_states, encoder_attention_mask, weights, model.hidden_size
    )
    embeds = _embeds(inputs_embeds, weights, model)
    padding = _other_padding(config, model) if embeds is None and input_ids is not None else None
    if input_ids is None and embeds is None:
        input_ids = [[_first_token(config)]] * (1 if hidden is None else hidden.shape[0])
    ids, is_token = _tokens(input_ids, embeds, weights, model.pad_token_id)
    name = "input_ids" if embeds is None else "inputs_embeds"
    if model.pad_token_id in config.eos_token_ids:  # then it may end a sentence in a prompt
        is_token = xp.ones_like(is_token)
    given = _given_mask(attention_mask, is_token)
    if padding is not None:
        attended = xp.zeros_like(is_token) if given is None else given
        is_token = is_token & ~is_padding(ids, attended, padding)
    mask = is_token if given is None else given
    _check_ends(is_token & mask, name)
    types = _types(token_type_ids, mask, weights, model)
    if hidden is not None and hidden.shape[0] != ids.shape[0]:
        raise ValueError(
            f"encoder_hidden_states has {hidden.shape[0]} texts, but {name} has {ids.shape[0]}"
        )
    # a stream reads them when the caller may have changed them
    copies: list[Any] = [
        None if one is None else xp.asarray(one, copy=True)
        for one in (ids, mask, hidden, encoder_mask, embeds, types)
    ]
    ids, mask, hidden, encoder_mask, embeds, types = copies
    tokens = _longest(is_token if embeds is None else mask)
    n_new = new_tokens(config, model, tokens, int(mask.shape[1]) - tokens)
    needs_cache = config.use_cache or embeds is not None
    cache = KeyValueCache() if needs_cache and model.is_decoder else None
    texts = Texts(
        *(next_logits, ids, mask, cache, hidden, encoder_mask, embeds),
        *(model.pad_token_id, types, padding),
    )
    return texts, n_new


def _tokens(
    input_ids: Any, embeds: Array | None, like: Array, pad_token_id: int
) -> tuple[Array, Array]:  # [B, K, H], [V, H] -> int64 [B, S], bool [B, K]
    """Check the tokens of the prompts, and tell which are no padding; embeddings are none."""
    xp = array_namespace(like)
    if embeds is None:
        ids = integers("input_ids", input_ids, like, "[batch, sequence]", 2)
        ids = astype(ids, index_dtype(xp))
        return ids, ids != pad_token_id
    shape, device = tuple(embeds.shape)[:2], device_of(like)
    is_token = xp.ones(shape, dtype=xp.bool, device=device)
    if input_ids is None:
        return xp.zeros((shape[0], 0), dtype=index_dtype(xp), device=device), is_token
    ids = integers("input_ids", input_ids, like, "[batch, sequence]", 2)
    check_shape("input_ids", ids, shape, why=", as inputs_embeds")
    return astype(ids, index_dtype(xp)), is_token


def _embeds(value: Any, like: Array, model: RobertaConfig) -> Array | None:
    """Check the embeddings of prompts; without a cache they would have to be read at each step."""
    if value is None:
        return None
    embeds = floats("inputs_embeds", value, like)
    if not model.is_decoder:
        raise ValueError("inputs_embeds was given, but is_decoder is False: set it to True")
    batch_and_length = tuple(embeds.shape)[:2] if embeds.ndim == 3 else ("batch", "sequence")
    check_shape("inputs_embeds", embeds, (*batch_and_length, model.hidden_size))
    check_not_empty("inputs_embeds", embeds)
    return embeds


def _check_ids(config: GenerationConfig, model: RobertaConfig) -> None:
    """Check the options that name words, or need enough of them."""
    vocab = model.vocab_size
    named = [("eos_token_id", one) for one in config.eos_token_ids]
    named += [("pad_token_id", config.padding), *_named_tokens(config)]
    for name, value in named:
        check(name, value, integer(0, vocab - 1).but(f" (vocab_size is {vocab})"))
    going_on = vocab - len(config.eos_token_ids)
    at_most = integer(1, going_on).but(", the number of words that do not end a text")
    check("num_beams", config.num_beams, at_most)


def _named_tokens(config: GenerationConfig) -> Iterator[tuple[str, int]]:
    """List the tokens of options that could otherwise not be obeyed."""
    yield from (("bad_words_ids", one) for word in config.bad_words_ids or () for one in word)
    yield from (("sequence_bias", one) for word in config.biases for one in word)
    yield from (("forced_eos_token_id", one) for one in config.forced_eos_token_ids)
    if config.forced_bos_token_id is not None:
        yield "forced_bos_token_id", config.forced_bos_token_id


def _encoder(
    hidden: Any, mask: Any, like: Array, size: int
) -> tuple[Array | None, Array | None]:  # [B, E, H], bool [B, E]
    if hidden is None:
        if mask is not None:
            raise ValueError(
                "encoder_attention_mask was given, but encoder_hidden_states was not: give both"
            )
        return None, None
    hidden = floats("encoder_hidden_states", hidden, like)
    found = tuple(hidden.shape)
    if len(found) != 3 or found[2] != size:
        raise ValueError(
            f"encoder_hidden_states has shape {list(found)}, but must have [batch, encoder's "
            f"sequence, {size}] (hidden_size is {size})"
        )
    if mask is None:
        return hidden, None
    mask = place("encoder_attention_mask", mask, like)
    check_shape("encoder_attention_mask", mask, tuple(hidden.shape[:2]))
    return hidden, booleans("encoder_attention_mask", mask)


def _first_token(config: GenerationConfig) -> int:
    bos = config.bos_token_id
    if bos is None:
        raise ValueError("neither input_ids nor bos_token_id was given: a text needs a beginning")
    if isinstance(bos, list | tuple):
        raise ValueError(
            f"bos_token_id is {shown(bos)}, so it is not clear what a text begins with: give "
            "input_ids"
        )
    return int(bos)


def _other_padding(config: GenerationConfig, model: RobertaConfig) -> int | None:
    """Give the padding of the options, where it is not the model's and ends no text."""
    padding = config.pad_token_id
    return None if padding in (model.pad_token_id, *config.eos_token_ids) else padding


def _given_mask(value: Any, is_token: Array) -> Array | None:  # bool [B, S]
    if value is None:
        return None
    mask = place("attention_mask", value, is_token)
    check_shape("attention_mask", mask, tuple(is_token.shape))
    return booleans("attention_mask", mask)


def _check_ends(is_token: Array, name: str) -> None:  # bool [B, S]
    """Refuse prompts that have no token, or that are padded on the right."""
    xp = array_namespace(is_token)
    ends_in_padding = ~is_token[:, -1]
    if bool(xp.any(ends_in_padding)):
        row = int(xp.argmax(astype(ends_in_padding, index_dtype(xp))))
        if not bool(xp.any(is_token[row, :])):
            raise ValueError(
                f"row {row} of {name} has no token: begin it with one, such as bos_token_id"
            )
        raise ValueError(
            f"row {row} of {name} ends in padding, and new words would come behind it: pad on "
            'the left, with tokenizer.padding_side = "left"'
        )


def _types(value: Any, mask: Array, like: Array, model: RobertaConfig) -> Array | None:
    """Check the types of the prompts' tokens."""
    if value is None:
        return None
    types = integers("token_type_ids", value, like, "[batch, sequence]", 2)
    check_shape("token_type_ids", types, tuple(mask.shape))
    size = model.type_vocab_size
    check_range("token_type_ids", types, size, f"type_vocab_size is {size}")
    return types


def _longest(is_token: Array) -> int:  # bool [B, S]
    xp = array_namespace(is_token)
    return int(xp.max(xp.sum(astype(is_token, index_dtype(xp)), axis=1)))


def new_tokens(
    config: GenerationConfig,
    model: RobertaConfig,
    tokens: int,
    padding: int = 0,
    default: int = DEFAULT_NEW_TOKENS,
    name: str = "a prompt",
) -> int:
    """Decide on the number of tokens after a prompt, which must have room in the position table.

    Where the options do not say, ``default`` are added, or as many as have room; an error calls the
    prompt by the name.
    """
    length, limit = tokens, model.max_sequence_length
    table = f"the position table holds {limit}"
    if model.position_embedding_type != "absolute":
        length, limit = tokens + padding, model.max_position_embeddings
        table = f"the distance tables reach over {limit}, padding included"
    room = limit - length
    if config.max_new_tokens is not None:
        n_new = config.max_new_tokens
    elif config.max_length is not None:
        n_new = config.max_length - tokens - padding
        if n_new < 1:
            raise ValueError(
                f"max_length is {shown(config.max_length)}, but {name} already has "
                f"{tokens + padding} tokens, padding included: set max_new_tokens instead, which "
                "does not count them"
            )
    else:
        n_new = max(1, min(default, room))
    if n_new > room:
        raise ValueError(
            f"{name} has {length} tokens, and {shown(n_new)} more would make "
            f"{shown(length + n_new)}, but {table}: "
            + ("shorten the prompt" if room < 1 else f"set max_new_tokens to at most {room}")
        )
    least = config.min_new_tokens
    if least is None and config.min_length > tokens + padding + n_new:
        warn(
            f"min_length is {shown(config.min_length)}, but {name} has {tokens + padding} tokens, "
            f"padding included, and only {n_new} new ones are to come: texts stay shorter"
        )
    if least is not None and least > n_new:
        raise ValueError(
            f"min_new_tokens is {shown(least)}, but only {n_new} new tokens are to come"
        )
    return n_new
