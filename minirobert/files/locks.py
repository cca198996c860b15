"""Locks on directories, which the system takes back from whoever dies (flock)."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["hold", "locked", "release"]

_PAUSE = 0.002  # seconds between two attempts

#: The descriptors of the locks that are held here.
_HELD: set[int] = set()


def _forget() -> None:
    """Close the copies of a child, which would keep the locks of a parent that dies."""
    while _HELD:
        os.close(_HELD.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def hold(directory: Path, seconds: float = 0) -> int | None:
    """Take the lock of a directory, alone among all processes and threads.

    Parameters
    ----------
    directory : Path
    seconds : float
        How long to wait for another that has it.

    Returns
    -------
    int or None
        What `release` wants; None where there are no such locks.

    Raises
    ------
    BlockingIOError
        If another has it for so long.
    """
    if fcntl is None:
        return None
    try:
        handle = os.open(directory, os.O_RDONLY)
    except PermissionError:
        return None
    _HELD.add(handle)
    try:
        if _taken(handle, seconds):
            return handle
    except OSError:  # as on some network file systems
        release(handle)
        return None
    except BaseException:
        release(handle)
        raise
    release(handle)
    raise BlockingIOError(
        errno.EAGAIN, f"another process or thread has kept the lock on it for {seconds:g} s"
    )


def _taken(handle: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE)


def release(handle: int | None) -> None:
    """Give a lock back."""
    if handle in _HELD:
        _HELD.discard(handle)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


@contextmanager
def locked(directory: Path, seconds: float = 0) -> Iterator[None]:
    """Hold the lock of a directory, where there are locks, for a block; see `hold`."""
    handle = hold(directory, seconds)
    try:
        yield
    finally:
        release(handle)
