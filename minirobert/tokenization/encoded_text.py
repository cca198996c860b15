"""The tokens of a text, and where in the text each comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain, starmap
from typing import Any, NamedTuple, NoReturn

from .offsets import Offsets, shifted

__all__ = ["EncodedPiece", "EncodedText", "Pieces"]


class EncodedPiece(NamedTuple):
    """The tokens of one piece. Spans are characters, counted from where the piece begins.

    `trimmed` are the spans without white space at both ends; `trimmed_at_start` are the same for
    the beginning of a text that has been given a space: a single space before a token stays.
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

    ``find_pieces(*source)`` gives the pieces, unless they are known already. `offsets` are known
    where they are the same in whichever row the token stands.
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
