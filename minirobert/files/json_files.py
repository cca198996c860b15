"""JSON, in and out: what a settings file says, and the text that it is saved as again.

All that Python's ``json`` reads, transformers reads, too: ``NaN``, half of a surrogate pair, and a
key that an object has twice, of which the last counts. What a key means is for others to check,
inside of `naming`, which puts the name of the file before their sentences.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, NoReturn

from ..sentences import cut, listed, plain, shown
from ..warning import warn
from .formats import not_what_it_seems
from .local import read_text

__all__ = [
    "MAX_DEPTH",
    "check_standard",
    "is_too_deep",
    "is_utf8",
    "json_text",
    "naming",
    "read_json",
]

#: How many objects and arrays may stand in each other: far more than any file has, and few enough
#: for all that looks into them, as `copy.deepcopy` or ``==``.
MAX_DEPTH = 100

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
            of_key = f"{shown(key)} " if key else ""
            raise ValueError(
                f"{plain(path)}: {of_key}has arrays or objects nested more than {MAX_DEPTH} deep,"
                f" in line {line}, column {column}"
            ) from None
    raise ValueError(f"{plain(path)} has arrays or objects nested too deeply to be read") from None


def _refuse_long_number(path: Path, text: str) -> NoReturn:
    """Say which key has a number that is too long, if nothing else is wrong."""
    most = sys.get_int_max_str_digits()
    long = object()  # what stands for it
    value = _parsed(path, text, {}, lambda n: long if len(n.lstrip("-")) > most else int(n))
    # None is found where the key comes again, with another value.
    place, _ = next(_places(value, lambda one: one is long), ("", None))
    of_key = f"{plain(place)} " if place else ""
    raise ValueError(f"{plain(path)}: {of_key}has a number of more than {most:,} digits") from None


def check_standard(value: Any, where: str) -> None:
    """Refuse what Python alone takes for JSON, in what other libraries will read.

    >>> check_standard({"a": [0.5, float("nan")]}, "part")
    Traceback (most recent call last):
    ValueError: part: a[1] is nan, which is no JSON for the library that reads this file, too
    """
    for place, one in _places(value, _is_pythons):
        raise ValueError(
            f"{where}: {plain(place)} is {shown(one)}, which is no JSON for the library that reads"
            " this file, too"
        )


def _is_pythons(value: Any) -> bool:
    if isinstance(value, str):
        return not is_utf8(value)
    return isinstance(value, float) and not math.isfinite(value)


def _places(
    value: Any, wanted: Callable[[Any], bool], place: str = ""
) -> Iterator[tuple[str, Any]]:
    """Find keys and values in a JSON value, with the way there: ``a.b[3]``."""
    if wanted(value):
        yield place, value
    elif isinstance(value, dict):
        for key, one in value.items():
            way = f"{place}.{key}" if place else str(key)
            if wanted(key):
                yield "a key" + (f" of {place}" if place else ""), key
            yield from _places(one, wanted, way)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _places(one, wanted, f"{place}[{index}]")


def is_too_deep(value: Any) -> bool:
    """Tell whether dictionaries, lists and tuples stand in each other more than `MAX_DEPTH` deep.

    >>> is_too_deep({"a": [1, {"b": 2}]})
    False
    """
    deepest = next(islice(_levels(value), MAX_DEPTH, None), [])
    return any(isinstance(one, dict | list | tuple) for one in deepest)


def _levels(value: Any) -> Iterator[list[Any]]:
    """Give a value, then all that stands in it, then all that stands in these, and so on."""
    level = [value]
    for depth in count():
        yield level
        kinds = {kind for kind in set(map(type, level)) if issubclass(kind, dict | list | tuple)}
        if not kinds:
            return
        outer = [one for one in level if type(one) in kinds]
        if depth > _SHALLOW or len(outer) > _MANY:
            outer = list({id(one): one for one in outer}.values())
        level = list(chain.from_iterable(map(_members, outer)))


#: From there on each is looked at once: a list that holds itself twice doubles with every step.
_SHALLOW, _MANY = 8, 100_000


def _members(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def not_to_be_kept(value: Any) -> str | None:
    """Say why a value from anywhere could not be saved, or not read again: it is too deep or long.

    >>> not_to_be_kept({"a": [10**5000]})
    'has a number of more than 4,300 digits'
    """
    if is_too_deep(value):
        return f"has lists or dictionaries nested more than {MAX_DEPTH} deep"
    for level in _levels(value):
        if any(
            isinstance(one, int) and one.bit_length() > 2**13 and _is_long(one) for one in level
        ):
            return f"has a number of more than {sys.get_int_max_str_digits():,} digits"
    return None


def _is_long(number: int) -> bool:
    try:
        str(number)
    except ValueError:
        return True
    return False


def json_text(value: Any, **options: Any) -> str:
    r"""Write a value as JSON, with characters as they are.

    A lone surrogate, which has no UTF-8, is written as an escape, and so is then all beyond ASCII.

    Parameters
    ----------
    value : object
    **options
        Of `json.dumps`.

    >>> json_text(["ü"]), json_text(["ü", chr(0xD800)])
    ('["ü"]', '["\\u00fc", "\\ud800"]')
    """
    text = json.dumps(value, ensure_ascii=False, **options)
    return text if is_utf8(text) else json.dumps(value, **options)


def is_utf8(text: str) -> bool:
    """Tell whether a text has a UTF-8 form: it has none with half of a surrogate pair in it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def settings_text(values: Mapping[str, Any], file: str) -> str:
    """Write a file of settings, its keys sorted, or say which of them it cannot hold."""
    try:
        return json_text(values, indent=2, sort_keys=True) + "\n"
    except (TypeError, ValueError, RecursionError):
        name, value = next(filter(_is_no_json, values.items()), ("a key", list(values)))
    raise ValueError(
        f"{plain(name)} is {shown(value)}, which {file} cannot hold: make it of strings, numbers,"
        " lists and dictionaries before saving"
    )


def _is_no_json(entry: tuple[str, Any]) -> bool:
    try:
        json_text(entry[1], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return True
    return False


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
