"""Attention: where each token looks, in one head or in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..sentences import shown
from .canvas import Axes, Numbers, heat_map, inches, labels, matplotlib, numbers, ticks

__all__ = ["attention", "attention_grid"]


def attention(
    weights: Any,
    tokens: Iterable[str] | None = None,
    keys: Iterable[str] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw one head: a row for each query, which looks at the keys in the columns.

    Parameters
    ----------
    weights : floats of shape [S, T]
        Probabilities of attention, as ``output.attentions[layer][text, head]``.
    tokens : iterable of str, optional
        The S tokens, as ``tokenizer.convert_ids_to_tokens`` gives them.
    keys : iterable of str, optional
        The T tokens that are looked at, where they are others.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ValueError
        If there are not as many tokens, or the weights have other axes.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    values = numbers("weights", weights, "[S, T]")
    n_queries, n_keys = values.shape
    looked_at = tokens if keys is None and n_queries == n_keys else keys
    rows, columns = labels("tokens", tokens, n_queries), labels("keys", looked_at, n_keys)
    ax = _heat_map(ax, values, (inches(n_keys, 0.35), inches(n_queries, 0.35)))
    ticks(ax.xaxis, columns, rotation=90)
    ticks(ax.yaxis, rows)
    ax.set(xlabel="looks at", ylabel="token")
    return ax


def attention_grid(weights: Sequence[Any], *, ax: Axes | None = None) -> Axes:
    """Draw all heads of all layers at a glance: a row of heads for each layer.

    Parameters
    ----------
    weights : sequence of L floats of shape [N, S, T]
        One text of ``output.attentions``, as ``[layer[0] for layer in output.attentions]``, or an
        array of shape [L, N, S, T]. Layers from which heads were pruned have fewer.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        One for all heads, with a gap between them.

    Raises
    ------
    ValueError
        If a layer has other axes, or other texts.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    layers = [numbers("a layer of weights", layer, "[N, S, T]") for layer in weights]
    texts = {layer.shape[1:] for layer in layers}
    if len(texts) != 1:
        raise ValueError(
            f"weights has layers with {shown(sorted(texts))} queries and keys, but must have "
            "layers, all of one text"
        )
    ((n_queries, n_keys),) = texts
    n_heads = max(map(len, layers))
    mosaic = np.concatenate([_side_by_side(layer, n_heads) for layer in layers])[:-1]
    rows, columns = mosaic.shape
    ax = _heat_map(ax, mosaic, (inches(columns, 0.12), inches(rows, 0.12)))
    ax.set_xticks(_middles(n_heads, n_keys), range(n_heads))
    ax.set_yticks(_middles(len(layers), n_queries), range(len(layers)))
    ax.set(xlabel="head", ylabel="layer")
    return ax


def _heat_map(ax: Axes | None, values: Numbers, size: tuple[float, float]) -> Axes:
    """Draw probabilities, coloured by their square roots, so that small ones can be told apart."""
    norm = matplotlib("colors").PowerNorm(0.5, vmin=0, vmax=1)
    return heat_map(ax, values, "probability", size, cmap="Blues", norm=norm)


def _side_by_side(layer: Numbers, n_heads: int) -> Numbers:  # [N, S, T] -> [S + 1, rest]
    """Set the heads of a layer side by side, with gaps at the right and below."""
    added = ((0, n_heads - len(layer)), (0, 1), (0, 1))
    padded = np.pad(layer, added, constant_values=np.nan)  # [N, S + 1, T + 1]
    return np.concatenate(list(padded), axis=1)[:, :-1]


def _middles(count: int, size: int) -> Numbers:
    return np.arange(count) * (size + 1) + (size - 1) / 2
