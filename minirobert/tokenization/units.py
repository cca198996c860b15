"""The texts of tokens, for people: tokens that share a character are shown as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .byte_alphabet import symbols_to_bytes

__all__ = ["Unit", "units"]


class Unit(NamedTuple):
    """Tokens ``start`` to ``end`` that together have whole characters: nearly always it is one."""

    text: str
    start: int
    end: int


def units(tokens: Sequence[str]) -> Iterator[Unit]:
    """Give the texts of tokens: one by one, or of several that share a character together.

    Parameters
    ----------
    tokens : sequence of str
        In the byte alphabet.

    Yields
    ------
    Unit
        Bytes that are no UTF-8 are escaped.

    >>> list(units(["ĠaÃ", "©", "b"]))
    [Unit(text=' aé', start=0, end=2), Unit(text='b', start=2, end=3)]
    """
    start, data = 0, b""
    for number, token in enumerate(tokens, 1):
        data += symbols_to_bytes(token)
        if number < len(tokens) and _is_begun(data):
            continue
        yield Unit(data.decode("utf-8", "backslashreplace"), start, number)
        start, data = number, b""


def _is_begun(data: bytes) -> bool:
    """Tell whether bytes end amid a character."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False
