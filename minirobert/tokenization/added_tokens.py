"""Added tokens: strings such as ``<mask>`` that are found in a text before BPE sees it.

An added token is one token wherever it stands in the text, also in text that a user has typed. It
may take the white space around it along: RoBERTa's ``<mask>`` does so on its left, because it
stands for a word *with* its space, as ``Ġdog`` is one token for " dog". ``a <mask>`` is therefore
``a``, ``<mask>``, while ``a <unk>`` is ``a``, ``Ġ``, ``<unk>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any

import regex

from ..rules import BOOLEAN, check
from ..sentences import shown
from .fast.string_finder import StringFinder
from .pretokenizer import WHITE_SPACE
from .texts import check_text

__all__ = [
    "FLAGS",
    "AddedToken",
    "AddedTokenSplitter",
    "Segment",
    "as_token",
    "content_of",
    "is_added_token",
]

FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")

_WORD_CHARACTER = regex.compile(r"\w")


@dataclass(frozen=True)
class AddedToken:
    """A string that is always one token.

    Attributes
    ----------
    content : str
        The string.
    single_word : bool
        Whether the token counts only where no letter, digit or underscore touches it.
    lstrip, rstrip : bool
        Whether the token takes along all white space on its left, on its right.
    normalized : bool, optional
        Whether the token is looked for after those that are not normalized. The name is that of
        transformers, where such tokens are also looked for in normalized text; RoBERTa does not
        normalize. By default true for a token that is not special.
    special : bool
        Whether ``decode(ids, skip_special_tokens=True)`` leaves the token out.

    Examples
    --------
    >>> AddedToken("<mask>", lstrip=True, special=True).normalized
    False
    """

    content: str
    _: KW_ONLY
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool | None = None
    special: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.content, str) or not self.content:
            raise ValueError(
                f"the content of an added token is {shown(self.content)}: it must be a string with"
                " at least one character"
            )
        check_text(self.content, "the content of an added token")
        if self.normalized is None:
            object.__setattr__(self, "normalized", not self.special)
        for flag in FLAGS:
            if not isinstance(getattr(self, flag), bool):
                where = f"{flag} of the added token {shown(self.content)}"
                check(where, getattr(self, flag), BOOLEAN, TypeError)

    def __str__(self) -> str:
        return self.content


def is_added_token(token: object) -> bool:
    """Tell an `AddedToken`, this one or that of the `tokenizers` library, by its attributes."""
    return all(hasattr(token, name) for name in ("content", *FLAGS))


def as_token(token: Any, where: str) -> str | AddedToken:
    """Take a token as it is given: a string, or an `AddedToken` of this package or `tokenizers`."""
    if isinstance(token, str | AddedToken):
        return token
    if not is_added_token(token):
        raise TypeError(f"{where} is {shown(token)}: it must be a string or an AddedToken")
    return AddedToken(token.content, **{flag: getattr(token, flag) for flag in FLAGS})


def content_of(token: str | AddedToken) -> str:
    """Give the string of a token."""
    return token if isinstance(token, str) else token.content


# A stretch ``text[start:end]``: one added token, or ordinary text where there is None. No named
# tuple, which takes longer to make than a short text to be split.
Segment = tuple[int, int, AddedToken | None]

# Gives the places of strings in ``text[first:last]``.
Finder = Callable[[str, int, int], Iterable[tuple[int, int]]]

# The most characters of strings that one pattern looks for.
MAX_PATTERN = 512


class AddedTokenSplitter:
    """Finds added tokens in a text.

    Tokens that are not normalized are looked for first, in all of the text; the others, in what
    remains. Where several could begin at the same character, the longest is taken.

    >>> splitter = AddedTokenSplitter([AddedToken("<mask>", lstrip=True, special=True)])
    >>> text = "a <mask>!"
    >>> [text[start:end] for start, end, _ in splitter.split(text)]
    ['a', ' <mask>', '!']
    """

    def __init__(self, tokens: Iterable[AddedToken]) -> None:
        self._tokens = {token.content: token for token in tokens}
        self._initials = frozenset(content[0] for content in self._tokens)

    @cached_property
    def _finders(self) -> list[Finder]:
        """What finds the tokens of each turn; most tokenizers never need it."""
        by_turn = [
            [token.content for token in self._tokens.values() if token.normalized is turn]
            for turn in (False, True)
        ]
        return [_finder_of(contents) for contents in by_turn if contents]

    def split(self, text: str, split_special_tokens: bool = False) -> list[Segment]:
        """Cut a text into ordinary segments and added tokens, none of them empty.

        Each begins where the one before ends, but for a token that begins with white space which
        that before has taken along.

        With `split_special_tokens` special tokens are passed over, as if they were ordinary text.
        """
        segments: list[Segment] = [(0, len(text), None)] if text else []
        if not self._may_begin_in(text):
            return segments
        for find in self._finders:
            parts: list[Segment] = []
            for start, end, token in segments:
                if token:
                    parts.append((start, end, token))
                else:
                    parts += self._split(text, start, end, find, split_special_tokens)
            segments = parts
        return segments

    def _may_begin_in(self, text: str) -> bool:
        """Tell most texts apart quickly: they have no "<"."""
        if len(self._initials) > 8:
            return not self._initials.isdisjoint(text)
        for initial in self._initials:  # noqa: SIM110  # any() takes longer than most texts
            if initial in text:
                return True
        return False

    def _split(
        self, text: str, first: int, last: int, find: Finder, split_special_tokens: bool
    ) -> Iterator[Segment]:
        position = first
        for start, end in find(text, first, last):
            token = self._tokens[text[start:end]]
            if token.special and split_special_tokens:
                continue
            if token.single_word and _touches_word(text, start, end, first, last):
                continue
            # White space that the token before has taken along may be the beginning of this one,
            # too, as in the Rust library.
            if token.lstrip:
                start = max(_skip_left(text, start, position), position)
            if start >= end:
                continue
            if token.rstrip:
                end = _skip_right(text, end, last)
            if position < start:
                yield position, start, None
            yield start, end, token
            position = end
        if position < last:
            yield position, last, None


def _finder_of(contents: Sequence[str]) -> Finder:
    """Find strings by a pattern, which tries each where one may begin, or many in another way."""
    if sum(map(len, contents)) > MAX_PATTERN:
        return StringFinder(contents).spans
    longest_first = sorted(contents, key=len, reverse=True)
    pattern = regex.compile("|".join(map(regex.escape, longest_first)))
    return lambda text, first, last: (match.span() for match in pattern.finditer(text, first, last))


def _touches_word(text: str, start: int, end: int, first: int, last: int) -> bool:
    """Tell whether there is a letter, digit or underscore beside a range, in ``first`` to ``last``.

    Only the neighbours are looked at: a copy of the text for each token would be its square.
    """
    neighbours = text[max(start - 1, first) : start], text[end : min(end + 1, last)]
    return any(map(_WORD_CHARACTER.match, neighbours))


# White space is skipped from the token outwards, by hand: a `\s*` in the pattern, before the token,
# would be tried anew at each character of a long run of spaces.
def _skip_left(text: str, position: int, limit: int) -> int:
    while position > limit and text[position - 1] in WHITE_SPACE:
        position -= 1
    return position


def _skip_right(text: str, position: int, limit: int) -> int:
    while position < limit and text[position] in WHITE_SPACE:
        position += 1
    return position
