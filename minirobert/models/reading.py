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

from collections.abc import Callable
from typing import Any

from ..arrays import (
    Array,
    Shape,
    array_namespace,
    device_of,
    has_values,
    index_dtype,
    is_lazy,
)
from ..checks import booleans, check_shape, place
from ..sentences import shown

__all__ = ["check_read", "first_tokens", "last_tokens", "score_read"]


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


def first_tokens(of: Array) -> Array | None:  # [B, S] -> bool [B, S]
    """Mark the first token of each text, or nothing where a library records what is computed."""
    return _tokens_at(0, of)


def last_tokens(of: Array) -> Array | None:  # [B, S] -> bool [B, S]
    """Mark the last token of each text, or nothing where a library records what is computed."""
    return _tokens_at(of.shape[1] - 1, of)


def _tokens_at(place: int, of: Array) -> Array | None:  # [B, S] -> bool [B, S]
    if not has_values(of):
        return None
    xp = array_namespace(of)
    places = xp.arange(of.shape[1], dtype=index_dtype(xp), device=device_of(of))
    return xp.broadcast_to(places[None, :] == place, tuple(of.shape))


def score_read(
    score: Callable[[Array], tuple[Array, ...]], hidden: Array, read: Array
) -> tuple[Array, ...]:
    """Let a head that scores each token score those that are read, and give zeros for the others.

    Parameters
    ----------
    score : function
        From hidden states [B, S, H] to a tuple of Arrays [B, S, ...].
    hidden : Array of shape [B, S, H]
    read : boolean Array of shape [B, S]

    Returns
    -------
    tuple of Arrays of shape [B, S, ...]
    """
    xp = array_namespace(hidden)
    if is_lazy(hidden):
        scores = score(hidden)
        return tuple(xp.where(_beside(read, one), one, xp.zeros_like(one)) for one in scores)
    rows = xp.reshape(hidden, (-1, hidden.shape[-1]))  # [B S, H]
    places = xp.nonzero(xp.reshape(read, (-1,)))[0]
    return tuple(_spread(one, read) for one in score(xp.take(rows, places, axis=0)[None, :, :]))


def _beside(read: Array, x: Array) -> Array:  # bool [B, S], [B, S, ...]
    """Give the mask as many axes as x has."""
    return array_namespace(read).reshape(read, (*read.shape, *(1 for _ in x.shape[2:])))


def _spread(x: Array, read: Array) -> Array:  # [1, M, ...], bool [B, S] -> [B, S, ...]
    """Put what was computed of the tokens that are read in their places, among zeros."""
    xp = array_namespace(x)
    result = xp.zeros((*read.shape, *x.shape[2:]), dtype=x.dtype, device=device_of(x))
    result[read] = x[0, ...]
    return result
