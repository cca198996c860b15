"""The named special tokens, and the format of the sequences that they frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from .added_tokens import AddedToken, as_token
from .vocabulary import Vocabulary

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

T = TypeVar("T")


def special_token(name: str, content: str) -> AddedToken:
    """Give a special token the flags that it has unless it is told otherwise.

    Parameters
    ----------
    name : str
        One of `SPECIAL_TOKEN_NAMES`, or ``"additional_special_tokens"``.
    content : str
        The token.

    Returns
    -------
    AddedToken
        The token. Only ``mask_token`` takes the white space on its left along.
    """
    is_mask = name == "mask_token"
    normalized = name in SPECIAL_TOKEN_NAMES and not is_mask
    return AddedToken(content, lstrip=is_mask, normalized=normalized, special=True)


def resolve_special_tokens(
    given: Iterable[tuple[str, str | AddedToken]], declared: Iterable[AddedToken]
) -> list[tuple[str, AddedToken]]:
    """Give each special token its flags.

    An `AddedToken` has its flags already. A string takes those of the `AddedToken` of the same
    content, if there is one, else those of `special_token`.

    Parameters
    ----------
    given : iterable of (str, str or AddedToken)
        Names and tokens.
    declared : iterable of AddedToken
        Tokens whose flags are known, for instance from tokenizer_config.json.

    Returns
    -------
    list of (str, AddedToken)
        The same names with their tokens, all of which are special.
    """
    given = [(name, as_token(token, name)) for name, token in given]
    known = {token.content: replace(token, special=True) for token in declared}
    for _, token in given:
        if isinstance(token, AddedToken):
            known[token.content] = replace(token, special=True)
    resolved = []
    for name, token in given:
        content = token if isinstance(token, str) else token.content
        flags = known.get(content) or special_token(name, content)
        resolved.append((name, known.setdefault(content, flags)))
    return resolved


def with_special_tokens(sequences: Sequence[Sequence[T]], cls: T, sep: T) -> list[T]:
    """Lay out one sequence or a pair: ``<s> A </s>`` or ``<s> A </s></s> B </s>``.

    The second ``</s>`` before B is RoBERTa's; BERT has one there, and tells A from B by token
    type ids.

    Parameters
    ----------
    sequences : sequence of one or two sequences
        What stands for the tokens of A and B: ids, offsets, zeros of a mask.
    cls, sep : object
        What stands for ``<s>`` and for ``</s>``.

    Returns
    -------
    list
        The whole row.

    Examples
    --------
    >>> with_special_tokens(["AA", "B"], cls="<s>", sep="</s>")
    ['<s>', 'A', 'A', '</s>', '</s>', 'B', '</s>']
    """
    first, *second = sequences
    row = [cls, *first, sep]
    for sequence in second:
        row += [sep, *sequence, sep]
    return row


def special_token_count(n_sequences: int) -> int:
    """Tell how many special tokens `with_special_tokens` puts in.

    Parameters
    ----------
    n_sequences : int
        1, or 2 for a pair.

    Returns
    -------
    int
        2 or 4.
    """
    return len(with_special_tokens([[]] * n_sequences, cls=0, sep=0))


class SpecialTokenText:
    """The text of a special token, as an attribute of a tokenizer: ``tokenizer.mask_token``."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, tokenizer: Any, owner: type) -> str:
        token: AddedToken = tokenizer._named_tokens[self.name]
        return token.content

    def __set__(self, tokenizer: Any, token: str | AddedToken) -> None:
        tokenizer._name_special_token(self.name, token)


class SpecialTokenId:
    """The id of a special token, as an attribute of a tokenizer: ``tokenizer.mask_token_id``."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.removesuffix("_id")

    def __get__(self, tokenizer: Any, owner: type) -> int:
        token: AddedToken = tokenizer._named_tokens[self.name]
        vocabulary: Vocabulary = tokenizer._vocabulary
        return vocabulary.ids[token.content]

    def __set__(self, tokenizer: Any, index: int) -> None:
        tokenizer._name_special_token(self.name, tokenizer._vocabulary.token(index))
