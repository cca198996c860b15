from minirobert.tokenization.fast import shared_offsets
from minirobert.tokenization.fast.shared_offsets import OffsetsFrom, SpanTable


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
