"""What a tokenizer may be given: a text, a pair, a batch of texts, a batch of pairs.

A text may be split into words already; it is then a list of strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from ...rules import BOOLEAN, check
from ...sentences import shown
from ..texts import Text, check_text, kind_of

__all__ = ["Batch", "check_one_text", "is_split", "read_ids", "read_texts", "read_words"]

T = TypeVar("T")


class Batch(NamedTuple, Generic[T]):
    """The texts of a call, checked: for each row one, or the two of a pair, each a string or words.

    `is_single` tells that the one row was given alone and not as a batch.
    """

    rows: list[tuple[T, ...]]
    is_single: bool


def read_texts(text: Any, text_pair: Any = None) -> Batch[Text]:
    """Tell a text, a pair, and batches of them apart, and check every text before any work is done.

    >>> read_texts([("a", "b"), ("c", "d")])
    Batch(rows=[('a', 'b'), ('c', 'd')], is_single=False)
    """
    if isinstance(text, str):
        check_text(text, "text")
        if text_pair is None:
            return Batch([(text,)], True)
        check_text(text_pair, "text_pair")
        return Batch([(text, text_pair)], is_single=True)
    if not isinstance(text, list | tuple):
        cure = ", as text.tolist() is" if hasattr(text, "tolist") else ""
        raise TypeError(
            f"text is {kind_of(text)}: it must be a str, a list of str{cure}, or a list of pairs "
            "of str"
        )
    if text_pair is not None:
        return _batch_with_pairs(text, text_pair)
    if text and all(isinstance(element, list | tuple) for element in text):
        return _batch_of_pairs(text)
    return Batch([(element,) for element in _check_all(text, "text")], is_single=False)


def _batch_with_pairs(text: Sequence[Any], text_pair: Any) -> Batch[Text]:
    if not isinstance(text_pair, list | tuple):
        raise TypeError(
            f"text is a batch, but text_pair is {kind_of(text_pair)}: it must be a list with as"
            f" many texts, {len(text)}"
        )
    _check_equally_many(text, text_pair)
    rows = zip(_check_all(text, "text"), _check_all(text_pair, "text_pair"), strict=True)
    return Batch(list(rows), is_single=False)


def _check_equally_many(text: Sequence[Any], text_pair: Sequence[Any]) -> None:
    if len(text) != len(text_pair):
        raise ValueError(
            f"text has {len(text)} texts, but text_pair has {len(text_pair)}: each text needs its"
            " pair"
        )


def _batch_of_pairs(pairs: Sequence[Sequence[Any]]) -> Batch[Text]:
    for index, pair in enumerate(pairs):
        if len(pair) != 2:
            raise ValueError(f"text[{index}] has {len(pair)} elements: a pair has two texts")
        for place, text in enumerate(pair):
            check_text(text, f"text[{index}][{place}]")
    return Batch([(first, second) for first, second in pairs], is_single=False)


def _check_all(texts: Sequence[Any], name: str) -> Sequence[str]:
    for index, text in enumerate(texts):
        check_text(text, f"{name}[{index}]")
    return texts


def read_words(text: Any, text_pair: Any = None) -> Batch[Text]:
    """Read texts that are split into words already: lists of words in place of strings.

    >>> read_words(["two", "words"])
    Batch(rows=[(['two', 'words'],)], is_single=True)
    """
    _check_list(text, "text")
    if text_pair is not None:
        _check_list(text_pair, "text_pair")
    if not _is_batch_of_words(text):
        texts = [(text, "text"), *([(text_pair, "text_pair")] if text_pair is not None else [])]
        return Batch([tuple(_check_words(words, where) for words, where in texts)], is_single=True)
    if text_pair is None:
        rows = [row if _is_batch_of_words(row) else (row,) for row in text]
    else:
        _check_equally_many(text, text_pair)
        rows = list(zip(text, text_pair, strict=True))
    return Batch([_check_row_of_words(number, row) for number, row in enumerate(rows)], False)


def _check_list(text: Any, where: str) -> None:
    if not isinstance(text, list | tuple):
        raise TypeError(
            f"{where} is {kind_of(text)}, but is_split_into_words=True: it must be a list of words,"
            " or a batch of such lists"
        )


def _is_batch_of_words(text: Sequence[Any]) -> bool:
    return bool(text) and all(isinstance(row, list | tuple) for row in text)


def _check_row_of_words(number: int, row: Sequence[Any]) -> tuple[Text, ...]:
    if len(row) > 2:
        raise ValueError(f"row {number} has {len(row)} lists of words: a pair has two")
    return tuple(
        _check_words(words, f"row {number}, text {place}") for place, words in enumerate(row)
    )


def _check_words(words: Any, where: str) -> Sequence[str]:
    _check_list(words, where)
    return list(_check_all(words, where))


def _is_sequence_of(kind: type, value: Any) -> bool:
    """Tell whether a value is a list or tuple whose elements are all of one kind, and not empty."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(element, kind) and not isinstance(element, bool) for element in value)
    )


def read_ids(where: str, tokens: Any, to_ids: Callable[[list[str]], list[int]]) -> list[int]:
    """Read a text that is given as tokens or as ids."""
    if _is_sequence_of(str, tokens):
        return to_ids(list(tokens))
    is_empty = isinstance(tokens, list | tuple) and not tokens
    if is_empty or _is_sequence_of(int, tokens):
        return list(tokens)
    raise TypeError(
        f"{where} is {shown(tokens)}: it must be one str, or the tokens or ids of one text; for"
        " a batch, call the tokenizer"
    )


def is_split(options: Mapping[str, Any]) -> bool:
    """Tell whether the texts of a call are lists of words."""
    given: bool = options.get("is_split_into_words", False)
    return check("is_split_into_words", given, BOOLEAN, TypeError)


def check_one_text(text: Any, is_split_into_words: bool) -> None:
    """Refuse a batch; all else is told apart by those who read the text."""
    if not isinstance(text, list | tuple):
        return
    if not is_split_into_words or any(isinstance(element, list | tuple) for element in text):
        raise TypeError(f"{shown(text)} is a batch, where one text is wanted: call the tokenizer")
