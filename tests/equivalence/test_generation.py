"""Generation against transformers, on drawn models, prompts and options.

transformers counts the positions of a generated text from 0 (its forward pass from
``pad_token_id + 1``), so here it is given those of the forward pass. It compares in float32.
"""

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from transformers.models.roberta.modeling_roberta import create_position_ids_from_input_ids

from minirobert import RobertaForCausalLM
from tests.equivalence.strategies import carried_over, configs, seeds, torch_model
from tests.libraries import LIBRARIES, NUMPY, host

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")


class WithForwardPositions(transformers.RobertaForCausalLM):
    """transformers' model, whose generation takes the positions that its forward pass takes."""

    def prepare_inputs_for_generation(self, input_ids, **kwargs):
        kwargs["position_ids"] = create_position_ids_from_input_ids(
            input_ids, self.config.pad_token_id
        )
        return super().prepare_inputs_for_generation(input_ids, **kwargs)


WithForwardPositions.__name__ = "RobertaForCausalLM"


def models(config: dict[str, Any], seed: int) -> tuple[Any, Any]:
    theirs = torch_model("RobertaForCausalLM", config, seed)
    theirs.__class__ = WithForwardPositions
    return theirs, carried_over(theirs, RobertaForCausalLM, dtype="float64")


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Draw a configuration, prompts padded on the left, and the options that all methods share."""
    config = draw(configs(min_hidden_size=2))
    rng = np.random.default_rng(draw(seeds))
    batch, length = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    pad, vocab = config["pad_token_id"], config["vocab_size"]
    ids = rng.integers(0, vocab, (batch, length))
    ids[:, -1] = np.where(ids[:, -1] == pad, (pad + 1) % vocab, ids[:, -1])
    for row in ids:
        row[: draw(st.integers(0, length - 1))] = pad
    prompts = {"input_ids": ids}
    if draw(st.booleans()):
        prompts["attention_mask"] = (ids != pad).astype(np.int64)
    if config["add_cross_attention"]:
        tokens = draw(st.integers(1, 4))
        prompts["encoder_hidden_states"] = rng.standard_normal(
            (batch, tokens, config["hidden_size"])
        )
        if draw(st.booleans()):
            prompts["encoder_attention_mask"] = rng.integers(0, 2, (batch, tokens)) | (
                np.arange(tokens) == 0
            )
    n_new = draw(st.integers(1, 9 - length))
    options = {
        "max_new_tokens": n_new,
        "eos_token_id": draw(
            st.none()
            | st.integers(0, vocab - 1)
            | st.lists(st.integers(0, vocab - 1), min_size=1, max_size=3, unique=True)
        ),
        "repetition_penalty": draw(st.sampled_from([1.0, 1.0, 1.3, 0.7])),
        "no_repeat_ngram_size": draw(st.sampled_from([0, 0, 0, 2, 3])),
        "min_new_tokens": draw(st.sampled_from([None, None, n_new // 2, n_new])),
    }
    if draw(st.booleans()):
        del options["max_new_tokens"]
        options["max_length"] = length + n_new
    return config, prompts, options


def run_torch(model: Any, prompts: dict[str, Any], options: dict[str, Any]) -> Any:
    config = model.config
    # Its cache goes wrong with relative positions, and cannot be made for cross-attention.
    can_cache = config.is_decoder and config.position_embedding_type == "absolute"
    can_cache = can_cache and not config.add_cross_attention
    tensors = {name: torch.tensor(value) for name, value in prompts.items()}
    wanted = {"return_dict_in_generate": True, "output_scores": True, "use_cache": can_cache}
    return model.generate(**tensors, **wanted, **options)


def run_ours(model: Any, library: Any, prompts: dict[str, Any], options: dict[str, Any]) -> Any:
    arrays = {name: library.array(value) for name, value in prompts.items()}
    wanted = {"return_dict_in_generate": True, "output_scores": True, "use_cache": True}
    return library.model(model).generate(**arrays, **(wanted | options))


def check(ours: Any, library: Any, prompts: Any, options: Any, expected: Any) -> None:
    actual = run_ours(ours, library, prompts, options)
    sequences = host(actual.sequences)
    if not np.array_equal(sequences, expected.sequences.numpy()):
        assume(not is_close_call(ours, prompts, options, sequences))
    np.testing.assert_array_equal(sequences, expected.sequences.numpy())
    if actual.sequences_scores is not None:
        np.testing.assert_allclose(
            host(actual.sequences_scores), expected.sequences_scores.numpy(), rtol=1e-4, atol=1e-4
        )
    if options.get("num_beams", 1) == 1:
        assert len(actual.scores) == len(expected.scores)
        for one, other in zip(actual.scores, expected.scores, strict=True):
            np.testing.assert_allclose(host(one), other.numpy(), rtol=1e-4, atol=1e-4)


def is_close_call(ours: Any, prompts: Any, options: Any, sequences: np.ndarray) -> bool:
    """Tell whether the result changes with the logits' rounding to float32."""
    model = rounded(ours)
    results = (run_ours(model, NUMPY, prompts, options).sequences for _ in range(20))
    return any(not np.array_equal(others, sequences) for others in results)


def rounded(ours: Any) -> Any:
    """Make a model whose logits are a little wrong, each time otherwise."""
    rng = np.random.default_rng(0)

    class Rounded(RobertaForCausalLM):
        def _next_logits(self, *inputs: Any) -> Any:
            logits = super()._next_logits(*inputs)
            noise = rng.standard_normal(logits.shape) * np.max(np.abs(logits))
            return logits + noise * 1e-6

    Rounded.__name__ = "RobertaForCausalLM"  # which the shapes of the weights go by
    return Rounded(ours.config, ours.params)


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=150)
@given(case=cases(), seed=seeds)
def test_greedy(library, case, seed):
    config, prompts, options = case
    theirs, ours = models(config, seed)
    check(ours, library, prompts, options, run_torch(theirs, prompts, options))


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=200)
@given(data=st.data(), case=cases(), seed=seeds)
def test_beam_search(library, data, case, seed):
    config, prompts, options = case
    beams = data.draw(st.integers(2, 4))
    options |= {
        "num_beams": beams,
        "num_return_sequences": data.draw(st.integers(1, beams)),
        "length_penalty": data.draw(st.sampled_from([1.0, 0.0, -1.0, 0.5, 2.0])),
        "early_stopping": data.draw(st.sampled_from([False, True, "never"])),
    }
    eos = options["eos_token_id"]
    eos = eos if isinstance(eos, list) else [] if eos is None else [eos]
    # Where there are fewer words, transformers fills the beams with copies.
    assume(config["vocab_size"] - len(eos) >= beams)
    # Forbidden words may leave less to choose from than there are beams.
    assume(options["no_repeat_ngram_size"] == 0 or config["vocab_size"] > 12)
    theirs, ours = models(config, seed)
    expected = run_torch(theirs, prompts, options)
    if config["pad_token_id"] == 0 and eos:  # which it takes for none
        options["pad_token_id"] = eos[0]
    check(ours, library, prompts, options, expected)


@settings(max_examples=150)
@given(
    seed=seeds,
    vocab=st.integers(7, 10),
    beams=st.integers(2, 4),
    n_new=st.integers(4, 25),
    n_eos=st.integers(1, 3),
    length_penalty=st.sampled_from([1.0, 1.0, 0.0, -0.5, 0.3, 3.0]),
    early_stopping=st.sampled_from([False, True, "never"]),
    scale=st.sampled_from([0.1, 0.3, 0.6]),
)
def test_long_beam_searches_that_end_early(
    seed, vocab, beams, n_new, n_eos, length_penalty, early_stopping, scale
):
    """Without layers the models are fast, and their words are likely enough to end texts."""
    config = {
        "vocab_size": vocab,
        "hidden_size": 8,
        "num_hidden_layers": 0,
        "num_attention_heads": 1,
        "intermediate_size": 1,
        "max_position_embeddings": 40,
        "is_decoder": True,
        "tie_word_embeddings": False,
    }
    theirs = torch_model("RobertaForCausalLM", config, seed, scale)
    theirs.__class__ = WithForwardPositions
    ours = carried_over(theirs, RobertaForCausalLM, dtype="float64")
    prompts = {"input_ids": np.array([[0, 5], [1, 6], [4, 3]])}
    options = {
        "num_beams": beams,
        "num_return_sequences": beams,
        "max_new_tokens": n_new,
        "eos_token_id": list(range(2, 2 + n_eos)),
        "length_penalty": length_penalty,
        "early_stopping": early_stopping,
    }
    check(ours, NUMPY, prompts, options, run_torch(theirs, prompts, options))


@settings(max_examples=50)
@given(case=cases(), seed=seeds)
def test_greedy_generation_is_a_loop_over_the_forward_pass(case, seed):
    config, prompts, options = case
    options |= {"eos_token_id": None, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0}
    _, ours = models(config, seed)
    sequences = ours.generate(**prompts, **options)
    ids = prompts.pop("input_ids")
    mask = prompts.pop("attention_mask", ids != config["pad_token_id"])
    while ids.shape[1] < sequences.shape[1]:
        logits = ours(ids, attention_mask=mask, **prompts).logits
        new = np.argmax(logits[:, -1], axis=-1)[:, None]
        ids = np.concatenate([ids, new], axis=1)
        mask = np.concatenate([mask, np.ones_like(new)], axis=1)
    np.testing.assert_array_equal(ids, sequences)
