"""What a text is: a string that has a UTF-8 form, or a list of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..rules import is_missing
from ..sentences import shown, type_name

__all__ = ["Text", "check_text", "kind_of"]

Text = str | Sequence[str]


def check_text(text: Any, where: str) -> None:
    """Check that a text is a string that has a UTF-8 form; `where` is its name, for the error.

    A lone surrogate, which is half of a character, has no bytes.
    """
    if not isinstance(text, str):
        ids = "; ids go to prepare_for_model, or to decode" if isinstance(text, int) else ""
        raise TypeError(f"{where} is {kind_of(text)}: it must be a str{ids}")
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{where} has a lone surrogate, U+{ord(text[error.start]):04X}, at position"
            f" {error.start}: it is half of a character and has no bytes; replace it with"
            " text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from None


def kind_of(value: Any) -> str:
    """Name the type of a value, for an error, or show one that stands for a missing text."""
    return shown(value) if is_missing(value) else f"of type {type_name(value)}"
