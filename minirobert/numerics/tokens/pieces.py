r"""Suspects of the pieces: the port's pattern has other classes, or lacks a part.

RoBERTa's pattern is `pretokenizer.PIECE`. It is put together here of its parts, each of which may
be another one: `\s`, `\p{L}` and `\p{N}` are not the same in every library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import regex

from .suspect import Suspect, always

__all__ = ["ASCII", "JAVASCRIPT", "PYTHON", "pattern", "pieces_suspects"]

CONTRACTIONS = "'(?:s|t|re|ve|m|ll|d)|"

#: What `\s` stands for elsewhere, as the inside of a class.
ASCII = r"\t\n\v\f\r\x20"
JAVASCRIPT = ASCII + r"\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
PYTHON = r"\s\x1c-\x1f"
GO = r"\t\n\f\r\x20"

#: Below U+10000: what a program sees that goes through the 16-bit units of UTF-16.
_BASIC = r"[\p{%s}&&[\x00-\uffff]]"


def pattern(
    contractions: str = CONTRACTIONS,
    space: str = r"\x20?",
    letters: str = r"\p{L}",
    numbers: str = r"\p{N}",
    white: str = r"\s",
    how_many: str = "+",
    look_ahead: bool = True,
) -> str:
    r"""Put a pattern together.

    Parameters
    ----------
    contractions : str
        The alternative that comes first, with the bar behind it.
    space : str
        What a piece takes along on its left.
    letters, numbers, white : str
        What `\p{L}`, `\p{N}` and `\s` are, inside of a class.
    how_many : str
        How many numbers a piece has.
    look_ahead : bool
        Whether white space leaves its last character to what follows.

    >>> regex.findall(pattern(), "it's  2")
    ['it', "'s", ' ', ' 2']
    """
    alternatives = [
        f"{space}[{letters}]+",
        f"{space}[{numbers}]{how_many}",
        f"{space}[^{white}{letters}{numbers}]+",
        *([f"[{white}]+(?![^{white}])"] if look_ahead else []),
        f"[{white}]+",
    ]
    return contractions + "|".join(alternatives)


def _cuts(says: str, cut: Callable[[str], list[str]]) -> Suspect:
    return Suspect("pieces", says, lambda steps: replace(steps, cut=cut))


def _splits(says: str, expression: str) -> Suspect:
    """Split with an expression, which is compiled when it is first asked for."""
    return _cuts(says, lambda text: _compiled(expression).findall(text))


@cache
def _compiled(expression: str) -> Any:
    return regex.compile(expression, regex.VERSION1)


def _contractions(flags: str) -> str:
    return f"(?{flags}:{CONTRACTIONS[:-1]})|"


_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)

#: The suspects of the pieces.
pieces_suspects = always(
    _splits(r"splits with JavaScript's \s, which has U+FEFF and lacks U+0085",
            pattern(white=JAVASCRIPT)),
    _splits(r"splits with an \s that lacks U+0085", pattern(white=r"[\s--\x85]")),
    _splits(r"splits with an \s that has U+FEFF, too", pattern(white=r"\s\ufeff")),
    _splits(r"splits with an \s that has U+200B, too", pattern(white=r"\s\u200b")),
    _splits(r"splits with an \s of ASCII alone, as Java's", pattern(white=ASCII)),
    _splits(r"splits with Go's \s, which is ASCII's without U+000B", pattern(white=GO)),
    _splits(r"splits with Python's \s, which has U+001C to U+001F, too", pattern(white=PYTHON)),
    _splits("splits with a-z and A-Z for letters", pattern(letters="a-zA-Z")),
    _splits("splits with 0-9 for numbers", pattern(numbers="0-9")),
    _splits("splits with letters and numbers of ASCII alone",
            pattern(letters="a-zA-Z", numbers="0-9")),
    _splits("splits with letters, numbers and white space of ASCII alone",
            pattern(letters="a-zA-Z", numbers="0-9", white=ASCII)),
    _splits(r"splits with \d for numbers, which is \p{Nd} and lacks ½, ² and Ⅷ",
            pattern(numbers=r"\p{Nd}")),
    _splits(r"splits with the classes of Python's re: [^\W\d_], \d and \s",
            pattern(letters=r"\p{L}\p{Nl}\p{No}", numbers=r"\p{Nd}", white=PYTHON)),
    _splits("takes combining marks for letters",
            pattern(letters=r"\p{L}\p{M}")),
    _splits("takes an underscore for a letter", pattern(letters=r"\p{L}_")),
    _splits(r"splits with \w for letters and numbers together",
            pattern(letters=r"\p{L}\p{N}_", numbers=r"\p{N}")),
    _splits("takes letters and numbers beyond U+FFFF for neither, as a pattern does that goes"
            " through UTF-16 (in JavaScript, one without the flag u)",
            pattern(letters=_BASIC % "L", numbers=_BASIC % "N")),
    _splits("splits without the contractions", pattern(contractions="")),
    _splits("splits contractions in capitals, too", pattern(contractions=_contractions("i"))),
    _splits("splits contractions with a typographic apostrophe, too",
            pattern(contractions=CONTRACTIONS.replace("'", "['’]"))),
    _splits(r"splits without \s+(?!\S), so that white space takes its last character along",
            pattern(look_ahead=False)),
    _splits(r"splits without the space before a piece", pattern(space="")),
    _splits(r"takes any white space along to the left of a piece, with \s?",
            pattern(space=r"\s?")),
    _splits("makes a piece of each digit", pattern(how_many="")),
    _splits("makes pieces of up to three digits", pattern(how_many="{1,3}")),
    _splits("splits as GPT-4 does (cl100k_base)", _CL100K),
    _splits("splits at white space alone, a space before each word",
            r"\s*[^\s]+|\s+"),
    _splits("splits at spaces alone", r"[ ]?[^ ]+|[ ]+(?![^ ])|[ ]+"),
    _cuts("makes one piece of the text", lambda text: [text]),
    _cuts("makes a piece of each character", list),
)  # fmt: skip
