"""The rows of a position table: how alike they are, and how long."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sentences import listed
from .canvas import Axes, heat_map, inches, new_figure, numbers

__all__ = ["position_similarity", "row_norms"]


def position_similarity(table: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the cosine of the angle between each two rows of a table.

    Parameters
    ----------
    table : floats of shape [P, H]
        As ``model.params.roberta.embeddings.position_embeddings.weight``, or some rows of it.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        A row of zeros, which has no direction, is a gap.

    Raises
    ------
    ValueError
        If the table has other axes.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    values = numbers("table", table, "[P, H]")
    norms = np.linalg.norm(values, axis=-1, keepdims=True)  # [P, 1]
    directions = values / np.where(norms == 0, np.nan, norms)  # [P, H]
    look: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}
    side = inches(len(values), 0.05)
    ax = heat_map(ax, directions @ directions.T, "cosine", (side, side), **look)
    ax.set(xlabel="row", ylabel="row")
    return ax


def row_norms(table: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the length of each row of a table, and point out those of zeros.

    Parameters
    ----------
    table : floats of shape [P, H]
        As ``model.params.roberta.embeddings.position_embeddings.weight``.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ValueError
        If the table has other axes.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    norms = np.linalg.norm(numbers("table", table, "[P, H]"), axis=-1)  # [P]
    if ax is None:
        ax = new_figure(8, 4).add_subplot()
    ax.plot(norms, ".", color="tab:blue")
    (zeros,) = np.nonzero(norms == 0)
    if len(zeros):
        which = f"all zeros: row {listed(zeros, room=30)}"
        ax.plot(zeros, norms[zeros], "o", color="tab:orange", label=which)
        ax.legend()
    ax.set(xlabel="row", ylabel="norm")
    return ax
