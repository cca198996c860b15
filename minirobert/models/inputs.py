"""What a forward pass takes: every argument checked, and completed with its default.

A wrong argument is found here, before any computation, and named with its value, the limit and the
cure.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from ..arrays import (
    Array,
    Shape,
    array_namespace,
    astype,
    check_available,
    device_of,
    has_values,
    index_dtype,
)
from ..attention import attend_mask, causal_mask
from ..cache import KeyValueCache
from ..checks import (
    booleans,
    check_not_empty,
    check_range,
    check_real,
    check_shape,
    floats,
    integers,
    place,
)
from ..config import RobertaConfig
from ..embeddings import (
    create_position_ids_from_input_ids,
    create_position_ids_from_inputs_embeds,
)
from ..encoder import Inputs
from ..sentences import shown
from .arguments import Arguments
from .decoder_inputs import check_cache, check_cache_position, check_cross
from .reading import check_read

__all__ = ["check_inputs", "check_tokenizer"]


def check_tokenizer(tokenizer: Sized, config: RobertaConfig) -> None:
    """Refuse a tokenizer with ids that the model has no embeddings of."""
    if len(tokenizer) > config.vocab_size:
        raise ValueError(
            f"the tokenizer has {len(tokenizer)} tokens, but the model's vocab_size is "
            f"{config.vocab_size}: they do not belong together"
        )


def check_inputs(
    config: RobertaConfig, weights: Array, arguments: Arguments, *, choices: bool = False
) -> tuple[Inputs, Shape]:
    """Check the arguments of a forward pass, and fill in those that were not given.

    Parameters
    ----------
    config : RobertaConfig
    weights : Array
        Any of the model's weights: shows the library, device and dtype that the model computes in.
    arguments : Arguments
    choices : bool
        Whether each text has several choices: all shapes have [B, C, S] in place of [B, S].

    Returns
    -------
    inputs : Inputs
    shape : tuple of int
        As the texts came: (B, S), or with choices (B, C, S).

    Raises
    ------
    ValueError
        For a wrong shape, a value out of range, an array on another device, or ids and embeddings
        both or neither.
    TypeError
        For a wrong dtype.
    """
    check_available(weights)
    input_ids, inputs_embeds = arguments.input_ids, arguments.inputs_embeds
    if input_ids is None and inputs_embeds is None:
        raise ValueError("neither input_ids nor inputs_embeds was given: give one of them")
    if input_ids is not None and inputs_embeds is not None:
        raise ValueError("input_ids and inputs_embeds were both given: give only one of them")
    rank = 3 if choices else 2
    if input_ids is not None:
        input_ids = integers("input_ids", input_ids, weights, _AXES[rank], rank)
        check_range("input_ids", input_ids, config.vocab_size, f"vocab_size is {config.vocab_size}")
        shape = tuple(input_ids.shape)
        input_ids = _rows(input_ids, shape)
    else:
        inputs_embeds = _embeds(inputs_embeds, weights, rank, config.hidden_size)
        shape = tuple(inputs_embeds.shape[:-1])
        inputs_embeds = _rows(inputs_embeds, shape)
    cache = check_cache(
        arguments.past_key_values, bool(arguments.use_cache), shape[0], weights, config
    )
    past = 0 if cache is None else cache.get_seq_length()
    check_cache_position(arguments.cache_position, past, shape[-1], weights)
    inputs = Inputs(
        input_ids,
        inputs_embeds,
        _attend(arguments.attention_mask, weights, shape, past, config.is_decoder),
        _token_types(arguments.token_type_ids, weights, shape, config.type_vocab_size),
        _positions(arguments.position_ids, input_ids, inputs_embeds, weights, shape, config, cache),
        _is_token(input_ids, inputs_embeds, config.pad_token_id),
        _head_mask(arguments.head_mask, weights, config),
        check_cross(
            arguments.encoder_hidden_states,
            arguments.encoder_attention_mask,
            cache,
            shape,
            weights,
            config,
        ),
        cache,
        check_read(arguments.read, arguments.attention_mask, weights, shape),
    )
    return inputs, shape


_AXES = {2: "[batch, sequence]", 3: "[batch, choices, sequence]"}


def _rows(array: Array, shape: Shape) -> Array:
    """Make each choice, if there are any, a row of the batch: [B, C, S, ...] -> [B C, S, ...]."""
    if len(shape) == 2:
        return array
    rest = tuple(array.shape)[len(shape) :]
    return array_namespace(array).reshape(array, (-1, shape[-1], *rest))


def _embeds(value: Any, like: Array, rank: int, hidden_size: int) -> Array:
    array = place("inputs_embeds", value, like)
    if array.ndim != rank + 1 or array.shape[-1] != hidden_size:
        raise ValueError(
            f"inputs_embeds has shape {shown(list(array.shape))}, but must have "
            f"{_AXES[rank][:-1]}, {hidden_size}] (hidden_size is {hidden_size})"
        )
    check_not_empty("inputs_embeds", array)
    return floats("inputs_embeds", value, like)


def _is_token(input_ids: Array | None, embeds: Array | None, pad_token_id: int) -> Array:
    if input_ids is not None:
        return input_ids != pad_token_id
    assert embeds is not None
    xp = array_namespace(embeds)
    return xp.ones(tuple(embeds.shape)[:2], dtype=xp.bool, device=device_of(embeds))


def _attend(value: Any, like: Array, shape: Shape, past: int, is_decoder: bool) -> Array:
    xp = array_namespace(like)
    *rows, length = shape
    n_keys = past + length
    if value is None:
        value = xp.ones((*rows, n_keys), dtype=xp.bool, device=device_of(like))
    attention_mask = place("attention_mask", value, like)
    shapes: list[Shape] = [(*rows, n_keys)]
    if len(shape) == 2:
        batch = shape[0]
        shapes += [(1, n_keys), (batch, length, n_keys), (1, length, n_keys)]
    why = f": the cache holds {past} tokens, and {length} are new" if past else ""
    check_shape("attention_mask", attention_mask, *shapes, why=why)
    attention_mask = booleans("attention_mask", attention_mask)
    if len(shape) == 2 and attention_mask.ndim == 3:
        return attend_mask(attention_mask)  # as it is, in a decoder too
    attend = attend_mask(_rows(attention_mask, attention_mask.shape))
    return attend & causal_mask(length, n_keys, like) if is_decoder else attend


def _token_types(value: Any, like: Array, shape: Shape, type_vocab_size: int) -> Array:
    xp = array_namespace(like)
    if value is None:
        return _rows(xp.zeros(shape, dtype=index_dtype(xp), device=device_of(like)), shape)
    ids = integers("token_type_ids", value, like, _AXES[len(shape)], len(shape))
    check_shape("token_type_ids", ids, shape)
    check_range("token_type_ids", ids, type_vocab_size, f"type_vocab_size is {type_vocab_size}")
    return _rows(ids, shape)


def _positions(
    value: Any,
    input_ids: Array | None,
    embeds: Array | None,
    like: Array,
    shape: Shape,
    config: RobertaConfig,
    cache: KeyValueCache | None,
) -> Array | None:
    xp = array_namespace(like)
    is_absolute = config.position_embedding_type == "absolute"
    if not is_absolute:
        _check_reach(shape[-1] + (0 if cache is None else cache.get_seq_length()), config)
    if value is not None:
        ids = place("position_ids", value, like)
        one = (*(1 for _ in shape[1:]), shape[-1])  # the same for every text
        if ids.ndim == 1:
            ids = xp.reshape(ids, (*one[:-1], -1))
        axes = f"[sequence] or {_AXES[len(shape)]}"
        ids = integers("position_ids", ids, like, axes, len(shape))
        check_shape("position_ids", ids, one, shape)
        rows = config.max_position_embeddings
        check_range("position_ids", ids, rows, f"max_position_embeddings is {rows}")
        return _rows(xp.broadcast_to(ids, shape), shape) if is_absolute else None
    if not is_absolute:
        return None
    before = 0 if cache is None else cache.n_tokens
    if input_ids is not None:
        ids = create_position_ids_from_input_ids(input_ids, config.pad_token_id, before)
    elif embeds is not None:
        ids = create_position_ids_from_inputs_embeds(embeds, config.pad_token_id, before)
    if has_values(ids):
        _check_length(int(xp.max(ids)) - config.pad_token_id, config)
    return ids


def _check_reach(length: int, config: RobertaConfig) -> None:
    limit = config.max_position_embeddings
    if length > limit:
        raise ValueError(
            f"a sequence has {length} tokens, but the distance tables' {2 * limit - 1} rows reach "
            f"no further than {limit - 1} tokens to either side: truncate to {limit}"
        )


def _check_length(tokens: int, config: RobertaConfig) -> None:
    limit, pad = config.max_sequence_length, config.pad_token_id
    if tokens > limit:
        taken = ["row 0 is", "rows 0 and 1 are", f"rows 0 to {pad} are"][min(pad, 2)]
        raise ValueError(
            f"a sequence has {tokens} tokens, but the position table's "
            f"{config.max_position_embeddings} rows hold at most {limit} ({taken} the padding "
            f"offset): truncate to {limit}"
        )


def _head_mask(value: Any, like: Array, config: RobertaConfig) -> Array | None:
    if value is None:
        return None
    if config.pruned_heads:
        raise ValueError(
            f"head_mask was given, but pruned_heads is {shown(config.pruned_heads)}: prune the "
            "other heads too, or mask them in the model as it was before"
        )
    head_mask = place("head_mask", value, like)
    check_real("head_mask", head_mask)
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    check_shape("head_mask", head_mask, (heads,), (layers, heads))
    xp = array_namespace(like)
    head_mask = xp.broadcast_to(astype(head_mask, like.dtype), (layers, heads))
    return head_mask[:, :, None, None]
