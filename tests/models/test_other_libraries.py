"""Arrays of other libraries in the same memory, such as torch's on the CPU, are read in place."""

import array_api_strict
import numpy as np
import pytest
import torch

from minirobert import (
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    losses,
)
from minirobert.arrays import as_array_like
from tests.libraries import STRICT

SIZES = {
    "vocab_size": 20, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9, "type_vocab_size": 2,
}  # fmt: skip
CONFIG = RobertaConfig(**SIZES)
DECODER = RobertaConfig(**SIZES, is_decoder=True, add_cross_attention=True)
IDS = np.array([[0, 5, 6, 2], [0, 7, 8, 2]])
MASK = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
STATES = np.random.default_rng(0).standard_normal((2, 3, 12), np.float32)
COMMON = {
    "attention_mask": MASK,
    "token_type_ids": MASK,
    "position_ids": np.array([[2, 3, 4, 5]]),
    "head_mask": np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.5]]),
}
EMBEDS = np.random.default_rng(1).standard_normal((2, 4, 12), np.float32)
CALLS = {
    "base": (RobertaModel, CONFIG, {"input_ids": IDS, **COMMON}),
    "embeddings": (RobertaModel, CONFIG, {"inputs_embeds": EMBEDS, **COMMON}),
    "boolean mask": (RobertaModel, CONFIG, {"input_ids": IDS, "attention_mask": MASK > 0}),
    "masked": (RobertaForMaskedLM, CONFIG, {"input_ids": IDS, **COMMON, "labels": IDS}),
    "decoder": (
        RobertaForCausalLM,
        DECODER,
        {
            "input_ids": IDS, **COMMON, "labels": IDS, "cache_position": np.arange(4),
            "encoder_hidden_states": STATES, "encoder_attention_mask": MASK[:, 1:],
        },
    ),
    "classes": (
        RobertaForSequenceClassification, CONFIG, {"input_ids": IDS, "labels": MASK[0, :2]},
    ),
    "several classes": (
        RobertaForSequenceClassification,
        CONFIG,
        {"input_ids": IDS, "labels": np.array([[0.0, 1.0], [1.0, 1.0]], np.float32)},
    ),
    "tokens": (RobertaForTokenClassification, CONFIG, {"input_ids": IDS, "labels": MASK}),
    "choices": (
        RobertaForMultipleChoice,
        CONFIG,
        {"input_ids": IDS[None], "attention_mask": MASK[None], "labels": MASK[1, 3:]},
    ),
    "answers": (
        RobertaForQuestionAnswering,
        CONFIG,
        {"input_ids": IDS, "start_positions": IDS[:, 0], "end_positions": MASK[:, 3]},
    ),
}  # fmt: skip


def same(actual, expected):
    """Compare what NumPy's arrays gave with what tensors gave: NumPy's arrays, too."""
    for name, value in expected.items():
        if isinstance(value, np.ndarray | np.generic):
            assert isinstance(actual[name], np.ndarray | np.generic), name
            np.testing.assert_array_equal(actual[name], value)


@pytest.mark.parametrize(("kind", "config", "arguments"), CALLS.values(), ids=CALLS)
def test_tensors_give_what_numpys_arrays_give(kind, config, arguments):
    model = kind(config)
    tensors = {name: torch.from_numpy(value) for name, value in arguments.items()}
    same(model(**tensors), model(**arguments))


def test_tensors_are_not_copied():
    tensor = torch.arange(6).reshape(2, 3)
    array = as_array_like(tensor, IDS)
    assert type(array) is np.ndarray
    assert array.__array_interface__["data"][0] == tensor.data_ptr()


def test_any_library_with_dlpack_is_read_and_rows_of_tensors_too():
    model = RobertaModel(CONFIG)
    expected = model(IDS).last_hidden_state
    for ids in (array_api_strict.asarray(IDS), [torch.tensor(row) for row in IDS], Pinned()):
        np.testing.assert_array_equal(model(ids).last_hidden_state, expected)


class Pinned:
    """Memory pinned for CUDA, of a library that this package does not know."""

    def __dlpack__(self, **options):
        return IDS.__dlpack__(**options)

    def __dlpack_device__(self):
        return 3, 0


def test_a_model_of_another_library_reads_numpys_arrays():
    model = RobertaModel(CONFIG)
    output = model.to("cpu", torch)(IDS, MASK)
    assert isinstance(output.last_hidden_state, torch.Tensor)
    expected = model(IDS, MASK).last_hidden_state
    np.testing.assert_allclose(output.last_hidden_state, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["input_ids", "attention_mask", "labels"])
def test_a_tensor_on_another_device_is_told_the_cure(kind):
    arguments = {"input_ids": IDS, kind: torch.ones((2, 4), dtype=torch.int64, device="meta")}
    with pytest.raises(ValueError, match=f"{kind} is a torch array on device meta, .*to_device"):
        RobertaForMaskedLM(CONFIG)(**arguments)
    with pytest.raises(ValueError, match=f"{kind} is a array_api_strict array on device"):
        RobertaForMaskedLM(CONFIG)(**{**arguments, kind: STRICT.array(IDS)})


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor.requires_grad_(),
        lambda tensor: tensor.to(torch.bfloat16),
        lambda tensor: tensor.to_sparse(),
    ],
)
def test_a_tensor_that_cannot_be_read_is_told_the_cure(change):
    embeds = change(torch.from_numpy(EMBEDS).clone())
    with pytest.raises(ValueError, match=r"inputs_embeds is a torch array .* with detach\(\)"):
        RobertaModel(CONFIG)(inputs_embeds=embeds)


def test_tensors_of_an_older_cache():
    model = RobertaForCausalLM(DECODER)
    cache = model(IDS[:, :3], encoder_hidden_states=STATES).past_key_values
    expected = model(IDS[:, 3:], past_key_values=cache.to_legacy_cache()).logits
    tensors = tuple(tuple(map(torch.from_numpy, layer)) for layer in cache.to_legacy_cache())
    for past in (tensors, KeyValueCache.from_legacy_cache(tensors)):
        output = model(torch.from_numpy(IDS[:, 3:]), past_key_values=past)
        assert isinstance(output.logits, np.ndarray)
        np.testing.assert_array_equal(output.logits, expected)
        assert type(output.past_key_values[1][0]) is np.ndarray
    grown = tuple(tuple(one.clone().requires_grad_() for one in layer) for layer in tensors)
    with pytest.raises(
        ValueError, match=r"past_key_values\[0\] is a torch array that numpy cannot"
    ):
        model(IDS[:, 3:], past_key_values=grown)


def test_tensors_as_prompts():
    model = RobertaForCausalLM(DECODER)
    options = {"max_new_tokens": 2, "eos_token_id": None}
    arguments = {
        "input_ids": IDS[:, :3],
        "attention_mask": MASK[:, :3],
        "encoder_hidden_states": STATES,
        "encoder_attention_mask": MASK[:, 1:],
    }
    tensors = {name: torch.from_numpy(value.copy()) for name, value in arguments.items()}
    expected = model.generate(**arguments, **options)
    assert type(expected) is np.ndarray
    np.testing.assert_array_equal(model.generate(**tensors, **options), expected)
    steps = model.stream(**tensors, **options)
    np.testing.assert_array_equal(np.stack(list(steps), axis=1), expected[:, 3:])


def test_tensors_as_targets_of_the_losses():
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((2, 4, 20), np.float32)
    calls = [
        (losses.cross_entropy, (logits,), (IDS,)),
        (losses.causal_lm_loss, (logits,), (IDS,)),
        (losses.span_loss, (logits[..., 0], logits[..., 1]), (MASK[:, 0], MASK[:, 3])),
        (losses.mean_squared_error, (logits[..., 0],), (logits[..., 1],)),
        (losses.binary_cross_entropy_with_logits, (logits[..., 0],), (MASK * 1.0,)),
    ]
    for loss, scores, targets in calls:
        assert loss(*scores, *map(torch.tensor, targets)) == loss(*scores, *targets)


def test_a_table_of_embeddings():
    model = RobertaModel(CONFIG)
    table = torch.ones(20, 12)
    assert type(model.set_input_embeddings(table).word_embeddings) is np.ndarray
