"""Groups of tokens computed at once, each in a thread of its own.

BLAS has several threads for one product, and all that stands between two products has one. Here as
many threads as BLAS would have each take a group through all layers, with products of one thread:
none waits for another until the end. A call starts its threads and ends them, so that nothing is
left for another call, or for a process that is forked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..threads import blas_threads, map_in_threads, taken_from_blas

__all__ = ["in_threads", "threads_for"]

Item = TypeVar("Item")

_TOKENS = 256  # of each thread: with fewer, its start and its end count


def threads_for(n_tokens: int) -> int:
    """Tell how many threads may each have a share of so many tokens."""
    if n_tokens < 2 * _TOKENS or not threading.main_thread().is_alive():  # Python ends: none starts
        return 1
    threads = blas_threads()
    return threads if n_tokens >= threads * _TOKENS else 1


def in_threads(work: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Call ``work`` with each item, in whichever thread is free; an error ends all."""
    with taken_from_blas() as threads:
        map_in_threads(work, items, threads)
