"""From encoded texts to one row of a batch: cut, framed by special tokens, described by columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from .lengths import LengthPlan
from .offsets import Token, trimmed_offsets
from .special_tokens import special_token_count, with_special_tokens
from .text_encoder import EncodedText
from .truncation import kept_lengths, kept_slice

T = TypeVar("T")


class RowFormat(NamedTuple):
    """What all rows of a call have in common."""

    columns: Collection[str]
    lengths: LengthPlan
    truncation_side: str
    cls_token_id: int
    sep_token_id: int
    add_special_tokens: bool
    add_prefix_space: bool
    trim_offsets: bool


def build_row(texts: Sequence[EncodedText], row_format: RowFormat) -> dict[str, list[Any]]:
    """Make a row from one text or from the two of a pair.

    Parameters
    ----------
    texts : sequence of EncodedText
        One text or two.
    row_format : RowFormat
        How to make it.

    Returns
    -------
    dict of str to list
        For each column of the format one element a token.
    """
    texts = _truncated(texts, row_format)
    row: dict[str, list[Any]] = {
        "input_ids": _framed(
            [text.ids for text in texts],
            row_format.cls_token_id,
            row_format.sep_token_id,
            row_format,
        )
    }
    length = len(row["input_ids"])
    if "token_type_ids" in row_format.columns:
        row["token_type_ids"] = [0] * length
    if "attention_mask" in row_format.columns:
        row["attention_mask"] = [1] * length
    if "special_tokens_mask" in row_format.columns:
        zeros = [[0] * len(text.ids) for text in texts]
        row["special_tokens_mask"] = _framed(zeros, 1, 1, row_format)
    if "offset_mapping" in row_format.columns:
        spans = [_offsets(text.tokens, row_format) for text in texts]
        row["offset_mapping"] = _framed(spans, (0, 0), (0, 0), row_format)
    return row


def _truncated(texts: Sequence[EncodedText], row_format: RowFormat) -> Sequence[EncodedText]:
    plan = row_format.lengths
    if plan.truncation == "do_not_truncate" or plan.max_length is None:
        return texts
    n_special = special_token_count(len(texts)) if row_format.add_special_tokens else 0
    if plan.max_length < n_special:
        raise ValueError(
            f"max_length={plan.max_length} has no room for the {n_special} special tokens of a row:"
            f" pass {n_special} or more, or add_special_tokens=False"
        )
    lengths = [len(text.ids) for text in texts]
    kept = kept_lengths(lengths, plan.max_length - n_special, plan.truncation)
    slices = [
        kept_slice(length, count, row_format.truncation_side)
        for length, count in zip(lengths, kept, strict=True)
    ]
    return [
        EncodedText(text.ids[part], text.tokens[part])
        for text, part in zip(texts, slices, strict=True)
    ]


def _framed(sequences: Sequence[Sequence[T]], cls: T, sep: T, row_format: RowFormat) -> list[T]:
    if row_format.add_special_tokens:
        return with_special_tokens(sequences, cls, sep)
    return list(chain.from_iterable(sequences))


def _offsets(tokens: Sequence[Token], row_format: RowFormat) -> list[tuple[int, int]]:
    if row_format.trim_offsets:
        return trimmed_offsets(tokens, row_format.add_prefix_space)
    return [(token.start, token.end) for token in tokens]
