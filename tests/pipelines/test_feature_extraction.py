"""The feature-extraction pipeline against transformers', and its sentence embeddings."""

import numpy as np
import pytest
import torch
import transformers
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import TINY
from minirobert.pipelines.feature_extraction import mean_pooling, unit_length, word_pooling
from tests.libraries import LIBRARIES, STRICT, host
from tests.pipelines.models import (
    LONGEST,
    assert_same,
    our_model,
    our_tokenizer,
    ours,
    text_of,
    texts,
    their_model,
    their_tokenizer,
    theirs,
)

inputs = texts | st.lists(texts, max_size=6)
SOME = ["The sky is blue.", "", "日本", "naïve cats and the dog that is not here"]


def extract(**keywords):
    return ours("feature-extraction", "RobertaModel", **keywords)


@given(inputs=inputs, batch_size=st.integers(1, 4))
def test_equals_transformers(inputs, batch_size):
    expected = theirs("feature-extraction", "RobertaModel")(inputs, truncation=True)
    assert_same(extract()(inputs, truncation=True, batch_size=batch_size), expected)


@given(inputs=st.lists(texts, max_size=9), batch_size=st.integers(1, 3))
def test_stream_equals_transformers(inputs, batch_size):
    expected = theirs("feature-extraction", "RobertaModel")(inputs, truncation=True)
    actual = extract()(iter(inputs), truncation=True, batch_size=batch_size)
    assert iter(actual) is actual
    assert_same(list(actual), expected)


def test_return_tensors_gives_arrays():
    expected = theirs("feature-extraction", "RobertaModel")(SOME, return_tensors=True)
    actual = extract()(SOME, return_tensors=True, batch_size=3)
    for one, other in zip(actual, expected, strict=True):
        assert isinstance(one, np.ndarray)
        assert one.dtype == np.float64
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=0, atol=1e-10)


def embedded(texts, pooling, normalize):
    """Make sentence embeddings as is usual with torch."""
    batch = their_tokenizer()(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        hidden = their_model("RobertaModel")(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).double()
    vectors = (hidden * mask).sum(1) / mask.sum(1) if pooling == "mean" else hidden[:, 0]
    return (torch.nn.functional.normalize(vectors) if normalize else vectors).tolist()


@settings(max_examples=50)
@given(
    inputs=st.lists(texts, min_size=1, max_size=6),
    pooling=st.sampled_from(["mean", "cls"]),
    normalize=st.booleans(),
    batch_size=st.integers(1, 4),
)
def test_pooling_equals_torch(inputs, pooling, normalize, batch_size):
    call = {"pooling": pooling, "normalize": normalize}
    expected = embedded(inputs, pooling, normalize)
    extractor = extract(truncation=True)
    assert_same(extractor(inputs, batch_size=batch_size, **call), expected)
    assert_same(extractor(inputs[0], **call), expected[0])
    assert_same(extract(truncation=True, **call)(inputs, batch_size=batch_size), expected)


def vectors_of_words(text, normalize):
    """Average what torch gives for the tokens of each word of transformers' fast tokenizer."""
    encoding = their_tokenizer()(text, truncation=True, return_tensors="pt")
    with torch.no_grad():
        hidden = their_model("RobertaModel")(**encoding).last_hidden_state[0]
    rows = {}
    for vector, word in zip(hidden, encoding.word_ids(), strict=True):
        if word is not None:
            rows.setdefault(word, []).append(vector)
    vectors = [torch.stack(rows[word]).mean(dim=0) for word in sorted(rows)]
    if normalize:
        vectors = [torch.nn.functional.normalize(vector, dim=0) for vector in vectors]
    return [vector.tolist() for vector in vectors]


@settings(max_examples=50)
@given(
    inputs=st.lists(texts, min_size=1, max_size=6),
    normalize=st.booleans(),
    batch_size=st.integers(1, 4),
)
@example(inputs=["", "Don't  stop, naïve <mask> 日本 42!", " "], normalize=True, batch_size=3)
def test_words_equal_transformers(inputs, normalize, batch_size):
    call = {"pooling": "word", "normalize": normalize}
    expected = [vectors_of_words(text, normalize) for text in inputs]
    extractor = extract(truncation=True)
    assert_same(extractor(inputs, batch_size=batch_size, **call), expected)
    assert_same(list(extractor(iter(inputs), batch_size=batch_size, **call)), expected)
    assert_same(extractor(inputs[0], **call), expected[0])
    arrays = extractor(inputs, return_tensors=True, batch_size=batch_size, **call)
    assert [array.shape for array in arrays] == [(len(words), 12) for words in expected]
    assert {array.dtype for array in arrays} == {np.dtype("float64")}


def test_words_of_one_token_each_are_its_vector():
    encoding = our_tokenizer()("The sky is blue.")
    assert encoding.word_ids()[1:-1] == [0, 1, 2, 3, 4]
    tokens = extract()("The sky is blue.", return_tensors=True)
    words = extract(pooling="word")("The sky is blue.", return_tensors=True)
    np.testing.assert_allclose(words, tokens[0, 1:-1], rtol=1e-14)


def test_words_of_a_text_that_is_cut_or_padded():
    """A word that is cut has the tokens that are left, and padding is in no word."""
    text, options = "naïve 日本", {"truncation": True, "max_length": 5}
    assert our_tokenizer()(text, **options).word_ids() == [None, 0, 0, 0, None]
    hidden = extract()(text, tokenizer_kwargs=options, return_tensors=True)[0]
    found = extract(pooling="word")(text, tokenizer_kwargs=options, return_tensors=True)
    np.testing.assert_allclose(found, hidden[1:-1].mean(axis=0, keepdims=True), rtol=1e-12)
    padded = {"padding": "max_length", "max_length": 20}
    one = extract(pooling="word")(text, tokenizer_kwargs=padded, return_tensors=True)
    np.testing.assert_allclose(
        one, extract(pooling="word")(text, return_tensors=True), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("library", LIBRARIES)
def test_word_pooling(library):
    hidden = np.random.default_rng(3).normal(size=(6, 5))
    words = [None, 4, 4, 7, None, 4]
    found = host(word_pooling(library.array(hidden), words))
    np.testing.assert_allclose(found, [hidden[[1, 2, 5]].mean(axis=0), hidden[3]], rtol=1e-6)
    assert host(word_pooling(library.array(hidden), [None] * 6)).shape == (0, 5)


def test_word_pooling_of_half_precision_adds_in_float32():
    hidden = np.full((3000, 2), 60.0, np.float16)  # whose sum is no float16
    found = word_pooling(hidden, [0] * 3000)
    assert found.dtype == np.float16
    assert found.tolist() == [[60.0, 60.0]]


def test_normalize_without_pooling():
    vectors = np.array(extract()("a cat"))
    lengths = np.sqrt(np.sum(vectors**2, axis=-1, keepdims=True))
    np.testing.assert_allclose(extract(normalize=True)("a cat"), vectors / lengths, rtol=1e-12)


@pytest.mark.parametrize("library", LIBRARIES[1:])
@pytest.mark.parametrize("pooling", [None, "mean", "cls"])
def test_every_library(library, pooling):
    call = {"pooling": pooling, "normalize": True, "batch_size": 3}
    assert_same(extract(library=library)(SOME, **call), extract()(SOME, **call))


def test_float32():
    assert_same(extract(dtype="float32")(SOME), extract()(SOME), relative=1e-4)


def test_mean_in_float16_is_not_summed_in_float16():
    hidden = np.full((1, 5000, 2), 100, np.float16)
    pooled = mean_pooling(hidden, np.ones((1, 5000), np.int64))
    assert pooled.dtype == np.float16
    np.testing.assert_array_equal(pooled, [[100, 100]])
    np.testing.assert_allclose(unit_length(pooled), [[0.5**0.5] * 2], rtol=1e-3)


def test_nothing_to_pool():
    hidden, nothing = STRICT.array(np.ones((1, 2, 3))), STRICT.array(np.zeros((1, 2), np.int64))
    assert host(mean_pooling(hidden, nothing)).tolist() == [[0.0] * 3]
    assert host(unit_length(STRICT.array(np.zeros((1, 2))))).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    "options", [{"max_length": 5, "truncation": True}, {"padding": "max_length"}]
)
def test_tokenizer_options(options):
    expected = theirs("feature-extraction", "RobertaModel")(SOME, tokenize_kwargs=dict(options))
    assert_same(extract()(SOME, tokenize_kwargs=options, batch_size=2), expected)
    assert_same(extract()(SOME, tokenizer_kwargs=options), expected)
    assert_same(extract(tokenize_kwargs=options)(SOME), expected)
    assert_same(extract(tokenizer_kwargs=options)(SOME), expected)


def test_bundled_model():
    model = transformers.RobertaModel.from_pretrained(
        TINY, dtype=torch.float32, add_pooling_layer=False
    )
    their_pipeline = transformers.pipeline(
        "feature-extraction", model=model, tokenizer=their_tokenizer(), device="cpu"
    )
    actual = minirobert.pipeline("feature-extraction")("The sky is blue.")
    assert_same(actual, their_pipeline("The sky is blue."), relative=1e-4)


def test_checkpoint_with_a_pooler(tmp_path):
    their_model("RobertaModel").save_pretrained(tmp_path)
    our_tokenizer().save_pretrained(tmp_path)
    extractor = minirobert.pipeline("feature-extraction", tmp_path, dtype="float64")
    assert_same(extractor(SOME), extract()(SOME))


# Where more is asked than by transformers


def test_the_other_texts_of_a_batch_do_not_matter():
    together = extract()(["a", text_of(LONGEST)], batch_size=2, return_tensors=True)
    assert [vectors.shape for vectors in together] == [(1, 3, 12), (1, LONGEST, 12)]


def test_model_with_a_head():
    model = our_model("RobertaForMaskedLM")
    with pytest.raises(ValueError, match=r"needs a RobertaModel.*give its encoder, model\.roberta"):
        minirobert.pipeline("feature-extraction", model, our_tokenizer())
    extractor = minirobert.pipeline("feature-extraction", model.roberta, our_tokenizer())
    assert np.array(extractor("a cat")).shape == (1, 4, 12)


@pytest.mark.parametrize("pooling", ["max", "", 5])
def test_unknown_pooling(pooling):
    with pytest.raises(
        ValueError, match=f"pooling is {pooling!r}, but must be one of 'mean', 'cls', 'word', None"
    ):
        extract()("a", pooling=pooling)
    with pytest.raises(ValueError, match=f"pooling is {pooling!r}"):
        extract(pooling=pooling)


def test_truncation_given_twice():
    for give in (extract, lambda **options: extract()("a", **options)):
        with pytest.raises(ValueError, match="truncation was given twice"):
            give(truncation=True, tokenize_kwargs={"truncation": True})


@pytest.mark.parametrize("inputs", [5, {"text": "a"}, [5], [["a"]], b"a"])
def test_wrong_inputs(inputs):
    with pytest.raises(TypeError, match="must be a str"):
        extract()(inputs)


def test_text_too_long():
    with pytest.raises(ValueError, match=r"the text has 129 tokens.*128.*truncate"):
        extract()(text_of(129))


def test_no_text_at_all():
    assert extract()([]) == []
