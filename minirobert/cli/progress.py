"""A bar on a terminal that shows how many lines are done; stdout never has any of it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["is_terminal", "lines_left", "progress"]

#: Seconds before the bar is shown: of a few lines there is nothing to tell.
DELAY = 1.0
#: Bytes of a file that are looked at together.
BLOCK = 1 << 20


def is_terminal(name: str) -> bool:
    """Tell whether ``"stdin"``, ``"stdout"`` or ``"stderr"`` is a terminal."""
    stream = getattr(sys, name)
    return stream is not None and bool(stream.isatty())


@contextmanager
def progress(shown: bool) -> Iterator[Callable[[], object]]:
    """Give what is to be called after each line."""
    if not shown:
        yield lambda: None
        return
    from tqdm import tqdm  # 40 ms that most commands do not need

    total = lines_left()
    with tqdm(total=total, unit=" lines", delay=DELAY, dynamic_ncols=True, file=sys.stderr) as bar:
        yield bar.update


def lines_left() -> int | None:
    """Count the lines of stdin, of which none is read by this; None where it is no file."""
    try:
        handle = sys.stdin.fileno()
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        place = os.lseek(handle, 0, os.SEEK_CUR)
        return _line_ends(handle, place)
    except (AttributeError, OSError, ValueError):  # closed, or not of the system
        return None


def _line_ends(handle: int, place: int) -> int:
    """Count line feeds from a place on, and the end of a last line without one."""
    count, last = 0, b"\n"
    while block := os.pread(handle, BLOCK, place):
        count += block.count(b"\n")
        last, place = block[-1:], place + len(block)
    return count + (last != b"\n")
