"""Work in several threads, and how many the libraries of linear algebra may use meanwhile.

These read OPENBLAS_NUM_THREADS, OMP_NUM_THREADS and their like once, when they are loaded, and keep
to that in the whole process. Here, threadpoolctl tells them anew for the time of a computation, and
then puts back what was before: `limited` is around each batch of a pipeline, `taken_from_blas`
around what has threads of its own.

OpenBLAS and BLIS have one number for the process, so where several threads of Python compute at
once, the smallest of their limits counts, and the last to end puts the number back. OpenMP, with
which torch computes, and MKL have a number for each thread of Python.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from .rules import check, integer, optional

__all__ = [
    "blas_threads",
    "check_threads",
    "has_one_thread",
    "limited",
    "map_in_threads",
    "multiplies_small",
    "taken_from_blas",
]

Item = TypeVar("Item")
Result = TypeVar("Result")

_own_limit: ContextVar[int | None] = ContextVar("threads of this caller", default=None)


def check_threads(threads: Any) -> int | None:
    """Check a number of threads, and find the libraries that it is for."""
    check("threads", threads, optional(integer(1)))
    if threads is None:
        return None
    _POOLS.find()
    return int(threads)


def map_in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], threads: int
) -> list[Result]:
    """Call ``work`` with each item, in whichever of so many threads is free; an error ends all.

    Each sees the context variables of the caller, such as NumPy's ``errstate``.
    """
    if threads == 1 or not threading.main_thread().is_alive():  # Python ends: none starts
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # 3 ms

    contexts = [copy_context() for _ in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(Context.run, contexts, [work] * len(items), items))


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Compute with at most so many threads; with as many as the libraries will, if None."""
    if threads is None:
        yield
        return
    with _limited_here(threads), _POOLS.limited(threads):
        yield


def blas_threads() -> int:
    """Tell how many threads BLAS may use, or could if nobody had taken them.

    1 where it has another number in each thread of Python.
    """
    with _POOLS.lock:
        return _POOLS.of_blas()


def multiplies_small() -> bool:
    """Tell whether NumPy's BLAS has loops for small matrices, which copy nothing.

    OpenBLAS's kernels for AVX-512 do; those for AVX2 do not, and others were not measured.
    """
    return _POOLS.of_numpy()[1] == "SkylakeX"


def has_one_thread() -> bool:
    """Tell whether it has one thread for this caller, whatever others limit it to meanwhile."""
    limit = _own_limit.get()
    return (_POOLS.of_numpy()[0] if limit is None else limit) == 1


@contextmanager
def taken_from_blas() -> Iterator[int]:
    """Give the number of threads that one may compute in; BLAS has one in each of them.

    Whoever takes them while others have them gets 1.
    """
    with _limited_here(1), _POOLS.taken() as threads:
        yield threads


@contextmanager
def _limited_here(threads: int) -> Iterator[None]:
    """Note the limit of this caller."""
    before = _own_limit.get()
    try:
        _own_limit.set(threads if before is None else min(threads, before))
        yield
    finally:
        _own_limit.set(before)


class _Pools:
    """The libraries of this process, and what they are told at the moment."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.limits: list[int] = []  # of what is being computed
        self.n_taken = 0  # how many compute with threads of their own
        self.shared: list[Any] = []  # libraries with one number for the process
        self.before: list[int] = []  # the numbers of these without either
        self.own: list[Any] = []  # libraries with a number for each thread of Python
        self.are_found = False

    def find(self) -> None:
        """Look which libraries are loaded by now."""
        with self.lock:
            if not self._are_told():
                self._find()

    def _find(self) -> None:
        from threadpoolctl import ThreadpoolController  # takes a while

        found = ThreadpoolController().lib_controllers
        self.shared = [one for one in found if not _is_of_one_thread(one)]
        self.own = [one for one in found if _is_of_one_thread(one)]
        self.are_found = True

    def of_blas(self) -> int:
        """Tell how many threads BLAS may use, where that is one number for the process."""
        if self._own_blas() or not self.shared:  # NumPy's, perhaps
            return 1
        return min(self.limits or (self.before if self.n_taken else _numbers(self.shared)))

    def of_numpy(self) -> tuple[int, str | None]:
        """Tell of NumPy's BLAS how many threads it has where no other thread of Python limits it.

        And for which processor it has chosen its loops, where it says so.
        """
        with self.lock:
            blas = self._own_blas() + self.shared
            told = _numbers(self._own_blas())
            told += self.before if self._are_told() else _numbers(self.shared)
        if not blas:
            return 1, None
        # other packages bring libraries of their own
        first = min(range(len(blas)), key=lambda i: "numpy" not in blas[i].filepath)
        return told[first], getattr(blas[first], "architecture", None)

    def _own_blas(self) -> list[Any]:
        """Find BLAS with a number for each thread of Python; what is shared is BLAS, too."""
        if not self.are_found:
            self._find()
        return [one for one in self.own if one.user_api == "blas"]

    @contextmanager
    def taken(self) -> Iterator[int]:
        """Leave one thread to each BLAS, and give the number that may be had in its place."""
        with self.lock:
            threads = 1 if self.n_taken else self.of_blas()
            self._remember()
            self.n_taken += 1
            self._tell_shared()
        try:
            yield threads
        finally:
            with self.lock:
                self.n_taken -= 1
                self._tell_shared()

    @contextmanager
    def limited(self, threads: int) -> Iterator[None]:
        """Limit all libraries, where possible for this thread of Python alone."""
        _let_torch_begin()
        own = self.own
        before = _numbers(own)
        try:
            _tell(own, [threads] * len(own))
            with self._shared_limited(threads):
                yield
        finally:
            _tell(own, before)

    @contextmanager
    def _shared_limited(self, threads: int) -> Iterator[None]:
        with self.lock:
            self._remember()
            self.limits.append(threads)
            self._tell_shared()
        try:
            yield
        finally:
            with self.lock:
                self.limits.remove(threads)
                self._tell_shared()

    def begin_in_child(self) -> None:
        """Take back what was taken by threads that are not there in a process that was forked."""
        self.lock = threading.Lock()
        if self.n_taken:
            self.n_taken = 0
            self._tell_shared()

    def _are_told(self) -> bool:
        return bool(self.limits or self.n_taken)

    def _remember(self) -> None:
        if not self._are_told():
            self.before = _numbers(self.shared)

    def _tell_shared(self) -> None:
        limits = [1] if self.n_taken else self.limits
        _tell(self.shared, [min(limits)] * len(self.shared) if limits else self.before)


def _numbers(libraries: list[Any]) -> list[int]:
    return [one.num_threads for one in libraries]


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
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _POOLS.begin_in_child())
