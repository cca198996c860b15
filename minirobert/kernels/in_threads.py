"""Groups of tokens computed at once, each in a thread of its own.

BLAS has several threads for one product, and all that stands between two products has one. Here as
many threads as BLAS would have each take a group through all layers, with products of one thread:
none waits for another until the end. A call starts its threads and ends them, so that nothing is
left for another call, or for a process that is forked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ..threads import blas_threads, map_in_threads, multiplies_small, taken_from_blas

__all__ = ["in_threads", "threads_for"]

NDArray: TypeAlias = np.ndarray[Any, Any]
Item = TypeVar("Item")

_TOKENS = 256  # of each thread: with fewer, its start and its end count
_FEW_TOKENS = range(16, 65)  # of each thread, with which BLAS has fast loops for one thread alone
_LARGE = 1 << 19  # numbers of a weight: with fewer, few tokens take less time than a thread
_MOST = 4  # threads that each read all weights; more were not measured


def threads_for(n_tokens: int, weight: NDArray) -> int:
    """Tell how many threads may each have a share of so many tokens, with such weights."""
    if n_tokens < 2 * _FEW_TOKENS.start:
        return 1
    threads = blas_threads()
    tokens = n_tokens // threads
    few = tokens in _FEW_TOKENS and weight.size >= _LARGE and threads <= _MOST
    return threads if tokens >= _TOKENS or (few and multiplies_small()) else 1


def in_threads(work: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Call ``work`` with each item, in whichever thread is free; an error ends all."""
    with taken_from_blas() as threads:
        map_in_threads(work, items, threads)
