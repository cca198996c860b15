"""How likely each token of a text is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..sentences import plain, shown
from .canvas import Axes, Numbers, inches, labels, new_figure, numbers, readable, ticks

__all__ = ["log_likelihoods"]

#: What a sum of many small numbers may be too large by.
_ROUNDING = 1e-3


def log_likelihoods(
    tokens: Mapping[str, Any] | Iterable[str], values: Any = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the log-likelihood of each token, and tell the perplexity of them all.

    Parameters
    ----------
    tokens : dict, or iterable of str
        What the pipeline ``"score"`` gives for a text; or S tokens, as
        ``tokenizer.convert_ids_to_tokens`` gives them.
    values : floats of shape [S], optional
        The natural logarithm of the probability of each token, if tokens are given; NaN where a
        token is not scored.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        The bars hang from 0; one of a probability of 0 is below all others.

    Raises
    ------
    ValueError
        If there are not as many tokens, no token is scored, or a value is no logarithm of a
        probability.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    if isinstance(tokens, Mapping):
        texts, found = _scored(tokens, values)
    elif values is None:
        raise ValueError("values is None, but tokens need numbers: give one for each")
    else:
        found = numbers("values", values, "[S]")
        texts = labels("tokens", tokens, len(found))
    perplexity, n_scored = _perplexity(found)
    if ax is None:
        ax = new_figure(inches(len(found), 0.35) + 1, 4).add_subplot()
    lowest = min(np.min(found, initial=0, where=np.isfinite(found)) * 1.1, -1)
    heights = np.where(np.isneginf(found), lowest, found)
    ax.bar(range(len(found)), heights, color="tab:blue")
    for place in np.flatnonzero(np.isneginf(found)):
        ax.text(place, lowest, "-∞", ha="center", va="bottom", color="white")
    ticks(ax.xaxis, texts, rotation=90)
    word = "token" if n_scored == 1 else "tokens"
    ax.set(ylabel="log-likelihood", title=f"perplexity {perplexity:.4g}, of {n_scored:,} {word}")
    return ax


def _scored(result: Mapping[str, Any], values: Any) -> tuple[list[str], Numbers]:
    """Read what the pipeline gives: its tokens are texts, and no longer in the byte alphabet."""
    if values is not None or not {"tokens", "perplexity"} <= result.keys():
        raise ValueError(
            f"tokens is {shown(result)}, but must be what the pipeline 'score' gives for a text, "
            "without values, or a list of tokens"
        )
    scored = result["tokens"]
    found = numbers("log_probability", [one["log_probability"] for one in scored], "[S]")
    return [readable(one["token_str"]) for one in scored], found


def _perplexity(values: Numbers) -> tuple[float, int]:  # [S] -> []
    """Take the perplexity of the tokens that are scored, and count them."""
    known = values[~np.isnan(values)]
    if not known.size:
        raise ValueError("values has no number, but at least one token must be scored")
    if known.max() > _ROUNDING:
        raise ValueError(
            f"values has {plain(known.max())}, but must be logarithms of probabilities, at most 0: "
            "give np.log(probabilities)"
        )
    with np.errstate(over="ignore"):  # infinite where a model is as sure as it is wrong
        return float(np.exp(-known.mean())), known.size
