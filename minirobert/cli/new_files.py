"""A file that a command writes: where, and whether it may take another's place."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..sentences import shown
from .options import Option, named, switch, text

__all__ = ["OVERWRITE", "check_overwrite", "checked_new", "new_file"]

OVERWRITE = switch("--overwrite", "write even if a file is there already", default=False)


def new_file(help_text: str, required: bool = True) -> tuple[Option, ...]:
    """Give the options of a command that writes a file."""
    return (
        text("--out", "FILE", help_text, type=named, required=required),
        OVERWRITE,
    )


def checked_new(arguments: argparse.Namespace, option: str = "out") -> Path:
    """Give the file to write, which of a link is what it leads to.

    One that is there is refused before anything is computed.
    """
    path = Path(getattr(arguments, option))
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if path.is_dir():
        raise IsADirectoryError(f"{shown(str(path))} is a directory: give the name of a file")
    if path.exists() and not path.is_file():
        raise OSError(f"{shown(str(path))} is a device or a pipe: give the name of a file")
    if os.path.lexists(path) and not arguments.overwrite:  # a link here leads to itself
        raise FileExistsError(
            f"{shown(str(path))} is there already: give another name, or --overwrite"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"there is no directory {shown(str(path.parent))}: make it first, or give another name"
        )
    return path


def check_overwrite(arguments: argparse.Namespace) -> None:
    """Refuse ``--overwrite`` where no file is to be written."""
    values = vars(arguments)
    names = [name for name in ("out", "skip_errors", "plot") if name in values]
    if arguments.overwrite and all(values[name] is None for name in names):
        files = " or ".join(f"--{name.replace('_', '-')}" for name in names)
        raise ValueError(f"--overwrite says nothing without {files}: give both, or neither")
