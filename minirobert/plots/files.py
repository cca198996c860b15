"""Pictures in files, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..files import exchanging
from ..sentences import plain

__all__ = ["save"]


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, SVG, PDF or another kind of picture, as the end of the name says.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or path

    Raises
    ------
    ValueError
        If there is no kind of picture for the end of the path.
    OSError
        If the file cannot be written, with the cure.
    """
    path = Path(path)
    kinds = figure.canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        known = ", ".join(f".{one}" for one in sorted(kinds))
        raise ValueError(f"{plain(path)} is no name of a picture: it must end in one of {known}")
    with exchanging(path.parent) as new:
        figure.savefig(new / path.name)
