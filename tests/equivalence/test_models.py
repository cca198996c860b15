"""The models against transformers on torch, on drawn configurations, weights and batches."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaConfig, RobertaForCausalLM
from tests.equivalence.strategies import (
    CLASSES,
    Batch,
    batches,
    carried_over,
    configs,
    labelled,
    read_by_transformers,
    redrawn,
    seeds,
    torch_model,
    with_parameters_of,
)
from tests.libraries import LIBRARIES, NUMPY, Library, host

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")


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
    wanted = {"output_hidden_states": True, "output_attentions": True}
    arguments = batch.torch(dtype)
    with torch.no_grad():
        result = model.to(dtype)(**arguments, **wanted)
    tensors = outputs_of(result)
    if dtype == torch.float64 and isinstance(model, transformers.RobertaForCausalLM):
        tensors |= exact_loss(tensors, arguments)
    return {name: tensor.double().numpy() for name, tensor in tensors.items()}


def exact_loss(tensors: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Compute the causal loss in float64, where transformers computes it in float32 always."""
    if "loss" not in tensors:
        return {}
    classes = tensors["logits"].shape[-1]
    logits, labels = tensors["logits"][:, :-1], arguments["labels"][:, 1:]
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, classes), labels.reshape(-1))
    torch.testing.assert_close(tensors["loss"].double(), loss, rtol=1e-5, atol=1e-5, equal_nan=True)
    return {"loss": loss}


def run_ours(model: Any, batch: Batch, library: Library, dtype: str) -> dict[str, np.ndarray]:
    wanted = {"output_hidden_states": True, "output_attentions": True}
    result = library.model(model)(**batch.ours(library, dtype), **wanted)
    tensors = outputs_of(result)
    for name, tensor in tensors.items():
        rounded = name == "loss" and dtype == "float16" and isinstance(model, RobertaForCausalLM)
        expected = "float32" if rounded else dtype
        assert str(tensor.dtype).endswith(expected), f"{name} is {tensor.dtype}, not {expected}"
    return {name: host(tensor) for name, tensor in tensors.items()}


def float64_models(class_name: str, config: dict[str, Any], seed: int, pooling: bool) -> Any:
    """Make a model of torch, and ours of its numbers; only the base model may have a pooler.

    One in four is read from what torch's saves: files take longer than all the rest.
    """
    options = {"add_pooling_layer": pooling} if class_name == "RobertaModel" else {}
    theirs, kind = torch_model(class_name, config, seed, **options), getattr(minirobert, class_name)
    if seed % 4 == 0:
        return theirs, carried_over(theirs, kind, dtype="float64", **options)
    return theirs, with_parameters_of(theirs, kind(RobertaConfig(**config), **options))


def scale_of(name: str, tensors: dict[str, np.ndarray]) -> float:
    """Give the size of a tensor's numbers; a loss is a difference of numbers as large as logits."""
    related = tensors if name == "loss" else [name]
    return max(
        np.abs(tensors[other]).max(initial=0)
        for other in related
        if other in ("loss", name) or other.endswith("logits")
    )


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=150)
@given(data=st.data(), config=configs(), seed=seeds, pooling=st.booleans())
def test_float64_agrees_to_1e_10(library, class_name, data, config, seed, pooling):
    config = data.draw(labelled(config, class_name))
    batch = data.draw(batches(config, class_name))
    theirs, ours = float64_models(class_name, config, seed, pooling)
    expected = run_torch(theirs, batch, torch.float64)
    actual = run_ours(ours, batch, library, "float64")
    assert list(actual) == list(expected)
    for name, reference in expected.items():
        assert actual[name].shape == reference.shape, name
        if np.isnan(reference).any():  # a loss without labels
            assert np.isnan(actual[name]).all(), name
            continue
        scale = scale_of(name, expected)
        assert np.abs(actual[name] - reference).max(initial=0) <= 1e-10 * scale, name


@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=30)
@given(data=st.data(), config=configs(), seed=seeds)
def test_tensors_of_torch_give_what_numpys_arrays_give(class_name, data, config, seed):
    config = data.draw(labelled(config, class_name))
    batch = data.draw(batches(config, class_name))
    ours = getattr(minirobert, class_name)(RobertaConfig(**config), seed=seed).astype("float64")
    expected = outputs_of(ours(**batch.ours(NUMPY, "float64")))
    actual = outputs_of(ours(**batch.torch(torch.float64)))
    assert list(actual) == list(expected)
    for name, array in expected.items():
        assert isinstance(actual[name], np.ndarray)
        np.testing.assert_array_equal(actual[name], array)


def check_rounding(library, class_name, config, batch, seed, dtype):
    """Compare rounding errors against float64, over several models.

    In one small tensor torch may be exact, or far off, by luck; over eight models' tensors its
    error is its own. A tensor's errors count in units of its largest number in any of the models:
    a single logit may be near zero where its terms, and so its error, are not.
    """
    torch_dtype = getattr(torch, dtype)
    ours, theirs, scales = defaultdict(list), defaultdict(list), defaultdict(list)
    torchs = torch_model(class_name, config, seed)
    model = carried_over(torchs, getattr(minirobert, class_name), dtype=dtype)
    for model_seed in range(seed, seed + 8):
        torchs = redrawn(torchs.double(), model_seed).to(torch_dtype)
        model = with_parameters_of(torchs, model)
        rounded = run_torch(torchs, batch, torch_dtype)
        actual = run_ours(model, batch, library, dtype)
        exact = run_torch(torchs, batch, torch.float64)
        for name, reference in exact.items():
            scale = 0 if np.isnan(reference).any() else scale_of(name, exact)  # a loss may be NaN
            if scale > 0:
                scales[name].append(scale)
                ours[name].append(np.mean((actual[name] - reference) ** 2))
                theirs[name].append(np.mean((rounded[name] - reference) ** 2))

    def error(squares):
        relative = [np.mean(squares[name]) / max(scales[name]) ** 2 for name in squares]
        return np.sqrt(np.mean(relative))

    assert error(ours) <= 4 * error(theirs)


# In a layer norm over a few numbers an error may grow without bound, in torch and here.
wide_configs = configs(min_hidden_size=6)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=40)
@given(data=st.data(), config=wide_configs, seed=seeds)
def test_float32_error_is_at_most_4_times_torchs(library, class_name, data, config, seed):
    config = data.draw(labelled(config, class_name))
    batch = data.draw(batches(config, class_name, dtype="float32"))
    check_rounding(library, class_name, config, batch, seed, "float32")


@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=40)
@given(data=st.data(), config=wide_configs, seed=seeds)
def test_float16_error_is_at_most_4_times_torchs(class_name, data, config, seed):
    """On NumPy only: the array API standard has no float16.

    Rows without any key to look at are left out: torch adds the lowest float16 to their scores,
    and gets NaN from a row of minus infinities.
    """
    config = data.draw(labelled(config, class_name))
    batch = data.draw(batches(config, class_name, dtype="float16", masks=("none", "first")))
    check_rounding(NUMPY, class_name, config, batch, seed, "float16")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=25)
@given(data=st.data(), config=configs(), seed=seeds, pooling=st.booleans())
def test_tuples_have_transformers_order(library, class_name, data, config, seed, pooling):
    config = data.draw(labelled(config, class_name))
    batch = data.draw(batches(config, class_name))
    theirs, ours = float64_models(class_name, config, seed, pooling)
    names = ("output_hidden_states", "output_attentions")
    wanted = {name: data.draw(st.booleans()) for name in names} | {"return_dict": False}
    expected = theirs(**batch.torch(torch.float64), **wanted)
    actual = library.model(ours)(**batch.ours(library, "float64"), **wanted)
    assert isinstance(actual, tuple)
    if class_name == "RobertaForCausalLM" and "labels" in batch.arguments:
        tensors = {"loss": expected[0], "logits": expected[1]}
        loss = exact_loss(tensors, batch.torch(torch.float64))["loss"]
        expected = (loss, *expected[1:])
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
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=25)
@given(data=st.data(), config=configs(), seed=seeds)
def test_transformers_reads_what_we_write(
    library, class_name, data, config, seed, tmp_path_factory
):
    """Our initialisation and our file, in their model."""
    directory = tmp_path_factory.mktemp("ours")
    config = data.draw(labelled(config, class_name))
    batch = data.draw(batches(config, class_name))
    ours = getattr(minirobert, class_name)(RobertaConfig(**config), seed=seed)
    library.model(ours).save_pretrained(directory)
    theirs = read_by_transformers(class_name, directory, dtype=torch.float64)
    expected = run_torch(theirs, batch, torch.float64)
    actual = run_ours(ours.astype("float64"), batch, library, "float64")
    for name, reference in expected.items():
        difference = np.abs(actual[name] - reference).max(initial=0)
        bound = 1e-10 * scale_of(name, expected)
        assert np.isnan(reference).any() or difference <= bound, name
