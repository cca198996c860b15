"""Writing a model directory: the weights in one file or in shards, and the configuration.

Wherever saving is interrupted, the directory holds the old model or the new one, all of it: see
`minirobert.files.exchange`.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from ..arrays import Array, item_size, to_numpy
from ..config import RobertaConfig
from ..files import exchanging, new_directory
from ..rules import Rule, check, is_integer
from .reading import INDEX_FILE, WEIGHTS_FILE

__all__ = ["bytes_of", "save_model", "split_into_shards"]

_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_CONFIG_FILE = "config.json"
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def bytes_of(size: int | str) -> int:
    """Read a size in bytes, or with a unit: ``"5GB"`` (10^9 bytes), ``"5GiB"`` (2^30).

    >>> bytes_of("200MB"), bytes_of("1.5 KiB"), bytes_of(99)
    (200000000, 1536, 99)
    """
    count: float = 0
    if isinstance(size, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([KMGT])(I?)B\s*", size.upper(), re.ASCII)
        if match:
            count = float(match[1]) * float(1024 if match[3] else 1000) ** _POWERS[match[2]]
    elif is_integer(size):
        count = size
    in_words = (
        "a number of bytes of at least 1, or such a number with a unit, like "
        '"5GB", "200MB" or "1GiB"'
    )
    check("max_shard_size", size, Rule(lambda _: count >= 1, in_words))
    return int(count)


def split_into_shards(sizes: Mapping[str, int], limit: int) -> list[list[str]]:
    """Divide tensors among files, as huggingface_hub does.

    They are taken in order, and a file is full when the next one would make it larger than the
    limit, in bytes. A tensor above the limit has a file of its own.

    >>> split_into_shards({"a": 2, "b": 3, "c": 9, "d": 1}, 5)
    [['c'], ['a', 'b'], ['d']]
    """
    shards: list[list[str]] = []
    current: list[str] = []
    used = 0
    for name, size in sizes.items():
        if size > limit:
            shards.append([name])
            continue
        if used + size > limit:
            shards.append(current)
            current, used = [], 0
        current.append(name)
        used += size
    return [*shards, current] if current else shards


def save_model(
    directory: str | os.PathLike[str],
    config: RobertaConfig,
    flat: Mapping[str, Array],
    max_shard_size: int | str = "5GB",
    beside: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write ``config.json`` and the weights: all of the new model, or what was there before.

    Texts that belong to the model, ``beside`` the configuration, are given by their files' names.

    Weights above ``max_shard_size`` are divided among ``model-00001-of-0000N.safetensors``, with
    ``model.safetensors.index.json`` to find them. Weights that the directory has in other files
    are removed.
    """
    text = config.to_json_string()
    sizes = {name: _n_bytes(flat[name]) for name in _in_order_of_torch(flat)}
    shards = split_into_shards(sizes, bytes_of(max_shard_size))
    names = _file_names(len(shards))
    texts = {INDEX_FILE: _index(names, shards, flat, sizes)} if len(shards) > 1 else {}
    texts |= {_CONFIG_FILE: text, **beside}
    with exchanging(new_directory(directory), _holds_weights) as new:
        for name, tensors in zip(names, shards, strict=True):
            _write_tensors(new / name, {tensor: flat[tensor] for tensor in tensors})
        for name, content in texts.items():
            (new / name).write_text(content, encoding="utf-8", newline="\n")


def _holds_weights(name: str) -> bool:
    """Tell from its name whether a file is one of a model's weights, whatever their number."""
    return name in (WEIGHTS_FILE, INDEX_FILE) or _SHARD.fullmatch(name) is not None


def _in_order_of_torch(flat: Mapping[str, Array]) -> list[str]:
    """Put names in the order in which torch's modules list them, which decides on the shards."""
    names = [name for name in flat if name != "lm_head.bias"]
    if "lm_head.bias" in flat:  # it belongs to the head itself, and so comes before its layers
        names.insert(names.index("lm_head.dense.weight"), "lm_head.bias")
    return names


def _n_bytes(array: Array) -> int:
    count: int = math.prod(array.shape)
    return count * item_size(array)


def _file_names(count: int) -> list[str]:
    if count == 1:
        return [WEIGHTS_FILE]
    return [f"model-{i:05d}-of-{count:05d}.safetensors" for i in range(1, count + 1)]


def _write_tensors(path: Path, tensors: Mapping[str, Array]) -> None:
    # safetensors writes memory as it lies, so an array that is a view would be written wrong
    arrays = {name: np.ascontiguousarray(to_numpy(array)) for name, array in tensors.items()}
    path.touch()
    mode = path.stat().st_mode  # as the user wants it; the library makes a file for the owner alone
    try:
        save_file(arrays, path, metadata={"format": "pt"})
    except SafetensorError as error:  # as which it hands on what the system says
        raise OSError(str(error)) from error
    with suppress(OSError):  # not all file systems have modes
        path.chmod(mode)


def _index(
    names: Sequence[str],
    shards: Sequence[Sequence[str]],
    flat: Mapping[str, Array],
    sizes: Mapping[str, int],
) -> str:
    metadata: dict[str, Any] = {
        "total_parameters": sum(math.prod(array.shape) for array in flat.values()),
        "total_size": sum(sizes.values()),
    }
    weight_map = {
        tensor: name for name, tensors in zip(names, shards, strict=True) for tensor in tensors
    }
    content = {"metadata": metadata, "weight_map": weight_map}
    return json.dumps(content, indent=2, sort_keys=True) + "\n"
