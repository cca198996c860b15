"""Tokens: a text as the boxes that it is cut into, with a number for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from ..sentences import shown
from ..tokenization import BatchEncoding
from ..tokenization.byte_alphabet import symbols_to_bytes
from ..tokenization.rows.encoding import Encoding
from .canvas import Axes, Numbers, labels, matplotlib, new_figure, numbers

__all__ = ["tokens"]

#: More boxes than these are no picture that one can look at.
_MOST = 2000
#: In points: letters and numbers, the space beside them, a box, what numbers need below it, the
#: space between lines, and a line where nothing else says how wide it is.
_FONT, _SMALL, _BESIDE, _HEIGHT, _BELOW, _BETWEEN, _WIDTH = 11, 7, 4, 20, 11, 6, 600
#: So that neighbours can be told apart.
_COLOURS = ("#b5d3f0", "#f7d9a8", "#c3e3bd", "#f0c3cf")
#: Of special tokens, and of padding; the ink is that of the others, too.
_GREYS = {1: "#dddddd", 2: "#f2f2f2"}
_INKS = ("black", "0.35", "0.65")


class _Row(NamedTuple):
    """What is drawn; ``kinds`` tells special tokens (1) and padding (2) from others (0)."""

    tokens: list[str]
    ids: list[int]
    kinds: list[int]


class _Place(NamedTuple):
    """Where a box is, in points."""

    left: float
    line: int
    width: float


def tokens(
    tokens: Iterable[str] | BatchEncoding | Encoding,
    values: Any = None,
    *,
    ids: Any = None,
    label: str = "value",
    ax: Axes | None = None,
) -> Axes:
    """Draw a text as boxes, one for each token, in lines.

    Parameters
    ----------
    tokens : iterable of str, or an encoding
        S tokens, as ``tokenizer.convert_ids_to_tokens`` gives them, or what the tokenizer makes of
        one text. An encoding has ids, which are written below the tokens, and knows which of these
        are special or padding.
    values : floats of shape [S], optional
        The colour of each token, the stronger, the further from 0; what is not finite is grey.
        Without them, colours only tell neighbours apart, and what is special is grey.
    ids : integers of shape [S], optional
        What to write below the tokens.
    label : str
        What the values are, for the bar that tells their colours.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        Lines are as wide as the axes, and end after a token with a line feed.

    Raises
    ------
    ValueError
        If there are no tokens, or too many to look at, or not as many values or ids.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    row = _row(tokens, ids)
    texts = labels("tokens", row.tokens, len(row.tokens), most=40)
    below = list(map(str, row.ids)) or [""] * len(texts)
    heat = None if values is None else _as_long("values", values, len(texts))
    widths = [_width(*pair) for pair in zip(texts, below, strict=True)]
    ends = [b"\n" in symbols_to_bytes(token) for token in row.tokens]
    step = _HEIGHT + _BETWEEN + (_BELOW if row.ids else 0)
    is_new = ax is None
    if ax is None:
        ax = _new_axes(step * (_places(widths, ends, _WIDTH)[-1].line + 1), heat is not None)
    colours, inks = _plain_colours(row) if heat is None else _heat_colours(ax, heat, label)
    if is_new:
        ax.figure.draw_without_rendering()  # tells how wide the axes are beside the bar
    width, height = _size(ax)
    places = _places(widths, ends, width)
    height = max(height, step * (places[-1].line + 1))
    ax.set(xlim=(0, max(width, *(one.left + one.width for one in places))), ylim=(height, 0))
    ax.set_axis_off()
    look: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False}
    rectangle = matplotlib("patches").Rectangle
    for place, colour, ink, *lines in zip(places, colours, inks, texts, below, strict=True):
        top, middle = place.line * step, place.left + place.width / 2
        ax.add_patch(rectangle((place.left, top), place.width, _HEIGHT, facecolor=colour))
        ax.text(middle, top + _HEIGHT / 2, lines[0], size=_FONT, color=ink, **look)
        if row.ids:
            ax.text(middle, top + _HEIGHT + 5, lines[1], size=_SMALL, **look)
    return ax


def _row(tokens: Any, ids: Any) -> _Row:
    """Read tokens, or an encoding, and check how many there are."""
    if isinstance(tokens, BatchEncoding):
        rows = tokens.encodings
        if len(rows) != 1:
            raise ValueError(
                f"the encoding has {len(rows)} rows, but a picture shows one: take encoding[0]"
            )
        tokens = rows[0]
    if isinstance(tokens, Encoding):
        mask = zip(tokens.special_tokens_mask, tokens.attention_mask, strict=True)
        kinds = [2 - attend if special else 0 for special, attend in mask]
        found, ids = list(tokens.tokens), tokens.ids if ids is None else ids
    else:
        if isinstance(tokens, str) or not isinstance(tokens, Iterable):
            raise ValueError(
                f"tokens is {shown(tokens)}, but must be a list of tokens or an encoding: give "
                "tokenizer(text)"
            )
        found = list(tokens)
        kinds = [0] * len(found)
    if not 0 < len(found) <= _MOST:
        raise ValueError(
            f"there are {len(found):,} tokens, but a picture shows 1 to {_MOST:,} of them: take a "
            "part, as tokens[:100]"
        )
    written = [] if ids is None else _as_long("ids", ids, len(found)).astype(int).tolist()
    return _Row(found, written, kinds)


def _as_long(name: str, values: Any, length: int) -> Numbers:
    """Read numbers, one for each token."""
    found = numbers(name, values, "[S]")
    if len(found) != length:
        raise ValueError(
            f"{name} has {len(found):,} numbers, but there are {length:,} tokens: give one for each"
        )
    return found


def _new_axes(height: float, has_bar: bool) -> Axes:
    """Make axes for lines of so many points, and room for a bar beside them."""
    width = _WIDTH + (100 if has_bar else 10)
    return new_figure(width / 72, (max(height, 80 if has_bar else 0) + 10) / 72).add_subplot()


def _size(ax: Axes) -> tuple[float, float]:
    """Tell how wide and how high the axes are now, in points."""
    size = ax.get_window_extent().size / ax.figure.dpi * 72
    return float(size[0]), float(size[1])


def _width(text: str, number: str) -> float:
    """Tell how wide a box must be for a text, and for a number below it."""
    font = matplotlib("font_manager").FontProperties
    measure = matplotlib("textpath").text_to_path.get_text_width_height_descent
    widths = [
        measure(one, font(size=size), False)[0]
        for one, size in ((text, _FONT), (number, _SMALL))
        if one
    ]
    return float(max(widths)) + 2 * _BESIDE


def _places(widths: Sequence[float], ends: Sequence[bool], most: float) -> list[_Place]:
    """Put boxes beside each other, and those that no longer fit on the next line.

    >>> [(place.left, place.line) for place in _places([30, 40, 50], [False] * 3, most=80)]
    [(0.0, 0), (31.0, 0), (0.0, 1)]
    """
    places: list[_Place] = []
    left, line = 0.0, 0
    for width, is_last in zip(widths, ends, strict=True):
        if left and left + width > most:
            left, line = 0.0, line + 1
        places.append(_Place(left, line, width))
        left, line = (0.0, line + 1) if is_last else (left + width + 1, line)
    return places


def _plain_colours(row: _Row) -> tuple[list[Any], list[Any]]:
    """Choose colours of boxes and letters that tell neighbours apart."""
    own = cycle(_COLOURS)
    return [_GREYS.get(kind) or next(own) for kind in row.kinds], [_INKS[one] for one in row.kinds]


def _heat_colours(ax: Axes, heat: Numbers, label: str) -> tuple[list[Any], list[Any]]:
    """Choose colours of boxes by their values, and of letters so that they can be read there."""
    name, low, high = _scale(heat)
    scale = matplotlib("cm").ScalarMappable(cmap=name)
    scale.set_clim(low, high)
    scale.set_cmap(scale.get_cmap().with_extremes(bad=_GREYS[1]))
    ax.figure.colorbar(scale, ax=ax, label=label)
    colours = scale.to_rgba(np.ma.masked_invalid(heat))
    bright = colours[:, :3] @ (0.3, 0.6, 0.1)
    return list(colours), ["black" if one > 0.5 else "white" for one in bright]


def _scale(values: Numbers) -> tuple[str, float, float]:
    """Choose colours that are the stronger, the further a value is from 0, and their ends."""
    known = values[np.isfinite(values)]
    low, high = (float(end(known, initial=0)) for end in (np.min, np.max))
    if low < 0 < high:
        most = max(-low, high)
        return "RdBu_r", -most, most
    return ("Oranges_r", low, 0.0) if low < 0 else ("Blues", 0.0, high or 1.0)
