"""From ids to texts, and between ids and tokens."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import overload

from ...documentation import documented, entries
from ...rules import BOOLEAN, check, optional
from ...sentences import shown
from ..decoding import (
    as_ids,
    as_lists,
    check_tokens,
    clean_up_tokenization,
    is_iterable,
    spaced_text,
    tokens_to_text,
)
from ..special_tokens import without_special_tokens
from .special_tokens import SpecialTokensMixin

_FLAG = optional(BOOLEAN)


class ConversionMixin(SpecialTokensMixin):
    """Turns ids into texts, ids into tokens, and tokens into ids."""

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

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> tokenizer = RobertaTokenizer.from_pretrained()
        >>> ids = tokenizer("Hello world").input_ids
        >>> tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=True)
        ('<s>Hello world</s>', 'Hello world')
        """
        check("skip_special_tokens", skip_special_tokens, BOOLEAN, TypeError)
        check("clean_up_tokenization_spaces", clean_up_tokenization_spaces, _FLAG, TypeError)
        check("spaces_between_special_tokens", spaces_between_special_tokens, BOOLEAN, TypeError)
        tokens, added = self._vocabulary.tokens_of(as_ids(token_ids)), self._vocabulary.added
        if skip_special_tokens:
            tokens = without_special_tokens(tokens, added)
        if spaces_between_special_tokens:
            text = spaced_text(tokens, self._in_use.set_apart, added, self.errors)
        else:
            text = tokens_to_text(tokens, added, self.errors)
        if clean_up_tokenization_spaces is None:
            clean_up_tokenization_spaces = self.clean_up_tokenization_spaces
        return clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    @documented(entries(decode))
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

        Returns
        -------
        list of str
        """
        if isinstance(sequences, str) or not is_iterable(sequences):
            raise TypeError(
                f"sequences is {shown(sequences)}: it must be rows of ids; decode reads one row"
            )
        how = (skip_special_tokens, clean_up_tokenization_spaces, spaces_between_special_tokens)
        return [self.decode(ids, *how) for ids in sequences]

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int: ...

    @overload
    def convert_tokens_to_ids(self, tokens: list[str] | tuple[str, ...]) -> list[int]: ...

    def convert_tokens_to_ids(self, tokens: str | Iterable[str]) -> int | list[int]:
        """Look up tokens; one that the vocabulary lacks has the id of ``<unk>``.

        Parameters
        ----------
        tokens : str, or iterable of str
            One token or several, in the byte alphabet.

        Returns
        -------
        int or list of int

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> RobertaTokenizer.from_pretrained().convert_tokens_to_ids(["<s>", "no such token"])
        [0, 3]
        """
        if isinstance(tokens, str):
            unknown: int = self.unk_token_id
            return self._vocabulary.ids.get(tokens, unknown)
        return [self.convert_tokens_to_ids(token) for token in check_tokens(tokens)]

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
            Whether to leave out the tokens of `all_special_ids`. As in transformers' fast class,
            `decode` leaves out those that are added as ``special``, instead.

        Returns
        -------
        str or list of str
            In the byte alphabet.

        Raises
        ------
        ValueError
            If no token has such an id.
        """
        check("skip_special_tokens", skip_special_tokens, BOOLEAN, TypeError)
        ids = as_lists("ids", ids)
        if isinstance(ids, Integral):
            return self._vocabulary.token(int(ids))
        several = as_ids(ids)
        tokens = self._vocabulary.tokens_of(several)
        if not skip_special_tokens:
            return tokens
        special = set(self.all_special_ids)
        return [token for index, token in zip(several, tokens, strict=True) if index not in special]

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Turn tokens into a text.

        Parameters
        ----------
        tokens : iterable of str
            The tokens, in the byte alphabet.

        Returns
        -------
        str
        """
        return tokens_to_text(check_tokens(tokens), self._vocabulary.added, self.errors)
