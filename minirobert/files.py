"""Files of a model directory, read and written as a whole, or a sentence that says why not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["model_directory", "read_json", "replacing", "write_text"]


def model_directory(path: str | os.PathLike[str]) -> Path:
    """Check that a path is a directory, and say how to get a model there if it is not.

    Raises
    ------
    FileNotFoundError
        If it does not exist.
    NotADirectoryError
        If it is a file.
    """
    directory = Path(path)
    if not directory.exists():
        raise FileNotFoundError(
            f"{str(path)!r} is no directory on this machine. To use a model of the Hugging Face "
            "hub, download it first: pip install 'minirobert[hub]', then "
            "hf download FacebookAI/roberta-base --local-dir roberta-base"
        )
    if not directory.is_dir():
        raise NotADirectoryError(
            f"{str(path)!r} is a file: give the directory that holds config.json and the weights"
        )
    return directory


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that must hold an object.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not UTF-8, not JSON (with line and column) or not an object.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path.name} in {str(path.parent)!r}")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds a JSON {type(value).__name__}, but must hold an object")
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
