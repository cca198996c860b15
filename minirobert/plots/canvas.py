"""What all pictures share: a figure without pyplot, numbers, heat maps and readable labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from ..arrays import is_array_api_obj, to_numpy, widened
from ..sentences import plain, shown
from ..tokenization.byte_alphabet import SPACE, symbols_to_bytes

__all__ = [
    "Axes",
    "Numbers",
    "heat_map",
    "inches",
    "labels",
    "matplotlib",
    "new_figure",
    "numbers",
    "readable",
    "ticks",
]

#: Of matplotlib, which has no types where it is not installed.
Axes: TypeAlias = Any
Numbers: TypeAlias = "np.ndarray[Any, Any]"

#: How much of a token is written, and how many of them along an axis.
_LETTERS, _TICKS = 16, 64


def matplotlib(module: str) -> Any:
    """Import a module of matplotlib, if it is installed."""
    try:
        return import_module(f"matplotlib.{module}")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "pictures take matplotlib, which is not installed: pip install matplotlib"
        ) from None


def new_figure(width: float, height: float) -> Any:
    """Make a figure of so many inches, which pyplot does not know of."""
    return matplotlib("figure").Figure(figsize=(width, height), layout="constrained")


def numbers(name: str, values: Any, axes: str) -> Numbers:
    """Bring an array to the host, and check how many axes it has; they are listed in brackets."""
    try:
        host = to_numpy(widened(values)) if is_array_api_obj(values) else values
        array = np.asarray(host, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {shown(values)}, but must be an array of numbers") from None
    rank = axes.count(",") + 1
    if array.ndim != rank or 0 in array.shape:
        cure = f": take one text, as {name}[0]" if array.ndim == rank + 1 else ""
        raise ValueError(f"{name} has shape {shown(list(array.shape))}, but must be {axes}{cure}")
    return array


def heat_map(
    ax: Axes | None,
    values: Numbers,
    label: str,
    size: tuple[float, float],
    **look: Any,
) -> Axes:
    """Draw a matrix in colours, with a bar that tells what they mean; NaN is a gap.

    ``size``, in inches, is that of a new figure's axes.
    """
    if ax is None:
        ax = new_figure(size[0] + 2.5, size[1] + 1).add_subplot()
    image = ax.imshow(values, aspect="auto", interpolation="nearest", **look)
    ax.set_facecolor("0.85")
    ax.figure.colorbar(image, ax=ax, label=label)
    return ax


def inches(count: int, each: float, most: float = 12) -> float:
    """Tell how wide so many columns, or high so many rows, are drawn.

    >>> inches(10, 0.4), inches(1000, 0.4)
    (4.0, 12)
    """
    return max(3.0, min(count * each, most))


def labels(name: str, tokens: Iterable[str] | None, length: int, most: int = _LETTERS) -> list[str]:
    """Give a readable label for each place; without tokens, its number."""
    if tokens is None:
        return list(map(str, range(length)))
    found = [tokens] if isinstance(tokens, str) else list(tokens)
    if len(found) != length or not all(isinstance(one, str) for one in found):
        raise ValueError(
            f"{name} is {shown(tokens)}, but must be a list of {length} strings: one for each place"
        )
    return [readable(_spelled(token), most) for token in found]


def _spelled(token: str) -> str:
    """Give the text of a token, or the token itself where it is a part of a character."""
    try:
        return symbols_to_bytes(token).decode("utf-8")
    except UnicodeDecodeError:
        return token.replace(SPACE, " ")


def readable(text: str, most: int = _LETTERS) -> str:
    r"""Write a text so that it can be seen: spaces, and what the font does not have.

    >>> print(readable(" sky\n"), readable("中"))
    ␣sky\n \u4e2d
    """
    visible = plain(text, most).replace(" ", "\N{OPEN BOX}")
    fonts = matplotlib("font_manager")
    font = fonts.get_font(fonts.findfont(fonts.FontProperties()))
    return "".join(c if font.get_char_index(ord(c)) else _escaped(c) for c in visible)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def ticks(axis: Any, texts: Sequence[str], start: int = 0, **look: Any) -> None:
    """Label the places along an axis, or every few where there are many."""
    shown = range(0, len(texts), -(-len(texts) // _TICKS) or 1)
    # a token such as "$" is no mathematics
    places, found = [start + i for i in shown], [texts[i] for i in shown]
    axis.set_ticks(places, found, parse_math=False, **look)
