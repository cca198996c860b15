"""The columns of a batch: what each holds for a row, and what fills it up.

A row is made of one text or two, of whose tokens those in a window are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ..encoded_text import EncodedText
from ..offsets import Offsets
from .windows import WHOLE, RowFormat, Window, framed, in_window

__all__ = ["COLUMNS", "Column", "id_of", "row_ids"]


#: Of a special token, which is a string and an id.
id_of = itemgetter(1)


class Column(NamedTuple):
    """One column: how to make its row from ids and their texts, and its padding value."""

    row: Callable[[list[int], Sequence[EncodedText], Window, RowFormat], list[Any]]
    fill: Any


def row_ids(texts: Sequence[EncodedText], window: Window, row_format: RowFormat) -> list[int]:
    """Give the ids of a row, whose padding is the tokenizer's."""
    if len(texts) == 1 and window is WHOLE[1][0]:  # nearly always
        return framed((texts[0].ids,), id_of, row_format)
    ids = in_window([text.ids for text in texts], window)
    return framed(ids, id_of, row_format)


def _token_type_ids(
    ids: list[int], texts: Sequence[EncodedText], window: Window, row_format: RowFormat
) -> list[int]:
    if row_format.framing.layout is None:
        return [0] * len(ids)
    lengths = [len(part) for part in in_window([text.ids for text in texts], window)]
    return row_format.framing.type_ids(lengths, row_format.add_special_tokens)


def _ones(ids: list[int], *_: object) -> list[int]:
    return [1] * len(ids)


def _special_tokens_mask(
    _: object, texts: Sequence[EncodedText], window: Window, row_format: RowFormat
) -> list[int]:
    parts = in_window([text.ids for text in texts], window)
    zeros = [[0] * len(part) for part in parts]
    return framed(zeros, lambda _: 1, row_format)


def _offset_mapping(
    _: object, texts: Sequence[EncodedText], window: Window, row_format: RowFormat
) -> list[Offsets]:
    """With `trim_offsets` white space at both ends is left out.

    If `keeps_first_space` is set too, the single space at the beginning of the first token may be
    one that the text does not have, and is left alone. The rule is that of transformers and asks no
    more than whether the token is the first of the row or of the text: a space that the text does
    have is then not trimmed either, and one that was put in after an added token is, although the
    text lacks it.
    """
    if len(texts) == 1:
        return framed((_offsets(texts[0], window[0], row_format),), lambda _: (0, 0), row_format)
    offsets = [_offsets(text, part, row_format) for text, part in zip(texts, window, strict=True)]
    return framed(offsets, lambda _: (0, 0), row_format)


def _offsets(text: EncodedText, part: slice, row_format: RowFormat) -> list[Offsets]:
    if text.offsets is not None:
        return text.offsets[part]
    if not row_format.trim_offsets:
        return text.spans[part]
    trimmed = text.trimmed[part]
    if row_format.keeps_first_space:
        at_start = text.trimmed_at_start[part]
        for index, (start, _) in enumerate(text.spans[part]):
            if index == 0 or start == 0:
                trimmed[index] = at_start[index]
    return trimmed


# In the order in which they are returned, after the ids.
COLUMNS = {
    "token_type_ids": Column(_token_type_ids, fill=0),
    "attention_mask": Column(_ones, fill=0),
    "special_tokens_mask": Column(_special_tokens_mask, fill=1),
    "offset_mapping": Column(_offset_mapping, fill=(0, 0)),
}
