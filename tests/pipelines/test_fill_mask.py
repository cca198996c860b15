"""The fill-mask pipeline against transformers', and where it asks for more than transformers."""

import warnings
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.pipelines import PipelineException

import minirobert
from minirobert import TINY, RobertaConfig, RobertaForMaskedLM, RobertaModel
from minirobert.observe import watch
from minirobert.parameters import build_tree, flatten
from minirobert.pipelines import FillMaskPipeline
from minirobert.tokenization import RobertaTokenizer
from tests.equivalence.texts import texts as unusual_texts
from tests.libraries import LIBRARIES, NUMPY, STRICT
from tests.pipelines import models

transformers.logging.set_verbosity_error()

SKY = "The color of the sky is <mask>."
ANIMAL = "The <mask> is an animal."
TWO_MASKS = "A <mask> is a kind of <mask>."
VOCABULARY_SIZE = 8192
LONGEST = 128


@cache
def theirs(dtype: torch.dtype = torch.float64) -> Any:
    model = transformers.RobertaForMaskedLM.from_pretrained(TINY, dtype=dtype)
    tokenizer = transformers.RobertaTokenizerFast.from_pretrained(TINY)
    return transformers.pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")


@cache
def our_tokenizer() -> RobertaTokenizer:
    return RobertaTokenizer.from_pretrained(TINY)


@cache
def our_model(dtype: str = "float64") -> RobertaForMaskedLM:
    return RobertaForMaskedLM.from_pretrained(TINY, dtype=dtype)


def ours(dtype: str = "float64", library: Any = NUMPY, **options: Any) -> FillMaskPipeline:
    model = library.model(our_model(dtype))
    return minirobert.pipeline("fill-mask", model, our_tokenizer(), **options)


# In float64 no two scores are as close as that, so there are no ties to allow for.
assert_same = partial(models.assert_same, at_least=0.0)


# A small model with the same vocabulary, for the many texts that are drawn.


@cache
def small_theirs() -> Any:
    return models.theirs("fill-mask", "RobertaForMaskedLM")


def small_ours(library: Any = NUMPY, **options: Any) -> FillMaskPipeline:
    return models.ours("fill-mask", "RobertaForMaskedLM", library=library, **options)


words = st.sampled_from(
    ["The", "the sky", "cats", "is", "are", "blue", "don't", "said:", "42", "(or)", "naïve", "end."]
)
sentences = st.lists(words, max_size=12).map(" ".join)
pieces = sentences | sentences.map(" {} ".format) | unusual_texts
spaces = st.sampled_from(["", " ", "  ", "\n"])


@st.composite
def texts_with_masks(draw: st.DrawFn) -> str:
    """Draw a text with one to three masks, which may touch each other and the ends."""
    text = draw(pieces)
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        text += draw(spaces) + "<mask>" + draw(pieces)
    return text


def fits(text: str) -> bool:
    return len(theirs().tokenizer(text, verbose=False)["input_ids"]) <= LONGEST


fitting_texts = texts_with_masks().filter(fits)
inputs = fitting_texts | st.lists(fitting_texts, max_size=4)
some_top_k = st.integers(1, 12) | st.just(200)


@cache
def vocabulary() -> list[str]:
    return sorted(theirs().tokenizer.get_vocab())


def targets() -> st.SearchStrategy[Any]:
    """Draw one target, or several with repetitions: words of the vocabulary, and other texts."""
    word = st.sampled_from(vocabulary())
    other = st.sampled_from(["", " ", " blue", "xyzzy", "blue sky", " <mask>", "日本", "don't"])
    several = st.lists(word | other | unusual_texts, max_size=5)
    with_repetitions = several.flatmap(lambda some: st.permutations(some + some[:2]))
    return word | st.builds(lambda some, one: [*some, one], with_repetitions, word)


@pytest.mark.parametrize("library", LIBRARIES)
@given(inputs=inputs, top_k=some_top_k, batch_size=st.integers(1, 4))
def test_equals_transformers(library, inputs, top_k, batch_size):
    expected = small_theirs()(inputs, top_k=top_k, batch_size=batch_size)
    actual = small_ours(library)(inputs, top_k=top_k, batch_size=batch_size)
    assert_same(actual, expected)


@settings(max_examples=30)
@given(inputs=st.lists(fitting_texts, max_size=6), batch_size=st.integers(1, 3))
def test_stream_equals_transformers(inputs, batch_size):
    expected = list(small_theirs()((text for text in inputs), batch_size=batch_size, num_workers=0))
    actual = small_ours()((text for text in inputs), batch_size=batch_size)
    assert iter(actual) is actual
    assert_same(list(actual), expected)


def test_wrong_text_of_a_stream():
    answers = ours(batch_size=2)(iter([SKY, TWO_MASKS, "No mask.", SKY]))
    assert_same([next(answers), next(answers)], theirs()([SKY, TWO_MASKS]))
    with pytest.raises(ValueError, match=r"the text has no <mask>.*'No mask\.'"):
        next(answers)


@settings(max_examples=60)
@given(inputs=inputs, targets=targets(), top_k=some_top_k, batch_size=st.integers(1, 4))
def test_targets_equal_transformers(inputs, targets, top_k, batch_size):
    options = {"targets": targets, "top_k": top_k, "batch_size": batch_size}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        actual = small_ours()(inputs, **options)
    assert_same(actual, small_theirs()(inputs, **options))


def test_whole_vocabulary_equals_transformers():
    expected = theirs()([SKY, TWO_MASKS], top_k=VOCABULARY_SIZE)
    assert_same(ours()([SKY, TWO_MASKS], top_k=VOCABULARY_SIZE), expected)
    assert len(expected[0]) == VOCABULARY_SIZE


lengths = st.integers(3, 20)
tokenizer_options = st.one_of(
    st.just({"add_special_tokens": False}),
    st.just({"truncation": True}),
    st.fixed_dictionaries({"truncation": st.just(True), "max_length": lengths}),
    st.fixed_dictionaries({"padding": st.just("max_length"), "max_length": lengths}),
    st.fixed_dictionaries({"padding": st.just(True), "pad_to_multiple_of": lengths}),
)


@settings(max_examples=60)
@given(inputs=inputs, options=tokenizer_options, batch_size=st.integers(1, 4))
def test_tokenizer_options_equal_transformers(inputs, options, batch_size):
    fill = small_ours(batch_size=batch_size, tokenizer_kwargs=options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = small_theirs()(inputs, batch_size=batch_size, tokenizer_kwargs=options)
        except PipelineException:  # the mask was cut off
            with pytest.raises(ValueError, match="no <mask>"):
                fill(inputs)
            return
        assert_same(fill(inputs), expected)


def test_padding_by_the_tokenizer_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours()(SKY, tokenizer_kwargs={"padding": True})


@pytest.mark.filterwarnings("ignore:max_length")
def test_max_length_alone_truncates_as_in_transformers():
    text = TWO_MASKS + " It is big."
    expected = theirs()(text, tokenizer_kwargs={"max_length": 11})
    assert expected[0][0]["sequence"].endswith(" It</s>")
    assert_same(ours()(text, tokenizer_kwargs={"max_length": 11}), expected)


def text_of(tokens: int) -> str:
    """Make a text that has so many tokens with its frame."""
    ids = theirs().tokenizer(SKY)["input_ids"]
    text = SKY + " sky" * (tokens - len(ids))
    assert len(theirs().tokenizer(text, verbose=False)["input_ids"]) == tokens
    return text


def test_longest_text_equals_transformers():
    text = text_of(LONGEST)
    assert_same(ours()([text, SKY], batch_size=2), theirs()([text, SKY], batch_size=2))


@pytest.mark.parametrize("side", ["left", "right"])
def test_side_of_padding_does_not_matter(side):
    tokenizer = RobertaTokenizer.from_pretrained(TINY, padding_side=side)
    fill = minirobert.pipeline("fill-mask", our_model(), tokenizer, batch_size=3)
    assert_same(fill([SKY, "<mask>", TWO_MASKS]), theirs()([SKY, "<mask>", TWO_MASKS]))


def test_defaults_are_those_of_the_pipeline_until_a_call_overrides_them():
    defaults = {"top_k": 2, "targets": ["Ġred", "Ġblue", "Ġgreen"], "batch_size": 2}
    fill = ours(**defaults)
    assert_same(fill([SKY, TWO_MASKS]), theirs()([SKY, TWO_MASKS], **defaults))
    overrides = {"top_k": 3, "targets": ["Ġcat", "Ġgreen", "Ġblack", "Ġdog"], "batch_size": 1}
    assert_same(fill([SKY, TWO_MASKS], **overrides), theirs()([SKY, TWO_MASKS], **overrides))
    assert len(fill(SKY)) == 2


def test_tokenizer_options_of_the_pipeline():
    options = {"truncation": True, "max_length": 8}
    fill = ours(tokenizer_kwargs=options)
    text = "A <mask> cat" + " and a dog" * 10
    assert_same(fill(text), theirs()(text, tokenizer_kwargs=options))
    assert_same(fill(text, tokenizer_kwargs={"truncation": True}), theirs()(text))


def test_tokenizer_options_of_a_call_may_be_empty():
    fill = ours(tokenizer_kwargs={"add_special_tokens": False})
    assert_same(fill(SKY, tokenizer_kwargs={}), theirs()(SKY))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 9])
def test_batch_size_is_how_many_texts_are_computed_at_once(batch_size):
    with watch() as seen:
        ours()([SKY] * 7, batch_size=batch_size)
    computed = [len(seen[name]) for name in seen if name.endswith("embeddings.sum")]
    full, rest = divmod(7, batch_size)
    assert computed == [batch_size] * full + [rest] * (rest > 0)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_head_is_run_for_the_masks_alone(batch_size):
    shapes = []

    def watcher(name, array):
        if name.endswith("logits"):
            shapes.append(array.shape)

    with watch(watcher):
        ours()([SKY, TWO_MASKS, ANIMAL, SKY], batch_size=batch_size)
    counts = [1, 2, 1, 1]
    expected = counts if batch_size == 1 else [sum(counts)]
    assert shapes == [(count, VOCABULARY_SIZE) for count in expected]


# Devices and dtypes


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_float32_is_the_same_on_every_library(library):
    texts = [SKY, TWO_MASKS, "<mask>"]
    expected = ours("float32")(texts, batch_size=3)
    assert_same(ours("float32", library)(texts, batch_size=3), expected, relative=1e-4)


def test_model_stays_on_its_device():
    fill = minirobert.pipeline("fill-mask", STRICT.model(our_model()), our_tokenizer())
    assert str(fill.model.device) == str(STRICT.device())


@pytest.mark.parametrize("device", [None, "cpu", -1])
@pytest.mark.parametrize("given", ["directory", "model"])
def test_names_of_the_cpu(given, device):
    model, tokenizer = (TINY, None) if given == "directory" else (our_model(), our_tokenizer())
    fill = minirobert.pipeline("fill-mask", model, tokenizer, device=device, dtype="float64")
    assert isinstance(fill.model.word_embeddings, np.ndarray)
    assert_same(fill(SKY), theirs()(SKY))


def test_device_brings_a_model_back_to_numpy():
    model = STRICT.model(our_model())
    fill = minirobert.pipeline("fill-mask", model, our_tokenizer(), device=-1)
    assert isinstance(fill.model.word_embeddings, np.ndarray)


@pytest.mark.parametrize("device", [4096, "cuda:4096", "tpu"])
def test_unknown_device(device):
    with pytest.raises(ValueError, match=r"4096|tpu"):
        minirobert.pipeline("fill-mask", device=device)


@pytest.mark.parametrize("text", [SKY, ANIMAL, "<mask>"])
def test_float16_is_as_exact_as_transformers_in_float16(text):
    candidates = [filling["token"] for filling in theirs()(text, top_k=100)]
    tokens = theirs().tokenizer.convert_ids_to_tokens(candidates)

    def scores(fill):
        fillings = fill(text, targets=tokens, top_k=100)
        assert len(fillings) == 100
        return {filling["token"]: filling["score"] for filling in fillings}

    exact, half = scores(theirs()), scores(theirs(torch.float16))
    fill = minirobert.pipeline("fill-mask", dtype="float16")
    assert fill.model.dtype == "float16"
    actual = scores(fill)
    unit = 2.0**-11  # half the distance from 1 to the next float16
    error = max(abs(actual[token] - exact[token]) for token in exact)
    their_error = max(abs(half[token] - exact[token]) for token in exact)
    assert 0 < error <= 2 * their_error + unit * exact[candidates[0]]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", np.float64])
def test_dtype_of_the_weights(dtype):
    for model, tokenizer in [(None, None), (our_model(), our_tokenizer())]:
        fill = minirobert.pipeline("fill-mask", model, tokenizer, dtype=dtype)
        assert fill.model.dtype == np.dtype(dtype).name


def test_weights_are_float32_by_default():
    assert minirobert.pipeline("fill-mask").model.dtype == "float32"
    assert minirobert.pipeline("fill-mask", dtype="auto").model.dtype == "float16"


# Where more is asked than by transformers


@pytest.mark.parametrize("top_k", [0, -1, VOCABULARY_SIZE + 1])
@pytest.mark.parametrize("targets", [None, "Ġblue"])
def test_top_k_out_of_range(top_k, targets):
    with pytest.raises(ValueError, match=rf"top_k is {top_k}\b.* {VOCABULARY_SIZE}\b"):
        ours()(SKY, top_k=top_k, targets=targets)
    with pytest.raises(ValueError, match=rf"top_k is {top_k}\b.* {VOCABULARY_SIZE}\b"):
        ours(top_k=top_k)(SKY, targets=targets)


def test_words_that_are_one_token_behind_a_space_alone_are_proposed():
    """Of any words of the vocabulary, those and no others."""
    known = theirs().tokenizer.get_vocab()
    some = sorted(known)[::100]  # transformers has its vocabulary in another order each time
    words = [token[1:] for token in some if token.startswith("Ġ") and token[1:]]
    words += ["xyzzy", "green"]
    spaced = [f" {word}" for word in words if word not in known and f"Ġ{word}" in known]
    assert 0 < len(spaced) < len(words) - 2
    for word in words:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ours()(SKY, targets=word)
        cure = f"(did you mean {f' {word}'!r}, with a space before it?)"
        assert [cure in str(one.message) for one in caught] == [
            f" {word}" in spaced for _ in range(word not in known)
        ]
    with pytest.warns(UserWarning, match=f"targets are not one .*did you mean {spaced[0]!r} or "):
        ours()(SKY, targets=words)


@pytest.mark.parametrize(("target", "count"), [(" blueish", 2), (" xyzzy", 4)])
def test_target_of_several_tokens_warns_and_names_the_first(target, count):
    tokens = theirs().tokenizer.tokenize(target)
    assert len(tokens) == count
    with pytest.warns(UserWarning, match=f"'{target}' is not one token but {count}") as caught:
        (filling,) = ours()(SKY, targets=target)
    (warning,) = caught
    assert f"{tokens[0]!r} is used" in str(warning.message)
    assert warning.filename == __file__
    assert filling["token"] == theirs().tokenizer.convert_tokens_to_ids(tokens[0])


def test_target_of_one_token_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spaced, raw = ours()(SKY, targets=" blue"), ours()(SKY, targets="Ġblue")
    assert_same(spaced, raw)
    assert spaced[0]["token_str"] == " blue"


def test_empty_target_warns_and_is_left_out():
    with pytest.warns(UserWarning, match="''.*left out") as caught:
        fillings = ours()(SKY, targets=["", "Ġblue"])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert_same(fillings, ours()(SKY, targets="Ġblue"))


def test_no_target_left():
    with pytest.raises(ValueError, match=r"targets is \[\]"):
        ours()(SKY, targets=[])
    with pytest.raises(ValueError, match=r"\['', ''\].*at least one"):
        ours()(SKY, targets=["", ""])


def test_many_odd_targets_are_told_at_once():
    odd = ["xyzzy" + "z" * length for length in range(200)]
    with pytest.warns(UserWarning, match=r"200 targets .*'xyzzy' \(.* and \d+ more$") as caught:
        ours()([SKY, SKY], targets=[odd, ["Ġblue", *odd]])
    assert len(caught) == 1


@pytest.fixture
def no_computation():
    def refuse(name: str, _: Any) -> None:
        raise AssertionError(f"{name} was computed")

    with watch(refuse):
        yield


@pytest.mark.usefixtures("no_computation")
class TestChecksBeforeAnythingIsComputed:
    @pytest.mark.parametrize("text", ["", "No mask.", "< mask>", "<MASK>", "a" * 1000])
    def test_text_without_mask(self, text):
        with pytest.raises(ValueError, match="the text has no <mask>") as caught:
            ours()(text, tokenizer_kwargs={"truncation": True})
        assert repr(text)[1:50].strip("'") in str(caught.value)
        assert len(str(caught.value)) < 200

    def test_text_without_mask_in_a_list(self):
        with pytest.raises(ValueError, match=r"text 2 has no <mask>.*'No mask\.'"):
            ours()([SKY, TWO_MASKS, "No mask.", SKY])

    def test_mask_cut_off(self):
        with pytest.raises(
            ValueError, match="no <mask> for the model to fill in the 5 tokens that"
        ):
            ours()(SKY, tokenizer_kwargs={"truncation": True, "max_length": 5})

    @pytest.mark.filterwarnings("ignore:a row has")
    def test_text_too_long(self):
        with pytest.raises(ValueError, match=r"the text has 129 tokens.*128.*truncat"):
            ours()(text_of(LONGEST + 1))
        with pytest.raises(ValueError, match=r"text 1 has 300 tokens.*128.*truncat"):
            ours()([SKY, text_of(300), SKY])

    def test_text_too_long_does_not_warn_too(self):
        fill = minirobert.pipeline("fill-mask")  # with a tokenizer that has not warned yet
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match="the text has 129 tokens"):
                fill(text_of(LONGEST + 1))

    @pytest.mark.parametrize("inputs", [[5], [SKY, None], [SKY, b"<mask>"], b"<mask>", 5, None])
    def test_text_that_is_no_string(self, inputs):
        with pytest.raises(TypeError):
            ours()(inputs)

    @pytest.mark.parametrize("inputs", [[[SKY, SKY]], [SKY, [SKY]], [("A cat", SKY)]])
    def test_list_in_the_list(self, inputs):
        with pytest.raises(TypeError, match="str"):
            ours()(inputs)

    @pytest.mark.parametrize("inputs", [5, None, {"text": SKY}])
    def test_text_that_is_no_string_is_named(self, inputs):
        with pytest.raises(TypeError, match="must be a str"):
            ours()(inputs)

    def test_lone_surrogate(self):
        with pytest.raises(ValueError, match=r"surrogate, U\+D800"):
            ours()("\ud800 <mask>")

    @pytest.mark.parametrize("batch_size", [0, -1])
    def test_batch_size(self, batch_size):
        with pytest.raises(ValueError, match=f"batch_size is {batch_size}.*at least 1"):
            ours()(SKY, batch_size=batch_size)
        with pytest.raises(ValueError, match=f"batch_size is {batch_size}.*at least 1"):
            ours(batch_size=batch_size)(SKY)


def test_no_text_at_all():
    assert ours()([]) == theirs()([]) == []


@pytest.mark.parametrize("task", ["fill_mask", "translation", "", None])
def test_unknown_task(task):
    with pytest.raises(ValueError, match=f"{task!r}.*fill-mask"):
        minirobert.pipeline(task)


def test_model_without_its_tokenizer():
    with pytest.raises(ValueError, match="tokenizer="):
        minirobert.pipeline("fill-mask", our_model())


def resized(rows: int, bias: float = 0.0) -> RobertaForMaskedLM:
    """Give the vocabulary of the model more rows (with zero embeddings) or fewer."""
    flat = dict(flatten(our_model().params))
    for name, value in [("roberta.embeddings.word_embeddings.weight", 0), ("lm_head.bias", bias)]:
        tensor = flat[name][:rows]
        more = [(0, rows - len(tensor)), (0, 0)][: tensor.ndim]
        flat[name] = np.pad(tensor, more, constant_values=value)
    config = RobertaConfig.from_dict(our_model().config.to_dict(), vocab_size=rows)
    return RobertaForMaskedLM(config, build_tree(flat))


def test_tokenizer_of_another_model():
    with pytest.raises(ValueError, match=r"8192 tokens.* 8000\b"):
        minirobert.pipeline("fill-mask", resized(8000), our_tokenizer())


def test_rows_beyond_the_vocabulary_are_never_proposed():
    """Tables are often padded to a multiple of 64; those rows count in the softmax only."""
    fill = minirobert.pipeline("fill-mask", resized(8256, bias=30.0), our_tokenizer())
    fillings = fill(SKY, top_k=VOCABULARY_SIZE)
    expected = theirs()(SKY, top_k=VOCABULARY_SIZE)
    assert [one["token"] for one in fillings] == [one["token"] for one in expected]


def test_model_without_language_model_head(tmp_path):
    model = RobertaModel(our_model().config)
    model.save_pretrained(tmp_path)
    our_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"missing: lm_head\.\* \(5 tensors\)"):
        minirobert.pipeline("fill-mask", tmp_path)
    with pytest.raises(ValueError, match="RobertaForMaskedLM, not a RobertaModel"):
        minirobert.pipeline("fill-mask", model, our_tokenizer())


def test_directory_without_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        minirobert.pipeline("fill-mask", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        minirobert.pipeline("fill-mask", tmp_path)
    our_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        minirobert.pipeline("fill-mask", tmp_path)
    our_model().config.save_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        minirobert.pipeline("fill-mask", tmp_path)


def test_model_and_tokenizer_of_directories(tmp_path):
    our_model().save_pretrained(tmp_path / "model")
    our_tokenizer().save_pretrained(tmp_path / "tokenizer")
    directories = tmp_path / "model", str(tmp_path / "tokenizer")
    assert_same(
        minirobert.pipeline("fill-mask", *directories, dtype="auto")(SKY),
        theirs()(SKY),
    )


def test_progress_bar_is_on_stderr_only(capfd):
    texts = [SKY, TWO_MASKS, SKY]
    quiet = ours()(texts)
    assert capfd.readouterr() == ("", "")
    for default, call in [(False, True), (True, None)]:
        shown = ours(progress_bar=default)(texts, progress_bar=call)
        output, errors = capfd.readouterr()
        assert output == ""
        assert "3/3" in errors
        assert_same(shown, quiet)
    ours(progress_bar=True)(texts, progress_bar=False)
    assert capfd.readouterr() == ("", "")
