"""Model directories: reading ``model.safetensors``, whole or in shards.

Nothing here ever unpickles. A directory that has only ``pytorch_model.bin`` is refused with the
command that converts it.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from ..arrays import Shape
from ..files import ModelFiles, first_words, model_directory, not_what_it_seems, read_json
from ..parameters import CheckpointError
from ..sentences import listed, plain, shown
from .elsewhere import no_weights, only_others

__all__ = [
    "INDEX_FILE",
    "WEIGHTS_FILE",
    "StoredTensor",
    "fetch_weights",
    "stored_tensors",
]

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"

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


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies in a file, and what it is there."""

    path: Path
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
                f"{plain(self.path)} stores {plain(name)} as {self.dtype}, but weights must be one "
                f"of {', '.join(_NUMPY_DTYPES)}: unpack quantized weights where they were made "
                "(model.dequantize() in transformers)"
            )

    def read(self, dtype: Any) -> np.ndarray[Any, Any]:
        """Copy the tensor out of the file, once, into an array of a floating-point dtype."""
        if 0 in self.shape:
            return np.zeros(self.shape, dtype)
        view = self._view()
        if self.dtype == "F8_E4M3":
            return np.take(_FLOAT8, view).astype(dtype, copy=False)
        if self.dtype == "F8_E5M2":  # the upper byte of a float16
            return (view.astype(np.uint16) << 8).view(np.float16).astype(dtype, copy=False)
        if self.dtype != "BF16":
            return np.array(view, dtype)
        wide = view.astype(np.uint32)  # bfloat16 is the upper half of a float32
        wide <<= 16
        return wide.view(np.float32).astype(dtype, copy=False)

    def equals(self, other: StoredTensor) -> bool:
        """Tell whether another tensor holds the same numbers."""
        if self.shape != other.shape or {self.dtype, other.dtype} - _NUMPY_DTYPES.keys():
            return False
        if self.dtype == other.dtype and 0 not in self.shape:
            return np.array_equal(self._view(), other._view())
        return np.array_equal(self.read("float64"), other.read("float64"))

    def _view(self) -> np.ndarray[Any, Any]:
        """Give the tensor as it lies in the file."""
        return np.memmap(self.path, _NUMPY_DTYPES[self.dtype], "r", self.offset, self.shape)


def _float8_numbers() -> np.ndarray[Any, Any]:
    """List the number of each byte of float8_e4m3fn: sign, 4 bits of exponent, 3 of mantissa."""
    codes = np.arange(256)
    exponent, mantissa = codes >> 3 & 15, codes & 7
    size = np.where(exponent, (1 + mantissa / 8) * 2.0 ** (exponent - 7), mantissa / 8 / 2**6)
    size[codes & 127 == 127] = np.nan  # it has no infinity
    return np.where(codes < 128, size, -size).astype(np.float32)


_FLOAT8 = _float8_numbers()


def stored_tensors(path: str | os.PathLike[str]) -> dict[str, StoredTensor]:
    """List the tensors of a model, in one file or in shards, without reading them.

    Parameters
    ----------
    path : str or path
        Of a safetensors file, of the index of its shards, or of the directory that holds them.

    Raises
    ------
    FileNotFoundError
        If there are no weights, with what there is instead.
    CheckpointError
        If a file is broken, or none of safetensors.
    """
    path = Path(path)
    if path.is_file():
        return _read_shards(path) if path.suffix == ".json" else _read_header(path)
    return stored_tensors(_find_weights(model_directory(path)))


def fetch_weights(files: ModelFiles, variant: str | None = None) -> Path:
    """Bring the weights of a model here, in one file or in shards, and give the path of it.

    With a variant, such as ``"fp16"``, they are in ``model.fp16.safetensors``.
    """
    if files.is_local:
        return _find_weights(files.directory, variant)
    whole, index = _file_names(variant)
    if files.fetch(whole):
        return files.directory / whole
    if files.fetch(index):
        for shard in sorted(set(_weight_map(files.directory / index).values())):
            files.require(shard)
        return files.directory / index
    if variant and files.offers(WEIGHTS_FILE):
        raise FileNotFoundError(
            f"{shown(files.name)} on the hub has no {plain(whole, 60)}, but {WEIGHTS_FILE}: leave "
            "out variant="
        )
    other = only_others(files)
    if other:
        raise FileNotFoundError(other)
    return files.require(whole, index)


def _find_weights(directory: Path, variant: str | None = None) -> Path:
    for name in _file_names(variant):
        if (directory / name).is_file():
            return directory / name
    raise FileNotFoundError(no_weights(directory, _file_names(variant)))


def _file_names(variant: str | None) -> tuple[str, str]:
    """Name the file of all weights, and the index of shards."""
    if not variant:
        return WEIGHTS_FILE, INDEX_FILE
    return f"model.{variant}.safetensors", f"model.safetensors.index.{variant}.json"


def _weight_map(index: Path) -> dict[str, str]:
    """Read in which file each tensor is; the files must be beside the index."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(f, str) for f in weight_map.values()):
        raise CheckpointError(f"{plain(index)} has no weight_map from tensor names to file names")
    for file in weight_map.values():
        if file in ("", ".", "..") or Path(file).name != file or "\\" in file:
            raise CheckpointError(
                f"{plain(index)} names the file {shown(file)}, but shards must lie in the "
                "directory itself"
            )
    return weight_map


def _read_shards(index: Path) -> dict[str, StoredTensor]:
    weight_map = _weight_map(index)
    tensors: dict[str, StoredTensor] = {}
    for file in sorted(set(weight_map.values())):
        path = index.parent / file
        if not os.path.isfile(path):  # False also for what can be no name
            raise FileNotFoundError(
                f"{plain(index)} names the shard {shown(file)}, but there is no such file"
            )
        header = _read_header(path)
        wanted = [name for name, shard in weight_map.items() if shard == file]
        absent = [name for name in wanted if name not in header]
        if absent:
            raise CheckpointError(
                f"{plain(index)} says that {plain(file)} holds {listed(absent, 120)}, but it does "
                "not"
            )
        tensors |= {name: header[name] for name in wanted}
    return tensors


def _read_header(path: Path) -> dict[str, StoredTensor]:
    """Read where each tensor of a file lies.

    The safetensors library checks the header against the file's length (and allocates nothing for
    what it promises); it does not tell the offsets, which are then read from the same header.
    """
    try:
        with safe_open(path, framework="np"):
            pass
    except SafetensorError as error:
        raise CheckpointError(f"{plain(path)} {_what_is_wrong(path, error)}") from error
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    start = 8 + length
    _check_framework(path, header.pop("__metadata__", {}))
    return {
        name: StoredTensor(
            path, start + entry["data_offsets"][0], entry["dtype"], tuple(entry["shape"])
        )
        for name, entry in header.items()
    }


def _what_is_wrong(path: Path, error: SafetensorError) -> str:
    """Say what a file is that the safetensors library does not read, and the cure."""
    with path.open("rb") as file:
        is_safetensors = file.read(9)[8:] == b"{"
    other = None if is_safetensors else not_what_it_seems(path)
    if other:
        return f"is no safetensors file, but {other}"
    text = None if is_safetensors else first_words(path)
    if text:
        return f"is no safetensors file, but a text, {text}: download or copy the file again"
    return (
        f"is not a whole safetensors file ({plain(error)}): it is truncated or corrupt, download "
        "or copy it again"
    )


def _check_framework(path: Path, metadata: dict[str, str]) -> None:
    """Refuse the files of other frameworks, whose tensors have other names and orientations."""
    kind = {"tf": "TensorFlow", "flax": "Flax"}.get(metadata.get("format", ""))
    if kind:
        raise CheckpointError(
            f"{plain(path)} was written by {kind}, whose weights have other names and "
            f"orientations: convert it in transformers where {kind} is installed, from_pretrained "
            "and then save_pretrained"
        )
