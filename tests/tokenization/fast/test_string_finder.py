import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import AddedToken, RobertaTokenizer, added_tokens
from minirobert.tokenization.fast.string_finder import StringFinder
from tests.equivalence.texts import texts


@given(
    strings=st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=12),
    text=st.text("abcd", max_size=40),
    cuts=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_it_finds_what_a_pattern_finds(strings, text, cuts):
    first, last = sorted(min(cut, len(text)) for cut in cuts)
    pattern = re.compile("|".join(sorted(strings, key=len, reverse=True)))
    expected = [match.span() for match in pattern.finditer(text, first, last)]
    assert [*StringFinder(strings).spans(text, first, last)] == expected


def tokens(seed):
    """Make tokens of pieces of texts, with flags."""
    draw = random.Random(seed)
    contents = ["<mask>", "<m", "a", "  ", "the", "he", "he w", "'", "👍", " x", "1", "ld <"]
    flags = ("single_word", "lstrip", "rstrip", "special", "normalized")
    return [
        AddedToken(content, **{flag: draw.random() < 0.3 for flag in flags})
        for content in draw.sample(contents, 6)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_many_tokens_split_a_text_as_few_do(seed, monkeypatch):
    few, many = (RobertaTokenizer.from_pretrained() for _ in range(2))
    for tokenizer in (few, many):
        tokenizer.add_tokens(tokens(seed))

    @given(text=texts)
    def check(text):
        monkeypatch.setattr(added_tokens, "MAX_PATTERN", 512)
        expected = few(text, return_offsets_mapping=True)
        monkeypatch.setattr(added_tokens, "MAX_PATTERN", 0)
        assert many(text, return_offsets_mapping=True) == expected

    check()
