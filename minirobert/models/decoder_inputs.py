"""What the forward pass of a decoder takes besides: a cache, and the text of an encoder."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..arrays import Array, array_namespace, as_array_like, device_of, index_dtype
from ..attention import CrossInputs, attend_mask
from ..cache import KeyValueCache
from ..checks import (
    booleans,
    check_all,
    check_dtype,
    check_not_empty,
    check_shape,
    floats,
    integers,
    place,
)
from ..config import RobertaConfig
from ..sentences import shown, type_name

__all__ = ["check_cache", "check_cache_position", "check_cross"]


def check_cache(value: Any, use_cache: bool, batch: int, like: Array, config: RobertaConfig) -> Any:
    """Check the cache of a call, or make one where none is given and ``use_cache`` asks for it."""
    if value is None:
        return KeyValueCache() if use_cache else None
    if isinstance(value, (tuple, list)):
        value = KeyValueCache.from_legacy_cache(value)
    if not isinstance(value, KeyValueCache):
        raise TypeError(
            f"past_key_values is a {type_name(value)}, but must be a KeyValueCache, or a tuple "
            "of each layer's key and value"
        )
    if value.batch_size is None:
        return value
    if len(value) != config.num_hidden_layers:
        raise ValueError(
            f"past_key_values has {len(value)} layers, but the model has "
            f"{config.num_hidden_layers}: it comes from another model"
        )
    if value.batch_size != batch:
        raise ValueError(
            f"past_key_values holds {value.batch_size} texts, but the batch has {batch}: go on "
            "with the same texts, or choose some with past_key_values.reorder_cache"
        )
    for i in range(len(value)):
        _check_layer(i, value, like, config)
    if type(value.is_token) is not type(like):
        value.convert(partial(as_array_like, like=like))
    return value


def _check_layer(i: int, cache: KeyValueCache, like: Array, config: RobertaConfig) -> None:
    """Check that the arrays of one layer are those of this model."""
    name, arrays, size = f"past_key_values[{i}]", cache[i], config.head_size
    for array in arrays:
        check_dtype(name, place(name, array[:0, ...], like), like)  # all of it would be copied
    key, cross = arrays[0], arrays[2:]
    if key.shape[3] != size:
        raise ValueError(
            f"{name} has heads of size {key.shape[3]}, but the model's have {size}: it comes from "
            "another model"
        )
    if key.shape[1] != len(config.kept_heads(i)):
        raise ValueError(
            f"{name} has {key.shape[1]} heads, but the model's layer has "
            f"{len(config.kept_heads(i))}: it comes from another model, or from before heads were "
            "pruned"
        )
    if cross and not config.add_cross_attention:
        raise ValueError(
            f"{name} holds the text of an encoder, but the model has no cross-attention: it comes "
            "from another model"
        )
    if len(cross) != len(cache[0][2:]):
        raise ValueError(
            f"{name} and past_key_values[0] must both hold the text of an encoder, or neither"
        )
    n_tokens = cache[0][2].shape[2] if cross else 0
    for array in cross:
        check_shape(name, array, (key.shape[0], config.num_attention_heads, n_tokens, size))


def check_cache_position(value: Any, past: int, length: int, like: Array) -> None:
    """Check that the new tokens stand right behind those in the cache, from K on."""
    if value is None:
        return
    positions = integers("cache_position", value, like, "[sequence]", 1)
    check_shape("cache_position", positions, (length,))
    xp = array_namespace(positions)
    right = xp.arange(past, past + length, dtype=index_dtype(xp), device=device_of(positions))
    places = f"{past}" if length == 1 else f"{past} to {past + length - 1}"
    rule = (
        f"of {places}: the cache holds {past} tokens, and new ones go behind them (to write over "
        "some, crop it first)"
    )
    check_all("cache_position", positions, positions == right, rule)


def check_cross(
    encoder_hidden_states: Any,
    encoder_attention_mask: Any,
    cache: KeyValueCache | None,
    shape: tuple[int, ...],
    like: Array,
    config: RobertaConfig,
) -> CrossInputs | None:
    """Check the text of an encoder; where the cache has its keys and values, these are used."""
    batch, hidden = shape[0], config.hidden_size
    cached = _cached_length(cache)
    if encoder_hidden_states is not None:
        if not config.add_cross_attention:
            raise ValueError(
                "encoder_hidden_states was given, but the model has no cross-attention: make it "
                "with is_decoder=True and add_cross_attention=True"
            )
        encoder_hidden_states = floats("encoder_hidden_states", encoder_hidden_states, like)
        found = list(encoder_hidden_states.shape)
        if len(found) != 3 or found[0] != batch or found[2] != hidden:
            raise ValueError(
                f"encoder_hidden_states has shape {shown(found)}, but must have [{batch}, "
                f"encoder's sequence, {hidden}] (hidden_size is {hidden})"
            )
        check_not_empty("encoder_hidden_states", encoder_hidden_states)
        if cached is not None and cached != found[1]:
            raise ValueError(
                f"encoder_hidden_states has {found[1]} tokens, but past_key_values was made with "
                f"{cached}: give the same, none, or an empty cache"
            )
        cached = found[1]
    if cached is None:
        if encoder_attention_mask is not None:
            raise ValueError(
                "encoder_attention_mask was given, but encoder_hidden_states was not: give both"
            )
        return None
    if encoder_hidden_states is None and encoder_attention_mask is None:
        attend = _remembered(cache)
        if attend is not None:
            return CrossInputs(None, attend)
    attend = _cross_attend(encoder_attention_mask, batch, shape[1], cached, like)
    return CrossInputs(encoder_hidden_states, attend)


def _remembered(cache: KeyValueCache | None) -> Array | None:  # bool [B or 1, 1, 1, E]
    """Give the mask that came with the encoder's text."""
    attend = None if cache is None else cache.cross_attend
    if attend is not None and attend.shape[2] != 1:
        raise ValueError(
            "the encoder_attention_mask of the last call had a row for each of its tokens: give "
            "one for those of this call, too"
        )
    return attend


def _cached_length(cache: KeyValueCache | None) -> int | None:
    """Give E of the encoder's text in a cache."""
    text = cache.layers[0].cross if cache is not None and cache.has_text else None
    return None if text is None else int(text[0].shape[2])


def _cross_attend(value: Any, batch: int, n_queries: int, n_keys: int, like: Array) -> Array:
    xp = array_namespace(like)
    if value is None:
        return xp.ones((1, 1, 1, n_keys), dtype=xp.bool, device=device_of(like))
    name = "encoder_attention_mask"
    mask = place(name, value, like)
    rows = [(one, n_keys) for one in (batch, 1)]
    squares = [(one, n_queries, n_keys) for one in (batch, 1)]
    check_shape(name, mask, *rows, *squares)
    return attend_mask(booleans(name, mask))
