"""The score pipeline against the obvious way on transformers: each token masked in turn."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaTokenizer
from minirobert.observe import watch
from minirobert.pipelines.likelihoods import log_likelihoods, pseudo_log_likelihoods
from tests.corpora import documentation
from tests.equivalence.strategies import carried_over, configs, seeds, torch_model
from tests.libraries import LIBRARIES
from tests.pipelines.models import (
    assert_same,
    our_model,
    our_tokenizer,
    ours,
    text_of,
    texts_without_masks,
    their_model,
    their_tokenizer,
)

MASKED, CAUSAL = "RobertaForMaskedLM", "RobertaForCausalLM"
DECODER = {CAUSAL: {"is_decoder": True}}
SKY = "The color of the sky is blue."
REAL = [line[:60] for line in documentation(6000) if line.strip()]
VOCABULARY_SIZE = 8192


def score(class_name=MASKED, **keywords):
    return ours("score", class_name, DECODER.get(class_name), **keywords)


def masked_in_turn(model, row, mask, places):
    """Take each token's log-probability from the full logits of a copy that has it masked."""
    copies = torch.tensor([row] * len(places))
    copies[range(len(places)), places] = mask
    with torch.no_grad():
        found = torch.log_softmax(model(copies).logits, -1)  # [N, S, V]
    return [found[i, place, row[place]].item() for i, place in enumerate(places)]


def next_in_turn(model, row, mask, places):
    with torch.no_grad():
        found = torch.log_softmax(model(torch.tensor([row])).logits, -1)[0]  # [S, V]
    return [found[place - 1, row[place]].item() for place in places]


def expected_of(text, class_name=MASKED):
    """Score a text in the obvious way; None where there is no token to score."""
    tokenizer = their_tokenizer()
    encoding = tokenizer(text, return_offsets_mapping=True)
    row = encoding["input_ids"]
    places = [i for i, token in enumerate(row) if token not in tokenizer.all_special_ids]
    if not places:
        return None
    way = masked_in_turn if class_name == MASKED else next_in_turn
    model = their_model(class_name, **DECODER.get(class_name, {}))
    each = way(model, row, tokenizer.mask_token_id, places)
    return {
        "score": sum(each),
        "perplexity": float(np.exp(-np.mean(each))),
        "num_tokens": len(places),
        "tokens": [
            {
                "log_probability": log_probability,
                "token": row[i],
                "token_str": tokenizer.decode([row[i]]),
                **dict(zip(("start", "end"), encoding["offset_mapping"][i], strict=True)),
            }
            for i, log_probability in zip(places, each, strict=True)
        ],
    }


# Against transformers


@pytest.mark.parametrize("class_name", [MASKED, CAUSAL])
@pytest.mark.filterwarnings("ignore:.*has <unk>")
@settings(max_examples=15)
@given(
    inputs=st.lists(st.sampled_from(REAL) | texts_without_masks, max_size=4),
    batch_size=st.integers(1, 9),
)
def test_equals_the_obvious_way(class_name, inputs, batch_size):
    expected = [expected_of(text, class_name) for text in inputs]
    scoring = score(class_name, batch_size=batch_size)
    for text, one in zip(inputs, expected, strict=True):
        if one is None:
            with pytest.raises(ValueError, match="the text has no token to score"):
                scoring(text)
    some = [text for text, one in zip(inputs, expected, strict=True) if one]
    found = [one for one in expected if one]
    assert_same(scoring(some), found)
    assert_same(list(scoring(iter(some))), found)


@settings(max_examples=25)
@given(fields=configs(), seed=seeds, batch_size=st.integers(1, 5), is_decoder=st.booleans())
def test_functions_on_drawn_models(fields, seed, batch_size, is_decoder):
    fields = {**fields, "is_decoder": is_decoder, "add_cross_attention": False}
    theirs = torch_model(CAUSAL if is_decoder else MASKED, fields, seed)
    model = carried_over(theirs, getattr(minirobert, type(theirs).__name__), dtype="float64")
    draw, pad = np.random.default_rng(seed), fields["pad_token_id"]
    n_rows, length = 3, 7
    ids = draw.integers(pad + 1, fields["vocab_size"], (n_rows, length))
    attend = np.arange(length) < draw.integers(1, length, (n_rows, 1), endpoint=True)
    ids[~attend] = pad
    scored = draw.random(ids.shape) < 0.7
    scored[:, 0] &= not is_decoder
    mask = int(ids[0, 0])
    if is_decoder:
        found, way = log_likelihoods(model, ids, scored, attend), next_in_turn
    else:
        found = pseudo_log_likelihoods(model, ids, scored, mask, attend, batch_size)
        way = masked_in_turn
    for row, is_scored, n_tokens, each in zip(ids, scored, attend.sum(1), found, strict=True):
        places = np.flatnonzero(is_scored[:n_tokens])
        if len(places):
            expected = way(theirs, row[:n_tokens].tolist(), mask, places)
            np.testing.assert_allclose(each[places], expected, rtol=1e-10, atol=1e-10)
    assert (found[~(scored & attend)] == 0).all()


def test_sum_of_a_decoder_is_its_loss():
    ids = torch.tensor([their_tokenizer()(SKY)["input_ids"][:-1]])  # </s> is not scored
    with torch.no_grad():
        loss = their_model(CAUSAL, **DECODER[CAUSAL])(ids, labels=ids).loss.item()
    found = score(CAUSAL)(SKY)  # the loss of transformers is of logits in float32
    assert_same(found["score"], -loss * (ids.shape[1] - 1), relative=1e-6)
    assert_same(found["perplexity"], float(np.exp(loss)), relative=1e-6 * loss)


# What is computed


@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_head_is_run_for_the_masked_tokens_alone(batch_size):
    sizes, rows = [], []

    def watcher(name, array):
        sizes.append(array.size)
        if name.endswith("logits"):
            rows.append(len(array))

    scoring, text = score(batch_size=batch_size), text_of(42)
    with watch(watcher):
        scoring(text)
    full, rest = divmod(40, batch_size)
    assert rows == [batch_size] * full + [rest] * (rest > 0)
    assert max(sizes) == batch_size * VOCABULARY_SIZE
    tracemalloc.start()
    scoring(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * (8 * batch_size * VOCABULARY_SIZE)  # float64; a softmax makes a few of them


def test_a_long_text_of_a_decoder_is_read_in_parts():
    rows = []
    with watch(lambda name, array: rows.append(len(array)) if "logits" in name else None):
        found = score(CAUSAL)(text_of(127))
    assert rows == [64, 61]
    assert_same(found, expected_of(text_of(127), CAUSAL))


@pytest.mark.parametrize("class_name", [MASKED, CAUSAL])
@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_every_library(library, class_name):
    texts = [SKY, "日本"]
    expected = [expected_of(text, class_name) for text in texts]
    assert_same(score(class_name, library=library)(texts, batch_size=4), expected)


def test_dtypes():
    expected = expected_of(SKY)
    assert_same(score(dtype="float32")(SKY), expected, relative=1e-5)
    assert_same(score(dtype="float16")(SKY), expected, relative=1e-2)


@pytest.mark.parametrize("class_name", [MASKED, CAUSAL])
def test_options_of_the_tokenizer(class_name):
    left = RobertaTokenizer.from_pretrained(padding_side="left")
    model = our_model(class_name, **DECODER.get(class_name, {}))
    options = {"truncation": True, "max_length": 4}
    scoring = minirobert.pipeline("score", model, left, batch_size=6)
    found = scoring([SKY, "The", SKY], tokenizer_kwargs=options)
    assert [one["num_tokens"] for one in found] == [2, 1, 2]
    assert_same(found[1], expected_of("The", class_name))
    bare = scoring(SKY, tokenizer_kwargs={"add_special_tokens": False})
    whole = expected_of(SKY)["tokens"]
    tokens = whole if class_name == MASKED else whole[1:]  # nothing tells the first one
    assert [one["token"] for one in bare["tokens"]] == [one["token"] for one in tokens]


# Models


def test_the_class_of_the_model_tells_how(tmp_path):
    class Own(minirobert.RobertaForCausalLM):
        pass

    decoder = our_model(CAUSAL, **DECODER[CAUSAL])
    decoder.save_pretrained(tmp_path)
    our_tokenizer().save_pretrained(tmp_path)
    own = Own.from_pretrained(tmp_path, dtype="float64")
    expected = expected_of(SKY, CAUSAL)
    assert_same(minirobert.pipeline("score", tmp_path, dtype="float64")(SKY), expected)
    assert_same(minirobert.pipeline("score", own, our_tokenizer())(SKY), expected)
    with pytest.raises(ValueError, match="task 'score' needs a RobertaForMaskedLM, not a Rob"):
        minirobert.pipeline("score", own.roberta, our_tokenizer())


# What cannot be scored


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (5, TypeError, "inputs is 5, but must be a str, or a list of them"),
        (["a", 5], TypeError, "text 1 is 5"),
        ("", ValueError, "the text has no token to score: ''"),
        (["a", "<s></s>"], ValueError, "text 1 has no token to score: '<s></s>'"),
        ("a <mask>", ValueError, "the text has <mask>, which hides the token .* in 'a <mask>'"),
        (text_of(129), ValueError, "the text has 129 tokens, but the model takes at most 128"),
    ],
)
def test_wrong_inputs(inputs, error, message):
    for class_name in (MASKED, CAUSAL):
        with pytest.raises(error, match=message):
            score(class_name)(inputs)


def test_unknown_tokens_are_not_scored():
    with pytest.warns(UserWarning, match="the text has <unk>, which is seen .* but not scored"):
        assert_same(score()("a <unk> b"), expected_of("a <unk> b"))


IDS, ALL = [[0, 5, 6, 2]], [[True] * 4]


def test_ids_of_any_integer_dtype():
    score = [pseudo_log_likelihoods(our_model(MASKED), np.array(IDS, d), ALL, 300) for d in "bq"]
    assert (score[0] == score[1]).all()


@pytest.mark.parametrize(
    ("function", "class_name", "arguments", "error", "message"),
    [
        (pseudo_log_likelihoods, CAUSAL, (IDS, ALL, 4), TypeError, "be a RobertaForMaskedLM"),
        (log_likelihoods, MASKED, (IDS, ALL), TypeError, "be a RobertaForCausalLM"),
        (log_likelihoods, CAUSAL, (IDS, ALL), ValueError, "begin each text with <s>"),
        (pseudo_log_likelihoods, MASKED, ([5], ALL, 4), ValueError, "input_ids has 1 axes"),
        (pseudo_log_likelihoods, MASKED, (IDS, [[True]], 4), ValueError, "scored has shape"),
        (pseudo_log_likelihoods, MASKED, (IDS, [[3] * 4], 4), ValueError, "scored"),
        (pseudo_log_likelihoods, MASKED, (IDS, ALL, 8192), ValueError, "mask_token_id is 8192"),
        (pseudo_log_likelihoods, MASKED, (IDS, ALL, 4, [[1]]), ValueError, "attention_mask has s"),
        (pseudo_log_likelihoods, MASKED, (IDS, ALL, 4, ALL, 0), ValueError, "batch_size is 0"),
    ],
)
def test_wrong_arguments(function, class_name, arguments, error, message):
    with pytest.raises(error, match=message):
        function(our_model(class_name, **DECODER.get(class_name, {})), *arguments)
