"""Shards, other numbers of tokens and pruned heads against transformers, on drawn models."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaConfig
from minirobert.parameters import flatten
from tests.equivalence.strategies import (
    CLASSES,
    batches,
    carried_over,
    configs,
    labelled,
    read_by_transformers,
    seeds,
    torch_model,
)
from tests.equivalence.test_models import float64_models, run_ours, run_torch, scale_of
from tests.libraries import LIBRARIES, host

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")


def same_outputs(ours: Any, expected: dict[str, np.ndarray], batch: Any, library: Any) -> None:
    actual = run_ours(ours, batch, library, "float64")
    assert list(actual) == list(expected)
    for name, reference in expected.items():
        if not np.isnan(reference).any():  # a loss without labels
            bound = 1e-10 * scale_of(name, expected)
            assert np.abs(actual[name] - reference).max(initial=0) <= bound, name


def same_tensors(ours: Any, theirs: Any) -> None:
    state = theirs.state_dict()
    for name, array in flatten(ours.params).items():
        np.testing.assert_array_equal(host(array), state[name].numpy(), err_msg=name)


@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=20)
@given(
    data=st.data(),
    config=configs(),
    seed=seeds,
    pooling=st.booleans(),
    size=st.one_of(st.integers(1, 9000), st.sampled_from(["1KB", "3.5KB", "5GB"])),
)
def test_shards_are_transformers(class_name, data, config, seed, pooling, size, tmp_path_factory):
    config = data.draw(labelled(config, class_name))
    theirs, ours = float64_models(class_name, config, seed, pooling)
    directories = [tmp_path_factory.mktemp(name) for name in ("theirs", "ours")]
    theirs.save_pretrained(directories[0], max_shard_size=size)
    ours.save_pretrained(directories[1], max_shard_size=size)
    names = [
        sorted(path.name for path in directory.iterdir() if path.name.startswith("model"))
        for directory in directories
    ]
    assert names[0] == names[1]
    index = "model.safetensors.index.json"
    if index in names[0]:
        first, second = (json.loads((one / index).read_text()) for one in directories)
        assert first == second
    options = {"add_pooling_layer": pooling} if class_name == "RobertaModel" else {}
    kind = getattr(minirobert, class_name)
    again = kind.from_pretrained(directories[0], strict=True, dtype="auto", **options)
    assert again.dtype == "float64"
    same_tensors(again, theirs)
    same_tensors(again, read_by_transformers(class_name, directories[1], dtype="auto", **options))


def same_new_rows(name: str, ours: np.ndarray, theirs: np.ndarray, count: int, mean: bool) -> None:
    """Compare what both have drawn: by its distribution only, for it is random."""
    old = theirs[:count]
    np.testing.assert_array_equal(ours[:count], old)
    if not mean:
        # normal around 0 with 0.02, the default initializer_range
        assert np.all(ours[count:] != 0)
        assert np.abs(ours[count:]).max(initial=0) < 0.12
        return
    # transformers computes the mean in float32
    bound = 1e-6 * np.abs(old).max() + 8 * np.sqrt(1e-9 * old.shape[1]) * old.std(axis=0).max()
    assert np.abs(ours[count:] - old.mean(axis=0)).max(initial=0) <= bound, name
    assert np.abs(ours[count:] - theirs[count:]).max(initial=0) <= 2 * bound, name


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=20)
@given(
    data=st.data(),
    config=configs(),
    seed=seeds,
    pooling=st.booleans(),
    asked=st.one_of(st.none(), st.integers(6, 60)),
    multiple=st.one_of(st.none(), st.integers(1, 16)),
    mean=st.booleans(),
)
def test_another_number_of_tokens(
    library, class_name, data, config, seed, pooling, asked, multiple, mean, tmp_path_factory
):
    config = data.draw(labelled(config, class_name))
    count = config["vocab_size"] if asked is None else asked
    theirs, ours = float64_models(class_name, config, seed, pooling)
    before = flatten(ours.params)
    resized = library.model(ours).resize_token_embeddings(asked, multiple, mean, seed=seed)
    theirs.resize_token_embeddings(asked, multiple, mean)
    assert resized.config.vocab_size == theirs.config.vocab_size >= count
    assert ours.config.vocab_size == config["vocab_size"]
    kept = min(config["vocab_size"], resized.config.vocab_size)
    state = theirs.state_dict()
    for name, array in flatten(resized.params).items():
        actual, expected = host(array), state[name].numpy()
        assert actual.shape == expected.shape, name
        if name == "lm_head.bias":
            np.testing.assert_allclose(actual, expected, atol=1e-6)
            np.testing.assert_array_equal(actual[:kept], expected[:kept])
        elif name.endswith(("word_embeddings.weight", "decoder.weight")):
            same_new_rows(name, actual, expected, kept, mean)
        else:
            np.testing.assert_array_equal(actual, before[name], err_msg=name)
    directory = tmp_path_factory.mktemp("resized")
    resized.save_pretrained(directory)
    options = {"add_pooling_layer": pooling} if class_name == "RobertaModel" else {}
    read = read_by_transformers(class_name, directory, dtype="auto", **options)
    batch = data.draw(batches({**config, "vocab_size": resized.config.vocab_size}, class_name))
    same_outputs(resized, run_torch(read, batch, torch.float64), batch, library)


@pytest.mark.parametrize("class_name", ["RobertaForMaskedLM", "RobertaForCausalLM"])
@settings(max_examples=20)
@given(config=configs(), seed=seeds, more=st.integers(-3, 20), mean=st.booleans())
def test_old_tokens_keep_their_logits(class_name, config, seed, more, mean):
    _, ours = float64_models(class_name, config, seed, False)
    count = config["vocab_size"] + more
    assume(count > config["pad_token_id"])
    ids = np.random.default_rng(seed).integers(0, min(count, config["vocab_size"]), (2, 5))
    old = ours(ids).logits
    new = ours.resize_token_embeddings(count, mean_resizing=mean).__call__(ids).logits
    assert new.shape[-1] == count
    kept = min(count, config["vocab_size"])
    np.testing.assert_allclose(
        new[..., :kept], old[..., :kept], rtol=0, atol=1e-12 * abs(old).max()
    )


@st.composite
def pruned_heads(draw: st.DrawFn, config: dict[str, Any]) -> dict[int, list[int]]:
    """Draw some heads of some layers, never all of a layer."""
    layers, heads = config["num_hidden_layers"], config["num_attention_heads"]
    one = st.lists(st.integers(0, heads - 1), max_size=max(heads - 1, 0), unique=True)
    return {i: draw(one) for i in range(layers) if heads > 1 and draw(st.booleans())}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=20)
@given(data=st.data(), config=configs(), seed=seeds, pooling=st.booleans())
def test_pruned_heads(library, class_name, data, config, seed, pooling, tmp_path_factory):
    config = data.draw(labelled(config, class_name))
    batch = data.draw(batches(config, class_name))
    batch.arguments.pop("head_mask", None)
    options = {"add_pooling_layer": pooling} if class_name == "RobertaModel" else {}
    # transformers makes the layers that it prunes float32, so the numbers must be those of float32
    theirs = torch_model(class_name, config, seed, **options).float().double()
    ours = carried_over(theirs, getattr(minirobert, class_name), dtype="float64", **options)
    first, second = data.draw(pruned_heads(config)), data.draw(pruned_heads(config))
    union = {i: set(first.get(i, [])) | set(second.get(i, [])) for i in {*first, *second}}
    assume(all(len(heads) < config["num_attention_heads"] for heads in union.values()))
    pruned = library.model(ours).prune_heads(first).prune_heads(second)
    theirs.prune_heads(first)
    theirs.prune_heads(second)
    theirs.double()
    assert ours.config.pruned_heads == {}
    kept_out = {i: sorted(heads) for i, heads in union.items() if heads}
    assert pruned.config.pruned_heads == kept_out
    assert {i: sorted(h) for i, h in theirs.config.pruned_heads.items() if h} == kept_out
    same_tensors(pruned, theirs)
    expected = run_torch(theirs, batch, torch.float64)
    same_outputs(pruned, expected, batch, library)

    directories = [tmp_path_factory.mktemp(name) for name in ("theirs", "ours")]
    theirs.save_pretrained(directories[0])
    pruned.save_pretrained(directories[1], max_shard_size=data.draw(st.sampled_from([500, "5GB"])))
    for directory in directories:
        kind = getattr(minirobert, class_name)
        again = kind.from_pretrained(directory, strict=True, dtype="float64", **options)
        same_tensors(again, theirs)
        same_outputs(again, expected, batch, library)
    read = read_by_transformers(class_name, directories[1], dtype="auto", **options)
    same_outputs(pruned, run_torch(read, batch, torch.float64), batch, library)


@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=20)
@given(data=st.data(), config=configs(), seed=seeds)
def test_a_pruned_head_is_a_masked_one(class_name, data, config, seed):
    """Without cross-attention: a head mask silences its heads too, pruning does not."""
    config = {**data.draw(labelled(config, class_name)), "add_cross_attention": False}
    heads = data.draw(pruned_heads(config))
    mask = np.ones((config["num_hidden_layers"], config["num_attention_heads"]))
    for layer, pruned in heads.items():
        mask[layer, pruned] = 0
    batch = data.draw(batches(config, class_name))
    batch.arguments.pop("head_mask", None)
    model = getattr(minirobert, class_name)(RobertaConfig(**config), seed=seed).astype("float64")
    masked = model(**batch.arguments, head_mask=mask)[-1]
    actual = model.prune_heads(heads)(**batch.arguments)[-1]
    np.testing.assert_allclose(actual, masked, rtol=0, atol=1e-12 * np.abs(masked).max())
