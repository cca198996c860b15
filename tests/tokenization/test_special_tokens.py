import pytest

from minirobert.tokenization.added_tokens import AddedToken
from minirobert.tokenization.special_tokens import (
    resolve_special_tokens,
    special_token,
    with_special_tokens,
)


def test_only_the_mask_takes_white_space():
    assert special_token("mask_token", "<mask>") == AddedToken(
        "<mask>", lstrip=True, normalized=False, special=True
    )
    assert special_token("pad_token", "<pad>") == AddedToken("<pad>", normalized=True, special=True)


def test_a_string_has_the_flags_of_the_declared_token():
    declared = AddedToken("<mask>", rstrip=True)
    [(name, token)] = resolve_special_tokens([("mask_token", "<mask>")], [declared])
    assert name == "mask_token"
    assert token == AddedToken("<mask>", rstrip=True, normalized=True, special=True)


def test_a_given_token_wins_over_the_declared_one_for_all_its_names():
    given = [("cls_token", "<s>"), ("bos_token", AddedToken("<s>", rstrip=True))]
    resolved = dict(resolve_special_tokens(given, [AddedToken("<s>", lstrip=True)]))
    assert resolved["cls_token"] == resolved["bos_token"]
    assert (resolved["cls_token"].lstrip, resolved["cls_token"].rstrip) == (False, True)


def test_a_special_token_must_be_text():
    with pytest.raises(TypeError, match="pad_token is None: it must be a string or an AddedToken"):
        resolve_special_tokens([("pad_token", None)], [])


def test_format():
    assert with_special_tokens([[5]], 0, 2) == [0, 5, 2]
    assert with_special_tokens([[5], [6, 7]], 0, 2) == [0, 5, 2, 2, 6, 7, 2]
    assert with_special_tokens([[], []], 0, 2) == [0, 2, 2, 2]
