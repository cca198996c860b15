from minirobert.tokenization.fast import piece_table
from minirobert.tokenization.fast.piece_table import PieceTable


def test_an_entry_is_computed_once():
    asked = []
    table = PieceTable(lambda piece: asked.append(piece) or len(piece))
    assert [table[piece] for piece in ("ab", "a", "ab")] == [2, 1, 2]
    assert asked == ["ab", "a"]


def test_the_table_stays_bounded(monkeypatch):
    monkeypatch.setattr(piece_table, "MAX_CACHED_PIECES", 3)
    monkeypatch.setattr(piece_table, "MAX_CACHED_LENGTH", 4)
    table = PieceTable(len)
    for piece in ("a", "b", "ab", "aab", "aaaaa", "a"):
        assert table[piece] == len(piece)
        assert len(table) <= 3
    assert "aaaaa" not in table
