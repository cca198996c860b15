"""The parts of tokenizer.json that change or cut a text, for tokenizers of another make.

RoBERTa's own pipeline has no normalizer, and ByteLevel as its one pre-tokenizer; `text_encoder`
writes that down directly. Byte-level BPE is also found with other parts, which are made here from
what the file says of them. What each does is what the Rust library does that the file belongs to.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import regex

from ..rules import BOOLEAN, STRING, check, one_of
from ..sentences import shown
from .aligned import Aligned
from .byte_alphabet import text_to_symbols
from .offsets import Offsets
from .oniguruma import compiled
from .pretokenizer import PIECE, WHITE_SPACE

__all__ = ["NORMALIZERS", "PRE_TOKENIZERS", "Normalizer", "Splitter"]

Normalizer = Callable[[Aligned], Aligned]
Splitter = Callable[[Aligned], list[Aligned]]
Description = Mapping[str, Any]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")


# How long a pattern of a tokenizer.json may search. A plain one reads millions of characters a
# second; one such as "(a|aa)+$" may need longer than anybody lives.
SECONDS = 5
CHARACTERS_A_SECOND = 100_000


def _flag(part: Description, name: str, default: bool) -> bool:
    return bool(check(name, part.get(name, default), BOOLEAN))


# Normalizers


def _unicode_form(form: Form) -> Callable[[Description], Normalizer]:
    """One of the four forms of Unicode's Annex 15."""
    decomposition: Form = "NFKD" if "K" in form else "NFD"

    def normalize(text: Aligned) -> Aligned:
        if unicodedata.is_normalized(form, text.text):
            return text
        changes = _ordered(_decomposed(text.text, decomposition))
        return text.changed(_composed(changes) if form.endswith("C") else changes)

    return lambda _: normalize


def _decomposed(text: str, form: Form) -> Iterator[tuple[str, int]]:
    for character in text:
        for number, part in enumerate(unicodedata.normalize(form, character)):
            yield part, int(number > 0)


def _ordered(changes: Iterator[tuple[str, int]]) -> list[tuple[str, int]]:
    """Put combining marks, between characters that are none, into their canonical order."""
    ordered: list[tuple[str, int]] = []
    for combines, group in groupby(changes, key=lambda each: unicodedata.combining(each[0]) > 0):
        several = list(group)
        if combines:
            several.sort(key=lambda each: unicodedata.combining(each[0]))
        ordered += several
    return ordered


def _composed(changes: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Compose each mark with the character before it, unless another mark blocks it."""
    composed: list[tuple[str, int]] = []
    starter, last_class = -1, 0
    for character, change in changes:
        mark_class = unicodedata.combining(character)
        adjacent = starter == len(composed) - 1
        if starter >= 0 and (adjacent or last_class < mark_class):
            before, change_before = composed[starter]
            whole = unicodedata.normalize("NFC", before + character)
            if len(whole) == 1:
                composed[starter] = whole, change_before + change - 1
                continue
        composed.append((character, change))
        last_class = mark_class
        if mark_class == 0:
            starter = len(composed) - 1
    return composed


def _filtered(text: Aligned, keeps: Callable[[str], bool]) -> Aligned:
    kept = [index for index, character in enumerate(text.text) if keeps(character)]
    return Aligned("".join(text.text[i] for i in kept), [text.spans[i] for i in kept])


def _strip_accents(_: Description) -> Normalizer:
    return lambda text: _filtered(text, lambda character: unicodedata.category(character)[0] != "M")


def _lowercase(_: Description) -> Normalizer:
    return lambda text: text.changed(
        (lower, int(number > 0))
        for character in text.text
        for number, lower in enumerate(character.lower())
    )


def _strip(part: Description) -> Normalizer:
    white = "".join(WHITE_SPACE)

    left, right = (_flag(part, side, True) for side in ("strip_left", "strip_right"))

    def normalize(text: Aligned) -> Aligned:
        start, end = 0, len(text.text)
        if left:
            start = end - len(text.text.lstrip(white))
        if right:
            end = max(start, len(text.text.rstrip(white)))
        return text.part(start, end)

    return normalize


def _replace(part: Description) -> Normalizer:
    pattern, content = _pattern(part), check("content", part["content"], STRING)
    return lambda text: text.replaced(_matches(pattern, text.text), content)


def _prepend(part: Description) -> Normalizer:
    content = check("prepend", part["prepend"], STRING)
    return lambda text: text.prefixed(content)


# Pre-tokenizers


def _byte_level(part: Description) -> Splitter:
    """Cut into words unless told otherwise, and write them in the byte alphabet."""
    add_prefix_space = _flag(part, "add_prefix_space", False)
    use_regex = _flag(part, "use_regex", True)
    _flag(part, "trim_offsets", True)  # only that of the post-processor counts

    def split(text: Aligned) -> list[Aligned]:
        if add_prefix_space and not text.text.startswith(" "):
            text = text.prefixed(" ")
        pieces = [text]
        if use_regex:
            pieces = [text.part(*match.span()) for match in PIECE.finditer(text.text)]
        return [_as_symbols(piece) for piece in pieces]

    return split


def _as_symbols(piece: Aligned) -> Aligned:
    spans = [
        span
        for character, span in zip(piece.text, piece.spans, strict=True)
        for _ in character.encode("utf-8")
    ]
    return Aligned(text_to_symbols(piece.text), spans)


def _cut(pattern: regex.Pattern, behavior: str, invert: bool = False) -> Splitter:
    """Cut at each match, or with `invert` at what lies between, and treat it as `behavior` says."""
    check("behavior", behavior, one_of(*BEHAVIORS))

    def split(text: Aligned) -> list[Aligned]:
        stretches, position = [], 0
        for start, end in _matches(pattern, text.text):
            stretches += [(position, start, invert), (start, end, not invert)]
            position = end
        stretches.append((position, len(text.text), invert))
        filled = [each for each in stretches if each[0] < each[1]]
        return [text.part(*span) for span in BEHAVIORS[behavior](filled)]

    return split


Stretches = Sequence[tuple[int, int, bool]]
Ranges = list[tuple[int, int]]


def _removed(stretches: Stretches) -> Ranges:
    return [(start, end) for start, end, is_match in stretches if not is_match]


def _isolated(stretches: Stretches) -> Ranges:
    return [(start, end) for start, end, _ in stretches]


def _contiguous(stretches: Stretches) -> Ranges:
    groups = [list(group) for _, group in groupby(stretches, key=lambda stretch: stretch[2])]
    return [(group[0][0], group[-1][1]) for group in groups]


def _merged_with_previous(stretches: Stretches) -> Ranges:
    ranges: Ranges = []
    follows_match = True
    for start, end, is_match in stretches:
        if is_match and not follows_match:
            ranges[-1] = ranges[-1][0], end
        else:
            ranges.append((start, end))
        follows_match = is_match
    return ranges


def _merged_with_next(stretches: Stretches) -> Ranges:
    mirrored = [(-end, -start, is_match) for start, end, is_match in reversed(stretches)]
    return [(-end, -start) for start, end in reversed(_merged_with_previous(mirrored))]


BEHAVIORS: Mapping[str, Callable[[Stretches], Ranges]] = {
    "Removed": _removed,
    "Isolated": _isolated,
    "Contiguous": _contiguous,
    "MergedWithPrevious": _merged_with_previous,
    "MergedWithNext": _merged_with_next,
}


def _pattern(part: Description) -> regex.Pattern:
    """Read a pattern: a string to be found as it is, or a regular expression."""
    match part.get("pattern"):
        case {"String": str(content)} if content:
            return regex.compile(regex.escape(content))
        case {"Regex": str(expression)}:
            return _compiled(expression)
    raise ValueError(f"pattern is {shown(part.get('pattern'))}, neither a String nor a Regex")


def _compiled(expression: str) -> regex.Pattern:
    """Compile a regular expression, unless that could take all memory."""
    copies = math.prod(max(int(count[:9]), 1) for count in _REPEATS.findall(expression))
    if copies > _MOST_COPIES:
        raise ValueError(
            f"pattern has {shown(expression)}, whose repetitions come to more than"
            f" {_MOST_COPIES:,} in all"
        )
    try:
        return compiled(expression)
    except RecursionError:
        raise ValueError(f"pattern has {shown(expression)}, nested too deeply") from None


#: Numbers in braces, as in ``\p{N}{1,3}``: what is before them is compiled so many times.
_REPEATS = regex.compile(r"(?<=[{,])[0-9]+(?=\})")
_MOST_COPIES = 10_000


def _matches(pattern: regex.Pattern, text: str) -> list[Offsets]:
    """Find all matches, unless that takes a time that no pattern needs which makes headway."""
    limit = SECONDS + len(text) / CHARACTERS_A_SECOND
    try:
        return [match.span() for match in pattern.finditer(text, timeout=limit)]
    except TimeoutError:
        raise ValueError(
            f"the pattern {shown(pattern.pattern)} of tokenizer.json took more than {limit:.3g} s"
            f" in {shown(text, most=40)}: it tries the same characters again and again;"
            " write it without a repetition within a repetition, or shorten the text"
        ) from None


def _split(part: Description) -> Splitter:
    behavior = part["behavior"]
    return _cut(_pattern(part), behavior, _flag(part, "invert", False))


_WORDS = regex.compile(
    r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+"
    r"|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\s]+"
)
_PUNCTUATION = regex.compile(r"[\p{P}$+<=>^`|~]")  # ASCII's, with what Unicode calls symbols there

NORMALIZERS: Mapping[str, Callable[[Description], Normalizer]] = {
    **{form: _unicode_form(form) for form in FORMS},
    "Strip": _strip,
    "StripAccents": _strip_accents,
    "Lowercase": _lowercase,
    "Replace": _replace,
    "Prepend": _prepend,
}

PRE_TOKENIZERS: Mapping[str, Callable[[Description], Splitter]] = {
    "ByteLevel": _byte_level,
    "Whitespace": lambda _: _cut(_WORDS, "Removed", invert=True),
    "WhitespaceSplit": lambda _: _cut(regex.compile(r"\s"), "Removed"),
    "Digits": lambda part: _cut(
        regex.compile(r"\p{N}"),
        "Isolated" if _flag(part, "individual_digits", False) else "Contiguous",
    ),
    "Punctuation": lambda part: _cut(_PUNCTUATION, part.get("behavior", "Isolated")),
    "Split": _split,
}
