"""The files vocab.json and merges.txt: reading, checking, writing.

vocab.json is one JSON object from tokens to ids. merges.txt has one merge a line, two tokens with
a space between them, after a line ``#version: 0.2``. The tokens are written in the byte alphabet.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from ...files import is_utf8, json_text, read_json, read_text
from ...rules import Rule, check
from ...sentences import plain, shown
from ..bpe import Pair
from ..vocabulary import ID, MAX_ID

__all__ = [
    "MERGES_HEADER",
    "MERGES_NAME",
    "PATH",
    "VOCAB_NAME",
    "FilePath",
    "check_id",
    "check_merges",
    "check_vocab",
    "merges_text",
    "object_text",
    "read_merges",
    "read_vocab",
    "vocab_text",
]

VOCAB_NAME = "vocab.json"
MERGES_NAME = "merges.txt"
MERGES_HEADER = "#version"

FilePath = str | os.PathLike[str]
PATH = Rule(lambda value: isinstance(value, str | os.PathLike), "a path")
MERGES = Rule(lambda value: isinstance(value, Iterable), "a path, or pairs of tokens")


def read_vocab(source: FilePath | Mapping[str, int]) -> dict[str, int]:
    """Read and check a vocabulary: the file vocab.json, or what it would hold."""
    if isinstance(source, Mapping):
        return check_vocab(source, "the vocabulary")
    check("vocab_file", source, PATH.but(", or a dictionary of tokens and ids"), TypeError)
    return check_vocab(read_json(source), plain(source))


def check_vocab(vocab: Mapping[str, Any], where: str) -> dict[str, int]:
    """Check that a vocabulary gives each token an id of its own; `where` it comes from."""
    if not _is_sound(vocab):
        _check_entries(vocab, where)
    return dict(vocab)


# A vocabulary has 50,000 entries, and almost always nothing is wrong with any of them: they are
# looked at all together, and one by one only if there is something to complain about.
def _is_sound(vocab: Mapping[str, Any]) -> bool:
    indices = vocab.values()
    return (
        set(map(type, vocab)) <= {str}
        and set(map(type, indices)) <= {int}
        and is_utf8("".join(vocab))
        and min(indices, default=0) >= 0
        and max(indices, default=0) <= MAX_ID
        and len(set(indices)) == len(vocab)
    )


def _check_entries(vocab: Mapping[str, Any], where: str) -> None:
    owner: dict[int, str] = {}
    for token, index in vocab.items():
        if not isinstance(token, str) or not is_utf8(token):
            raise ValueError(f"{where}: {shown(token)} is not a string of valid characters")
        check_id(index, f"{where}: the id of {shown(token)}")
        if owner.setdefault(index, token) != token:
            raise ValueError(
                f"{where}: {shown(token)} and {shown(owner[index])} have the same id {index}; each"
                " token needs its own"
            )


def check_id(index: Any, where: str) -> int:
    """Check the id of a token; `where` says of what, for the error."""
    check(where, index, ID)
    return int(index)


def read_merges(source: FilePath | Iterable[Pair | str], vocab: Mapping[str, int]) -> list[Pair]:
    """Read merges, from merges.txt or given as pairs or ``"a b"``, and check them.

    Of a merge that is repeated the first place counts; in tokenizer.json it is the last.
    """
    if not isinstance(source, str | os.PathLike):
        check("merges_file", source, MERGES, TypeError)
        return _unique(check_merges(source, vocab, "merge", first=0))
    lines = [line.removesuffix("\r") for line in read_text(source).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    # As in transformers, a byte order mark before the header is passed over with it.
    header = 1 if lines and lines[0].removeprefix("\ufeff").startswith(MERGES_HEADER) else 0
    return _unique(check_merges(lines[header:], vocab, f"{plain(source)}, line", first=1 + header))


def _unique(merges: Iterable[Pair]) -> list[Pair]:
    return list(dict.fromkeys(merges))


def check_merges(
    merges: Iterable[Any], vocab: Mapping[str, int], where: str, first: int
) -> list[Pair]:
    """Check that each merge has two parts, and that the vocabulary has them and their union.

    The `first` merge has this number `where` they are counted, for the error.
    """
    pairs = []
    for number, merge in enumerate(merges, first):
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not _is_pair(parts):
            raise ValueError(
                f"{where} {number}: {shown(merge)} is no merge, which has two tokens with"
                " one space between them"
            )
        left, right = parts
        if not (left in vocab and right in vocab and left + right in vocab):
            missing = next(token for token in (left, right, left + right) if token not in vocab)
            raise ValueError(
                f"{where} {number}: the merge of {shown(left, 50)} and {shown(right, 50)} needs the"
                f" token {shown(missing, 50)}, which the vocabulary lacks; are the files those of"
                " one tokenizer?"
            )
        pairs.append((left, right))
    return pairs


def _is_pair(parts: Any) -> bool:
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        return False
    left, right = parts
    return isinstance(left, str) and isinstance(right, str) and bool(left and right)


def vocab_text(vocab: Mapping[str, int]) -> str:
    """Give the text of vocab.json, by rising id."""
    by_id = dict(sorted(vocab.items(), key=lambda entry: entry[1]))
    return json.dumps(by_id, ensure_ascii=False, separators=(",", ":"))


def merges_text(merges: Iterable[Pair]) -> str:
    """Give the text of merges.txt."""
    lines = [f"{MERGES_HEADER}: 0.2", *(f"{left} {right}" for left, right in merges)]
    return "".join(line + "\n" for line in lines)


def object_text(value: Mapping[str, Any]) -> str:
    """Give the text of a JSON object for people to read, with sorted keys."""
    return json_text(value, indent=2, sort_keys=True) + "\n"
