"""From one text to tokens: added tokens, pieces, merges, in this order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, starmap
from typing import Any, NamedTuple, NoReturn

from .added_tokens import AddedToken, AddedTokenSplitter
from .bpe import Pair
from .byte_alphabet import text_to_symbols
from .fast.bpe import fast_bpe
from .fast.piece_table import PieceTable
from .fast.shared_offsets import MAX_START, OffsetsFrom, PieceSpans, SpanTable, shifted
from .offsets import Offsets, token_spans, trimmed
from .pretokenizer import split_pieces, with_prefix_space
from .texts import Text
from .vocabulary import Vocabulary


class EncodedPiece(NamedTuple):
    """The tokens of one piece, which is what lies between the cuts of the pre-tokenizer.

    Attributes
    ----------
    ids : tuple of int
        Their ids.
    tokens : tuple of str
        The tokens, in the byte alphabet.
    spans : tuple of (int, int)
        The characters that they cover, counted from the beginning of the piece.
    trimmed : tuple of (int, int)
        The same without white space at both ends of each.
    trimmed_at_start : tuple of (int, int)
        The same for a token at the beginning of a text that has been given a space: a single space
        before it stays.
    """

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    spans: tuple[Offsets, ...]
    trimmed: tuple[Offsets, ...]
    trimmed_at_start: tuple[Offsets, ...]


class Pieces(NamedTuple):
    """The pieces of a text: for each the character where it begins, its word, and its tokens."""

    starts: list[int]
    words: list[int]
    encoded: list[EncodedPiece]


class EncodedText:
    """The tokens of a text: their ids and, worked out only where asked for, all else about them.

    Parameters
    ----------
    ids : list of int
        The ids.
    find_pieces : callable
        Gives the pieces of the text that `source` is.
    source : tuple
        What to call it with.
    offsets : list of (int, int), optional
        For each token the characters that it stands for, if that is known already and the same in
        whichever row the token stands.
    pieces : Pieces, optional
        The pieces, if they are known already.
    """

    def __init__(
        self,
        ids: list[int],
        find_pieces: Callable[..., Pieces],
        source: tuple[Any, ...] = (),
        offsets: list[Offsets] | None = None,
        pieces: Pieces | None = None,
    ) -> None:
        self.ids = ids
        self.offsets = offsets
        self._find_pieces = find_pieces
        self._source = source
        self._known_pieces = pieces

    def __reduce__(self) -> tuple[type[EncodedText], tuple[Any, ...]]:
        # A copy for another process has the pieces with it, and not all that could find them.
        if not self._source:
            return EncodedText, (self.ids, self._find_pieces, (), self.offsets, self._known_pieces)
        return EncodedText, (self.ids, _are_known, (), self.offsets, self._pieces)

    @property
    def _pieces(self) -> Pieces:
        if self._known_pieces is None:
            self._known_pieces = self._find_pieces(*self._source)
        return self._known_pieces

    @cached_property
    def tokens(self) -> list[str]:
        """The tokens, in the byte alphabet; added tokens as they are written."""
        return [token for piece in self._pieces.encoded for token in piece.tokens]

    @cached_property
    def words(self) -> list[int]:
        """For each token the number of its word."""
        _, words, encoded = self._pieces
        return [word for word, piece in zip(words, encoded, strict=True) for _ in piece.ids]

    @cached_property
    def spans(self) -> list[Offsets]:
        """For each token the characters that it covers."""
        return self._shifted([piece.spans for piece in self._pieces.encoded])

    @cached_property
    def trimmed(self) -> list[Offsets]:
        """The spans without white space at both ends."""
        return self._shifted([piece.trimmed for piece in self._pieces.encoded])

    @cached_property
    def trimmed_at_start(self) -> list[Offsets]:
        """The spans as they are trimmed where a single space at the beginning stays."""
        return self._shifted([piece.trimmed_at_start for piece in self._pieces.encoded])

    def _shifted(self, spans_of_pieces: Sequence[Sequence[Offsets]]) -> list[Offsets]:
        at = zip(spans_of_pieces, self._pieces.starts, strict=True)
        return [*chain.from_iterable(starmap(shifted, at))]


def _are_known() -> NoReturn:
    raise AssertionError("the pieces are known")


class TextEncoder:
    """Encodes texts with a vocabulary and merges.

    Parameters
    ----------
    vocabulary : Vocabulary
        The vocabulary, with the added tokens to find as they are now.
    ranks : mapping of (str, str) to int
        The merges with their ranks.
    unk_id : int
        The id of a token that the vocabulary lacks.
    """

    def __init__(self, vocabulary: Vocabulary, ranks: Mapping[Pair, int], unk_id: int) -> None:
        self._vocab = vocabulary.base
        self._ranks = ranks
        self._unk_id = unk_id
        self._splitter = AddedTokenSplitter(vocabulary.added.values())
        self._added_ids = {content: vocabulary.ids[content] for content in vocabulary.added}
        self._ids_of_piece = PieceTable(self._encode_ids).__getitem__
        self._encoded_piece = PieceTable(self._encode_piece).__getitem__
        self._encoded_piece_after_new_space = PieceTable(
            self._encode_piece_after_new_space
        ).__getitem__
        self._ids_and_spans = PieceTable(self._encode_to_spans).__getitem__
        self._ids_and_trimmed = PieceTable(self._encode_to_trimmed).__getitem__
        self._span_table = SpanTable()
        self._offsets_from = [OffsetsFrom(start) for start in range(MAX_START)]

    def ids(self, text: Text, add_prefix_space: bool, split_special_tokens: bool) -> list[int]:
        """Encode a text to ids alone, which is quicker than `encode`.

        Parameters
        ----------
        text : str or sequence of str
            The text, or its words.
        add_prefix_space : bool
            Whether each stretch of ordinary text is to begin with a space.
        split_special_tokens : bool
            Whether special tokens in the text are encoded like any other text.

        Returns
        -------
        list of int
            The ids.
        """
        ids: list[int] = []
        for word in (text,) if isinstance(text, str) else text:
            for start, end, added in self._splitter.split(word, split_special_tokens):
                if added:
                    ids.append(self._added_ids[added.content])
                    continue
                ordinary = word[start:end]
                if add_prefix_space:
                    ordinary = with_prefix_space(ordinary)
                ids.extend(chain.from_iterable(map(self._ids_of_piece, split_pieces(ordinary))))
        return ids

    def ids_and_offsets(
        self, text: str, split_special_tokens: bool, trim_offsets: bool
    ) -> tuple[list[int], list[Offsets]]:
        """Encode a text that is given no space to ids and offsets, in one pass.

        Parameters
        ----------
        text, split_special_tokens
            As for `ids`.
        trim_offsets : bool
            Whether white space at both ends of a token is left out.

        Returns
        -------
        ids : list of int
            The ids.
        offsets : list of (int, int)
            For each the characters of the text.
        """
        ids: list[int] = []
        offsets: list[Offsets] = []
        look_up = self._ids_and_trimmed if trim_offsets else self._ids_and_spans
        for start, end, added in self._splitter.split(text, split_special_tokens):
            if added:
                piece = self._added_piece(added, text[start:end])
                ids += piece.ids
                offsets += shifted(piece.trimmed if trim_offsets else piece.spans, start)
                continue
            for piece_ids, spans, length in map(look_up, split_pieces(text[start:end])):
                ids += piece_ids
                if start < MAX_START:
                    offsets += self._offsets_from[start][spans]
                else:
                    offsets += shifted(spans.spans, start)
                start += length
        return ids, offsets

    def encode(
        self,
        text: Text,
        add_prefix_space: bool,
        split_special_tokens: bool,
        with_offsets: bool = False,
        trim_offsets: bool = True,
    ) -> EncodedText:
        """Encode a text to tokens that know where they come from.

        Parameters
        ----------
        text, add_prefix_space, split_special_tokens
            As for `ids`.
        with_offsets : bool
            Whether offsets will be needed, so that they are better found at once.
        trim_offsets : bool
            As for `ids_and_offsets`.

        Returns
        -------
        EncodedText
            The tokens. The words of a text that is not split are its pieces and added tokens.
            Offsets into a text that is split begin anew in each word.
        """
        source = (text, add_prefix_space, split_special_tokens)
        if not with_offsets:
            return EncodedText(self.ids(*source), self._find_pieces, source)
        if isinstance(text, str) and not add_prefix_space:
            ids, offsets = self.ids_and_offsets(text, split_special_tokens, trim_offsets)
            return EncodedText(ids, self._find_pieces, source, offsets)
        pieces = self._find_pieces(*source)
        ids = [index for piece in pieces.encoded for index in piece.ids]
        return EncodedText(ids, self._find_pieces, source, pieces=pieces)

    def _find_pieces(
        self, text: Text, add_prefix_space: bool, split_special_tokens: bool
    ) -> Pieces:
        if isinstance(text, str):
            starts, encoded = self._pieces_of_text(text, add_prefix_space, split_special_tokens)
            return Pieces(starts, list(range(len(starts))), encoded)
        pieces = Pieces([], [], [])
        for number, word in enumerate(text):
            starts, encoded = self._pieces_of_text(word, add_prefix_space, split_special_tokens)
            pieces.starts.extend(starts)
            pieces.words.extend([number] * len(starts))
            pieces.encoded.extend(encoded)
        return pieces

    def _pieces_of_text(
        self, text: str, add_prefix_space: bool, split_special_tokens: bool
    ) -> tuple[list[int], list[EncodedPiece]]:
        starts: list[int] = []
        encoded: list[EncodedPiece] = []
        for start, end, added in self._splitter.split(text, split_special_tokens):
            if added:
                starts.append(start)
                encoded.append(self._added_piece(added, text[start:end]))
                continue
            ordinary = text[start:end]
            pieces = split_pieces(with_prefix_space(ordinary) if add_prefix_space else ordinary)
            if add_prefix_space and not ordinary.startswith(" "):
                first, *pieces = pieces
                starts.append(start)
                encoded.append(self._encoded_piece_after_new_space(first))
                start += len(first) - 1
            starts += accumulate(map(len, pieces[:-1]), initial=start) if pieces else []
            encoded += map(self._encoded_piece, pieces)
        return starts, encoded

    def _encode_ids(self, piece: str) -> tuple[int, ...]:
        return self._ids_of(self._merged(piece))

    def _encode_piece(self, piece: str) -> EncodedPiece:
        tokens = self._merged(piece)
        return _encoded_piece(self._ids_of(tokens), tokens, list(token_spans(piece, tokens)))

    def _encode_to_spans(self, piece: str) -> tuple[tuple[int, ...], PieceSpans, int]:
        tokens = self._merged(piece)
        return self._ids_of(tokens), self._span_table[tuple(token_spans(piece, tokens))], len(piece)

    def _encode_to_trimmed(self, piece: str) -> tuple[tuple[int, ...], PieceSpans, int]:
        tokens = self._merged(piece)
        spans = tuple(map(trimmed, tokens, token_spans(piece, tokens)))
        return self._ids_of(tokens), self._span_table[spans], len(piece)

    def _encode_piece_after_new_space(self, piece: str) -> EncodedPiece:
        """Encode a piece that begins with a space which the text does not have."""
        tokens = self._merged(piece)
        # The new space counts as part of the first character.
        spans = [(max(start - 1, 0), max(end - 1, 1)) for start, end in token_spans(piece, tokens)]
        return _encoded_piece(self._ids_of(tokens), tokens, spans)

    def _merged(self, piece: str) -> list[str]:
        return fast_bpe(text_to_symbols(piece), self._ranks)

    def _ids_of(self, tokens: Iterable[str]) -> tuple[int, ...]:
        return tuple(self._vocab.get(token, self._unk_id) for token in tokens)

    def _added_piece(self, added: AddedToken, found: str) -> EncodedPiece:
        """Describe an added token as it is found, with the white space that it takes along."""
        span = (0, len(found))
        return EncodedPiece(
            (self._added_ids[added.content],),
            (added.content,),
            (span,),
            (trimmed(found, span),),
            (trimmed(found, span, keep_single_space=True),),
        )


def _encoded_piece(
    ids: tuple[int, ...], tokens: Sequence[str], spans: Sequence[Offsets]
) -> EncodedPiece:
    pairs = list(zip(tokens, spans, strict=True))
    return EncodedPiece(
        ids,
        tuple(tokens),
        tuple(spans),
        tuple(trimmed(token, span) for token, span in pairs),
        tuple(trimmed(token, span, keep_single_space=True) for token, span in pairs),
    )
