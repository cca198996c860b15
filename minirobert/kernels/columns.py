"""The steps of a layer on columns: arrays ``[X, M]`` in which a token is a column.

BLAS reads a weight ``[Y, X]`` as it lies where it multiplies from the left, and sums over the rows
of an array add whole rows at a time: both take less time than with a token a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from ..config import RobertaConfig
from ..encoder import activation_of
from ..functional import gelu
from ..parameters import ParameterTree
from .few_columns import product
from .steps import NUMPY, Steps
from .texts import Run

__all__ = ["after_attention", "attention", "gather", "projected"]

NDArray: TypeAlias = np.ndarray[Any, Any]

_SCORES = 1 << 18  # of a block: 1 MiB
_MANY_QUERIES = 8  # the innermost loop of what is compiled is over them

#: Sums of exp(score) between which no term that counts is lost to the ends of float32.
_LEAST, _MOST = 1e-20, 1e20
_LOWEST = np.finfo(np.float32).min


def projected(x: NDArray, dense: ParameterTree) -> NDArray:  # [X, M] -> [Y, M]
    """Compute `minirobert.functional.linear`: ``W x + b``."""
    result = product(dense.weight, x)
    result += dense.bias[:, None]
    return result


def after_attention(
    context: NDArray, before: NDArray, layer: ParameterTree, config: RobertaConfig, steps: Steps
) -> NDArray:  # [N D, M], [H, M] -> [H, M]
    """Compute what follows in `minirobert.encoder.encoder_layer`."""
    x = _add_and_norm(context, before, layer.attention.output, config, steps)
    dense = layer.intermediate.dense
    activation: Any = activation_of(config)
    if activation is gelu:
        expanded = product(dense.weight, x)
        steps.gelu(expanded, dense.bias)
    else:
        expanded = activation(projected(x, dense))
    return _add_and_norm(expanded, x, layer.output, config, steps)


def _add_and_norm(
    x: NDArray, residual: NDArray, block: ParameterTree, config: RobertaConfig, steps: Steps
) -> NDArray:  # [X, M], [H, M] -> [H, M]
    """Compute `minirobert.encoder.add_and_norm`."""
    total = product(block.dense.weight, x)
    norm, eps = block.LayerNorm, config.layer_norm_eps
    steps.add_and_norm(total, residual, block.dense.bias, norm.weight, norm.bias, eps)
    return total


def attention(
    query: NDArray, key: NDArray, value: NDArray, runs: list[Run], asked: bool, steps: Steps
) -> NDArray:  # [N, D, Y], [N, D, M], [N, D, M] -> [N D, Y]
    """Let the tokens of each text look at its keys, a block of scores at a time.

    The queries are scaled already. With ``asked`` they are of the tokens that are asked for.
    """
    context = np.empty_like(query)
    for run in runs:
        first, length = (run.first_asked, run.asked) if asked else (run.first, run.length)
        queries = _by_text(query, first, length, run)
        if run.is_blind:
            queries[...] = 0
        keys = _by_text(key, run.first, run.length, run)[..., : run.keys]
        values = _by_text(value, run.first, run.length, run)[..., : run.keys]
        may = run.attend_asked if asked else run.attend
        gather(queries, keys, values, may, steps, _by_text(context, first, length, run))
    return context.reshape(-1, context.shape[-1])


def _by_text(x: NDArray, first: int, length: int, run: Run) -> NDArray:
    """View the columns of a run's texts apart: [N, D, M] -> [X, N, D, S]."""
    columns = x[:, :, first : first + run.n_texts * length]
    return columns.reshape(*x.shape[:2], run.n_texts, length).transpose(2, 0, 1, 3)


def gather(
    query: NDArray,
    key: NDArray,
    value: NDArray,
    attend: NDArray | None,
    steps: Steps,
    out: NDArray,
) -> None:  # [X, N, D, S], [X, N, D, T], [X, N, D, T], bool [X, 1, T, S]
    """Compute ``softmax(Q K^T) V`` of texts with equally many keys."""
    key = key.swapaxes(2, 3)  # [X, N, T, D]
    shift = False
    n_texts, n_heads, n_keys, _ = key.shape
    for texts, heads, part in _blocks(n_texts, n_heads, query.shape[3], n_keys):
        q, k, v = query[texts, heads, :, part], key[texts, heads], value[texts, heads]
        may = None if attend is None else attend[texts, :, :, part]
        exps, sums = _exponentials(q, k, may, shift, steps)
        if not (shift or (sums.min() > _LEAST and sums.max() < _MOST)):
            shift = True  # for the blocks that follow, too
            exps, sums = _exponentials(q, k, may, shift, steps)
        context = np.matmul(v, exps, out=out[texts, heads, :, part])
        context /= sums


def _exponentials(
    query: NDArray, key: NDArray, attend: NDArray | None, shift: bool, steps: Steps
) -> tuple[NDArray, NDArray]:  # [X, Y, D, S], [X, Y, T, D] -> [X, Y, T, S], [X, Y, 1, S]
    """Compute exp of the scores and their sums over the keys.

    To subtract the largest score first changes neither, but where some are far from zero, and takes
    as long as all else.
    """
    shape = (*key.shape[:3], query.shape[3])
    scores = np.matmul(key, query, out=np.empty(shape, key.dtype))  # or its axes may be permuted
    if attend is not None:
        np.copyto(scores, _LOWEST, where=~attend)
    if shift:
        scores -= scores.max(axis=2, keepdims=True)
    sums = np.empty((*shape[:2], 1, shape[3]), scores.dtype)
    steps = steps if shape[3] >= _MANY_QUERIES else NUMPY
    steps.exponentials(scores.reshape(-1, *shape[2:]), sums.reshape(-1, shape[3]))
    return scores, sums


def _blocks(
    n_texts: int, n_heads: int, n_queries: int, n_keys: int
) -> Iterator[tuple[slice, slice, slice]]:
    """Cut scores [X, N, T, S] into blocks: by texts, by heads, by queries, as few as will do."""
    queries = max(1, _SCORES // n_keys)
    heads = max(1, queries // n_queries)
    texts = max(1, heads // max(1, n_heads))  # all heads may be pruned
    for t in range(0, n_texts, texts):
        for h in range(0, n_heads, heads):
            for q in range(0, n_queries, queries):
                yield slice(t, t + texts), slice(h, h + heads), slice(q, q + queries)
