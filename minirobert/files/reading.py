"""Reading files that belong together, which somebody may exchange meanwhile."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..sentences import shown
from .exchange import clean_up
from .locks import locked

__all__ = ["MODEL_FILES", "read_together"]

#: The names of the files of a model, as a regular expression: all but the tokenizer's.
MODEL_FILES = r"(generation_)?config\.json|.+\.safetensors(\.index\.(.+\.)?json)?"

_TIMES = 5
_PAUSE = 0.005  # seconds between two
_PATIENCE = 10  # seconds to wait for the exchanges of others, before the last

Value = TypeVar("Value")


class _ChangedError(Exception):
    """They are not what they were before."""


class _AlwaysChangingError(OSError):
    """They have changed every time."""


def read_together(directory: Path, names: str, read: Callable[[], Value]) -> Value:
    """Read files of a directory, again where they have changed before the last of them was read.

    What a dead writer has left is put right before. The last time, those who save here again and
    again have to wait.

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
        If they change every time, as where there are no locks.
    """
    clean_up(directory)
    pattern = re.compile(names)
    for left in reversed(range(_TIMES)):
        with nullcontext() if left else locked(directory, _PATIENCE):
            try:
                return _read_once(directory, pattern, read)
            except _ChangedError as error:
                found = error.__cause__
        time.sleep(_PAUSE)
    raise _AlwaysChangingError(
        f"the files in {shown(str(directory))} have changed while they were read, {_TIMES} times "
        "in a row: load them when nobody saves there"
    ) from found


def _read_once(directory: Path, pattern: re.Pattern[str], read: Callable[[], Value]) -> Value:
    before = _state(directory, pattern)
    try:
        value = read()
    except _AlwaysChangingError:
        raise
    except Exception as error:
        if _state(directory, pattern) == before:
            raise
        raise _ChangedError from error
    if _state(directory, pattern) != before:
        raise _ChangedError
    return value


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
