"""Values and lists in the sentences of errors and warnings: as much of them as a reader needs.

A sentence has at most `LIMIT` characters, however large the value is that it complains about.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from itertools import islice
from typing import Any

__all__ = ["LIMIT", "cut", "listed", "shown"]

#: The most characters of a message.
LIMIT = 500

_VALUE = 100  # characters of a value that are shown
_ELEMENTS = 6  # of a list or dictionary


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
    text = cut(" ".join(_Quoting(most).repr(value).split("\n")), most + 20)
    return text + _size(value, most)


def cut(text: str, most: int = LIMIT) -> str:
    """Take the middle out of a text that is too long.

    >>> cut("encoder.layer.0.weight", most=11)
    'encod…eight'
    """
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[: most - 1 - half]}…{text[len(text) - half :]}"


def listed(names: Iterable[Any], most: int = 5, between: str = ", ") -> str:
    """List the first few, and count the others.

    >>> listed(["a", "b"]), listed(f"layer.{i}" for i in range(200))
    ('a, b', 'layer.0, layer.1, layer.2, layer.3, layer.4 … and 195 more')
    """
    texts = [cut(str(name)) for name in names]
    more = f" … and {len(texts) - most:,} more" if len(texts) > most else ""
    return between.join(cut(text, max(2 * _VALUE // most, 40)) for text in texts[:most]) + more


def _size(value: Any, most: int) -> str:
    """Tell how large a value is of which only a part is shown."""
    if isinstance(value, str | bytes) and len(value) > most:
        return f" ({len(value):,} {'characters' if isinstance(value, str) else 'bytes'})"
    if isinstance(value, list | tuple | dict | set | frozenset) and len(value) > _ELEMENTS:
        return f" ({len(value):,} elements)"
    return ""


class _Quoting(reprlib.Repr):
    """``repr`` that never looks at more of a value than it shows."""

    def __init__(self, most: int):
        super().__init__()
        self.fillvalue = "…"
        self.maxstring = self.maxother = most
        self.maxlevel = 3
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxarray = _ELEMENTS
        self.maxdict = self.maxdeque = _ELEMENTS

    def repr_str(self, x: str, level: int) -> str:
        most = self.maxstring if level == self.maxlevel else self.maxstring // 3
        half = (most - 2) // 2
        return repr(x if len(x) <= most else f"{x[:half]}…{x[-half:]}")

    def repr_bytes(self, x: bytes, level: int) -> str:
        return "b" + self.repr_str(x.decode("latin-1"), level)

    def repr_int(self, x: int, level: int) -> str:
        digits = int(x.bit_length() * math.log10(2)) + 1
        return repr(x) if digits <= 40 else f"an integer of about {digits:,} digits"

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0:
            return "{…}"
        pairs = [
            f"{self.repr1(key, level - 1)}: {self.repr1(one, level - 1)}"
            for key, one in islice(x.items(), self.maxdict)
        ]
        return f"{{{', '.join([*pairs, *(['…'] if len(x) > self.maxdict else [])])}}}"

    def repr_instance(self, x: Any, level: int) -> str:
        try:
            return cut(repr(x), self.maxother)
        except Exception:  # whatever its class does, the sentence must be told
            return f"a {type(x).__name__}"
