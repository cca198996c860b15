"""Marked texts for terminals: whether they have colours, and how a text is shown in them.

Of a text nothing but characters that can be seen, spaces and line feeds goes to a terminal, which
might obey others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..sentences import escaped

if TYPE_CHECKING:
    from .marks import Part

__all__ = ["DIM", "bracketed", "has_colours", "painted", "style", "styled", "visible"]

#: Of 256 colours; with black letters, so that it does not matter what the terminal's own are.
_BACKGROUNDS = (153, 222, 151, 218, 183, 229, 152, 216)
DIM = "2"
#: There is one strength of a colour, and what is weaker than this has none.
_FAINT = 0.2
_END = "\x1b[0m"


def has_colours(when: str = "auto", stream: Any = None) -> bool:
    """Tell whether to write in colours.

    Parameters
    ----------
    when : str
        ``"always"``, ``"never"`` or ``"auto"``: if the stream is a terminal that has colours, or
        the variable ``FORCE_COLOR`` is set; but never if ``NO_COLOR`` is.
    stream : file, optional
        ``sys.stdout`` by default.

    Returns
    -------
    bool
    """
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("TERM") == "dumb" or (os.name == "nt" and "WT_SESSION" not in os.environ):
        return False
    stream = sys.stdout if stream is None else stream
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def style(colour: int) -> str:
    """Give the code of a mark's colour."""
    return f"30;48;5;{_BACKGROUNDS[colour % len(_BACKGROUNDS)]}"


def styled(text: str, code: str) -> str:
    """Write a text in a style, each line by itself, so that no colour runs on to the margin."""
    lines = visible(text).split("\n")
    return "\n".join(f"\x1b[{code}m{line}{_END}" if line else "" for line in lines)


def visible(text: str) -> str:
    """Escape what is neither a character to be seen nor a line feed."""
    return escaped(text, keep="\n")


def painted(before: str, parts: Iterable[Part]) -> str:
    """Write a marked text in colours."""
    return _written(before, map(_painted, parts))


def bracketed(before: str, parts: Iterable[Part]) -> str:
    """Write a marked text with brackets around what is marked."""
    return _written(before, map(_bracketed, parts))


def _written(before: str, parts: Iterable[str]) -> str:
    text = "".join(parts)
    return f"{visible(before)}  {text}" if before else text


def _painted(part: Part) -> str:
    """Write what is marked in bold letters, and its label beside it in others."""
    if part.mark is None:
        return _unmarked(part)
    colour = style(part.mark.colour)
    label = styled(f" {part.mark.label}", colour) if part.ends and part.mark.label else ""
    if part.mark.strength < _FAINT:
        return visible(part.text) + label
    return styled(part.text, f"1;{colour}") + label


def _bracketed(part: Part) -> str:
    if part.mark is None:
        return _unmarked(part)
    label = f" {part.mark.label}" if part.ends and part.mark.label else ""
    return f"[{visible(part.text)}{visible(label)}]"


def _unmarked(part: Part) -> str:
    return f"[… {part.left_out:,} characters …]" if part.left_out else visible(part.text)
