"""Where the files of a model are that are not in the directory that was given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ..sentences import listed, shown

__all__ = ["MERGE", "elsewhere"]

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def elsewhere(directory: Path, *names: str) -> str:
    """End a sentence about a file that is missing: what the directory holds instead.

    Parameters
    ----------
    directory : Path
    *names : str
        Of the files, any of which would do.

    Returns
    -------
    str
        Empty where there is nothing to say.
    """
    if not os.path.isdir(directory):
        return ""
    if (directory / "adapter_config.json").is_file():
        return f", but an adapter of {_base_model(directory)}: {MERGE}"
    try:
        below = [str(one.relative_to(directory)) for one in _below(directory, names)]
    except OSError:  # no file can have such a name
        return ""
    if not below:
        return ""
    others = f" (or another of {listed(below[1:], 100, each=shown)})" if below[1:] else ""
    return f", but there is in a directory below it: give subfolder={shown(below[0], 80)}{others}"


#: What to do with an adapter.
MERGE = (
    "add it to that model's weights, with merge_and_unload() of peft and then save_pretrained, and "
    "load what is saved"
)


def _base_model(directory: Path) -> str:
    """Name the model that an adapter changes."""
    from .json_files import read_json  # only here: it needs this to say that a file is missing

    try:
        return shown(read_json(directory / "adapter_config.json")["base_model_name_or_path"])
    except (OSError, ValueError, KeyError):
        return "another model"


def _below(directory: Path, names: tuple[str, ...]) -> list[Path]:
    """List directories that have one of the files, if any also with weights only those."""
    found = sorted({path.parent for path in _paths(directory, names)})
    return [one for one in found if any(any(one.glob(w)) for w in _WEIGHTS)] or found


def _paths(directory: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """Look for files one and two directories further down."""
    patterns = (f"{stars}/{name}" for stars in ("*", "*/*") for name in names)
    found = chain.from_iterable(map(directory.glob, patterns))
    return (path for path in found if not _is_hidden(path.relative_to(directory)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
