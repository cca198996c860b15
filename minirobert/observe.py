"""Names for the intermediate tensors of a forward pass, and a way to look at or change them.

Forward code passes each intermediate through `observe`, under a path of `scope` names that follows
the checkpoint: `minirobert.intermediates` lists them all. Nothing is recorded, and next to nothing
is spent, unless somebody watches:

>>> import minirobert
>>> model = minirobert.RobertaForMaskedLM.from_pretrained()
>>> with watch() as seen:
...     _ = model([[0, 100, 200, 2]])
>>> seen["roberta.encoder.layer.0.attention.self.probabilities"].shape
(1, 4, 4, 4)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase
from typing import TypeAlias

from .arrays import Array, array_namespace, device_of, dtype_name, is_array_api_obj, library_name
from .sentences import type_name

__all__ = ["Watcher", "is_watched", "observe", "scope", "watch"]

#: What is called with the name of each intermediate tensor and the tensor itself. It returns None,
#: or an array that takes the tensor's place.
Watcher: TypeAlias = Callable[[str, Array], "Array | None"]

_watches: ContextVar[tuple[_Watch, ...]] = ContextVar("watches", default=())
_path: ContextVar[str] = ContextVar("path", default="")


def observe(name: str, array: Array) -> Array:
    """Name an intermediate tensor, and return it, or what a watcher puts in its place.

    Parameters
    ----------
    name : str
        Its name within the current `scope`.
    array : Array

    Returns
    -------
    Array
        The array itself, unless a watcher returned another, so that the call can stand inside a
        formula.
    """
    watches = _watching()
    if not watches:
        return array
    path = _path.get() + name
    for one in watches:
        array = one.look(path, array)
    for one in watches:
        one.record(path, array)
    return array


class scope:  # noqa: N801  # reads as a function; a generator would take 2.5 times as long
    """Put ``name`` and a dot before every name that is observed inside the block.

    Parameters
    ----------
    name : str
        With an empty one nothing is put there.
    """

    __slots__ = ("_before", "_name")

    def __init__(self, name: str) -> None:
        self._name = f"{name}." if name else ""

    def __enter__(self) -> None:
        self._before = _enter(self._name)

    def __exit__(self, *error: object) -> None:
        _leave(self._before)


def is_watched() -> bool:
    """Tell whether anybody looks at what is computed."""
    return bool(_watching())


def _watching() -> tuple[_Watch, ...]:
    return _watches.get()


def _enter(name: str) -> str | None:
    if not _watches.get():
        return None  # nobody asks for the path
    before = _path.get()
    _path.set(before + name)
    return before


def _leave(before: str | None) -> None:
    if before is not None:
        _path.set(before)


# torch.compile cannot read a ContextVar. This is what torch.compiler.assume_constant_result sets,
# and has it run these while it compiles: a compiled model is watched as it was then.
for _function in (_watching, _enter, _leave):
    vars(_function)["_dynamo_marked_constant"] = True


@contextmanager
def watch(
    watcher: Watcher | None = None, *, keep: str | Iterable[str] = ()
) -> Iterator[dict[str, Array]]:
    """Look at every intermediate tensor that is computed inside the block, in order.

    A name that comes again begins another call: its names and those that follow begin with
    ``call.1.``, then with ``call.2.``, and so on, so that nothing is written over. The steps of
    generation have names of their own, ``step.0.``, ``step.1.`` …

    Blocks may be nested: all of them watch, the outermost first. Other threads are not watched,
    but for those that get this one's context, as of ``asyncio.to_thread``.

    Parameters
    ----------
    watcher : callable, optional
        Called as ``watcher(name, array)``. It must not change the array, but what it returns, if it
        is not None, takes the array's place in the computation: the same shape and dtype, on the
        same device.
    keep : str or iterable of str
        Look at the tensors alone whose names fit one of these patterns, in which ``*`` stands for
        anything: ``"encoder.layer.3.*"``, ``"*.scores"``. What stands before, as ``roberta.``, may
        be left out. By default all are looked at.

    Yields
    ------
    dict of str to Array
        Filled while the block runs: name to array, in the order of the computation; of an array
        that was replaced, that with which the computation went on. It stays empty where a
        ``watcher`` is given, which may keep less than everything.

    Raises
    ------
    ValueError
        Where the tensor is computed, if what the watcher returns cannot take its place.

    >>> with watch(lambda name, array: print(name, array)):
    ...     with scope("layer"):
    ...         _ = observe("two", 1 + 1)
    layer.two 2
    """
    seen: dict[str, Array] = {}
    before, path = _watches.get(), _path.get()
    try:  # also around what sets it: an interruption leaves nothing behind
        patterns = (keep,) if isinstance(keep, str) else tuple(keep)
        _watches.set((*before, _Watch(watcher, seen, patterns)))
        yield seen
    finally:
        _watches.set(before)
        _path.set(path)  # torch.compile, which may begin anew, does not leave every scope


class _Watch:
    """One block that watches: its watcher, or what it has seen; and how many calls there were."""

    def __init__(
        self, watcher: Watcher | None, seen: dict[str, Array], patterns: tuple[str, ...]
    ) -> None:
        self._watcher = watcher
        self._seen = seen
        self._patterns = patterns
        self._names: set[str] = set()  # of the current call
        self._calls = 0  # before the current one

    def look(self, path: str, array: Array) -> Array:
        """Let the watcher look, and give what it puts in the array's place."""
        if self._watcher is None or not self._keeps(path):
            return array
        replacement = self._watcher(self._numbered(path), array)
        return array if replacement is None else _checked(path, replacement, array)

    def record(self, path: str, array: Array) -> None:
        """Keep the array where there is no watcher."""
        if self._watcher is None and self._keeps(path):
            self._seen[self._numbered(path)] = array

    def _keeps(self, path: str) -> bool:
        if not self._patterns:
            return True
        return any(fnmatchcase(f".{path}", f"*.{pattern}") for pattern in self._patterns)

    def _numbered(self, path: str) -> str:
        if path in self._names:
            self._calls += 1
            self._names.clear()
        self._names.add(path)
        return f"call.{self._calls}.{path}" if self._calls else path


def _checked(path: str, new: Array, old: Array) -> Array:
    """Refuse what cannot stand in a tensor's place."""
    if is_array_api_obj(new) and _kind(new) == _kind(old):
        return new
    raise ValueError(
        f"a watcher returned {_described(new)} for {path}, which is {_described(old)}: return an "
        "array of this kind, or None to leave it as it is"
    )


def _kind(array: Array) -> tuple[object, ...]:
    if not is_array_api_obj(array):
        return (type(array),)
    return array_namespace(array), device_of(array), tuple(array.shape), array.dtype


def _described(value: Array) -> str:
    if not is_array_api_obj(value):
        return f"a {type_name(value)}"
    shape = list(value.shape)
    kind = f"{dtype_name(value)} of shape {shape}"
    return f"a {library_name(value)} array, {kind}, on device {device_of(value)}"
