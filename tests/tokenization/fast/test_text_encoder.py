import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import AddedToken, RobertaTokenizer
from minirobert.tokenization.fast.shared_offsets import MAX_END
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
    if isinstance(text, str) and not prefix and len(text) <= MAX_END:
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


@pytest.mark.parametrize("length", [MAX_END - 1, MAX_END, MAX_END + 1, 2 * MAX_END])
@pytest.mark.parametrize("part", ["to be  ", "a\u0301<mask>", "\u3042", "\U0001f600 ", " "])
def test_offsets_at_the_last_place_that_is_kept(part, length):
    text = (part * length)[:length]
    for trims in (True, False):
        found = FAST.encoding(False, False, True, trims)(text)
        expected = SLOW.encode(text) if length < MAX_END else FAST.encode(text)
        assert found.ids == expected.ids
        offsets = found.trimmed if trims else found.spans
        assert (found.offsets or offsets) == (expected.trimmed if trims else expected.spans)
        assert (found.offsets is None) == (length > MAX_END)


def test_texts_share_their_offsets():
    first, second = (FAST.ids_and_offsets(text, False, True)[1] for text in ("to be", "or not"))
    assert first[0] is second[0]
