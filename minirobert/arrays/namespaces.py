"""What an array is to this package, and the library that it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, cast

import array_api_compat
import numpy as np

__all__ = [
    "AXES",
    "Array",
    "Namespace",
    "Shape",
    "array_namespace",
    "device_of",
    "is_array_api_obj",
    "is_numpy",
    "library_name",
    "namespace_name",
]

Shape: TypeAlias = tuple[int, ...]


class Array(Protocol):
    """An array of any library that follows the standard, as far as this package uses it."""

    @property
    def dtype(self) -> Any:
        """What it holds: an object of its library."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def shape(self) -> Shape:
        """The length of each axis."""

    def __getitem__(self, key: Any, /) -> Array: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __add__(self, other: Any, /) -> Array: ...
    def __radd__(self, other: Any, /) -> Array: ...
    def __sub__(self, other: Any, /) -> Array: ...
    def __rsub__(self, other: Any, /) -> Array: ...
    def __mul__(self, other: Any, /) -> Array: ...
    def __rmul__(self, other: Any, /) -> Array: ...
    def __truediv__(self, other: Any, /) -> Array: ...
    def __rtruediv__(self, other: Any, /) -> Array: ...
    def __floordiv__(self, other: Any, /) -> Array: ...
    def __matmul__(self, other: Any, /) -> Array: ...
    def __mod__(self, other: Any, /) -> Array: ...
    def __pow__(self, other: Any, /) -> Array: ...
    def __neg__(self) -> Array: ...
    def __invert__(self) -> Array: ...
    def __and__(self, other: Any, /) -> Array: ...
    def __or__(self, other: Any, /) -> Array: ...
    def __lt__(self, other: Any, /) -> Array: ...
    def __le__(self, other: Any, /) -> Array: ...
    def __gt__(self, other: Any, /) -> Array: ...
    def __ge__(self, other: Any, /) -> Array: ...
    def __eq__(self, other: object, /) -> Array: ...  # type: ignore[override]  # as arrays do
    def __ne__(self, other: object, /) -> Array: ...  # type: ignore[override]  # as arrays do
    def __bool__(self) -> bool: ...
    def __int__(self) -> int: ...
    def __float__(self) -> float: ...


class Namespace(Protocol):
    """The functions of an array library, most of which give an array."""

    __name__: str
    float32: Any
    float64: Any
    int32: Any
    int64: Any
    uint64: Any
    bool: Any
    finfo: Callable[[Any], Any]
    iinfo: Callable[[Any], Any]
    isdtype: Callable[[Any, Any], Any]
    result_type: Callable[..., Any]

    def __getattr__(self, name: str, /) -> Callable[..., Array]: ...


def array_namespace(*arrays: Any) -> Namespace:
    """Find the library that arrays belong to, which must be the same.

    Numbers of Python belong to none.
    """
    for array in arrays:
        if type(array) is not np.ndarray:
            return cast("Namespace", array_api_compat.array_namespace(*arrays))
    return _numpy()  # what that finds too, but it takes as long as a small formula


@cache
def _numpy() -> Namespace:
    return cast("Namespace", array_api_compat.array_namespace(np.empty(0)))


def is_numpy(xp: Any) -> bool:
    """Tell whether a library is NumPy, as itself or through array_api_compat."""
    return namespace_name(xp) == "numpy"


def namespace_name(xp: Any) -> str:
    """Name a library as it is imported: ``"numpy"``, ``"jax.numpy"``, ``"dask.array"``."""
    return str(xp.__name__).removeprefix("array_api_compat.")


def library_name(array: Array) -> str:
    """Name the library that an array belongs to, such as ``"numpy"``."""
    return type(array).__module__.partition(".")[0]


# Under types that say no more than this package relies on:
device_of: Callable[[Any], Any] = array_api_compat.device
is_array_api_obj: Callable[[Any], bool] = array_api_compat.is_array_api_obj


#: The letters that stand for axes in every file, as in ``[B, N, S, T]``; ``...`` is any number of
#: axes, and a product or sum of letters is one axis: ``[B C, S]``, ``[B, N, K + S, D]``.
AXES: Mapping[str, str] = MappingProxyType(
    {
        "B": "batch: the texts",
        "C": "classes of a text or token, or choices",
        "D": "size of a head, H / N",
        "E": "tokens of the encoder's text, which a decoder's cross-attention looks at",
        "H": "hidden size",
        "I": "intermediate size, inside the feed-forward network",
        "K": "tokens kept in the cache, the past",
        "L": "layers",
        "M": "rows of any kind, such as all tokens of all texts, or the masks of one",
        "N": "attention heads; fewer in a layer that was pruned",
        "P": "rows of the position table",
        "R": "sequences that are generated for each text",
        "S": "sequence: the tokens of this call, the queries of attention",
        "T": "keys of attention: K + S of them, or E",
        "V": "vocabulary",
        "W": "width of a beam search",
        "X": "what goes into a formula of any width",
        "Y": "what comes out of it",
    }
)
