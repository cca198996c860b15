"""The files vocab.json and merges.txt: reading, checking, writing.

vocab.json is one JSON object from tokens to ids. merges.txt has one merge a line, two tokens with
a space between them, after a line ``#version: 0.2``. The tokens are written in the byte alphabet.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import read_json, read_text, write_text
from .bpe import Pair

VOCAB_NAME = "vocab.json"
MERGES_NAME = "merges.txt"
MERGES_HEADER = "#version"

FilePath = str | os.PathLike[str]


def read_vocab(source: FilePath | Mapping[str, int]) -> dict[str, int]:
    """Read and check a vocabulary.

    Parameters
    ----------
    source : path or mapping of str to int
        The file vocab.json, or what it would hold.

    Returns
    -------
    dict of str to int
        From tokens to ids.
    """
    if isinstance(source, Mapping):
        return check_vocab(source, "the vocabulary")
    return check_vocab(read_json(source), os.fspath(source))


def check_vocab(vocab: Mapping[str, Any], where: str) -> dict[str, int]:
    """Check that a vocabulary gives each token an id of its own.

    Parameters
    ----------
    vocab : mapping
        From tokens to ids.
    where : str
        Where it comes from, for the error.

    Returns
    -------
    dict of str to int
        The same.
    """
    owner: dict[int, str] = {}
    for token, index in vocab.items():
        if not isinstance(token, str) or not _has_utf8(token):
            raise ValueError(f"{where}: {token!r} is not a string of valid characters")
        if isinstance(index, bool) or not isinstance(index, int):
            raise ValueError(f"{where}: the id of {token!r} is {index!r}, not an integer")
        if index < 0:
            raise ValueError(f"{where}: the id of {token!r} is {index}, which is negative")
        if owner.setdefault(index, token) != token:
            raise ValueError(
                f"{where}: {token!r} and {owner[index]!r} have the same id {index}; each token"
                " needs its own"
            )
    return dict(vocab)


def _has_utf8(token: str) -> bool:
    return token.isascii() or not any("\ud800" <= char <= "\udfff" for char in token)


def read_merges(source: FilePath | Iterable[Pair | str], vocab: Mapping[str, int]) -> list[Pair]:
    """Read merges and check them against the vocabulary.

    Parameters
    ----------
    source : path or iterable
        The file merges.txt, or the merges themselves, each a pair or a string ``"a b"``.
    vocab : mapping of str to int
        The vocabulary, which must have the parts and the result of each merge.

    Returns
    -------
    list of (str, str)
        The merges, in order.
    """
    if not isinstance(source, str | os.PathLike):
        return check_merges(source, vocab, "merge", first=0)
    lines = [line.removesuffix("\r") for line in read_text(source).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    header = 1 if lines and lines[0].startswith(MERGES_HEADER) else 0
    return check_merges(lines[header:], vocab, f"{os.fspath(source)}, line", first=1 + header)


def check_merges(
    merges: Iterable[Any], vocab: Mapping[str, int], where: str, first: int
) -> list[Pair]:
    """Check that each merge has two parts, and that the vocabulary has them and their union.

    Parameters
    ----------
    merges : iterable
        The merges, each a pair or a string ``"a b"``.
    vocab : mapping of str to int
        The vocabulary.
    where : str
        What the number of a merge is counted in, for the error.
    first : int
        The number of the first merge.

    Returns
    -------
    list of (str, str)
        The merges as pairs.
    """
    pairs = []
    for number, merge in enumerate(merges, first):
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not _is_pair(parts):
            raise ValueError(
                f"{where} {number}: {merge!r} is no merge, which has two tokens with one space"
                " between them"
            )
        left, right = parts
        for token in (left, right, left + right):
            if token not in vocab:
                raise ValueError(
                    f"{where} {number}: the merge of {left!r} and {right!r} needs the token"
                    f" {token!r}, which the vocabulary lacks; are the files those of one tokenizer?"
                )
        pairs.append((left, right))
    return pairs


def _is_pair(parts: Any) -> bool:
    return (
        isinstance(parts, Sequence)
        and len(parts) == 2
        and all(isinstance(part, str) and part for part in parts)
    )


def write_vocab(path: Path, vocab: Mapping[str, int]) -> None:
    """Write vocab.json, by rising id.

    Parameters
    ----------
    path : Path
        The file.
    vocab : mapping of str to int
        From tokens to ids.
    """
    by_id = dict(sorted(vocab.items(), key=lambda entry: entry[1]))
    write_text(path, json.dumps(by_id, ensure_ascii=False, separators=(",", ":")))


def write_merges(path: Path, merges: Iterable[Pair]) -> None:
    """Write merges.txt.

    Parameters
    ----------
    path : Path
        The file.
    merges : iterable of (str, str)
        The merges, in order.
    """
    lines = [f"{MERGES_HEADER}: 0.2", *(f"{left} {right}" for left, right in merges)]
    write_text(path, "".join(line + "\n" for line in lines))


def write_object(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object for people to read.

    Parameters
    ----------
    path : Path
        The file.
    value : mapping
        The object.
    """
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")
