"""Where the special tokens of a row stand, for a tokenizer.json whose layout is not RoBERTa's.

RoBERTa's own is `special_tokens.with_special_tokens`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from ..rules import STRING
from ..sentences import shown
from .vocabulary import ID

__all__ = ["PLAIN", "Layout", "keeps_first_space", "layout_of", "read_layout"]

T = TypeVar("T")


class Step(NamedTuple):
    """One of the texts, by its number, or special tokens with their ids; and their token type."""

    content: int | list[tuple[str, int]]
    type_id: int


class Layout(NamedTuple):
    """The steps of a row of one text, and of two."""

    single: list[Step]
    pair: list[Step]

    def row(
        self,
        sequences: Sequence[Sequence[T]],
        value: Callable[[tuple[str, int]], T],
        add_special_tokens: bool = True,
    ) -> list[T]:
        """Lay out a column of a row; `value` gives what stands there for a special token."""
        row: list[T] = []
        for content, _ in self._steps(len(sequences)):
            if isinstance(content, int):
                row += sequences[content]
            elif add_special_tokens:
                row += map(value, content)
        return row

    def type_ids(self, lengths: Sequence[int], add_special_tokens: bool = True) -> list[int]:
        """Give the token types of a row whose texts have these lengths."""
        row: list[int] = []
        for content, type_id in self._steps(len(lengths)):
            if isinstance(content, int):
                row += [type_id] * lengths[content]
            elif add_special_tokens:
                row += [type_id] * len(content)
        return row

    def special_tokens(self) -> list[tuple[str, int]]:
        """Give all special tokens, and their ids."""
        several = [content for content, _ in (*self.single, *self.pair)]
        return [token for content in several if not isinstance(content, int) for token in content]

    def usual(self) -> list[tuple[str, int]] | None:
        """Give the tokens that stand as RoBERTa's ``<s>`` and ``</s>`` do, or None."""
        match self.single:
            case [([cls], _), _, ([sep], _)] if self == _layout_of_roberta([cls], [sep]):
                return [cls, sep]
        return None

    def _steps(self, n_sequences: int) -> list[Step]:
        return self.single if n_sequences == 1 else self.pair


#: The texts alone.
PLAIN = Layout([Step(0, 0)], [Step(0, 0), Step(1, 1)])


#: The texts that a row may have.
TEXTS = {"single": ("A",), "pair": ("A", "B")}


def read_layout(part: Mapping[str, Any] | None) -> Layout:
    """Read the layout that a post-processor describes; without one, there are the texts alone.

    >>> read_layout({"type": "BertProcessing", "cls": ["<s>", 0], "sep": ["</s>", 2]}).type_ids([2])
    [0, 0, 0, 0]
    """
    if part is None:
        return PLAIN
    if part["type"] == "TemplateProcessing":
        described = part.get("special_tokens")
        for name in described if isinstance(described, dict) else ():
            _special_tokens(part, name)  # also those that stand nowhere
        return Layout(*(list(_steps(part, name)) for name in ("single", "pair")))
    cls, sep = ([tuple(part[name])] for name in ("cls", "sep"))
    of_roberta = _layout_of_roberta(cls, sep)
    if part["type"] == "RobertaProcessing":
        return of_roberta
    return Layout(of_roberta.single, [*of_roberta.single, Step(1, 1), Step(sep, 1)])


def _layout_of_roberta(cls: list[tuple[str, int]], sep: list[tuple[str, int]]) -> Layout:
    single = [Step(cls, 0), Step(0, 0), Step(sep, 0)]
    return Layout(single, [*single, Step(sep, 0), Step(1, 0), Step(sep, 0)])


def _steps(part: Mapping[str, Any], name: str) -> Iterator[Step]:
    entries = part.get(name)
    if not isinstance(entries, list):
        raise ValueError(f"{name} is {shown(entries)}, not an array")
    for entry in entries:
        match entry:
            case {"Sequence": {"id": str(text), "type_id": type_id}} if (
                ID.allows(type_id) and text in TEXTS[name]
            ):
                yield Step("AB".index(text), type_id)
            case {"SpecialToken": {"id": str(token), "type_id": type_id}} if ID.allows(type_id):
                yield Step(_special_tokens(part, token), type_id)
            case _:
                raise ValueError(
                    f"{name} has the entry {shown(entry)}, no text and no special token"
                )


def _special_tokens(part: Mapping[str, Any], name: str) -> list[tuple[str, int]]:
    match part.get("special_tokens"):
        case {**described}:
            match described.get(name):
                case {"ids": [*ids], "tokens": [*tokens]} if len(ids) == len(tokens):
                    if all(map(STRING.allows, tokens)) and all(map(ID.allows, ids)):
                        return list(zip(tokens, ids, strict=True))
    raise ValueError(f"special_tokens does not say which token {shown(name)} is, and its id")


def layout_of(parts: Mapping[str, Any]) -> Layout | None:
    """Give the layout of a tokenizer with unusual parts, or None if it is RoBERTa's."""
    if "post_processor" not in parts:
        return None
    framing = [part for part in parts["post_processor"] if part["type"] != "ByteLevel"]
    return read_layout(framing[0] if framing else None)


def keeps_first_space(parts: Mapping[str, Any]) -> bool | None:
    """Tell what the post-processor says of a space at the beginning; None if it says nothing."""
    for part in parts.get("post_processor", ()):
        if part["type"] == "ByteLevel":
            return bool(part.get("add_prefix_space", True))
    return None
