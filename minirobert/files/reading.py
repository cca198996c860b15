"""Reading files that belong together, which somebody may exchange meanwhile."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..sentences import shown
from .exchange import clean_up

__all__ = ["MODEL_FILES", "read_together"]

#: The names of the files of a model, as a regular expression: all but the tokenizer's.
MODEL_FILES = r"(generation_)?config\.json|.+\.safetensors(\.index\.(.+\.)?json)?"

_TIMES = 5  # at least
_PATIENCE = 10  # seconds
_PAUSE = 0.005

Value = TypeVar("Value")


class _AlwaysChangingError(OSError):
    """They have changed every time."""


def read_together(directory: Path, names: str, read: Callable[[], Value]) -> Value:
    """Read files of a directory, again where they have changed before the last of them was read.

    What a dead writer has left is put right before.

    Parameters
    ----------
    directory : Path
    names : str
        A regular expression for the names of the files.
    read : callable
        It may be called several times.

    Returns
    -------
    object
        What ``read`` gives.

    Raises
    ------
    OSError
        If they change every time.
    """
    clean_up(directory)
    pattern = re.compile(names)
    until = time.monotonic() + _PATIENCE
    times = 0
    while True:
        before = _state(directory, pattern)
        found: Exception | None = None
        try:
            value = read()
        except _AlwaysChangingError:
            raise
        except Exception as error:
            if _state(directory, pattern) == before:
                raise
            found = error
        else:
            if _state(directory, pattern) == before:
                return value
            del value  # there may be no room for two
        times += 1
        if times >= _TIMES and time.monotonic() > until:
            raise _AlwaysChangingError(
                f"the files in {shown(str(directory))} have changed while they were read, {times} "
                "times in a row: load them when nobody saves there"
            ) from found
        time.sleep(_PAUSE)


class _State(NamedTuple):
    """What tells files apart from all others that have had, or will have, their names."""

    files: dict[str, tuple[int, ...]]
    #: The same of the links where they are ones: an exchange makes links of files for a time, and
    #: who follows one just when it goes finds nothing.
    links: dict[str, tuple[int, ...]]


def _state(directory: Path, pattern: re.Pattern[str]) -> _State:
    state = _State({}, {})
    with suppress(OSError):
        for name in filter(pattern.fullmatch, os.listdir(directory)):
            with suppress(OSError):  # a link that leads nowhere is no file
                state.links[name] = _mark(os.lstat(directory / name))
                state.files[name] = _mark(os.stat(directory / name))
    return state


def _mark(seen: os.stat_result) -> tuple[int, ...]:
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns
