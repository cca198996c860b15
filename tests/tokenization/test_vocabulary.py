import pytest

from minirobert.tokenization.added_tokens import AddedToken
from minirobert.tokenization.vocabulary import Vocabulary


def test_missing_tokens_get_the_next_ids_in_order():
    special = [AddedToken("<s>"), AddedToken("b"), AddedToken("<mask>"), AddedToken("<s>")]
    vocabulary = Vocabulary({"b": 4, "a": 0}, {5: AddedToken("new")}, special)
    assert vocabulary.ids == {"a": 0, "b": 4, "new": 5, "<s>": 6, "<mask>": 7}
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


@pytest.mark.parametrize(
    ("declared", "ids", "message"),
    [
        ({5: AddedToken("a")}, {"a": 0, "c": 2}, "'a' has 0, not 5"),
        ({0: AddedToken("b")}, {"a": 0, "c": 2, "b": 3}, "'b' has 3, not 0"),
        ({9: AddedToken("d"), 4: AddedToken("b")}, {"a": 0, "c": 2, "b": 3, "d": 4}, "'b' has 3"),
    ],
)
def test_ids_that_added_tokens_cannot_have(declared, ids, message):
    with pytest.warns(UserWarning, match=f"added tokens have the ids .*: {message}") as seen:
        vocabulary = Vocabulary({"a": 0, "c": 2}, declared, [])
    assert len(seen) == 1
    assert vocabulary.ids == ids


def test_an_added_token_may_fill_a_gap_of_the_vocabulary():
    assert Vocabulary({"a": 0, "c": 2}, {1: AddedToken("b")}, []).token(1) == "b"
