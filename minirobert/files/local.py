"""Files of a model directory, or a sentence that says why they cannot be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .elsewhere import elsewhere
from .formats import not_what_it_seems

__all__ = [
    "TINY",
    "model_directory",
    "read_json",
    "read_text",
]

#: The model that comes with the package: a small masked language model of English.
TINY = Path(__file__).parents[1] / "checkpoints" / "tiny"


def model_directory(path: str | os.PathLike[str]) -> Path:
    """Check that a path is a directory, and say how to get a model there if it is not."""
    directory = Path(path)
    if not directory.exists():
        raise FileNotFoundError(
            f"{str(path)!r} is no directory on this machine. To use a model of the Hugging Face "
            "hub, download it first: pip install 'minirobert[hub]', then "
            "hf download FacebookAI/roberta-base --local-dir roberta-base"
        )
    if not directory.is_dir():
        raise NotADirectoryError(
            f"{str(path)!r} is a file: give the directory that holds the model's files, "
            f"{str(directory.parent)!r}"
        )
    return directory


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a file of UTF-8 text."""
    path = Path(path)
    if not path.is_file():
        instead = elsewhere(path.parent, path.name)
        raise FileNotFoundError(f"there is no file {path.name} in {str(path.parent)!r}{instead}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8: byte {error.object[error.start]:#04x} at position {error.start}"
        ) from None


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a JSON file that holds one object."""
    try:
        value = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        other = not_what_it_seems(Path(path))
        if other:
            raise ValueError(f"{os.fspath(path)} is not JSON, but {other}") from None
        raise ValueError(
            f"{os.fspath(path)} is not JSON: {error.msg} in line {error.lineno}, column "
            f"{error.colno}"
        ) from None
    except RecursionError:
        raise ValueError(f"{os.fspath(path)} is nested too deeply to be read") from None
    if not isinstance(value, dict):
        kind = {list: "array", str: "string", bool: "boolean", type(None): "null"}
        found = kind.get(type(value), "number")
        raise ValueError(f"{os.fspath(path)} holds a JSON {found}, but must hold an object")
    return value
