import time
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.added_tokens import AddedToken, AddedTokenSplitter


def parts(text, *tokens):
    return [text[start:end] for start, end, _ in AddedTokenSplitter(tokens).split(text)]


def test_tokens_are_normalized_unless_special():
    assert AddedToken("x").normalized is True
    assert AddedToken("x", special=True).normalized is False
    assert AddedToken("x", special=True, normalized=True).normalized is True


@pytest.mark.parametrize("content", ["", None, 3])
def test_content_must_be_text(content):
    with pytest.raises(ValueError, match="must be a string with at least one character"):
        AddedToken(content)


def test_tokens_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        AddedToken("x").content = "y"


def test_text_without_tokens_is_one_segment():
    assert parts("a b", AddedToken("<x>")) == ["a b"]
    assert parts("a b") == ["a b"]
    assert parts("", AddedToken("<x>")) == []


def test_the_longest_token_wins():
    assert parts("abcd", AddedToken("ab"), AddedToken("abc")) == ["abc", "d"]


def test_tokens_that_are_not_normalized_are_found_first():
    long, short = AddedToken("abc"), AddedToken("bc", normalized=False)
    assert parts("abcd", long, short) == ["a", "bc", "d"]


def test_white_space_goes_with_the_token():
    assert parts("a \n\u3000<x> b", AddedToken("<x>", lstrip=True)) == ["a", " \n\u3000<x>", " b"]
    assert parts("a <x> \n\u3000b", AddedToken("<x>", rstrip=True)) == ["a ", "<x> \n\u3000", "b"]
    assert parts("a\x1c<x>", AddedToken("<x>", lstrip=True)) == ["a\x1c", "<x>"]


def test_neighbours_share_white_space_once():
    token = AddedToken("<x>", lstrip=True, rstrip=True)
    assert parts("<x>  <x>", token) == ["<x>  ", "<x>"]


def test_single_words():
    token = AddedToken("ab", single_word=True)
    assert parts("ab cab abc ab1 ab_ -ab-", token) == ["ab", " cab abc ab1 ab_ -", "ab", "-"]


def test_a_token_of_an_earlier_turn_does_not_touch_a_word():
    word, earlier = AddedToken("xx", single_word=True), AddedToken("foo", normalized=False)
    splitter = AddedTokenSplitter([word, earlier])
    assert [token for _, _, token in splitter.split("fooxx")] == [earlier, word]
    assert [token for _, _, token in splitter.split("xxfoo")] == [word, earlier]


def test_a_token_of_the_same_turn_touches_a_word():
    word, neighbour = AddedToken("xx", single_word=True), AddedToken("foo")
    splitter = AddedTokenSplitter([word, neighbour])
    assert [token for _, _, token in splitter.split("fooxx")] == [neighbour, None]
    assert [token for _, _, token in splitter.split("xxfoo")] == [None, neighbour]


def test_white_space_that_a_token_takes_along_may_begin_another():
    assert parts("a  b", AddedToken("a", rstrip=True), AddedToken(" b")) == ["a  ", " b"]
    assert parts("a \t c", AddedToken("a", rstrip=True), AddedToken("\t")) == ["a \t ", "\t", " c"]
    taken = AddedToken("\t", lstrip=True)
    assert parts("a \t c", AddedToken("a", rstrip=True), taken) == ["a \t ", "c"]


@given(
    st.text(" a<x>\n"),
    st.builds(AddedToken, st.just("<x>"), lstrip=st.booleans(), rstrip=st.booleans()),
)
def test_segments_cover_the_text(text, token):
    segments = AddedTokenSplitter([token]).split(text)
    assert "".join(text[start:end] for start, end, _ in segments) == text
    assert all(start < end for start, end, _ in segments)
    assert sum(added is token for _, _, added in segments) == text.count("<x>")


def test_long_runs_of_white_space_take_no_longer_than_they_should():
    splitter = AddedTokenSplitter([AddedToken("<x>", lstrip=True, rstrip=True)])
    text = " " * 100_000
    start = time.perf_counter()
    assert [len(splitter.split(text + end)) for end in ("", "<x>", "b<x>", "<x" * 9)] == [
        1,
        1,
        2,
        1,
    ]
    assert time.perf_counter() - start < 2  # quadratic work would take minutes
