"""The path of a text to its tokens, step by step.

This is the tokenizer once more, written to be looked at: it takes the same steps, each from its
definition, and keeps what comes out of each. `TextEncoder` gives the same tokens sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import regex

from .added_tokens import AddedTokenSplitter
from .bpe import Merge, Pair, merge_steps
from .byte_alphabet import text_to_symbols
from .offsets import Offsets, token_spans, trimmed
from .pretokenizer import WHITE_SPACE, split_pieces, with_prefix_space
from .vocabulary import Vocabulary

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
        """The symbols at the beginning and after each merge."""
        symbols = self.symbols
        states = [list(symbols)]
        for merge in self.merges:
            merge.apply(symbols)
            states.append(list(symbols))
        return states

    def to_dict(self) -> dict[str, Any]:
        """Give all of it in lists and dictionaries, as JSON has them."""
        return {
            "text": self.text,
            "kind": self.kind,
            "offsets": self.offsets,
            "bytes": self.bytes.hex(" "),
            "symbols": self.symbols,
            "merges": [
                {"rank": merge.rank, "left": merge.left, "right": merge.right, "symbols": state}
                for merge, state in zip(self.merges, self.states[1:], strict=True)
            ],
            "tokens": [token._asdict() for token in self.tokens],
        }

    def __str__(self) -> str:
        start, end = self.offsets
        lines = [f"{self.text!r}  {self.kind}, characters {start} to {end}"]
        if self.kind != "added token":
            lines += [f"  bytes    {self.bytes.hex(' ')}", f"  symbols  {' '.join(self.symbols)}"]
        width = max((len(str(merge.rank)) for merge in self.merges), default=0)
        lines += [
            f"  merge    {merge.rank:{width}}  {merge.left} + {merge.right}  ->  {' '.join(state)}"
            for merge, state in zip(self.merges, self.states[1:], strict=True)
        ]
        lines += [
            f"  token    {token}  {index}  characters {start} to {end}"
            for token, index, (start, end) in self.tokens
        ]
        return "\n".join(lines)


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


class Explainer(NamedTuple):
    """What the explanation of a text depends on.

    Attributes
    ----------
    splitter : AddedTokenSplitter
        Finds the added tokens.
    vocabulary : Vocabulary
        The vocabulary.
    unk_id : int
        The id of a token that it lacks.
    ranks : mapping of (str, str) to int
        The merges with their ranks.
    add_prefix_space, trim_offsets, split_special_tokens : bool
        As for `RobertaTokenizer`.
    """

    splitter: AddedTokenSplitter
    vocabulary: Vocabulary
    unk_id: int
    ranks: Mapping[Pair, int]
    add_prefix_space: bool
    trim_offsets: bool
    split_special_tokens: bool

    def explain(self, text: str) -> Explanation:
        """Take a text to its tokens.

        Parameters
        ----------
        text : str
            The text.

        Returns
        -------
        Explanation
            All that happens to it.
        """
        return Explanation(text, tuple(self._pieces(text)))

    def _pieces(self, text: str) -> Iterator[ExplainedPiece]:
        for start, end, added in self.splitter.split(text, self.split_special_tokens):
            found = text[start:end]
            if added:
                offsets = self._offsets(found, (start, end))
                token = ExplainedToken(added.content, self.vocabulary.ids[added.content], offsets)
                yield ExplainedPiece(found, "added token", (start, end), (), (token,))
                continue
            prefixed = with_prefix_space(found) if self.add_prefix_space else found
            piece_start = start - (len(prefixed) - len(found))  # one less if a space was put in
            for piece in split_pieces(prefixed):
                yield self._piece(piece, piece_start, start)
                piece_start += len(piece)

    def _piece(self, piece: str, piece_start: int, segment_start: int) -> ExplainedPiece:
        symbols = list(text_to_symbols(piece))
        merges: list[Merge] = []
        for merge in merge_steps(symbols, self.ranks):
            merge.apply(symbols)
            merges.append(merge)

        def in_text(start: int, end: int) -> Offsets:
            # A space that was put in counts as part of the first character.
            return (
                max(piece_start + start, segment_start),
                max(piece_start + end, segment_start + 1),
            )

        tokens = (
            ExplainedToken(
                token,
                self.vocabulary.base.get(token, self.unk_id),
                self._offsets(token, in_text(*span)),
            )
            for token, span in zip(symbols, token_spans(piece, symbols), strict=True)
        )
        return ExplainedPiece(
            piece, _kind(piece), in_text(0, len(piece)), tuple(merges), tuple(tokens)
        )

    def _offsets(self, token: str, span: Offsets) -> Offsets:
        if not self.trim_offsets:
            return span
        # The single space at the beginning may be one that was put in.
        return trimmed(token, span, keep_single_space=self.add_prefix_space and span[0] == 0)


def _kind(piece: str) -> str:
    if _CONTRACTION.fullmatch(piece):
        return "contraction"
    if _LETTER.match(piece):
        return "letters"
    if _NUMBER.match(piece):
        return "numbers"
    return "white space" if piece[-1] in WHITE_SPACE else "other"
