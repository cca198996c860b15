"""One row of a batch with all that is known of its tokens, and the ways between them and the text.

A token comes from some characters of a text, and belongs to a word. This is where a prediction for
a token is led back to the text, and a label of a word or of a range of characters to its tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from ...rules import INTEGER, check
from ..encoded_text import EncodedText
from ..notebook import rows_html
from ..offsets import Offsets
from .columns import COLUMNS, row_ids
from .padding import pad_row
from .windows import RowFormat, Window, framed, in_window

__all__ = ["CharSpan", "Encoding", "TokenSpan"]

T = TypeVar("T")


class TokenSpan(NamedTuple):
    """The tokens from `start` up to, but not including, `end`."""

    start: int
    end: int


class CharSpan(NamedTuple):
    """The characters from `start` up to, but not including, `end`."""

    start: int
    end: int


class Encoding:
    """A row: one attribute for each thing known of its tokens, each a list as long as the row.

    The ids are there at once, all else is worked out when it is asked for. `texts` are the one or
    two that the row is made of, of whose tokens those in the `window` are in it, and `length` is
    what it is padded to.
    """

    def __init__(
        self, texts: Sequence[EncodedText], window: Window, row_format: RowFormat, length: int = 0
    ) -> None:
        self._texts = texts
        self._window = window
        self._format = row_format
        self._unpadded_ids = row_ids(texts, window, row_format)
        self._length = length
        self.ids = self._padded(self._unpadded_ids, row_format.framing.pad[1])

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_sequences(self) -> int:
        """How many texts make up the row: 1, or 2 for a pair."""
        return len(self._texts)

    def __repr__(self) -> str:
        return f"Encoding(tokens={self.tokens})"

    def _repr_html_(self) -> str:
        return rows_html([self], {"ids": self.ids})

    @cached_property
    def tokens(self) -> list[str]:
        """The tokens, in the byte alphabet."""
        tokens = [text.tokens for text in self._texts]
        return self._row(tokens, itemgetter(0), self._format.framing.pad[0])

    @cached_property
    def attention_mask(self) -> list[int]:
        """1 for a token, 0 for padding."""
        return self._column("attention_mask")

    @cached_property
    def special_tokens_mask(self) -> list[int]:
        """1 for padding and the special tokens that frame the texts, 0 for tokens of the texts."""
        return self._column("special_tokens_mask")

    @cached_property
    def type_ids(self) -> list[int]:
        """The token types: zeros, as RoBERTa has no others, but where tokenizer.json has."""
        return self._column("token_type_ids")

    @cached_property
    def offsets(self) -> list[Offsets]:
        """The characters ``(start, end)`` that a token of a text stands for, else ``(0, 0)``.

        `columns` says what becomes of white space.
        """
        return self._column("offset_mapping")

    @cached_property
    def sequence_ids(self) -> list[int | None]:
        """0 for a token of the first text, 1 for one of the second, else None."""
        # The window first: the whole text for each of its windows would be the square of it.
        parts = in_window([text.ids for text in self._texts], self._window)
        numbers: list[list[int | None]] = [[n] * len(part) for n, part in enumerate(parts)]
        return self._padded(framed(numbers, lambda _: None, self._format), None)

    @cached_property
    def word_ids(self) -> list[int | None]:
        """For a token of a text the number of its word, counted in each text, else None."""
        words: list[Sequence[int | None]] = [text.words for text in self._texts]
        return self._row(words, lambda _: None, None)

    def _column(self, name: str) -> list[Any]:
        make, fill = COLUMNS[name]
        row = make(self._unpadded_ids, self._texts, self._window, self._format)
        return self._padded(row, fill)

    def _row(
        self, columns: Sequence[Sequence[T]], value: Callable[[tuple[str, int]], T], pad: T
    ) -> list[T]:
        return self._padded(framed(in_window(columns, self._window), value, self._format), pad)

    def _padded(self, row: list[T], fill: T) -> list[T]:
        return pad_row(row, self._length, fill, self._format.padding_side)

    def token_to_sequence(self, token_index: int) -> int | None:
        """Give the number of the text that a token is of, 0 or 1.

        It is None for a special token, padding, or where there is no such token; negative tokens
        count from the end.
        """
        return _at(self.sequence_ids, token_index)

    def token_to_word(self, token_index: int) -> int | None:
        """Give the number of a token's word in its text, or None as `token_to_sequence`."""
        return _at(self.word_ids, token_index)

    def token_to_chars(self, token_index: int) -> CharSpan | None:
        """Give the characters that a token stands for, or None as `token_to_sequence`."""
        if self.token_to_sequence(token_index) is None:
            return None
        return CharSpan(*self.offsets[token_index])

    def char_to_token(self, char_index: int, sequence_index: int = 0) -> int | None:
        """Give the first token of the row that stands for a character of one of the texts.

        None is where there is none: a character may be white space that is trimmed off.
        """
        _check_index("char_index", char_index)
        _check_index("sequence_index", sequence_index)
        return self._tokens_of_chars.get(sequence_index, {}).get(char_index)

    @cached_property
    def _tokens_of_chars(self) -> Mapping[int | None, dict[int, int]]:
        """For each text, which token is the first of each character."""
        first: dict[int | None, dict[int, int]] = defaultdict(dict)
        for index, (text, span) in enumerate(zip(self.sequence_ids, self.offsets, strict=True)):
            for char in range(*span):
                first[text].setdefault(char, index)
        return first

    def char_to_word(self, char_index: int, sequence_index: int = 0) -> int | None:
        """Give the number of the word that a character is of, or None."""
        token = self.char_to_token(char_index, sequence_index)
        return None if token is None else self.word_ids[token]

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> TokenSpan | None:
        """Give the tokens of a word; None if the row has none of this word."""
        _check_index("word_index", word_index)
        _check_index("sequence_index", sequence_index)
        return self._tokens_of_words.get((sequence_index, word_index))

    @cached_property
    def _tokens_of_words(self) -> Mapping[tuple[int | None, int | None], TokenSpan]:
        """Where the tokens of each word of each text are."""
        spans: dict[tuple[int | None, int | None], TokenSpan] = {}
        for index, key in enumerate(zip(self.sequence_ids, self.word_ids, strict=True)):
            start = spans[key].start if key in spans else index
            spans[key] = TokenSpan(start, index + 1)
        return spans

    def word_to_chars(self, word_index: int, sequence_index: int = 0) -> CharSpan | None:
        """Give the characters that a word's tokens in this row stand for, or None."""
        tokens = self.word_to_tokens(word_index, sequence_index)
        if tokens is None:
            return None
        return CharSpan(self.offsets[tokens.start][0], self.offsets[tokens.end - 1][1])


def _check_index(name: str, index: Any) -> None:
    check(name, index, INTEGER, TypeError)


def _at(column: Sequence[T | None], index: int) -> T | None:
    _check_index("token_index", index)
    return column[index] if -len(column) <= index < len(column) else None
