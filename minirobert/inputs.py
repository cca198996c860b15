"""What a forward pass takes: every argument checked, and completed with its default.

A wrong argument is found here, before any computation, and named with its value, the limit and the
cure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .arrays import (
    Array,
    Shape,
    array_namespace,
    astype,
    device_of,
    dtype_name,
    is_array_api_obj,
    is_floating,
)
from .attention import attend_mask
from .checks import check_all, check_not_empty, check_range, check_shape, integers, place
from .config import RobertaConfig
from .embeddings import (
    create_position_ids_from_input_ids,
    create_position_ids_from_inputs_embeds,
)

__all__ = ["Inputs", "check_inputs"]


@dataclass(frozen=True)
class Inputs:
    """The checked arguments of a forward pass; exactly one of the first two is None.

    The C choices of a text are rows of the batch like any others: B is then the number of texts
    times C.
    """

    input_ids: Array | None  # [B, S]
    inputs_embeds: Array | None  # [B, S, H]
    attend: Array  # bool [B, 1, 1 or S, S]
    token_type_ids: Array  # [B, S]
    position_ids: Array | None  # [B, S]; None where positions are relative
    head_mask: Array | None  # [L, N, 1, 1]
    shape: Shape  # as the arguments came: (B, S), or with choices (B, C, S)


def check_inputs(
    config: RobertaConfig,
    weights: Array,
    *,
    input_ids: Any = None,
    attention_mask: Any = None,
    token_type_ids: Any = None,
    position_ids: Any = None,
    head_mask: Any = None,
    inputs_embeds: Any = None,
    choices: bool = False,
) -> Inputs:
    """Check the arguments of a forward pass, and fill in those that were not given.

    Parameters
    ----------
    config : RobertaConfig
    weights : Array
        Any of the model's weights: shows the library, device and dtype that the model computes in.
    input_ids : integers of shape [B, S]
    attention_mask : 0 and 1 of shape [B, S] or [B, S, S], optional
        All ones where it is not given: padding is then attended to.
    token_type_ids : integers of shape [B, S], optional
        Zeros where they are not given.
    position_ids : integers of shape [S] or [B, S], optional
        Counted from ``pad_token_id + 1`` where they are not given. They have no effect where
        positions are relative.
    head_mask : numbers of shape [N] or [L, N], optional
    inputs_embeds : numbers of shape [B, S, H]
        In place of ``input_ids``.
    choices : bool
        Whether each text has several choices: all shapes have [B, C, S] in place of [B, S].

    Returns
    -------
    Inputs

    Raises
    ------
    ValueError
        For a wrong shape, a value out of range, an array on another device, or ids and embeddings
        both or neither.
    TypeError
        For a wrong dtype.
    """
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
    return Inputs(
        input_ids,
        inputs_embeds,
        _attend(attention_mask, weights, shape),
        _token_types(token_type_ids, weights, shape, config.type_vocab_size),
        _positions(position_ids, input_ids, inputs_embeds, weights, shape, config),
        _head_mask(head_mask, weights, config),
        shape,
    )


_AXES = {2: "[batch, sequence]", 3: "[batch, choices, sequence]"}


def _rows(array: Array, shape: Shape) -> Array:  # [B, C, S, ...] -> [B C, S, ...]
    """Make each choice a row of the batch."""
    if len(shape) == 2:
        return array
    rest = tuple(array.shape)[len(shape) :]
    return array_namespace(array).reshape(array, (-1, shape[-1], *rest))


def _embeds(value: Any, like: Array, rank: int, hidden_size: int) -> Array:
    array = place("inputs_embeds", value, like)
    if array.ndim != rank + 1 or array.shape[-1] != hidden_size:
        raise ValueError(
            f"inputs_embeds has shape {list(array.shape)}, but must have "
            f"{_AXES[rank][:-1]}, {hidden_size}] (hidden_size is {hidden_size})"
        )
    check_not_empty("inputs_embeds", array)
    if not is_floating(array):
        raise TypeError(
            f"inputs_embeds has dtype {dtype_name(array)}, but must hold floating-point numbers"
        )
    if not is_array_api_obj(value):  # numbers in a list have no dtype of their own yet
        array = astype(array, like.dtype)
    if array.dtype != like.dtype:
        raise TypeError(
            f"inputs_embeds has dtype {dtype_name(array)}, but the model computes in "
            f"{dtype_name(like)}: convert one of them, with astype"
        )
    return array


def _attend(value: Any, like: Array, shape: Shape) -> Array:
    xp = array_namespace(like)
    if value is None:
        value = xp.ones(shape, dtype=xp.bool, device=device_of(like))
    attention_mask = place("attention_mask", value, like)
    shapes = [shape]
    if len(shape) == 2:
        batch, length = shape
        shapes += [(1, length), (batch, length, length), (1, length, length)]
    check_shape("attention_mask", attention_mask, *shapes)
    if attention_mask.dtype != xp.bool:
        known = (attention_mask == 0) | (attention_mask == 1)
        check_all("attention_mask", attention_mask, known, "1 (attend) or 0 (masked)")
    return attend_mask(_rows(attention_mask, shape))


def _token_types(value: Any, like: Array, shape: Shape, type_vocab_size: int) -> Array:
    xp = array_namespace(like)
    if value is None:
        return _rows(xp.zeros(shape, dtype=xp.int64, device=device_of(like)), shape)
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
) -> Array | None:
    xp = array_namespace(like)
    is_absolute = config.position_embedding_type == "absolute"
    if not is_absolute:
        _check_reach(shape[-1], config)
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
    if input_ids is not None:
        ids = create_position_ids_from_input_ids(input_ids, config.pad_token_id)
    else:
        ids = create_position_ids_from_inputs_embeds(embeds, config.pad_token_id)
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
            f"head_mask was given, but pruned_heads is {config.pruned_heads!r}: prune the other "
            "heads too, or mask them in the model as it was before"
        )
    head_mask = place("head_mask", value, like)
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    check_shape("head_mask", head_mask, (heads,), (layers, heads))
    xp = array_namespace(like)
    head_mask = xp.broadcast_to(astype(head_mask, like.dtype), (layers, heads))
    return head_mask[:, :, None, None]
