"""The result of encoding: named columns, as lists or as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any, NoReturn, Self

from ...arrays import to_device
from ...checks import warn
from ...rules import INTEGER, check, is_integer
from ...sentences import listed, shown
from ..notebook import rows_html
from .encoding import CharSpan, Encoding, TokenSpan
from .options import check_tensor_type
from .tensors import to_tensors

__all__ = ["BatchEncoding"]


class BatchEncoding(dict[str, Any]):
    """A dictionary whose entries are also attributes: ``encoding.input_ids``.

    It can be handed to a model as it is: ``model(**encoding)``. A row of it, ``encoding[0]``, is an
    `Encoding`, which knows for each token its word and its place in the text, whatever columns were
    asked for. The methods below ask one row; for a single text the row need not be named. A slice,
    ``encoding[:8]``, is a dictionary of the columns of these rows.

    Parameters
    ----------
    data : mapping of str to list or array
        The columns.
    find_encodings : callable, optional
        Gives the rows; called when they are first asked for.

    Examples
    --------
    >>> encoding = BatchEncoding({"input_ids": [0, 9, 2], "attention_mask": [1, 1, 1]})
    >>> encoding.input_ids
    [0, 9, 2]
    """

    is_fast = True
    _encodings: Sequence[Encoding] | None = None

    def __init__(
        self,
        data: Mapping[str, Any] = {},  # not changed
        find_encodings: Callable[[], Sequence[Encoding]] | None = None,
    ) -> None:
        super().__init__(data)
        self._find_encodings = find_encodings

    def __getstate__(self) -> dict[str, Any]:
        # The rows, and not the tokenizer that finds them: that would be pickled with each batch.
        rows = self._encodings if self._find_encodings is None else self.encodings
        return {"_find_encodings": None, "_encodings": rows}

    def __copy__(self) -> Self:
        copied = type(self)(self, self._find_encodings)
        copied._encodings = self._encodings
        return copied

    def copy(self) -> Self:
        """Give the same columns and rows, to which columns can be added."""
        return self.__copy__()

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, dict):
            return NotImplemented
        joined = self.copy()
        joined.update(other)
        return joined

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(self._lacks(name))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Integral):
            return self._row(int(key))
        if isinstance(key, slice):
            return {name: column[key] for name, column in self.items()}
        try:
            return super().__getitem__(key)
        except TypeError:  # it cannot be looked up
            raise TypeError(
                f"{shown(key)} is neither the name of a column, nor the number of a row or a slice"
            ) from None

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(self._lacks(name))

    def _lacks(self, name: str) -> str:
        return (
            f"this encoding has no {shown(name)}, only {listed(self)}: ask the tokenizer for it, as"
            " with return_offsets_mapping=True"
        )

    def _repr_html_(self) -> str | None:
        """Show the tokens in a notebook, where they are known."""
        try:
            rows = self.encodings
        except ValueError:  # not made from texts
            return None
        return rows_html(rows, self)

    @property
    def data(self) -> dict[str, Any]:
        """The columns as a plain dictionary."""
        return dict(self)

    @property
    def encodings(self) -> Sequence[Encoding]:
        """The rows.

        Raises
        ------
        ValueError
            If the rows were not made from texts by a tokenizer, so that no more is known of them
            than the columns.
        """
        if self._encodings is None:
            if self._find_encodings is None:
                raise ValueError(
                    "this encoding was not made from texts, so nothing is known of words, offsets"
                    " and sequences: call the tokenizer with the texts"
                )
            self._encodings = self._find_encodings()
        return self._encodings

    @property
    def n_sequences(self) -> int:
        """How many texts make up a row: 1, or 2 for pairs."""
        return self._row(0).n_sequences

    def convert_to_tensors(
        self, tensor_type: str | None = None, prepend_batch_axis: bool = False
    ) -> Self:
        """Turn the columns into arrays, in place.

        Parameters
        ----------
        tensor_type : str, optional
            ``"np"``, ``"cp"`` or ``"pt"``, as `return_tensors` of the tokenizer; by default all
            stays as it is.
        prepend_batch_axis : bool
            Whether the columns are those of one text, and get an axis of 1 before the others.

        Returns
        -------
        BatchEncoding
            Itself.
        """
        check_tensor_type(tensor_type)
        if tensor_type is None:
            return self
        columns = {name: [row] for name, row in self.items()} if prepend_batch_axis else self
        self.update(to_tensors(columns, tensor_type))
        return self

    def to(self, device: Any, *, non_blocking: bool = False) -> Self:
        """Move the arrays among the columns to a device, in place.

        Parameters
        ----------
        device : str or device object
            ``"cpu"`` or ``"cuda"`` for arrays of NumPy and CuPy, or ``model.device``; whatever
            ``Tensor.to`` takes for those of PyTorch. Lists stay lists.
        non_blocking : bool
            For PyTorch, as `Tensor.to` takes it.

        Returns
        -------
        BatchEncoding
            Itself.
        """
        if hasattr(device, "itemsize") or isinstance(device, type):
            warn(f"to moves to a device, and casts nothing: {shown(device)} is a dtype")
            return self
        device = _named(device)
        for name, column in self.items():
            if hasattr(column, "to"):
                self[name] = column.to(device, non_blocking=non_blocking)
            elif hasattr(column, "dtype"):
                self[name] = to_device(column, device)
        return self

    # Between tokens, words, characters and sequences

    def tokens(self, batch_index: int = 0) -> list[str]:
        """Give the tokens of a row, in the byte alphabet."""
        return self._row(batch_index).tokens

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """Give for each token of a row the number of its word, or None."""
        return self._row(batch_index).word_ids

    def words(self, batch_index: int = 0) -> list[int | None]:
        """Give the same as `word_ids`; an older name of transformers."""
        return self.word_ids(batch_index)

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """Give for each token of a row the number of its text, or None."""
        return self._row(batch_index).sequence_ids

    def token_to_sequence(
        self, batch_or_token_index: int, token_index: int | None = None
    ) -> int | None:
        """Ask `Encoding.token_to_sequence` of a row, or, given one index, of the first row."""
        row, index = _row_and_index(batch_or_token_index, token_index)
        return self._row(row).token_to_sequence(index)

    def token_to_word(
        self, batch_or_token_index: int, token_index: int | None = None
    ) -> int | None:
        """Ask `Encoding.token_to_word` of a row, or, given one index, of the first row."""
        row, index = _row_and_index(batch_or_token_index, token_index)
        return self._row(row).token_to_word(index)

    def token_to_chars(
        self, batch_or_token_index: int, token_index: int | None = None
    ) -> CharSpan | None:
        """Ask `Encoding.token_to_chars` of a row, or, given one index, of the first row."""
        row, index = _row_and_index(batch_or_token_index, token_index)
        return self._row(row).token_to_chars(index)

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Ask `Encoding.char_to_token` of a row, or, given one index, of the first row."""
        row, index = _row_and_index(batch_or_char_index, char_index)
        return self._row(row).char_to_token(index, sequence_index)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Ask `Encoding.char_to_word` of a row, or, given one index, of the first row."""
        row, index = _row_and_index(batch_or_char_index, char_index)
        return self._row(row).char_to_word(index, sequence_index)

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """Ask `Encoding.word_to_tokens` of a row, or, given one index, of the first row."""
        row, index = _row_and_index(batch_or_word_index, word_index)
        return self._row(row).word_to_tokens(index, sequence_index)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan | None:
        """Ask `Encoding.word_to_chars` of a row, or, given one index, of the first row."""
        row, index = _row_and_index(batch_or_word_index, word_index)
        return self._row(row).word_to_chars(index, sequence_index)

    def _row(self, index: int) -> Encoding:
        encodings = self.encodings
        check("the number of a row", index, INTEGER, TypeError)
        if not -len(encodings) <= index < len(encodings):
            raise IndexError(f"there is no row {shown(index)}: this encoding has {len(encodings)}")
        return encodings[index]


def _named(device: Any) -> Any:
    """Name a graphics card that is given as a number, or as the object of CuPy that has one."""
    number = getattr(device, "id", device)
    return f"cuda:{number}" if is_integer(number) else device


def _row_and_index(batch_or_index: int, index: int | None) -> tuple[int, int]:
    return (0, batch_or_index) if index is None else (batch_or_index, index)
