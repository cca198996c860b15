"""What a text is: a string that has a UTF-8 form, or a list of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Text = str | Sequence[str]


def check_text(text: Any, where: str) -> None:
    """Check that a text is a string that has a UTF-8 form.

    Parameters
    ----------
    text : object
        The text.
    where : str
        Where it stands in the call, for the error.

    Raises
    ------
    TypeError
        If it is not a string.
    ValueError
        If it has a lone surrogate: half of a character, which has no bytes.
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
    """Name the type of a value, for an error."""
    return "None" if value is None else f"of type {type(value).__name__}"
