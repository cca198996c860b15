"""Values and lists in the sentences of errors and warnings: as much of them as a reader needs.

A sentence has at most `LIMIT` characters, on one line, however large the value is that it complains
about, and whatever characters are in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeAlias

__all__ = ["LIMIT", "Piece", "cut", "escaped", "fitted", "listed", "plain", "shown", "type_name"]

#: The most characters of a message.
LIMIT = 500

_VALUE = 100  # characters of a value that are shown
_PLAIN = 160  # of a path, or of another sentence
_ELEMENTS = 6  # of a list, dictionary or array
_DIGITS = 40  # of an integer
_DEPTH = 3  # of lists in lists

#: Of a sentence: text as it stands, or a list of names.
Piece: TypeAlias = str | Sequence[str]


def shown(value: Any, most: int = _VALUE) -> str:
    """Quote a value on one line, or as much of it as fits, with its size.

    Parameters
    ----------
    value : object
        Nothing is asked of it: its own ``repr`` may be huge, or fail.
    most : int
        The most characters that are quoted.

    Returns
    -------
    str

    >>> shown("<mask>"), shown("x" * 100_000, most=10)
    ("'<mask>'", "'xxxx…xxxx' (100,000 characters)")
    >>> shown(list(range(100_000))), shown(10**5000)
    ('[0, 1, 2, 3, 4, 5, …] (100,000 elements)', 'an integer of about 5,001 digits')
    """
    try:
        return plain(_quoted(value, most, _DEPTH), most + 20) + _size(value, most)
    except Exception:  # whatever its class does, the sentence must be told
        return f"a value of type {type_name(value)}"


def type_name(value: Any) -> str:
    """Name the type of a value.

    >>> type_name({})
    'dict'
    """
    return plain(type(value).__name__, 40)


def plain(text: Any, most: int = _PLAIN) -> str:
    r"""Give a path, name or sentence without quotes, on one line, or as much of it as fits.

    >>> plain("models/one\ntwo"), plain("model/" * 50, most=20)
    ('models/one\\ntwo', 'model/mode…el/model/')
    """
    try:
        short = cut(str(text), most)
    except Exception:  # as in `shown`
        short = f"a value of type {type_name(text)}"
    return cut(escaped(short), most)


def escaped(text: str, keep: str = "") -> str:
    r"""Escape what is no character to be seen.

    >>> print(escaped("a\x1b[31m\u202eb"))
    a\x1b[31m\u202eb
    """
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def cut(text: str, most: int = LIMIT) -> str:
    """Take the middle out of a text that is too long.

    >>> cut("encoder.layer.0.weight", most=11)
    'encod…eight'
    """
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[: most - 1 - half]}…{text[len(text) - half :]}"


def listed(
    names: Iterable[Any],
    room: int = 2 * _VALUE,
    between: str = ", ",
    each: Callable[[Any, int], str] = plain,
) -> str:
    """List the first few, as many as fit, and count the others.

    Parameters
    ----------
    names : iterable
    room : int
        The characters that the list may have, without the count.
    between : str
    each : callable
        How a name is told in so many characters: `shown` puts it in quotes.

    >>> listed(["a", "b"], each=shown), listed((f"layer.{i}" for i in range(200)), room=20)
    ("'a', 'b'", 'layer.0, layer.1 … and 198 more')
    """
    names = list(names)
    texts: list[str] = []
    for name in names:
        text = each(name, room)
        if texts and len(between.join([*texts, text])) > room:
            break
        texts.append(text)
    more = len(names) - len(texts)
    return between.join(texts) + (f" … and {more:,} more" if more else "")


def fitted(*pieces: Piece, between: str = ", ") -> str:
    """Put a sentence together, with as much of the lists in it as the limit leaves room for.

    >>> names = [f"layer.{i}" for i in range(1000)]
    >>> len(fitted("unexpected: ", names, ": " + "look for them " * 30)) <= LIMIT
    True
    """
    text = ""
    for room in range(LIMIT, 20, -40):
        text = "".join(
            piece if isinstance(piece, str) else listed(piece, room, between) for piece in pieces
        )
        if len(text) <= LIMIT:
            break
    return cut(text)


def _size(value: Any, most: int) -> str:
    """Tell how large a value is of which only a part is shown."""
    if isinstance(value, str | bytes) and len(value) > most:
        return f" ({len(value):,} {'characters' if isinstance(value, str) else 'bytes'})"
    if isinstance(value, list | tuple | dict | set | frozenset) and len(value) > _ELEMENTS:
        return f" ({len(value):,} elements)"
    return ""


def _quoted(value: Any, most: int, depth: int) -> str:
    """Do what ``repr`` does, without looking at more of a value than is shown."""
    own: Any = type(value).__repr__
    if own in (str.__repr__, bytes.__repr__):
        return _quoted_text(value, most if depth == _DEPTH else max(most // 3, 12))
    if own is int.__repr__:
        digits = int(value.bit_length() * math.log10(2)) + 1
        return repr(value) if digits <= _DIGITS else f"an integer of about {digits:,} digits"
    if own in _BRACKETS:
        return _quoted_elements(value, most, depth - 1)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and math.prod(shape) > _ELEMENTS:
        return f"an array ({type_name(value)}) of shape {list(shape)}"
    return re.sub(r"\s*\n\s*", " ", cut(repr(value), most))


def _quoted_text(text: str | bytes, most: int) -> str:
    if len(text) <= most:
        return repr(text)
    half = (most - 2) // 2
    if isinstance(text, str):
        return repr(f"{text[:half]}…{text[len(text) - half :]}")
    return f"{repr(text[:half])[:-1]}…'"


#: How the kinds of lists begin and end.
_BRACKETS: dict[Any, tuple[str, str]] = {
    list.__repr__: ("[", "]"),
    tuple.__repr__: ("(", ")"),
    set.__repr__: ("{", "}"),
    frozenset.__repr__: ("frozenset({", "})"),
    dict.__repr__: ("{", "}"),
}


def _quoted_elements(values: Any, most: int, depth: int) -> str:
    start, end = _BRACKETS[type(values).__repr__]
    if not values or depth < 0:
        return f"{start}…{end}" if values else repr(values)
    entries: Iterable[Any] = values.items() if isinstance(values, dict) else zip(values)
    texts: list[str] = []
    for entry in islice(entries, _ELEMENTS):
        text = ": ".join(_quoted(one, most, depth) for one in entry)
        if texts and sum(map(len, [*texts, text])) > most:
            break
        texts.append(text)
    more = ["…"] if len(values) > len(texts) else []
    comma = "," if isinstance(values, tuple) and len(values) == 1 else ""
    return f"{start}{', '.join([*texts, *more])}{comma}{end}"
