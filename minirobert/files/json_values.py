"""Values of JSON: which can be kept, and the text that they are saved as."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, count, islice
from typing import Any

from ..sentences import plain, shown

__all__ = [
    "MAX_DEPTH",
    "check_standard",
    "is_too_deep",
    "is_utf8",
    "json_text",
    "not_to_be_kept",
    "places",
    "settings_text",
]

#: How many objects and arrays may stand in each other: far more than any file has, and few enough
#: for all that looks into them, as `copy.deepcopy` or ``==``.
MAX_DEPTH = 100


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
        lists = [one for one in outer if not isinstance(one, dict)]
        values = [one.values() for one in outer if isinstance(one, dict)]
        level = list(chain.from_iterable(chain(values, lists)))


#: From there on each is looked at once: a list that holds itself twice doubles with every step.
_SHALLOW, _MANY = 8, 100_000


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


def places(value: Any, wanted: Callable[[Any], bool], place: str = "") -> Iterator[tuple[str, Any]]:
    """Find keys and values in a JSON value, with the way there: ``a.b[3]``."""
    if wanted(value):
        yield place, value
    elif isinstance(value, dict):
        for key, one in value.items():
            way = f"{place}.{key}" if place else str(key)
            if wanted(key):
                yield "a key" + (f" of {place}" if place else ""), key
            yield from places(one, wanted, way)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from places(one, wanted, f"{place}[{index}]")


def check_standard(value: Any, where: str) -> None:
    """Refuse what Python alone takes for JSON, in what other libraries will read.

    >>> check_standard({"a": [0.5, float("nan")]}, "part")
    Traceback (most recent call last):
    ValueError: part: a[1] is nan, which is no JSON for the library that reads this file, too
    """
    for place, one in places(value, _is_pythons):
        raise ValueError(
            f"{where}: {plain(place)} is {shown(one)}, which is no JSON for the library that reads"
            " this file, too"
        )


def _is_pythons(value: Any) -> bool:
    if isinstance(value, str):
        return not is_utf8(value)
    return isinstance(value, float) and not math.isfinite(value)


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
        f"{plain(name)} is {shown(value)}, which {plain(file)} cannot hold: make it of strings,"
        " numbers, lists and dictionaries before saving"
    )


def _is_no_json(entry: tuple[str, Any]) -> bool:
    try:
        json_text(entry[1], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return True
    return False
