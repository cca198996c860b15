"""float64 arrays whose numbers are the same, to the last bit, on every machine.

A library of linear algebra adds up in an order of its own, and that of the system or the processor
computes exp and tanh in a way of its own: the last bit of a result is not that of another machine.
IEEE 754 leaves no such choice for ``+``, ``-``, ``*``, ``/`` and the square root. Here everything
is made of these: sums go from the first term to the last, and exp, log and tanh are series. The
model runs on such arrays as on any others, by the Python array API; they are slow, and all that
small models need.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import array_api_compat.numpy as compat
import numpy as np

from ...arrays import Array

__all__ = ["PortableArray", "portable"]

Numbers = np.ndarray[Any, Any]


class PortableArray:
    """A NumPy array of float64, integers or booleans, with portable arithmetic.

    Parameters
    ----------
    value : array or nested lists

    >>> PortableArray([[1.0, 2.0]]) @ PortableArray([[3.0], [4.0]])
    PortableArray(array([[11.]]))
    """

    # Without this NumPy would take a PortableArray on its right for a list of numbers.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # as of arrays

    device = "cpu"

    def __init__(self, value: Any) -> None:
        self.value: Numbers = np.asarray(_plain(value))

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return _NAMESPACE

    def __dlpack__(self, **options: Any) -> Any:
        return self.value.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.value.__dlpack_device__()

    @property
    def dtype(self) -> Any:
        """What it holds."""
        return self.value.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    def item(self) -> Any:
        """Give the number of an array that holds one."""
        return self.value.item()

    def __getitem__(self, key: Any) -> PortableArray:
        return PortableArray(self.value[_plain(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.value[_plain(key)] = _plain(value)

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return operator.index(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"PortableArray({self.value!r})"

    def __neg__(self) -> PortableArray:
        return PortableArray(-self.value)

    def __invert__(self) -> PortableArray:
        return PortableArray(~self.value)

    def __matmul__(self, other: PortableArray) -> PortableArray:
        return PortableArray(_matmul(self.value, other.value))


def portable(value: Any) -> Array:
    """Make an array of portable arithmetic; floats of any size become float64."""
    array = np.asarray(value)
    made: Any = PortableArray(array.astype(np.float64) if array.dtype.kind == "f" else array)
    result: Array = made
    return result


def _operation(name: str) -> Callable[[Any, Any], PortableArray]:
    """Let an operator of NumPy's work on what the arrays hold: it rounds each number alone."""
    function = getattr(np.ndarray, name)

    def operate(self: PortableArray, other: Any) -> PortableArray:
        return PortableArray(function(self.value, _plain(other)))

    return operate


for _name in (
    *("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "mod"),
    *("and", "or", "lt", "le", "gt", "ge", "eq", "ne"),
):
    setattr(PortableArray, f"__{_name}__", _operation(f"__{_name}__"))


def _plain(value: Any) -> Any:
    """Take the NumPy arrays out of arguments."""
    if isinstance(value, PortableArray):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value


class _Namespace:
    """The functions of the array API: NumPy's own, where they do not compute but arrange."""

    __name__ = "portable"

    def __getattr__(self, name: str) -> Any:
        found = _COMPUTED.get(name) or getattr(compat, name)
        if isinstance(found, type) or not callable(found):  # dtypes and constants
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            plain = {option: _plain(value) for option, value in options.items()}
            result = found(*map(_plain, arguments), **plain)
            return PortableArray(result) if isinstance(result, np.ndarray | np.generic) else result

        return call


_NAMESPACE = _Namespace()


# Sums


def _sum(x: Numbers, axis: int | None = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Add up from the first term to the last: accumulate has no choice of the order."""
    if x.dtype.kind != "f":
        return np.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)
    if axis is None:
        return np.add.accumulate(x.reshape(-1))[-1]
    total = np.moveaxis(np.add.accumulate(x, axis=axis), axis, -1)[..., -1]
    return np.expand_dims(total, axis) if keepdims else total


def _mean(x: Numbers, axis: int | None = None, keepdims: bool = False) -> Any:
    terms = x.size if axis is None else x.shape[axis]
    return _sum(x, axis, keepdims=keepdims) / terms


def _matmul(a: Numbers, b: Numbers) -> Numbers:  # [..., M, X], [..., X, Y] -> [..., M, Y]
    products = a[..., :, None, :] * np.swapaxes(b, -1, -2)[..., None, :, :]  # [..., M, Y, X]
    return np.asarray(_sum(products, -1))


# Series

_LN2 = sum(Fraction(1, n * 2**n) for n in range(1, 100))
#: The first 32 bits of it, which whole numbers multiply exactly, and the rest.
_LN2_HIGH = math.floor(_LN2 * 2**32) / 2**32
_LN2_LOW = float(_LN2 - Fraction(_LN2_HIGH))
#: exp overflows above, and underflows to 0 below.
_MOST, _LEAST = 709.0, -746.0


def _reduced(x: Numbers) -> tuple[Numbers, Numbers]:
    """Write ``exp(x)`` as ``2^k (1 + p)``, with p between -0.3 and 0.42: give k and p."""
    x = np.clip(x, _LEAST, _MOST)
    k = np.rint(x / float(_LN2))
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    series = np.ones_like(r)
    for n in range(15, 1, -1):  # 1 + r/2 (1 + r/3 (1 + …))
        series = 1.0 + series * r / n
    return k.astype(np.int32), series * r


def _exp(x: Numbers) -> Numbers:
    k, p = _reduced(x)
    return np.ldexp(1.0 + p, k)


def _tanh(x: Numbers) -> Numbers:
    """Compute ``-m / (2 + m)`` with ``m = exp(-2 |x|) - 1``, which keeps the digits near 0."""
    k, p = _reduced(-2.0 * np.abs(x))
    m = np.ldexp(p, k) + (np.ldexp(1.0, k) - 1.0)
    return np.copysign(-m / (2.0 + m), x)


def _logarithm_of_ratio(s: Numbers) -> Numbers:
    """Compute ``log((1 + s) / (1 - s))`` for s from -0.18 to 1/3: ``2 (s + s^3/3 + s^5/5 + …)``."""
    square, series = s * s, np.zeros_like(s)
    for n in range(41, 0, -2):
        series = 1.0 / n + series * square
    return 2.0 * s * series


def _log(x: Numbers) -> Numbers:
    m, k = np.frexp(x)  # x = 2^k m, m from 1/2 to 1
    small = m * m < 0.5
    m, k = np.where(small, 2.0 * m, m), np.where(small, k - 1, k)
    near = _logarithm_of_ratio((m - 1.0) / (m + 1.0))
    return k * _LN2_HIGH + (near + k * _LN2_LOW)


def _log1p(x: Numbers) -> Numbers:
    """Compute ``log(1 + x)`` for x from 0 to 1, as of exp of what is not above 0."""
    return _logarithm_of_ratio(x / (2.0 + x))


_COMPUTED: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "mean": _mean,
    "matmul": _matmul,
    "exp": _exp,
    "log": _log,
    "log1p": _log1p,
    "tanh": _tanh,
}
