"""The token-classification pipeline against transformers', and where it parts from it."""

import copy
import json
import warnings
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import TINY, RobertaForTokenClassification
from minirobert.pipelines.entities import without_overlap
from minirobert.pipelines.token_classification import TokenClassificationPipeline
from minirobert.tokenization import RobertaTokenizer
from tests.equivalence.texts import characters
from tests.equivalence.texts import texts as unusual_texts
from tests.libraries import LIBRARIES, NUMPY
from tests.pipelines.random_models import (
    LONGEST,
    in_transformers,
    our_tokenizer,
    random_model,
    their_tokenizer,
)

STRATEGIES = ["none", "simple", "first", "average", "max"]
LABELS = [
    ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    ["O", "PER", "LOC", "ORG", "MISC"],
    ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3", "LABEL_4"],
    ["B-", "I-", "B-A-B", "I-A-B", "A-B"],
]
SENTENCE = "My name is Zoë Müller-Smith (39), and I live in New  York, U.S.A.\nNot  in Rome."


@cache
def our_model(labels: int = 0, dtype: str = "float64") -> RobertaForTokenClassification:
    names = dict(enumerate(LABELS[labels]))
    return random_model(RobertaForTokenClassification, "classifier", dtype=dtype, id2label=names)


def ours(
    labels: int = 0, dtype: str = "float64", library: Any = NUMPY, **options: Any
) -> TokenClassificationPipeline:
    model = library.model(our_model(labels, dtype))
    return TokenClassificationPipeline(model, our_tokenizer(), **options)


class DecodedOnce(transformers.TokenClassificationPipeline):
    """Transformers' pipeline, but with the text of words decoded from their tokens, and once."""

    def aggregate_word(self, entities, aggregation_strategy):
        word = super().aggregate_word(entities, aggregation_strategy)
        return word | {"tokens": [entity["word"] for entity in entities]}

    def group_sub_entities(self, entities):
        tokens = [token for one in entities for token in one.get("tokens", [one["word"]])]
        group = super().group_sub_entities(entities)
        return group | {"word": self.tokenizer.convert_tokens_to_string(tokens)}


@cache
def theirs(
    labels: int = 0,
    dtype: str = "float64",
    kind: type = DecodedOnce,
    **tokenizer_options: Any,
) -> Any:
    return kind(
        model=in_transformers(our_model(labels, dtype)),
        tokenizer=their_tokenizer(**tokenizer_options),
        device="cpu",
    )


def expected_of(pipe: Any, *arguments: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the heuristic for words
        return pipe(*arguments, **options)


def without_duplicate(entities: list[dict]) -> list[dict]:
    """Drop the first entity where transformers gives it twice."""
    twice = len(entities) > 1 and entities[0] is entities[1]
    return entities[1:] if twice else entities


def assert_same(actual: Any, expected: Any, tolerance: float = 1e-10) -> None:
    """Compare entities: scores with a tolerance, all else exactly, the types included."""
    assert type(actual) is type(expected)
    if isinstance(expected, list):
        if expected and isinstance(expected[0], dict):
            expected = without_duplicate(expected)
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other, tolerance)
        return
    assert list(actual) == list(expected)
    for name, value in expected.items():
        if name == "score":
            assert type(actual[name]) is float
            assert abs(actual[name] - value) <= tolerance
        else:
            assert type(actual[name]) is type(value), name
            assert actual[name] == value, name


plain_words = st.sampled_from(
    ["Anna", "lives", "in", "New", "York,", "(U.S.A.),", "and", "Bob-Smith's", "unbelievable", "42"]
)
other_words = st.sampled_from(
    ["Zoë", "naïve", "日本", "😀", "👩‍👩‍👧", "e\u0301", "¿qué?", "Ġ", "<mask>", "<unk>"]
)
spaces = st.sampled_from([" ", " ", " ", "  ", "\n", "\t", "", " \n", "\xa0"])
sentences = st.lists(plain_words, max_size=60).map(" ".join)
mixed = st.lists(st.tuples(spaces, plain_words | other_words), max_size=50).map(
    lambda parts: "".join(space + word for space, word in parts)
)
texts = sentences | mixed | unusual_texts
ignored = st.none() | st.lists(
    st.sampled_from(["O", "B-PER", "PER", "LOC", "LABEL_1", "A-B", "B", "nothing"]), max_size=3
)
strides = st.none() | st.integers(0, LONGEST - 4)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    options: dict[str, Any] = {"batch_size": draw(st.integers(1, 4))}
    strategy = draw(st.none() | st.sampled_from([*STRATEGIES, "Simple", "AVERAGE"]))
    if strategy is not None:
        options["aggregation_strategy"] = strategy
    stride = draw(strides)
    if stride is not None and strategy != "none":
        options["stride"] = stride
    labels = draw(ignored)
    if labels is not None:
        options["ignore_labels"] = labels
    return options


@pytest.mark.filterwarnings("ignore:.*not labelled")
@settings(max_examples=200)
@given(
    inputs=texts | st.lists(texts, min_size=1, max_size=4),
    labels=st.integers(0, len(LABELS) - 1),
    options=calls(),
)
def test_equals_transformers(inputs, labels, options):
    expected = expected_of(theirs(labels), inputs, **options)
    assert_same(ours(labels)(inputs, **options), expected)
    # defaults of the pipeline are the same as options of the call
    assert_same(ours(labels, **options)(inputs), expected)


@pytest.mark.filterwarnings("ignore:.*not labelled")
@settings(max_examples=60)
@given(text=st.text(st.characters(max_codepoint=126), max_size=200) | sentences, options=calls())
def test_equals_unchanged_transformers_on_ascii(text, options):
    unchanged = theirs(kind=transformers.TokenClassificationPipeline)
    assert_same(ours()(text, **options), expected_of(unchanged, text, **options))


words = st.lists(plain_words | other_words | st.text(characters, max_size=5), max_size=30)


@pytest.mark.filterwarnings("ignore:.*not labelled")
@settings(max_examples=100)
@given(
    inputs=words.filter(bool) | st.lists(words, min_size=1, max_size=3),
    delimiter=st.sampled_from([None, " ", "", "\n", " | "]),
    options=calls(),
)
def test_words_equal_transformers(inputs, delimiter, options):
    options["is_split_into_words"] = True
    if delimiter is not None:
        options["delimiter"] = delimiter
    expected = expected_of(theirs(add_prefix_space=True), inputs, **options)
    assert_same(ours()(inputs, **options), expected)


@pytest.mark.filterwarnings("ignore:.*not labelled")
@settings(max_examples=40)
@given(text=texts, options=calls())
def test_add_prefix_space_equals_transformers(text, options):
    pipe = TokenClassificationPipeline(our_model(), our_tokenizer(add_prefix_space=True))
    expected = expected_of(theirs(add_prefix_space=True), text, **options)
    assert_same(pipe(text, **options), expected)


@pytest.mark.filterwarnings("ignore:.*not labelled")
@settings(max_examples=40)
@given(text=texts, options=calls())
def test_untrimmed_offsets_equal_transformers(text, options):
    pipe = TokenClassificationPipeline(our_model(), our_tokenizer(trim_offsets=False))
    expected = expected_of(theirs(trim_offsets=False), text, **options)
    assert_same(pipe(text, **options), expected)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_unknown_token_is_a_word_of_its_own(strategy):
    text = "<unk>Anna<unk>lives <unk><unk>! in<unk>"
    for labels in range(len(LABELS)):
        options = {"aggregation_strategy": strategy, "ignore_labels": []}
        assert_same(ours(labels)(text, **options), expected_of(theirs(labels), text, **options))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("strategy", STRATEGIES[1:])
def test_array_libraries(library, strategy):
    inputs = [SENTENCE * 3, "", "Rome", SENTENCE]
    options = {"aggregation_strategy": strategy, "stride": 9, "batch_size": 3, "ignore_labels": []}
    pipe = ours(library=library)
    assert_same(pipe(inputs, **options), expected_of(theirs(), inputs, **options))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_float32(strategy):
    options = {"aggregation_strategy": strategy, "ignore_labels": []}
    expected = expected_of(theirs(dtype="float32"), SENTENCE, **options)
    assert_same(ours(dtype="float32")(SENTENCE, **options), expected, tolerance=1e-5)


def test_float16_is_read_in_float32():
    found = ours(dtype="float16")(SENTENCE, ignore_labels=[])
    scores = np.array([entity["score"] for entity in found])
    assert np.any(scores != scores.astype(np.float16))
    assert np.all(scores == scores.astype(np.float32))


@pytest.mark.filterwarnings("ignore:.*not labelled")
@given(text=texts, options=calls(), labels=st.integers(0, len(LABELS) - 1))
def test_entities_are_parts_of_the_text(text, options, labels):
    options["ignore_labels"] = []
    strategy = options.get("aggregation_strategy", "none").lower()
    last = 0
    for entity in ours(labels)(text, **options):
        start, end = entity["start"], entity["end"]
        assert 0 <= start <= end <= len(text)
        assert 0 < entity["score"] <= 1 + 1e-12
        assert last <= start
        last = start
        if strategy != "none" and "\ufffd" not in entity["word"]:
            # <mask> has no token for the white space before it
            assert "".join(entity["word"].split()) == "".join(text[start:end].split())
            if "<mask>" not in text:
                assert entity["word"].strip() == text[start:end].strip()


def test_word_of_a_first_word_with_an_accent():
    text = "Zoë lives"
    for strategy in ["first", "average", "max"]:
        options = {"aggregation_strategy": strategy, "ignore_labels": []}
        assert "".join(one["word"] for one in ours()(text, **options)) == text
    unchanged = theirs(kind=transformers.TokenClassificationPipeline)
    found = expected_of(unchanged, text, aggregation_strategy="first", ignore_labels=[])
    assert found[0]["word"].startswith("Zo\ufffd")  # there, it is decoded twice


def test_first_entity_without_characters_is_given_once():
    text = "  Anna lives in New York." * 9
    for labels in range(len(LABELS)):
        options = {"aggregation_strategy": "first", "stride": 2, "ignore_labels": []}
        found = ours(labels)(text, **options)
        assert all(one != other for one, other in pairwise(found))


@pytest.mark.parametrize("grouped", [None, False, True])
@pytest.mark.parametrize("ignored", [None, False, True])
@pytest.mark.parametrize("strategy", [None, "max"])
def test_older_spelling_of_strategies(grouped, ignored, strategy):
    options = {"aggregation_strategy": strategy, "ignore_labels": []}
    older = {"grouped_entities": grouped, "ignore_subwords": ignored}
    options |= {name: value for name, value in older.items() if value is not None}
    expected = expected_of(theirs(), SENTENCE, **options)
    assert_same(ours()(SENTENCE, **options), expected)
    assert_same(ours(**options)(SENTENCE), expected)


def test_labels_are_ignored_after_entities_are_put_together():
    found = ours()(SENTENCE, aggregation_strategy="simple", ignore_labels=["B-PER", "B-LOC"])
    everything = ours()(SENTENCE, aggregation_strategy="simple", ignore_labels=[])
    assert found == everything
    assert {one["entity_group"] for one in everything} == {"O", "PER", "LOC"}
    names = ours()(SENTENCE, aggregation_strategy="simple")
    assert names == [one for one in everything if one["entity_group"] != "O"]


def test_long_text_without_stride_is_cut_with_a_warning():
    text = SENTENCE * 4
    with pytest.warns(UserWarning, match=f"the text has more than the {LONGEST} tokens.*stride="):
        found = ours()(text, ignore_labels=[])
    assert len(found) == LONGEST - 2
    assert_same(found, theirs()(text, ignore_labels=[]))
    with pytest.warns(UserWarning, match="text 1 has more"):
        ours()([SENTENCE, text])
    covered = ours()(text, ignore_labels=[], stride=5)
    assert covered[-1]["end"] == len(text)


@pytest.mark.parametrize("model_max_length", [None, 10_000])
def test_length_that_only_the_model_knows(model_max_length):
    tokenizer = RobertaTokenizer.from_pretrained(TINY)
    tokenizer.model_max_length = model_max_length
    pipe = TokenClassificationPipeline(our_model(), tokenizer)
    options = {"stride": 7, "aggregation_strategy": "simple"}
    assert pipe(SENTENCE * 3, **options) == ours()(SENTENCE * 3, **options)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_stream_is_read_lazily(batch_size):
    read = []

    def stream():
        for text in ["Anna", SENTENCE, "", "in Rome"] * 20:
            read.append(text)
            yield text

    answers = ours(batch_size=batch_size)(stream(), aggregation_strategy="simple")
    assert read == []
    first = next(answers)
    assert 0 < len(read) < 40
    rest = list(answers)
    listed = ours()(["Anna", SENTENCE, "", "in Rome"] * 20, aggregation_strategy="simple")
    assert_same([first, *rest], listed)


def test_stream_of_words():
    sentences = [["Anna", "lives"], [], ["in", "Rome"]]
    answers = ours()(iter(sentences), is_split_into_words=True)
    assert_same(list(answers), ours()(sentences, is_split_into_words=True))


@pytest.mark.parametrize("side", ["left", "right"])
def test_side_of_padding_does_not_matter(side):
    tokenizer = our_tokenizer(padding_side=side)
    pipe = TokenClassificationPipeline(our_model(), tokenizer, batch_size=3)
    assert_same(pipe([SENTENCE, "Rome", "Anna lives"]), ours()([SENTENCE, "Rome", "Anna lives"]))


def test_results_are_plain_data():
    for strategy in STRATEGIES:
        found = ours()(SENTENCE, aggregation_strategy=strategy)
        assert json.loads(json.dumps(found)) == found


def test_of_overlapping_entities_the_first_of_equals_is_kept():
    one, other = {"start": 0, "end": 3, "score": 0.5}, {"start": 1, "end": 4, "score": 0.5}
    assert without_overlap([other, one]) == [one]
    assert without_overlap([]) == []


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"aggregation_strategy": "foo"}, ValueError, "'foo', but must be one of none, simple"),
        ({"aggregation_strategy": 3}, ValueError, "is 3, but must be one of"),
        ({"ignore_labels": "O"}, TypeError, r"must be a list: \['O'\]"),
        ({"stride": LONGEST - 2}, ValueError, f"from 0 to {LONGEST - 3}"),
        ({"stride": -1}, ValueError, "stride is -1"),
        ({"stride": 2.0}, ValueError, "stride is 2.0"),
        ({"stride": 2, "aggregation_strategy": "none"}, ValueError, "must be put together"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
    ],
)
def test_wrong_options(options, error, match):
    with pytest.raises(error, match=match):
        ours()(SENTENCE, **options)
    if "batch_size" not in options:
        with pytest.raises(error, match=match):
            ours(**options)


@pytest.mark.parametrize(
    ("inputs", "split", "error", "match"),
    [
        ([], False, ValueError, "inputs is empty"),
        ([], True, ValueError, "inputs is empty"),
        (None, False, TypeError, "inputs is None"),
        (["a", 3], False, TypeError, "text 1 is 3, but must be a str"),
        ([["a"]], False, TypeError, r"the text is \['a'\], but must be a str"),
        ("Anna lives", True, TypeError, "'Anna lives', but must be a list of words"),
        ([["a"], "b"], True, TypeError, "text 1 is 'b', but must be a list of words"),
        ([["a", 4]], True, TypeError, r"\['a', 4\], but must be a list of words"),
    ],
)
def test_wrong_inputs(inputs, split, error, match):
    with pytest.raises(error, match=match):
        ours()(inputs, is_split_into_words=split)


@pytest.mark.parametrize("strategy", ["none", "simple", "average"])
def test_a_class_without_a_name_is_called_by_its_number(strategy):
    named = our_model()
    count = named.config.num_labels
    names = {i: f"LABEL_{i}" for i in range(count)}
    gaps = replace(named, config=copy.deepcopy(named.config))
    with pytest.warns(UserWarning, match="id2label has names for"):
        gaps.config.id2label = {count + i: "X" for i in range(count)}
    named = replace(named, config=copy.deepcopy(named.config))
    named.config.id2label = names
    found, expected = (
        minirobert.pipeline(
            "token-classification", one, RobertaTokenizer.from_pretrained(TINY),
            aggregation_strategy=strategy,
        )("The sky is blue over London.")
        for one in (gaps, named)
    )  # fmt: skip
    assert found == expected
    assert found
