"""A comparison as a picture: error over budget by depth. It takes matplotlib."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ...plots import error_by_depth
from ...plots.files import save

if TYPE_CHECKING:
    from ..comparison import Comparison

__all__ = ["plot"]


def plot(comparison: Comparison, path: str | os.PathLike[str] | None = None) -> Any:
    """Draw each tensor's error over its budget, in the order of the computation.

    Parameters
    ----------
    comparison : Comparison
    path : str or path, optional
        Where to write the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed.
    ValueError
        If there is no kind of picture for the end of the path.
    """
    rows = comparison.compared
    axes = error_by_depth([row.name for row in rows], [row.ratio for row in rows])
    axes.set(ylabel="error / budget (above 1: departs)", title=_title(comparison))
    if path is not None:
        save(axes.figure, path)
    return axes.figure


def _title(comparison: Comparison) -> str:
    return f"{comparison.architecture}, {comparison.arithmetic}: {comparison.verdict}"
