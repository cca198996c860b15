"""Marked texts for notebooks, whose colours can be read on white and on black.

All styles stand where they are used, and there are no scripts. What is not of the text, such as a
label, cannot be selected: what is copied is the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .marks import Part

__all__ = ["TEXT", "aside", "background", "marked_texts", "written"]

#: Red, green and blue, through which the page's own colour shines.
_COLOURS = (
    *("66,133,244", "255,160,0", "52,168,83", "233,80,130"),
    *("150,90,220", "200,180,0", "0,172,193", "230,100,60"),
)
#: A text keeps its spaces and lines; long words do not run out of the page.
TEXT = "white-space:pre-wrap;overflow-wrap:anywhere"
_UNSELECTABLE = "user-select:none;-webkit-user-select:none"
_JOINERS = "\u200c\u200d"  # of letters in Persian, of people in emoji


def written(text: str) -> str:
    r"""Write a text so that it is nothing but text, with what cannot be seen escaped.

    >>> print(written("<b>\x00"))
    &lt;b&gt;\x00
    """
    return escape("".join(c if _is_text(c) else repr(c)[1:-1] for c in text))


def _is_text(character: str) -> bool:
    if character.isprintable() or character in "\n\t" + _JOINERS:
        return True
    return unicodedata.category(character) == "Zs"


def background(colour: int, strength: float = 1.0) -> str:
    """Give the style of a colour behind a text."""
    return f"background:rgba({_COLOURS[colour % len(_COLOURS)]},{0.35 * strength:.3g})"


def aside(text: str, look: str = "") -> str:
    """Write something small that is not of the text, and is not copied with it."""
    return f'<small style="{_UNSELECTABLE};opacity:.75;{look}"><bdi>{written(text)}</bdi></small>'


def marked_texts(texts: Iterable[tuple[str, Iterable[Part]]]) -> str:
    """Write texts, each with what stands before it, and its parts."""
    return f"<div>{''.join(_row(before, parts) for before, parts in texts)}</div>"


def _row(before: str, parts: Iterable[Part]) -> str:
    text = f'<div dir="auto" style="{TEXT};line-height:1.7">{"".join(map(_part, parts))}</div>'
    if not before:
        return text
    return f'<div style="display:flex;gap:1em">{aside(before, "line-height:2.1")}{text}</div>'


def _part(part: Part) -> str:
    if part.left_out:
        return aside(f" … {part.left_out:,} characters … ")
    if part.mark is None:
        return written(part.text)
    label = ""
    if part.ends and part.mark.label:
        label = aside(part.mark.label, "margin-inline-start:.3em;font-weight:bold")
    look = f"{background(part.mark.colour, part.mark.strength)};color:inherit;border-radius:.25em"
    note = f' title="{written(part.mark.note)}"' if part.mark.note else ""
    return f'<mark style="{look};padding:.1em .15em"{note}>{written(part.text)}{label}</mark>'
