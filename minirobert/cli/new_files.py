"""A file that a command writes: where, and whether it may take another's place."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..sentences import shown
from .options import Option, named, switch, text

__all__ = ["checked_new", "new_file"]


def new_file(help_text: str, required: bool = True) -> tuple[Option, ...]:
    """Give the options of a command that writes a file."""
    return (
        text("--out", "FILE", help_text, type=named, required=required),
        switch("--overwrite", "write even if a file is there already", default=False),
    )


def checked_new(arguments: argparse.Namespace, option: str = "out") -> Path:
    """Give the file to write; one that is there is refused before anything is computed."""
    path = Path(getattr(arguments, option))
    if path.is_dir():
        raise IsADirectoryError(f"{shown(str(path))} is a directory: give the name of a file")
    if path.exists() and not path.is_file():
        raise OSError(f"{shown(str(path))} is a device or a pipe: give the name of a file")
    if path.exists() and not arguments.overwrite:
        raise FileExistsError(
            f"{shown(str(path))} is there already: give another name, or --overwrite"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"there is no directory {shown(str(path.parent))}: make it first, or give another name"
        )
    return path
