"""Errors of tensors, in the order of the computation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..sentences import plain, shown
from .canvas import Axes, Numbers, new_figure, numbers

__all__ = ["error_by_depth"]

#: Less than this times the bound is drawn as this, as nothing has no place on a logarithmic scale;
#: and more, as what is infinite has none.
_LEAST, _MOST = 1e-3, 1e9
_LAYER = re.compile(r"\blayer\.(\d+)\.")
#: What is drawn in one colour, by how names end.
_KINDS = {
    "products": ("query", "key", "value", "dense", "logits", "context"),
    "scores": ("scores", "masked", "distance_embedding"),
    "probabilities": ("probabilities", "head_mask"),
    "sums": ("sum",),
    "layer norms": ("LayerNorm", "layer_norm"),
    "activations": ("intermediate", "gelu", "tanh", "pooler"),
    "embeddings": ("word_embeddings", "token_type_embeddings", "position_embeddings"),
}
_OTHER = "others"


def error_by_depth(
    names: Iterable[str], errors: Any, bounds: Any = 1.0, *, ax: Axes | None = None
) -> Axes:
    """Draw the error of each tensor as a point, and what it may be as a stroke.

    Parameters
    ----------
    names : iterable of str
        Of the tensors, in the order of the computation, as ``row.name`` of the rows of a
        comparison.
    errors : floats of shape [names]
        As ``row.max_abs``, or over their budgets, as ``row.ratio``.
    bounds : floats of shape [names], or float
        What each may be: 1 of errors over budgets.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        On a logarithmic scale: what is less than a thousandth of its bound is drawn as that, and
        what is infinite or no number at the upper end.

    Raises
    ------
    ValueError
        If there are not as many errors or bounds, or a bound is negative.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    names = _listed(names)
    heights, limits = _checked(names, errors, bounds)
    if ax is None:
        ax = new_figure(11, 5).add_subplot()
    for kind, places in _by_kind(names).items():
        ax.scatter(places, heights[places], label=kind, s=16)
    if np.ndim(bounds) == 0:
        ax.axhline(float(bounds), color="grey", linewidth=1)
    else:
        ax.plot(limits, "_", color="grey", label="bound")
    starts = _starts(names)
    ax.set(yscale="log", ylabel="error")
    texts = list(map(plain, starts.values()))
    ax.set_xticks(list(starts), texts, rotation=90, parse_math=False)
    if names:
        ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def _listed(names: Iterable[str]) -> list[str]:
    found = [] if isinstance(names, str) else list(names)
    if isinstance(names, str) or not all(isinstance(name, str) for name in found):
        raise TypeError(f"names is {shown(names)}, but must be a list of strings")
    return found


def _checked(names: Sequence[str], errors: Any, bounds: Any) -> tuple[Numbers, Numbers]:
    """Give how high each error is drawn, and the bounds; those of 0 are gaps."""
    if not names:
        return np.zeros(0), np.zeros(0)
    heights = numbers("errors", errors, "[names]")
    limits = np.full(len(names), bounds) if np.ndim(bounds) == 0 else bounds
    limits = numbers("bounds", limits, "[names]")
    if not len(names) == len(heights) == len(limits):
        raise ValueError(
            f"there are {len(names)} names, {len(heights)} errors and {len(limits)} bounds: give "
            "as many of each"
        )
    if not (limits >= 0).all() or (heights < 0).any():
        raise ValueError("errors and bounds must be at least 0: give np.abs(errors)")
    at_least = np.where(limits > 0, limits, np.min(limits, initial=1, where=limits > 0))
    heights = np.clip(np.nan_to_num(heights, nan=np.inf), at_least * _LEAST, at_least * _MOST)
    return heights, np.where(limits > 0, limits, np.nan)


def _by_kind(names: Sequence[str]) -> dict[str, list[int]]:
    """Give the places of the names of each kind."""
    kinds: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        end = name.rpartition(".")[2]
        found = next((kind for kind, ends in _KINDS.items() if end in ends), _OTHER)
        kinds.setdefault(found, []).append(at)
    return dict(sorted(kinds.items()))


def _starts(names: Sequence[str]) -> dict[int, str]:
    """Find where each layer begins, and what stands before and behind them."""
    starts: dict[int, str] = {}
    for at, name in enumerate(names):
        layer = _LAYER.search(name)
        part = name.removeprefix("roberta.").partition(".")[0]
        start = f"layer {layer[1]}" if layer else part
        if part.endswith(("_ids", "attend")):
            start = "inputs"
        if start not in list(starts.values())[-1:]:
            starts[at] = start
    return starts
