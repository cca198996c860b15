"""Pictures in files, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..files import exchanging
from ..sentences import plain
from .canvas import matplotlib

__all__ = ["check_picture", "save"]


def check_picture(path: str | os.PathLike[str]) -> None:
    """Refuse a name that no kind of picture has.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    ValueError
        If there is no kind of picture for the end of the path.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    path = Path(path)
    kinds = matplotlib("backend_bases").FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        known = ", ".join(f".{one}" for one in sorted(kinds))
        raise ValueError(f"{plain(path)} is no name of a picture: it must end in one of {known}")


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
    check_picture(path)
    path = Path(path)
    with exchanging(path.parent) as new:
        figure.savefig(new / path.name)
