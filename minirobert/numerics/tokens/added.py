"""Suspects of added tokens, such as ``<mask>`` in a text, and of the space put before a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import regex

from ...tokenization import AddedToken
from ...tokenization.added_tokens import AddedTokenSplitter, Segment
from ...tokenization.pretokenizer import WHITE_SPACE, with_prefix_space
from .pieces import ASCII, JAVASCRIPT, PYTHON
from .steps import Known
from .suspect import Suspect, always

__all__ = ["added_suspects", "prefix_suspects"]

Find = Callable[[str], Sequence[Segment]]


def _finds(says: str, find: Callable[[Known], Find]) -> Suspect:
    return Suspect("added tokens", says, lambda steps: replace(steps, find=find(steps.known)))


def _all(**flags: Any) -> Callable[[Known], Find]:
    """Find them all, with other flags."""
    return lambda known: _splitting([replace(token, **flags) for token in known.added], known)


def _mask(**flags: Any) -> Callable[[Known], Find]:
    """Find them all, ``<mask>`` with other flags."""

    def find(known: Known) -> Find:
        flagged = (replace(t, **flags) if t.content == known.mask else t for t in known.added)
        return _splitting(flagged, known)

    return find


def _some(wanted: Callable[[AddedToken, Known], bool]) -> Callable[[Known], Find]:
    return lambda known: _splitting((t for t in known.added if wanted(t, known)), known)


def _splitting(tokens: Iterable[AddedToken], known: Known) -> Find:
    splitter = AddedTokenSplitter(tokens)
    return lambda text: splitter.split(text, known.call.split_special_tokens)


def _as_text(known: Known) -> Find:
    return lambda text: [(0, len(text), None)] if text else []


def _in_any_case(known: Known) -> Find:
    splitter = AddedTokenSplitter(known.added)
    return lambda text: splitter.split(text.replace("<MASK>", "<mask>"))


def _taking_along(expression: str) -> Callable[[Known], Find]:
    """Let ``<mask>`` take along what an expression finds on its left, read backwards."""
    run = regex.compile(f"(?r){expression}", regex.VERSION1)

    def find(known: Known) -> Find:
        flagged = (replace(t, lstrip=t.lstrip and t.content != known.mask) for t in known.added)
        split = _splitting(flagged, known)
        return lambda text: _stretched(text, split(text), known.mask, run)

    return find


def _stretched(
    text: str, segments: Sequence[Segment], mask: str | None, run: Any
) -> Sequence[Segment]:
    """Move the beginning of each ``<mask>`` to that of the run before it."""
    moved: list[Segment] = []
    for start, end, token in segments:
        if token and token.content == mask and moved and moved[-1][2] is None:
            first, _, _ = moved.pop()
            start = run.match(text, first, start).start()
            moved += [(first, start, None)] if first < start else []
        moved.append((start, end, token))
    return moved


#: The suspects of added tokens.
added_suspects = always(
    _finds("does not find <mask> and the other special tokens in a text, but splits them as text",
           _as_text),
    _finds("finds special tokens in the text, though split_special_tokens was asked for",
           lambda known: AddedTokenSplitter(known.added).split),
    _finds("does not let <mask> take the white space on its left along (its lstrip)",
           _mask(lstrip=False)),
    _finds("lets <mask> take the white space on its right along", _mask(lstrip=False, rstrip=True)),
    _finds("lets <mask> take the white space on both sides along", _mask(rstrip=True)),
    _finds("lets <mask> take U+001C to U+001F along, too, which str.rstrip takes for white space",
           _taking_along(f"[{PYTHON}]*")),
    _finds(r"lets <mask> take along what JavaScript's \s is, which has U+FEFF and lacks U+0085",
           _taking_along(f"[{JAVASCRIPT}]*")),
    _finds(r"lets <mask> take along white space of ASCII alone", _taking_along(f"[{ASCII}]*")),
    _finds("lets <mask> take spaces along, and no other white space", _taking_along(r"\x20*")),
    _finds("lets <mask> take one space along, at most", _taking_along(r"\x20?")),
    _finds("lets all special tokens take the white space on their left along", _all(lstrip=True)),
    _finds("lets all special tokens take the white space on both sides along",
           _all(lstrip=True, rstrip=True)),
    _finds("finds special tokens only where no letter, digit or underscore touches them",
           _all(single_word=True)),
    _finds("finds <mask> alone of the special tokens, and splits the others as text",
           _some(lambda token, known: token.content == known.mask)),
    _finds("finds all special tokens but <mask>, and splits that as text",
           _some(lambda token, known: token.content != known.mask)),
    _finds("finds <mask> in capitals, too", _in_any_case),
)  # fmt: skip


def _prefixes(says: str, prefix: Callable[[str, bool], str]) -> Suspect:
    return Suspect("prefix space", says, lambda steps: replace(steps, prefix=prefix))


def _stripped(text: str, _: bool) -> str:
    return text.strip("".join(WHITE_SPACE))


#: The suspects of the space before a text.
prefix_suspects = always(
    _prefixes("puts no space before the text", lambda text, _: text),
    _prefixes("puts a space before the text, and after each added token",
              lambda text, _: with_prefix_space(text)),
    _prefixes("puts a space before the text (none after added tokens)",
              lambda text, is_first: with_prefix_space(text) if is_first else text),
    _prefixes("puts a space before the text even where one is",
              lambda text, is_first: " " + text if is_first else text),
    _prefixes("takes one space off the beginning of the text",
              lambda text, is_first: text.removeprefix(" ") if is_first else text),
    _prefixes("puts a space after each added token, but not before the text",
              lambda text, is_first: text if is_first else with_prefix_space(text)),
    _prefixes("takes the white space off both ends of what stands between added tokens",
              _stripped),
)  # fmt: skip
