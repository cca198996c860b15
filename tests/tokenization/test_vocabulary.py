import pytest

from minirobert.tokenization.added_tokens import AddedToken
from minirobert.tokenization.vocabulary import Vocabulary


def test_missing_tokens_get_the_next_ids_in_order():
    special = [AddedToken("<s>"), AddedToken("b"), AddedToken("<mask>"), AddedToken("<s>")]
    vocabulary = Vocabulary({"b": 4, "a": 0}, {7: AddedToken("new")}, special)
    assert vocabulary.ids == {"a": 0, "b": 4, "new": 7, "<s>": 8, "<mask>": 9}
    assert vocabulary.base == {"a": 0, "b": 4}
    assert list(vocabulary.added) == ["new", "<s>", "b", "<mask>"]


def test_ids_and_tokens_agree():
    vocabulary = Vocabulary({"b": 1, "a": 0}, {}, [AddedToken("c")])
    assert {vocabulary.token(index): index for index in range(len(vocabulary))} == vocabulary.ids


@pytest.mark.parametrize("index", [-1, 3, 99])
def test_unknown_ids(index):
    vocabulary = Vocabulary({"b": 1, "a": 0, "c": 5}, {}, [])
    with pytest.raises(ValueError, match=rf"no token has the id {index}: .* 3 tokens.* 0 to 5"):
        vocabulary.token(index)


def test_an_added_token_must_have_the_id_that_the_vocabulary_gives_it():
    with pytest.raises(ValueError, match=r"'a' has the id 5, but the vocabulary gives it the id 0"):
        Vocabulary({"a": 0}, {5: AddedToken("a")}, [])


def test_an_added_token_must_have_an_id_of_its_own():
    with pytest.raises(ValueError, match=r"'b' has the id 0, which belongs to 'a'"):
        Vocabulary({"a": 0}, {0: AddedToken("b")}, [])
