"""From the shapes that a graph has to those of ours."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ...arrays import Shape
from ...config import RobertaConfig
from ..traces import Numbers

__all__ = ["laid_out"]


def laid_out(
    tensors: Mapping[str, Numbers], ids: Shape, config: RobertaConfig | None
) -> dict[str, Numbers]:
    """Lay out tensors as a model of ours does.

    Parameters
    ----------
    tensors : mapping of str to array
        By our names.
    ids : tuple of int
        The shape of the input ids, [B, S] or [B, C, S].
    config : RobertaConfig, optional
        Without it the number of heads is that of the probabilities, where these are there.

    Returns
    -------
    dict of str to array
    """
    rows, length = math.prod(ids[:-1]), ids[-1]
    done: dict[str, Numbers] = {}
    for name, array in tensors.items():
        block, _, part = name.rpartition(".")
        if array.ndim == 2 and name.startswith(_OF_TOKENS):
            array = array.reshape(rows, -1, array.shape[-1])  # [B S, X] -> [B, S, X]
        if part in ("query", "key", "value") and array.ndim == 3:
            array = _split(array, _n_heads(tensors, block, array.shape[-1], config))
        elif name in ("token_type_ids", "position_ids"):
            array = array.reshape(-1, length)  # in a graph that was optimised they may be one row
            array = np.broadcast_to(array, (rows, length))  # [1, S] -> [B, S]
        elif part in ("token_type_embeddings", "position_embeddings"):
            array = np.broadcast_to(array, (rows, *array.shape[1:]))  # [1, S, H] -> [B, S, H]
        done[name] = np.ascontiguousarray(array)
    return done


#: What has a row for each token.
_OF_TOKENS = ("roberta.e", "embeddings", "encoder", "lm_head", "qa_outputs.logits")


def _n_heads(
    tensors: Mapping[str, Numbers], block: str, width: int, config: RobertaConfig | None
) -> int | None:
    """Count the heads of a layer, of which some may be pruned."""
    if config is not None:
        return width // config.head_size
    probabilities = tensors.get(f"{block}.probabilities")
    return None if probabilities is None else probabilities.shape[1]


def _split(array: Numbers, n_heads: int | None) -> Numbers:  # [B, S, N D] -> [B, N, S, D]
    if n_heads is None:
        return array
    rows, length, width = array.shape
    return array.reshape(rows, length, n_heads, width // n_heads).transpose(0, 2, 1, 3)
