r"""Splitting a text into pieces: words, numbers, punctuation and white space.

Merges never cross the border of a piece, so that "dog.", "dog!" and "dog?" do not each become a
token of their own (Radford et al. 2019, section 2.2). A piece takes the one space before it along:
``Hello world`` is ``Hello`` and ``·world``, which is why a word is one token at the beginning of
a text and another one after a space.
"""

from __future__ import annotations

import regex

__all__ = ["PIECE", "WHITE_SPACE", "split_pieces", "with_prefix_space"]

# The letters and numbers here are Unicode's, which the standard library's `re` cannot ask for.
PIECE = regex.compile(
    r"""
      '(?:s|t|re|ve|m|ll|d)    # an English contraction, in lower case, with the ASCII apostrophe
    | [ ]?\p{L}+               # letters, with one plain space before them if there is one
    | [ ]?\p{N}+               # the same for numbers: digits of all scripts, also ½ and ²
    | [ ]?[^\s\p{L}\p{N}]+     # the same for all the rest: punctuation, emoji, combining marks
    | \s+(?!\S)                # white space, but for its last character if something follows: that
                               # may be the space that belongs to the next piece
    | \s+                      # that last character, where it is no plain space
    """,
    regex.VERBOSE,
)

# Unicode's White_Space property, the `\s` above. `str.isspace` and the `\s` of `re` would add
# U+001C to U+001F, four control characters that are not white space to any RoBERTa tokenizer.
WHITE_SPACE = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def split_pieces(text: str) -> list[str]:
    r"""Split a text into the pieces that BPE works on; joined, they are the text again.

    Parameters
    ----------
    text : str
        A text without added tokens.

    Returns
    -------
    list of str
        The pieces, none of them empty.

    Examples
    --------
    >>> split_pieces("Hello world, it's  2\n\n more")
    ['Hello', ' world', ',', ' it', "'s", ' ', ' 2', '\n\n', ' more']
    """
    pieces: list[str] = PIECE.findall(text)
    return pieces


def with_prefix_space(text: str) -> str:
    """Put a space before a text that does not begin with one, as `add_prefix_space` asks.

    Parameters
    ----------
    text : str
        A stretch of ordinary text, not empty.

    Returns
    -------
    str
        The text, beginning with a plain space. Other white space does not count as one.

    Examples
    --------
    >>> with_prefix_space("Hello"), with_prefix_space(" Hello")
    (' Hello', ' Hello')
    """
    return text if text.startswith(" ") else " " + text
