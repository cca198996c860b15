"""`TextEncoder` with a memory of the pieces that it has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from itertools import accumulate, chain

from ..bpe import Pair
from ..byte_alphabet import text_to_symbols
from ..encoded_text import EncodedText, Pieces
from ..offsets import Offsets, shifted, token_spans, trimmed
from ..pretokenizer import PIECE, split_pieces, with_prefix_space
from ..text_encoder import Piece, TextEncoder
from ..texts import Text
from ..vocabulary import Vocabulary
from .bpe import fast_bpe
from .piece_table import PieceTable
from .shared_offsets import MAX_END, STEP, OffsetTable, span_keys
from .stretches import Stretches

__all__ = ["FastTextEncoder"]


class FastTextEncoder(TextEncoder):
    """Gives what `TextEncoder` gives, sooner."""

    def __init__(
        self, vocabulary: Vocabulary, ranks: Mapping[Pair, int], unk_id: int | None
    ) -> None:
        super().__init__(vocabulary, ranks, unk_id)
        # The look-up itself, a method of C, and not the table: it is called for every word.
        self._ids_of_piece = PieceTable(self._merged_ids).__getitem__
        self._encoded_piece = PieceTable(
            lambda piece: self.encode_piece(Piece(0, piece))
        ).__getitem__
        self._encoded_after_new_space = PieceTable(
            lambda piece: self.encode_piece(Piece(0, piece, has_new_space=True))
        ).__getitem__
        self._with_spans = PieceTable(self._encode_with_spans).__getitem__
        self._with_trimmed = PieceTable(partial(self._encode_with_spans, trims=True)).__getitem__
        self._tokens_of_stretch = PieceTable(
            lambda symbols: fast_bpe(symbols, self.ranks)
        ).__getitem__
        self._ids_of_stretch = PieceTable(
            lambda symbols: self.ids_of(fast_bpe(symbols, self.ranks))
        ).__getitem__
        self._offsets = OffsetTable()

    def merged(self, piece: str) -> list[str]:
        """Merge in O(n log n); what is not ASCII in stretches."""
        if piece.isascii():
            return fast_bpe(text_to_symbols(piece), self.ranks)
        stretches = self._stretches.of(piece)
        return [*chain.from_iterable(map(self._tokens_of_stretch, stretches))]

    def _merged_ids(self, piece: str) -> tuple[int, ...]:
        if piece.isascii():
            return self.ids_of(self.merged(piece))
        stretches = self._stretches.of(piece)
        return tuple(chain.from_iterable(map(self._ids_of_stretch, stretches)))

    @cached_property
    def _stretches(self) -> Stretches:
        return Stretches(self.ranks)  # not before it is needed: it takes as long as many texts

    def ids(
        self, text: Text, add_prefix_space: bool = False, split_special_tokens: bool = False
    ) -> list[int]:
        """Encode a text to ids alone, which is quicker than `encode`."""
        ids: list[int] = []
        for word in (text,) if isinstance(text, str) else text:
            for start, end, added in self.splitter.split(word, split_special_tokens):
                if added:
                    ids.append(self.added_ids[added.content])
                    continue
                ordinary = word[start:end]
                if add_prefix_space:
                    ordinary = with_prefix_space(ordinary)
                ids.extend(chain.from_iterable(map(self._ids_of_piece, PIECE.findall(ordinary))))
        return ids

    def ids_and_offsets(
        self, text: str, split_special_tokens: bool, trim_offsets: bool
    ) -> tuple[list[int], list[Offsets]]:
        """Encode a text of up to `MAX_END` characters, which gets no space, in one pass."""
        ids: list[int] = []
        offsets: list[Offsets] = []
        encode = self._with_trimmed if trim_offsets else self._with_spans
        table = self._offsets
        for start, end, added in self.splitter.split(text, split_special_tokens):
            if added:
                piece = self.encode_added(added, text[start:end])
                ids += piece.ids
                offsets += shifted(piece.trimmed if trim_offsets else piece.spans, start)
                continue
            place, keys = start * STEP, []
            for piece_ids, piece_keys, length in map(encode, split_pieces(text[start:end])):
                ids += piece_ids
                keys.append((place, piece_keys))
                place += length
            offsets += [table[place + key] for place, piece_keys in keys for key in piece_keys]
        return ids, offsets

    def encoding(
        self,
        add_prefix_space: bool,
        split_special_tokens: bool,
        with_offsets: bool,
        trim_offsets: bool,
    ) -> Callable[[Text], EncodedText]:
        """Give `encode` for these options; offsets that will be needed are better found at once."""

        def to_ids(text: Text) -> EncodedText:
            ids = self.ids(text, add_prefix_space, split_special_tokens)
            return EncodedText(
                ids, self.find_pieces, (text, add_prefix_space, split_special_tokens)
            )

        def to_ids_and_offsets(text: Text) -> EncodedText:
            if add_prefix_space or not isinstance(text, str) or len(text) > MAX_END:
                return self.encode(text, add_prefix_space, split_special_tokens)
            ids, offsets = self.ids_and_offsets(text, split_special_tokens, trim_offsets)
            return EncodedText(ids, self.find_pieces, (text, False, split_special_tokens), offsets)

        return to_ids_and_offsets if with_offsets else to_ids

    def find_pieces(self, text: Text, add_prefix_space: bool, split_special_tokens: bool) -> Pieces:
        """Encode the pieces of each stretch between added tokens all at once."""
        found = Pieces([], [], [])
        words, is_split = ([text], False) if isinstance(text, str) else (text, True)
        for number, word in enumerate(words):
            starts, _, encoded = found
            before = len(starts)
            for start, end, added in self.splitter.split(word, split_special_tokens):
                ordinary = word[start:end]
                if added:
                    starts.append(start)
                    encoded.append(self.encode_added(added, ordinary))
                    continue
                pieces = split_pieces(with_prefix_space(ordinary) if add_prefix_space else ordinary)
                if add_prefix_space and not ordinary.startswith(" "):
                    first, *pieces = pieces
                    starts.append(start)
                    encoded.append(self._encoded_after_new_space(first))
                    start += len(first) - 1
                starts += accumulate(map(len, pieces[:-1]), initial=start) if pieces else []
                encoded += map(self._encoded_piece, pieces)
            found.words.extend(
                [number] * (len(starts) - before) if is_split else range(len(starts))
            )
        return found

    def _encode_with_spans(
        self, piece: str, trims: bool = False
    ) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        tokens = self.merged(piece)
        spans: Iterable[Offsets] = list(token_spans(piece, tokens))
        if trims:
            spans = map(trimmed, tokens, spans)
        return self.ids_of(tokens), span_keys(spans), len(piece) * STEP
