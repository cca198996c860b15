"""The result of encoding: named columns, as lists or as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


class BatchEncoding(dict[str, Any]):
    """A dictionary whose entries are also attributes: ``encoding.input_ids``.

    It can be handed to a model as it is: ``model(**encoding)``.

    Examples
    --------
    >>> encoding = BatchEncoding(input_ids=[0, 9, 2], attention_mask=[1, 1, 1])
    >>> encoding.input_ids
    [0, 9, 2]
    """

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(self._lacks(name))

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(self._lacks(name))

    def _lacks(self, name: str) -> str:
        return (
            f"this encoding has no {name!r}, only {', '.join(self)}: ask the tokenizer for it, as"
            " with return_offsets_mapping=True"
        )


def check_tensor_type(return_tensors: Any) -> None:
    """Check the argument `return_tensors`.

    Parameters
    ----------
    return_tensors : str or None
        The argument.
    """
    if return_tensors not in (None, "np"):
        raise ValueError(
            f"return_tensors is {return_tensors!r}: it must be None, for lists, or 'np', for NumPy"
            " arrays, from which other libraries make theirs"
        )


def to_arrays(columns: Mapping[str, Any]) -> BatchEncoding:
    """Turn the columns of a batch into NumPy arrays, integers into int64.

    Parameters
    ----------
    columns : mapping of str to list
        For each name a list of rows, which must be equally long.

    Returns
    -------
    BatchEncoding
        The arrays, ``[B, S]``, or ``[B, S, 2]`` for offsets and ``[B]`` for lengths.

    Raises
    ------
    ValueError
        If the rows differ in length.
    """
    import numpy as np  # only here, so that the tokenizer can be imported without it

    arrays = BatchEncoding()
    for name, rows in columns.items():
        lengths = {len(row) if isinstance(row, list) else 1 for row in rows}
        if len(lengths) > 1:
            raise ValueError(
                f"the rows of {name} have from {min(lengths)} to {max(lengths)} elements and do not"
                " make one array: pass padding=True, and truncation=True if they are too long, or"
                " return_tensors=None for lists"
            )
        column = np.array(rows)
        # An array of no elements would be one of floats.
        arrays[name] = column if column.size else column.astype(np.int64)
    return arrays
