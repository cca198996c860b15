from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import RobertaTokenizer
from minirobert.tokenization.bpe import bpe, rank_merges
from minirobert.tokenization.byte_alphabet import text_to_symbols
from minirobert.tokenization.fast.stretches import Stretches
from tests.equivalence.texts import small_vocabularies, texts

RANKS = RobertaTokenizer.from_pretrained()._ranks
STRETCHES = Stretches(RANKS)


def check(stretches, ranks, piece):
    cut = stretches.of(piece)
    assert "".join(cut) == text_to_symbols(piece)
    assert all(cut)
    tokens = [token for stretch in cut for token in bpe(stretch, ranks)]
    assert tokens == bpe(text_to_symbols(piece), ranks)


@given(piece=texts.filter(bool), repeat=st.integers(1, 5))
def test_no_merge_goes_across(piece, repeat):
    check(STRETCHES, RANKS, piece * repeat)


@given(model=small_vocabularies(complete=False), piece=st.text("ab \u00e9\u00ea\u3042\U0001f600"))
def test_no_merge_of_any_vocabulary_goes_across(model, piece):
    ranks = rank_merges(model[1])
    if piece:
        check(Stretches(ranks), ranks, piece)


def test_characters_of_which_the_merges_know_nothing_are_cut_apart():
    assert Stretches([("a", "b")]).of("aba b") == ["ab", "a", "\u0120", "b"]


def test_merges_of_what_is_no_byte_are_passed_over():
    assert Stretches([("\u4e00", "a"), ("", "b"), ("a", " ")]).of("ab") == ["a", "b"]
