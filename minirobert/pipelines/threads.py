"""How many threads the libraries of linear algebra may use while a pipeline computes.

They read OPENBLAS_NUM_THREADS, OMP_NUM_THREADS and their like once, when they are loaded, and keep
to that in the whole process. Here, threadpoolctl tells them anew for the time of a computation, and
then puts back what was before: `limited` is around each batch.

OpenBLAS and BLIS have one number for the process, so where several threads of Python compute at
once, the smallest of their limits counts, and the last to end puts the number back. OpenMP, with
which torch computes, and MKL have a number for each thread of Python.
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
    """The libraries of this process, and the limits that they have at the moment."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.limits: list[int] = []  # of what is being computed
        self.shared: list[Any] = []  # libraries with one number for the process
        self.before: list[int] = []  # the numbers of these without a limit
        self.own: list[Any] = []  # libraries with a number for each thread of Python

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
                found = ThreadpoolController().lib_controllers
                self.shared = [one for one in found if not _is_of_one_thread(one)]
                self.own = [one for one in found if _is_of_one_thread(one)]

    @contextmanager
    def limited(self, threads: int) -> Iterator[None]:
        """Limit all libraries, where possible for this thread of Python alone."""
        _let_torch_begin()
        own = self.own
        before = [one.num_threads for one in own]
        try:
            _tell(own, [threads] * len(own))
            with self._shared_limited(threads):
                yield
        finally:
            _tell(own, before)

    @contextmanager
    def _shared_limited(self, threads: int) -> Iterator[None]:
        with self.lock:
            if not self.limits:
                self.before = [one.num_threads for one in self.shared]
            self.limits.append(threads)
            self._tell_shared()
        try:
            yield
        finally:
            with self.lock:
                self.limits.remove(threads)
                self._tell_shared()

    def _tell_shared(self) -> None:
        limits = [min(self.limits)] * len(self.shared) if self.limits else self.before
        _tell(self.shared, limits)


def _is_of_one_thread(library: Any) -> bool:
    """Tell whether a library has a number for each thread of Python."""
    if library.internal_api == "openblas":
        return bool(library.threading_layer == "openmp")
    return library.internal_api in ("openmp", "mkl")


def _tell(libraries: list[Any], numbers: list[int]) -> None:
    """Set the number of each library, from whichever thread of Python this is.

    Since 3.8, threadpoolctl heeds one thread of Python that tells OpenBLAS a number, and passes
    over what others say, until it is told to forget that thread.
    """
    for library, number in zip(libraries, numbers, strict=True):
        forget = getattr(library, "clear_controlling_thread", lambda force: None)
        forget(force=True)
        library.set_num_threads(number)
        forget(force=True)


def _let_torch_begin() -> None:
    """Let torch set the threads of this thread of Python, which it would do within, and undo us."""
    if "torch" in sys.modules:
        sys.modules["torch"].get_num_threads()


_POOLS = _Pools()
