"""Named arrays of any dtype in one safetensors file, and what is said of them.

Unlike weights, which `minirobert.checkpoints` reads, these are of all dtypes, and the same arrays
make the same bytes: the tensors stand in the order that they are given in, without gaps.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..checkpoints.header import TensorInfo
from ..checkpoints.weights_file import WeightsFile
from ..files import exchanging
from ..parameters import CheckpointError
from ..sentences import plain

__all__ = ["TensorFile", "read_tensors", "write_tensors"]

Numbers = np.ndarray[Any, Any]

#: Of each dtype: its name in the file, and as what its bytes are read.
_STORED = MappingProxyType(
    {
        **{f"float{bits}": (f"F{bits}", f"<f{bits // 8}") for bits in (64, 32, 16)},
        "bfloat16": ("BF16", "<u2"),
        **{f"int{bits}": (f"I{bits}", f"<i{bits // 8}") for bits in (64, 32, 16, 8)},
        "uint8": ("U8", "u1"),
        "bool": ("BOOL", "?"),
    }
)
_NAMES = MappingProxyType({stored: name for name, (stored, _) in _STORED.items()})


class TensorFile(NamedTuple):
    """What a file holds. NumPy has no bfloat16: these tensors are float32 arrays."""

    tensors: dict[str, Numbers]
    dtypes: dict[str, str]
    metadata: dict[str, str]


def read_tensors(path: str | os.PathLike[str]) -> TensorFile:
    """Read all tensors of a file.

    Raises
    ------
    OSError
        If it cannot be opened.
    CheckpointError
        If it is no safetensors file, or holds a dtype that is not known here.
    """
    with closing(WeightsFile(Path(path))) as file:
        start, infos = file.header()
        tensors = {name: _read(file, start, name, info) for name, info in infos.items()}
        file.check_unchanged()
        dtypes = {name: _NAMES[info.dtype] for name, info in infos.items()}
        return TensorFile(tensors, dtypes, file.metadata)


def _read(file: WeightsFile, start: int, name: str, info: TensorInfo) -> Numbers:
    if info.dtype not in _NAMES:
        raise CheckpointError(
            f"{plain(file.path)} stores {plain(name)} as {plain(info.dtype)}, but the tensors of a "
            f"trace must be one of {', '.join(_NAMES)}"
        )
    array = np.empty(info.shape, _STORED[_NAMES[info.dtype]][1])
    if array.size:
        file.read_into(array, start + info.start)
    if info.dtype == "BF16":  # the upper half of a float32
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Numbers],
    dtypes: Mapping[str, str] = MappingProxyType({}),
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write a file, as a whole or not at all.

    Parameters
    ----------
    path : str or path
    tensors : mapping of str to NumPy array
    dtypes : mapping of str to str
        ``"bfloat16"`` of a float32 array that holds numbers of bfloat16 alone. By default a tensor
        is stored as it is.
    metadata : mapping of str to str
    """
    path = Path(path)
    kinds = {name: dtypes.get(name, array.dtype.name) for name, array in tensors.items()}
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    position = 0
    for name, array in tensors.items():
        stored, dtype = _STORED[kinds[name]]
        end = position + array.size * np.dtype(dtype).itemsize
        header[name] = {
            "dtype": stored,
            "shape": list(array.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of 8
    with exchanging(path.parent) as new, open(new / path.name, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, array in tensors.items():
            file.write(_bytes(array, kinds[name]))


def _bytes(array: Numbers, kind: str) -> bytes:
    if kind == "bfloat16":
        return (array.astype("<f4").view(np.uint32) >> 16).astype("<u2").tobytes()
    return array.astype(_STORED[kind][1]).tobytes()
