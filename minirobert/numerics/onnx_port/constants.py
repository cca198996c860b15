"""The constants of an ONNX graph: their numbers, and which of them is which parameter of a model.

One is told by its own name, or else by its numbers: exporters give a matrix that they transpose
a number for a name.
"""

from __future__ import annotations

import math
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ...parameters import CheckpointError
from ...sentences import plain
from ..traces import Numbers, digest
from .file import onnx_module, own_path

__all__ = ["Constants"]

_QUANTIZED = re.compile(r"_quantized$")


class Constants:
    """The constants of a graph by their names there.

    Parameters
    ----------
    graph : onnx.GraphProto
    directory : str or path
        Where those are that are kept in files of their own.
    """

    def __init__(self, graph: Any, directory: str | os.PathLike[str]) -> None:
        self._all = {one.name: one for one in graph.initializer}
        self._directory = os.fspath(directory)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def numbers(self, name: str) -> Numbers:
        """Read the numbers of a constant.

        Raises
        ------
        CheckpointError
            If the file is not there that has them, or is shorter.
        """
        onnx = onnx_module("onnx")
        try:
            array: Numbers = onnx.numpy_helper.to_array(self._all[name], base_dir=self._directory)
        except (OSError, ValueError, onnx.checker.ValidationError) as error:
            raise CheckpointError(f"{plain(name)} cannot be read: {plain(error)}") from None
        return array

    def in_float32(self) -> dict[str, str]:
        """List the constants in float32 under the names of the parameters that they are called."""
        paths = {own_path(name): name for name in self._all if self.is_in(name, "FLOAT")}
        return {path: name for path, name in paths.items() if path is not None}

    def is_in(self, name: str | None, dtype: str) -> bool:
        """Tell whether a name is that of a constant in a dtype of TensorProto, as ``"FLOAT"``."""
        kind = onnx_module("onnx").TensorProto.DataType.Value(dtype)
        return name in self._all and self._all[name].data_type == kind

    def parameters(self, known: Mapping[str, Any]) -> dict[str, list[str]]:
        """Find the constants that are parameters.

        Parameters
        ----------
        known : mapping of str to NumPy array
            The parameters of a model: a constant that is called nothing is told by these numbers.

        Returns
        -------
        dict of str to list of str
            The names of constants by the name of the parameter, without ``roberta.``.
        """
        found: dict[str, list[str]] = defaultdict(list)
        nameless = []
        for name in self._all:
            path = own_path(_QUANTIZED.sub("", name))
            if path is None:
                nameless.append(name)
            else:
                found[path].append(name)
        for path, name in self._by_numbers(known, nameless) if known else ():
            found[path].append(name)
        return dict(found)

    def _by_numbers(
        self, known: Mapping[str, Any], names: Iterable[str]
    ) -> Iterator[tuple[str, str]]:
        """Tell constants by their numbers, where these are those of one parameter alone."""
        sizes = {math.prod(one.shape) for one in known.values()}
        arrays = {name: self.numbers(name) for name in names if self._may_be(name, sizes)}
        entered = {
            dtype: _entered(known, dtype) for dtype in {array.dtype for array in arrays.values()}
        }
        for name, array in arrays.items():
            paths = {
                path
                for way in (array, array.T)
                for path in entered[array.dtype].get((way.shape, digest(way)), ())
            }
            if len(paths) == 1:
                yield paths.pop(), name

    def _may_be(self, name: str, sizes: Collection[int]) -> bool:
        kinds, one = onnx_module("onnx").TensorProto, self._all[name]
        is_floating = one.data_type in (kinds.FLOAT, kinds.FLOAT16, kinds.DOUBLE)
        return is_floating and math.prod(one.dims) in sizes


def _entered(
    known: Mapping[str, Any], dtype: np.dtype[Any]
) -> dict[tuple[tuple[int, ...], str], set[str]]:
    """Enter each parameter, rounded to a dtype, under its shape and digest."""
    entered: dict[tuple[tuple[int, ...], str], set[str]] = defaultdict(set)
    for name, array in known.items():
        path = own_path(name)
        if path is not None:
            rounded = np.asarray(array).astype(dtype)
            entered[rounded.shape, digest(rounded)].add(path)
    return entered
