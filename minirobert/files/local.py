"""Files of a model directory, or a sentence that says why they cannot be read."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from ..sentences import plain, shown
from .elsewhere import elsewhere

__all__ = [
    "TINY",
    "check_path",
    "model_directory",
    "read_text",
]

_MOST_BYTES = 100_000_000  # three times what the largest vocabularies have

#: The model that comes with the package: a small masked language model of English.
TINY = Path(__file__).parents[1] / "checkpoints" / "tiny"


def check_path(name: str, path: object) -> None:
    """Refuse what is neither a string nor a path."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name} is {shown(path)}, but must be a string or a path")


def model_directory(path: str | os.PathLike[str]) -> Path:
    """Check that a path is a directory, and say how to get a model there if it is not."""
    directory = Path(path)
    if not os.path.exists(directory):  # which is false, too, of what cannot be a path
        raise FileNotFoundError(
            f"{shown(str(path))} is no directory on this machine. To use a model of the Hugging "
            "Face hub, download it first: pip install huggingface_hub, then hf download "
            "FacebookAI/roberta-base --local-dir roberta-base"
        )
    if not directory.is_dir():
        raise NotADirectoryError(
            f"{shown(str(path))} is a file: give the directory that holds the model's files, "
            f"{shown(str(directory.parent))}"
        )
    return directory


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a file of UTF-8 text."""
    path = Path(path)
    if not os.path.isfile(path):
        instead = elsewhere(path.parent, path.name)
        raise FileNotFoundError(
            f"there is no file {plain(path.name, 60)} in {shown(str(path.parent))}{instead}"
        )
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(
            f"{plain(path)} has {path.stat().st_size:,} bytes, where a file of settings or of a "
            f"vocabulary has at most {_MOST_BYTES:,}: it must be another file under this name"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{plain(path)} is not UTF-8{_other_encoding(error)}") from None


def _other_encoding(error: UnicodeDecodeError) -> str:
    if error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ", but UTF-16: save it as UTF-8"
    return f": byte {error.object[error.start]:#04x} at position {error.start}"
