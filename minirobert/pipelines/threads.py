"""How many threads the libraries of linear algebra may use while a pipeline computes.

They read OPENBLAS_NUM_THREADS, OMP_NUM_THREADS and their like once, when they are loaded, and keep
to that in the whole process. Here, threadpoolctl tells them anew for the time of a computation, and
then puts back what was before: `limited` is around each batch.

BLAS (OpenBLAS, MKL, BLIS) has one number for all threads of Python, so where several of them
compute at once, the smallest of their limits counts, and the last to end puts the number back.
OpenMP, with which torch computes, has a number for each thread of Python.

A limit that is known: where two BLAS are loaded with different numbers, several callers at once may
leave one of them with the number of the other.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..rules import check, integer, optional

__all__ = ["check_threads", "limited"]


def check_threads(threads: Any) -> int | None:
    """Check a number of threads, and find the libraries that it is for."""
    check("threads", threads, optional(integer(1)))
    if threads is None:
        return None
    _POOLS.find()
    return int(threads)


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Compute with at most so many threads; with as many as the libraries will, if None."""
    if threads is None:
        yield
        return
    with _POOLS.limited(threads):
        yield


class _Pools:
    """The thread pools of this process, and the limits that they have at the moment."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.limits: list[int] = []  # of what is being computed
        self.blas: Any = None
        self.openmp: Any = None
        self.before: Any = None  # puts back the numbers of BLAS

    def find(self) -> None:
        """Look which libraries are loaded by now."""
        try:
            from threadpoolctl import ThreadpoolController
        except ImportError:
            raise ImportError(
                "threads= needs threadpoolctl, which is not installed: pip install threadpoolctl, "
                "or set the environment variables OPENBLAS_NUM_THREADS and OMP_NUM_THREADS before "
                "Python starts"
            ) from None
        with self.lock:
            if not self.limits:
                found = ThreadpoolController()
                self.blas = found.select(user_api="blas")
                self.openmp = found.select(user_api="openmp")

    @contextmanager
    def limited(self, threads: int) -> Iterator[None]:
        """Limit all pools, those of OpenMP for this thread of Python alone."""
        _let_torch_begin()
        with self.openmp.limit(limits=threads):
            with self.lock:
                self.limits.append(threads)
                self._tell_blas()
            try:
                yield
            finally:
                with self.lock:
                    self.limits.remove(threads)
                    self._tell_blas()

    def _tell_blas(self) -> None:
        if not self.limits:
            self.before.restore_original_limits()
            self.before = None
            return
        made = self.blas.limit(limits=min(self.limits))
        self.before = self.before or made


def _let_torch_begin() -> None:
    """Let torch set the threads of this thread of Python, which it would do within, and undo us."""
    if "torch" in sys.modules:
        sys.modules["torch"].get_num_threads()


_POOLS = _Pools()
