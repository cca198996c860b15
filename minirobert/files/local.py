"""Files of a model directory, read and written as a whole, or a sentence that says why not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..sentences import plain, shown
from .elsewhere import elsewhere
from .formats import not_what_it_seems

__all__ = [
    "TINY",
    "model_directory",
    "new_directory",
    "read_json",
    "read_text",
    "replacing",
    "write_text",
]

#: The model that comes with the package: a small masked language model of English.
TINY = Path(__file__).parents[1] / "checkpoints" / "tiny"


def model_directory(path: str | os.PathLike[str]) -> Path:
    """Check that a path is a directory, and say how to get a model there if it is not."""
    directory = Path(path)
    if not os.path.exists(directory):  # which is false, too, of what cannot be a path
        raise FileNotFoundError(
            f"{shown(str(path))} is no directory on this machine. To use a model of the Hugging "
            "Face hub, download it first: pip install 'minirobert[hub]', then hf download "
            "FacebookAI/roberta-base --local-dir roberta-base"
        )
    if not directory.is_dir():
        raise NotADirectoryError(
            f"{shown(str(path))} is a file: give the directory that holds the model's files, "
            f"{shown(str(directory.parent))}"
        )
    return directory


def new_directory(path: str | os.PathLike[str]) -> Path:
    """Make a directory to save in, where it does not exist."""
    directory = Path(path)
    if directory.exists() and not directory.is_dir():
        raise NotADirectoryError(f"{shown(str(path))} is a file: give a directory to save in")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a file of UTF-8 text."""
    path = Path(path)
    if not path.is_file():
        instead = elsewhere(path.parent, path.name)
        raise FileNotFoundError(
            f"there is no file {plain(path.name, 60)} in {shown(str(path.parent))}{instead}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{plain(path)} is not UTF-8: byte {error.object[error.start]:#04x} at position "
            f"{error.start}"
        ) from None


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a JSON file that holds one object."""
    try:
        value = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        other = not_what_it_seems(Path(path))
        if other:
            raise ValueError(f"{plain(path)} is not JSON, but {other}") from None
        raise ValueError(
            f"{plain(path)} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise ValueError(f"{plain(path)} is nested too deeply to be read") from None
    if not isinstance(value, dict):
        kind = {list: "array", str: "string", bool: "boolean", type(None): "null"}
        found = kind.get(type(value), "number")
        raise ValueError(f"{plain(path)} holds a JSON {found}, but must hold an object")
    return value


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to, which becomes ``path`` if the block succeeds.

    Otherwise it is removed: a file is there as a whole, or as it was before.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, as a whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
