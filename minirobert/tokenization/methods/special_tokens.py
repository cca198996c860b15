"""Added tokens, and those among them that are special."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...rules import BOOLEAN, check
from ...sentences import shown
from ..added_tokens import AddedToken, as_token, is_added_token
from ..special_tokens import ADDITIONAL, SpecialTokenId, SpecialTokenText
from .state import TokenizerState


class SpecialTokensMixin(TokenizerState):
    """Adds tokens, and tells which there are, and which are special."""

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
            Whether they become special tokens, which decoding can leave out. A special token
            stays one in any case.

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
                f"new_tokens is {shown(given)}: it must be a str, an AddedToken or a list of them"
            )
        check("special_tokens", special_tokens, BOOLEAN, TypeError)
        tokens = [as_token(token, "new_tokens") for token in given]
        return self._add(
            AddedToken(token, special=special_tokens)
            if isinstance(token, str)
            else (replace(token, special=True, normalized=None) if special_tokens else token)
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
        name = "replace_additional_special_tokens"
        check(name, replace_additional_special_tokens, BOOLEAN, TypeError)
        special = self._special.copy()
        tokens = special.take(special_tokens_dict, replace_additional_special_tokens)
        return self._add(tokens, special)

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
        """Give the same as `added_tokens_encoder`."""
        return self.added_tokens_encoder

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """The special tokens by their names."""
        entries: dict[str, Any] = {
            name: token.content for name, token in self._special.named.items()
        }
        additional = self.additional_special_tokens
        return {**entries, ADDITIONAL: additional} if additional else entries

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """The special tokens by their names, with their flags."""
        additional = list(self._special.additional)
        return {**self._special.named, **({ADDITIONAL: additional} if additional else {})}

    @property
    def all_special_tokens(self) -> list[str]:
        """The special tokens, each once."""
        return [token.content for token in self.all_special_tokens_extended]

    @property
    def all_special_tokens_extended(self) -> list[AddedToken]:
        """The special tokens, each once, with their flags."""
        return self._special.unique()

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return [self._vocabulary.ids[token] for token in self.all_special_tokens]

    @property
    def additional_special_tokens(self) -> list[str]:
        """The special tokens that have no role of their own."""
        return [token.content for token in self._special.additional]

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: Sequence[str | AddedToken]) -> None:
        self.add_special_tokens({ADDITIONAL: tokens})

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of `additional_special_tokens`."""
        return [self._vocabulary.ids[token] for token in self.additional_special_tokens]
