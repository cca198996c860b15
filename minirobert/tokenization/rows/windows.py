"""From encoded texts to the rows of a batch: cut, and framed by special tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

from ..offsets import Offsets
from ..special_tokens import special_token_count, with_special_tokens
from ..text_encoder import EncodedText
from .lengths import LengthPlan
from .truncation import kept_lengths, kept_slice, window_slices

T = TypeVar("T")

# For each text of a row, which of its tokens are in it.
Window = tuple[slice, ...]

# The one window of one text, or of two, that are not cut.
WHOLE: Mapping[int, list[Window]] = {n: [(slice(None),) * n] for n in (1, 2)}


class Framing(NamedTuple):
    """The special tokens that stand around texts, each with its id."""

    cls: tuple[str, int]
    sep: tuple[str, int]
    pad: tuple[str, int]


class RowFormat(NamedTuple):
    """What all rows of a call have in common.

    Attributes
    ----------
    lengths : LengthPlan
        How rows are cut and padded.
    truncation_side, padding_side : str
        ``"right"`` or ``"left"``.
    framing : Framing
        The special tokens that stand around texts.
    add_special_tokens : bool
        Whether rows are framed.
    add_prefix_space, trim_offsets : bool
        How offsets are to be understood.
    """

    lengths: LengthPlan
    truncation_side: str
    padding_side: str
    framing: Framing
    add_special_tokens: bool
    add_prefix_space: bool
    trim_offsets: bool


def framed(sequences: Sequence[Sequence[T]], cls: T, sep: T, row_format: RowFormat) -> list[T]:
    """Lay out a column of a row, with special tokens if the format has them.

    Parameters
    ----------
    sequences : sequence of one or two sequences
        The column for each text.
    cls, sep : object
        What stands for the special tokens in this column.
    row_format : RowFormat
        The format.

    Returns
    -------
    list
        The column.
    """
    if row_format.add_special_tokens:
        return with_special_tokens(sequences, cls, sep)
    return list(chain.from_iterable(sequences))


def row_windows(texts: Sequence[EncodedText], row_format: RowFormat) -> list[Window]:
    """Tell which tokens of the texts are in each row that they give.

    Parameters
    ----------
    texts : sequence of EncodedText
        One text, or the two of a pair.
    row_format : RowFormat
        The format.

    Returns
    -------
    list of tuple of slice
        One window, or all that are needed to hold every token if the format asks for them. With
        two texts each window of the first is combined with each of the second.
    """
    plan = row_format.lengths
    if plan.truncation == "do_not_truncate" or plan.max_length is None:
        return WHOLE[len(texts)]
    n_special = special_token_count(len(texts)) if row_format.add_special_tokens else 0
    budget = plan.max_length - n_special
    if budget < 0:
        raise ValueError(
            f"max_length={plan.max_length} has no room for the {n_special} special tokens of a row:"
            f" pass {n_special} or more, or add_special_tokens=False"
        )
    if plan.stride is not None and plan.stride >= budget:
        raise ValueError(
            f"stride={plan.stride} is too large: max_length={plan.max_length} has room for {budget}"
            f" tokens besides the {n_special} special ones, and a window must have more than those"
            " that it shares with the next: pass a smaller stride or a larger max_length"
        )
    lengths = [len(text.ids) for text in texts]
    if sum(lengths) <= budget:
        return WHOLE[len(texts)]
    kept = kept_lengths(lengths, budget, plan.truncation)
    cuts = zip(lengths, kept, strict=True)
    side = row_format.truncation_side
    if plan.stride is None:
        return [tuple(kept_slice(length, count, side) for length, count in cuts)]
    return _combined([window_slices(length, count, plan.stride, side) for length, count in cuts])


def _combined(windows: Sequence[Sequence[slice]]) -> list[Window]:
    """Combine the windows of two texts in the order of the Rust tokenizers."""
    if len(windows) == 1:
        return [(window,) for window in windows[0]]
    (first, *more), (second, *more_of_second) = windows
    rest = [(left, right) for left in more for right in (second, *more_of_second)]
    return [(first, second), *rest, *((first, right) for right in more_of_second)]


def in_window(columns: Sequence[Sequence[T]], window: Window) -> Sequence[Sequence[T]]:
    """Take from each text of a row what belongs to the tokens in a window.

    Parameters
    ----------
    columns : sequence of sequences
        For each text a column, with one element a token.
    window : tuple of slice
        The window.

    Returns
    -------
    list of sequences
        The columns, cut.
    """
    if window is WHOLE[len(window)][0]:
        return columns
    return [column[part] for column, part in zip(columns, window, strict=True)]


def row_ids(texts: Sequence[EncodedText], window: Window, row_format: RowFormat) -> list[int]:
    """Give the ids of a row.

    Parameters
    ----------
    texts : sequence of EncodedText
        One text, or the two of a pair.
    window : tuple of slice
        Which of their tokens are in the row.
    row_format : RowFormat
        The format.

    Returns
    -------
    list of int
        The ids.
    """
    framing = row_format.framing
    ids = in_window([text.ids for text in texts], window)
    return framed(ids, framing.cls[1], framing.sep[1], row_format)


def row_special_tokens_mask(
    texts: Sequence[EncodedText], window: Window, row_format: RowFormat
) -> list[int]:
    """Give 1 for the special tokens that frame the texts of a row, 0 for the texts' own tokens.

    Parameters
    ----------
    texts, window, row_format
        As for `row_ids`.

    Returns
    -------
    list of int
        The mask.
    """
    zeros = [[0] * len(ids) for ids in in_window([text.ids for text in texts], window)]
    return framed(zeros, 1, 1, row_format)


def row_offsets(
    texts: Sequence[EncodedText], window: Window, row_format: RowFormat
) -> list[Offsets]:
    """Give for each token of a row the characters that it stands for.

    With `trim_offsets` white space at both ends is left out. If `add_prefix_space` is set too, the
    single space at the beginning of the first token may be one that the text does not have, and is
    left alone. The rule is that of transformers and asks no more than whether the token is the
    first of the row or of the text: a space that the text does have is then not trimmed either, and
    one that was put in after an added token is, although the text lacks it.

    Parameters
    ----------
    texts, window, row_format
        As for `row_ids`.

    Returns
    -------
    list of (int, int)
        The offsets, ``(0, 0)`` for special tokens that frame the texts.
    """
    offsets = [_offsets(text, part, row_format) for text, part in zip(texts, window, strict=True)]
    return framed(offsets, (0, 0), (0, 0), row_format)


def _offsets(text: EncodedText, part: slice, row_format: RowFormat) -> list[Offsets]:
    if text.offsets is not None:
        return text.offsets[part]
    if not row_format.trim_offsets:
        return text.spans[part]
    trimmed = text.trimmed[part]
    if row_format.add_prefix_space:
        at_start = text.trimmed_at_start[part]
        for index, (start, _) in enumerate(text.spans[part]):
            if index == 0 or start == 0:
                trimmed[index] = at_start[index]
    return trimmed
