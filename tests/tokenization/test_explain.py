import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import AddedToken, RobertaTokenizer
from minirobert.tokenization.explain import MOST_SYMBOLS
from tests.equivalence.texts import TINY, ours, texts


@given(text=texts, prefix=st.booleans(), trim=st.booleans(), split=st.booleans())
def test_the_path_leads_to_the_tokens(text, prefix, trim, split):
    tokenizer = ours(TINY, add_prefix_space=prefix, trim_offsets=trim, split_special_tokens=split)
    explanation = tokenizer.explain(text)
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    assert explanation.ids == encoding.input_ids
    assert explanation.tokens == encoding.tokens()
    assert explanation.offsets == encoding.offset_mapping
    words = [n for n, piece in enumerate(explanation.pieces) for _ in piece.tokens]
    assert words == encoding.word_ids()
    assert str(explanation).count("  token ") == len(encoding.input_ids)


@given(text=texts, prefix=st.booleans())
def test_each_step_follows_from_the_one_before(text, prefix):
    tokenizer = ours(TINY, add_prefix_space=prefix)
    merges = tokenizer.merges
    for piece in tokenizer.explain(text).pieces:
        states = piece.states
        assert states[-1] == [token.token for token in piece.tokens]
        for merge, before, after in zip(piece.merges, states, states[1:], strict=False):
            assert merges[merge.rank] == (merge.left, merge.right)
            at = merge.position
            assert before[at : at + 2] == [merge.left, merge.right]
            assert after == [*before[:at], merge.left + merge.right, *before[at + 2 :]]
        start, end = piece.offsets
        assert piece.text.removeprefix(" ") in text[start:end] or prefix


def test_kinds():
    tokenizer = RobertaTokenizer.from_pretrained()
    tokenizer.add_tokens(AddedToken("[X]", lstrip=True))
    pieces = tokenizer.explain("it's  12½ été!?\n\n [X]'S").pieces
    assert [(piece.text, piece.kind) for piece in pieces] == [
        ("it", "letters"),
        ("'s", "contraction"),
        (" ", "white space"),
        (" 12½", "numbers"),
        (" été", "letters"),
        ("!?", "other"),
        ("\n\n [X]", "added token"),
        ("'", "other"),
        ("S", "letters"),
    ]
    assert pieces[4].bytes == b" \xc3\xa9t\xc3\xa9"
    assert pieces[4].symbols == ["Ġ", "Ã", "©", "t", "Ã", "©"]
    assert pieces[6].symbols == ["[X]"]


def test_the_empty_text():
    explanation = RobertaTokenizer.from_pretrained().explain("")
    assert (explanation.pieces, explanation.ids, str(explanation)) == ((), [], "")


def test_a_space_that_is_put_in_is_shown():
    piece, _ = RobertaTokenizer.from_pretrained().explain("low!", add_prefix_space=True).pieces
    assert (piece.text, piece.offsets) == (" low", (0, 3))
    assert piece.tokens[0].offsets[0] == 0


def test_a_long_piece_is_shown_without_its_states():
    tokenizer = RobertaTokenizer.from_pretrained()
    short, long = ("the" * (n // 3) for n in (MOST_SYMBOLS - 1, MOST_SYMBOLS + 2))
    (piece,) = tokenizer.explain(short).pieces
    assert all("symbols" in merge for merge in piece.to_dict()["merges"])
    (piece,) = tokenizer.explain(long).pieces
    with pytest.raises(ValueError, match=r"has 258 symbols, and its states are kept up to 256"):
        _ = piece.states
    described = piece.to_dict()
    assert described["merges"] == [merge._asdict() for merge in piece.merges]
    first = piece.merges[0]
    joined = f"->  {first.left}{first.right}, symbol {first.position}"
    assert joined in str(piece).splitlines()[3]
    symbols = piece.symbols
    for merge in piece.merges:
        merge.apply(symbols)
    assert symbols == tokenizer.tokenize(long)
