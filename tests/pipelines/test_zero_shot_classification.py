"""The zero-shot-classification pipeline against transformers', and where it asks for more."""

import itertools
import warnings

import numpy as np
import pytest
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
    texts_without_masks,
    their_tokenizer,
    theirs,
)

pytestmark = pytest.mark.usefixtures("exact_pipelines")

TASK, CLASS = "zero-shot-classification", "RobertaForSequenceClassification"
NLI = {"id2label": ((0, "CONTRADICTION"), (1, "NEUTRAL"), (2, "ENTAILMENT"))}
ENTAILMENTS = [
    NLI,
    {"id2label": ((0, "entailed"), (1, "neutral"), (2, "contradiction"))},
    {"id2label": ((0, "no"), (1, "Entail"))},
    {"num_labels": 3},  # without a name
]
LABELS = ["sport", "politics", "日本", "cats and dogs"]
SOME = ["The sky is blue.", "naïve cats", "a"]

sequences = texts.filter(bool)
label_lists = st.lists(
    st.sampled_from(LABELS) | texts_without_masks, min_size=1, max_size=4, unique=True
)


def classify(labels=NLI, **keywords):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "none of the model's labels")
        return ours(TASK, CLASS, labels, **keywords)


@pytest.mark.parametrize("labels", ENTAILMENTS, ids=str)
@settings(max_examples=40)
@given(
    inputs=sequences | st.lists(sequences, max_size=3),
    candidates=label_lists | st.sampled_from(["a", "sport, politics,, cats"]),
    options=st.fixed_dictionaries(
        {},
        optional={
            "multi_label": st.booleans(),
            "hypothesis_template": st.sampled_from(["This is {}.", "{}", "日本 {} or {{}}"]),
        },
    ),
    batch_size=st.integers(1, 5),
)
def test_equals_transformers(labels, inputs, candidates, options, batch_size):
    expected = theirs(TASK, CLASS, labels)(inputs, candidates, **options)
    actual = classify(labels)(inputs, candidates, batch_size=batch_size, **options)
    assert_same(actual, expected)
    actual = classify(labels, candidate_labels=candidates, **options)(inputs)
    assert_same(actual, expected)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_stream_equals_transformers(batch_size):
    their_pipeline = theirs(TASK, CLASS, NLI, num_workers=0)
    expected = list(their_pipeline((text for text in SOME), candidate_labels=LABELS))
    actual = classify()((text for text in SOME), LABELS, batch_size=batch_size)
    assert iter(actual) is actual
    assert_same(list(actual), expected)
    endless = classify()(itertools.cycle(SOME), LABELS, batch_size=batch_size)
    assert_same(list(itertools.islice(endless, 3)), expected)


@pytest.mark.parametrize("inputs", [text_of(LONGEST + 50), [text_of(300), "a", text_of(LONGEST)]])
def test_long_texts_are_cut_as_in_transformers(inputs):
    expected = theirs(TASK, CLASS, NLI)(inputs, LABELS)
    with pytest.warns(UserWarning, match=r"text( [02])? with a hypothesis") as caught:
        assert_same(classify(batch_size=3)(inputs, LABELS), expected)
    assert len(caught) == (1 if isinstance(inputs, str) else 2)  # one a text, and none for "a"
    cut = {"truncation": "only_first", "max_length": LONGEST}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(classify(batch_size=3)(inputs, LABELS, tokenizer_kwargs=cut), expected)


def test_exactly_the_texts_that_are_cut_are_told():
    """Around the limit, by the number of tokens that transformers counts."""
    hypothesis = "This example is cats and dogs."
    for tokens in range(LONGEST - 12, LONGEST):
        text = text_of(tokens)
        length = len(their_tokenizer()(text, hypothesis, verbose=False)["input_ids"])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classify()(text, ["sport", "cats and dogs"])
        assert len(caught) == (length > LONGEST), length


def test_hypothesis_that_fits_only_the_model():
    """The tokenizer's limit leaves no room for a text; transformers does not truncate then."""
    theirs_short = theirs(TASK, CLASS, NLI)
    their_limit, theirs_short.tokenizer.model_max_length = (
        theirs_short.tokenizer.model_max_length,
        12,
    )
    try:
        expected = theirs_short("the sky", ["a b c d e f g h i j", "a"])
    finally:
        theirs_short.tokenizer.model_max_length = their_limit
    tokenizer = RobertaTokenizer.from_pretrained(model_max_length=12)
    short = minirobert.pipeline(TASK, our_model(CLASS, **NLI), tokenizer)
    assert_same(short("the sky", ["a b c d e f g h i j", "a"]), expected)


@pytest.mark.parametrize("library", LIBRARIES[1:])
@pytest.mark.parametrize("multi_label", [False, True])
def test_every_library(library, multi_label):
    call = {"candidate_labels": LABELS, "multi_label": multi_label, "batch_size": 5}
    assert_same(classify(library=library)(SOME, **call), classify()(SOME, **call))


def test_float32():
    exact = classify()(SOME, LABELS, multi_label=True)
    assert_same(classify(dtype="float32")(SOME, LABELS, multi_label=True), exact, relative=1e-5)


# Where more is asked than by transformers


def test_tokenizer_without_a_limit():
    tokenizer = RobertaTokenizer.from_pretrained(model_max_length=None)
    classifier = minirobert.pipeline(TASK, our_model(CLASS, **NLI), tokenizer)
    with pytest.warns(UserWarning, match="its end is not read"):
        assert_same(classifier(text_of(300), LABELS), classify()(text_of(300), LABELS))


def test_side_of_padding_does_not_matter():
    left = RobertaTokenizer.from_pretrained(padding_side="left")
    classifier = minirobert.pipeline(TASK, our_model(CLASS, **NLI), left)
    assert_same(classifier(SOME, LABELS, batch_size=5), classify()(SOME, LABELS))


@pytest.mark.parametrize("multi_label", [False, True])
def test_large_logits_do_not_overflow(monkeypatch, multi_label):
    classifier = classify(dtype="float32")
    logits = np.array([[-500, 0, 500], [-500, 0, 300]], np.float32)
    monkeypatch.setattr(classifier, "_logits", lambda batch: logits[: len(batch["input_ids"])])
    scores = classifier("a", ["b", "c"], multi_label=multi_label, batch_size=2)["scores"]
    assert scores == ([1.0, 1.0] if multi_label else [1.0, 0.0])


def test_a_label_may_be_braces():
    assert classify()("a", ["{}"])["labels"] == ["{}"]


def test_model_without_entailment_warns():
    with pytest.warns(UserWarning, match="'LABEL_0', 'LABEL_1'.*begins with 'entail'") as caught:
        ours(TASK, CLASS, {"num_labels": 2})
    assert caught[0].filename.endswith("models.py")  # where `ours` calls `pipeline`
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours(TASK, CLASS, NLI)


@pytest.mark.filterwarnings("ignore:id2label has names for")
def test_entailment_where_classes_have_no_names():
    gaps = classify({"id2label": ((2, "entailment"), (4, "neutral"), (5, "contradiction"))})
    assert gaps.entailment_id == 2
    assert_same(gaps("a", LABELS), classify()("a", LABELS))
    with pytest.warns(UserWarning, match="'LABEL_0', 'neutral', 'contradiction'.*begins with 'ent"):
        ours(TASK, CLASS, {"id2label": ((1, "neutral"), (2, "contradiction"), (3, "entailment"))})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a",), TypeError, "candidate_labels is missing"),
        (("a", []), ValueError, "candidate_labels is empty"),
        (("a", " ,"), ValueError, "candidate_labels is empty"),
        (("a", ["b", 5]), TypeError, r"candidate_labels\[1\] is 5, but must be a str"),
        (("", LABELS), ValueError, "the text is empty"),
        ((["a", ""], LABELS), ValueError, "text 1 is empty"),
        (([5], LABELS), TypeError, "the text is 5, but must be a str"),
        ((5, LABELS), TypeError, "inputs is 5"),
        (("\ud800", LABELS), ValueError, "surrogate"),
    ],
)
def test_wrong_inputs(arguments, error, message):
    with pytest.raises(error, match=message):
        classify()(*arguments)


@pytest.mark.parametrize("template", ["no place", "{} {}", "{a}", "{", "", 5])
def test_wrong_template(template):
    with pytest.raises(ValueError, match=r"hypothesis_template is .* with one \{\}"):
        classify()("a", LABELS, hypothesis_template=template)


def test_hypothesis_too_long():
    message = (
        r"text 1, with the hypothesis 'This example is sky.*' \(\d+ characters\), "
        r"has 2\d\d tokens.*128"
    )
    classifier = classify(candidate_labels=[text_of(200)])
    with pytest.raises(ValueError, match=message.replace("text 1", "the text")):
        classifier("a cat")
    with pytest.raises(ValueError, match=message.replace("text 1", "text 0")):
        classifier(["a cat", "a dog"])


def test_no_text_at_all():
    assert classify()([], LABELS) == []


def test_bundled_model_has_no_such_head():
    with pytest.raises(ValueError, match=r"not trained for zero-shot-classification.*give model="):
        minirobert.pipeline(TASK)


def test_model_of_another_task():
    with pytest.raises(ValueError, match="needs a RobertaForSequenceClassification, not a"):
        minirobert.pipeline(TASK, our_model("RobertaModel"), our_tokenizer())
