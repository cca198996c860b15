"""How much memory there is, so that what cannot fit is refused before it is begun."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["bytes_in_words", "machine_memory", "memory_for"]

_LIMIT_OF_CONTAINER = Path("/sys/fs/cgroup/memory.max")


def machine_memory() -> int | None:
    """Count the bytes that this process can have at most, or give None where nobody knows."""
    known = (_installed(), _limit_of_process(), _limit_of_container())
    return min(filter(None, known), default=None)


@contextmanager
def memory_for(what: str, wanted: int, error: type[ValueError] = ValueError) -> Iterator[None]:
    """Refuse what the machine cannot hold, be it clear before or found out within the block.

    Parameters
    ----------
    what : str
        What is made, as a sentence begins.
    wanted : int
        The bytes that it takes.
    error : type
        Of the error.

    >>> with memory_for("a table of 10^15 rows", 10**18):
    ...     pass  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: a table of 10^15 rows takes 888.18 PiB of memory, which this process cannot have...
    """
    has = machine_memory()
    most = "" if has is None else f" (it can have at most {bytes_in_words(has)})"
    refusal = error(
        f"{what} takes {bytes_in_words(wanted)} of memory, which this process cannot have{most}: "
        "lower the sizes, choose a narrower dtype, or take a machine with more"
    )
    if has is not None and wanted > has:
        raise refusal
    try:
        yield
    except MemoryError:
        raise refusal from None


def bytes_in_words(count: float) -> str:
    """Tell a number of bytes.

    >>> bytes_in_words(999), bytes_in_words(1536), bytes_in_words(3 * 2**40)
    ('999 bytes', '1.5 KiB', '3.00 TiB')
    """
    if count > 2**70:
        return "more than 2**70 bytes"
    units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while count >= 1024 and units[1:]:
        count /= 1024
        del units[0]
    digits = {"bytes": 0, "KiB": 1, "MiB": 1}.get(units[0], 2)
    return f"{count:,.{digits}f} {units[0]}"


def _installed() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # another system than Unix
        return None


def _limit_of_process() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def _limit_of_container() -> int | None:
    try:
        return int(_LIMIT_OF_CONTAINER.read_text())
    except (OSError, ValueError):  # there is none, or it is "max"
        return None
