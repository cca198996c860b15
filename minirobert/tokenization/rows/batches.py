"""From texts to the columns of a batch."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from ..encoded_text import EncodedText
from .batch_encoding import BatchEncoding
from .columns import COLUMNS, row_ids
from .encoding import Encoding
from .inputs import Batch
from .lengths import NOTHING_TO_DO
from .options import CallOptions
from .padding import pad_columns, padded_length, read_pad_input
from .tensors import tensor_type_of, to_tensors
from .windows import WHOLE, RowFormat, row_windows

__all__ = ["Plan", "encode_batch", "pad_batch"]


class Plan(NamedTuple):
    """The options of a call, resolved.

    `names` are the columns besides the ids. `encode` takes a text, or what stands for one, and
    `check_longest` the length of the longest row.
    """

    options: CallOptions
    row_format: RowFormat
    names: Sequence[str]
    encode: Callable[[Any], EncodedText]
    check_longest: Callable[[int], None] | None


def encode_batch(batch: Batch[Any], plan: Plan) -> BatchEncoding:
    """Encode samples, of one text or two, and put the columns of the rows that they give together.

    A single sample is returned without an axis for the batch.
    """
    samples, is_single = batch
    options, row_format = plan.options, plan.row_format
    is_plain = row_format.lengths is NOTHING_TO_DO and not options.return_length
    if is_single and is_plain and options.return_tensors is None:
        return _encode_one(samples[0], plan)
    with _without_collections():
        columns, sample_of_row = _columns(samples, plan)
    length = padded_length(map(len, columns["input_ids"]), row_format.lengths)
    if length:
        pad_id = row_format.framing.pad[1]
        columns = pad_columns(columns, length, pad_id, row_format.padding_side)
    lengths = [len(row) for row in columns["input_ids"]]
    if plan.check_longest:
        plan.check_longest(max(lengths, default=0))
    result: dict[str, Any] = columns
    if is_single and not options.return_overflowing_tokens and options.return_tensors is None:
        result = {name: column[0] for name, column in columns.items()}
    if options.return_length:
        result["length"] = lengths  # of one text, too, a list, as in transformers
    if options.return_overflowing_tokens:
        result["overflow_to_sample_mapping"] = sample_of_row
    if options.return_tensors is not None:
        result = to_tensors(result, options.return_tensors)
    # The rows themselves are made anew if they are asked for: a million of them would take a lot of
    # memory.
    return BatchEncoding(result, partial(_padded_rows, plan.encode, samples, row_format, length))


def _columns(
    samples: Sequence[Sequence[Any]], plan: Plan
) -> tuple[dict[str, list[Any]], list[int]]:
    """Make the columns, and tell for each row the number of its sample."""
    _, row_format, names, encode, _ = plan
    ids: list[list[int]] = []
    columns: dict[str, list[Any]] = {"input_ids": ids, **{name: [] for name in names}}
    others = [(columns[name], COLUMNS[name].row) for name in names]
    sample_of_row: list[int] = []
    for number, sample in enumerate(samples):
        texts = [encode(text) for text in sample]
        for window in row_windows(texts, row_format):
            sample_of_row.append(number)
            row = row_ids(texts, window, row_format)
            ids.append(row)
            for column, make in others:
                column.append(make(row, texts, window, row_format))
    return columns, sample_of_row


@contextmanager
def _without_collections() -> Iterator[None]:
    """Switch off Python's garbage collector while many objects are made that are all kept.

    It would run after every few hundred of them, now and then over all objects of the process, and
    find nothing to free.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _encode_one(sample: Sequence[Any], plan: Plan) -> BatchEncoding:
    """Take the short way for the most frequent call: one row, which is neither cut nor padded."""
    _, row_format, names, encode, check_longest = plan
    texts = [encode(text) for text in sample]
    (whole,) = WHOLE[len(texts)]
    ids = row_ids(texts, whole, row_format)
    columns: dict[str, Any] = {"input_ids": ids}
    for name in names:
        columns[name] = COLUMNS[name].row(ids, texts, whole, row_format)
    if check_longest:
        check_longest(len(ids))
    return BatchEncoding(columns, partial(_padded_rows, encode, [sample], row_format, 0))


def _padded_rows(
    encode: Callable[[Any], EncodedText],
    samples: Sequence[Sequence[Any]],
    row_format: RowFormat,
    length: int,
) -> list[Encoding]:
    rows = []
    for sample in samples:
        texts = [encode(text) for text in sample]
        rows += [
            Encoding(texts, window, row_format, length) for window in row_windows(texts, row_format)
        ]
    return rows


def pad_batch(encoded: Any, plan: Plan) -> BatchEncoding:
    """Pad one encoding or several, and give them a mask if the plan has one and they have none."""
    columns, is_single, library = read_pad_input(encoded)
    ids, row_format = columns["input_ids"], plan.row_format
    if "attention_mask" in plan.names and "attention_mask" not in columns:
        columns["attention_mask"] = [[1] * len(row) for row in ids]
    length = padded_length(map(len, ids), row_format.lengths)
    columns = pad_columns(columns, length, row_format.framing.pad[1], row_format.padding_side)
    if is_single:
        columns = {name: rows[0] for name, rows in columns.items()}
    tensor_type = plan.options.return_tensors or tensor_type_of(library)
    return BatchEncoding(to_tensors(columns, tensor_type) if tensor_type else columns)
