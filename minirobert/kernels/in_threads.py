"""Groups of tokens computed at once, each in a thread of its own.

BLAS has several threads for one product, and all that stands between two products has one. Here as
many threads as BLAS would have each take a group through all layers, with products of one thread:
none waits for another until the end. A call starts its threads and ends them, so that nothing is
left for another call, or for a process that is forked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from typing import TypeVar

from ..threads import blas_threads, taken_from_blas

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
    """Call ``work`` with each item, in whichever thread is free; an error ends all.

    Each sees the context variables of the caller, such as NumPy's ``errstate``.
    """
    from concurrent.futures import ThreadPoolExecutor  # 3 ms, for large batches alone

    def call(pair: tuple[Context, Item]) -> None:
        context, item = pair
        context.run(work, item)

    with taken_from_blas() as threads, ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(call, [(copy_context(), item) for item in items]):
            pass
