"""Files of a model directory, read and written as a whole, or a sentence that says why not."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..sentences import plain, shown
from .elsewhere import elsewhere

__all__ = [
    "TINY",
    "model_directory",
    "new_directory",
    "read_text",
    "replacing",
    "write_text",
]

_MOST_BYTES = 100_000_000  # three times what the largest vocabularies have

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
    if os.path.exists(directory) and not directory.is_dir():
        raise NotADirectoryError(f"{shown(str(path))} is a file: give a directory to save in")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (OSError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "too many directories in each other"
        raise OSError(
            f"{shown(str(path))} cannot be made ({why}): give another directory to save in"
        ) from None
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
