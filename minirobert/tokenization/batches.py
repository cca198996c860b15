"""From encoded texts to the columns of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .batch_encoding import BatchEncoding
from .encoding import Encoding
from .padding import padded_length
from .rows import RowFormat, row_windows
from .tensors import to_tensors
from .text_encoder import EncodedText

# The columns that a call may ask for, in the order of transformers, and what they are of a row.
COLUMNS = {
    "input_ids": "ids",
    "token_type_ids": "type_ids",
    "attention_mask": "attention_mask",
    "special_tokens_mask": "special_tokens_mask",
    "offset_mapping": "offsets",
}


def make_rows(
    samples: Sequence[Sequence[EncodedText]], row_format: RowFormat
) -> tuple[list[Encoding], list[int]]:
    """Cut, frame and pad texts.

    Parameters
    ----------
    samples : sequence of sequences of EncodedText
        One text or two for each sample.
    row_format : RowFormat
        How to do it.

    Returns
    -------
    rows : list of Encoding
        One row a sample, or several where what truncation cuts off is wanted too.
    sample_of_row : list of int
        For each row the number of its sample.
    """
    rows: list[Encoding] = []
    sample_of_row: list[int] = []
    for number, texts in enumerate(samples):
        for window in row_windows(texts, row_format):
            rows.append(Encoding(texts, window, row_format))
            sample_of_row.append(number)
    plan = row_format.lengths
    if plan.padding != "do_not_pad":
        lengths = [len(row.ids) for row in rows]
        length = padded_length(lengths, plan.padding, plan.max_length, plan.pad_to_multiple_of)
        for row in rows:
            row.pad(length)
    return rows, sample_of_row


def collect(
    rows: Sequence[Encoding],
    names: Sequence[str],
    extra: dict[str, list[int]],
    is_flat: bool,
    tensor_type: str | None,
) -> BatchEncoding:
    """Put the rows of a batch together.

    Parameters
    ----------
    rows : sequence of Encoding
        The rows.
    names : sequence of str
        Which of `COLUMNS` to return.
    extra : dict of str to list of int
        More columns, with one integer a row.
    is_flat : bool
        Whether to return the columns of the one row there is without an axis for the batch.
    tensor_type : str or None
        What kind of arrays to return; None for lists.

    Returns
    -------
    BatchEncoding
        The columns.
    """
    columns: dict[str, Any] = {
        name: [getattr(row, COLUMNS[name]) for row in rows] for name in names
    }
    if is_flat:
        columns = {name: column[0] for name, column in columns.items()}
    columns.update(extra)  # of one text, too, the length is a list, as in transformers
    if tensor_type is not None:
        columns = to_tensors(columns, tensor_type)
    return BatchEncoding(columns, rows)
