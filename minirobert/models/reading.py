"""What is read of a forward pass: the argument ``read``, and heads that run for that alone.

Of a padded batch, nobody reads what the model says of the padding; a classifier of texts reads the
first token alone, and who fills a mask reads the mask. A call that says so gets zeros elsewhere,
and `minirobert.kernels` compute only what these positions depend on: no padding, and in the last
layer no other position's query, feed-forward and norms.

>>> import minirobert
>>> model = minirobert.RobertaForMaskedLM.from_pretrained()
>>> logits = model([[0, 100, 200, 2]], read=[[0, 0, 1, 0]]).logits
>>> logits.shape, bool(logits[0, 1].any()), bool(logits[0, 2].any())
((1, 4, 8192), False, True)
"""

from __future__ import annotations

from typing import Any

from ..arrays import (
    Array,
    Shape,
    array_namespace,
    astype,
    device_of,
    has_values,
    index_dtype,
    is_writeable,
)
from ..checks import booleans, check_shape, place
from ..sentences import shown

__all__ = ["check_read", "first_tokens", "last_tokens", "picked", "spread"]


def check_read(value: Any, attention_mask: Any, like: Array, shape: Shape) -> Array | None:
    """Check the argument ``read``, and complete it.

    Parameters
    ----------
    value : "tokens", or 0 and 1 of shape [B, S], or None
    attention_mask : array or None
        As the call was given it.
    like : Array
        A weight of the model: shows its library and device.
    shape : tuple of int
        (B, S).

    Returns
    -------
    boolean Array of shape [B, S], or None
        None where everything is read.

    Raises
    ------
    ValueError
        If it is another word, has another shape, or is ``"tokens"`` with a mask that does not say
        which positions are tokens.
    TypeError
        If it is no array of 0 and 1.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if value != "tokens":
            raise ValueError(f'read is {shown(value)}, but must be "tokens", or 0 and 1 of [B, S]')
        if attention_mask is None:
            return None
        value = place("attention_mask", attention_mask, like)
        if value.ndim != 2:
            raise ValueError(
                'read is "tokens", but attention_mask has a row for each token: give read as 0 '
                "and 1 of shape [batch, sequence]"
            )
        value = array_namespace(value).broadcast_to(value[:, -shape[1] :], shape)
    read = place("read", value, like)
    check_shape("read", read, shape)
    if not has_values(read):
        raise ValueError(
            "read must be known while a library records what is computed: leave it out"
        )
    return booleans("read", read, "1 (read) or 0 (not read)")


def first_tokens(shape: Shape, like: Array) -> Array:  # -> bool [B, S]
    """Mark the first token of each text."""
    return _tokens_at(0, shape, like)


def last_tokens(shape: Shape, like: Array) -> Array:  # -> bool [B, S]
    """Mark the last token of each text."""
    return _tokens_at(shape[-1] - 1, shape, like)


def _tokens_at(place: int, shape: Shape, like: Array) -> Array:  # -> bool [B, S]
    xp = array_namespace(like)
    places = xp.arange(shape[-1], dtype=index_dtype(xp), device=device_of(like))
    return xp.broadcast_to(places[None, :] == place, shape)


def picked(hidden: Array, read: Array) -> Array:  # [B, S, H], bool [B, S] -> [1, R, H]
    """Pick the hidden states that are read, as those of one text."""
    xp = array_namespace(hidden)
    rows = xp.reshape(hidden, (-1, hidden.shape[-1]))  # [B S, H]
    places = xp.nonzero(xp.reshape(read, (-1,)))[0]  # [R]
    return xp.take(rows, places, axis=0)[None, :, :]


def spread(x: Array, read: Array) -> Array:  # [1, R, ...], bool [B, S] -> [B, S, ...]
    """Put what was computed of `picked` back where it was read, among zeros."""
    xp = array_namespace(x)
    shape = (*read.shape, *x.shape[2:])
    if is_writeable(x):
        result = xp.zeros(shape, dtype=x.dtype, device=device_of(x))
        result[read] = x[0, ...]
        return result
    rows = xp.concat([xp.zeros_like(x[0, :1, ...]), x[0, ...]])  # [1 + R, ...]
    counted = astype(xp.reshape(read, (-1,)), index_dtype(xp))  # [B S]
    return xp.reshape(xp.take(rows, xp.cumulative_sum(counted) * counted, axis=0), shape)
