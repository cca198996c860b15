"""From one text to tokens: added tokens, pieces, bytes, merges, ids, in this order.

This is the definition, one step a line. `fast.text_encoder` gives the same sooner: it remembers
the pieces that it has seen, and is what `RobertaTokenizer` runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..sentences import shown
from .added_tokens import AddedToken, AddedTokenSplitter
from .bpe import Pair, bpe
from .byte_alphabet import text_to_symbols
from .encoded_text import EncodedPiece, EncodedText, Pieces
from .offsets import token_spans, trimmed
from .pretokenizer import split_pieces, with_prefix_space
from .texts import Text
from .vocabulary import Vocabulary

__all__ = ["Piece", "TextEncoder"]


class Piece(NamedTuple):
    """An added token as it is found in a text, or what lies between the pre-tokenizer's cuts.

    `start` is the character of the text where it begins. `has_new_space` tells of a space before
    it that the text does not have.
    """

    start: int
    text: str
    added: AddedToken | None = None
    has_new_space: bool = False


class TextEncoder:
    """Encodes texts with a vocabulary, and merges by their ranks; `unk_id` is for unknown tokens.

    >>> from minirobert import AddedToken
    >>> vocabulary = Vocabulary({"l": 0, "o": 1, "lo": 2}, {}, [AddedToken("<s>")])
    >>> TextEncoder(vocabulary, {("l", "o"): 0}, unk_id=9).ids("lol<s>!")
    [2, 0, 3, 9]
    """

    def __init__(
        self, vocabulary: Vocabulary, ranks: Mapping[Pair, int], unk_id: int | None
    ) -> None:
        self.vocab = vocabulary.base
        self.added_ids = {content: vocabulary.ids[content] for content in vocabulary.added}
        self.splitter = AddedTokenSplitter(vocabulary.added.values())
        self.ranks = ranks
        self.unk_id = unk_id

    def ids(
        self, text: Text, add_prefix_space: bool = False, split_special_tokens: bool = False
    ) -> list[int]:
        """Encode a text to ids; a text that is split already is a list of words."""
        encoded = self.find_pieces(text, add_prefix_space, split_special_tokens).encoded
        return [index for piece in encoded for index in piece.ids]

    def pieces(
        self, text: str, add_prefix_space: bool, split_special_tokens: bool
    ) -> Iterator[Piece]:
        """Cut a text; each stretch between added tokens may get a space at its beginning."""
        for start, end, added in self.splitter.split(text, split_special_tokens):
            found = text[start:end]
            if added:
                yield Piece(start, found, added)
                continue
            prefixed = with_prefix_space(found) if add_prefix_space else found
            has_new_space = prefixed != found
            for piece in split_pieces(prefixed):
                yield Piece(start, piece, None, has_new_space)
                start += len(piece) - has_new_space
                has_new_space = False

    def encode_piece(self, piece: Piece) -> EncodedPiece:
        """Turn a piece into tokens, which know what characters they cover."""
        if piece.added:
            return self.encode_added(piece.added, piece.text)
        tokens = self.merged(piece.text)
        spans = list(token_spans(piece.text, tokens))
        if piece.has_new_space:  # it counts as part of the first character
            spans = [(max(start - 1, 0), max(end - 1, 1)) for start, end in spans]
        return EncodedPiece(
            self.ids_of(tokens),
            tuple(tokens),
            tuple(spans),
            tuple(map(trimmed, tokens, spans)),
            tuple(
                trimmed(*each, keep_single_space=True) for each in zip(tokens, spans, strict=True)
            ),
        )

    def merged(self, piece: str) -> list[str]:
        """Write the bytes of a piece in the byte alphabet, and merge them to tokens."""
        return bpe(text_to_symbols(piece), self.ranks)

    def ids_of(self, tokens: Sequence[str]) -> tuple[int, ...]:
        """Look tokens up."""
        if self.unk_id is None:
            return tuple(map(self._known_id, tokens))
        return tuple([self.vocab.get(token, self.unk_id) for token in tokens])

    def _known_id(self, token: str) -> int:
        if token not in self.vocab:
            raise ValueError(
                f"the vocabulary lacks the symbol {shown(token)}, and there is no unk_token to"
                " stand for it: give one, as with"
                " tokenizer.add_special_tokens({'unk_token': '<unk>'})"
            )
        return self.vocab[token]

    def encode_added(self, added: AddedToken, found: str) -> EncodedPiece:
        """Describe an added token as it is found, with the white space that it takes along."""
        span = (0, len(found))
        return EncodedPiece(
            (self.added_ids[added.content],),
            (added.content,),
            (span,),
            (trimmed(found, span),),
            (trimmed(found, span, keep_single_space=True),),
        )

    def find_pieces(self, text: Text, add_prefix_space: bool, split_special_tokens: bool) -> Pieces:
        """Encode each piece of a text, and number the words: those that are given, or the pieces.

        The offsets of a text that is split already begin anew in each word.
        """
        found = Pieces([], [], [])
        words, is_split = ([text], False) if isinstance(text, str) else (text, True)
        for number, word in enumerate(words):
            for piece in self.pieces(word, add_prefix_space, split_special_tokens):
                found.words.append(number if is_split else len(found.words))
                found.starts.append(piece.start)
                found.encoded.append(self.encode_piece(piece))
        return found

    def encode(
        self, text: Text, add_prefix_space: bool = False, split_special_tokens: bool = False
    ) -> EncodedText:
        """Encode a text to tokens that know where they come from."""
        source = (text, add_prefix_space, split_special_tokens)
        pieces = self.find_pieces(*source)
        ids = [index for piece in pieces.encoded for index in piece.ids]
        return EncodedText(ids, self.find_pieces, source, pieces=pieces)

    def encoding(
        self,
        add_prefix_space: bool,
        split_special_tokens: bool,
        with_offsets: bool,
        trim_offsets: bool,
    ) -> Callable[[Text], EncodedText]:
        """Give `encode` for these options of a call."""
        return lambda text: self.encode(text, add_prefix_space, split_special_tokens)
