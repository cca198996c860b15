"""`TextEncoder` for a tokenizer.json with other parts than RoBERTa's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .added_tokens import AddedToken, AddedTokenSplitter
from .aligned import Aligned
from .bpe import Pair
from .components import NORMALIZERS, PRE_TOKENIZERS
from .encoded_text import EncodedPiece, Pieces
from .fast.bpe import fast_bpe
from .offsets import Offsets, trimmed
from .text_encoder import TextEncoder
from .texts import Text
from .vocabulary import Vocabulary

__all__ = ["PartsEncoder"]

BYTE_LEVEL = {"type": "ByteLevel"}


class PartsEncoder(TextEncoder):
    """Cuts and changes texts with the `parts` of a tokenizer.json, one list of them a section.

    Tokens that are not normalized are found in the text as it is given, the others after the
    normalizer, which is then applied to them too.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        ranks: Mapping[Pair, int],
        unk_id: int,
        parts: Mapping[str, Any],
    ) -> None:
        super().__init__(vocabulary, ranks, unk_id)
        self._normalizers = [
            NORMALIZERS[part["type"]](part) for part in parts.get("normalizer", ())
        ]
        self._pre_tokenizers = parts.get("pre_tokenizer", (BYTE_LEVEL,))
        self._ignores_merges = parts.get("ignore_merges", False)
        added = vocabulary.added.values()
        self._first = AddedTokenSplitter(token for token in added if not token.normalized)
        self._by_normal_form: dict[str, AddedToken] = {}
        for token in added:
            if token.normalized:  # the first one of several with the same form counts
                form = self._normalized(Aligned.of(token.content)).text
                self._by_normal_form.setdefault(form, token)
        self._second = AddedTokenSplitter(
            replace(token, content=form) for form, token in self._by_normal_form.items() if form
        )

    def find_pieces(self, text: Text, add_prefix_space: bool, split_special_tokens: bool) -> Pieces:
        """Encode each piece; all spans are counted from the beginning of the text, or word."""
        found = Pieces([], [], [])
        words, is_split = ([text], False) if isinstance(text, str) else (text, True)
        splitters = [
            PRE_TOKENIZERS[part["type"]]({**part, "add_prefix_space": add_prefix_space})
            for part in self._pre_tokenizers
        ]
        for number, word in enumerate(words):
            for stretch, added in self._stretches(word, split_special_tokens):
                pieces = [stretch]
                for split in () if added else splitters:
                    pieces = [part for piece in pieces for part in split(piece)]
                for piece in pieces:
                    found.words.append(number if is_split else len(found.words))
                    found.starts.append(0)
                    found.encoded.append(self._encode_aligned(piece, added))
        return found

    def _stretches(
        self, text: str, split_special_tokens: bool
    ) -> Iterator[tuple[Aligned, AddedToken | None]]:
        """Cut at added tokens, and normalize what lies between."""
        for start, end, added in self._first.split(text, split_special_tokens):
            stretch = Aligned.of(text[start:end], start)
            if added:
                yield stretch, added
                continue
            stretch = self._normalized(stretch)
            for left, right, other in self._second.split(stretch.text, split_special_tokens):
                yield stretch.part(left, right), other and self._by_normal_form[other.content]

    def _normalized(self, text: Aligned) -> Aligned:
        for normalize in self._normalizers:
            text = normalize(text)
        return text

    def _encode_aligned(self, piece: Aligned, added: AddedToken | None) -> EncodedPiece:
        found = [piece.text] if added else self._tokens_of(piece.text)
        spans = tuple(_spans(piece, found))
        both = list(zip(found, spans, strict=True))
        return EncodedPiece(
            (self.added_ids[added.content],) if added else self.ids_of(found),
            (added.content,) if added else tuple(found),
            spans,
            tuple([trimmed(*each) for each in both]),
            tuple([trimmed(*each, keep_single_space=True) for each in both]),
        )

    def _tokens_of(self, symbols: str) -> list[str]:
        if self._ignores_merges and symbols in self.vocab:
            return [symbols]
        return fast_bpe(symbols, self.ranks)


def _spans(piece: Aligned, tokens: Sequence[str]) -> Iterator[Offsets]:
    """Lead tokens back to the text as it was given."""
    first = 0
    for token in tokens:
        last = first + len(token) - 1
        yield piece.spans[first][0], piece.spans[last][1]
        first = last + 1
