import numpy as np
import pytest
import torch

from minirobert.tokenization.decoding import (
    as_ids,
    clean_up_tokenization,
    spaced_text,
    tokens_to_text,
)


def test_a_character_may_be_spread_over_tokens():
    assert tokens_to_text(["ðŁĺ", "Ģ"], (), "strict") == "😀"
    assert tokens_to_text(["ðŁĺ", "<s>", "Ģ"], {"<s>"}, "replace") == "\ufffd<s>\ufffd"


def test_added_tokens_stand_for_themselves():
    assert tokens_to_text(["é"], (), "replace") == "\ufffd"
    assert tokens_to_text(["é", "Ġ"], {"é", "Ġ"}, "replace") == "éĠ"


def test_what_decodes_to_nothing_gets_no_spaces():
    apart = {"[X]"}
    assert spaced_text(["[X]", "Ã", "[X]"], apart, apart, "ignore") == "[X] [X]"
    assert spaced_text(["Ã", "[X]", "Ã"], apart, apart, "ignore") == "[X]"
    assert spaced_text(["[X]", "Ã", "[X]"], apart, apart, "replace") == "[X] \ufffd [X]"


def test_clean_up():
    assert clean_up_tokenization("Hi , I do n't . I 'm ' here ' 've 're 's ! ? 'll") == (
        "Hi, I don't. I'm'here''ve're's!? 'll"
    )


def test_ids():
    assert as_ids(5) == [5]
    assert as_ids((5, np.int64(6))) == [5, 6]
    assert as_ids(np.array([5, 6])) == [5, 6]
    assert as_ids(np.array(5)) == [5]
    assert as_ids(iter([])) == []
    several = as_ids([torch.tensor(5), np.array(6), True])
    assert several == [5, 6, 1]
    assert set(map(type, several)) == {int}


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ("ab", "ids are 'ab': they must be .* integers; encode gives those of a text, convert_tok"),
        (None, "ids are None"),
        (1.5, r"ids are 1\.5"),
        ([[1, 2]], r"ids\[0\] is of type list.*batch_decode"),
        ([1, "2"], r"ids\[1\] is of type str: it must be an integer; convert_tokens_to_ids gives"),
        ([torch.tensor(1), torch.tensor([1, 2])], r"ids\[1\] is of type Tensor"),
        ([torch.tensor(1.5)], r"ids\[0\] is of type Tensor"),
        (np.array([1.5]), r"ids\[0\] is of type float"),
    ],
)
def test_no_ids(ids, message):
    with pytest.raises(TypeError, match=message):
        as_ids(ids)
