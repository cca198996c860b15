"""The text-generation pipeline against transformers', streams of text, and what is refused."""

import re
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import TINY, GenerationConfig, RobertaForCausalLM, RobertaTokenizer
from minirobert.generation.effects import FOR_DRAWING
from minirobert.generation.processors import CHANGES_OF_DRAWING
from minirobert.pipelines.text_generation import Continuation, TextGenerationPipeline
from tests.equivalence.test_generation import WithForwardPositions
from tests.libraries import LIBRARIES
from tests.pipelines.models import (
    LONGEST,
    our_model,
    our_tokenizer,
    ours,
    sentences,
    text_of,
    texts,
    their_model,
    theirs,
)

CLASS = "RobertaForCausalLM"
# Tied weights would make the last word the likeliest next.
DECODER = {"is_decoder": True, "tie_word_embeddings": False}


def continued(**options):
    return ours("text-generation", CLASS, DECODER, **options)


def by_transformers(**options):
    their_model(CLASS, **DECODER).__class__ = WithForwardPositions
    return theirs("text-generation", CLASS, DECODER, **options)


prompts = texts.filter(lambda text: "<pad>" not in text)


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=25)
@given(
    inputs=prompts | st.lists(prompts, min_size=1, max_size=4),
    options=st.sampled_from([{}, {"num_beams": 2}, {"num_beams": 3, "num_return_sequences": 2}]),
    full=st.booleans(),
    prefix=st.sampled_from(["", "", "<s>", "Once "]),
    batch_size=st.integers(1, 3),
    special=st.booleans(),
)
def test_it_gives_what_transformers_does(
    library, inputs, options, full, prefix, batch_size, special
):
    options = {"max_new_tokens": 6, "do_sample": False, "return_full_text": full, **options}
    options["add_special_tokens"] = special
    call = continued(library=library, batch_size=batch_size, prefix=prefix, **options)
    their_call = by_transformers(prefix=prefix, **options)
    assert call(inputs) == their_call(inputs, clean_up_tokenization_spaces=False)


@settings(max_examples=25)
@given(text=prompts, special=st.booleans())
def test_token_ids(text, special):
    options = {"max_new_tokens": 4, "do_sample": False, "return_tensors": True}
    options["add_special_tokens"] = special
    assert continued(**options)(text) == by_transformers(**options)(text)


@pytest.mark.parametrize(
    "options", [{"padding": True}, {"return_text": None}, {"truncation": None}]
)
def test_options_that_have_no_effect(options):
    more = {"max_new_tokens": 4, "do_sample": False, "add_special_tokens": True, "num_workers": 0}
    text = "The sky"
    expected = by_transformers(**more)(text_inputs=text, **options)
    assert continued(**more)(text_inputs=text, **options) == expected == continued(**more)(text)


@pytest.mark.parametrize("name", ["tokenizer_kwargs", "tokenizer_encode_kwargs"])
def test_options_of_the_tokenizer(name):
    more, options = {"max_new_tokens": 4, "do_sample": False}, {"add_special_tokens": True}
    expected = by_transformers(**more)("The sky", tokenizer_encode_kwargs=dict(options))
    assert continued(**more, **{name: options})("The sky") == expected
    with pytest.raises(ValueError, match=f"{name} is .*when the pipeline is made"):
        continued(**more)("The sky", **{name: options})


PADDINGS = [
    {"padding": "max_length", "max_length": 30, "padding_side": "left"},
    {"padding": "max_length", "max_length": 30, "padding_side": "right"},
    {"padding": True, "pad_to_multiple_of": 8, "padding_side": "left"},
]


@pytest.mark.parametrize("special", [None, False, True])
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_padding_of_the_tokenizer_changes_no_text(padding, special):
    options = {"do_sample": False, "add_special_tokens": special, "eos_token_id": None}
    plain, padded = continued(**options), continued(**options, tokenizer_kwargs=padding)
    inputs = ["Who?", "The sky is blue"]
    for more in ({"max_new_tokens": 5}, {"max_length": 15}, {"max_length": 15, "prefix": "Once "}):
        expected = plain(inputs, **more)
        assert padded(inputs, **more) == expected == padded(inputs, batch_size=2, **more)
        texts_ = [text + "".join(padded.stream(text, **more)) for text in inputs]
        assert texts_ == [one["generated_text"] for (one,) in expected]
    ids = [call("Who?", max_new_tokens=2, return_tensors=True) for call in (plain, padded)]
    assert ids[0] == ids[1]


def test_padding_of_the_tokenizer_changes_no_text_of_transformers():
    options = {"do_sample": False, "add_special_tokens": True, "max_new_tokens": 5}
    expected = by_transformers(**options)("The sky", tokenizer_encode_kwargs=dict(PADDINGS[0]))
    assert continued(**options, tokenizer_kwargs=PADDINGS[0])("The sky") == expected
    assert continued(**options)("The sky") == expected


@settings(max_examples=50)
@given(text=prompts, seed=st.integers(0, 99), temperature=st.sampled_from([0.5, 1.0, 50.0]))
def test_a_stream_put_together_is_the_text(text, seed, temperature):
    # At a high temperature, the tokens of single bytes are often no characters.
    call = continued(max_new_tokens=12, rng=seed, temperature=temperature, top_k=0)
    parts = list(call.stream(text))
    assert "".join(parts) == call(text, return_full_text=False)[0]["generated_text"]
    assert all(parts)


def test_a_character_of_several_tokens_is_streamed_as_one():
    tokenizer, call = our_tokenizer(), continued()
    text = "a 🥐é日 b"
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert len(ids) > len(text)
    parts = list(call._parts(ids))
    assert "".join(parts) == text
    assert not any("\N{REPLACEMENT CHARACTER}" in part for part in parts)
    unfinished = ids[:3]
    assert "".join(call._parts(unfinished)) == tokenizer.decode(unfinished)


def test_a_stream_leaves_out_what_decoding_does():
    tokenizer = RobertaTokenizer.from_pretrained()
    call = TextGenerationPipeline(our_model(CLASS, **DECODER), tokenizer)
    tokenizer.add_tokens(["[Q]"], special_tokens=True)
    ids = tokenizer.encode("a[Q]b<mask>", add_special_tokens=False)
    assert "".join(call._parts(ids)) == tokenizer.decode(ids, skip_special_tokens=True) == "ab"


@settings(max_examples=15)
@given(inputs=st.lists(sentences, min_size=2, max_size=5), batch_size=st.integers(2, 4))
def test_what_is_drawn_does_not_depend_on_the_batch(inputs, batch_size):
    call = continued(max_new_tokens=5, rng=3, num_return_sequences=2)
    one_by_one = call(inputs)
    assert call(inputs, batch_size=batch_size) == one_by_one
    assert list(call(iter(inputs), batch_size=batch_size)) == one_by_one
    assert call(inputs[:1]) == one_by_one[:1]


def test_it_draws_by_default_and_adds_what_has_room():
    call = continued(eos_token_id=None, return_tensors=True)
    one, other = call(["The sky", "The sky"])
    assert one != other
    assert len(one[0]["generated_token_ids"]) == LONGEST


def test_a_text_begins_like_those_of_training_and_does_not_end():
    options = {"return_tensors": True, "max_new_tokens": 1}
    framed = our_tokenizer()("The sky")["input_ids"]
    for special, prompt in [(None, framed[:-1]), (False, framed[1:-1]), (True, framed)]:
        call = continued(add_special_tokens=special, **options)
        assert call("The sky")[0]["generated_token_ids"][:-1] == prompt
        assert call("")[0]["generated_token_ids"][:-1] == ([0, 2] if special else [0])
    assert continued(**options)("<s>The sky")[0]["generated_token_ids"][:-1] == framed[:-1]


def test_texts_of_a_batch_each_get_what_they_have_room_for():
    call = continued(do_sample=False, eos_token_id=None, return_tensors=True)
    inputs = ["The sky is", "cats", "The sky is blue, cats are not"]
    together = call(inputs, batch_size=3)
    assert {len(one[0]["generated_token_ids"]) for one in together} == {LONGEST}
    assert together == call(inputs)


def test_clean_up():
    call = continued(clean_up_tokenization_spaces=True)
    ids = our_tokenizer().encode(" do n't .", add_special_tokens=False)
    row = {"input_ids": [0]}
    assert (
        call._answer("I", row, Continuation(ids, {}), True, False)["generated_text"] == "I don't."
    )


def test_the_configuration_has_defaults():
    fields = {**DECODER, "extra": {"do_sample": False, "max_new_tokens": 2}}
    config = minirobert.RobertaConfig(num_hidden_layers=0, vocab_size=8192, **fields)
    call = minirobert.pipeline("text-generation", RobertaForCausalLM(config), our_tokenizer())
    assert call._config({}).do_sample is False
    assert call._config({"do_sample": True}).temperature == 0.7
    assert len(call("a", return_tensors=True)[0]["generated_token_ids"]) == 4


def test_a_model_of_masked_words_becomes_a_decoder_with_a_warning():
    with pytest.warns(match="says is_decoder false.*poor texts"):
        call = minirobert.pipeline("text-generation", TINY, max_new_tokens=2)
    assert call.model.config.is_decoder
    assert call("The sky")[0]["generated_text"].startswith("The sky")


def test_the_bundled_model_is_not_taken_for_a_decoder():
    with pytest.raises(ValueError, match="not trained for text-generation: give model="):
        minirobert.pipeline("text-generation")


@pytest.mark.parametrize(
    ("inputs", "options", "kind", "sentence"),
    [
        (text_of(LONGEST + 9), {}, ValueError, "the text has .* tokens, but the model takes"),
        (
            ["a", text_of(100)],
            {"max_new_tokens": 60},
            ValueError,
            "^text 1 has 99 tokens, and 60 m",
        ),
        ("a<pad>", {}, ValueError, "the text ends in the padding token"),
        (["a", 3], {}, TypeError, "text 1 is 3"),
        ("a", {"max_tokens": 3}, TypeError, "no option 'max_tokens'"),
        ("a", {"temperature": -1}, ValueError, "temperature is -1"),
        ("a", {"rng": "x"}, TypeError, "rng is 'x'"),
        ("a", {"num_beams": 2, "do_sample": True}, ValueError, "leave one of them out"),
    ],
)
def test_errors_are_sentences(inputs, options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        continued()(inputs, **options)


def test_errors_of_streams_and_pipelines():
    with pytest.raises(ValueError, match="the text is empty, and there is no bos_token_id"):
        continued(add_special_tokens=False)("", bos_token_id=None)
    with pytest.raises(ValueError, match="only one text can be streamed"):
        continued(num_return_sequences=2).stream("a")
    with pytest.raises(ValueError, match="beam search knows"):
        continued(num_beams=2).stream("a")
    with pytest.raises(TypeError, match="no option 'tempreature'"):
        continued(tempreature=1)
    with pytest.raises(ValueError, match="needs a RobertaForCausalLM, not a RobertaForMaskedLM"):
        minirobert.pipeline("text-generation", our_model("RobertaForMaskedLM"), our_tokenizer())


def warned(function, *arguments, **options):
    """Give what a call warns of, and check that it points here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*arguments, **options)
    assert {one.filename for one in caught} <= {__file__}
    return [str(one.message) for one in caught]


HEAT, BEAMS = {"temperature": 3.0}, {"num_beams": 2}
GREEDY, FEW = {"do_sample": False}, {"max_new_tokens": 2}


@pytest.mark.parametrize(
    ("made_with", "called_with", "lost", "cure"),
    [
        ({}, {**GREEDY, **HEAT, "top_p": 0.5}, "temperature=3.0, top_p=0.5", "set do_sample=True"),
        ({}, {**GREEDY, "generation_config": GenerationConfig(**HEAT)}, "temperature=3.0", "set"),
        ({}, {"generation_config": GenerationConfig(**HEAT, **FEW)}, "temperature=3.0", "set"),
        ({}, {**BEAMS, "top_k": 3}, "top_k=3", "leave it out$"),
        (GREEDY, {"min_p": 0.1, "eta_cutoff": 0.2}, "min_p=0.1, eta_cutoff=0.2", "set"),
        (GREEDY, {"typical_p": 0.1, "epsilon_cutoff": 0.2}, "typical_p=0.1, eps.*=0.2", "set"),
    ],
    ids=str,
)
def test_options_for_drawing_that_have_no_effect(made_with, called_with, lost, cure):
    call = continued(**FEW, **made_with)
    sentence = rf"^do_sample is False, .* has no effect \({lost}\): {cure}"
    for function in (call, call.stream)[: 1 if "num_beams" in called_with else 2]:
        (message,) = warned(function, "a", **called_with)
        assert re.search(sentence, message)


def test_options_for_drawing_are_told_where_they_are_given():
    model, tokenizer = our_model(CLASS, **DECODER), our_tokenizer()
    make = partial(TextGenerationPipeline, model, tokenizer, **FEW)
    assert len(warned(make, **GREEDY, **HEAT)) == 1
    with pytest.warns(match="do_sample is False"):
        call = make(**GREEDY, **HEAT)
    assert warned(call, "a") == warned(call, "a", do_sample=True) == []
    assert warned(make(**HEAT), "a", **GREEDY) == []


@pytest.mark.parametrize(
    "options",
    [
        GREEDY,
        HEAT,
        {**GREEDY, "temperature": 1.0, "top_k": 50, "top_p": 1, "min_p": None, "typical_p": 1.0},
        {**GREEDY, "top_k": 0, "epsilon_cutoff": 0.0, "eta_cutoff": 0.0},
        BEAMS,
    ],
    ids=str,
)
def test_options_for_drawing_that_say_nothing_of_it(options):
    assert warned(continued(**FEW), "a", **options) == []
    assert warned(continued, **FEW, **options) == []


def test_the_model_itself_tells_of_options_for_drawing():
    model = our_model(CLASS, **DECODER)
    for function in (model.generate, model.stream):
        assert len(warned(function, [[0, 5]], **FEW, **HEAT)) == 1
        assert warned(function, [[0, 5]], **FEW, **HEAT, do_sample=True, rng=0) == []
    assert set(FOR_DRAWING) == set(CHANGES_OF_DRAWING)


def test_a_generator_goes_on():
    rng = np.random.default_rng(0)
    call = continued(max_new_tokens=8, rng=rng)
    assert call("The sky") != call("The sky")


@settings(max_examples=15)
@given(
    inputs=st.lists(prompts, min_size=1, max_size=3),
    more=st.sampled_from(
        [{"bad_words_ids": [[5], [6, 7]]}, {"min_length": 9}, {"suppress_tokens": [4, 9]}]
    ),
    batch_size=st.integers(1, 3),
)
def test_more_options(inputs, more, batch_size):
    options = {"max_new_tokens": 9, "do_sample": False, "add_special_tokens": True, **more}
    call = continued(batch_size=batch_size, **options)
    assert call(inputs) == by_transformers(**options)(inputs, clean_up_tokenization_spaces=False)


@pytest.mark.parametrize("num_beams", [1, 2])
def test_strings_that_end_a_text(num_beams):
    options = {"max_new_tokens": 12, "do_sample": False, "add_special_tokens": True}
    options["num_beams"] = num_beams
    text = continued(**options)("The sky is", return_full_text=False)[0]["generated_text"]
    options["stop_strings"] = ["never", text[4:7]]
    there = by_transformers(**options)
    for texts_ in ("The sky is", ["The sky is", "Who?", "Anna lives in"]):
        assert continued(**options)(texts_) == there(texts_, tokenizer=there.tokenizer)
    call = continued(**options)
    stopped = call(["The sky is", "Who?", "Anna lives in"], batch_size=3)
    assert stopped == call(["The sky is", "Who?", "Anna lives in"])
    if num_beams == 1:
        assert len(stopped[0][0]["generated_text"]) < len("The sky is" + text)
        parts = call.stream("The sky is")
        assert "The sky is" + "".join(parts) == stopped[0][0]["generated_text"]


def test_functions_of_the_callers():
    def only_blue(input_ids, scores):
        return np.where(np.arange(scores.shape[1]) == 5, scores, -np.inf)

    def at_three(input_ids, scores):
        return (input_ids == 5).sum(axis=1) >= 3

    functions = {"logits_processor": [only_blue], "stopping_criteria": [at_three]}
    given_first = continued(return_tensors=True, **functions)("Who?")
    given_later = continued(return_tensors=True)("Who?", **functions)
    assert given_first == given_later
    assert given_first[0]["generated_token_ids"][-4:].count(5) == 3
    text = continued(return_full_text=False, **functions)("Who?")[0]["generated_text"]
    assert "".join(continued().stream("Who?", **functions)) == text
