"""One tensor of a safetensors file, from its bytes to an array."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Shape
from ..parameters import CheckpointError
from ..sentences import plain
from .weights_file import WeightsFile

__all__ = ["StoredTensor"]

Numbers = np.ndarray[Any, Any]

#: What safetensors calls a dtype, and what NumPy does, or would: it has no bfloat16 and no float8.
_DTYPES = {
    **{f"F{bits}": f"float{bits}" for bits in (64, 32, 16)},
    **{f"I{bits}": f"int{bits}" for bits in (64, 32, 16, 8)},
    **{f"U{bits}": f"uint{bits}" for bits in (64, 32, 16, 8)},
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "BOOL": "bool",
    "C64": "complex64",
}
_NUMPY_DTYPES = {  # of the weights that can be read, as they lie in the file
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "F8_E4M3": "u1",
    "F8_E5M2": "u1",
}

#: Numbers that are read, converted and checked while they are in the processor's cache.
_BLOCK = 1 << 17


class StoredTensor(NamedTuple):
    """Where a tensor lies in a file, and what it is there."""

    file: WeightsFile
    offset: int  # in bytes from the start of the file
    dtype: str  # as safetensors names it: "F32", "BF16" …
    shape: Shape

    @property
    def dtype_name(self) -> str:
        """The dtype as NumPy would name it: ``"float32"``, ``"bfloat16"``."""
        return _DTYPES.get(self.dtype, self.dtype.lower())

    def check_readable(self, name: str) -> None:
        """Refuse a dtype that no weights have."""
        if self.dtype not in _NUMPY_DTYPES:
            raise CheckpointError(
                f"{plain(self.file.path)} stores {plain(name)} as {self.dtype}, but weights must "
                f"be one of {', '.join(_NUMPY_DTYPES)}: unpack quantized weights where they were "
                "made (model.dequantize() in transformers)"
            )

    def read_into(self, array: Numbers) -> bool:
        """Copy the tensor out of the file, once, into an array of a floating-point dtype.

        Parameters
        ----------
        array : array of the tensor's shape
            In one piece.

        Returns
        -------
        bool
            Whether all its numbers are finite, in that dtype.
        """
        flat, buffer = array.reshape(-1), self._buffer()
        as_it_lies = self._is_stored_as(array.dtype)
        is_finite = True
        for block in self._blocks():
            part = flat[block]
            if as_it_lies:
                narrow = self._fill(part, block)
            else:
                numbers = self._decoded(block, buffer)
                with np.errstate(over="ignore"):  # infinite numbers are told by their names
                    part[...] = numbers
                narrow = min(numbers, part, key=lambda one: one.itemsize)  # sooner looked through
            is_finite = is_finite and _all_finite(narrow)
        return is_finite

    def equals(self, other: StoredTensor) -> bool:
        """Tell whether another tensor holds the same numbers."""
        if self.shape != other.shape or {self.dtype, other.dtype} - _NUMPY_DTYPES.keys():
            return False
        mine, its = self._buffer(), other._buffer()
        return all(
            np.array_equal(self._raw(block, mine), other._raw(block, its))
            if self.dtype == other.dtype
            else np.array_equal(self._decoded(block, mine), other._decoded(block, its))
            for block in self._blocks()
        )

    def _blocks(self) -> Iterator[slice]:
        """Divide the numbers into blocks."""
        count = prod(self.shape)
        return (slice(i, min(i + _BLOCK, count)) for i in range(0, count, _BLOCK))

    def _is_stored_as(self, dtype: Any) -> bool:
        return self.dtype_name == dtype.name and bool(np.dtype(_NUMPY_DTYPES[self.dtype]) == dtype)

    def _fill(self, target: Numbers, block: slice) -> Numbers:
        size = np.dtype(_NUMPY_DTYPES[self.dtype]).itemsize
        self.file.read_into(target, self.offset + block.start * size)
        return target

    def _buffer(self) -> Numbers:
        return np.empty(min(_BLOCK, prod(self.shape)), _NUMPY_DTYPES[self.dtype])

    def _raw(self, block: slice, buffer: Numbers) -> Numbers:
        """Read a block as it lies in the file."""
        return self._fill(buffer[: block.stop - block.start], block)

    def _decoded(self, block: slice, buffer: Numbers) -> Numbers:
        """Read a block as numbers of a dtype that NumPy has."""
        raw = self._raw(block, buffer)
        if self.dtype == "F8_E4M3":
            return np.take(_FLOAT8, raw)
        if self.dtype == "F8_E5M2":  # the upper byte of a float16
            return (raw.astype(np.uint16) << 8).view(np.float16)
        if self.dtype == "BF16":  # the upper half of a float32
            return (raw.astype(np.uint32) << 16).view(np.float32)
        return raw


def _all_finite(numbers: Numbers) -> bool:
    if numbers.dtype != np.float16:
        return bool(np.isfinite(numbers).all())
    # as integers, which is 20 times as fast: infinity and NaN are above all others of their sign
    return bool(numbers.view(np.int16).max() < 0x7C00 and numbers.view(np.uint16).max() < 0xFC00)


def _float8_numbers() -> Numbers:
    """List the number of each byte of float8_e4m3fn: sign, 4 bits of exponent, 3 of mantissa."""
    codes = np.arange(256)
    exponent, mantissa = codes >> 3 & 15, codes & 7
    size = np.where(exponent, (1 + mantissa / 8) * 2.0 ** (exponent - 7), mantissa / 8 / 2**6)
    size[codes & 127 == 127] = np.nan  # it has no infinity
    return np.where(codes < 128, size, -size).astype(np.float32)


_FLOAT8 = _float8_numbers()
