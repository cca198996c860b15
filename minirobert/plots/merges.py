"""The tokenizer: the bytes in its alphabet, and the merges that make tokens of them."""

from __future__ import annotations

import numpy as np

from ..sentences import shown
from ..tokenization.byte_alphabet import BYTE_TO_CHAR, PRINTABLE
from ..tokenization.explain import ExplainedPiece, Explanation
from .canvas import Axes, inches, new_figure, readable, ticks

__all__ = ["byte_table", "merge_tree"]


def merge_tree(piece: ExplainedPiece | Explanation, *, ax: Axes | None = None) -> Axes:
    """Draw how a piece of a text grows together: its symbols below, its tokens on top.

    Parameters
    ----------
    piece : ExplainedPiece or Explanation
        One of ``tokenizer.explain(text).pieces``, or an explanation that has no more than one.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        A line for each merge, the first one lowest, with its rank and its pair at the left.

    Raises
    ------
    ValueError
        If there are several pieces, or none.
    TypeError
        If it is something else, such as a text.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    piece = _one(piece)
    symbols, n_merges = piece.symbols, len(piece.merges)
    if ax is None:
        size = inches(len(symbols), 0.5) + 2, inches(n_merges, 0.35) + 1
        ax = new_figure(*size).add_subplot()
    tops = [(float(x), 0) for x in range(len(symbols))]  # of the symbols as they are now
    for y, merge in enumerate(piece.merges, 1):
        (left, left_y), (right, right_y) = tops[merge.position : merge.position + 2]
        ax.plot([left, left, right, right], [left_y, y, y, right_y], color="tab:blue")
        tops[merge.position : merge.position + 2] = [((left + right) / 2, y)]
    for (x, y), token in zip(tops, piece.tokens, strict=True):
        look = {"ha": "center", "va": "bottom", "weight": "bold", "parse_math": False}
        ax.text(x, y + 0.3, readable(token.token), **look)
    ticks(ax.xaxis, [readable(symbol) for symbol in symbols], fontsize=13)
    pairs = [
        f"{rank}: {readable(left)} + {readable(right)}" for _, left, right, rank in piece.merges
    ]
    ticks(ax.yaxis, pairs, start=1)
    ax.set(xlim=(-0.7, len(symbols) - 0.3), ylim=(0, n_merges + 1.5))
    ax.spines[["top", "right"]].set_visible(False)
    title = f"{readable(piece.text, 40)}, {len(piece.tokens)} token"
    ax.set_title(title + "s" * (len(piece.tokens) > 1), parse_math=False)
    return ax


def _one(piece: ExplainedPiece | Explanation) -> ExplainedPiece:
    """Take the piece of an explanation that has one."""
    if isinstance(piece, Explanation):
        if len(piece.pieces) != 1:
            raise ValueError(
                f"the explanation has {len(piece.pieces)} pieces, but a tree is of one: take "
                "explanation.pieces[0]"
            )
        (piece,) = piece.pieces
    if not isinstance(piece, ExplainedPiece):
        raise TypeError(
            f"piece is {shown(piece)}, but must be one of tokenizer.explain(text).pieces"
        )
    return piece


def byte_table(*, ax: Axes | None = None) -> Axes:
    """Draw the byte alphabet: the character for each byte, in 16 rows of 16.

    Parameters
    ----------
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        The first hexadecimal digit of a byte is its row, the second its column. Bytes in blue cells
        cannot be printed, and have another character than in Latin-1.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    if ax is None:
        ax = new_figure(8, 6.5).add_subplot()
    is_new = np.array([byte not in PRINTABLE for byte in range(256)]).reshape(16, 16)
    ax.imshow(is_new, cmap="Blues", vmin=0, vmax=3)
    for byte, character in enumerate(BYTE_TO_CHAR):
        look = {"ha": "center", "va": "center", "fontsize": 13, "parse_math": False}
        ax.text(byte % 16, byte // 16, character, **look)
    ticks(ax.xaxis, [f"{digit:x}" for digit in range(16)])
    ticks(ax.yaxis, [f"{digit:x}0" for digit in range(16)])
    return ax
