import numpy as np
import pytest

from minirobert.tokenization.decoding import as_ids, clean_up_tokenization, tokens_to_text


def test_a_character_may_be_spread_over_tokens():
    assert tokens_to_text(["ðŁĺ", "Ģ"], (), "strict") == "😀"
    assert tokens_to_text(["ðŁĺ", "<s>", "Ģ"], {"<s>"}, "replace") == "\ufffd<s>\ufffd"


def test_added_tokens_stand_for_themselves():
    assert tokens_to_text(["é"], (), "replace") == "\ufffd"
    assert tokens_to_text(["é", "Ġ"], {"é", "Ġ"}, "replace") == "éĠ"


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


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ("12", "ids are '12': they must be an integer or a sequence of integers"),
        (None, "ids are None"),
        (1.5, r"ids are 1\.5"),
        ([[1, 2]], r"ids\[0\] is of type list.*batch_decode"),
        ([1, "2"], r"ids\[1\] is of type str"),
        (np.array([1.5]), r"ids\[0\] is of type float"),
    ],
)
def test_no_ids(ids, message):
    with pytest.raises(TypeError, match=message):
        as_ids(ids)
