"""The vocabulary: tokens to ids and back, those of vocab.json and those added to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .added_tokens import AddedToken

__all__ = ["Vocabulary"]


class Vocabulary:
    """Tokens and ids, both ways.

    `base` are the entries of vocab.json, and `declared` the added tokens whose ids are fixed
    already. Special tokens without an id yet get the next free ones, in their order. `ids` and
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
        for index, token in sorted(declared.items()):
            self._add(token, index)
        self._next_id = max(self.tokens, default=-1) + 1
        for token in special:
            self.add(token)

    def add(self, token: AddedToken) -> bool:
        """Make a string a token, with the next free id, or give a token that there is new flags.

        It tells whether that changed anything.
        """
        if self.added.get(token.content) == token:
            return False
        index = self.ids.get(token.content, self._next_id)
        self._next_id = max(self._next_id, index + 1)
        self._add(token, index)
        return True

    def _add(self, token: AddedToken, index: int) -> None:
        if self.ids.setdefault(token.content, index) != index:
            raise ValueError(
                f"the added token {token.content!r} has the id {index}, but the vocabulary gives"
                f" it the id {self.ids[token.content]}: use the files of one tokenizer"
            )
        if self.tokens.setdefault(index, token.content) != token.content:
            raise ValueError(
                f"the added token {token.content!r} has the id {index}, which belongs to"
                f" {self.tokens[index]!r}: use the files of one tokenizer"
            )
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
                f"no token has the id {unknown}: the vocabulary has {len(self)} tokens, with ids"
                f" from {min(self.tokens)} to {max(self.tokens)}; leave out numbers that stand for"
                " no token, as -100 in labels, and use the tokenizer that the ids were made with"
            ) from None
