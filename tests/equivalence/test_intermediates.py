"""The value of every intermediate tensor against what torch's modules compute."""

from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import watch
from minirobert.numerics.rows import is_seen_split
from minirobert.numerics.torch_port import trace_torch
from tests.equivalence.strategies import (
    CLASSES,
    batches,
    carried_over,
    configs,
    labelled,
    torch_model,
)
from tests.equivalence.test_decoder import Replay, close, seeds
from tests.libraries import LIBRARIES, host

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")


def expected(name: str, theirs: dict[str, np.ndarray], config: dict[str, Any]) -> np.ndarray:
    """Find torch's tensor of our name, or the chunk of it."""
    if ".chunk." not in name:
        return theirs[name]
    before, _, rest = name.partition(".chunk.")
    number, _, rest = rest.partition(".")
    size = config["chunk_size_feed_forward"]
    return theirs[f"{before}.{rest}"][:, int(number) * size :][:, :size]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=40)
@given(data=st.data(), config=configs(), seed=seeds, train=st.booleans())
def test_every_value_is_torchs(library, class_name, data, config, seed, train):
    config = {
        **data.draw(labelled(config, class_name)),
        "hidden_dropout_prob": data.draw(st.sampled_from([0.0, 0.2])),
        "attention_probs_dropout_prob": data.draw(st.sampled_from([0.0, 0.3])),
        "chunk_size_feed_forward": data.draw(st.sampled_from([0, 0, 1])),
    }
    batch = data.draw(batches(config, class_name))
    theirs = torch_model(class_name, config, seed).train(train)
    model = library.model(carried_over(theirs, getattr(minirobert, class_name), dtype="float64"))
    replay = Replay(seed)
    with mock.patch("torch.nn.functional.dropout", replay):
        traced = trace_torch(theirs, batch.torch(torch.float64), weights=False)
    with watch() as seen:
        model(**batch.ours(library, "float64"), train=train, rng=seed)
    kept = [host(array) for name, array in seen.items() if name.endswith(".kept")]
    assert len(kept) == len(replay.masks)
    for ours, mask in zip(kept, replay.masks, strict=True):
        np.testing.assert_array_equal(ours, mask)
    for name, array in seen.items():
        if not is_seen_split(name, traced.tensors):
            check(name, host(array), dict(traced.tensors), config)


def check(
    name: str, actual: np.ndarray, theirs: dict[str, np.ndarray], config: dict[str, Any]
) -> None:
    """Compare one tensor with torch's, whose masks are added, and which broadcasts some inputs."""
    if name.endswith(".kept") or (name == "attend" and not config["num_hidden_layers"]):
        return
    if name.endswith("embeddings.word_embeddings") and "inputs_embeds" in theirs:
        theirs = {name: theirs["inputs_embeds"]}  # which is no module's output
    value = expected(name, theirs, config)
    if ".scores" in name:
        module = name.partition(".scores")[0]
        seen = np.broadcast_to(theirs[f"{module}.scores.masked"] > -1e300, actual.shape)
        if name.endswith(".masked"):
            assert np.all(actual[~seen] == np.finfo(np.float64).min)
            actual, value = np.where(seen, actual, 0), np.where(seen, value, 0)
    if value.size == actual.size:  # the choices of a text stand side by side
        value = value.reshape(actual.shape)
    if name == "loss" and np.isnan(actual):  # a mean of nothing
        assert np.isnan(value)
    elif name in ("input_ids", "token_type_ids", "position_ids", "attend"):
        np.testing.assert_array_equal(*np.broadcast_arrays(actual, value))
    else:
        # Positions are for all texts; transformers computes a decoder's loss in float32.
        close(actual, np.broadcast_to(value, actual.shape), 1e-6 if name == "loss" else 1e-10)
