"""The text-classification pipeline against transformers', and where it asks for more."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaTokenizer
from tests.libraries import LIBRARIES
from tests.pipelines.models import (
    LONGEST,
    assert_same,
    our_model,
    our_tokenizer,
    ours,
    text_of,
    texts,
    their_model,
    theirs,
)

pytestmark = pytest.mark.usefixtures("exact_pipelines")

CLASS = "RobertaForSequenceClassification"
CLASSES = {"num_labels": 3}
MODELS = [
    *({"num_labels": count} for count in (1, 2, 3)),
    {"num_labels": 3, "problem_type": "multi_label_classification"},
    {"num_labels": 2, "problem_type": "single_label_classification"},
    {"num_labels": 1, "problem_type": "regression"},
    {"num_labels": 3, "problem_type": "regression"},
    {"id2label": ((0, "bad"), (1, "good"), (2, "日本"))},
]

pairs = st.fixed_dictionaries({"text": texts}, optional={"text_pair": texts.filter(bool)})
inputs = texts | pairs | st.lists(texts | pairs, max_size=5)
options = st.fixed_dictionaries(
    {},
    optional={
        "top_k": st.none() | st.integers(1, 4),
        "function_to_apply": st.sampled_from([None, "softmax", "Sigmoid", "NONE"]),
        "return_all_scores": st.booleans(),
    },
)


def quietly(call, *args, **kwargs):
    """Call transformers without its warning of return_all_scores."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **kwargs)


def classify(**keywords):
    return ours("text-classification", CLASS, **keywords)


@pytest.mark.parametrize("labels", MODELS, ids=str)
@settings(max_examples=30)
@given(inputs=inputs, defaults=options, call=options, batch_size=st.integers(1, 4))
def test_equals_transformers(labels, inputs, defaults, call, batch_size):
    call = {**call, "batch_size": batch_size}
    their_pipeline = quietly(theirs, "text-classification", CLASS, labels, **defaults)
    expected = quietly(their_pipeline, inputs, truncation=True, **call)
    actual = classify(labels=labels, **defaults)(inputs, truncation=True, **call)
    assert_same(actual, expected)


@settings(max_examples=20)
@given(inputs=st.lists(texts | pairs, max_size=9), call=options, batch_size=st.integers(1, 3))
def test_stream_equals_transformers(inputs, call, batch_size):
    call = {**call, "batch_size": batch_size, "truncation": True}
    their_pipeline = theirs("text-classification", CLASS, CLASSES, num_workers=0)
    expected = quietly(their_pipeline, (one for one in inputs), **call)
    actual = classify(labels=CLASSES)((one for one in inputs), **call)
    assert iter(actual) is actual
    assert_same(list(actual), list(expected))


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_every_library(library):
    some = ["The sky is blue.", {"text": "日本", "text_pair": "naïve cats"}, ""]
    for function in ("softmax", "sigmoid", "none"):
        call = {"batch_size": 2, "top_k": None, "function_to_apply": function}
        expected = classify(labels=CLASSES)(some, **call)
        assert_same(classify(labels=CLASSES, library=library)(some, **call), expected)


def test_scores_are_exact_in_float64():
    text = "The sky is blue."
    logits = their_model(CLASS, **CLASSES)(torch.tensor([our_tokenizer()(text).input_ids])).logits
    expected = torch.softmax(logits[0], 0).tolist()
    results = classify(labels=CLASSES)(text, return_all_scores=True)[0]
    np.testing.assert_allclose([one["score"] for one in results], expected, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float16", 2e-2)])
def test_other_dtypes(dtype, tolerance):
    exact = classify(labels=CLASSES)("The sky is blue.", top_k=None)
    assert_same(
        classify(labels=CLASSES, dtype=dtype)("The sky is blue.", top_k=None), exact, tolerance
    )


def test_tokenizer_options_of_the_pipeline_and_the_call():
    text = {"text": "The sky is blue today", "text_pair": "and the grass is green"}
    their_pipeline = theirs("text-classification", CLASS, CLASSES)
    for options in ({"truncation": True, "max_length": 9}, {"add_special_tokens": False}):
        expected = their_pipeline(text, **options)
        assert_same(classify(labels=CLASSES, **options)(text), expected)
        assert_same(classify(labels=CLASSES, tokenizer_kwargs=options)(text), expected)
        assert_same(classify(labels=CLASSES)(text, **options), expected)
        assert_same(classify(labels=CLASSES)(text, tokenizer_kwargs=options), expected)


def test_longest_text():
    text = text_of(LONGEST)
    expected = theirs("text-classification", CLASS, CLASSES)(text)
    assert_same(classify(labels=CLASSES)([text, "a"], batch_size=2)[:1], expected)


def test_older_form_of_a_pair():
    inputs = [[["a cat", "a dog"]]]
    expected = theirs("text-classification", CLASS, CLASSES)(inputs)
    assert_same(classify(labels=CLASSES)(inputs), expected)


def test_sentiment_analysis_is_another_name():
    model = our_model(CLASS, **CLASSES)
    other = minirobert.pipeline("sentiment-analysis", model, our_tokenizer())
    assert_same(other("a cat"), classify(labels=CLASSES)("a cat"))


# Where more is asked than by transformers


def test_side_of_padding_does_not_matter():
    left = RobertaTokenizer.from_pretrained(padding_side="left")
    some = ["a", "The sky is blue and the grass is green."]
    padded = minirobert.pipeline("text-classification", our_model(CLASS, **CLASSES), left)
    assert_same(padded(some, batch_size=2), classify(labels=CLASSES)(some))


def test_default_is_a_name_of_the_default():
    classifier = classify(labels=CLASSES, function_to_apply="none")
    assert_same(
        classify(labels=CLASSES)("a", function_to_apply="default"), classify(labels=CLASSES)("a")
    )
    assert classifier("a") == classifier("a", function_to_apply="none")


@pytest.mark.parametrize("function", ["FOO", "", 5])
def test_unknown_function(function):
    for make in (
        lambda: classify(labels=CLASSES)("a", function_to_apply=function),
        lambda: classify(labels=CLASSES, function_to_apply=function),
    ):
        with pytest.raises(ValueError, match=r"function_to_apply is .* softmax, sigmoid, none"):
            make()


@pytest.mark.parametrize("top_k", [0, -1, "3", 1.5])
def test_top_k_out_of_range(top_k):
    with pytest.raises(ValueError, match=f"top_k is {top_k!r}.*at least 1 or None"):
        classify(labels=CLASSES)("a", top_k=top_k)
    with pytest.raises(ValueError, match=f"top_k is {top_k!r}"):
        classify(labels=CLASSES, top_k=top_k)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ([["a", "b"]], TypeError, r"the text is \['a', 'b'\].*'text_pair'"),
        ([("a", "b")], TypeError, r"'text_pair'"),
        (["a", 5], TypeError, r"text 1 is 5, but must be a str"),
        ({"text": ["a", "b"]}, TypeError, r"the text is \['a', 'b'\], but must be a str"),
        ({"text": "a", "text_pair": 5}, TypeError, "the text is 5"),
        ({"sentence": "a"}, ValueError, "keys 'sentence', but must have 'text'"),
        ({"text": "a", "pair": "b"}, ValueError, "keys 'text', 'pair'"),
        (5, TypeError, "inputs is 5, but must be a str or dict, or a list"),
        ("\ud800", ValueError, "surrogate"),
    ],
)
def test_wrong_inputs(inputs, error, message):
    with pytest.raises(error, match=message):
        classify(labels=CLASSES)(inputs)


def test_text_too_long():
    with pytest.raises(ValueError, match=r"text 1 has 129 tokens.*128.*truncate"):
        classify(labels=CLASSES)(["a", text_of(129)])


def test_unknown_option():
    message = "truncat is no option of text-classification"
    with pytest.raises(TypeError, match=message):
        classify(labels=CLASSES)("a", truncat=True)
    with pytest.raises(TypeError, match=message):
        classify(labels=CLASSES, truncat=True)


def test_no_text_at_all():
    assert classify(labels=CLASSES)([]) == []


def test_model_without_the_head():
    with pytest.raises(ValueError, match=r"not trained for text-classification.*give model="):
        minirobert.pipeline("text-classification")
    with pytest.raises(ValueError, match="missing: classifier"):
        minirobert.pipeline("text-classification", minirobert.TINY)


@pytest.mark.filterwarnings("ignore:id2label has names for")
@pytest.mark.parametrize("names", [((0, "a"), (2, "b")), ((1, "a"), (3, "b"), (5, "c"))], ids=str)
def test_a_class_without_a_name_is_called_by_its_number(names, monkeypatch):
    labels, texts = {"id2label": names}, ["a", "The sky", "Grass is green.", "42"]
    classifier, reference = classify(labels=labels), theirs("text-classification", CLASS, labels)
    with pytest.raises(KeyError):
        reference(texts, top_k=None)
    filled = {i: f"LABEL_{i}" for i in range(len(names))} | dict(names)
    monkeypatch.setattr(reference.model.config, "id2label", filled)
    for options in ({}, {"top_k": None}, {"top_k": 2}):
        assert_same(classifier(texts, **options), reference(texts, **options))
