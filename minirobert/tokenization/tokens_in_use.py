"""The tokens of one time, and what texts are encoded with as long as they are these."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from .bpe import Pair
from .fast.text_encoder import FastTextEncoder
from .layout import PLAIN, layout_of
from .parts_encoder import PartsEncoder
from .rows.windows import Framing
from .special_tokens import SpecialTokens
from .text_encoder import TextEncoder
from .vocabulary import Vocabulary

__all__ = ["TokensInUse"]


class TokensInUse:
    """What follows from the tokens of a tokenizer.

    It never changes: other tokens make another one, so that other threads, and what was encoded
    before and is asked about words and offsets, keep theirs. What takes long is made on demand, as
    tokens are often added one by one.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        special: SpecialTokens,
        ranks: Mapping[Pair, int],
        parts: Mapping[str, Any],
    ) -> None:
        self.vocabulary = vocabulary
        self.special = special
        self._ranks = ranks
        self._parts = parts
        cls, sep, pad = map(self._token_and_id, ("cls_token", "sep_token", "pad_token"))
        is_framed = cls[0] is not None and sep[0] is not None
        self.framing = Framing(cls, sep, pad, layout_of(parts) or (None if is_framed else PLAIN))

    def _token_and_id(self, role: str) -> tuple[Any, Any]:
        token = self.special.named.get(role)
        return (token.content, self.vocabulary.ids[token.content]) if token else (None, None)

    @cached_property
    def encoder(self) -> TextEncoder:
        """What gives the tokens of a text."""
        model = self.vocabulary, self._ranks, self._token_and_id("unk_token")[1]
        return PartsEncoder(*model, self._parts) if self._parts else FastTextEncoder(*model)

    @cached_property
    def set_apart(self) -> set[str]:
        """The tokens that `decode` may put spaces around."""
        ids, size = self.vocabulary.ids, len(self.vocabulary.base)
        contents = (token.content for token in self.special.additional)
        beyond = {content for content in contents if ids[content] >= size}
        return self.vocabulary.added.keys() - {t.content for t in self.special.unique()} | beyond
