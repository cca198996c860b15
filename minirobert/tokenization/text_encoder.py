"""From one text to tokens: added tokens, pieces, merges, in this order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .added_tokens import AddedTokenSplitter
from .bpe import EncodedPiece, PieceTable
from .offsets import Token, token_spans
from .pretokenizer import split_pieces, with_prefix_space
from .vocabulary import Vocabulary


class EncodedText(NamedTuple):
    """The ids of a text and, where offsets are asked for, its tokens."""

    ids: list[int]
    tokens: list[Token]


class TextEncoder:
    """Encodes texts with a vocabulary and merges.

    Parameters
    ----------
    vocabulary : Vocabulary
        The vocabulary, with the added tokens to find.
    pieces : PieceTable
        The tokens of ordinary text.
    """

    def __init__(self, vocabulary: Vocabulary, pieces: PieceTable) -> None:
        self._pieces = pieces
        self._splitter = AddedTokenSplitter(vocabulary.added.values())
        self._added = {
            content: EncodedPiece((content,), (vocabulary.ids[content],))
            for content in vocabulary.added
        }

    def pieces(self, text: str, add_prefix_space: bool) -> Iterator[EncodedPiece]:
        """Encode a text piece by piece; an added token is a piece of its own.

        Parameters
        ----------
        text : str
            The text.
        add_prefix_space : bool
            Whether each stretch of ordinary text is to begin with a space.

        Yields
        ------
        EncodedPiece
            The tokens and ids of the next piece.
        """
        for start, end, added in self._splitter.split(text):
            if added:
                yield self._added[added.content]
                continue
            ordinary = text[start:end]
            for piece in split_pieces(
                with_prefix_space(ordinary) if add_prefix_space else ordinary
            ):
                yield self._pieces[piece]

    def encode(self, text: str, add_prefix_space: bool, with_tokens: bool) -> EncodedText:
        """Encode a text.

        Parameters
        ----------
        text : str
            The text.
        add_prefix_space : bool
            Whether each stretch of ordinary text is to begin with a space.
        with_tokens : bool
            Whether the tokens are wanted too, which takes longer.

        Returns
        -------
        EncodedText
            The ids and, if wanted, the tokens, their offsets not yet trimmed.
        """
        if with_tokens:
            tokens = list(self._tokens(text, add_prefix_space))
            return EncodedText([token.id for token in tokens], tokens)
        pieces = self.pieces(text, add_prefix_space)
        return EncodedText([index for piece in pieces for index in piece.ids], [])

    def _tokens(self, text: str, add_prefix_space: bool) -> Iterator[Token]:
        for start, end, added in self._splitter.split(text):
            if added:
                (index,) = self._added[added.content].ids
                yield Token(index, text[start:end], start, end)
            else:
                yield from self._ordinary_tokens(text[start:end], start, add_prefix_space)

    def _ordinary_tokens(
        self, text: str, text_start: int, add_prefix_space: bool
    ) -> Iterator[Token]:
        prefixed = with_prefix_space(text) if add_prefix_space else text
        piece_start = len(text) - len(prefixed)  # -1 if a space was put in, else 0
        for piece in split_pieces(prefixed):
            encoded = self._pieces[piece]
            spans = token_spans(piece, encoded.tokens)
            for token, index, (start, end) in zip(*encoded, spans, strict=True):
                # The space that was put in counts as part of the first character.
                first, last = max(piece_start + start, 0), max(piece_start + end, 1)
                yield Token(index, token, text_start + first, text_start + last)
            piece_start += len(piece)
