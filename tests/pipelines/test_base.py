"""What all pipelines share, on one that gives back its rows."""

import itertools
import json
import re
import sys
from collections import UserList, deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaConfig, RobertaModel
from minirobert.pipelines.base import LOOK_AHEAD, Job, Pipeline, rows_of
from tests.pipelines.models import LONGEST, assert_same, our_model, our_tokenizer


class Echo(Pipeline):
    """Answers each text with its words, each of which is a row of its own."""

    task = "echo"

    def __init__(self, **shared):
        super().__init__(our_model("RobertaModel"), our_tokenizer(), **shared)
        self.batches, self.encoded = [], []

    def __call__(self, inputs, batch_size=None, progress_bar=None):
        return self._run(
            inputs, Job(self.encode, self.compute, self.answer), batch_size, progress_bar
        )

    def encode(self, text, name):
        self.encoded.append(text)
        return [self._row(name, word) for word in text.split() or [""]]

    def compute(self, batch):
        ids, mask = batch["input_ids"], batch["attention_mask"]
        self.batches.append(ids.shape)
        return [row[: sum(kept)] for row, kept in zip(ids, mask, strict=True)]

    def answer(self, text, rows, outputs):
        assert [row["input_ids"] for row in rows] == [list(output) for output in outputs]
        return [self.tokenizer.decode(output[1:-1]) for output in outputs]


def answer_to(text):
    return text.split() or [""]


word = st.sampled_from(
    ["a", "sky", "naïve", "unbelievable", "日本日本日本", "antidisestablishment"]
)
texts = st.lists(word, max_size=5).map(" ".join)
LONG = "unbelievable antidisestablishmentarianism"


@given(inputs=st.lists(texts, max_size=9), batch_size=st.integers(1, 5))
def test_answers_come_in_the_order_of_the_inputs(inputs, batch_size):
    expected = [answer_to(text) for text in inputs]
    echo = Echo(batch_size=batch_size)
    assert echo(inputs) == expected
    assert echo(tuple(inputs)) == expected
    assert list(echo(iter(inputs))) == expected
    rows = sum(map(len, expected))
    full, rest = divmod(rows, batch_size)
    sizes = [count for count, _ in echo.batches]
    assert sizes[: -(-rows // batch_size)] == [batch_size] * full + [rest] * (rest > 0)


@given(text=texts)
def test_one_text_is_not_a_list(text):
    assert Echo()(text) == answer_to(text)


def tokens_computed(echo):
    return sum(count * length for count, length in echo.batches)


@pytest.mark.parametrize("form", [list, iter], ids=["list", "stream"])
def test_batches_have_texts_of_one_length(form):
    echo = Echo(batch_size=4)
    inputs = ["a", LONG.replace(" ", "")] * 8
    assert list(echo(form(inputs))) == [[text] for text in inputs]
    lengths = [len(our_tokenizer()(text)["input_ids"]) for text in inputs]
    assert tokens_computed(echo) == sum(lengths)
    assert echo.batches[0][1] == max(lengths)


def test_all_texts_of_a_list_are_checked_before_anything_is_computed():
    echo = Echo(batch_size=2)
    with pytest.raises(ValueError, match=r"text 2 has \d+ tokens, but the model takes at most 128"):
        echo(["a", "b", "日" * 200, "c"])
    assert echo.batches == []


# Streams


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_a_stream_may_be_infinite(batch_size):
    echo = Echo(batch_size=batch_size)
    answers = echo(f"number {i}" for i in itertools.count())
    assert echo.encoded == []
    for i in range(60):
        assert next(answers) == ["number", str(i)]
    limit = 60 if batch_size == 1 else 60 + batch_size * LOOK_AHEAD
    assert len(echo.encoded) <= limit


def test_a_stream_of_single_texts_is_answered_at_once():
    echo = Echo()
    answers = echo(iter(["a", "b", "c"]))
    for i in range(3):
        next(answers)
        assert len(echo.encoded) == i + 1
    assert list(answers) == []


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_texts_before_a_wrong_one_are_answered(batch_size):
    answers = Echo(batch_size=batch_size)(text for text in ["a", "b", "c", 5, "d"])
    assert [next(answers) for _ in range(3)] == [["a"], ["b"], ["c"]]
    with pytest.raises(AttributeError) as caught:
        next(answers)
    assert caught.value.__notes__ == ["(this was text 3 of the stream, counted from 0)"]
    assert list(answers) == []


def test_texts_before_an_error_of_the_stream_are_answered():
    def failing():
        yield "a"
        raise OSError("the disk is gone")

    answers = Echo(batch_size=4)(failing())
    assert next(answers) == ["a"]
    with pytest.raises(OSError, match="the disk is gone"):
        next(answers)


def test_empty_stream():
    answers = Echo(batch_size=3)(iter([]))
    assert iter(answers) is answers
    assert list(answers) == []


COLLECTIONS = (set, deque, UserList, lambda texts: dict.fromkeys(texts).keys())


@pytest.mark.parametrize("form", COLLECTIONS, ids=["set", "deque", "list", "keys"])
def test_what_has_a_length_gives_a_list(form):
    for inputs in ([], ["a sky", "b"]):
        some = form(inputs)
        assert Echo()(some) == [answer_to(text) for text in some]


def test_options_are_checked_before_the_first_text_is_asked_for():
    with pytest.raises(ValueError, match="batch_size is 0"):
        Echo()(iter([]), batch_size=0)


ASKED = {"question": "a", "context": "b"}


@pytest.mark.parametrize("wrong", [True, False, 1.5, 2.0, "2", [2]], ids=str)
@pytest.mark.parametrize(
    ("kind", "model", "inputs", "names"),
    [
        ("FillMaskPipeline", "RobertaForMaskedLM", "a <mask>", ["top_k"]),
        ("TextClassificationPipeline", "RobertaForSequenceClassification", "a", ["top_k"]),
        (
            "QuestionAnsweringPipeline",
            "RobertaForQuestionAnswering",
            ASKED,
            ["top_k", "doc_stride", "max_answer_len", "max_seq_len"],
        ),
        ("TokenClassificationPipeline", "RobertaForTokenClassification", "a", ["stride"]),
        (
            "MultipleChoicePipeline",
            "RobertaForMultipleChoice",
            {"question": "a", "choices": ["b"]},
            ["top_k"],
        ),
        ("FeatureExtractionPipeline", "RobertaModel", "a", []),
        ("ScorePipeline", "RobertaForMaskedLM", "a", []),
    ],
)
def test_what_is_no_integer(kind, model, inputs, names, wrong):
    kind, model = getattr(minirobert.pipelines, kind), our_model(model)
    for name in [*names, "batch_size"]:
        sentence = re.escape(f"{name} is {wrong!r}, but must be ") + ".*an integer"
        with pytest.raises(ValueError, match=sentence):
            kind(model, our_tokenizer())(inputs, **{name: wrong})
        with pytest.raises(ValueError, match=sentence):
            kind(model, our_tokenizer(), **{name: wrong})(inputs)


@pytest.mark.parametrize("inputs", [5, None, b"a", {"text": "a"}])
def test_what_is_no_text(inputs):
    with pytest.raises(TypeError, match="must be a str, or a list of them"):
        Echo()(inputs)


def test_a_path_is_told_to_be_read(tmp_path):
    with pytest.raises(TypeError, match=r"Path.*: of a file give the lines, as in path\.read_te"):
        Echo()(tmp_path / "lines.txt")


#: Stand-ins for those of pandas: only their names tell what they are.
NA, NAT = (type(name, (), {"__eq__": None})() for name in ("NAType", "NaTType"))


@pytest.mark.parametrize(
    "missing",
    [None, float("nan"), np.float64("nan"), NA, NAT],
    ids=["None", "nan", "numpy", "NA", "NaT"],
)
def test_a_missing_value_is_named_with_its_row(missing):
    rows = ["a <mask>", "b <mask>", missing]
    cases = {
        "fill-mask": ("RobertaForMaskedLM", np.array(rows, object), "text 2"),
        "question-answering": (
            "RobertaForQuestionAnswering",
            [{"question": "a", "context": row} for row in rows],
            "the context of question 2",
        ),
        "multiple-choice": (
            "RobertaForMultipleChoice",
            [{"question": "a", "choices": [row]} for row in rows],
            "a text of question 2",
        ),
    }
    for task, (model, inputs, name) in cases.items():
        pipe = minirobert.pipeline(task, our_model(model), our_tokenizer())
        with pytest.raises(TypeError, match=f"{name} is .* a string: it is missing, so leave its"):
            pipe(inputs)


# What a pipeline is, and has


def test_a_pipeline_shows_its_model():
    echo = Echo(batch_size=4)
    assert repr(echo) == f"Echo({echo.model!r}, batch_size=4)"


@pytest.mark.parametrize(("name", "meant"), [("topk_k", "top_k"), ("batchsize", "batch_size")])
@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("fill-mask", "RobertaForMaskedLM"),
        ("text-classification", "RobertaForSequenceClassification"),
        ("multiple-choice", "RobertaForMultipleChoice"),
        ("question-answering", "RobertaForQuestionAnswering"),
    ],
)
def test_an_unknown_option_is_answered_by_those_there_are(task, model, name, meant):
    pipe = minirobert.pipeline(task, our_model(model), our_tokenizer())
    known = rf"'?{name}'?.*: did you mean {meant}\? \(it has .*\btop_k, .*\bbatch_size\b"
    with pytest.raises(TypeError, match=known):
        minirobert.pipeline(task, pipe.model, pipe.tokenizer, **{name: 1})
    with pytest.raises(TypeError, match=known):
        pipe("a", **{name: 1})


@pytest.mark.parametrize(("name", "meant"), [("dtypes", "dtype"), ("revison", "revision")])
def test_a_misspelt_option_of_pipeline_is_found_before_anything_is_loaded(name, meant):
    with pytest.raises(TypeError, match=rf"pipeline has no .*{name}.* mean {meant}\? \(.*, config"):
        minirobert.pipeline("text-classification", "nowhere", **{name: 1})


# Progress


@pytest.mark.parametrize("form", [list, iter], ids=["list", "stream"])
def test_progress_bar_counts_texts_not_rows(capfd, form):
    list(Echo(batch_size=2)(form(["a b c", "d", "e f"]), progress_bar=True))
    output, errors = capfd.readouterr()
    assert output == ""
    assert ("3/3" if form is list else "3text") in errors
    list(Echo()(form(["a"])))
    assert capfd.readouterr() == ("", "")


def test_progress_bar_is_loaded_when_it_is_shown(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert Echo()(["a"]) == [["a"]]
    with pytest.raises(ImportError):
        Echo()(["a"], progress_bar=True)


# Rows


def test_rows_of_windows():
    encoding = our_tokenizer()(
        "a b c d e f g", truncation=True, max_length=5, stride=1, return_overflowing_tokens=True
    )
    rows = rows_of(encoding)
    assert [row["input_ids"] for row in rows] == encoding["input_ids"]
    assert {row["overflow_to_sample_mapping"] for row in rows} == {0}


def test_rows_are_padded_behind_their_tokens_whatever_the_tokenizer_says():
    left = minirobert.RobertaTokenizer.from_pretrained(padding_side="left")
    echo = Echo(batch_size=2)
    echo.tokenizer = left
    assert echo(["a", LONG]) == [["a"], LONG.split()]


DECODER = {"is_decoder": True, "tie_word_embeddings": False}
NLI = {"id2label": ((0, "contradiction"), (1, "neutral"), (2, "entailment"))}
CHOICES = {"question": "a sky", "choices": ["b", "c d"]}
#: task: (the class of its model, its labels, what it is called with, and how)
ROWS_OF_TEXTS = {
    "fill-mask": ("RobertaForMaskedLM", {}, "a <mask>", {}),
    "feature-extraction": ("RobertaModel", {}, "a sky", {"pooling": "cls"}),
    "text-classification": ("RobertaForSequenceClassification", {}, "a sky", {"top_k": 1}),
    "zero-shot-classification": (
        *("RobertaForSequenceClassification", NLI, "a sky"),
        {"candidate_labels": ["b", "c"]},
    ),
    "multiple-choice": ("RobertaForMultipleChoice", {}, CHOICES, {}),
    "score": ("RobertaForCausalLM", DECODER, "a sky", {}),
}


def of_task(task, tokenizer):
    """Make a pipeline, and what calls it with its input or with several."""
    model, labels, one, options = ROWS_OF_TEXTS[task]
    pipe = minirobert.pipeline(task, our_model(model, **labels), tokenizer)
    return one, lambda inputs, **more: pipe(inputs, **options, **more)


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("task", ROWS_OF_TEXTS)
def test_padding_that_is_asked_for_changes_no_answer(task, special):
    left = minirobert.RobertaTokenizer.from_pretrained(padding_side="left")
    one, call = of_task(task, left)
    plain = {"add_special_tokens": special}
    expected = call(one, tokenizer_kwargs=plain)
    for padding in (
        {"padding": "max_length", "max_length": 20},
        {"padding": "max_length", "max_length": LONGEST + 9, "padding_side": "right"},
        {"padding": True, "pad_to_multiple_of": 16},
    ):
        options = {**plain, **padding}
        assert call(one, tokenizer_kwargs=options) == expected
        together = call([one, one], tokenizer_kwargs=options, batch_size=2)
        assert_same(together, [expected, expected])


#: A text for the others must have a mask, a letter, or a token to score.
HAVE_NO_OTHER_ERROR = ["feature-extraction", "text-classification", "multiple-choice"]
EMPTY = {"multiple-choice": ({"question": "", "choices": ["", "b"]}, "question 1, with choice 0,")}


@pytest.mark.parametrize("more", [{}, {"padding": "max_length", "max_length": 9}], ids=str)
@pytest.mark.parametrize("task", HAVE_NO_OTHER_ERROR)
def test_a_text_without_a_token_is_an_error_alone_and_in_a_batch(task, more):
    one, call = of_task(task, our_tokenizer())
    empty, name = EMPTY.get(task, ("", "text 1"))
    options = {"tokenizer_kwargs": {"add_special_tokens": False, **more}}
    sentence = " has no token, but the model reads at least one: give it a word, or leave "
    with pytest.raises(ValueError, match=f"^{name}{sentence}add_special_tokens at True"):
        call([one, empty], **options, batch_size=2)
    alone = name.replace("text 1", "the text").replace("question 1", "the question")
    with pytest.raises(ValueError, match=f"^{alone}{sentence}"):
        call(empty, **options)
    with pytest.raises(ValueError, match=f"^{alone}{sentence}"):
        list(call(iter([empty, one]), **options, batch_size=2))


@pytest.mark.parametrize("pooling", [None, "mean", "cls", "word"])
def test_a_text_without_a_token_has_no_vector(pooling):
    embed = minirobert.pipeline("feature-extraction", our_model("RobertaModel"), our_tokenizer())
    options = {"tokenizer_kwargs": {"add_special_tokens": False}, "pooling": pooling}
    for inputs, name in (("", "the text"), (["", "a"], "text 0")):
        with pytest.raises(ValueError, match=f"^{name} has no token"):
            embed(inputs, batch_size=2, **options)


def test_a_tokenizer_that_puts_nothing_around_a_text(tmp_path):
    our_tokenizer().save_pretrained(tmp_path)
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "post_processor": None}))
    bare = minirobert.RobertaTokenizer.from_pretrained(tmp_path)
    tag = minirobert.pipeline("ner", our_model("RobertaForTokenClassification"), bare)
    for inputs, name in (("", "the text"), (["a", ""], "text 1")):
        with pytest.raises(ValueError, match=f"^{name} has no token"):
            tag(inputs, batch_size=2)


def test_tokenizer_of_another_model():
    small = RobertaModel(RobertaConfig(num_hidden_layers=1, vocab_size=8191))
    with pytest.raises(ValueError, match=r"8192 tokens, but the model's vocab_size is 8191"):
        Pipeline(small, our_tokenizer())
