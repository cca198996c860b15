"""Offsets: which characters of the text a token stands for.

A token is a run of bytes, an offset a range ``(start, end)`` of characters (code points). A token
that holds only some bytes of a character gets the whole character, so the tokens of one emoji all
have the same offsets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .byte_alphabet import SPACE
from .pretokenizer import WHITE_SPACE

Offsets = tuple[int, int]


class Token(NamedTuple):
    """A token and where it comes from.

    Attributes
    ----------
    id : int
        Its id.
    text : str
        What it stands for: an ordinary token in the byte alphabet, an added token as it is found
        in the text, with the white space that it has taken along.
    start, end : int
        The characters that it covers.
    """

    id: int
    text: str
    start: int
    end: int


def token_spans(piece: str, tokens: Sequence[str]) -> Iterator[Offsets]:
    """Find the characters of a piece that each of its tokens covers.

    Parameters
    ----------
    piece : str
        The piece.
    tokens : sequence of str
        Its tokens, in the byte alphabet: one character a byte.

    Yields
    ------
    (int, int)
        From the character that holds a token's first byte to the end of the one that holds its
        last byte.

    Examples
    --------
    >>> list(token_spans("né", ["nÃ", "©"]))
    [(0, 2), (1, 2)]
    """
    character_of_byte = [
        position for position, char in enumerate(piece) for _ in char.encode("utf-8")
    ]
    first = 0
    for token in tokens:
        last = first + len(token) - 1
        yield character_of_byte[first], character_of_byte[last] + 1
        first = last + 1


def trimmed_offsets(tokens: Sequence[Token], add_prefix_space: bool) -> list[Offsets]:
    """Shorten the offsets of tokens so that they leave out white space at their ends.

    With `add_prefix_space`, the single space at the beginning of the first token may be one that
    the text does not have, and is left alone. The rule is that of transformers and asks no more
    than whether the token is the first: a space that the text does have is then not trimmed
    either, and one that was put in after an added token is, although the text lacks it.

    Parameters
    ----------
    tokens : sequence of Token
        The tokens of one sequence, after truncation.
    add_prefix_space : bool
        Whether the text was given a space at its beginning.

    Returns
    -------
    list of (int, int)
        The offsets.

    Examples
    --------
    >>> trimmed_offsets([Token(3, "Hello", 0, 5), Token(4, "Ġworld", 5, 11)], False)
    [(0, 5), (6, 11)]
    """
    return [
        _trim(token, keep_single_space=add_prefix_space and index == 0)
        for index, token in enumerate(tokens)
    ]


def _trim(token: Token, keep_single_space: bool) -> Offsets:
    leading = _leading_white_space(token.text)
    trailing = _leading_white_space(token.text[::-1])
    start = token.start
    if not (keep_single_space and leading == 1):
        start = min(start + leading, token.end)
    return start, max(token.end - trailing, start)


def _leading_white_space(text: str) -> int:
    count = 0
    while count < len(text) and (text[count] == SPACE or text[count] in WHITE_SPACE):
        count += 1
    return count
