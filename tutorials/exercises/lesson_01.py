"""Exercises of lesson 1: from characters to tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import regex

from minirobert import RobertaTokenizer
from minirobert.tokenization.bpe import bpe, rank_merges
from minirobert.tokenization.byte_alphabet import text_to_symbols
from minirobert.tokenization.pretokenizer import PIECE, split_pieces

from .judging import Exercise, Refused, SameFunction, SameValue, Satisfies, called, written

__all__ = ["EXERCISES", "SameTokens", "drawn_texts", "longest_match"]

PYTHON = "for i, x in enumerate(rows):\n    if x.key not in seen:\n        out[i] += f(x)"


@cache
def _tokenizer() -> RobertaTokenizer:
    return RobertaTokenizer.from_pretrained()


@cache
def _ranks() -> dict[tuple[str, str], int]:
    return rank_merges(_tokenizer().merges)


@cache
def _vocab() -> dict[str, int]:
    return dict(_tokenizer().vocab)  # which makes one at each call


def longest_match(text: str) -> list[str]:
    """Take the longest token of the vocabulary that fits, again and again."""
    symbols, tokens = text_to_symbols(text), []
    while symbols:
        end = max(n for n in range(1, len(symbols) + 1) if symbols[:n] in _vocab())
        tokens.append(symbols[:end])
        symbols = symbols[end:]
    return tokens


# What an answer must satisfy: each gives a complaint, or nothing.


def _four_tokens(character: Any) -> str | None:
    if not isinstance(character, str) or len(character) != 1:
        return "wanted: one character, between quotation marks"
    tokens = _tokenizer().tokenize(character)
    return None if len(tokens) == 4 else f"it takes {len(tokens)}: {tokens}"


def _ten_pieces(text: Any) -> str | None:
    if not isinstance(text, str) or len(text) != 10:
        return "wanted: a text of ten characters"
    pieces = split_pieces(text)
    return None if len(pieces) == 10 else f"it has {len(pieces)} pieces: {pieces}"


def _cuts_lower(ordered: Any) -> str | None:
    four = [("e", "r"), ("l", "o"), ("lo", "w"), ("o", "w")]
    if sorted(ordered) != four:
        return f"wanted: the four merges {four}, in another order"
    cut = bpe("lower", rank_merges(ordered))
    return None if cut == ["l", "ow", "er"] else f"it cuts {cut}"


def _beats_the_longest(word: Any) -> str | None:
    ours, longest = _tokenizer().tokenize(word), longest_match(word)
    if len(ours) < len(longest):
        return None
    return f"BPE gives {len(ours)}: {ours}, and the longest match {len(longest)}: {longest}"


def _learns_banana(texts: Any) -> str | None:
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        return "wanted: a list of texts"
    learned = RobertaTokenizer.train(texts, vocab_size=5 + 256 + 20, show_progress=False)
    tokens = learned.tokenize("banana")
    if tokens == ["ban", "ana"]:
        return None
    return f"it learns to cut {tokens}, from the merges {learned.merges[:6]} …"


def _dense(sentence: Any) -> str | None:
    n_bytes, n_tokens = len(sentence.encode()), len(_tokenizer().tokenize(sentence))
    if n_bytes >= 60 and n_bytes >= 7 * n_tokens:
        return None
    return f"it has {n_bytes} bytes in {n_tokens} tokens: {n_bytes / max(n_tokens, 1):.1f} a token"


def _expensive(text: Any) -> str | None:
    tokens = _tokenizer().tokenize(text)
    if isinstance(text, str) and len(text) <= 10 and len(tokens) >= 40:
        return None
    return f"it has {len(text)} characters and takes {len(tokens)} tokens"


def _knows_python(texts: Any) -> str | None:
    learned = RobertaTokenizer.train(texts, vocab_size=2000, show_progress=False)
    tokens = learned.tokenize(PYTHON)
    return None if len(tokens) <= 34 else f"it cuts the sample into {len(tokens)} tokens: {tokens}"


# Functions, and the typical wrong ones


def _pair(first: list[int], second: list[int]) -> list[int]:
    return [0, *first, 2, 2, *second, 2]


def _one_end_between(first: list[int], second: list[int]) -> list[int]:
    return [0, *first, 2, *second, 2]


def _begins_twice(first: list[int], second: list[int]) -> list[int]:
    return [0, *first, 2, 0, *second, 2]


def _two_texts(rng: np.random.Generator) -> tuple[Any, ...]:
    return tuple(rng.integers(5, 8000, int(rng.integers(1, 6))).tolist() for _ in range(2))


def _joined(windows: list[list[int]], stride: int) -> list[int]:
    first, *others = [window[1:-1] for window in windows]
    return [0, *first, *[one for ids in others for one in ids[stride:]], 2]


def _keeps_the_overlap(windows: list[list[int]], stride: int) -> list[int]:
    return _joined(windows, 0)


def _keeps_the_frames(windows: list[list[int]], stride: int) -> list[int]:
    first, *others = windows
    return [*first, *[one for ids in others for one in ids[stride:]]]


def _windows(rng: np.random.Generator) -> tuple[Any, ...]:
    ids, length = list(range(100, 100 + int(rng.integers(6, 40)))), int(rng.integers(6, 12))
    stride = int(rng.integers(1, length - 2))
    step, room = length - stride, len(ids) - stride
    rows = [ids[start : start + length] for start in range(0, max(room, 1), step)]
    return [[0, *row, 2] for row in rows], stride


# The last exercise: a tokenizer


def _tokenize(text: str) -> list[int]:
    return _tokenizer().encode(text, add_special_tokens=False)


def _by(pattern: Any, merge: Callable[[str], list[str]]) -> Callable[[str], list[int]]:
    """Make a tokenizer of a pattern that cuts, and of what merges a piece."""

    def tokenize(text: str) -> list[int]:
        pieces = pattern.findall(text)
        return [_vocab()[t] for piece in pieces for t in merge(text_to_symbols(piece))]

    return tokenize


def _merge(symbols: str) -> list[str]:
    return bpe(symbols, _ranks())


def _leftmost_first(symbols: str) -> list[str]:
    tokens = list(symbols)
    while True:
        known = [i for i, pair in enumerate(pairwise(tokens)) if pair in _ranks()]
        if not known:
            return tokens
        tokens[known[0] : known[0] + 2] = ["".join(tokens[known[0] : known[0] + 2])]


def _one_pass(symbols: str) -> list[str]:
    tokens = list(symbols[:1])
    for symbol in symbols[1:]:
        if (tokens[-1], symbol) in _ranks():
            tokens[-1] += symbol
        else:
            tokens.append(symbol)
    return tokens


_WITHOUT_SPACE = regex.compile(
    r"'(?:s|t|re|ve|m|ll|d)|\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)
_OF_ASCII = regex.compile(
    r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"
)
_SPACES_AT_ONCE = regex.compile(
    r"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+"
)  # fmt: skip
_NO_CONTRACTIONS = regex.compile(r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@cache
def drawn_texts(count: int = 1000) -> tuple[str, ...]:
    """Draw texts of words, numbers, punctuation, emoji, white space and letters of many scripts."""
    rng = np.random.default_rng(1)
    words = [text for text in _spelled() if text.strip().isalpha()]
    parts: list[list[str]] = [
        [*words],
        [" ", " ", " ", "  ", "\n", "\t", "\n\n", "   ", "\u00a0", "\u3000"],
        ["0", "7", "42", "1999", "3.14", "½", "٣", "²", " 10,000"],
        [".", ",", "!", "?!", "...", "'s", "'t", "'ll", "’s", "'", " (", ")", "#", " -- "],
        ["😀", "👩‍🚀", "❤️", "🎈", "é", "ß", "Ω", "ж", "Я", "中", "文", "ñ", "ı", "ᚱ", "e\u0301"],
    ]
    kinds = rng.choice(len(parts), (count, 12), p=[0.45, 0.25, 0.1, 0.12, 0.08])
    lengths = rng.integers(1, 13, count)
    return tuple(
        "".join(parts[kind][int(rng.integers(len(parts[kind])))] for kind in row[:length])
        for row, length in zip(kinds, lengths, strict=True)
    )


def _spelled() -> list[str]:
    return [_tokenizer().decode([number]) for number in range(300, 8000)]


@dataclass(frozen=True)
class SameTokens:
    """The answer is a function from a text to ids, and gives those of ``reference`` for 1,000."""

    reference: Callable[[str], list[int]]

    def __call__(self, answer: Any) -> None:
        if not callable(answer):
            raise Refused(f"  got: {written(answer)}\n  wanted: a function of a text")
        texts = drawn_texts()
        for same, text in enumerate(texts):
            got, wanted = list(_ids(called(answer, (text,), ["text"]))), self.reference(text)
            if got != wanted:
                raise Refused(_parting(text, got, wanted, f"{same} texts of {len(texts)}"))

    def like(self, wrong: Callable[[str], list[int]]) -> SameTokens:
        """Judge as if a wrong answer were right."""
        return SameTokens(wrong)


def _ids(got: Any) -> list[Any]:
    if isinstance(got, list | tuple | np.ndarray):
        return np.asarray(got, dtype=object).tolist()
    raise Refused(f"  got: {written(got)}\n  wanted: a list of ids for each text")


def _parting(text: str, got: list[Any], wanted: list[int], agreeing: str) -> str:
    """Tell where the ids of a text part, and how the text goes on there."""
    place = next((i for i, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), None)
    place = min(len(got), len(wanted)) if place is None else place
    before = _tokenizer().decode(wanted[:place])
    return (
        f"  {agreeing} are right, and then comes {text!r}\n"
        f"  the ids part at place {place}, behind {before!r}\n"
        f"  got: {_named(got[place : place + 6])}\n  wanted: {_named(wanted[place : place + 6])}"
    )


def _named(ids: list[Any]) -> str:
    """Write ids with their tokens."""
    known = _tokenizer().convert_ids_to_tokens
    fit = [isinstance(one, int | np.integer) and 0 <= one < 8192 for one in ids]
    return (
        ", ".join(
            f"{one} {known(int(one))}" if fits else written(one)
            for one, fits in zip(ids, fit, strict=True)
        )
        or "nothing more"
    )


EXERCISES = [
    Exercise(
        number="1.1",
        title="A character of four tokens",
        minutes=3,
        difficulty="easy",
        judge=Satisfies(_four_tokens),
        right="UTF-8 takes up to four bytes for a character, and no merge joins these.",
        hint="Which characters does UTF-8 write with four bytes? Look at the first cell of bytes.",
    ),
    Exercise(
        number="1.2",
        title="Decode a token by hand",
        minutes=5,
        difficulty="medium",
        judge=SameValue(" é"),
        right="Three symbols are three bytes, and the last two of them are one character.",
        hint="Write the byte of each of the three symbols, and decode the three as UTF-8.",
        mistakes={
            "And what is Ġ? It is a byte of the text, too.": "é",
            "These are three bytes of Latin-1. As UTF-8, the last two are one character.": " Ã©",
        },
    ),
    Exercise(
        number="1.3",
        title="Pieces, before you run anything",
        minutes=5,
        difficulty="medium",
        judge=SameValue(lambda: split_pieces("x2 = 10.5  # it's half")),
        right="Letters, numbers and the rest never share a piece, and 's is in the list.",
        hint="Go through the text with the six rules, from top to bottom, for each piece anew.",
        mistakes={
            "A piece takes the space before it along, if it is one space.": (
                _WITHOUT_SPACE.findall("x2 = 10.5  # it's half")
            ),
            "Before # there are two spaces: which of them belongs to #?": (
                _SPACES_AT_ONCE.findall("x2 = 10.5  # it's half")
            ),
            "The first rule of the pattern comes before the letters: what of 's?": (
                _NO_CONTRACTIONS.findall("x2 = 10.5  # it's half")
            ),
        },
    ),
    Exercise(
        number="1.4",
        title="Ten characters, ten pieces",
        minutes=5,
        difficulty="easy",
        judge=Satisfies(_ten_pieces),
        right="Each character is of another kind than the one before it, and no space is taken.",
        hint="Two of a kind make one piece. Which kinds are there, and which is never two?",
    ),
    Exercise(
        number="1.5",
        title="The order of merges",
        minutes=5,
        difficulty="easy",
        judge=Satisfies(_cuts_lower),
        right="The rank decides who takes the letter that two merges want.",
        hint="Both l + o and o + w want the o. Which of them has to come first?",
    ),
    Exercise(
        number="1.6",
        title="A word that BPE cuts better",
        minutes=10,
        difficulty="hard",
        judge=Satisfies(_beats_the_longest),
        right="The longest beginning leaves a rest that nothing fits; BPE does not go from the "
        "left.",
        hint="Let the computer search: the words of a text, or of this vocabulary put together.",
    ),
    Exercise(
        number="1.7",
        title="Teach it banana",
        minutes=10,
        difficulty="medium",
        judge=Satisfies(_learns_banana),
        right="Training merges what it has seen together most often, and knows nothing of fruit.",
        hint="Which words have ban and not ana, and which ana and not ban? Repeat them.",
    ),
    Exercise(
        number="1.8",
        title="Two texts in one row",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(_pair, _two_texts),
        right="A pair has one <s>, at the beginning, and three </s>: two of them in the middle.",
        hint="Print the tokens of a pair once more, and count the special ones.",
        mistakes={
            "How many </s> are there between the two texts?": _one_end_between,
            "BERT and others begin once only. Does the second text begin with <s> here?": (
                _begins_twice
            ),
        },
    ),
    Exercise(
        number="1.9",
        title="Windows, put together again",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_joined, _windows),
        right="Each window but the first repeats `stride` tokens, behind its own <s>.",
        hint="Take the frame off each window first, and then what it repeats.",
        mistakes={
            "The last tokens of a window come again at the beginning of the next one.": (
                _keeps_the_overlap
            ),
            "Each window has an <s> and a </s> of its own. The whole has one of each.": (
                _keeps_the_frames
            ),
        },
    ),
    Exercise(
        number="1.10",
        title="Seven bytes a token",
        minutes=5,
        difficulty="medium",
        judge=Satisfies(_dense),
        right="Long words that are common are the cheapest text there is.",
        hint="The longest tokens of the vocabulary are words: sort them by length.",
    ),
    Exercise(
        number="1.11",
        title="An expensive text",
        minutes=3,
        difficulty="easy",
        judge=Satisfies(_expensive),
        right="No text takes more tokens than it has bytes, and none here takes more than four "
        "times its characters.",
        hint="Exercise 1.1 had a character of four tokens.",
    ),
    Exercise(
        number="1.12",
        title="A vocabulary for Python",
        minutes=10,
        difficulty="medium",
        judge=Satisfies(_knows_python),
        right="A vocabulary a quarter of the size does better, on texts of the kind it comes from.",
        hint="Take the sources of several modules of the standard library, with their indentation.",
    ),
    Exercise(
        number="1.13",
        title="Your tokenizer equals this one",
        minutes=20,
        difficulty="hard",
        judge=SameTokens(_tokenize),
        right="1,000 texts, and not one id is another: bytes, pieces and merges are all there is.",
        hint="Print what each of the three steps gives for the text that parts, and compare with "
        "tokenizer.explain(text).",
        mistakes={
            "Of all pairs of a piece, the one of the lowest rank is merged first, not the leftmost "
            "that is known.": _by(PIECE, _leftmost_first),
            "One way through the symbols is not enough: a merge makes new pairs. Begin anew until "
            "no pair is known.": _by(PIECE, _one_pass),
            "A piece takes the one space before it along: where is [ ]? in your pattern?": (
                _by(_WITHOUT_SPACE, _merge)
            ),
            "A letter is one of any script, and so is a number: \\p{L} and \\p{N}, of the package "
            "regex.": _by(_OF_ASCII, _merge),
            "White space before a word keeps its last character back: \\s+(?!\\S).": (
                _by(_SPACES_AT_ONCE, _merge)
            ),
            "'s and 't and their like are pieces of their own: the first rule of the pattern.": (
                _by(_NO_CONTRACTIONS, _merge)
            ),
        },
    ),
]
