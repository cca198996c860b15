"""The vocabulary: tokens to ids and back, those of vocab.json and those added to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from ..checks import warn
from ..rules import Rule, check, integer
from ..sentences import listed, shown
from .added_tokens import AddedToken, as_token

__all__ = ["ID", "MAX_ID", "Vocabulary", "as_declared", "numbered"]

# The Rust tokenizers keep ids in 32 bits.
MAX_ID = 2**32 - 1
# Python's own integers alone, which go into JSON.
ID = Rule(
    lambda index: type(index) is int and 0 <= index <= MAX_ID, f"an integer from 0 to {MAX_ID}"
)


def as_declared(tokens: Any) -> dict[int, AddedToken]:
    """Take added tokens as they are given: a mapping from their ids."""
    if tokens is None:
        return {}
    if not isinstance(tokens, Mapping):
        raise TypeError(
            f"added_tokens_decoder is {shown(tokens)}, but must be a mapping from ids to AddedToken"
        )
    return {
        int(check("added_tokens_decoder: an id", index, integer(0, MAX_ID))): _as_added(
            as_token(token, f"added_tokens_decoder[{index}]")
        )
        for index, token in tokens.items()
    }


def _as_added(token: str | AddedToken) -> AddedToken:
    return AddedToken(token) if isinstance(token, str) else token


def numbered(
    base: Mapping[str, int], declared: Iterable[tuple[int, AddedToken]], where: str
) -> dict[int, AddedToken]:
    """Give added tokens their ids: those of the vocabulary, or the next ones in their order.

    This is how the Rust tokenizers number them, whatever id is declared for them. Where it is
    another one there is a warning, which begins with `where`. The flags that come last count.

    >>> numbered({"a": 0, "<s>": 1}, [(1, AddedToken("<s>")), (2, AddedToken("<mask>"))], "here")
    ... # doctest: +ELLIPSIS
    {1: AddedToken(content='<s>', ...), 2: AddedToken(content='<mask>', ...)}
    """
    new: dict[str, int] = {}
    of_base = set(base.values())
    next_id = first = max(base.values(), default=-1) + 1
    added: dict[int, AddedToken] = {}
    moved: dict[str, tuple[int, int]] = {}
    for index, token in declared:
        is_gap = index < first and index not in of_base and index not in added
        usual = index if is_gap else next_id
        found = base.get(token.content, new.setdefault(token.content, usual))
        next_id = max(next_id, found + 1)
        added[found] = token
        if found != index:
            moved[token.content] = found, index
    if moved:
        warn(
            f"{where}: not all added tokens have the ids that are declared:"
            f" {listed(moved.items(), each=_moved)}; they follow the vocabulary in their order, as"
            " in transformers, and one that it has keeps its id"
        )
    return added


def _moved(entry: tuple[str, tuple[int, int]], most: int) -> str:
    content, (found, index) = entry
    return f"{shown(content, most // 4)} has {found}, not {index}"


class Vocabulary:
    """Tokens and ids, both ways.

    `base` are the entries of vocab.json, and `declared` added tokens by the ids that they should
    have. Special tokens without an id yet get the next free ones, in their order. `ids` and
    `tokens` hold all, and `added` the added tokens, special ones included, by their content.

    >>> vocabulary = Vocabulary({"a": 0, "<s>": 1}, {}, [AddedToken("<s>"), AddedToken("<mask>")])
    >>> vocabulary.ids
    {'a': 0, '<s>': 1, '<mask>': 2}
    """

    def __init__(
        self,
        base: Mapping[str, int],
        declared: Mapping[int, AddedToken],
        special: Iterable[AddedToken],
    ) -> None:
        self.base = dict(sorted(base.items(), key=lambda entry: entry[1]))
        self.ids = dict(self.base)
        self.tokens = {index: token for token, index in self.ids.items()}
        self.added: dict[str, AddedToken] = {}
        by_id = sorted(declared.items(), key=lambda entry: entry[0])
        for index, token in numbered(self.base, by_id, "added_tokens_decoder").items():
            self._add(token, index)
        self._next_id = max(self.tokens, default=-1) + 1
        for token in special:
            self.add(token)

    def copy(self) -> Vocabulary:
        """Give the same, to which tokens can be added."""
        copied = copy(self)
        copied.ids, copied.tokens, copied.added = (
            dict(self.ids),
            dict(self.tokens),
            dict(self.added),
        )
        return copied

    def add(self, token: AddedToken) -> bool:
        """Make a string a token, with the next free id, or give a token that there is new flags.

        A special token stays one. It tells whether that changed anything.
        """
        known = self.added.get(token.content)
        if known == token:
            return False
        if known is not None and known.special:
            token = replace(token, special=True)
        index = self.ids.get(token.content, self._next_id)
        self._next_id = max(self._next_id, index + 1)
        self._add(token, index)
        return True

    def _add(self, token: AddedToken, index: int) -> None:
        self.ids[token.content] = index
        self.tokens[index] = token.content
        self.added[token.content] = token

    def __len__(self) -> int:
        return len(self.ids)

    def token(self, index: int) -> str:
        """Give the token of an id."""
        return self.tokens_of([index])[0]

    def tokens_of(self, ids: Iterable[int]) -> list[str]:
        """Give the tokens of several ids."""
        try:
            return [self.tokens[index] for index in ids]
        except KeyError as unknown:
            raise ValueError(
                f"no token has the id {shown(unknown.args[0])}: the vocabulary has {len(self)}"
                f" tokens, with ids from {min(self.tokens)} to {max(self.tokens)}; leave out"
                " numbers that stand for no token, as -100 in labels, and use the tokenizer that"
                " the ids were made with"
            ) from None
