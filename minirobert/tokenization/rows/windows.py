"""From encoded texts to the rows of a batch: cut, and framed by special tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

from ..encoded_text import EncodedText
from ..layout import Layout
from ..special_tokens import with_special_tokens
from .lengths import LengthPlan
from .truncation import kept_lengths, kept_slice, window_slices

__all__ = ["WHOLE", "Framing", "RowFormat", "Window", "framed", "in_window", "row_windows"]

T = TypeVar("T")

#: The most rows that the windows of a pair make, each of one text with each of the other.
MAX_ROWS_OF_A_PAIR = 1_000_000

# For each text of a row, which of its tokens are in it.
Window = tuple[slice, ...]

# The one window of one text, or of two, that are not cut.
WHOLE: Mapping[int, list[Window]] = {n: [(slice(None),) * n] for n in (1, 2)}


class Framing(NamedTuple):
    """The special tokens that stand around texts, each with its id.

    A `layout` says where they stand, and which, if it is not as in RoBERTa.
    """

    cls: tuple[str, int]
    sep: tuple[str, int]
    pad: tuple[str, int]
    layout: Layout | None = None

    def row(
        self, sequences: Sequence[Sequence[T]], value: Callable[[tuple[str, int]], T]
    ) -> list[T]:
        """Lay out a column of a row; `value` gives what stands there for a special token."""
        if self.layout:
            return self.layout.row(sequences, value)
        return with_special_tokens(sequences, value(self.cls), value(self.sep))

    def type_ids(self, lengths: Sequence[int], add_special_tokens: bool = True) -> list[int]:
        """Give the token types of a row, which are zeros in RoBERTa."""
        if self.layout:
            return self.layout.type_ids(lengths, add_special_tokens)
        n_special = self.special_token_count(len(lengths)) if add_special_tokens else 0
        return [0] * (sum(lengths) + n_special)

    def special_token_count(self, n_sequences: int) -> int:
        """Tell how many special tokens frame one sequence, or two."""
        return len(self.row([[]] * n_sequences, lambda token: token))


class RowFormat(NamedTuple):
    """What all rows of a call have in common, after all defaults.

    `keeps_first_space` says that trimmed offsets leave a single space at the beginning alone.
    """

    lengths: LengthPlan
    truncation_side: str
    padding_side: str
    framing: Framing
    add_special_tokens: bool
    keeps_first_space: bool
    trim_offsets: bool


def framed(
    sequences: Sequence[Sequence[T]], value: Callable[[tuple[str, int]], T], row_format: RowFormat
) -> list[T]:
    """Lay out a column of a row; `value` is for its special tokens, if it has them."""
    framing = row_format.framing
    if row_format.add_special_tokens:
        return framing.row(sequences, value)
    if framing.layout:
        return framing.layout.row(sequences, value, add_special_tokens=False)
    return list(chain.from_iterable(sequences))


def row_windows(texts: Sequence[EncodedText], row_format: RowFormat) -> list[Window]:
    """Tell which tokens of a text, or of a pair, are in each row that they give.

    That is one window, or all that are needed to hold every token if the format asks for them. With
    two texts each window of the first is combined with each of the second.
    """
    plan = row_format.lengths
    if plan.truncation == "do_not_truncate" or plan.max_length is None:
        return WHOLE[len(texts)]
    n_special = 0
    if row_format.add_special_tokens:
        n_special = row_format.framing.special_token_count(len(texts))
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
    counts = [len(of_text) for of_text in windows]
    if math.prod(counts) > MAX_ROWS_OF_A_PAIR:
        raise ValueError(
            f"a pair of long texts makes {math.prod(counts):,} rows, {counts[0]:,} windows of the"
            f" first with {counts[1]:,} of the second, and may make {MAX_ROWS_OF_A_PAIR:,}: pass a"
            " larger max_length, or shorten one text and cut only the other, as with"
            " truncation='only_second'"
        )
    (first, *more), (second, *more_of_second) = windows
    rest = [(left, right) for left in more for right in (second, *more_of_second)]
    return [(first, second), *rest, *((first, right) for right in more_of_second)]


def in_window(columns: Sequence[Sequence[T]], window: Window) -> Sequence[Sequence[T]]:
    """Take from a column, which each text of a row has, what belongs to the tokens in a window."""
    if window is WHOLE[len(window)][0]:
        return columns
    return [column[part] for column, part in zip(columns, window, strict=True)]
