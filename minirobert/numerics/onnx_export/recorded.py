"""Arrays that have a dtype and a shape but no numbers: what is computed of them is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .lengths import AnyShape

if TYPE_CHECKING:
    from .recorder import Recorder

__all__ = ["BOOL", "Recorded"]

BOOL = np.dtype(bool)


def _operator(operation: str, *, result: Any = None) -> Any:
    """Make a method that records an operation on an array, and perhaps an array or number."""

    def method(self: Recorded, *others: Any) -> Recorded:
        return self.__array_namespace__().elementwise(operation, self, *others, result=result)

    return method


def _reflected(operation: str) -> Any:
    """Make the method for an array on the right of a number."""

    def method(self: Recorded, other: Any) -> Recorded:
        return self.__array_namespace__().elementwise(operation, other, self)

    return method


class Recorded:
    """An array in a program that is being recorded: the name of a value in the graph.

    Parameters
    ----------
    name : str
    shape : tuple of int or Length
    dtype : NumPy dtype
    home : Recorder
        The namespace, which also does the work of the operators.
    """

    is_symbolic = True  # see `minirobert.arrays.has_values`
    device = "any"

    def __init__(self, name: str, shape: AnyShape, dtype: np.dtype[Any], home: Recorder) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self._home = home

    def __array_namespace__(self, *, api_version: str | None = None) -> Recorder:
        return self._home

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    __add__, __radd__ = _operator("Add"), _reflected("Add")
    __sub__, __rsub__ = _operator("Sub"), _reflected("Sub")
    __mul__, __rmul__ = _operator("Mul"), _reflected("Mul")
    __truediv__, __rtruediv__ = _operator("Div"), _reflected("Div")
    __and__, __or__, __invert__ = _operator("And"), _operator("Or"), _operator("Not")
    __neg__ = _operator("Neg")
    __lt__, __le__ = _operator("Less", result=BOOL), _operator("LessOrEqual", result=BOOL)
    __gt__, __ge__ = _operator("Greater", result=BOOL), _operator("GreaterOrEqual", result=BOOL)
    __eq__ = _operator("Equal", result=BOOL)
    __hash__ = object.__hash__

    def __ne__(self, other: object) -> Any:
        return ~(self == other)

    def __matmul__(self, other: Recorded) -> Recorded:
        return self._home.matmul(self, other)

    def __getitem__(self, key: Any) -> Recorded:
        return self._home.part(self, key if isinstance(key, tuple) else (key,))

    def __bool__(self) -> bool:
        raise TypeError("an array that is being recorded has no values")

    __int__ = __float__ = __index__ = __bool__  # nor has it any of another kind
