"""The multiple-choice pipeline against the example in transformers' documentation."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaTokenizer
from tests.libraries import LIBRARIES
from tests.pipelines.models import (
    assert_same,
    our_model,
    our_tokenizer,
    ours,
    text_of,
    texts,
    texts_without_masks,
    their_model,
    their_tokenizer,
)

TASK, CLASS = "multiple-choice", "RobertaForMultipleChoice"
SOME = [
    {"question": "What is the sky?", "choices": ["blue", "a dog that barks at cats", "日本"]},
    {"prompt": "", "choices": ["naïve", ""]},
    {"question": "One?", "choices": ["one"]},
]

questions = st.builds(
    lambda key, text, choices: {key: text, "choices": choices},
    st.sampled_from(["question", "prompt"]),
    texts,
    st.lists(texts_without_masks, min_size=1, max_size=4, unique=True),
)


def choose(**keywords):
    return ours(TASK, CLASS, **keywords)


def expected_of(one):
    """Choose as in the example: the choices of one question in one batch of [1, C, S]."""
    prompt, choices = one.get("question", one.get("prompt")), one["choices"]
    encoding = their_tokenizer()(
        [prompt] * len(choices), choices, return_tensors="pt", padding=True, truncation="only_first"
    )
    with torch.no_grad():
        logits = their_model(CLASS)(**{k: v.unsqueeze(0) for k, v in encoding.items()}).logits
    scores = torch.softmax(logits[0], 0).tolist()
    found = [
        {"choice": choice, "index": i, "score": score}
        for i, (choice, score) in enumerate(zip(choices, scores, strict=True))
    ]
    return sorted(found, key=lambda choice: (-round(choice["score"], 9), choice["index"]))


@settings(max_examples=100)
@given(
    inputs=questions | st.lists(questions, max_size=4),
    batch_size=st.integers(1, 6),
    top_k=st.none() | st.integers(1, 4),
)
def test_equals_the_example_of_the_documentation(inputs, batch_size, top_k):
    choosing = choose(tokenizer_kwargs={"truncation": "only_first"})
    actual = choosing(inputs, batch_size=batch_size, top_k=top_k)
    if isinstance(inputs, list):
        expected = [expected_of(one)[:top_k] for one in inputs]
        assert_same(list(choosing(iter(inputs), batch_size=batch_size, top_k=top_k)), expected)
    else:
        expected = expected_of(inputs)[:top_k]
    assert_same(actual, expected)


def test_endless_stream():
    answers = choose(batch_size=3)(itertools.cycle(SOME))
    assert_same(list(itertools.islice(answers, 3)), [expected_of(one) for one in SOME])


def test_top_k_of_the_pipeline():
    assert [len(choices) for choices in choose(top_k=2)(SOME)] == [2, 2, 1]
    assert [len(choices) for choices in choose(top_k=2)(SOME, top_k=1)] == [1, 1, 1]


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_every_library(library):
    assert_same(choose(library=library)(SOME, batch_size=4), choose()(SOME))


def test_float32():
    assert_same(choose(dtype="float32")(SOME, batch_size=2), choose()(SOME), relative=1e-5)


def test_side_of_padding_does_not_matter():
    left = RobertaTokenizer.from_pretrained(padding_side="left")
    choosing = minirobert.pipeline(TASK, our_model(CLASS), left, batch_size=6)
    assert_same(choosing(SOME), choose()(SOME))


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ("a", TypeError, "inputs is 'a', but must be a dict, or a list"),
        (["a"], TypeError, "the question is 'a', but must be a dict with 'question' and 'choices'"),
        ({"question": "a"}, ValueError, "keys 'question', but must have 'question'.*'choices'"),
        ({"choices": ["a"]}, ValueError, "keys 'choices'"),
        ({"question": "a", "choices": []}, ValueError, r"choices \[\], but must have a list"),
        ({"question": "a", "choices": "ab"}, ValueError, "choices 'ab', but must have a list"),
        ({"question": "a", "choices": None}, ValueError, "choices None"),
        ({"question": 5, "choices": ["a"]}, TypeError, "a text of the question is 5, but must be"),
        ([SOME[0], {"question": "a", "choices": [5]}], TypeError, "a text of question 1 is 5"),
    ],
)
def test_wrong_inputs(inputs, error, message):
    with pytest.raises(error, match=message):
        choose()(inputs)


@pytest.mark.parametrize("top_k", [0, -1, "3"])
def test_top_k_out_of_range(top_k):
    with pytest.raises(ValueError, match=f"top_k is {top_k!r}.*at least 1 or None"):
        choose()(SOME, top_k=top_k)
    with pytest.raises(ValueError, match=f"top_k is {top_k!r}"):
        choose(top_k=top_k)


def test_question_too_long():
    inputs = [SOME[0], {"question": text_of(129), "choices": ["a", "b"]}]
    with pytest.raises(ValueError, match=r"question 1, with choice 0, has 132 tokens.*128"):
        choose()(inputs)


def test_no_question_at_all():
    assert choose()([]) == []


def test_bundled_model_has_no_such_head():
    with pytest.raises(ValueError, match=r"not trained for multiple-choice.*give model="):
        minirobert.pipeline(TASK)
    with pytest.raises(ValueError, match=r"missing: roberta\.pooler"):
        minirobert.pipeline(TASK, minirobert.TINY, our_tokenizer())
