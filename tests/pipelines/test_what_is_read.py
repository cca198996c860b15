"""What pipelines do not let their models compute: nothing that an answer depends on."""

from functools import cache, partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minirobert import models
from minirobert.pipelines import TASKS
from tests.pipelines.models import assert_same, ours

TASK_OF_DECODER = "score by a decoder"
LABELS = ((0, "O"), (1, "B-X"), (2, "entailment"))
TEXTS = [
    "",
    "!",
    "The sky is blue.",
    "a",
    "Cats, said Anna, are no dogs at all, but near.",
    "日本",
]
MASKED = ["<mask>", "A <mask> is a <mask>.", "The color of the sky, said Anna, is <mask>."]
QUESTIONS = [
    {"question": "Who is it?", "context": "Anna"},
    {"question": "What is the color of the sky?", "context": "The sky is blue. " * 40},
]
CHOICES = [
    {"question": "What is the sky?", "choices": ["blue", "a dog", "far away, as the stars are"]},
    {"question": "Who?", "choices": ["Anna"]},
]
INPUTS = {
    "fill-mask": MASKED,
    "feature-extraction": TEXTS,
    "text-classification": TEXTS,
    "token-classification": TEXTS,
    "question-answering": QUESTIONS,
    "zero-shot-classification": TEXTS[1:],
    "multiple-choice": CHOICES,
    "score": TEXTS[1:],
    TASK_OF_DECODER: TEXTS[1:],
}
OPTIONS = {
    "fill-mask": [{}, {"targets": [" sky", " blue", "!"]}],
    "feature-extraction": [
        *({"pooling": pooling} for pooling in (None, "mean", "cls", "word")),
        {"tokenizer_kwargs": {"padding": "max_length", "max_length": 40}},
        {"tokenizer_kwargs": {"padding": True, "pad_to_multiple_of": 8}, "normalize": True},
    ],
    "token-classification": [{}, {"stride": 2, "aggregation_strategy": "max"}],
    "question-answering": [{"top_k": 5, "handle_impossible_answer": True}],
    "zero-shot-classification": [{"candidate_labels": "sport, the sky", "multi_label": True}],
}


@cache
def pipeline_of(task):
    name = "score" if task == TASK_OF_DECODER else task
    class_name = "RobertaForCausalLM" if task == TASK_OF_DECODER else TASKS[name][1].__name__
    labels = {
        "RobertaForCausalLM": {"is_decoder": True},
        "RobertaForTokenClassification": {"id2label": LABELS},
        "RobertaForSequenceClassification": {"id2label": LABELS},
    }
    return ours(name, class_name, labels.get(class_name), dtype="float32", batch_size=4)


def reading(monkeypatch, change):
    """Let models read what a function makes of what they are told to read."""
    check_read = models.inputs.check_read
    change_read = lambda *arguments: change(check_read(*arguments))  # noqa: E731
    monkeypatch.setattr(models.inputs, "check_read", change_read)


EVERY_CALL = [(task, options) for task in INPUTS for options in OPTIONS.get(task, [{}])]


@pytest.mark.parametrize(("task", "options"), EVERY_CALL)
def test_answers_are_those_of_a_model_that_reads_everything(task, options, monkeypatch):
    call = partial(pipeline_of(task), INPUTS[task], **options)
    answers = call()
    reading(monkeypatch, lambda read: None)
    assert_same(answers, call(), 1e-5)


def all_that_is_read(monkeypatch, task, **options):
    """Collect the masks of what is read, row by row, without the padding."""
    told = []

    def note(read):
        told.extend(None if read is None else row.nonzero()[0].tolist() for row in read)
        return read

    reading(monkeypatch, note)
    pipeline_of(task)(INPUTS[task], batch_size=1, **options)
    return told


@pytest.mark.parametrize("pooling", [None, "mean", "word"])
def test_vectors_of_tokens_take_the_tokens_alone(pooling, monkeypatch):
    told = all_that_is_read(monkeypatch, "feature-extraction", pooling=pooling)
    lengths = [len(pipeline_of("feature-extraction").tokenizer(text).input_ids) for text in TEXTS]
    assert told == [list(range(length)) for length in lengths]


def test_the_first_vector_takes_the_first_token_alone(monkeypatch):
    told = all_that_is_read(monkeypatch, "feature-extraction", pooling="cls")
    assert told == [[0]] * len(TEXTS)


def test_masks_are_filled_from_the_masks_alone(monkeypatch):
    tokenizer = pipeline_of("fill-mask").tokenizer
    rows = [np.array(tokenizer(text).input_ids) for text in MASKED]
    at_masks = [(row == tokenizer.mask_token_id).nonzero()[0].tolist() for row in rows]
    assert all_that_is_read(monkeypatch, "fill-mask") == at_masks


def test_a_pseudo_likelihood_reads_one_token_of_each_copy(monkeypatch):
    told = all_that_is_read(monkeypatch, "score")
    tokenizer = pipeline_of("score").tokenizer
    lengths = [len(tokenizer(text).input_ids) for text in TEXTS[1:]]
    assert told == [[i] for length in lengths for i in range(1, length - 1)]


def test_a_likelihood_reads_before_each_scored_token(monkeypatch):
    told = all_that_is_read(monkeypatch, TASK_OF_DECODER)
    tokenizer = pipeline_of("score").tokenizer
    lengths = [len(tokenizer(text).input_ids) for text in TEXTS[1:]]
    assert told == [list(range(length - 2)) for length in lengths]


@given(data=st.data(), n_masks=st.integers(1, 3), top_k=st.integers(1, 9))
@settings(deadline=None)
def test_words_of_equal_probability_come_in_their_order(data, n_masks, top_k):
    fill = pipeline_of("fill-mask")
    allowed = data.draw(st.lists(st.integers(3, 30), min_size=1, max_size=8, unique=True))
    scores = st.lists(st.sampled_from([0.0, 0.25, 0.5]), min_size=31, max_size=31)
    probabilities = np.array(data.draw(st.lists(scores, min_size=n_masks, max_size=n_masks)))
    row = {"input_ids": [fill.tokenizer.mask_token_id] * n_masks, "allowed": np.array(allowed)}
    fillings = fill._rank(row, probabilities.astype(np.float32), top_k)
    for of_mask, score in zip([fillings] if n_masks == 1 else fillings, probabilities, strict=True):
        expected = sorted(allowed, key=lambda token: -score[token])[:top_k]
        assert [(one["token"], one["score"]) for one in of_mask] == [
            (token, score[token]) for token in expected
        ]
