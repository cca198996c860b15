"""Objects that promise to be an array or a sequence, and fail when they are asked."""

from collections.abc import Callable
from typing import Any

import numpy as np


def _raising(error: BaseException) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        raise error

    return method


ERRORS = (
    *(KeyError("x"), IndexError("x"), AttributeError("x"), ZeroDivisionError("x")),
    *(RuntimeError("x" * 2000), RecursionError("x"), MemoryError(), OverflowError("x")),
    *(NotImplementedError(), BufferError("x"), OSError(5, "x"), ValueError("a\nb"), TypeError("x")),
)
METHODS = ("__array__", "__len__", "__iter__", "__getitem__", "__dlpack__", "__dlpack_device__")


def _hurtful(method: str, error: Exception) -> Any:
    others = {
        "__len__": lambda self: 2,
        "__iter__": lambda self: iter([[1, 2], [1, 2]]),
        "__getitem__": lambda self, key: [1, 2][key],
        "__repr__": _raising(RuntimeError("no repr")),
    }
    if "dlpack" in method:
        others["__dlpack_device__"] = lambda self: (1, 0)
        others["__dlpack__"] = _raising(RuntimeError("x"))
    if method == "__len__":
        del others["__iter__"]
    kind = type("Hurtful", (), {**others, method: _raising(error)})
    return kind()


class Bad(np.ndarray):
    """An array of which everything but its shape fails."""

    def __array_finalize__(self, other):
        pass

    def __array_ufunc__(self, *args, **kwargs):
        raise ZeroDivisionError("x")

    def __getitem__(self, key):
        raise ZeroDivisionError("x")


#: By name, what fails, made from right numbers.
HURTFUL: dict[str, Callable[[np.ndarray], Any]] = {
    f"{method} raises {type(error).__name__}": lambda v, m=method, e=error: _hurtful(m, e)
    for method in METHODS
    for error in ERRORS
}
