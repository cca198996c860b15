"""Tokenizers that are trained are those that transformers trains."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaTokenizerFast as FastTokenizer

from minirobert.tokenization import AddedToken, RobertaTokenizer
from minirobert.tokenization.trainer import ROBERTA_SPECIAL_TOKENS
from tests.equivalence.texts import a_few_merges, fragments, hf_added_token, texts

logging.getLogger("transformers").setLevel(logging.ERROR)

corpora = st.lists(st.lists(fragments, max_size=30).map("".join), max_size=5)


@given(corpus=corpora, size=st.integers(261, 300), prefix=st.booleans(), text=texts)
def test_train(corpus, size, prefix, text):
    theirs = ByteLevelBPETokenizer(add_prefix_space=prefix)
    theirs.train_from_iterator(
        corpus, size, special_tokens=list(ROBERTA_SPECIAL_TOKENS), show_progress=False
    )
    mine = RobertaTokenizer.train(corpus, size, add_prefix_space=prefix, show_progress=False)
    assert mine.get_vocab() == theirs.get_vocab()
    assert (len(mine), mine.vocab_size) == (len(theirs.get_vocab()),) * 2
    if "<" not in text:  # its <mask> takes no white space along
        assert mine.encode(text, add_special_tokens=False) == theirs.encode(text).ids


@given(corpus=corpora, size=st.integers(270, 300), prefix=st.booleans(), text=texts)
def test_train_new_from_iterator(corpus, size, prefix, text):
    mine, theirs = (
        make.from_pretrained(a_few_merges(), add_prefix_space=prefix, padding_side="left")
        for make in (RobertaTokenizer, FastTokenizer)
    )
    added = AddedToken("[A]", lstrip=True, special=True)
    for tokenizer, token in ((mine, added), (theirs, hf_added_token(added))):
        tokenizer.add_special_tokens({"additional_special_tokens": [token]})
        tokenizer.add_tokens(["ordinary"])
    names = {"<pad>": "[P]"}  # an additional token keeps its old name in transformers, besides
    options = {"new_special_tokens": ["[N]"], "special_tokens_map": names}
    ours = mine.train_new_from_iterator(iter(corpus), size, show_progress=False, **options)
    expected = theirs.train_new_from_iterator(iter([corpus]), size, show_progress=False, **options)
    assert ours.get_vocab() == expected.get_vocab()
    assert ours.merges == [tuple(merge) for merge in merges_of(expected)]
    assert ours.pad_token == expected.pad_token == "[P]"
    assert ours.padding_side == expected.padding_side == "left"
    assert ours.model_max_length == expected.model_max_length
    text = f"{text} [N] [A] ordinary"
    assert ours.encode(text) == expected.encode(text)
    assert ours.added_tokens_decoder[ours.mask_token_id].lstrip
    assert mine.pad_token == "<pad>"


def merges_of(tokenizer):
    return json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]


def test_tokens_without_a_role_become_additional_ones():
    special = ["<s>", "<pad>", AddedToken("[A]", rstrip=True, special=True), "[B]", "[P]"]
    tokenizer = RobertaTokenizer.train(
        ["a b"], 270, special_tokens=special, pad_token="[P]", show_progress=False
    )
    assert tokenizer.additional_special_tokens == ["<pad>", "[A]", "[B]"]
    assert tokenizer.added_tokens_decoder[2] == AddedToken("[A]", rstrip=True, special=True)
    assert tokenizer.pad_token_id == 4
    assert tokenizer.tokenize("a[A] b") == ["a", "[A]", "b"]
    assert {"</s>", "<unk>", "<mask>"} <= tokenizer.get_added_vocab().keys()


def test_a_trained_tokenizer_is_saved(tmp_path):
    tokenizer = RobertaTokenizer.train(["low lower lowest"] * 3, 265, show_progress=False)
    tokenizer.save_pretrained(tmp_path)
    for other in (RobertaTokenizer, FastTokenizer):
        loaded = other.from_pretrained(tmp_path)
        assert loaded.tokenize("lowest slow") == tokenizer.tokenize("lowest slow")


def test_what_is_wrong_is_said_before_the_first_text_is_read():
    def never():
        pytest.fail("a text was read")
        yield

    with pytest.raises(
        ValueError, match="vocab_size is 100, but must be an integer of at least 261"
    ):
        RobertaTokenizer.train(never(), 100)
