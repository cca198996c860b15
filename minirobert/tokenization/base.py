"""What a tokenizer knows of its tokens: ids, special tokens, and the way from ids back to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, overload

from .added_tokens import AddedToken, as_token, is_added_token
from .bpe import Pair, rank_merges
from .decoding import as_ids, check_tokens, clean_up_tokenization, spaced_text, tokens_to_text
from .files.config_files import ADDITIONAL
from .rows.windows import Framing
from .special_tokens import (
    SPECIAL_TOKEN_NAMES,
    SpecialTokenId,
    SpecialTokenText,
    resolve_special_tokens,
    special_token,
    special_token_count,
    with_special_tokens,
)
from .text_encoder import TextEncoder
from .vocabulary import Vocabulary


class TokenizerBase:
    """The half of `RobertaTokenizer` that needs no text to encode.

    Parameters
    ----------
    vocab : mapping of str to int
        The entries of vocab.json.
    merges : sequence of (str, str)
        The merges, in order.
    declared : mapping of int to AddedToken
        Added tokens whose ids are fixed already.
    special_tokens : mapping of str to str or AddedToken
        The tokens of all `SPECIAL_TOKEN_NAMES`.
    additional : sequence of str or AddedToken
        More special tokens.
    """

    bos_token = SpecialTokenText()
    eos_token = SpecialTokenText()
    unk_token = SpecialTokenText()
    sep_token = SpecialTokenText()
    pad_token = SpecialTokenText()
    cls_token = SpecialTokenText()
    mask_token = SpecialTokenText()

    bos_token_id = SpecialTokenId()
    eos_token_id = SpecialTokenId()
    unk_token_id = SpecialTokenId()
    sep_token_id = SpecialTokenId()
    pad_token_id = SpecialTokenId()
    cls_token_id = SpecialTokenId()
    mask_token_id = SpecialTokenId()

    errors: str
    clean_up_tokenization_spaces: bool

    def __init__(
        self,
        vocab: Mapping[str, int],
        merges: Sequence[Pair],
        declared: Mapping[int, AddedToken],
        special_tokens: Mapping[str, str | AddedToken],
        additional: Sequence[str | AddedToken],
    ) -> None:
        given = [(name, special_tokens[name]) for name in SPECIAL_TOKEN_NAMES]
        if not isinstance(additional, list | tuple):
            raise TypeError(f"{ADDITIONAL} is {additional!r}: it must be a list of tokens")
        given += [(ADDITIONAL, token) for token in additional]
        resolved = resolve_special_tokens(given, declared.values())
        self._named_tokens = dict(resolved[: len(SPECIAL_TOKEN_NAMES)])
        self._additional_tokens = [token for _, token in resolved[len(SPECIAL_TOKEN_NAMES) :]]
        self._vocabulary = Vocabulary(vocab, declared, (token for _, token in resolved))
        self._merges = merges
        self._ranks = rank_merges(merges)
        self._make_encoder()

    def _make_encoder(self) -> None:
        # A new one each time: what was encoded before may still be asked about words and offsets.
        self._encoder = TextEncoder(self._vocabulary, self._ranks, self.unk_token_id)
        self._framing = Framing(
            (self.cls_token, self.cls_token_id),
            (self.sep_token, self.sep_token_id),
            (self.pad_token, self.pad_token_id),
        )

    # The vocabulary

    @property
    def vocab_size(self) -> int:
        """The number of entries of vocab.json; ``len(tokenizer)`` counts the added tokens too."""
        return len(self._vocabulary.base)

    def __len__(self) -> int:
        return len(self._vocabulary)

    def get_vocab(self) -> dict[str, int]:
        """Give all tokens with their ids, by rising id.

        Returns
        -------
        dict of str to int
            From tokens to ids, added tokens included.
        """
        return dict(sorted(self._vocabulary.ids.items(), key=lambda entry: entry[1]))

    @property
    def vocab(self) -> dict[str, int]:
        """The same as `get_vocab` gives."""
        return self.get_vocab()

    @property
    def merges(self) -> list[Pair]:
        """The merges, in the order in which training found them."""
        return list(self._merges)

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """The special tokens by their names."""
        entries: dict[str, Any] = {
            name: token.content for name, token in self._named_tokens.items()
        }
        additional = self.additional_special_tokens
        return {**entries, ADDITIONAL: additional} if additional else entries

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """The special tokens by their names, with their flags."""
        additional = {ADDITIONAL: self._additional_tokens} if self._additional_tokens else {}
        return {**self._named_tokens, **additional}

    @property
    def all_special_tokens(self) -> list[str]:
        """The special tokens, each once."""
        return [token.content for token in self.all_special_tokens_extended]

    @property
    def all_special_tokens_extended(self) -> list[AddedToken]:
        """The special tokens, each once, with their flags."""
        tokens = [*self._named_tokens.values(), *self._additional_tokens]
        first: dict[str, AddedToken] = {}
        for token in tokens:
            first.setdefault(token.content, token)
        return list(first.values())

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return [self._vocabulary.ids[token] for token in self.all_special_tokens]

    @property
    def additional_special_tokens(self) -> list[str]:
        """The special tokens that have no role of their own."""
        return [token.content for token in self._additional_tokens]

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: Sequence[str | AddedToken]) -> None:
        self.add_special_tokens({ADDITIONAL: tokens})

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of `additional_special_tokens`."""
        return [self._vocabulary.ids[token] for token in self.additional_special_tokens]

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int: ...

    @overload
    def convert_tokens_to_ids(self, tokens: list[str] | tuple[str, ...]) -> list[int]: ...

    def convert_tokens_to_ids(self, tokens: str | list[str] | tuple[str, ...]) -> int | list[int]:
        """Look up tokens; one that the vocabulary lacks has the id of ``<unk>``.

        Parameters
        ----------
        tokens : str, list of str or tuple of str
            One token or several, in the byte alphabet.

        Returns
        -------
        int or list of int
            The id or ids.
        """
        if isinstance(tokens, str):
            return self._vocabulary.ids.get(tokens, self.unk_token_id)
        if not isinstance(tokens, list | tuple):
            raise TypeError(f"tokens is {tokens!r}: it must be a str or a list of str")
        for position, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(f"tokens[{position}] is {token!r}: it must be a str")
        return [self.convert_tokens_to_ids(token) for token in tokens]

    @overload
    def convert_ids_to_tokens(self, ids: int, skip_special_tokens: bool = ...) -> str: ...

    @overload
    def convert_ids_to_tokens(
        self, ids: Iterable[int], skip_special_tokens: bool = ...
    ) -> list[str]: ...

    def convert_ids_to_tokens(
        self, ids: int | Iterable[int], skip_special_tokens: bool = False
    ) -> str | list[str]:
        """Look up ids.

        Parameters
        ----------
        ids : int or iterable of int
            One id or several; an array of one axis will do.
        skip_special_tokens : bool
            Whether to leave out special tokens.

        Returns
        -------
        str or list of str
            The token or tokens, in the byte alphabet.

        Raises
        ------
        ValueError
            If no token has such an id.
        """
        if hasattr(ids, "tolist"):
            ids = ids.tolist()
        if isinstance(ids, Integral):
            return self._vocabulary.token(int(ids))
        tokens = map(self._vocabulary.token, as_ids(ids))
        if not skip_special_tokens:
            return list(tokens)
        added = self._vocabulary.added
        return [token for token in tokens if token not in added or not added[token].special]

    # Added tokens

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """The added tokens, special ones included, and their ids, by rising id."""
        ids = self._vocabulary.ids
        return {token: ids[token] for token in sorted(self._vocabulary.added, key=ids.__getitem__)}

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The ids of the added tokens, and the tokens with their flags."""
        added = self._vocabulary.added
        return {index: added[content] for content, index in self.added_tokens_encoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """Give the added tokens with their ids.

        Returns
        -------
        dict of str to int
            The same as `added_tokens_encoder`.
        """
        return self.added_tokens_encoder

    def add_tokens(
        self,
        new_tokens: str | AddedToken | Sequence[str | AddedToken],
        special_tokens: bool = False,
    ) -> int:
        """Add tokens that are found in a text before it is split into pieces.

        A model needs a row of its embedding for each new id.

        Parameters
        ----------
        new_tokens : str, AddedToken or sequence of them
            The tokens. One that the vocabulary has keeps its id, and is from now on never split.
        special_tokens : bool
            Whether strings among them become special tokens, which decoding can leave out.

        Returns
        -------
        int
            How many of them were not added tokens before, or had other flags.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> tokenizer = RobertaTokenizer.from_pretrained()
        >>> tokenizer.add_tokens(["Kyiv"])
        1
        >>> tokenizer.tokenize("to Kyiv!")
        ['to', 'Ġ', 'Kyiv', '!']
        """
        given: Any = new_tokens
        if isinstance(given, str) or is_added_token(given):
            given = [given]
        if not isinstance(given, list | tuple):
            raise TypeError(
                f"new_tokens is {given!r}: it must be a str, an AddedToken or a list of them"
            )
        tokens = [as_token(token, "new_tokens") for token in given]
        return self._add(
            AddedToken(token, special=special_tokens) if isinstance(token, str) else token
            for token in tokens
        )

    def add_special_tokens(
        self,
        special_tokens_dict: Mapping[str, Any],
        replace_additional_special_tokens: bool = True,
    ) -> int:
        """Add special tokens, and give them the roles of ``pad_token`` and so on.

        Parameters
        ----------
        special_tokens_dict : mapping of str to str or AddedToken
            For each role its new token; for ``"additional_special_tokens"`` a list. A string is a
            token that takes no white space along, also as ``mask_token``.
        replace_additional_special_tokens : bool
            Whether the list of additional special tokens is replaced. If it is, the old ones are
            still found in texts.

        Returns
        -------
        int
            How many of them were not added tokens before, or had other flags.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> tokenizer = RobertaTokenizer.from_pretrained()
        >>> tokenizer.add_special_tokens({"pad_token": "[PAD]"})
        1
        >>> tokenizer.pad_token_id == len(tokenizer) - 1
        True
        """
        if not isinstance(special_tokens_dict, Mapping):
            raise TypeError(
                f"special_tokens_dict is {special_tokens_dict!r:.60}: it must be a mapping such as"
                f" {{'pad_token': '<pad>'}}; for tokens without a role, {{{ADDITIONAL!r}: [...]}}"
            )
        named: dict[str, AddedToken] = {}
        additional: list[AddedToken] | None = None
        in_order: list[AddedToken] = []  # which is that of their ids
        for name, value in special_tokens_dict.items():
            if name == ADDITIONAL:
                if not isinstance(value, list | tuple):
                    raise TypeError(f"{name} is {value!r}: it must be a list of tokens")
                additional = [_as_special_token(name, token) for token in value]
                in_order += additional
            elif name in SPECIAL_TOKEN_NAMES:
                named[name] = _as_special_token(name, value)
                in_order.append(named[name])
            else:
                raise ValueError(
                    f"{name!r} is the name of no special token: it must be one of"
                    f" {', '.join(SPECIAL_TOKEN_NAMES)} or {ADDITIONAL}"
                )
        self._named_tokens.update(named)
        if additional is not None:
            kept = [] if replace_additional_special_tokens else self._additional_tokens
            known = {token.content for token in kept}
            self._additional_tokens = [
                *kept,
                *(token for token in additional if token.content not in known),
            ]
        return self._add(in_order)

    def _add(self, tokens: Iterable[AddedToken]) -> int:
        count = sum([self._vocabulary.add(token) for token in tokens])
        self._make_encoder()
        return count

    def _name_special_token(self, name: str, token: str | AddedToken) -> None:
        """Give a token of the vocabulary the role that an assignment to ``pad_token`` names."""
        token = as_token(token, name)
        content = token if isinstance(token, str) else token.content
        if content not in self._vocabulary.ids:
            raise ValueError(
                f"{name} cannot be {content!r}, which the vocabulary lacks: add it with"
                f" add_special_tokens({{{name!r}: {content!r}}})"
            )
        if isinstance(token, str):
            token = self._vocabulary.added.get(content) or special_token(name, content)
        token = replace(token, special=True)
        self._named_tokens[name] = token
        self._add([token])

    # The special tokens of a sequence

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Tell how many special tokens frame a sequence.

        Parameters
        ----------
        pair : bool
            Whether it is a pair.

        Returns
        -------
        int
            2, or 4 for a pair.
        """
        return special_token_count(2 if pair else 1)

    def build_inputs_with_special_tokens(
        self, token_ids_0: Sequence[int], token_ids_1: Sequence[int] | None = None
    ) -> list[int]:
        """Frame ids: ``<s> A </s>`` or ``<s> A </s></s> B </s>``.

        Parameters
        ----------
        token_ids_0 : sequence of int
            The ids of A.
        token_ids_1 : sequence of int, optional
            The ids of B.

        Returns
        -------
        list of int
            The row.
        """
        sequences = [self._checked(ids) for ids in _sequences(token_ids_0, token_ids_1)]
        return with_special_tokens(sequences, self.cls_token_id, self.sep_token_id)

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """Mark special tokens with 1 and the others with 0.

        Parameters
        ----------
        token_ids_0 : sequence of int
            The ids of A, or of a whole row.
        token_ids_1 : sequence of int, optional
            The ids of B.
        already_has_special_tokens : bool
            Whether `token_ids_0` is a row that has its special tokens. All special tokens in it
            are marked then, else those that `build_inputs_with_special_tokens` puts in.

        Returns
        -------
        list of int
            The mask of the row.
        """
        if not already_has_special_tokens:
            zeros = [[0] * len(ids) for ids in _sequences(token_ids_0, token_ids_1)]
            return with_special_tokens(zeros, 1, 1)
        if token_ids_1 is not None:
            raise ValueError(
                "token_ids_1 is given although already_has_special_tokens=True: token_ids_0 must"
                " then be the whole row"
            )
        special = set(self.all_special_ids)
        return [int(index in special) for index in token_ids_0]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: Sequence[int], token_ids_1: Sequence[int] | None = None
    ) -> list[int]:
        """Give the token type ids of a row: zeros, for RoBERTa has no others.

        Parameters
        ----------
        token_ids_0 : sequence of int
            The ids of A.
        token_ids_1 : sequence of int, optional
            The ids of B.

        Returns
        -------
        list of int
            As many zeros as the row has tokens.
        """
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))

    # From tokens to text

    def decode(
        self,
        token_ids: int | Iterable[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = False,
    ) -> str:
        """Turn ids into a text.

        Parameters
        ----------
        token_ids : int, iterable of int, or array
            The ids of one row.
        skip_special_tokens : bool
            Whether to leave out special tokens.
        clean_up_tokenization_spaces : bool, optional
            Whether to remove the spaces before English punctuation, by default as the tokenizer
            was told.
        spaces_between_special_tokens : bool
            Whether to put spaces around added tokens, but for those with a role such as
            ``<mask>``. The slow class of transformers does so by default, the fast one never.

        Returns
        -------
        str
            The text. It is the one that was encoded, special tokens aside, but for the white space
            that ``<mask>`` has taken along.

        Raises
        ------
        ValueError
            If no token has such an id, or, with ``errors="strict"``, if the bytes are not UTF-8.
        """
        tokens = self.convert_ids_to_tokens(as_ids(token_ids), skip_special_tokens)
        if spaces_between_special_tokens:
            text = spaced_text(tokens, self._set_apart(), self._vocabulary.added, self.errors)
        else:
            text = tokens_to_text(tokens, self._vocabulary.added, self.errors)
        if clean_up_tokenization_spaces is None:
            clean_up_tokenization_spaces = self.clean_up_tokenization_spaces
        return clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    def batch_decode(
        self,
        sequences: Iterable[int | Iterable[int]],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = False,
    ) -> list[str]:
        """Turn several rows of ids into texts.

        Parameters
        ----------
        sequences : iterable of rows, or array
            The rows; a single id will do as a row.
        skip_special_tokens, clean_up_tokenization_spaces, spaces_between_special_tokens
            As for `decode`.

        Returns
        -------
        list of str
            The texts.
        """
        return [
            self.decode(
                ids,
                skip_special_tokens,
                clean_up_tokenization_spaces,
                spaces_between_special_tokens,
            )
            for ids in sequences
        ]

    def _set_apart(self) -> set[str]:
        beyond = {
            token
            for token in self.additional_special_tokens
            if self._vocabulary.ids[token] >= self.vocab_size
        }
        return set(self._vocabulary.added) - set(self.all_special_tokens) | beyond

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Turn tokens into a text.

        Parameters
        ----------
        tokens : iterable of str
            The tokens, in the byte alphabet.

        Returns
        -------
        str
            The text.
        """
        return tokens_to_text(check_tokens(tokens), self._vocabulary.added, self.errors)

    def _checked(self, ids: Any) -> list[int]:
        """Read ids, each of which must be that of a token."""
        several = as_ids(ids)
        if not all(map(self._vocabulary.tokens.__contains__, several)):
            self.convert_ids_to_tokens(several)  # raises the error
        return several


def _as_special_token(name: str, token: Any) -> AddedToken:
    token = as_token(token, name)
    return (
        AddedToken(token, special=True) if isinstance(token, str) else replace(token, special=True)
    )


def _sequences(first: Sequence[int], second: Sequence[int] | None) -> list[Sequence[int]]:
    return [first] if second is None else [first, second]
