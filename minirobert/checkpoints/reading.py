"""Model directories: reading ``model.safetensors``, whole or in shards.

Nothing here ever unpickles. A directory that has only ``pytorch_model.bin`` is refused with the
command that converts it.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from ..arrays import Array, Shape, astype, float_dtype
from ..checks import warn
from ..config import RobertaConfig
from ..files import ModelFiles, model_directory, read_json
from ..parameters import HEADS, CheckpointError, check_shapes, initialise

__all__ = [
    "INDEX_FILE",
    "WEIGHTS_FILE",
    "StoredTensor",
    "fetch_weights",
    "load_parameters",
    "matching_tensors",
    "stored_tensors",
]

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_NUMPY_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}  # NumPy has no bfloat16
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")


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
        return _DTYPES[self.dtype]

    def read(self, dtype: Any) -> np.ndarray[Any, Any]:
        """Copy the tensor out of the file, once, into an array of a floating-point dtype."""
        stored = np.dtype(_NUMPY_DTYPES[self.dtype])
        if 0 in self.shape:
            return np.zeros(self.shape, dtype)
        view = np.memmap(self.path, stored, "r", self.offset, self.shape)
        if self.dtype != "BF16":
            return np.array(view, dtype)
        wide = view.astype(np.uint32)  # bfloat16 is the upper half of a float32
        wide <<= 16
        return wide.view(np.float32).astype(dtype, copy=False)


def stored_tensors(directory: str | os.PathLike[str]) -> dict[str, StoredTensor]:
    """List the tensors of a model directory, in one file or in shards, without reading them."""
    directory = model_directory(directory)
    if (directory / WEIGHTS_FILE).is_file():
        return _read_header(directory / WEIGHTS_FILE)
    if (directory / INDEX_FILE).is_file():
        return _read_shards(directory)
    if (directory / "pytorch_model.bin").is_file() or list(directory.glob("pytorch_model*.bin")):
        raise _only_pickled(str(directory), str(directory))
    raise FileNotFoundError(
        f"{str(directory)!r} has no weights: neither {WEIGHTS_FILE} nor {INDEX_FILE} is there"
    )


def fetch_weights(files: ModelFiles) -> Path:
    """Bring the weights of a model, in one file or in shards, into a directory."""
    if files.is_local or files.fetch(WEIGHTS_FILE):
        return files.directory
    if files.fetch(INDEX_FILE):
        for shard in sorted(set(_weight_map(files.directory / INDEX_FILE).values())):
            files.require(shard)
        return files.directory
    if files.offers("pytorch_model.bin"):
        raise _only_pickled(files.name, Path(files.name).name)
    return files.require(WEIGHTS_FILE, INDEX_FILE)


def _only_pickled(source: str, target: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"{source!r} has its weights only as pytorch_model.bin, a pickle, which can run any code "
        "when it is opened, so this package never does. Convert it where you trust it: "
        f'python -c "from transformers import AutoModelForMaskedLM as M; '
        f'M.from_pretrained({source!r}).save_pretrained({target!r})"'
    )


def _weight_map(index: Path) -> dict[str, str]:
    """Read in which file each tensor is; the files must be beside the index."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(f, str) for f in weight_map.values()):
        raise CheckpointError(f"{index} has no weight_map from tensor names to file names")
    for file in weight_map.values():
        if file in ("", ".", "..") or Path(file).name != file or "\\" in file:
            raise CheckpointError(
                f"{index} names the file {file!r}, but shards must lie in the directory itself"
            )
    return weight_map


def _read_shards(directory: Path) -> dict[str, StoredTensor]:
    index = directory / INDEX_FILE
    weight_map = _weight_map(index)
    tensors: dict[str, StoredTensor] = {}
    for file in sorted(set(weight_map.values())):
        if not (directory / file).is_file():
            raise FileNotFoundError(f"{index} names the shard {file!r}, but there is no such file")
        header = _read_header(directory / file)
        wanted = [name for name, shard in weight_map.items() if shard == file]
        absent = [name for name in wanted if name not in header]
        if absent:
            raise CheckpointError(
                f"{index} says that {file} holds {', '.join(absent)}, but it does not"
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
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}): it is truncated or corrupt, "
            "download or copy it again"
        ) from error
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    start = 8 + length
    return {
        name: StoredTensor(
            path, start + entry["data_offsets"][0], entry["dtype"], tuple(entry["shape"])
        )
        for name, entry in header.items()
        if name != "__metadata__"
    }


def load_parameters(
    directory: str | os.PathLike[str],
    shapes: Mapping[str, Shape],
    config: RobertaConfig,
    *,
    dtype: str = "float32",
    seed: int = 0,
    strict: bool = False,
    ignore_mismatched_sizes: bool = False,
) -> dict[str, Array]:
    """Read the tensors of a parameter table from a model directory, as NumPy arrays.

    Files of other classes and of older versions fit: the prefix ``roberta.`` is added or taken
    off, ``LayerNorm.gamma`` and ``beta`` are read as weight and bias, ``lm_head.decoder.bias`` as
    ``lm_head.bias``; position buffers, the tied decoder and heads that the model does not have are
    passed over. What `matching_tensors` lets through, a head of which the file has no tensor at all
    or tensors of another shape, is initialised from the seed, with a warning.
    """
    stored = matching_tensors(
        directory, shapes, strict=strict, ignore_mismatched_sizes=ignore_mismatched_sizes
    )
    misfits = {
        name: stored[name].shape
        for name, shape in shapes.items()
        if name in stored and stored[name].shape != tuple(shape)
    }
    stored = {name: tensor for name, tensor in stored.items() if name not in misfits}
    new = {name: tuple(shape) for name, shape in shapes.items() if name not in stored}
    _warn_of_new(directory, new, misfits, seed)
    target = float_dtype(np, _common_dtype(stored.values()) if dtype == "auto" else dtype)
    first_values = initialise(new, config, seed)
    return {
        name: astype(first_values[name], target) if name in new else stored[name].read(target)
        for name in shapes
    }


def _warn_of_new(
    directory: str | os.PathLike[str],
    new: Mapping[str, Shape],
    misfits: Mapping[str, Shape],
    seed: int,
) -> None:
    """Name the tensors that are initialised, and the shapes that the file has of them, if any."""
    reasons = []
    absent = [name for name in new if name not in misfits]
    if absent:
        reasons.append(f"no weights for {', '.join(absent)}")
    if misfits:
        lines = [
            f"{name} ({list(shape)}, not {list(new[name])})" for name, shape in misfits.items()
        ]
        reasons.append(f"weights of another shape for {', '.join(lines)}")
    if reasons:
        warn(
            f"{str(directory)!r} has {', and '.join(reasons)}: they are initialised from seed "
            f"{seed}, and must be trained before their output means anything",
        )


def matching_tensors(
    directory: str | os.PathLike[str],
    shapes: Mapping[str, Shape],
    *,
    strict: bool = True,
    ignore_mismatched_sizes: bool = False,
) -> dict[str, StoredTensor]:
    """Find the tensors of a parameter table in a model directory, without reading them.

    One error lists all that are missing, unexpected or of the wrong shape. Unless it is ``strict``,
    a head (pooler, LM head …) of which the file has no tensor at all may be missing.
    """
    stored = _renamed(stored_tensors(directory), shapes)
    optional = set() if strict else _absent_heads(shapes, stored)
    found = {name: tensor.shape for name, tensor in stored.items()}
    if ignore_mismatched_sizes:
        found |= {name: tuple(shapes[name]) for name in found if name in shapes}
    check_shapes(
        {name: tuple(shape) for name, shape in shapes.items() if name not in optional},
        found,
        f"in {str(directory)!r}",
        "(ignore_mismatched_sizes=True initialises what has another shape)",
    )
    for name, tensor in stored.items():
        if tensor.dtype not in _DTYPES:
            raise CheckpointError(
                f"{tensor.path} stores {name} as {tensor.dtype}, but weights must be one of "
                f"{', '.join(_DTYPES)}"
            )
    return stored


def _renamed(
    tensors: Mapping[str, StoredTensor], shapes: Mapping[str, Shape]
) -> dict[str, StoredTensor]:
    """Give the tensors of a file the names of a table, without those that it may pass over."""
    prefix = "roberta." if any(name.startswith("roberta.") for name in shapes) else ""
    renamed: dict[str, StoredTensor] = {}
    for name, tensor in tensors.items():
        name = name.removeprefix("roberta.")
        name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
        name = name.replace("LayerNorm.beta", "LayerNorm.bias")
        in_body = name.startswith(("embeddings.", "encoder.", "pooler."))
        renamed[prefix + name if in_body else name] = tensor
    if "lm_head.decoder.bias" in renamed:  # one tensor under two names; torch lets this one win
        renamed["lm_head.bias"] = renamed.pop("lm_head.decoder.bias")
    return {
        name: tensor
        for name, tensor in renamed.items()
        if name in shapes
        or not name.removeprefix(prefix).startswith((*_head_prefixes(), *_BUFFERS))
    }


def _head_prefixes() -> list[str]:
    """List what the tensors begin with that only some classes of model have."""
    return ["pooler.", *(f"{head.name}." for head in HEADS.values())]


def _absent_heads(shapes: Mapping[str, Shape], stored: Mapping[str, StoredTensor]) -> set[str]:
    """Name the tensors of heads from which no tensor at all is stored."""
    heads = _head_prefixes()

    def head(name: str) -> str | None:
        name = name.removeprefix("roberta.")
        return next((one for one in heads if name.startswith(one)), None)

    present = {head(name) for name in stored}
    return {name for name in shapes if head(name) is not None and head(name) not in present}


def _common_dtype(tensors: Iterable[StoredTensor]) -> str:
    """Choose the narrowest dtype that holds every tensor exactly; bfloat16 needs float32."""
    names = {"float32" if t.dtype_name == "bfloat16" else t.dtype_name for t in tensors}
    return max(names, key=lambda name: np.dtype(name).itemsize)
