"""Offsets: which characters of the text a token stands for.

A token is a run of bytes, an offset a range ``(start, end)`` of characters (code points). A token
that holds only some bytes of a character gets the whole character, so the tokens of one emoji all
have the same offsets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from .byte_alphabet import SPACE
from .pretokenizer import WHITE_SPACE

Offsets = tuple[int, int]

# In UTF-8, the bytes of a character after its first are those from 0x80 to 0xBF.
_BEGINS_CHARACTER = bytes(not 0x80 <= byte <= 0xBF for byte in range(256))
_SPACES = WHITE_SPACE | {SPACE}


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
        last byte. White space counts: `trimmed` leaves it out.

    Examples
    --------
    >>> list(token_spans("né", ["nÃ", "©"]))
    [(0, 2), (1, 2)]
    """
    # For each byte how many characters have begun up to and with it.
    begun = list(accumulate(piece.encode("utf-8").translate(_BEGINS_CHARACTER)))
    first = 0
    for token in tokens:
        last = first + len(token) - 1
        yield begun[first] - 1, begun[last]
        first = last + 1


def trimmed(token: str, span: Offsets, keep_single_space: bool = False) -> Offsets:
    """Shorten the span of a token so that it leaves out white space at both ends.

    Parameters
    ----------
    token : str
        The token, in the byte alphabet. An added token stands as it is found in the text.
    span : (int, int)
        The characters that it covers.
    keep_single_space : bool
        Whether one white space alone at the beginning is left where it is.

    Returns
    -------
    (int, int)
        The characters that are not white space.

    Examples
    --------
    >>> trimmed("Ġworld", (5, 11)), trimmed("Ġworld", (5, 11), keep_single_space=True)
    ((6, 11), (5, 11))
    """
    if token[0] not in _SPACES and token[-1] not in _SPACES:
        return span
    start, end = span
    leading, trailing = _leading_white_space(token), _leading_white_space(token[::-1])
    if not (keep_single_space and leading == 1):
        start = min(start + leading, end)
    return start, max(end - trailing, start)


def _leading_white_space(text: str) -> int:
    count = 0
    while count < len(text) and text[count] in _SPACES:
        count += 1
    return count


def shifted(spans: Iterable[Offsets], start: int) -> tuple[Offsets, ...]:
    """Count the offsets into a piece that begins at `start` from the beginning of the text.

    >>> shifted([(0, 2), (2, 3)], 10)
    ((10, 12), (12, 13))
    """
    return tuple([(start + left, start + right) for left, right in spans])
