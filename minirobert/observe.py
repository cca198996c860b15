"""Names for the intermediate tensors of a forward pass, and a way to look at them.

Forward code passes each intermediate through `observe`, under a path of `scope` names that follows
the checkpoint. Nothing is recorded, and next to nothing is spent, unless somebody watches:

>>> import minirobert
>>> model = minirobert.RobertaForMaskedLM.from_pretrained()
>>> with watch() as seen:
...     _ = model([[0, 100, 200, 2]])
>>> seen["roberta.encoder.layer.0.attention.self.probabilities"].shape
(1, 4, 4, 4)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from .arrays import Array

__all__ = ["observe", "scope", "watch"]

Watcher: TypeAlias = Callable[[str, Array], None]

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
_path: ContextVar[str] = ContextVar("path", default="")


def observe(name: str, array: Array) -> Array:
    """Name an intermediate tensor, and return it unchanged.

    Parameters
    ----------
    name : str
        Its name within the current `scope`.
    array : Array

    Returns
    -------
    Array
        The array itself, so that the call can stand inside a formula.
    """
    watcher = _watcher.get()
    if watcher is not None:
        watcher(_path.get() + name, array)
    return array


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Put ``name`` and a dot before every name that is observed inside the block."""
    token = _path.set(f"{_path.get()}{name}.")
    try:
        yield
    finally:
        _path.reset(token)


@contextmanager
def watch(watcher: Watcher | None = None) -> Iterator[dict[str, Array]]:
    """Look at every intermediate tensor that is computed inside the block, in order.

    Other threads are not watched, and of nested blocks only the innermost one watches.

    Parameters
    ----------
    watcher : callable, optional
        Called as ``watcher(name, array)``. It must not change the array.

    Yields
    ------
    dict of str to Array
        Filled while the block runs: name to array, in the order of the computation. It stays
        empty where a ``watcher`` is given, which may keep less than everything.

    >>> with watch(lambda name, array: print(name, array)):
    ...     with scope("layer"):
    ...         _ = observe("two", 1 + 1)
    layer.two 2
    """
    seen: dict[str, Array] = {}
    token = _watcher.set(seen.__setitem__ if watcher is None else watcher)
    try:
        yield seen
    finally:
        _watcher.reset(token)
