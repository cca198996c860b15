"""Whether a file is what a hub says it is: by its checksum, and by what its name promises."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from ..sentences import cut
from .formats import not_what_it_seems

__all__ = ["damage", "is_checksum"]

_WEIGHTS = ".safetensors"
_LONGEST_HEADER = 100_000_000  # bytes: the safetensors library takes no more


def damage(path: Path, name: str, etag: str | None, *, arrived: bool = False) -> str | None:
    """Say what is wrong with a file of the cache, or with one that is to come into it.

    Parameters
    ----------
    path : Path
    name : str
        What it is in the repository, which tells its format: JSON, safetensors, or text.
    etag : str, optional
        What the hub calls its content: git's checksum of it or, for large files, its SHA-256. Other
        servers have other words, which tell nothing.
    arrived : bool
        Whether it has just come. Then nothing is left out; later, the content of weights is, as
        they are large.

    Returns
    -------
    str or None
    """
    is_large = name.endswith(_WEIGHTS)
    if arrived:
        return _form_damage(path, name) or _checksum_damage(path, etag)
    if is_large or not is_checksum(etag):
        return _form_damage(path, name)
    return _checksum_damage(path, etag)


def is_checksum(etag: str | None) -> bool:
    """Tell whether a word of the hub's is that of a content: SHA-1, or SHA-256."""
    return etag is not None and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", etag) is not None


def _form_damage(path: Path, name: str) -> str | None:
    """Say why a file cannot be what its name promises."""
    if name.endswith(_WEIGHTS):
        fault = _weights_damage(path)
    elif name.endswith(".json"):
        fault = _json_damage(path)
    elif name.endswith(".txt") or path.stat().st_size > 0:  # a template may be empty
        return _start_of(not_what_it_seems(path))
    else:
        return None
    return fault and (_start_of(not_what_it_seems(path)) or fault)


def _start_of(sentence: str | None) -> str | None:
    """Leave out the cure, which is for a file of the user's own."""
    return sentence and sentence.partition(":")[0]


def _json_damage(path: Path) -> str | None:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return "not JSON"
    if not isinstance(content, dict):
        return "JSON, but no object"
    error = content.get("error")
    return f"an error message, {cut(repr(error), 60)}" if isinstance(error, str) else None


def _weights_damage(path: Path) -> str | None:
    """Compare the end of the last tensor with that of the file."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= _LONGEST_HEADER:
            return "no safetensors file"
        header = file.read(length)
    try:
        tensors = json.loads(header)
        ends = [one["data_offsets"][1] for name, one in tensors.items() if name != "__metadata__"]
        stop = 8 + length + max(ends, default=0)
        size = path.stat().st_size
        return None if size == stop else f"{size:,} bytes long in place of {stop:,}"
    except (ValueError, RecursionError, AttributeError, TypeError, LookupError):
        return "no safetensors file"


def _checksum_damage(path: Path, etag: str | None) -> str | None:
    if etag is None or not is_checksum(etag) or etag in _checksums(path, etag):
        return None
    return "not what its checksum says"


def _checksums(path: Path, etag: str) -> list[str]:
    """Compute those that have so many digits: SHA-256; git's SHA-1, or that of mirrors."""
    with path.open("rb") as file:
        if len(etag) == 64:
            return [hashlib.file_digest(file, "sha256").hexdigest()]
        of_git = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        plain = hashlib.sha1(usedforsecurity=False)
        while block := file.read(1 << 20):
            of_git.update(block)
            plain.update(block)
    return [of_git.hexdigest(), plain.hexdigest()]
