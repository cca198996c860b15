"""The path of a text to its tokens, step by step.

These are the steps of `TextEncoder`, written to be looked at: what comes out of each is kept. Of a
long piece that is not all: the symbols after each of n merges would be the square of n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import regex

from ..sentences import shown
from .bpe import Merge
from .byte_alphabet import text_to_symbols
from .fast.merge_steps import fast_merge_steps
from .notebook import pieces_html
from .offsets import Offsets, shifted
from .pretokenizer import WHITE_SPACE
from .text_encoder import Piece, TextEncoder

__all__ = ["MOST_SYMBOLS", "ExplainedPiece", "ExplainedToken", "Explanation", "explain"]

#: The most symbols of a piece that are shown anew after each merge.
MOST_SYMBOLS = 256

_LETTER, _NUMBER = regex.compile(r" ?\p{L}"), regex.compile(r" ?\p{N}")
_CONTRACTION = regex.compile(r"'(?:s|t|re|ve|m|ll|d)")


class ExplainedToken(NamedTuple):
    """A token, its id, and the characters of the text that it stands for."""

    token: str
    id: int
    offsets: Offsets


@dataclass(frozen=True)
class ExplainedPiece:
    """A piece of the text on its way to tokens.

    Attributes
    ----------
    text : str
        The piece, with the space that was put before it if there was one. An added token is a
        piece with the white space that it takes along.
    kind : str
        What the pre-tokenizer took it for: ``"contraction"``, ``"letters"``, ``"numbers"``,
        ``"other"``, ``"white space"``, or ``"added token"``.
    offsets : (int, int)
        The characters of the text that it covers.
    merges : tuple of Merge
        The merges, in order; none for an added token.
    tokens : tuple of ExplainedToken
        What the merges leave.
    """

    text: str
    kind: str
    offsets: Offsets
    merges: tuple[Merge, ...]
    tokens: tuple[ExplainedToken, ...]

    @property
    def bytes(self) -> bytes:
        """The piece in UTF-8."""
        return self.text.encode("utf-8")

    @property
    def symbols(self) -> list[str]:
        """The bytes in the byte alphabet, or an added token as it is written."""
        if self.kind == "added token":
            return [token.token for token in self.tokens]
        return list(text_to_symbols(self.text))

    @property
    def states(self) -> list[list[str]]:
        """The symbols at the beginning and after each merge.

        Of a piece with more than `MOST_SYMBOLS` they are refused.
        """
        symbols = self.symbols
        if not self._has_states:
            raise ValueError(
                f"the piece {shown(self.text, most=40)} has {len(symbols):,} symbols, and its"
                f" states are kept up to {MOST_SYMBOLS}: follow its merges, each of which has its"
                " position, with merge.apply(symbols)"
            )
        states = [list(symbols)]
        for merge in self.merges:
            merge.apply(symbols)
            states.append(list(symbols))
        return states

    @property
    def _has_states(self) -> bool:
        return len(self.symbols) <= MOST_SYMBOLS

    def to_dict(self) -> dict[str, Any]:
        """Give all of it in lists and dictionaries, as JSON has them.

        A merge has the symbols behind it, unless `states` are refused.
        """
        merges: list[dict[str, Any]] = [merge._asdict() for merge in self.merges]
        if self._has_states:
            for merge, state in zip(merges, self.states[1:], strict=True):
                merge["symbols"] = state
        return {
            "text": self.text,
            "kind": self.kind,
            "offsets": self.offsets,
            "bytes": self.bytes.hex(" "),
            "symbols": self.symbols,
            "merges": merges,
            "tokens": [token._asdict() for token in self.tokens],
        }

    def __str__(self) -> str:
        start, end = self.offsets
        lines = [f"{self.text!r}  {self.kind}, characters {start} to {end}"]
        if self.kind != "added token":
            lines += [f"  bytes    {self.bytes.hex(' ')}", f"  symbols  {' '.join(self.symbols)}"]
        width = max((len(str(merge.rank)) for merge in self.merges), default=0)
        lines += [
            f"  merge    {merge.rank:{width}}  {merge.left} + {merge.right}  ->  {result}"
            for merge, result in zip(self.merges, self._results(), strict=True)
        ]
        lines += [
            f"  token    {token}  {index}  characters {start} to {end}"
            for token, index, (start, end) in self.tokens
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return pieces_html([self])

    def _results(self) -> list[str]:
        """Write what each merge leaves: all symbols, or of very many the new one and its place."""
        if self._has_states:
            return [" ".join(state) for state in self.states[1:]]
        return [f"{left}{right}, symbol {place}" for place, left, right, _ in self.merges]


@dataclass(frozen=True)
class Explanation:
    """The path of a text to its tokens; printed, it is a table.

    Attributes
    ----------
    text : str
        The text.
    pieces : tuple of ExplainedPiece
        Its pieces, each with all that becomes of it.
    """

    text: str
    pieces: tuple[ExplainedPiece, ...]

    @property
    def tokens(self) -> list[str]:
        """The tokens of all pieces."""
        return [token.token for piece in self.pieces for token in piece.tokens]

    @property
    def ids(self) -> list[int]:
        """Their ids."""
        return [token.id for piece in self.pieces for token in piece.tokens]

    @property
    def offsets(self) -> list[Offsets]:
        """For each token the characters of the text that it stands for."""
        return [token.offsets for piece in self.pieces for token in piece.tokens]

    def to_dict(self) -> dict[str, Any]:
        """Give all of it in lists and dictionaries, as JSON has them."""
        return {"text": self.text, "pieces": [piece.to_dict() for piece in self.pieces]}

    def __str__(self) -> str:
        return "\n".join(map(str, self.pieces))

    def _repr_html_(self) -> str:
        return pieces_html(self.pieces)


def explain(
    text: str,
    encoder: TextEncoder,
    add_prefix_space: bool,
    split_special_tokens: bool,
    trim_offsets: bool,
) -> Explanation:
    """Take a text to its tokens, and keep what comes out of each step."""
    pieces = encoder.pieces(text, add_prefix_space, split_special_tokens)
    return Explanation(
        text,
        tuple(_explained(piece, encoder, add_prefix_space, trim_offsets) for piece in pieces),
    )


def _explained(
    piece: Piece, encoder: TextEncoder, add_prefix_space: bool, trim_offsets: bool
) -> ExplainedPiece:
    encoded = encoder.encode_piece(piece)
    offsets = shifted(encoded.trimmed if trim_offsets else encoded.spans, piece.start)
    if trim_offsets and add_prefix_space and piece.start == 0:
        # The single space at the beginning may be one that was put in.
        at_start = [span[0] == 0 for span in encoded.spans]
        choices = zip(at_start, encoded.trimmed_at_start, encoded.trimmed, strict=True)
        offsets = tuple(kept if is_first else usual for is_first, kept, usual in choices)
    tokens = map(ExplainedToken, encoded.tokens, encoded.ids, offsets)
    end = piece.start + max(len(piece.text) - piece.has_new_space, 1)
    symbols = text_to_symbols(piece.text)
    kind, merges = (
        ("added token", ())
        if piece.added
        else (_kind(piece.text), tuple(fast_merge_steps(symbols, encoder.ranks)))
    )
    return ExplainedPiece(piece.text, kind, (piece.start, end), merges, tuple(tokens))


def _kind(piece: str) -> str:
    if _CONTRACTION.fullmatch(piece):
        return "contraction"
    if _LETTER.match(piece):
        return "letters"
    if _NUMBER.match(piece):
        return "numbers"
    return "white space" if piece[-1] in WHITE_SPACE else "other"
