"""The functions of the array API for `BoundedArray`: each gives a value and its bound.

Those that move numbers move their bounds alike. Those that compute add what they round.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from .arithmetic import FORMATS, Arithmetic, Format
from .bounded import BoundedArray, Numbers, bounded, c, carried, is_real, numbers, rounded

__all__ = ["Operations"]


class Operations:
    """An array library whose arrays carry bounds, for the arithmetic of one port.

    Parameters
    ----------
    arithmetic : Arithmetic
    """

    __name__ = "minirobert.numerics"

    int64 = np.dtype("int64")
    int32 = np.dtype("int32")
    uint64 = np.dtype("uint64")
    bool = np.dtype("bool")
    nan, inf, newaxis = np.nan, np.inf, None

    def __init__(self, arithmetic: Arithmetic) -> None:
        formats = {name: _with_our_own(one) for name, one in FORMATS.items()}
        #: In what tensors are handed on.
        self.store = formats[arithmetic.store]
        #: In what sums and curves are computed.
        self.sums = formats[str(arithmetic.accumulate)]
        self.float64, self.float32 = formats["float64"], formats["float32"]
        self.float16, self.bfloat16 = formats["float16"], formats["bfloat16"]
        if self.store.is_half:  # and so is widened to float32, for the sums
            self.float32 = self.sums._replace(name="float32")

    # arrays from nothing

    def asarray(self, value: Any, dtype: Any = None, device: Any = None) -> BoundedArray:
        """Take numbers as they are; floating-point ones are the port's."""
        if isinstance(value, BoundedArray):
            return value if dtype in (None, value.dtype) else self.astype(value, dtype)
        array = np.asarray(value, None if isinstance(dtype, Format) else dtype)
        if array.dtype.kind == "f" or isinstance(dtype, Format):
            value = array.astype(np.float64, copy=False)
            return BoundedArray(value, None, dtype or self.store, self)
        return bounded(array, self)

    def from_dlpack(self, value: Any) -> BoundedArray:
        """Take an array of another library."""
        return self.asarray(np.from_dlpack(value))

    def _made(self, array: Numbers, dtype: Any) -> BoundedArray:
        if dtype is None and array.dtype.kind == "f":
            dtype = self.store
        return self.asarray(array, dtype)

    def zeros(self, shape: Any, *, dtype: Any = None, device: Any = None) -> BoundedArray:
        """Give zeros."""
        return self._made(np.zeros(shape), dtype)

    empty = zeros

    def ones(self, shape: Any, *, dtype: Any = None, device: Any = None) -> BoundedArray:
        """Give ones."""
        return self._made(np.ones(shape), dtype)

    def zeros_like(self, x: BoundedArray, *, dtype: Any = None) -> BoundedArray:
        """Give zeros of the shape of an array."""
        return self._made(np.zeros(x.shape), dtype or x.dtype)

    def ones_like(self, x: BoundedArray, *, dtype: Any = None) -> BoundedArray:
        """Give ones of the shape of an array."""
        return self._made(np.ones(x.shape), dtype or x.dtype)

    def arange(self, *limits: Any, dtype: Any = None, device: Any = None) -> BoundedArray:
        """Count."""
        return self._made(np.arange(*limits), dtype)

    # dtypes

    def astype(self, x: BoundedArray, dtype: Any, *, copy: Any = True) -> BoundedArray:
        """Convert: to a narrower format by one rounding."""
        if x.dtype == dtype:
            return x
        if not isinstance(dtype, Format):
            return bounded(x.value.astype(dtype), self)
        value = x.value.astype(np.float64, copy=False)
        bound = x.bound
        if is_real(x) and dtype.unit > x.dtype.unit and bound is not None:
            bound = bound + dtype.unit * abs(value) + dtype.floor
        return BoundedArray(value, bound, dtype, self, x.maps)

    def isdtype(self, dtype: Any, kind: Any) -> Any:
        """Tell what kind of dtype one is."""
        if isinstance(dtype, Format):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            return bool({"real floating", "numeric"} & {*map(str, kinds)}) or dtype in kinds
        return np.isdtype(dtype, kind)

    def finfo(self, dtype: Any) -> Any:
        """Give the limits of a format."""
        return SimpleNamespace(min=dtype.lowest, max=-dtype.lowest, eps=2 * dtype.unit)

    def result_type(self, *operands: Any) -> Any:
        """Give the dtype of a result: the widest format."""
        dtypes = [getattr(one, "dtype", one) for one in operands]
        formats = [one for one in dtypes if isinstance(one, Format)]
        return min(formats, key=lambda one: one.unit) if formats else np.result_type(*dtypes)

    # what moves numbers

    def _moved(self, move: Any, x: BoundedArray, *more: Any, **how: Any) -> BoundedArray:
        bound = None if x.bound is None else move(x.bound, *more, **how)
        return BoundedArray(move(x.value, *more, **how), bound, x.dtype, self, x.maps)

    def reshape(self, x: BoundedArray, shape: Any) -> BoundedArray:
        """Give another shape."""
        return self._moved(np.reshape, x, shape)

    def permute_dims(self, x: BoundedArray, axes: Any) -> BoundedArray:
        """Put the axes in another order."""
        return self._moved(np.transpose, x, axes)

    def matrix_transpose(self, x: BoundedArray) -> BoundedArray:
        """Exchange the last two axes."""
        return self._moved(np.matrix_transpose, x)

    def broadcast_to(self, x: BoundedArray, shape: Any) -> BoundedArray:
        """Repeat along axes of length 1."""
        return self._moved(np.broadcast_to, x, shape)

    def take(self, x: BoundedArray, ids: BoundedArray, *, axis: int) -> BoundedArray:
        """Take slices."""
        return self._moved(np.take, x, ids.value, axis=axis)

    def take_along_axis(self, x: BoundedArray, ids: BoundedArray, *, axis: int) -> BoundedArray:
        """Take one element of each row."""
        return self._moved(np.take_along_axis, x, ids.value, axis=axis)

    def repeat(self, x: BoundedArray, times: Any, *, axis: int | None = None) -> BoundedArray:
        """Repeat each slice."""
        return self._moved(np.repeat, x, numbers(times).value, axis=axis)

    def _joined(self, join: Any, arrays: Any, axis: int) -> BoundedArray:
        first, bound = arrays[0], None
        if any(one.bound is not None for one in arrays):
            bound = join([_bound(one) for one in arrays], axis=axis)
        value = join([one.value for one in arrays], axis=axis)
        return BoundedArray(value, bound, first.dtype, self, max(one.maps for one in arrays))

    def concat(self, arrays: Any, *, axis: int = 0) -> BoundedArray:
        """Put arrays behind each other."""
        return self._joined(np.concat, arrays, axis)

    def stack(self, arrays: Any, *, axis: int = 0) -> BoundedArray:
        """Put arrays beside each other, along a new axis."""
        return self._joined(np.stack, arrays, axis)

    def where(self, condition: BoundedArray, a: Any, b: Any) -> BoundedArray:
        """Take each number from one of two arrays."""
        (x, dx), (y, dy) = numbers(a), numbers(b)
        value = np.where(condition.value, x, y)
        if not is_real(a, b):
            return bounded(value, self)
        bound = None
        if dx is not None or dy is not None:
            bound = np.where(condition.value, 0 if dx is None else dx, 0 if dy is None else dy)
        dtype = next(one.dtype for one in (a, b) if is_real(one))
        return BoundedArray(value, bound, dtype, self, max(carried(a, b), 0))

    # comparisons, on the values alone

    def any(self, x: BoundedArray, **how: Any) -> BoundedArray:
        """Tell whether one is true."""
        return bounded(np.any(x.value, **how), self)

    def all(self, x: BoundedArray, **how: Any) -> BoundedArray:
        """Tell whether all are true."""
        return bounded(np.all(x.value, **how), self)

    def isin(self, x: BoundedArray, values: BoundedArray) -> BoundedArray:
        """Tell which are among some values."""
        return bounded(np.isin(x.value, values.value), self)

    def isnan(self, x: BoundedArray) -> BoundedArray:
        """Tell which are not a number."""
        return bounded(np.isnan(x.value), self)

    def argmax(self, x: BoundedArray, **how: Any) -> BoundedArray:
        """Find the largest."""
        return bounded(np.argmax(x.value, **how), self)

    def argmin(self, x: BoundedArray, **how: Any) -> BoundedArray:
        """Find the least."""
        return bounded(np.argmin(x.value, **how), self)

    def argsort(self, x: BoundedArray, *, axis: int = -1, **how: Any) -> BoundedArray:
        """Put in order."""
        value = -x.value if how.get("descending") else x.value
        return bounded(np.argsort(value, axis=axis, stable=True), self)

    # what computes

    def cumulative_sum(self, x: BoundedArray, *, axis: int) -> BoundedArray:
        """Count up; only integers are."""
        return bounded(np.cumulative_sum(x.value, axis=axis), self)

    def sum(self, x: BoundedArray, *, axis: Any = None, keepdims: Any = False) -> BoundedArray:
        """Add up."""
        value = np.sum(x.value, axis=axis, keepdims=keepdims)
        if not is_real(x):
            return bounded(value, self)
        n = x.size // max(value.size, 1)
        off = c(n) * self.sums.unit * abs(x.value) + _bound(x)
        return rounded(value, [np.sum(off, axis=axis, keepdims=keepdims)], x)

    def mean(self, x: BoundedArray, *, axis: Any = None, keepdims: Any = False) -> BoundedArray:
        """Average."""
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / (x.size / max(total.size, 1))

    def max(self, x: BoundedArray, *, axis: Any = None, keepdims: Any = False) -> BoundedArray:
        """Give the largest, which is off by no more than what is off most."""
        return self._extreme(np.max, x, axis, keepdims)

    def min(self, x: BoundedArray, *, axis: Any = None, keepdims: Any = False) -> BoundedArray:
        """Give the least, which is off by no more than what is off most."""
        return self._extreme(np.min, x, axis, keepdims)

    def _extreme(self, find: Any, x: BoundedArray, axis: Any, keepdims: Any) -> BoundedArray:
        bound = None if x.bound is None else np.max(x.bound, axis=axis, keepdims=keepdims)
        value = find(x.value, axis=axis, keepdims=keepdims)
        return BoundedArray(value, bound, x.dtype, self, x.maps)

    def minimum(self, a: BoundedArray, b: BoundedArray) -> BoundedArray:
        """Give the lesser of two."""
        return self.where(a < b, a, b)

    def maximum(self, a: BoundedArray, b: BoundedArray) -> BoundedArray:
        """Give the larger of two."""
        return self.where(a > b, a, b)

    def clip(self, x: BoundedArray, least: Any = None, most: Any = None) -> BoundedArray:
        """Keep numbers within limits, which brings them no further apart."""
        return BoundedArray(np.clip(x.value, least, most), x.bound, x.dtype, self, x.maps)

    def abs(self, x: BoundedArray) -> BoundedArray:
        """Leave out the sign."""
        return BoundedArray(abs(x.value), x.bound, x.dtype, self, x.maps)

    def sqrt(self, x: BoundedArray) -> BoundedArray:
        """Take the root."""
        return self.curve(np.sqrt, x)

    def exp(self, x: BoundedArray) -> BoundedArray:
        """Take the exponential."""
        return self.curve(np.exp, x)

    def log(self, x: BoundedArray) -> BoundedArray:
        """Take the logarithm."""
        return self.curve(np.log, x)

    def log1p(self, x: BoundedArray) -> BoundedArray:
        """Take the logarithm of 1 + x."""
        return self.curve(np.log1p, x)

    def tanh(self, x: BoundedArray) -> BoundedArray:
        """Take the hyperbolic tangent."""
        return self.curve(np.tanh, x)

    def curve(
        self,
        function: Callable[[Numbers], Numbers],
        x: BoundedArray,
        centre: float = 0.0,
        unit: float | None = None,
    ) -> BoundedArray:
        """Apply an elementary function, which libraries compute to some roundoffs.

        What goes in may be off, so the curve is looked at on either side.

        Parameters
        ----------
        function : callable
            Of NumPy's arrays.
        x : BoundedArray
        centre : float
            Of the curve: around another than 0 it has the roundoffs of a difference.
        unit : float, optional
            Of the roundoffs within; by default that of sums.
        """
        value = function(x.value)
        size = abs(x.value) + abs(value) + centre
        within = self.sums.unit if unit is None else unit
        errors = [CURVE * within * size + x.dtype.unit * abs(value)]
        if x.bound is not None:
            sides = [abs(function(x.value + side * x.bound) - value) for side in (-1, 1)]
            errors.append(np.maximum(*sides))
        return rounded(value, errors, x)


def _with_our_own(one: Format) -> Format:
    """Let bounds allow for what is computed here, in float64, too."""
    return one._replace(unit=one.unit + FORMATS["float64"].unit)


#: Roundoffs of an elementary function or activation, of ``|x| + |y|``: a GELU whose ``1 + erf``
#: cancels is off by as many of |x|. Measured: up to 5.9, of torch's float32 GELU.
CURVE = 12


def _bound(x: BoundedArray) -> Numbers:
    return np.zeros(x.shape) if x.bound is None else x.bound
