"""From encoded texts to the columns of a batch."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ..offsets import Offsets
from ..special_tokens import with_special_tokens
from ..text_encoder import EncodedText, TextEncoder
from .batch_encoding import BatchEncoding
from .encoding import Encoding
from .lengths import NOTHING_TO_DO
from .padding import pad_columns, padded_length
from .tensors import to_tensors
from .windows import (
    RowFormat,
    row_ids,
    row_offsets,
    row_special_tokens_mask,
    row_windows,
)

T = TypeVar("T")


class Call(NamedTuple):
    """The arguments of a call of the tokenizer after all defaults.

    Attributes
    ----------
    row_format : RowFormat
        How texts become rows.
    split_special_tokens : bool
        Whether special tokens in texts are encoded like any other text.
    with_type_ids, with_attention_mask, with_special_tokens_mask, with_offsets : bool
        Which columns to return besides the ids.
    with_samples, with_lengths : bool
        Whether to return for each row the number of its sample, and its length.
    tensor_type : str or None
        What kind of arrays to return; None for lists.
    check_longest : callable or None
        What to do with the length of the longest row.
    """

    row_format: RowFormat
    split_special_tokens: bool
    with_type_ids: bool
    with_attention_mask: bool
    with_special_tokens_mask: bool
    with_offsets: bool
    with_samples: bool
    with_lengths: bool
    tensor_type: str | None
    check_longest: Callable[[int], None] | None


def encode_batch(
    encode: Callable[[T], EncodedText], samples: Sequence[Sequence[T]], call: Call, is_single: bool
) -> BatchEncoding:
    """Encode samples, and put the columns of the rows that they give together.

    Parameters
    ----------
    encode : callable
        From a text, or whatever stands for one, to its tokens.
    samples : sequence of sequences
        One text or two for each sample.
    call : Call
        What to do.
    is_single : bool
        Whether there is one sample and the columns are to have no axis for the batch.

    Returns
    -------
    BatchEncoding
        The columns.
    """
    row_format = call.row_format
    if is_single:
        columns, sample_of_row = _columns(encode, samples, call)
    else:
        with CollectorPaused():
            columns, sample_of_row = _columns(encode, samples, call)
    columns, length = padded(columns, row_format)
    lengths = [len(row) for row in columns["input_ids"]]
    if call.check_longest:
        call.check_longest(max(lengths, default=0))
    result: dict[str, Any] = columns
    if is_single and not call.with_samples and call.tensor_type is None:
        result = {name: column[0] for name, column in columns.items()}
    if call.with_lengths:
        result["length"] = lengths  # of one text, too, a list, as in transformers
    if call.with_samples:
        result["overflow_to_sample_mapping"] = sample_of_row
    if call.tensor_type is not None:
        result = to_tensors(result, call.tensor_type)
    # The rows themselves are made anew if they are asked for: a million of them would take a lot of
    # memory, and of the garbage collector's time.
    return BatchEncoding(result, partial(_padded_rows, encode, samples, row_format, length))


def is_plain(call: Call) -> bool:
    """Tell whether `encode_one` can do a call.

    Parameters
    ----------
    call : Call
        The call.

    Returns
    -------
    bool
        Whether nothing is cut or padded, and no more asked for than that function knows of.
    """
    row_format = call.row_format
    return row_format.lengths is NOTHING_TO_DO and not (
        row_format.add_prefix_space
        or call.with_special_tokens_mask
        or call.with_lengths
        or call.tensor_type
    )


def encode_one(
    encoder: TextEncoder, encode: Callable[[str], EncodedText], text: str, call: Call
) -> BatchEncoding:
    """Do what `encode_batch` does with one text, sooner: the plainest call is the most frequent.

    Parameters
    ----------
    encoder : TextEncoder
        What encodes the text.
    encode : callable
        The same, as `encode_batch` is given it.
    text : str
        The text.
    call : Call
        What to do, of which `is_plain` holds.

    Returns
    -------
    BatchEncoding
        The columns.
    """
    row_format = call.row_format
    if call.with_offsets:
        ids, offsets = encoder.ids_and_offsets(
            text, call.split_special_tokens, row_format.trim_offsets
        )
    else:
        ids, offsets = encoder.ids(text, False, call.split_special_tokens), []
    if row_format.add_special_tokens:
        cls, sep, _ = row_format.framing
        ids = with_special_tokens([ids], cls[1], sep[1])
        offsets = with_special_tokens([offsets], (0, 0), (0, 0))
    if call.check_longest:
        call.check_longest(len(ids))
    columns: dict[str, Any] = {"input_ids": ids}
    if call.with_type_ids:
        columns["token_type_ids"] = [0] * len(ids)
    if call.with_attention_mask:
        columns["attention_mask"] = [1] * len(ids)
    if call.with_offsets:
        columns["offset_mapping"] = offsets
    return BatchEncoding(columns, partial(_padded_rows, encode, [(text,)], row_format, 0))


def padded(
    columns: dict[str, list[Any]], row_format: RowFormat
) -> tuple[dict[str, list[Any]], int]:
    """Pad the columns of a batch as the format asks.

    Parameters
    ----------
    columns : dict of str to list
        The columns.
    row_format : RowFormat
        The format.

    Returns
    -------
    columns : dict of str to list
        The padded columns.
    length : int
        The length of their rows, but for rows that were longer; 0 for no padding.
    """
    plan = row_format.lengths
    if plan.padding == "do_not_pad":
        return columns, 0
    lengths = [len(row) for row in columns["input_ids"]]
    length = padded_length(lengths, plan.padding, plan.max_length, plan.pad_to_multiple_of)
    _, pad_id = row_format.framing.pad
    return pad_columns(columns, length, pad_id, row_format.padding_side), length


def _columns(
    encode: Callable[[T], EncodedText], samples: Sequence[Sequence[T]], call: Call
) -> tuple[dict[str, list[Any]], list[int]]:
    """Make the columns that are asked for, and tell for each row of which sample it is."""
    row_format = call.row_format
    ids: list[list[int]] = []
    special_tokens_mask: list[list[int]] = []
    offsets: list[list[Offsets]] = []
    sample_of_row: list[int] = []
    for number, sample in enumerate(samples):
        texts = [encode(text) for text in sample]
        for window in row_windows(texts, row_format):
            sample_of_row.append(number)
            ids.append(row_ids(texts, window, row_format))
            if call.with_special_tokens_mask:
                special_tokens_mask.append(row_special_tokens_mask(texts, window, row_format))
            if call.with_offsets:
                offsets.append(row_offsets(texts, window, row_format))
    columns: dict[str, list[Any]] = {"input_ids": ids}
    if call.with_type_ids:
        columns["token_type_ids"] = [[0] * len(row) for row in ids]
    if call.with_attention_mask:
        columns["attention_mask"] = [[1] * len(row) for row in ids]
    if call.with_special_tokens_mask:
        columns["special_tokens_mask"] = special_tokens_mask
    if call.with_offsets:
        columns["offset_mapping"] = offsets
    return columns, sample_of_row


def _padded_rows(
    encode: Callable[[T], EncodedText],
    samples: Sequence[Sequence[T]],
    row_format: RowFormat,
    length: int,
) -> list[Encoding]:
    rows = []
    for sample in samples:
        texts = [encode(text) for text in sample]
        rows += [Encoding(texts, window, row_format) for window in row_windows(texts, row_format)]
    for row in rows:
        row.pad(length)
    return rows


class CollectorPaused:
    """Pause Python's garbage collector, which looks for cycles of objects.

    While the rows of a batch pile up, it would look at all of them, and at all else in the process,
    again and again. They hold no cycles.
    """

    def __enter__(self) -> None:
        self.was_enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self.was_enabled:
            gc.enable()
