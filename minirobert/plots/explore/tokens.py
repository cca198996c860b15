"""The tokens of a text as a reader sees them: labels, ids, positions, and how each came about."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from ...sentences import plain
from ...tokenization import BatchEncoding, RobertaTokenizer
from ...tokenization.byte_alphabet import symbols_to_bytes
from ...tokenization.explain import ExplainedPiece

__all__ = ["label", "pieces", "rows", "visible"]

#: The most characters of a token that stand in its box.
_LETTERS = 48


def label(tokenizer: RobertaTokenizer, index: int) -> str:
    r"""Write a token so that it can be seen; one that is a part of a character, by its bytes.

    >>> tokenizer = RobertaTokenizer.from_pretrained()
    >>> [label(tokenizer, index) for index in tokenizer(" é😀\n").input_ids]
    ['<s>', '␣', 'é', '‹f0›', '‹9f›', '‹98›', '‹80›', '\\n', '</s>']
    """
    try:
        token = tokenizer.convert_ids_to_tokens(index)
    except ValueError:  # a model may have more words than its tokenizer
        return f"id {index}"
    if token in tokenizer.added_tokens_encoder:
        return visible(token)
    spelled = symbols_to_bytes(token)
    try:
        return visible(spelled.decode("utf-8"))
    except UnicodeDecodeError:
        return f"‹{spelled[:_LETTERS].hex(' ')}›"


def visible(text: str) -> str:
    r"""Escape what cannot be seen, and give an accent that stands alone something to stand on.

    >>> print(visible(" a\x07"), visible("\N{RIGHT-TO-LEFT OVERRIDE}"), visible("\u0301"))
    ␣a\x07 \u202e ◌́
    """
    alone = text[:1] and unicodedata.category(text[0]).startswith("M")
    return ("◌" if alone else "") + plain(text, _LETTERS).replace(" ", "\N{OPEN BOX}")


def rows(
    tokenizer: RobertaTokenizer, encoding: BatchEncoding, places: Sequence[int | None]
) -> list[dict[str, Any]]:
    """Describe the tokens of a text, with the row of the position table that each one takes."""
    ids = encoding["input_ids"][0].tolist()
    spans = encoding["offset_mapping"][0].tolist()
    return [
        {
            "label": label(tokenizer, index),
            "token": tokenizer.convert_ids_to_tokens(index),
            "id": index,
            "row": row,
            "characters": span,
        }
        for index, span, row in zip(ids, spans, places, strict=False)  # some ids may be cut off
    ]


def pieces(tokenizer: RobertaTokenizer, text: str) -> list[dict[str, Any]]:
    """Tell how each piece of a text becomes tokens; the page applies the merges itself."""
    return [_piece(piece) for piece in tokenizer.explain(text).pieces]


def _piece(piece: ExplainedPiece) -> dict[str, Any]:
    return {
        "text": piece.text,
        "kind": piece.kind,
        "bytes": piece.bytes.hex(" "),
        "symbols": piece.symbols,
        "merges": [[merge.position, merge.rank] for merge in piece.merges],
        "tokens": len(piece.tokens),
    }
