"""Files of JSON: what they say, or a sentence on why they cannot be read.

All that Python's ``json`` reads, transformers reads, too: ``NaN``, half of a surrogate pair, and a
key that an object has twice, of which the last counts. What a key means is for others to check,
inside of `naming`, which puts the name of the file before their sentences.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ..sentences import cut, listed, plain, shown
from ..warning import warn
from .formats import not_what_it_seems
from .json_values import MAX_DEPTH, is_too_deep, places
from .local import read_text

__all__ = ["naming", "read_json"]

_KINDS = {list: "array", str: "string", bool: "boolean", type(None): "null"}
_TOKENS = re.compile(r'"(?P<string>(?:[^"\\]|\\.)*+)"(?P<colon>\s*:)?|(?P<open>[\[{])|[\]}]')


def read_json(path: str | os.PathLike[str], *, tell: bool = True) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Parameters
    ----------
    path : str or path
    tell : bool
        Warn of a key that an object has twice. Whoever only looks into a file that is read again
        leaves the warning to the other.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no JSON, or no object, or has a number too long or nesting too deep to be kept.
    """
    path = Path(path)
    text = read_text(path)
    repeated: dict[str, None] = {}
    value = _parsed(path, text, repeated)
    if not isinstance(value, dict):
        found = _KINDS.get(type(value), "number")
        raise ValueError(f"{plain(path)} holds a JSON {found}, but must hold an object")
    if is_too_deep(value):
        _refuse_depth(path, text)
    if repeated and tell:
        warn(
            f"{plain(path)} has {listed(repeated, each=shown)} more than once in one object: the"
            " last one counts, as in transformers"
        )
    return value


def _parsed(
    path: Path, text: str, repeated: dict[str, None], integer: Callable[[str], Any] | None = None
) -> Any:
    """Parse a text, and note the keys that an object has twice."""

    def as_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            times = Counter(key for key, _ in pairs)
            repeated.update(dict.fromkeys(key for key in made if times[key] > 1))
        return made

    try:
        return json.loads(text, object_pairs_hook=as_dict, parse_int=integer)
    except json.JSONDecodeError as error:
        _refuse_syntax(path, text, error)
    except RecursionError:
        _refuse_depth(path, text)
    except ValueError:  # Python converts no number of so many digits
        _refuse_long_number(path, text)


def _refuse_syntax(path: Path, text: str, error: json.JSONDecodeError) -> NoReturn:
    other = not_what_it_seems(path)
    if other:
        raise ValueError(f"{plain(path)} is not JSON, but {other}") from None
    if not text.strip():
        raise ValueError(
            f"{plain(path)} is not JSON, but blank: download or copy it again"
        ) from None
    if text.startswith("\ufeff"):
        raise ValueError(
            f"{plain(path)} is not JSON: it begins with a byte order mark (BOM), as some editors"
            " write it; save it as UTF-8 without BOM"
        ) from None
    raise ValueError(
        f"{plain(path)} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
    ) from None


def _refuse_depth(path: Path, text: str) -> NoReturn:
    """Say where a text goes too deep."""
    depth, key = 0, ""
    for token in _TOKENS.finditer(text):
        if token["string"] is not None:
            key = token["string"] if token["colon"] and depth == 1 else key
            continue
        depth += 1 if token["open"] else -1
        if depth > MAX_DEPTH:
            line = text.count("\n", 0, token.start()) + 1
            column = token.start() - text.rfind("\n", 0, token.start())
            of_key = f": {shown(key)}" if key else ""
            raise ValueError(
                f"{plain(path)}{of_key} has arrays or objects nested more than {MAX_DEPTH} deep,"
                f" in line {line}, column {column}"
            ) from None
    raise ValueError(f"{plain(path)} has arrays or objects nested too deeply to be read") from None


def _refuse_long_number(path: Path, text: str) -> NoReturn:
    """Say which key has a number that is too long, if nothing else is wrong."""
    most = sys.get_int_max_str_digits()
    long = object()  # what stands for it
    value = _parsed(path, text, {}, lambda n: long if len(n.lstrip("-")) > most else int(n))
    if is_too_deep(value):
        _refuse_depth(path, text)
    # None is found where the key comes again, with another value.
    place, _ = next(places(value, lambda one: one is long), ("", None))
    of_key = f": {plain(place)}" if place else ""
    raise ValueError(f"{plain(path)}{of_key} has a number of more than {most:,} digits") from None


@contextmanager
def naming(path: str | os.PathLike[str], given: Collection[str] = ()) -> Iterator[None]:
    """Let the errors of a block begin with the file whose contents it reads.

    Parameters
    ----------
    path : str or path
    given : collection of str
        What a caller has said in place of the file: an error that begins with one of these is not
        about the file.

    >>> with naming("config.json"):
    ...     raise ValueError("top_k is 0")
    Traceback (most recent call last):
    ValueError: config.json: top_k is 0
    """
    try:
        yield
    except ValueError as error:
        said = str(error)
        if plain(path) not in said and said.partition(" ")[0] not in given:
            error.args = (cut(f"{plain(path)}: {said}"),)
        raise
