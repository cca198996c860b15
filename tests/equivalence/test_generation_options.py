"""The options of generation against transformers' generate, one and several at a time."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minirobert import TINY, RobertaForCausalLM, RobertaTokenizer
from tests.equivalence.strategies import carried_over, seeds, torch_model
from tests.equivalence.test_generation import (
    WithForwardPositions,
    cases,
    check,
    models,
    rounded,
    run_ours,
    run_torch,
)
from tests.libraries import LIBRARIES, NUMPY, host

pytestmark = pytest.mark.filterwarnings(
    "ignore:is_decoder is", "ignore:min_length is", "ignore:Unfeasible length"
)
everywhere = pytest.mark.parametrize("library", LIBRARIES)
#: More than one word in each, so that beams find others.
SHORT = {"num_beams": 2, "num_return_sequences": 2}


@st.composite
def changes(draw: st.DrawFn, vocab: int) -> dict[str, Any]:
    """Draw one to three options that change scores."""
    token = st.integers(0, vocab - 1)
    some = st.lists(token, min_size=1, max_size=3, unique=True)
    words = st.lists(st.lists(token, min_size=1, max_size=3), min_size=1, max_size=9)
    number = st.integers(-3, 3).map(float)
    biases = st.dictionaries(
        st.lists(token.filter(bool), min_size=1, max_size=2).map(tuple), number, min_size=1
    )
    options = {
        "bad_words_ids": words.filter(lambda some: sum(len(word) == 1 for word in some) < 3),
        "sequence_bias": biases | biases.map(lambda one: [[list(k), v] for k, v in one.items()]),
        "suppress_tokens": some,
        "begin_suppress_tokens": some,
        "forced_bos_token_id": token,
        "forced_eos_token_id": token | some,
        "encoder_repetition_penalty": st.sampled_from([0.5, 1.7]),
        "encoder_no_repeat_ngram_size": st.integers(1, 2),
        "exponential_decay_length_penalty": st.tuples(
            st.integers(0, 3), st.sampled_from([1.5, 0.7])
        ),
        "min_length": st.integers(1, 12),
        "renormalize_logits": st.just(True),
    }
    names = draw(st.lists(st.sampled_from(sorted(options)), min_size=1, max_size=3, unique=True))
    return {name: draw(options[name]) for name in names}


def with_changes(data: Any, config: Any, prompts: Any, options: Any) -> None:
    """Add drawn options; leave out those with which transformers gives NaN, or half of them."""
    drawn = data.draw(changes(config["vocab_size"]))
    assume("exponential_decay_length_penalty" not in drawn or options["eos_token_id"] is not None)
    if "exponential_decay_length_penalty" in drawn:  # which makes NaN of a forbidden end
        options |= {"min_new_tokens": None, "no_repeat_ngram_size": 0}
        for name in ("bad_words_ids", "min_length", "encoder_no_repeat_ngram_size"):
            drawn.pop(name, None)
        for name in ("forced_bos_token_id", "forced_eos_token_id"):
            drawn.pop(name, None)
    options |= drawn


@everywhere
@settings(max_examples=150)
@given(data=st.data(), case=cases(), seed=seeds)
def test_greedy(library, data, case, seed):
    config, prompts, options = case
    with_changes(data, config, prompts, options)
    theirs, ours = models(config, seed)
    check_or_refuse(ours, library, prompts, options, run_torch(theirs, prompts, options))


def check_or_refuse(ours: Any, library: Any, prompts: Any, options: Any, expected: Any) -> None:
    """Compare; but where every word is forbidden, and there are NaN there, expect a sentence."""
    if not any(scores.isnan().any() for scores in expected.scores):
        check(ours, library, prompts, options, expected)
        return
    with pytest.raises(ValueError, match="each is forbidden"):
        run_ours(ours, library, prompts, options)


@everywhere
@settings(max_examples=150)
@given(data=st.data(), case=cases(), seed=seeds)
def test_beam_search(library, data, case, seed):
    config, prompts, options = case
    options["no_repeat_ngram_size"] = 0
    with_changes(data, config, prompts, options)
    assume(config["vocab_size"] > 20)
    # transformers does these to the first rows of a batch alone.
    options.pop("encoder_repetition_penalty", None)
    for name in ("forced_bos_token_id", "forced_eos_token_id"):
        options.pop(name, None)  # fewer words than beams: it fills them with copies
    options |= SHORT
    theirs, ours = models(config, seed)
    expected = run_torch(theirs, prompts, options)
    eos = options["eos_token_id"]
    if config["pad_token_id"] == 0 and eos:  # which it takes for none
        options["pad_token_id"] = eos if isinstance(eos, int) else eos[0]
    check_or_refuse(ours, library, prompts, options, expected)


@everywhere
@settings(max_examples=100)
@given(data=st.data(), case=cases(), seed=seeds)
def test_the_scores_to_draw_from(library, data, case, seed):
    """What is drawn differs, so only the first words are compared."""
    config, prompts, options = case
    with_changes(data, config, prompts, options)
    filters = {
        "temperature": st.sampled_from([0.7, 2.0]),
        "top_k": st.integers(1, 9),
        "top_p": st.sampled_from([0.4, 0.83]),
        "min_p": st.sampled_from([0.031, 0.31]),
        "typical_p": st.sampled_from([0.33, 0.77]),
        "epsilon_cutoff": st.sampled_from([0.013, 0.19]),
        "eta_cutoff": st.sampled_from([0.017, 0.21]),
    }
    names = data.draw(st.lists(st.sampled_from(sorted(filters)), max_size=3, unique=True))
    # Of two that are forced, and so equally likely, either may be left out.
    assume(not isinstance(options.get("forced_eos_token_id"), list))
    options.pop("max_length", None)
    options |= {"max_new_tokens": 1, "min_new_tokens": None}
    options |= {"do_sample": True, "top_k": 0, **{name: data.draw(filters[name]) for name in names}}
    theirs, ours = models(config, seed)
    try:
        expected = run_torch(theirs, prompts, options).scores[0].numpy()
    except (RuntimeError, ValueError):  # a probability is NaN
        with pytest.raises(ValueError, match="each is forbidden"):
            run_ours(ours, library, prompts, options)
        return
    actual = host(run_ours(ours, library, prompts, options).scores[0])
    if not np.array_equal(np.isinf(actual), np.isinf(expected)):
        model = rounded(ours)  # a word at a limit falls on either side of it
        others = [run_ours(model, NUMPY, prompts, options).scores[0] for _ in range(20)]
        assume(all(np.array_equal(np.isinf(one), np.isinf(actual)) for one in others))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


def lively(seed: int = 0, vocab: int = 30, **fields: Any) -> tuple[Any, Any]:
    """Make a model twice whose next words depend on the text."""
    config = {
        "vocab_size": vocab,
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 17,
        "max_position_embeddings": 40,
        "is_decoder": True,
        "tie_word_embeddings": False,
        **fields,
    }
    theirs = torch_model("RobertaForCausalLM", config, seed, 0.8)
    theirs.__class__ = WithForwardPositions
    return theirs, carried_over(theirs, RobertaForCausalLM, dtype="float64")


PROMPTS = {"input_ids": np.array([[1, 1, 0, 7, 8], [0, 5, 9, 4, 21], [1, 1, 1, 1, 6]])}
FREE = {"max_new_tokens": 9, "eos_token_id": 2}
BEAMS = pytest.mark.parametrize(
    "beams", [{}, SHORT, {"num_beams": 3, "early_stopping": True}], ids=str
)


@everywhere
@BEAMS
def test_functions_of_the_callers_see_what_they_see_there(library, beams):
    theirs, ours = lively()
    seen: dict[str, Any] = {"there": [], "here": []}

    def there(input_ids, scores):
        seen["there"].append((input_ids.numpy(), scores.numpy()))
        return scores - (torch.arange(scores.shape[1]) % 3 == 1) * 5

    def here(input_ids, scores):
        seen["here"].append((host(input_ids), host(scores)))
        penalty = library.array((np.arange(scores.shape[1]) % 3 == 1) * 5.0)
        return scores - penalty

    options = {**FREE, **beams, "repetition_penalty": 1.3, "bad_words_ids": [[11], [8, 9]]}
    expected = run_torch(theirs, PROMPTS, {**options, "logits_processor": [there]})
    for given_as in (here, [here]):
        seen["here"].clear()
        actual = run_ours(ours, library, PROMPTS, {**options, "logits_processor": given_as})
        np.testing.assert_array_equal(host(actual.sequences), expected.sequences.numpy())
        assert len(seen["here"]) == len(seen["there"])
        for (ids, scores), (their_ids, their_scores) in zip(
            seen["here"], seen["there"], strict=True
        ):
            np.testing.assert_array_equal(ids, their_ids)
            np.testing.assert_allclose(scores, their_scores, rtol=1e-4, atol=1e-4)


@everywhere
@BEAMS
@pytest.mark.parametrize("scores", [True, False])
def test_functions_that_stop_texts(library, beams, scores):
    theirs, ours = lively()
    calls: dict[str, Any] = {"there": [], "here": []}

    def there(input_ids, scores):
        calls["there"].append((input_ids.numpy(), scores and len(scores)))
        return input_ids[:, -1] % 3 == 0

    def here(input_ids, scores):
        calls["here"].append((host(input_ids), scores and len(scores)))
        return input_ids[:, -1] % 3 == 0

    options = {**FREE, **beams}
    wanted = {"output_scores": scores}
    expected = theirs.generate(
        torch.tensor(PROMPTS["input_ids"]),
        **options,
        **wanted,
        return_dict_in_generate=True,
        stopping_criteria=[there],
    )
    actual = run_ours(ours, library, PROMPTS, {**options, **wanted, "stopping_criteria": here})
    np.testing.assert_array_equal(host(actual.sequences), expected.sequences.numpy())
    assert [one[1] for one in calls["here"]] == [one[1] for one in calls["there"]]
    for (ids, _), (their_ids, _) in zip(calls["here"], calls["there"], strict=True):
        np.testing.assert_array_equal(ids, their_ids)


@BEAMS
@settings(max_examples=40)
@given(seed=seeds, limit=st.integers(1, 9), share=st.integers(2, 6))
def test_texts_that_are_stopped(beams, seed, limit, share):
    """Some by their words, and all together at a length."""
    theirs, ours = lively(seed, vocab=13)
    prompts = {"input_ids": PROMPTS["input_ids"] % 13}

    def criterion(input_ids, scores):
        return (input_ids[:, -1] % share == 1) | (input_ids.shape[1] >= 5 + limit)

    options = {**FREE, **beams, "stopping_criteria": [criterion]}
    check(ours, NUMPY, prompts, options, run_torch(theirs, prompts, options))


@everywhere
@BEAMS
def test_only_some_words_are_allowed(library, beams):
    theirs, ours = lively()

    def allowed(batch_id, ids):
        return [(3 * batch_id + int(ids[-1]) + i) % 30 for i in range(1, 9)]

    options = {**FREE, **beams, "prefix_allowed_tokens_fn": allowed}
    expected = run_torch(theirs, PROMPTS, options)
    actual = run_ours(ours, library, PROMPTS, options)
    np.testing.assert_array_equal(host(actual.sequences), expected.sequences.numpy())


@pytest.fixture(scope="module")
def tokenizers():
    return transformers.RobertaTokenizerFast.from_pretrained(
        TINY
    ), RobertaTokenizer.from_pretrained()


@BEAMS
@settings(max_examples=25)
@given(data=st.data(), seed=st.integers(0, 99))
def test_stop_strings(tokenizers, beams, data, seed):
    theirs, ours = lively(seed, vocab=8192, num_hidden_layers=1)
    options = {**FREE, **beams}
    tokens = run_torch(theirs, PROMPTS, options).sequences.tolist()
    text = tokenizers[0].decode(data.draw(st.sampled_from(tokens))).replace("\ufffd", "")
    start = data.draw(st.integers(0, max(0, len(text) - 2)))
    stop = text[start : start + data.draw(st.integers(1, 7))]
    assume(stop)
    options["stop_strings"] = data.draw(st.sampled_from([stop, [stop], ["Rome", stop]]))
    expected = theirs.generate(
        torch.tensor(PROMPTS["input_ids"]),
        tokenizer=tokenizers[0],
        return_dict_in_generate=True,
        output_scores=True,
        **options,
    )
    check(ours, NUMPY, PROMPTS, {**options, "tokenizer": tokenizers[1]}, expected)


@everywhere
@settings(max_examples=50)
@given(data=st.data(), case=cases(), seed=seeds, normalize=st.booleans())
def test_transition_scores(library, data, case, seed, normalize):
    config, prompts, options = case
    options |= data.draw(st.sampled_from([{}, {"num_beams": 2}, {"num_beams": 3, **SHORT}]))
    options["no_repeat_ngram_size"] = 0
    assume(config["vocab_size"] > 12)
    theirs, ours = models(config, seed)
    expected = run_torch(theirs, prompts, options)
    actual = run_ours(ours, library, prompts, options)
    has_beams = "num_beams" in options
    length = actual.sequences.shape[1]
    same = np.array_equal(host(actual.sequences), expected.sequences.numpy()[:, :length])
    assume(same)  # else a close call, or the padding of beams: see the tests of these
    if has_beams:
        np.testing.assert_array_equal(host(actual.beam_indices), expected.beam_indices.numpy())
    indices = (expected.beam_indices if has_beams else None, actual.beam_indices)
    there = theirs.compute_transition_scores(
        expected.sequences, expected.scores, indices[0], normalize_logits=normalize
    )
    here = ours.compute_transition_scores(
        actual.sequences, actual.scores, indices[1], normalize_logits=normalize
    )
    np.testing.assert_allclose(host(here), there.numpy(), rtol=1e-4, atol=1e-4)


@everywhere
@BEAMS
def test_logits(library, beams):
    theirs, ours = lively()
    options = {**FREE, **beams, "output_logits": True, "repetition_penalty": 2.0}
    expected = run_torch(theirs, PROMPTS, options).logits
    actual = run_ours(ours, library, PROMPTS, options).logits
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(host(one), other.numpy(), rtol=1e-4, atol=1e-4)


class WithEmbeds(WithForwardPositions):
    """transformers' model with positions of its forward pass, which its mask says here."""

    def prepare_inputs_for_generation(self, input_ids, inputs_embeds=None, **kwargs):
        mask = kwargs["attention_mask"].long()
        kwargs["position_ids"] = self.config.pad_token_id + mask.cumsum(-1) * mask
        return transformers.RobertaForCausalLM.prepare_inputs_for_generation(
            self, input_ids, inputs_embeds=inputs_embeds, **kwargs
        )


WithEmbeds.__name__ = "RobertaForCausalLM"


@everywhere
@BEAMS
@pytest.mark.parametrize("with_ids", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_embeddings_as_prompts(library, beams, with_ids, masked):
    theirs, ours = lively()
    theirs.__class__ = WithEmbeds
    prompts = {"inputs_embeds": np.random.default_rng(4).standard_normal((3, 5, 12))}
    if masked:
        prompts["attention_mask"] = (PROMPTS["input_ids"] != 1).astype(np.int64)
    if with_ids:
        prompts |= PROMPTS
    options = {**FREE, **beams, "repetition_penalty": 1.2}
    if with_ids and not masked:  # there the mask is that of the ids
        prompts["attention_mask"] = np.ones((3, 5), dtype=np.int64)
    check(ours, library, prompts, options, run_torch(theirs, prompts, options))


@everywhere
@BEAMS
@pytest.mark.parametrize("positions", ["absolute", "relative_key_query"])
def test_embeddings_of_tokens_are_these_tokens(library, beams, positions):
    _, ours = lively(position_embedding_type=positions)
    ids = PROMPTS["input_ids"]
    prompts = {
        "inputs_embeds": ours.params.roberta.embeddings.word_embeddings.weight[ids],
        "attention_mask": (ids != 1).astype(np.int64),
    }
    options = {**FREE, **beams, "bad_words_ids": [[1]]}  # padding in a text has no position
    expected = run_ours(ours, NUMPY, PROMPTS, options)
    actual = run_ours(ours, library, prompts, options)
    np.testing.assert_array_equal(host(actual.sequences), expected.sequences[:, 5:])
    for one, other in zip(actual.scores, expected.scores, strict=True):
        np.testing.assert_allclose(host(one), other, rtol=1e-9, atol=1e-9)


@everywhere
@BEAMS
@pytest.mark.parametrize("fields", [{}, {"is_decoder": False}], ids=str)
def test_types_of_tokens(library, beams, fields):
    theirs, ours = lively(type_vocab_size=3, **fields)
    types = {"token_type_ids": np.array([[0, 0, 1, 1, 2], [2, 1, 0, 0, 1], [0, 1, 1, 2, 0]])}
    options = {**FREE, **beams}
    expected = run_torch(theirs, PROMPTS | types, options)
    assert not torch.equal(expected.sequences, run_torch(theirs, PROMPTS, options).sequences)
    check(ours, library, PROMPTS | types, options, expected)


@BEAMS
def test_types_of_tokens_beside_embeddings(beams):
    theirs, ours = lively(type_vocab_size=3)
    theirs.__class__ = WithEmbeds
    prompts = {
        "inputs_embeds": np.random.default_rng(4).standard_normal((2, 3, 12)),
        "attention_mask": np.ones((2, 3), np.int64),
        "token_type_ids": np.array([[0, 1, 2], [2, 2, 1]]),
    }
    options = {**FREE, **beams}
    check(ours, NUMPY, prompts, options, run_torch(theirs, prompts, options))


@everywhere
@BEAMS
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("can_cache", [False, True])
def test_padding_that_is_not_the_models(library, beams, masked, can_cache):
    theirs, ours = lively(is_decoder=can_cache)
    theirs.__class__ = WithEmbeds
    ids = np.where(PROMPTS["input_ids"] == 1, 9, PROMPTS["input_ids"])  # one is in a text, too
    prompts = {"input_ids": ids}
    if masked:
        prompts["attention_mask"] = (PROMPTS["input_ids"] != 1).astype(np.int64)
    # padding of the model in a text has no position
    options = {**FREE, **beams, "pad_token_id": 9, "bad_words_ids": [[1]]}
    options["repetition_penalty"] = 1.4  # which also counts the padding
    expected = run_torch(theirs, prompts, options)
    assert (expected.sequences[0, :2] == 9).all()
    check(ours, library, prompts, options, expected)


def test_padding_of_the_model_is_padding_whatever_comes_behind_a_text():
    _, ours = lively()
    expected = ours.generate(**PROMPTS, **FREE)
    for padding in (2, 3):
        found = ours.generate(**PROMPTS, **FREE, pad_token_id=padding)
        np.testing.assert_array_equal(found[:, :5], expected[:, :5])
        np.testing.assert_array_equal(found[:, 5], expected[:, 5])


def test_the_least_length_counts_the_prompt_and_yields_to_the_new_tokens():
    theirs, ours = lively()
    expected = run_torch(theirs, PROMPTS, FREE).sequences
    eos = int(expected[0, 6])
    for options in (
        {"min_length": 9},
        {"min_length": 14},
        {"min_length": 14, "min_new_tokens": 2},
        {"min_length": 14, "min_new_tokens": 0},
    ):
        options = {**FREE, "eos_token_id": eos, **options}
        check(ours, NUMPY, PROMPTS, options, run_torch(theirs, PROMPTS, options))


def test_the_end_of_a_text_is_no_bad_word():
    theirs, ours = lively()
    free = run_torch(theirs, PROMPTS, {**FREE, "eos_token_id": None}).sequences
    end, other = int(free[0, 6]), int(free[1, 6])
    options = {**FREE, "eos_token_id": end, "bad_words_ids": [[end], [other], [4, 21, end]]}
    expected = run_torch(theirs, PROMPTS, options)
    assert end in expected.sequences[0]
    check(ours, NUMPY, PROMPTS, options, expected)
