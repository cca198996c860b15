import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import AddedToken, RobertaTokenizer
from minirobert.tokenization.fast import text_encoder
from minirobert.tokenization.fast.text_encoder import FastTextEncoder
from minirobert.tokenization.text_encoder import TextEncoder
from tests.equivalence.texts import small_vocabularies, texts

KNOWN = ("ids", "tokens", "words", "spans", "trimmed", "trimmed_at_start")


def both(tokenizer):
    """Make the slow encoder of a tokenizer, whose fast one has seen other texts."""
    return TextEncoder(
        tokenizer._vocabulary, tokenizer._ranks, tokenizer.unk_token_id
    ), tokenizer._in_use.encoder


TOKENIZER = RobertaTokenizer.from_pretrained()
TOKENIZER.add_tokens([AddedToken("the", rstrip=True), AddedToken(" x", single_word=True)])
SLOW, FAST = both(TOKENIZER)


def check_alike(slow, fast, text, prefix, split):
    source = (text, prefix, split)
    expected = slow.encode(*source)
    assert type(fast) is FastTextEncoder
    assert slow.ids(*source) == fast.ids(*source) == expected.ids
    for found in (
        fast.encode(*source),
        *(fast.encoding(prefix, split, o, True)(text) for o in (0, 1)),
    ):
        for name in KNOWN:
            assert getattr(found, name) == getattr(expected, name), name
    if isinstance(text, str) and not prefix:
        assert fast.ids_and_offsets(text, split, True) == (expected.ids, expected.trimmed)
        assert fast.ids_and_offsets(text, split, False) == (expected.ids, expected.spans)


@given(text=texts, repeat=st.integers(1, 20), prefix=st.booleans(), split=st.booleans())
def test_a_text_is_encoded_as_the_definition_says(text, repeat, prefix, split):
    check_alike(SLOW, FAST, text * repeat, prefix, split)


@given(words=st.lists(texts, max_size=5), prefix=st.booleans(), split=st.booleans())
def test_words_are_encoded_as_the_definition_says(words, prefix, split):
    check_alike(SLOW, FAST, words, prefix, split)


@given(model=small_vocabularies(complete=False), text=texts, prefix=st.booleans())
def test_unknown_symbols_are_encoded_as_the_definition_says(model, text, prefix):
    check_alike(*both(RobertaTokenizer.from_vocab(*model)), text, prefix, False)


@pytest.mark.parametrize("text", ["a" * 3000, "ab" * 1000, " " * 3000, "\u00e9" * 999])
def test_a_long_piece(text):
    check_alike(SLOW, FAST, text, False, False)


@pytest.mark.parametrize("limit", [0, 1, 7])
def test_offsets_beyond_the_limit_are_not_shared(monkeypatch, limit):
    monkeypatch.setattr(text_encoder, "MAX_START", limit)
    encoder = RobertaTokenizer.from_pretrained()._in_use.encoder
    for _ in range(2):
        _, offsets = encoder.ids_and_offsets("to be or not", False, True)
        assert offsets == [(0, 2), (3, 5), (6, 8), (9, 12)]
    assert all(start < limit for start, table in enumerate(encoder._offsets_from) if table)
