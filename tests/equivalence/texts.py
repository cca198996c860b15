"""Texts, vocabularies and tokenizers for the tests against transformers."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import warnings
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from tokenizers import AddedToken as HFAddedToken
from transformers import RobertaTokenizer as SlowTokenizer
from transformers import RobertaTokenizerFast as FastTokenizer

import minirobert
from minirobert.tokenization import AddedToken, RobertaTokenizer, train_bpe
from minirobert.tokenization.byte_alphabet import text_to_symbols

TINY = Path(minirobert.__file__).parent / "checkpoints" / "tiny"
ROBERTA_BASE = os.environ.get("MINIROBERT_ROBERTA_BASE")
DIRECTORIES = [TINY, *([Path(ROBERTA_BASE)] if ROBERTA_BASE else [])]

SPECIAL = ["<s>", "</s>", "<pad>", "<unk>", "<mask>"]

# `regex` and the regular expressions of the Rust tokenizers know the letters and numbers of
# different versions of Unicode. They agree on every code point that Python's `unicodedata` calls
# assigned (`test_every_assigned_character_is_in_the_same_class`), so texts are drawn from these.
characters = st.characters(exclude_categories=["Cs", "Cn"])

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
# Not white space in Unicode's sense, though Python's `str.isspace` or common belief has it so.
NEARLY_WHITE_SPACE = "\x1c\x1d\x1e\x1f\u200b\u180e\ufeff"

fragments = st.one_of(
    characters,
    st.text(characters, max_size=4),
    st.sampled_from(SPECIAL),
    st.sampled_from([*WHITE_SPACE, *NEARLY_WHITE_SPACE]),
    st.sampled_from(["  ", "   ", "\n\n", " \n ", "\r\n", "\t\t"]),
    st.sampled_from(["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "’s", "'", "''re"]),
    st.sampled_from(["Hello", "world", " the", "don't", "WE'LL", "a", " x", "naïve", "日本語"]),
    st.sampled_from(
        ["e\u0301", "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "❤\ufe0f", "نص", "हिन्दी", "ไทย"]
    ),
    st.sampled_from(["0", "٣", "½", "²", "Ⅷ", "१२", "3.14", "100,000", "𝟜"]),
    st.sampled_from(["\x00", "\x7f", "\x80", "\xad", "\u202e", "\U0010fffd", "Ġ", "Ċ", "<", ">"]),
    st.sampled_from(["<MASK>", "< mask>", "<mask", "s>", "<|endoftext|>", "madeupword0000"]),
)
texts = st.lists(fragments, max_size=10).map("".join)
plain_texts = (st.text(characters, max_size=30) | texts).filter(
    lambda text: not any(special in text for special in SPECIAL)
)
# Before `<mask>` the slow tokenizer strips what `str.rstrip` strips, U+001C to U+001F included.
slow_texts = texts.filter(lambda text: not set("\x1c\x1d\x1e\x1f") & set(text))


directories = pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
sides = st.sampled_from(["right", "left"])
COLUMNS = {
    "return_token_type_ids": True,
    "return_attention_mask": True,
    "return_special_tokens_mask": True,
    "return_offsets_mapping": True,
    "return_length": True,
}


def quietly(call, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **kwargs)


def assert_equal_encodings(mine, theirs):
    assert list(mine) == list(theirs)
    for name in mine:
        if isinstance(mine[name], np.ndarray):
            assert mine[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(mine[name], theirs[name])
        else:
            assert mine[name] == theirs[name], name


@cache
def _loaded(make: type, directory: Path, **options: object) -> Any:
    return make.from_pretrained(directory, **options)


def _as_new(make: type, directory: Path, options: dict[str, object]) -> Any:
    """Load once, and undo what the last test has set."""
    tokenizer = _loaded(make, directory, **options)
    tokenizer.truncation_side = tokenizer.padding_side = "right"
    return tokenizer


def ours(directory: Path, **options: object) -> RobertaTokenizer:
    return _as_new(RobertaTokenizer, directory, options)


def fast(directory: Path, **options: object) -> FastTokenizer:
    return _as_new(FastTokenizer, directory, options)


def slow(directory: Path, **options: object) -> SlowTokenizer:
    return _as_new(SlowTokenizer, directory, options)


def hf_added_token(token: AddedToken) -> HFAddedToken:
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return HFAddedToken(token.content, **{flag: getattr(token, flag) for flag in flags})


@cache
def a_few_merges() -> Path:
    """Save a tokenizer of RoBERTa that loads sooner than any real one."""
    vocab, merges = train_bpe(["low lower lowest, it's a <mask>"] * 3, 290, show_progress=False)
    directory = Path(mkdtemp())
    atexit.register(shutil.rmtree, directory)
    tokenizer = RobertaTokenizer.from_vocab(vocab, merges, model_max_length=77)
    tokenizer.save_pretrained(directory)
    return directory


SMALL_ALPHABET = "abé ’"


@st.composite
def small_vocabularies(draw, complete):
    """Draw a vocabulary over a few characters, with merges; not `complete`: symbols are missing."""
    symbols = sorted(set(text_to_symbols(SMALL_ALPHABET)))
    if not complete:
        symbols = draw(st.lists(st.sampled_from(symbols), unique=True, min_size=1))
    tokens, merges = list(symbols), []
    for _ in range(draw(st.integers(0, 8))):
        pair = draw(st.tuples(st.sampled_from(tokens), st.sampled_from(tokens)))
        if pair not in merges:
            merges.append(pair)
            tokens.append("".join(pair))
    tokens = draw(st.permutations(list(dict.fromkeys([*tokens, *SPECIAL]))))
    return {token: index for index, token in enumerate(tokens)}, merges


def write_vocabulary(directory: Path, vocab: dict[str, int], merges: list[tuple[str, str]]) -> None:
    (directory / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    lines = ["#version: 0.2", *map(" ".join, merges)]
    (directory / "merges.txt").write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
