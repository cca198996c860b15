"""Words: how probable they are, from which layer on, and where in the model they travel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..functional import softmax
from .canvas import Axes, heat_map, inches, labels, new_figure, numbers, readable, ticks

__all__ = ["logit_lens", "patching", "probabilities"]


def logit_lens(
    logits: Any,
    decode: Callable[[int], str],
    tokens: Iterable[str] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the word that each layer finds the most probable at each position.

    Parameters
    ----------
    logits : floats of shape [L + 1, S, V]
        Of one text, as ``minirobert.logit_lens(model, batch)[:, 0]``.
    decode : callable
        Gives the text of an id, as ``tokenizer.decode`` does.
    tokens : iterable of str, optional
        The S tokens of the text, as ``tokenizer.convert_ids_to_tokens`` gives them.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        The embeddings at the bottom, the last layer on top, in the colour of the probability.

    Raises
    ------
    ValueError
        If there are not as many tokens, or the logits have other axes.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    values = numbers("logits", logits, "[L + 1, S, V]")
    texts = labels("tokens", tokens, values.shape[1])
    best = values.argmax(axis=-1)  # [L + 1, S]
    chances = to_numpy(softmax(values)).max(axis=-1)  # [L + 1, S]
    look: dict[str, Any] = {"cmap": "Blues", "vmin": 0, "vmax": 1, "origin": "lower"}
    rows, columns = best.shape
    size = (inches(columns, 0.9, most=60), inches(rows, 0.45))
    ax = heat_map(ax, chances, "probability of the best word", size, **look)
    for place, word in np.ndenumerate(best):
        look = {"color": "white" if chances[place] > 0.5 else "black", "fontsize": "small"}
        look |= {"ha": "center", "va": "center", "parse_math": False}
        ax.text(*place[::-1], readable(decode(int(word))), **look)
    ticks(ax.xaxis, texts, rotation=45, ha="right", rotation_mode="anchor")
    ticks(ax.yaxis, ["embeddings", *(f"layer {i}" for i in range(len(values) - 1))])
    return ax


def patching(
    moved: Any,
    names: Iterable[str] | None = None,
    tokens: Iterable[str] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw how far the score of a word moves, by the tensor and the position that are patched.

    Parameters
    ----------
    moved : floats of shape [names, S]
        What `minirobert.patch` gives.
    names : iterable of str, optional
        Of the tensors.
    tokens : iterable of str, optional
        The S tokens of either text, as ``tokenizer.convert_ids_to_tokens`` gives them.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        The first name at the bottom. What moves nothing is white.

    Raises
    ------
    ValueError
        If there are not as many names or tokens, or the array has other axes.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    values = numbers("moved", moved, "[names, S]")
    tensors = None if names is None else list(map(_short, names))
    rows = labels("names", tensors, len(values), most=50)
    columns = labels("tokens", tokens, values.shape[1])
    most = float(np.abs(values).max()) or 1.0
    look: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -most, "vmax": most, "origin": "lower"}
    size = (inches(len(columns), 0.4), inches(len(rows), 0.35))
    ax = heat_map(ax, values, "movement of the word's score", size, **look)
    ticks(ax.xaxis, columns, rotation=90)
    ticks(ax.yaxis, rows)
    return ax


def _short(name: str) -> str:
    """Leave out what all names of the encoder begin with."""
    return name.removeprefix("roberta.").removeprefix("encoder.") if isinstance(name, str) else name


def probabilities(values: Any, words: Iterable[str], *, ax: Axes | None = None) -> Axes:
    """Draw a bar for each word, the first on top.

    Parameters
    ----------
    values : floats of shape [words]
    words : iterable of str
        Tokens, as ``tokenizer.convert_ids_to_tokens`` gives them.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ValueError
        If there are not as many words, or the values are not in one row.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    lengths = numbers("values", values, "[words]")
    rows = labels("words", words, len(lengths))
    if ax is None:
        ax = new_figure(6, 1 + 0.3 * len(rows)).add_subplot()
    bars = ax.barh(range(len(rows)), lengths, color="tab:blue")
    ax.bar_label(bars, fmt=" {:.3f}")
    ax.margins(x=0.15)
    ax.invert_yaxis()
    ax.set(xlabel="probability")
    ticks(ax.yaxis, rows)
    return ax
