"""An array library that computes nothing: it records a forward pass as an ONNX graph.

The model's own code runs on it, on arrays that have no numbers; each operation becomes a node. The
lengths of the batch and of the texts stay names (see `minirobert.numerics.onnx_export.lengths`),
and so the graph serves texts of all lengths.
"""

from __future__ import annotations

from functools import reduce
from types import EllipsisType
from typing import Any

import numpy as np

from .graph import Graph
from .lengths import AnyShape, Length, broadcast, split
from .recorded import BOOL, Recorded

__all__ = ["Recorder"]


class Recorder:
    """The namespace of `Recorded` arrays: the functions that a forward pass calls.

    One that is not here is needed by no forward pass: who writes a new formula adds it.
    """

    __name__ = "the export to ONNX"
    bool = BOOL
    float16, float32, float64 = map(np.dtype, ("float16", "float32", "float64"))
    int32, int64, uint64 = map(np.dtype, ("int32", "int64", "uint64"))
    finfo = staticmethod(np.finfo)
    isdtype = staticmethod(np.isdtype)

    def __init__(self) -> None:
        self.graph = Graph()
        self._lengths: dict[str, str] = {}  # of a length's name: the value that measures it
        self._shapes: dict[AnyShape, str] = {}  # the values of those that were needed

    def argument(self, name: str, shape: AnyShape, dtype: str) -> Recorded:
        """Make an array that is given when the graph is run; its lengths may be names."""
        for axis, one in enumerate(shape):
            if isinstance(one, Length) and repr(one) not in self._lengths:
                sizes = self.graph.node("Shape", name, start=axis, end=axis + 1)
                self._lengths[repr(one)] = sizes
        return Recorded(name, shape, np.dtype(dtype), self)

    # Element by element

    def elementwise(self, operation: str, *arguments: Any, result: Any = None) -> Recorded:
        """Record an operation; numbers among its arguments take the dtype of the first array."""
        arrays = [one for one in arguments if isinstance(one, Recorded)]
        dtype = next((one.dtype for one in arrays if one.dtype != BOOL), BOOL)
        names = [self._name(one, dtype) for one in arguments]
        shape = broadcast(*(one.shape for one in arrays))
        return self._made(operation, names, shape, dtype if result is None else result)

    def _made(
        self, operation: str, names: Any, shape: AnyShape, dtype: Any, **attributes: Any
    ) -> Recorded:
        return Recorded(self.graph.node(operation, *names, **attributes), shape, dtype, self)

    def _name(self, value: Any, dtype: Any) -> str:
        if isinstance(value, Recorded):
            return value.name
        return "" if value is None else self.graph.constant(value, dtype)

    def abs(self, x: Recorded) -> Recorded:
        """Record the size of each element."""
        return self.elementwise("Abs", x)

    def exp(self, x: Recorded) -> Recorded:
        """Record ``e^x``."""
        return self.elementwise("Exp", x)

    def log(self, x: Recorded) -> Recorded:
        """Record the natural logarithm."""
        return self.elementwise("Log", x)

    def sqrt(self, x: Recorded) -> Recorded:
        """Record the square root."""
        return self.elementwise("Sqrt", x)

    def tanh(self, x: Recorded) -> Recorded:
        """Record the hyperbolic tangent."""
        return self.elementwise("Tanh", x)

    def log1p(self, x: Recorded) -> Recorded:
        """Record ``log(1 + x)``, which ONNX lacks, without losing the digits of a small x.

        ``log(w) x / (w - 1)`` with ``w = 1 + x`` rounded: its two errors cancel (Goldberg 1991,
        What every computer scientist should know about floating-point arithmetic, theorem 4).
        """
        w = x + 1.0
        is_lost: Any = w == 1.0
        return self.where(is_lost, x, self.log(w) * x / self.where(is_lost, 1.0, w - 1.0))

    def clip(self, x: Recorded, low: Any, high: Any) -> Recorded:
        """Record a clip; None is no limit."""
        return self.elementwise("Clip", x, low, high)

    def where(self, condition: Recorded, x: Any, y: Any) -> Recorded:
        """Record a choice for each element."""
        return self.elementwise("Where", condition, x, y)

    def astype(self, x: Recorded, dtype: Any, *, copy: Any = True) -> Recorded:
        """Record a conversion, where there is one to make."""
        if x.dtype == dtype:
            return x
        from onnx import helper

        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._made("Cast", [x.name], x.shape, np.dtype(dtype), to=kind)

    # Along axes

    def cumulative_sum(self, x: Recorded, *, axis: int) -> Recorded:
        """Record the sums up to each element."""
        return self._made("CumSum", [x.name, self._name(axis, self.int64)], x.shape, x.dtype)

    def sum(self, x: Recorded, *, axis: int, keepdims: Any) -> Recorded:
        """Record the sum along an axis."""
        return self._reduced("ReduceSum", x, axis, keepdims)

    def max(self, x: Recorded, *, axis: int, keepdims: Any) -> Recorded:
        """Record the largest along an axis."""
        return self._reduced("ReduceMax", x, axis, keepdims)

    def mean(self, x: Recorded, *, axis: int, keepdims: Any) -> Recorded:
        """Record the mean along an axis."""
        return self._reduced("ReduceMean", x, axis, keepdims)

    def _reduced(self, operation: str, x: Recorded, axis: int, keepdims: Any) -> Recorded:
        axis %= x.ndim
        shape = (*x.shape[:axis], *((1,) if keepdims else ()), *x.shape[axis + 1 :])
        names = [x.name, self._name([axis], self.int64)]
        return self._made(operation, names, shape, x.dtype, keepdims=int(keepdims))

    def matmul(self, x: Recorded, y: Recorded) -> Recorded:
        """Record a product of matrices."""
        shape = (*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
        return self._made("MatMul", [x.name, y.name], shape, x.dtype)

    def take(self, x: Recorded, indices: Recorded, *, axis: int) -> Recorded:
        """Record a choice of parts of an axis."""
        shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
        return self._made("Gather", [x.name, indices.name], shape, x.dtype, axis=axis)

    def part(self, x: Recorded, keys: tuple[Any, ...]) -> Recorded:
        """Record ``x[keys]``: of each axis all, or one element, and new axes where None is."""
        taken = sum(key is not None and not isinstance(key, EllipsisType) for key in keys)
        rest = (slice(None),) * (x.ndim - taken)
        place = keys.index(...) if ... in keys else len(keys)
        keys = (*keys[:place], *rest, *keys[place + 1 :])
        axis = 0
        for key in keys:
            if key is None:
                x = self._with_axis(x, axis)
            elif isinstance(key, int):
                x = self._element(x, key, axis)
                axis -= 1
            elif key != slice(None):
                raise TypeError("a part of an axis cannot be recorded")
            axis += 1
        return x

    def _with_axis(self, x: Recorded, axis: int) -> Recorded:
        shape = (*x.shape[:axis], 1, *x.shape[axis:])
        return self._made("Unsqueeze", [x.name, self._name([axis], self.int64)], shape, x.dtype)

    def _element(self, x: Recorded, index: int, axis: int) -> Recorded:
        one = Recorded(self._name(index, self.int64), (), self.int64, self)
        return self.take(x, one, axis=axis)

    # Shapes

    def permute_dims(self, x: Recorded, axes: tuple[int, ...]) -> Recorded:
        """Record an exchange of axes."""
        shape = tuple(x.shape[axis] for axis in axes)
        return self._made("Transpose", [x.name], shape, x.dtype, perm=axes)

    def matrix_transpose(self, x: Recorded) -> Recorded:
        """Record an exchange of the last two axes."""
        axes = tuple(range(x.ndim))
        return self.permute_dims(x, (*axes[:-2], axes[-1], axes[-2]))

    def reshape(self, x: Recorded, shape: AnyShape) -> Recorded:
        """Record another shape; one of its lengths may be -1, which is what remains."""
        if -1 in shape:
            known, unknown = split(tuple(one for one in shape if one != -1))
            all_known, all_unknown = split(x.shape)
            rest = all_known * all_unknown // (known * unknown)
            shape = tuple(rest if one == -1 else one for one in shape)
        return self._made("Reshape", [x.name, self._shape(shape)], shape, x.dtype)

    def broadcast_to(self, x: Recorded, shape: AnyShape) -> Recorded:
        """Record a repetition along axes."""
        return self._made("Expand", [x.name, self._shape(shape)], shape, x.dtype)

    def zeros(self, shape: AnyShape, *, dtype: Any, device: Any = None) -> Recorded:
        """Record an array of zeros."""
        return self.broadcast_to(Recorded(self._name(0, dtype), (), dtype, self), shape)

    def arange(self, start: Any, stop: Any = None, *, dtype: Any, device: Any = None) -> Recorded:
        """Record a count from ``start``, or 0."""
        start, stop = (0, start) if stop is None else (start, stop)
        one, scalar = self._name(1, dtype), self.graph.constant([], self.int64)
        ends = [self.graph.node("Reshape", self._length(end), scalar) for end in (start, stop)]
        return self._made("Range", [*ends, one], (stop - start,), dtype)

    def _shape(self, shape: AnyShape) -> str:
        """Name the value of a shape, which is put together of what is measured."""
        shape = tuple(shape)
        if all(isinstance(one, int) for one in shape):
            return self._name(list(shape), self.int64)
        if shape not in self._shapes:
            parts = [self._length(one) for one in shape]
            self._shapes[shape] = self.graph.node("Concat", *parts, axis=0)
        return self._shapes[shape]

    def _length(self, length: int | Length) -> str:
        """Name the value of a length, an array of one number."""
        if isinstance(length, int):
            return self._name([length], self.int64)
        values = [self._lengths[name] for name in length.names]
        if length.times != 1:
            values.append(self._name([length.times], self.int64))
        return reduce(lambda x, y: self.graph.node("Mul", x, y), values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{name} cannot be exported to ONNX: the recorder has the functions that the formulas "
            "of this package use, and can be given another"
        )
