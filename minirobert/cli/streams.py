"""Standard output and error, which may be closed, full, or read no further."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..interrupts import IS_PROGRAM
from ..sentences import LIMIT, cut, escaped

__all__ = ["ReaderGone", "output", "speak_utf8", "tell"]


class OutputError(OSError):
    """What is printed cannot be written."""


class ReaderGone(Exception):  # noqa: N818  # no error: the reader has seen enough, as in `| head`
    """Nobody reads stdout any more."""


def speak_utf8() -> None:
    """Write UTF-8 whatever the system's own encoding is: tokens are not in many others.

    Surrogates, of which names of files may have some, have no UTF-8. They are escaped as in JSON.
    """
    if IS_PROGRAM and isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        # PYTHONUNBUFFERED: Python would lose what a signal cuts off. All is flushed here anyway.
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(sys.stdout.buffer))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def output() -> Iterator[None]:
    """Print something, and tell what hinders it."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
        raise ReaderGone from None
    except OutputError:  # of a part
        raise
    except OSError as error:
        _silence(sys.stdout)
        raise OutputError(
            f"stdout cannot be written ({error.strerror or error}), so the command ends here: send "
            "it elsewhere, or make room there"
        ) from None


def tell(sentence: str, name: str = "minirobert: ") -> None:
    """Print a sentence as one line on stderr, unless that is closed or full."""
    if sys.stderr is None:  # print would take stdout
        return
    encoding = sys.stderr.encoding or "utf-8"
    line = name + escaped(cut(sentence.strip()).replace("\n", " "))
    line = line.encode(encoding, "backslashreplace").decode(encoding)
    line = line if len(line) <= LIMIT else cut(line, LIMIT - 5)
    try:
        _say(line)
        sys.stderr.flush()
    except (OSError, ValueError):
        _silence(sys.stderr)


def _say(line: str) -> None:
    """Print a line on stderr, above a bar that may be there."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr)


def _silence(stream: Any) -> None:
    """Let what a stream still holds go nowhere: Python would complain when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream of a caller's own, that is no file
        return
