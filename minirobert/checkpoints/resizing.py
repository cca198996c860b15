"""Another number of tokens for a model: rows of its embeddings, and what scores them, with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from ..arrays import (
    Array,
    array_namespace,
    astype,
    dtype_name,
    item_size,
    move_like,
    to_numpy,
    widened,
)
from ..memory import memory_for
from ..parameters import generator_of
from ..rules import check, integer, optional
from ..sentences import shown

__all__ = ["new_rows", "padded_count", "resize_tokens"]

#: Of the variance of the old rows, the part that new rows get.
_SHARE_OF_COVARIANCE = 1e-9


def padded_count(count: int | None, old_count: int, multiple: int | None) -> int:
    """Decide on a number of tokens: the asked or the old one, rounded up to a multiple.

    >>> padded_count(None, 50265, 64)
    50304
    """
    check("new_num_tokens", count, optional(integer(1)))
    check("pad_to_multiple_of", multiple, optional(integer(1)))
    count = old_count if count is None else int(count)
    return count if multiple is None else -(-count // int(multiple)) * int(multiple)


def resize_tokens(
    flat: Mapping[str, Array],
    count: int,
    initializer_range: float,
    *,
    mean_resizing: bool = True,
    seed: int = 0,
) -> dict[str, Array]:
    """Give a model's tensors another number of tokens.

    The first rows stay as they are, others are cut off or drawn with `new_rows`. New biases are 0,
    or where the decoder is not tied and ``mean_resizing`` is True, the mean of the old ones.
    """
    tables = [name for name in flat if name.endswith(_TABLES)]
    mean_bias = mean_resizing and "lm_head.decoder.weight" in flat
    resized = dict(flat)
    for name in [*tables, *(name for name in flat if name == "lm_head.bias")]:
        array = flat[name]
        added = count - array.shape[0]
        if added <= 0:
            resized[name] = array[:count, ...]
            continue
        # rows are drawn in float64, and moved to where the mean is
        wanted = math.prod(array.shape[1:]) * (count * item_size(array) + 16 * added)
        with memory_for(f"{name} for {shown(count)} tokens", wanted):
            old = np.asarray(to_numpy(widened(array)), np.float64)
            if name == "lm_head.bias":
                rows = np.full(added, old.mean() if mean_bias else 0.0)
            else:
                std = None if mean_resizing else initializer_range
                rows = new_rows(old, added, generator_of(name, seed), std)
            resized[name] = _appended(array, rows)
    return resized


_TABLES = ("embeddings.word_embeddings.weight", "lm_head.decoder.weight")


def new_rows(
    old: np.ndarray[Any, Any], count: int, rng: np.random.Generator, std: float | None = None
) -> np.ndarray[Any, Any]:
    """Draw further rows of an embedding table, [V, H].

    With ``std``, they are normal around 0. Without it, they are normal around the mean of the old
    rows, with a billionth of their covariance, or exactly the mean where the covariance is not
    positive definite: a new token is then about as likely as an average one, and not far more
    likely than any that the model knows.

    Source: Hewitt 2021, "Initializing New Word Embeddings for Pretrained Language Models"
    (https://nlp.stanford.edu/~johnhew/vocab-expansion.html).
    """
    noise = rng.standard_normal((count, old.shape[1]))
    if std is not None:
        return noise * std
    mean = old.mean(axis=0)  # [H]
    centred = old - mean
    covariance = centred.T @ centred / len(old)  # [H, H]
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.broadcast_to(mean, noise.shape)
    return np.asarray(mean + math.sqrt(_SHARE_OF_COVARIANCE) * noise @ factor.T)


def _appended(array: Array, rows: np.ndarray[Any, Any]) -> Array:
    """Put rows below an array, in its own dtype and on its own device."""
    name = dtype_name(array)
    host = rows.astype("float32" if name == "bfloat16" else name)  # NumPy may not know it
    added = astype(move_like(cast("Array", host), array), array.dtype)
    return array_namespace(array).concat([array, added], axis=0)
