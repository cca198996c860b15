"""Model directories: reading ``model.safetensors``, whole or in shards.

Nothing here ever unpickles. A directory that has only ``pytorch_model.bin`` is refused with the
command that converts it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import ModelFiles, model_directory, read_json
from ..parameters import CheckpointError
from ..rules import STRING, check, optional
from ..sentences import listed, plain, shown
from .elsewhere import no_weights, only_others
from .stored import StoredTensor
from .weights_file import WeightsFile

__all__ = [
    "INDEX_FILE",
    "WEIGHTS_FILE",
    "fetch_weights",
    "stored_tensors",
]

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
_MOST_SHARDS = 1000  # which are all open while a model is read


@contextmanager
def stored_tensors(path: str | os.PathLike[str]) -> Iterator[dict[str, StoredTensor]]:
    """Open the weights of a model, in one file or in shards, and list the tensors.

    They can be read within the block. Each file is opened once: should others take their place
    meanwhile, as when a model is saved over it, all tensors come from what was there.

    Parameters
    ----------
    path : str or path
        Of a safetensors file, of the index of its shards, or of the directory that holds them.

    Raises
    ------
    FileNotFoundError
        If there are no weights, with what there is instead.
    CheckpointError
        If a file is broken, or none of safetensors; at the end of the block, if a file was written
        to while it was read.
    """
    path = Path(path)
    if path.is_dir() or not os.path.lexists(path):
        path = _find_weights(model_directory(path))
    opened: list[WeightsFile] = []
    try:
        yield _open_shards(path, opened) if path.suffix == ".json" else _open(path, opened)
        for file in opened:
            file.check_unchanged()
    finally:
        for file in opened:
            file.close()


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
    # What is no file is told when it is opened, but a link that leads nowhere, as an exchange makes
    # them for a time, only where there is nothing else.
    for is_there in (os.path.exists, os.path.lexists):
        for name in _file_names(variant):
            if is_there(directory / name):
                return directory / name
    raise FileNotFoundError(no_weights(directory, _file_names(variant)))


def _file_names(variant: str | None) -> tuple[str, str]:
    """Name the file of all weights, and the index of shards."""
    if not check("variant", variant, optional(STRING), TypeError):
        return WEIGHTS_FILE, INDEX_FILE
    return f"model.{variant}.safetensors", f"model.safetensors.index.{variant}.json"


def _weight_map(index: Path) -> dict[str, str]:
    """Read in which file each tensor is; the files must be beside the index."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(f, str) for f in weight_map.values()):
        raise CheckpointError(f"{plain(index)} has no weight_map from tensor names to file names")
    shards = set(weight_map.values())
    if len(shards) > _MOST_SHARDS:
        raise CheckpointError(
            f"{plain(index)} names {len(shards):,} files, but must name at most {_MOST_SHARDS:,}: "
            "save the model again with a larger max_shard_size"
        )
    for file in shards:
        if file in ("", ".", "..") or Path(file).name != file or {"\\", "\0"} & set(file):
            raise CheckpointError(
                f"{plain(index)} names the file {shown(file)}, but shards must lie in the "
                "directory itself"
            )
    return weight_map


def _open_shards(index: Path, opened: list[WeightsFile]) -> dict[str, StoredTensor]:
    wanted: dict[str, list[str]] = {}
    for name, file in _weight_map(index).items():
        wanted.setdefault(file, []).append(name)
    tensors: dict[str, StoredTensor] = {}
    for file, names in sorted(wanted.items()):
        path = index.parent / file
        if not os.path.lexists(path):  # False also for what can be no name
            raise FileNotFoundError(
                f"{plain(index)} names the shard {shown(file)}, but there is no such file"
            )
        found = _open(path, opened)
        absent = [name for name in names if name not in found]
        if absent:
            raise CheckpointError(
                f"{plain(index)} says that {plain(file)} holds {listed(absent, 120)}, but it does "
                "not"
            )
        tensors |= {name: found[name] for name in names}
    return tensors


def _open(path: Path, opened: list[WeightsFile]) -> dict[str, StoredTensor]:
    """Open a file, enter it among those that are open, and list its tensors."""
    opened.append(WeightsFile(path))
    start, infos = opened[-1].header()
    return {
        name: StoredTensor(opened[-1], start + info.start, info.dtype, info.shape)
        for name, info in infos.items()
    }
