"""What a forward pass takes: every argument checked, and completed with its default.

A wrong argument is found here, before any computation, and named with its value, the limit and the
cure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import (
    Array,
    array_namespace,
    as_array_like,
    astype,
    device_of,
    dtype_name,
    is_array_api_obj,
    is_floating,
    is_integer,
    library_name,
    to_numpy,
)
from .attention import attend_mask
from .config import RobertaConfig
from .embeddings import (
    create_position_ids_from_input_ids,
    create_position_ids_from_inputs_embeds,
)

__all__ = ["Inputs", "check_inputs", "check_labels"]


@dataclass(frozen=True)
class Inputs:
    """The checked arguments of a forward pass; exactly one of the first two is None."""

    input_ids: Array | None  # [B, S]
    inputs_embeds: Array | None  # [B, S, H]
    attend: Array  # bool [B, 1, 1 or S, S]
    token_type_ids: Array  # [B, S]
    position_ids: Array | None  # [B, S]; None where positions are relative
    head_mask: Array | None  # [L, N, 1, 1]

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of texts and tokens, (B, S)."""
        batch, length = self.token_type_ids.shape
        return batch, length


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
    if input_ids is not None:
        input_ids = _integers("input_ids", input_ids, weights, "[batch, sequence]", 2)
        _check_range(
            "input_ids", input_ids, config.vocab_size, f"vocab_size is {config.vocab_size}"
        )
        batch, length = input_ids.shape
    else:
        inputs_embeds = _embeds(inputs_embeds, weights, config.hidden_size)
        batch, length, _ = inputs_embeds.shape
    return Inputs(
        input_ids,
        inputs_embeds,
        _attend(attention_mask, weights, batch, length),
        _token_types(token_type_ids, weights, batch, length, config.type_vocab_size),
        _positions(position_ids, input_ids, inputs_embeds, weights, config),
        _head_mask(head_mask, weights, config),
    )


def check_labels(
    labels: Any, weights: Array, classes: int, batch: int, length: int, ignore_index: int = -100
) -> Array:
    """Check the labels of a token-level loss: one class, or ``ignore_index``, for each position.

    Parameters
    ----------
    labels : integers of shape [B, S]
    weights : Array
        Any of the model's weights.
    classes, batch, length : int
        C, B and S.
    ignore_index : int

    Returns
    -------
    integer Array of shape [B, S]

    Raises
    ------
    ValueError
        For a wrong shape, or a label that is no class.
    TypeError
        For a wrong dtype.
    """
    labels = _integers("labels", labels, weights, "[batch, sequence]", 2)
    _check_shape("labels", labels, (batch, length))
    labels = astype(labels, array_namespace(labels).int64)  # an unsigned dtype has no -100
    counted = array_namespace(labels).where(labels == ignore_index, 0, labels)
    _check_range("labels", counted, classes, f"there are {classes} classes", f" or {ignore_index}")
    return labels


def _place(name: str, value: Any, like: Array) -> Array:
    """Make lists arrays; refuse an array of another library or device than the model's."""
    xp = array_namespace(like)
    try:
        array = as_array_like(value, like)
        is_numbers = array_namespace(array).isdtype(array.dtype, ("bool", "numeric"))
    except (TypeError, ValueError):
        is_numbers = False
    if not is_numbers:
        raise ValueError(
            f"{name} is no array of numbers with rows of one length: tokenize texts, and pad rows"
        )
    if array_namespace(array) is xp and device_of(array) == device_of(like):
        return array
    raise ValueError(
        f"{name} is a {library_name(array)} array on device {device_of(array)}, but the model's "
        f"weights are {library_name(like)} arrays on device {device_of(like)}: move one of them, "
        "with minirobert.to_device or model.to"
    )


def _integers(name: str, value: Any, like: Array, axes: str, rank: int) -> Array:
    array = _place(name, value, like)
    if array.ndim != rank:
        raise ValueError(
            f"{name} has {array.ndim} axes (shape {list(array.shape)}), but must be {axes}"
            + (f": write {name}[None, :] for a batch of one" if array.ndim == rank - 1 else "")
        )
    _check_not_empty(name, array)
    if not is_integer(array):
        raise TypeError(
            f"{name} has dtype {dtype_name(array)}, but must hold integers: use int64 or int32"
        )
    return array


def _check_not_empty(name: str, array: Array) -> None:
    if 0 in array.shape:
        raise ValueError(
            f"{name} is empty (shape {list(array.shape)}): give at least one text of at least one "
            "token"
        )


def _check_shape(name: str, array: Array, *allowed: tuple[int, ...]) -> None:
    if tuple(array.shape) not in allowed:
        choices = " or ".join(str(list(shape)) for shape in allowed)
        raise ValueError(f"{name} has shape {list(array.shape)}, but must have {choices}")


def _check_range(name: str, ids: Array, stop: int, limit: str, also: str = "") -> None:
    """Check that ids are in [0, stop), and point to the first that is not."""
    xp = array_namespace(ids)
    if int(xp.min(ids)) >= 0 and int(xp.max(ids)) < stop:
        return
    host = to_numpy(ids)
    where = np.argwhere((host < 0) | (host >= stop))[0].tolist()
    raise ValueError(
        f"{name}{where} is {host[tuple(where)]}, but must be from 0 to {stop - 1}{also} ({limit})"
    )


def _embeds(value: Any, like: Array, hidden_size: int) -> Array:
    array = _place("inputs_embeds", value, like)
    if array.ndim != 3 or array.shape[-1] != hidden_size:
        raise ValueError(
            f"inputs_embeds has shape {list(array.shape)}, but must have [batch, sequence, "
            f"{hidden_size}] (hidden_size is {hidden_size})"
        )
    _check_not_empty("inputs_embeds", array)
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


def _attend(value: Any, like: Array, batch: int, length: int) -> Array:
    xp = array_namespace(like)
    if value is None:
        value = xp.ones((batch, length), dtype=xp.bool, device=device_of(like))
    attention_mask = _place("attention_mask", value, like)
    shapes = ((rows, *rest) for rest in ((length,), (length, length)) for rows in (batch, 1))
    _check_shape("attention_mask", attention_mask, *dict.fromkeys(shapes))
    if attention_mask.dtype != xp.bool:
        other = (attention_mask != 0) & (attention_mask != 1)
        if bool(xp.any(other)):
            host = to_numpy(attention_mask)
            where = np.argwhere((host != 0) & (host != 1))[0].tolist()
            raise ValueError(
                f"attention_mask{where} is {host[tuple(where)]}, but must be 1 (attend) or 0 "
                "(masked)"
            )
    return attend_mask(attention_mask)


def _token_types(value: Any, like: Array, batch: int, length: int, type_vocab_size: int) -> Array:
    xp = array_namespace(like)
    if value is None:
        return xp.zeros((batch, length), dtype=xp.int64, device=device_of(like))
    ids = _integers("token_type_ids", value, like, "[batch, sequence]", 2)
    _check_shape("token_type_ids", ids, (batch, length))
    _check_range("token_type_ids", ids, type_vocab_size, f"type_vocab_size is {type_vocab_size}")
    return ids


def _positions(
    value: Any, input_ids: Array | None, embeds: Array | None, like: Array, config: RobertaConfig
) -> Array | None:
    source = input_ids if input_ids is not None else embeds
    assert source is not None
    xp = array_namespace(like)
    batch, length = source.shape[:2]
    if config.position_embedding_type != "absolute":
        _check_reach(length, config)
    if value is not None:
        ids = _place("position_ids", value, like)
        ids = ids[None, :] if ids.ndim == 1 else ids
        ids = _integers("position_ids", ids, like, "[sequence] or [batch, sequence]", 2)
        _check_shape("position_ids", ids, (1, length), (batch, length))
        rows = config.max_position_embeddings
        _check_range("position_ids", ids, rows, f"max_position_embeddings is {rows}")
        ids = xp.broadcast_to(ids, (batch, length))
        return ids if config.position_embedding_type == "absolute" else None
    if config.position_embedding_type != "absolute":
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
    head_mask = _place("head_mask", value, like)
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    _check_shape("head_mask", head_mask, (heads,), (layers, heads))
    xp = array_namespace(like)
    head_mask = xp.broadcast_to(astype(head_mask, like.dtype), (layers, heads))
    return head_mask[:, :, None, None]
