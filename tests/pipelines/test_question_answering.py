"""The question-answering pipeline against transformers', and where it parts from it."""

import json
import time
from functools import cache
from typing import Any

import numpy as np
import pytest
import transformers
import transformers.pipelines.question_answering as their_module
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minirobert import TINY, RobertaForQuestionAnswering
from minirobert.pipelines.answers import best_spans, span_probabilities
from minirobert.pipelines.question_answering import QuestionAnsweringPipeline
from minirobert.tokenization import RobertaTokenizer
from tests.equivalence.texts import texts as unusual_texts
from tests.libraries import LIBRARIES, NUMPY
from tests.pipelines.models import assert_same
from tests.pipelines.random_models import (
    LONGEST,
    in_transformers,
    our_tokenizer,
    random_model,
    their_tokenizer,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Passing a list of SQuAD examples"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
]

QUESTION = "Where does Zoë live?"
CONTEXT = (
    "My name is Zoë Müller-Smith (39), and I live in New  York, U.S.A.\nI was born in Rome, "
    "not  far from the river; my brother lives in 東京. He doesn't like rome 😀! "
)


@cache
def our_model(dtype: str = "float64") -> RobertaForQuestionAnswering:
    return random_model(RobertaForQuestionAnswering, "qa_outputs", dtype=dtype)


def ours(dtype: str = "float64", library: Any = NUMPY, **options: Any) -> QuestionAnsweringPipeline:
    model = library.model(our_model(dtype))
    return QuestionAnsweringPipeline(model, our_tokenizer(), **options)


@cache
def theirs(dtype: str = "float64", add_prefix_space: bool = False) -> Any:
    return transformers.pipeline(
        "question-answering",
        model=in_transformers(our_model(dtype)),
        tokenizer=their_tokenizer(add_prefix_space=add_prefix_space),
        device="cpu",
    )


@pytest.fixture
def only_possible_spans(monkeypatch):
    """Take from transformers' candidates those with the score 0, which end before they start."""
    decode = their_module.decode_spans

    def decode_possible(*arguments: Any) -> Any:
        starts, ends, scores = decode(*arguments)
        return starts[scores > 0], ends[scores > 0], scores[scores > 0]

    monkeypatch.setattr(their_module, "decode_spans", decode_possible)


fixture_is_safe = settings(suppress_health_check=list(settings.default.suppress_health_check))


plain_words = st.sampled_from(
    ["Anna", "lives", "in", "New", "York,", "(U.S.A.),", "and", "Bob-Smith's", "unbelievable", "42"]
)
other_words = st.sampled_from(
    ["Zoë", "ZOË", "naïve", "日本", "😀", "👩‍👩‍👧", "e\u0301", "¿qué?", "Ġ", "<mask>", "ANNA"]
)
spaces = st.sampled_from([" ", " ", " ", "  ", "\n", "\t", "", " \n", "\xa0"])
sentences = st.lists(plain_words, min_size=1, max_size=80).map(" ".join)
mixed = st.lists(st.tuples(spaces, plain_words | other_words), min_size=1, max_size=60).map(
    lambda parts: "".join(space + word for space, word in parts)
)
contexts = (sentences | mixed | unusual_texts).filter(
    lambda text: text and text.count("<pad>") < 2  # two have the same position, and are alike
)
questions = (
    st.lists(plain_words | other_words, min_size=1, max_size=8).map(" ".join)
    | unusual_texts.filter(bool)
).filter(lambda text: "<s>" not in text)


def n_tokens(text: str) -> int:
    return len(our_tokenizer().tokenize(text))


@st.composite
def calls(draw: st.DrawFn, longest_question: int) -> dict[str, Any]:
    """Draw options with which windows move on."""
    options: dict[str, Any] = {"batch_size": draw(st.integers(1, 4))}
    max_seq_len = LONGEST
    assume(longest_question + 4 + 2 < LONGEST)
    if draw(st.booleans()):
        max_seq_len = draw(st.integers(longest_question + 4 + 2, LONGEST))
        options["max_seq_len"] = max_seq_len
    room = max_seq_len - 4 - longest_question
    if draw(st.booleans()) or max_seq_len // 2 >= room:
        options["doc_stride"] = draw(st.integers(0, room - 1))
    for name, values in {
        "top_k": st.integers(1, 8) | st.just(50),
        "max_answer_len": st.integers(1, 20) | st.just(100),
        "handle_impossible_answer": st.booleans(),
        "align_to_words": st.booleans(),
    }.items():
        if draw(st.booleans()):
            options[name] = draw(values)
    return options


@settings(fixture_is_safe, max_examples=200)
@given(data=st.data())
def check_equality(data: st.DataObject) -> None:
    asked = data.draw(st.lists(st.tuples(questions, contexts), min_size=1, max_size=3))
    options = data.draw(calls(max(n_tokens(question) for question, _ in asked)))
    inputs = [{"question": question, "context": context} for question, context in asked]
    expected = theirs()(inputs, **options)
    assert_same(ours()(inputs, **options), expected)
    assert_same(ours(**options)(inputs), expected)


def test_equals_transformers(only_possible_spans):
    check_equality()


@settings(max_examples=60)
@given(context=st.lists(plain_words, min_size=40, max_size=90).map(" ".join), data=st.data())
def test_equals_unchanged_transformers_on_long_contexts(context, data):
    """Enough spans are possible here that transformers gives no others."""
    question = "Where does Anna live?"
    options = {
        "top_k": data.draw(st.integers(1, 10)),
        "doc_stride": data.draw(st.integers(16, 30)),  # so that the last window is not short
        "handle_impossible_answer": data.draw(st.booleans()),
        "align_to_words": data.draw(st.booleans()),
        "batch_size": data.draw(st.integers(1, 3)),
    }
    expected = theirs()(question=question, context=context, **options)
    assert_same(ours()(question=question, context=context, **options), expected)


@settings(max_examples=30)
@given(context=mixed, top_k=st.integers(1, 3))
def test_add_prefix_space_equals_transformers(context, top_k):
    assume(n_tokens(context) > 10)
    pipe = QuestionAnsweringPipeline(our_model(), our_tokenizer(add_prefix_space=True))
    options = {"question": "Who lives?", "context": context, "top_k": top_k}
    assert_same(pipe(**options), theirs(add_prefix_space=True)(**options))


@pytest.mark.parametrize("library", LIBRARIES)
def test_array_libraries(library):
    options = {"top_k": 4, "handle_impossible_answer": True, "batch_size": 3}
    inputs = [{"question": q, "context": CONTEXT} for q in [QUESTION, "Who?", "Where is Rome?"]]
    assert_same(ours(library=library)(inputs, **options), theirs()(inputs, **options))


def test_float32():
    options = {"question": QUESTION, "context": CONTEXT, "top_k": 4}
    expected = theirs("float32")(**options)
    assert_same(ours("float32")(**options), expected, relative=1e-5)


def test_float16_is_read_in_float32():
    found = ours("float16")(QUESTION, "a b c", top_k=20, align_to_words=False)
    scores = np.array([answer["score"] for answer in found])
    assert np.any(scores != scores.astype(np.float16))


@given(question=questions, context=contexts, data=st.data())
def test_answers_are_parts_of_the_context(question, context, data):
    options = data.draw(calls(n_tokens(question))) | {"top_k": data.draw(st.integers(1, 100))}
    found = ours()(question=question, context=context, **options)
    found = [found] if isinstance(found, dict) else found
    assert 1 <= len(found) <= options["top_k"]
    for answer in found:
        assert 0 <= answer["start"] <= answer["end"] <= len(context)
        assert answer["answer"] == context[answer["start"] : answer["end"]]
        assert answer["score"] >= 0
    scores = [answer["score"] for answer in found]
    assert scores == sorted(scores, reverse=True)
    texts = [answer["answer"].lower() for answer in found if answer["answer"]]
    assert len(set(texts)) == len(texts)


def all_spans(start, end, max_length):
    spans = [
        (start[i] * end[j], -i, -j)
        for i in range(len(start))
        for j in range(i, min(len(end), i + max_length))
    ]
    return [(-i, -j, score) for score, i, j in sorted(spans, reverse=True)]


probabilities = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        *[st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5]), min_size=n, max_size=n)] * 2
    )
)


@given(probabilities=probabilities, k=st.integers(1, 100), max_length=st.integers(1, 12))
def test_best_spans_are_the_first_of_all(probabilities, k, max_length):
    start, end = map(np.array, probabilities)
    found = best_spans(start, end, k, max_length)
    expected = all_spans(start, end, max_length)[:k]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def test_probabilities_are_of_the_context_and_the_first_token():
    logits = np.array([1.0, 9.0, 9.0, 2.0, 3.0, 9.0])
    null, found = span_probabilities(logits, slice(3, 5))
    expected = np.exp([1.0, 2.0, 3.0]) / np.exp([1.0, 2.0, 3.0]).sum()
    np.testing.assert_allclose([null, *found], expected, rtol=1e-14)


def test_best_spans_of_a_long_window_are_found_quickly():
    rng = np.random.default_rng(0)
    start, end = rng.random((2, 384))
    seconds = []
    for _ in range(10):
        before = time.perf_counter()
        best_spans(start, end, 12, 15)
        seconds.append(time.perf_counter() - before)
    assert min(seconds) < 0.01  # it takes a millisecond or less


def test_equal_answers_are_one():
    """Also those of other windows, and in upper case; the first one found tells the place."""
    context = "Rome is big. rome is old. " * 6
    found = ours()(QUESTION, context, top_k=100, doc_stride=4)
    texts = [answer["answer"].lower() for answer in found]
    assert len(set(texts)) == len(texts)
    assert_same(
        ours()(QUESTION, context, top_k=5), theirs()(question=QUESTION, context=context, top_k=5)
    )


def test_score_of_the_best_answer_depends_on_top_k():
    """As in transformers: more candidates are considered, and equal ones add up."""
    context = "in Rome, in Rome, in Rome, in Rome, in Rome, in Rome, in Rome"
    scores = set()
    for top_k in (1, 20):
        found = ours()(QUESTION, context, top_k=top_k)
        assert_same(found, theirs()(question=QUESTION, context=context, top_k=top_k))
        scores.add((found if top_k == 1 else found[0])["score"])
    assert len(scores) == 2


def n_spans(text: str) -> int:
    return n_tokens(text) * (n_tokens(text) + 1) // 2


def test_there_are_no_impossible_answers_to_fill_the_list():
    found = ours()(QUESTION, "Rome it is", top_k=50, align_to_words=False)
    spans = {(answer["start"], answer["end"]) for answer in found}
    assert len(found) == len(spans) == n_spans("Rome it is")
    padded = theirs()(question=QUESTION, context="Rome it is", top_k=50, align_to_words=False)
    assert any(answer["score"] == 0.0 for answer in padded)


def test_no_answer_is_an_answer():
    options = {"question": QUESTION, "context": CONTEXT, "top_k": 1000}
    without = ours()(**options)
    found = ours()(handle_impossible_answer=True, **options)
    (none,) = [answer for answer in found if answer["end"] == 0]
    assert (none["start"], none["answer"]) == (0, "")
    assert [answer for answer in found if answer != none] == without[: len(found) - 1]


def test_ways_to_ask():
    one = {"question": QUESTION, "context": CONTEXT}
    other = {"question": "Who?", "context": "Anna or Bob"}
    pipe = ours()
    first, second = pipe(one), pipe(other)
    assert isinstance(first, dict)
    assert pipe(**one) == pipe(QUESTION, CONTEXT) == pipe([one]) == first
    assert pipe(question=[QUESTION], context=[CONTEXT]) == first
    assert pipe([one, other]) == pipe(one, other) == pipe((one, other)) == [first, second]
    assert list(pipe(iter([one, other]))) == [first, second]
    assert_same(pipe([one, other]), theirs()([one, other]))
    questions = [QUESTION, "Who?"]
    assert_same(
        pipe(question=questions, context=CONTEXT), theirs()(question=questions, context=CONTEXT)
    )
    several = pipe(question=questions, context=[CONTEXT, "Anna or Bob"])
    assert several == [first, second]
    assert pipe(question="Who?", context=[CONTEXT, "Anna or Bob"])[1] == second
    assert pipe([]) == pipe(question=[], context="a") == []


def test_stream_is_read_lazily():
    read = []

    def stream():
        for i in range(100):
            read.append(i)
            yield {"question": QUESTION, "context": "Rome " * (1 + i % 7)}

    answers = ours(batch_size=2)(stream(), top_k=2)
    assert read == []
    first = next(answers)
    assert 0 < len(read) < 50
    assert len([first, *answers]) == 100


def test_results_are_plain_data():
    found = ours()(QUESTION, CONTEXT, top_k=3, handle_impossible_answer=True)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("side", ["left", "right"])
def test_side_of_padding_does_not_matter(side):
    tokenizer = our_tokenizer(padding_side=side)
    pipe = QuestionAnsweringPipeline(our_model(), tokenizer, batch_size=3, top_k=3)
    inputs = {"question": [QUESTION, "Who?", "Where?"], "context": [CONTEXT, "Anna", "in Rome"]}
    assert_same(pipe(**inputs), ours(top_k=3)(**inputs))


@pytest.mark.parametrize("side", ["left", "right"])
def test_side_of_truncation_equals_transformers(side):
    pipe = QuestionAnsweringPipeline(our_model(), our_tokenizer(truncation_side=side))
    expected = transformers.pipeline(
        "question-answering",
        model=theirs().model,
        tokenizer=their_tokenizer(truncation_side=side),
        device="cpu",
    )
    options = {"question": QUESTION, "context": CONTEXT, "top_k": 5}
    assert_same(pipe(**options), expected(**options))


def test_special_token_in_the_question_is_no_answer():
    context = "Anna or Bob"
    found = ours()("<s> <s> who", context, top_k=50, align_to_words=False)
    assert len(found) == n_spans(context)
    assert all(answer["answer"] for answer in found)


def test_long_question_gets_smaller_strides():
    question = " who" * (LONGEST - 4 - 10)
    found = ours()(question, CONTEXT)
    assert found == ours()(question, CONTEXT, doc_stride=5)


@pytest.mark.parametrize("model_max_length", [None, 10_000])
def test_length_that_only_the_model_knows(model_max_length):
    tokenizer = RobertaTokenizer.from_pretrained(TINY)
    tokenizer.model_max_length = model_max_length
    pipe = QuestionAnsweringPipeline(our_model(), tokenizer)
    assert pipe(QUESTION, CONTEXT) == ours()(QUESTION, CONTEXT)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"top_k": 0}, "top_k is 0, but must be an integer of at least 1"),
        ({"top_k": 1.5}, r"top_k is 1\.5"),
        ({"max_answer_len": 0}, "max_answer_len is 0"),
        ({"max_seq_len": 5}, f"max_seq_len is 5, but must be an integer from 6 .* to {LONGEST}"),
        ({"max_seq_len": LONGEST + 1}, f"max_seq_len is {LONGEST + 1}"),
        ({"doc_stride": -1}, "doc_stride is -1"),
        (
            {"doc_stride": 31, "max_seq_len": 30},
            "doc_stride is 31, but must be None or an integer from 0 to 30",
        ),
    ],
)
def test_wrong_options(options, match):
    with pytest.raises(ValueError, match=match):
        ours()(QUESTION, CONTEXT, **options)
    with pytest.raises(ValueError, match=match):
        ours(**options)


def test_windows_that_would_not_move_on():
    room = LONGEST - 4 - n_tokens(QUESTION)
    with pytest.raises(ValueError, match=f"only {room} of the context.* at most {room - 1}"):
        ours()(QUESTION, CONTEXT, doc_stride=room)
    assert ours()(QUESTION, CONTEXT, doc_stride=room - 1)
    assert ours()(QUESTION, "Rome", doc_stride=room) == ours()(QUESTION, "Rome")


def test_question_without_room_for_the_context():
    with pytest.raises(ValueError, match=f"the question has {LONGEST - 4} tokens.* {LONGEST - 5}"):
        ours()(" who" * (LONGEST - 4), "Rome")
    assert ours()(" who" * (LONGEST - 5), "Rome")
    with pytest.raises(ValueError, match=rf"question 1 has .* max_seq_len of up to {LONGEST}"):
        ours()(question=["Who?", QUESTION], context=CONTEXT, max_seq_len=10)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda pipe: pipe(), ValueError, "there is no question"),
        (lambda pipe: pipe(question="a"), ValueError, "there is no context"),
        (lambda pipe: pipe("a"), TypeError, "inputs is 'a'"),
        (lambda pipe: pipe(3), TypeError, "inputs is 3"),
        (lambda pipe: pipe({"question": "a"}), TypeError, "dictionary with question and context"),
        (lambda pipe: pipe("", "b"), ValueError, "the question is empty"),
        (lambda pipe: pipe("a", ""), ValueError, "the context of the question is empty"),
        (
            lambda pipe: pipe(question=["a", "b"], context=["c", ""]),
            ValueError,
            "the context of question 1 is empty",
        ),
        (lambda pipe: pipe(question=["a", 3], context="c"), TypeError, "question 1 is 3"),
        (lambda pipe: pipe(question=["a"], context=["b", "c"]), ValueError, "1 questions, but 2"),
        (lambda pipe: pipe({}, question="a"), TypeError, "but not both"),
        (lambda pipe: pipe("a", "b", batch_size=0), ValueError, "batch_size is 0"),
    ],
)
def test_wrong_inputs(call, error, match):
    with pytest.raises(error, match=match):
        call(ours())
