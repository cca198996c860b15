"""The steps of the definition; that the fast encoder takes the same is tested with that."""

from minirobert.tokenization import AddedToken
from minirobert.tokenization.text_encoder import Piece, TextEncoder
from minirobert.tokenization.vocabulary import Vocabulary

MASK = AddedToken("<mask>", lstrip=True, special=True)
VOCABULARY = Vocabulary({token: i for i, token in enumerate("ab\u0120")} | {"ab": 3}, {}, [MASK])
ENCODER = TextEncoder(VOCABULARY, {("a", "b"): 0}, unk_id=9)


def test_pieces_and_where_they_begin():
    text = "ab b  <mask>a"
    pieces = [Piece(0, "ab"), Piece(2, " b"), Piece(4, "  <mask>", MASK), Piece(12, "a")]
    assert list(ENCODER.pieces(text, False, False)) == pieces
    with_spaces = [Piece(0, " ab", None, True), *pieces[1:3], Piece(12, " a", None, True)]
    assert list(ENCODER.pieces(text, True, False)) == with_spaces


def test_a_new_space_belongs_to_the_first_character():
    encoded = ENCODER.encode_piece(Piece(0, " ab", has_new_space=True))
    assert encoded.tokens == ("\u0120", "ab")
    assert encoded.spans == ((0, 1), (0, 2))


def test_unknown_tokens():
    assert ENCODER.encode_piece(Piece(0, "axb")).ids == (0, 9, 1)


def test_words_are_numbered_as_given():
    assert ENCODER.encode(["ab a", "b"]).words == [0, 0, 0, 1]
    assert ENCODER.encode("ab a b").words == [0, 1, 1, 2, 2]
