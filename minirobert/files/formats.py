"""What a file is that is not what its name promises, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ..sentences import shown

__all__ = ["first_words", "not_what_it_seems"]

_START = 512  # bytes that are enough to know a format

_ARCHIVE = "unpack it, and put the file that is in it in its place"
_PICKLE = (
    "a pickle of PyTorch's under another name, which can run any code when it is opened",
    "rename it to pytorch_model.bin, and loading tells how to convert it",
)
_KERAS = (
    "an HDF5 file, of TensorFlow or Keras",
    "rename it to tf_model.h5, and loading tells how to convert it",
)
_FLAX = (
    "a msgpack file, of Flax",
    "rename it to flax_model.msgpack, and loading tells how to convert it",
)


class _Format(NamedTuple):
    """How the files of a format begin, what they are, and the cure."""

    start: bytes  # a regular expression
    what: str
    cure: str


#: The first that fits counts.
_FORMATS = (
    _Format(
        rb"(?i)\s*(<!--.*?-->\s*)?<(!doctype|html|\?xml|head|body)",
        "a web page (HTML or XML)",
        "its address was that of a page, or the server asked to log in; fetch the file itself, "
        "with hf download or from …/resolve/main/…",
    ),
    _Format(
        rb"version https://git-lfs",
        "a pointer of git-lfs, a text in place of the file",
        "git lfs pull in its directory fetches the file itself",
    ),
    _Format(
        rb"# xet version",
        "a pointer of git-xet, a text in place of the file",
        "git xet pull in its directory, or hf download, fetches the file itself",
    ),
    _Format(
        rb"(\S*/)?\.?\S*/annex/objects/",
        "a pointer of git-annex, a text in place of the file",
        "git annex get in its directory fetches the file itself",
    ),
    _Format(rb"(?s)PK\x03\x04.*data\.pkl", *_PICKLE),
    _Format(rb"(?s)PK\x03\x04.*\.npy", "an archive of NumPy arrays (.npz)", "take safetensors"),
    _Format(rb"PK\x03\x04", "a zip archive", _ARCHIVE),
    _Format(rb"(?s)\x80[\x02-\x05].*", *_PICKLE),
    _Format(rb"\x89HDF\r\n", *_KERAS),
    _Format(
        rb"GGUF",
        "a GGUF file, of llama.cpp",
        "take safetensors from the repository that it was made from",
    ),
    _Format(
        rb"(?s)\x08[\x01-\x20](\x12|:|\x1a)",
        "an ONNX file, which holds a computation",
        "take safetensors of the model that it was exported from",
    ),
    _Format(rb"(?s)....TFL3", "a TensorFlow Lite file", "take safetensors"),
    _Format(rb"\x93NUMPY", "a NumPy array (.npy)", "take safetensors"),
    _Format(rb"(?s)[\x80-\x8f\xde\xdf].{0,4}[\xa1-\xbf\xd9]", *_FLAX),
    _Format(
        rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf", "a compressed archive", _ARCHIVE
    ),
    _Format(rb"(?s).{257}ustar", "a tar archive", _ARCHIVE),
)


def not_what_it_seems(path: Path) -> str | None:
    """Say what a file is that cannot be read, and the cure, where its first bytes tell.

    Parameters
    ----------
    path : Path
        Of a file that is neither JSON nor safetensors.

    Returns
    -------
    str or None
        Such as ``"a zip archive: unpack it, …"``.
    """
    with path.open("rb") as file:
        start = file.read(_START)
    if not start:
        return "empty: the download or copy did not finish, do it again"
    found = next((one for one in _FORMATS if re.match(one.start, start)), None)
    return f"{found.what}: {found.cure}" if found else None


def first_words(path: Path) -> str | None:
    """Quote the beginning of a file that is a text."""
    with path.open("rb") as file:
        start = file.read(_START)
    text = start.decode("utf-8", "ignore")
    is_whole = len(text.encode()) > len(start) - 4  # the last character may be cut in two
    is_text = is_whole and all(c.isprintable() or c in "\t\r\n" for c in text)
    return shown(text[:60]) if is_text else None
