"""From encoded texts to the columns of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from .batch_encoding import BatchEncoding
from .encoding import Encoding
from .padding import pad_columns, padded_length
from .rows import RowFormat, row_windows
from .tensors import to_tensors
from .text_encoder import EncodedText

T = TypeVar("T")

# The columns that a call may ask for, in the order of transformers, and what they are of a row.
COLUMNS = {
    "input_ids": "ids",
    "token_type_ids": "type_ids",
    "attention_mask": "attention_mask",
    "special_tokens_mask": "special_tokens_mask",
    "offset_mapping": "offsets",
}


class Call(NamedTuple):
    """The arguments of a call of the tokenizer after all defaults.

    Attributes
    ----------
    row_format : RowFormat
        How texts become rows.
    columns : sequence of str
        Which of `COLUMNS` to return.
    split_special_tokens : bool
        Whether special tokens in texts are encoded like any other text.
    with_samples, with_lengths : bool
        Whether to return for each row the number of its sample, and its length.
    tensor_type : str or None
        What kind of arrays to return; None for lists.
    check_longest : callable or None
        What to do with the length of the longest row.
    """

    row_format: RowFormat
    columns: Sequence[str]
    split_special_tokens: bool
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
    columns: dict[str, list[Any]] = {name: [] for name in call.columns}
    sample_of_row: list[int] = []
    for number, row in _rows(encode, samples, row_format):
        sample_of_row.append(number)
        for name, column in columns.items():
            column.append(getattr(row, COLUMNS[name]))
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


def _rows(
    encode: Callable[[T], EncodedText], samples: Sequence[Sequence[T]], row_format: RowFormat
) -> Iterator[tuple[int, Encoding]]:
    """Make the rows of each sample, with its number."""
    for number, sample in enumerate(samples):
        texts = [encode(text) for text in sample]
        for window in row_windows(texts, row_format):
            yield number, Encoding(texts, window, row_format)


def _padded_rows(
    encode: Callable[[T], EncodedText],
    samples: Sequence[Sequence[T]],
    row_format: RowFormat,
    length: int,
) -> list[Encoding]:
    rows = [row for _, row in _rows(encode, samples, row_format)]
    for row in rows:
        row.pad(length)
    return rows
