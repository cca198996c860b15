from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.fast import shared_offsets
from minirobert.tokenization.fast.shared_offsets import MAX_END, STEP, OffsetTable, span_keys
from minirobert.tokenization.offsets import shifted

places = st.integers(0, MAX_END)


@given(ends=st.lists(st.tuples(places, places).map(sorted)), place=places)
def test_keys_are_moved_as_offsets_are(ends, place):
    spans = [tuple(each) for each in ends if each[1] + place <= MAX_END]
    table = OffsetTable()
    found = tuple(table[place * STEP + key] for key in span_keys(spans))
    assert found == shifted(spans, place)


def test_equal_offsets_are_one_tuple():
    table = OffsetTable()
    first, again = span_keys([(2, 5), (2, 5)])
    assert table[first] is table[again]


def test_the_table_stays_bounded(monkeypatch):
    monkeypatch.setattr(shared_offsets, "MAX_DIFFERENT_OFFSETS", 3)
    table = OffsetTable()
    for end in [1, 2, 3, 4, 5, 1]:
        assert table[span_keys([(0, end)])[0]] == (0, end)
        assert len(table) <= 3
