"""The models against transformers on torch, on drawn configurations, weights and batches."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from tests.equivalence.strategies import Batch, batches, carried_over, configs, torch_model
from tests.libraries import LIBRARIES, NUMPY, Library, host

CLASSES = ["RobertaModel", "RobertaForMaskedLM"]
seeds = st.integers(0, 2**31 - 1)


def outputs_of(result: Any) -> dict[str, Any]:
    """Flatten an output: every tensor that it holds, by name."""
    tensors = {}
    for name, value in result.items():
        if isinstance(value, tuple):
            tensors |= {f"{name}[{i}]": tensor for i, tensor in enumerate(value)}
        else:
            tensors[name] = value
    return tensors


def run_torch(model: Any, batch: Batch, dtype: torch.dtype) -> dict[str, np.ndarray]:
    arguments = batch.torch(dtype)
    if batch.labels is not None and hasattr(model, "lm_head"):
        arguments["labels"] = torch.tensor(batch.labels)
    with torch.no_grad():
        result = model.to(dtype)(**arguments, output_hidden_states=True, output_attentions=True)
    return {name: tensor.double().numpy() for name, tensor in outputs_of(result).items()}


def run_ours(model: Any, batch: Batch, library: Library, dtype: str) -> dict[str, np.ndarray]:
    arguments = batch.ours(library, dtype)
    if batch.labels is not None and hasattr(model, "lm_head"):
        arguments["labels"] = library.array(batch.labels)
    moved = library.model(model)
    result = moved(**arguments, output_hidden_states=True, output_attentions=True)
    tensors = outputs_of(result)
    for name, tensor in tensors.items():
        assert str(tensor.dtype).endswith(dtype), f"{name} is {tensor.dtype}, not {dtype}"
    return {name: host(tensor) for name, tensor in tensors.items()}


def float64_models(class_name: str, config: dict[str, Any], seed: int, pooling: bool) -> Any:
    """Make a model of torch, and ours from what it saves; only the base model may have a pooler."""
    options = {"add_pooling_layer": pooling} if class_name == "RobertaModel" else {}
    theirs = torch_model(class_name, config, seed, **options)
    return theirs, carried_over(theirs, getattr(minirobert, class_name), dtype="float64", **options)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=200)
@given(data=st.data(), config=configs(), seed=seeds, pooling=st.booleans())
def test_float64_agrees_to_1e_10(library, class_name, data, config, seed, pooling):
    batch = data.draw(batches(config))
    theirs, ours = float64_models(class_name, config, seed, pooling)
    expected = run_torch(theirs, batch, torch.float64)
    actual = run_ours(ours, batch, library, "float64")
    assert list(actual) == list(expected)
    for name, reference in expected.items():
        assert actual[name].shape == reference.shape, name
        if np.isnan(reference).any():  # a loss without labels
            assert np.isnan(actual[name]).all(), name
            continue
        scale = np.abs(reference).max(initial=0)
        assert np.abs(actual[name] - reference).max(initial=0) <= 1e-10 * scale, name


def squared_error(actual: dict[str, Any], exact: dict[str, Any]) -> float:
    """Average the squared differences of all tensors, each in units of its own scale."""
    errors = []
    for name, reference in exact.items():
        scale = np.abs(reference).max(initial=0)
        if scale > 0 and not np.isnan(reference).any():  # the loss without labels is NaN
            errors.append(np.mean((actual[name] - reference) ** 2) / scale**2)
    return float(np.mean(errors))


def check_rounding(library, class_name, config, batch, seed, dtype):
    """Compare rounding errors against float64, over several models.

    In one small tensor torch may be exact, or far off, by luck; over eight models' tensors its
    error is its own.
    """
    torch_dtype = getattr(torch, dtype)
    ours, theirs = [], []
    for model_seed in range(seed, seed + 8):
        torchs = torch_model(class_name, config, model_seed).to(torch_dtype)
        model = carried_over(torchs, getattr(minirobert, class_name), dtype=dtype)
        rounded = run_torch(torchs, batch, torch_dtype)
        actual = run_ours(model, batch, library, dtype)
        exact = run_torch(torchs, batch, torch.float64)
        ours.append(squared_error(actual, exact))
        theirs.append(squared_error(rounded, exact))
    assert np.sqrt(np.mean(ours)) <= 4 * np.sqrt(np.mean(theirs))


# In a layer norm over a few numbers an error may grow without bound, in torch and here.
wide_configs = configs(min_hidden_size=6)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=40)
@given(data=st.data(), config=wide_configs, seed=seeds)
def test_float32_error_is_at_most_4_times_torchs(library, class_name, data, config, seed):
    batch = data.draw(batches(config, dtype="float32"))
    check_rounding(library, class_name, config, batch, seed, "float32")


@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=40)
@given(data=st.data(), config=wide_configs, seed=seeds)
def test_float16_error_is_at_most_4_times_torchs(class_name, data, config, seed):
    """On NumPy only: the array API standard has no float16.

    Rows without any key to look at are left out: torch adds the lowest float16 to their scores,
    and gets NaN from a row of minus infinities.
    """
    batch = data.draw(batches(config, dtype="float16", masks=("none", "first")))
    check_rounding(NUMPY, class_name, config, batch, seed, "float16")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=25)
@given(data=st.data(), config=configs(), seed=seeds, pooling=st.booleans())
def test_tuples_have_transformers_order(library, class_name, data, config, seed, pooling):
    batch = data.draw(batches(config))
    theirs, ours = float64_models(class_name, config, seed, pooling)
    wanted = {"output_hidden_states": data.draw(st.booleans()), "return_dict": False}
    arguments = batch.torch(torch.float64)
    ours_arguments = batch.ours(library, "float64")
    if class_name == "RobertaForMaskedLM" and batch.labels is not None:
        arguments["labels"] = torch.tensor(batch.labels)
        ours_arguments["labels"] = library.array(batch.labels)
    expected = theirs(**arguments, **wanted)
    actual = library.model(ours)(**ours_arguments, **wanted)
    assert isinstance(actual, tuple)
    same_values(actual, expected)


def same_values(actual, expected):
    """Compare tuples of tensors and of further tuples, place by place."""
    if isinstance(expected, tuple):
        assert len(actual) == len(expected)
        for ours, theirs in zip(actual, expected, strict=True):
            same_values(ours, theirs)
    elif expected is None:
        assert actual is None
    else:
        reference = expected.detach().numpy()
        np.testing.assert_allclose(host(actual), reference, atol=1e-10 * np.abs(reference).max())


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=25)
@given(data=st.data(), config=configs(), seed=seeds)
def test_transformers_reads_what_we_write(library, data, config, seed, tmp_path_factory):
    """Our initialisation and our file, in their model."""
    directory = tmp_path_factory.mktemp("ours")
    ours = minirobert.RobertaForMaskedLM(minirobert.RobertaConfig(**config), seed=seed)
    library.model(ours).save_pretrained(directory)
    theirs, report = transformers.RobertaForMaskedLM.from_pretrained(
        directory, output_loading_info=True, attn_implementation="eager", dtype=torch.float64
    )
    assert not any(report.values())
    batch = data.draw(batches(config))
    expected = run_torch(theirs.eval(), batch, torch.float64)
    actual = run_ours(ours.astype("float64"), batch, library, "float64")
    for name, reference in expected.items():
        scale = np.abs(reference).max(initial=0)
        difference = np.abs(actual[name] - reference).max(initial=0)
        assert np.isnan(reference).any() or difference <= 1e-10 * scale, name
