import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import RobertaTokenizer, text_encoder
from minirobert.tokenization.fast import shared_offsets
from minirobert.tokenization.fast.shared_offsets import OffsetsFrom, SpanTable, shifted
from tests.equivalence.texts import texts

TOKENIZER = RobertaTokenizer.from_pretrained()


@given(text=texts, repeat=st.integers(1, 30), split=st.booleans(), trim=st.booleans())
def test_one_pass_gives_what_the_definitions_give(text, repeat, split, trim):
    encoder, text = TOKENIZER._encoder, text * repeat
    pieces = encoder.encode(text, add_prefix_space=False, split_special_tokens=split)
    ids, offsets = encoder.ids_and_offsets(text, split, trim)
    assert ids == pieces.ids
    assert offsets == (pieces.trimmed if trim else pieces.spans)


@pytest.mark.parametrize("limit", [0, 1, 7])
def test_offsets_beyond_the_limit_are_not_shared(monkeypatch, limit):
    monkeypatch.setattr(text_encoder, "MAX_START", limit)
    encoder = RobertaTokenizer.from_pretrained()._encoder
    for _ in range(2):
        _, offsets = encoder.ids_and_offsets("to be or not", False, True)
        assert offsets == [(0, 2), (3, 5), (6, 8), (9, 12)]
    assert all(start < limit for start, table in enumerate(encoder._offsets_from) if table)


def test_equal_spans_have_one_entry():
    table = SpanTable()
    assert table[((0, 2), (2, 3))] is table[((0, 2), (2, 3))]
    assert table[((0, 2),)] is not table[((0, 3),)]


def test_tables_stay_bounded(monkeypatch):
    monkeypatch.setattr(shared_offsets, "MAX_SPANS", 3)
    monkeypatch.setattr(shared_offsets, "MAX_DIFFERENT_SPANS", 3)
    spans, offsets = SpanTable(), OffsetsFrom(10)
    for end in [1, 2, 3, 4, 5, 1]:
        assert offsets[spans[((0, end),)]] == ((10, 10 + end),)
        assert len(spans) <= 3
        assert len(offsets) <= 3


def test_the_spans_of_many_tokens_are_not_kept(monkeypatch):
    monkeypatch.setattr(shared_offsets, "MAX_TOKENS", 1)
    spans, offsets = SpanTable(), OffsetsFrom(10)
    two = ((0, 1), (1, 3))
    assert offsets[spans[two]] == ((10, 11), (11, 13))
    assert offsets[spans[two[:1]]] == ((10, 11),)
    assert list(offsets) == [spans[two[:1]]]


def test_shifted():
    assert shifted([(0, 2), (2, 2)], 5) == ((5, 7), (7, 7))
