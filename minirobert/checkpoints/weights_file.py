"""A safetensors file that is open: it is opened once, and stays what it was when it was opened.

Nothing is mapped: a map of a file that becomes shorter ends the process. When another file takes
the name of one that is open, all is still read from the first; what is written into it is noticed.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from ..files import first_words, not_what_it_seems
from ..memory import memory_for
from ..parameters import CheckpointError
from ..sentences import plain
from .header import LENGTH_BYTES, HeaderError, TensorInfo, check_length, parse_header

__all__ = ["WeightsFile"]


class WeightsFile:
    """A safetensors file that is open.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        If it cannot be opened.
    CheckpointError
        If it is something else than a file.
    """

    def __init__(self, path: Path):
        self.path = path
        #: What the header says besides, once it was read.
        self.metadata: dict[str, str] = {}
        self._lock = Lock()
        with self._named():
            self._check_kind(os.stat(path))  # some devices do something when they are opened
            self._file = open(path, "rb", buffering=0, opener=_without_waiting)  # noqa: SIM115
        try:
            self._opened = os.fstat(self._file.fileno())
            self._check_kind(self._opened)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def header(self) -> tuple[int, dict[str, TensorInfo]]:
        """Read where the numbers begin, and what each tensor is."""
        try:
            start = self._start()
            with memory_for(f"the header of {plain(self.path)}", start, CheckpointError):
                header = self.read_into(bytearray(start - LENGTH_BYTES), LENGTH_BYTES)
                infos, metadata = parse_header(header, self._opened.st_size - start)
        except HeaderError as error:
            what = _what_is_wrong(self.path, error)
            raise CheckpointError(f"{plain(self.path)} {what}") from None
        self._check_framework(metadata)
        self.metadata = metadata
        return start, infos

    def read_into(self, target: Any, offset: int) -> Any:
        """Fill an array, or another buffer, with the bytes from an offset on; threads may do so."""
        rest = memoryview(target).cast("B")
        with self._named():
            while rest:
                count = self._read(rest, offset)
                if not count:
                    raise self._has_changed()
                rest = rest[count:]
                offset += count
        return target

    def check_unchanged(self) -> None:
        """Refuse what has been read if somebody wrote into the file meanwhile."""
        with self._named():
            now, then = os.fstat(self._file.fileno()), self._opened
        if (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns):
            raise self._has_changed()

    def _read(self, target: memoryview, offset: int) -> int:
        """Read as much as the system gives at once."""
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [target], offset)
        with self._lock:  # Windows has but one place at which to read
            self._file.seek(offset)
            return self._file.readinto(target)

    def _start(self) -> int:
        """Find where the header ends."""
        size = self._opened.st_size
        if size < LENGTH_BYTES:
            raise HeaderError(f"{size} bytes, where {LENGTH_BYTES} come before the header")
        (length,) = struct.unpack("<Q", self.read_into(bytearray(LENGTH_BYTES), 0))
        check_length(length, size)
        return LENGTH_BYTES + int(length)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the file in what the system says about it."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise type(error)(f"{plain(self.path)} cannot be read: {reason}") from None

    def _has_changed(self) -> CheckpointError:
        return CheckpointError(
            f"{plain(self.path)} was written to while it was read, so nothing was loaded: load "
            "again when it is complete"
        )

    def _check_kind(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
            raise CheckpointError(
                f"{plain(self.path)} is {kind}, but weights are read from files: put a "
                "safetensors file in its place"
            )

    def _check_framework(self, metadata: dict[str, str]) -> None:
        """Refuse the files of other frameworks, whose tensors have other names and orientations."""
        kind = {"tf": "TensorFlow", "flax": "Flax"}.get(metadata.get("format", ""))
        if kind:
            raise CheckpointError(
                f"{plain(self.path)} was written by {kind}, whose weights have other names and "
                f"orientations: convert it in transformers where {kind} is installed, "
                "from_pretrained and then save_pretrained"
            )


_KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe in its place would wait until somebody writes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _what_is_wrong(path: Path, error: HeaderError) -> str:
    """Say what a file is that is none of safetensors, and the cure."""
    with path.open("rb") as file:
        is_safetensors = file.read(9)[8:] == b"{"
    other = None if is_safetensors else not_what_it_seems(path)
    if other:
        return f"is no safetensors file, but {other}"
    text = None if is_safetensors else first_words(path)
    if text:
        return f"is no safetensors file, but a text, {text}: download or copy the file again"
    return (
        f"is not a whole safetensors file (it has {error}): it is truncated or corrupt, download "
        "or copy it again"
    )
