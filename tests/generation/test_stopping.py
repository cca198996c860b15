"""What ends texts: strings against transformers' class, functions and time, and what is refused."""

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation.stopping_criteria import StopStringCriteria

from minirobert import TINY, GenerationConfig, RobertaTokenizer
from minirobert.generation import Steering, StopStrings
from minirobert.generation.stopping import Stopping
from tests.generation.test_generate import PROMPTS, everywhere, lively
from tests.libraries import host


@pytest.fixture(scope="module")
def tokenizers():
    return transformers.RobertaTokenizerFast.from_pretrained(
        TINY
    ), RobertaTokenizer.from_pretrained()


TEXTS = [
    "The sky is blue, cats are not.",
    " a  b!! ",
    "<s>Anna lives in Rome.</s><pad><pad>",
    "aaaa a",
]


@settings(max_examples=150)
@given(data=st.data())
def test_strings_end_texts_as_there(tokenizers, data):
    theirs, ours = tokenizers
    texts = data.draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2).map("".join))
    ids = theirs(texts, add_special_tokens=False)["input_ids"]
    ids = ids[: data.draw(st.integers(1, len(ids)))]
    more = data.draw(st.lists(st.integers(0, 400), max_size=2))  # among them parts of characters
    row = np.array([[*ids, *more]])
    text = theirs.decode(row[0]) + "x"
    pieces = st.integers(0, len(text) - 1).flatmap(
        lambda start: st.integers(1, 6).map(lambda n: text[start : start + n])
    )
    stops = data.draw(st.lists(pieces | st.just("Rome"), min_size=1, max_size=3))
    stops = [one for one in stops if one.isascii()] or ["a"]
    expected = StopStringCriteria(theirs, stops)(torch.tensor(row), None).tolist()
    assert StopStrings(stops, ours)(row) == expected


def test_a_character_of_several_tokens_ends_a_text(tokenizers):
    ours = tokenizers[1]
    ids = ours.encode("a 🥐 b", add_special_tokens=False)
    stop = StopStrings(["🥐"], ours)
    ends = [stop(np.array([ids[:n]])) for n in range(1, len(ids) + 1)]
    assert ends.count([True]) == 1
    assert ours.decode(ids[: ends.index([True]) + 1]) == "a 🥐"


def test_an_id_without_a_token_parts_a_string(tokenizers):
    ours = tokenizers[1]
    one, other = ours.convert_tokens_to_ids(["a", "b"])
    ids = np.array([[one, other], [one, 9999], [9999, other]])
    assert StopStrings(["ab"], ours)(ids) == [True, False, False]
    assert StopStrings(["b"], ours)(ids) == [True, False, True]


@everywhere
def test_one_for_all_or_one_for_each(library):
    ids = library.array(PROMPTS)
    for criterion, expected in [
        (lambda ids, scores: True, [1, 1, 1]),
        (lambda ids, scores: False, [0, 0, 0]),
        (lambda ids, scores: [True, False, True], [1, 0, 1]),
        (lambda ids, scores: ids[:, -1] == 8, [1, 0, 0]),
    ]:
        stopping = Stopping(GenerationConfig(), Steering(stopping_criteria=criterion))
        assert host(stopping(ids, None)).tolist() == expected
    both = Steering(stopping_criteria=[lambda i, s: i[:, -1] == 8, lambda i, s: i[:, -1] == 6])
    assert host(Stopping(GenerationConfig(), both)(ids, None)).tolist() == [1, 0, 1]
    assert not Stopping(GenerationConfig(stop_strings=[]), Steering())


@pytest.mark.parametrize("options", [{}, {"num_beams": 2}, {"do_sample": True}], ids=str)
def test_time_ends_texts(options):
    options |= {"eos_token_id": None, "max_new_tokens": 9}
    assert lively().generate(PROMPTS, max_time=1e-9, **options).shape == (3, 6)
    assert lively().generate(PROMPTS, max_time=1e9, **options).shape == (3, 14)


def test_a_text_that_is_stopped_is_padded_whatever_the_others_do():
    model, options = lively(), {"eos_token_id": None, "max_new_tokens": 9}
    free = model.generate(PROMPTS, **options)
    stopped = model.generate(
        PROMPTS, stopping_criteria=lambda ids, _: ids[:, -1] == free[0, 6], **options
    )
    assert stopped[0].tolist() == [*free[0, :7], *[1] * (stopped.shape[1] - 7)]
    tokens = list(model.stream(PROMPTS[:1], stopping_criteria=lambda ids, _: True, **options))
    assert len(tokens) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"stop_strings": "x"}, "stop_strings is 'x', but without a tokenizer.*give tokenizer"),
        ({"stop_strings": [""]}, "stop_strings is .*must be None or a string that is not empty"),
        ({"stopping_criteria": lambda i, s: [True]}, r"gives has shape \[1\], but must have \[3\]"),
        ({"logits_processor": lambda i, s: s[:, :3]}, r"gives has shape \[3, 3\].*\[3, 23\], as"),
        ({"prefix_allowed_tokens_fn": lambda b, i: []}, "nothing to follow in row 0"),
        ({"max_time": 0}, "max_time is 0"),
        ({"bad_words_ids": [5]}, "bad_words_ids is .*a list of words, each a list"),
        ({"bad_words_ids": [[]]}, "bad_words_ids is .*at least one token id"),
        ({"bad_words_ids": [[5, 23]]}, "bad_words_ids is 23, but must be an integer from 0 to 22"),
        ({"sequence_bias": {5: 1.0}}, "sequence_bias is .*a dictionary of tuples"),
        ({"sequence_bias": [[[5], 1.0, 2]]}, "sequence_bias is .*such as"),
        ({"sequence_bias": {(23,): 1.0}}, "sequence_bias is 23"),
        ({"forced_bos_token_id": 23}, "forced_bos_token_id is 23"),
        ({"forced_eos_token_id": [2, 23]}, "forced_eos_token_id is 23"),
        ({"exponential_decay_length_penalty": 3}, r"and a number above 0, such as \(10, 1.05\)"),
        ({"min_p": 2}, "min_p is 2"),
        ({"typical_p": 0}, "typical_p is 0, but must be a number above 0, up to 1"),
        ({"epsilon_cutoff": 1}, "epsilon_cutoff is 1, but must be a number from 0, below 1"),
        ({"inputs_embeds": np.zeros((1, 3, 5))}, r"inputs_embeds has shape \[1, 3, 5\].*12"),
        ({"inputs_embeds": np.zeros((3, 5))}, r"inputs_embeds has shape \[3, 5\]"),
        ({"inputs_embeds": np.zeros((3, 4, 12))}, r"input_ids has shape \[3, 5\].*as inputs_e"),
    ],
)  # fmt: skip
def test_errors_are_sentences(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        lively().generate(PROMPTS, **options)


@pytest.mark.parametrize(
    "name", ["logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn"]
)
def test_what_is_no_function_is_refused(name):
    with pytest.raises(TypeError, match=f"{name} is 3, but must be None or a function"):
        lively().generate(PROMPTS, **{name: 3})


def test_embeddings_need_a_decoder():
    with pytest.warns(match="is_decoder is False"):
        model = lively(is_decoder=False)
    with pytest.raises(ValueError, match="inputs_embeds was given, but is_decoder is False"):
        model.generate(inputs_embeds=np.zeros((1, 3, 12)))


def test_a_least_length_beyond_the_largest_is_told():
    with pytest.warns(match="min_length is 9, but a prompt has 5 tokens.*texts stay shorter"):
        lively().generate(PROMPTS, min_length=9, max_new_tokens=2)
