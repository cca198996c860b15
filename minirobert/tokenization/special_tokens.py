"""The named special tokens, and the format of the sequences that they frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, TypeVar

from ..rules import INTEGER, check, optional
from ..sentences import shown
from .added_tokens import AddedToken, as_token, content_of
from .vocabulary import Vocabulary

__all__ = [
    "ADDITIONAL",
    "SPECIAL_TOKEN_NAMES",
    "SpecialTokenId",
    "SpecialTokenText",
    "SpecialTokens",
    "resolve_special_tokens",
    "special_token",
    "with_special_tokens",
    "without_special_tokens",
]

# The order in which tokens that the vocabulary lacks are appended to it.
SPECIAL_TOKEN_NAMES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)

# The name of those that have no role.
ADDITIONAL = "additional_special_tokens"

T = TypeVar("T")


def special_token(name: str, content: str) -> AddedToken:
    """Give a special token the flags that it has unless it is told otherwise.

    Only ``mask_token`` takes the white space on its left along.
    """
    is_mask = name == "mask_token"
    normalized = name in SPECIAL_TOKEN_NAMES and not is_mask
    return AddedToken(content, lstrip=is_mask, normalized=normalized, special=True)


def resolve_special_tokens(
    given: Iterable[tuple[str, str | AddedToken]], declared: Iterable[AddedToken]
) -> list[tuple[str, AddedToken]]:
    """Give each special token, which is a name and a token, its flags.

    An `AddedToken` has its flags already. A string takes those of the declared `AddedToken` of the
    same content, if there is one, as in tokenizer_config.json, else those of `special_token`.
    """
    given = [(name, as_token(token, name)) for name, token in given]
    known = {token.content: replace(token, special=True) for token in declared}
    for _, token in given:
        if isinstance(token, AddedToken):
            known[token.content] = replace(token, special=True)
    resolved = []
    for name, token in given:
        content = content_of(token)
        flags = known.get(content) or special_token(name, content)
        resolved.append((name, known.setdefault(content, flags)))
    return resolved


def with_special_tokens(sequences: Sequence[Sequence[T]], cls: T, sep: T) -> list[T]:
    """Lay out one sequence or a pair: ``<s> A </s>`` or ``<s> A </s></s> B </s>``.

    The second ``</s>`` before B is RoBERTa's; BERT has one there, and tells A from B by token
    type ids. A and B may be ids, offsets, or zeros of a mask, with what stands for ``<s>`` and
    ``</s>`` there.

    >>> with_special_tokens(["AA", "B"], cls="<s>", sep="</s>")
    ['<s>', 'A', 'A', '</s>', '</s>', 'B', '</s>']
    """
    first, *second = sequences
    row = [cls, *first, sep]
    for sequence in second:
        row += [sep, *sequence, sep]
    return row


def without_special_tokens(tokens: Iterable[str], added: Mapping[str, AddedToken]) -> list[str]:
    """Leave out the special ones among the added tokens."""
    return [token for token in tokens if token not in added or not added[token].special]


class SpecialTokens:
    """Which tokens are special: at most one for each role, and more that have none."""

    def __init__(
        self,
        named: Mapping[str, str | AddedToken | None],
        additional: Sequence[str | AddedToken],
        declared: Iterable[AddedToken],
    ) -> None:
        roles = [(name, named[name]) for name in SPECIAL_TOKEN_NAMES]
        given = [(name, token) for name, token in roles if token is not None]
        others = [(ADDITIONAL, token) for token in _tokens_of_list(additional)]
        resolved = resolve_special_tokens([*given, *others], declared)
        self.named = dict(resolved[: len(given)])
        self.additional = [token for _, token in resolved[len(given) :]]
        self._contents = {token.content for token in self.additional}

    def copy(self) -> SpecialTokens:
        """Give the same, which can be changed."""
        copied = copy(self)
        copied.named, copied.additional = dict(self.named), list(self.additional)
        copied._contents = set(self._contents)
        return copied

    def items(self) -> list[tuple[str, AddedToken]]:
        """Give all of them with their names."""
        return [*self.named.items(), *((ADDITIONAL, token) for token in self.additional)]

    def unique(self) -> list[AddedToken]:
        """Give all of them, each once though it has several roles."""
        first: dict[str, AddedToken] = {}
        for _, token in self.items():
            first.setdefault(token.content, token)
        return list(first.values())

    def take(self, given: Mapping[str, Any], replace_additional: bool) -> list[AddedToken]:
        """Give roles to new tokens, and list these in their order, which is that of their ids."""
        if not isinstance(given, Mapping):
            raise TypeError(
                f"special_tokens_dict is {shown(given)}: it must be a mapping such as"
                f" {{'pad_token': '<pad>'}}; for tokens without a role, {{{ADDITIONAL!r}: [...]}}"
            )
        unknown = [name for name in given if name not in (*SPECIAL_TOKEN_NAMES, ADDITIONAL)]
        if unknown:
            raise ValueError(
                f"{shown(unknown[0])} is the name of no special token: it must be one of"
                f" {', '.join(SPECIAL_TOKEN_NAMES)} or {ADDITIONAL}"
            )
        new = {
            name: [
                _as_special_token(name, token)
                for token in (_tokens_of_list(value) if name == ADDITIONAL else [value])
            ]
            for name, value in given.items()
        }
        if replace_additional and ADDITIONAL in new:
            self.additional, self._contents = [], set()
        more = [t for t in new.get(ADDITIONAL, []) if t.content not in self._contents]
        self.additional += more
        self._contents.update(token.content for token in more)
        self.named |= {name: tokens[0] for name, tokens in new.items() if name != ADDITIONAL}
        return [token for tokens in new.values() for token in tokens]


def _tokens_of_list(tokens: Any) -> Sequence[Any]:
    if not isinstance(tokens, list | tuple):
        raise TypeError(f"{ADDITIONAL} is {shown(tokens)}: it must be a list of tokens")
    return tokens


def _as_special_token(name: str, token: Any) -> AddedToken:
    token = as_token(token, name)
    return (
        AddedToken(token, special=True) if isinstance(token, str) else replace(token, special=True)
    )


class SpecialTokenText:
    """The text of a special token, as an attribute of a tokenizer: ``tokenizer.mask_token``.

    It is None where the tokenizer has none, which RoBERTa's never is: hence ``Any``.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, tokenizer: Any, owner: type) -> Any:
        special: SpecialTokens = tokenizer._special
        return special.named[self.name].content if self.name in special.named else None

    def __set__(self, tokenizer: Any, token: str | AddedToken | None) -> None:
        """Give a token of the vocabulary this role, or no token at all.

        Texts are split as before: only tokens that are added are found in them before BPE.
        """
        vocabulary: Vocabulary = tokenizer._vocabulary
        special = tokenizer._special.copy()
        if token is None:
            special.named.pop(self.name, None)
            tokenizer._add([], special)
            return
        token = as_token(token, self.name)
        content = content_of(token)
        if content not in vocabulary.ids:
            raise ValueError(
                f"{self.name} cannot be {shown(content)}, which the vocabulary lacks: add it with"
                f" add_special_tokens({{{self.name!r}: {shown(content)}}})"
            )
        if isinstance(token, str):
            token = vocabulary.added.get(content) or special_token(self.name, content)
        special.named[self.name] = replace(token, special=True)
        tokenizer._add([], special)


class SpecialTokenId:
    """The id of a special token, as an attribute of a tokenizer: ``tokenizer.mask_token_id``.

    Like the token, it may be None.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.removesuffix("_id")

    def __get__(self, tokenizer: Any, owner: type) -> Any:
        token = getattr(tokenizer, self.name)
        return None if token is None else tokenizer._vocabulary.ids[token]

    def __set__(self, tokenizer: Any, index: int | None) -> None:
        check(f"{self.name}_id", index, optional(INTEGER), TypeError)
        token = None if index is None else tokenizer._vocabulary.token(index)
        setattr(tokenizer, self.name, token)
