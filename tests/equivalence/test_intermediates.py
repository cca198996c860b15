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

# Where torch has a tensor that is not the output of the module of our name: (module, call, what),
# for the end of a name. The longest end that fits counts.
PLACES = {
    "LayerNorm.dropout": ("dropout", 0, "output"),
    "sum": ("LayerNorm", 0, "input"),
    "probabilities.dropout": ("dropout", 0, "output"),
    "dense.dropout": ("dropout", 0, "output"),
    "lm_head.gelu": ("lm_head.layer_norm", 0, "input"),
    "lm_head.logits": ("lm_head", 0, "output"),
    "classifier.logits": ("classifier", 0, "output"),
    "qa_outputs.logits": ("qa_outputs", 0, "output"),
    "classifier.dense": ("classifier.dense", 0, "output"),
    "classifier.tanh": ("classifier.dropout", 1, "input"),
    "classifier.tanh.dropout": ("classifier.dropout", 1, "output"),
    "classifier.input": ("classifier.dropout", 0, "input"),
    "classifier.input.dropout": ("classifier.dropout", 0, "output"),
    "context": ("", 0, "output"),
    "probabilities.head_mask": ("", 0, "second output"),
}
# The classes whose dropout stands beside the head, not in it.
TOKENS = {
    "classifier.input": ("dropout", 0, "input"),
    "classifier.input.dropout": ("dropout", 0, "output"),
    "roberta.pooler.dropout": ("dropout", 0, "output"),
}


class TorchTrace:
    """What goes into each module and comes out of it, call by call; and what softmax computes."""

    def __init__(self, model: Any) -> None:
        self.calls: dict[str, list[tuple[Any, Any]]] = {}
        self.softmax: list[tuple[torch.Tensor, torch.Tensor]] = []
        for name, module in model.named_modules():
            module.register_forward_hook(self._keep(name), with_kwargs=True)

    def _keep(self, name: str) -> Any:
        def hook(module: Any, args: Any, kwargs: Any, output: Any) -> None:
            self.calls.setdefault(name, []).append(((*args, *kwargs.values()), output))

        return hook

    def watched_softmax(self, x: torch.Tensor, dim: int) -> torch.Tensor:
        result = torch.softmax(x, dim=dim)
        self.softmax.append((x, result))
        return result

    def read(self, module: str, call: int, what: str) -> torch.Tensor:
        inputs, output = self.calls[module][call]
        if what == "input":
            return inputs[0]
        if what == "second output":
            return output[1]
        return output[0] if isinstance(output, tuple) else output

    def expected(self, name: str, class_name: str) -> torch.Tensor:
        """Find torch's tensor of our name."""
        call = 0
        if ".chunk." in name:
            before, _, rest = name.partition(".chunk.")
            number, _, rest = rest.partition(".")
            name, call = f"{before}.{rest}", int(number)
        places = PLACES if "Sequence" in class_name else {**PLACES, **TOKENS}
        for end in sorted(places, key=len, reverse=True):
            if name == end or name.endswith(f".{end}"):
                place, at, what = places[end]
                whole = end.startswith(("lm_head", "classifier", "qa_outputs", "roberta"))
                parent = "" if whole else name.removesuffix(end)
                return self.read((parent + place).rstrip("."), call + at, what)
        return self.read(name, call, "output")

    def attention(self, module: str) -> tuple[np.ndarray, np.ndarray]:
        """Give what went into the softmax of an attention, and what came out."""
        names = [one for one in self.calls if one.endswith("attention.self")]
        layers = sorted(names, key=lambda one: (int(one.split("layer.")[1].split(".")[0]), one))
        scores, probabilities = self.softmax[layers.index(module)]
        return scores.numpy(), probabilities.numpy()


def heads_of(tensor: torch.Tensor, size: int) -> np.ndarray:
    """Split [B, S, H] into [B, N, S, D]."""
    batch, length, _ = tensor.shape
    return tensor.view(batch, length, -1, size).transpose(1, 2).numpy()


def check(name: str, actual: np.ndarray, trace: TorchTrace, class_name: str, size: int) -> None:
    """Compare one tensor; those that torch does not have as one are put together from its parts."""
    last = name.rpartition(".")[2]
    module = name.partition(".scores")[0].partition(".probabilities")[0]
    if ".scores" in name:
        scores, _ = trace.attention(module)
        seen = scores > -1e300
        close(np.where(seen, actual, 0), np.where(seen, scores, 0))
        if last == "masked":
            assert np.all(actual[~seen] == np.finfo(np.float64).min)
    elif name.endswith(".probabilities"):
        close(actual, trace.attention(module)[1])
    elif last in ("query", "key", "value"):
        close(actual, heads_of(trace.read(name, 0, "output"), size))
    else:
        expected = trace.expected(name, class_name).numpy()
        if expected.size == actual.size:  # the choices of a text stand side by side
            expected = expected.reshape(actual.shape)
        close(actual, np.broadcast_to(expected, actual.shape))  # positions for all texts


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
    trace, replay = TorchTrace(theirs), Replay(seed)
    with (
        torch.no_grad(),
        mock.patch("torch.nn.functional.dropout", replay),
        mock.patch("torch.nn.functional.softmax", trace.watched_softmax),
    ):
        output = theirs(**batch.torch(torch.float64))
    with watch() as seen:
        mine = model(**batch.ours(library, "float64"), train=train, rng=seed)
    kept = [host(array) for name, array in seen.items() if name.endswith(".kept")]
    assert len(kept) == len(replay.masks)
    for ours, mask in zip(kept, replay.masks, strict=True):
        np.testing.assert_array_equal(ours, mask)
    prefix = "" if class_name == "RobertaModel" else "roberta."
    ids = {
        "token_type_ids": f"{prefix}embeddings.token_type_embeddings",
        "position_ids": f"{prefix}embeddings.position_embeddings",
    }
    for name, array in seen.items():
        actual = host(array)
        if name.endswith(".kept"):
            continue
        if name == "input_ids":
            np.testing.assert_array_equal(actual.ravel(), batch.arguments["input_ids"].ravel())
        elif name in ids:
            expected = trace.read(ids[name], 0, "input").numpy()
            np.testing.assert_array_equal(actual, np.broadcast_to(expected, actual.shape))
        elif name == "attend":
            if config["num_hidden_layers"]:
                mask = trace.calls[f"{prefix}encoder.layer.0"][0][0][1].numpy()
                np.testing.assert_array_equal(*np.broadcast_arrays(actual == 1, mask == 0))
        elif name.endswith("word_embeddings") and "inputs_embeds" in batch.arguments:
            close(actual, batch.arguments["inputs_embeds"].reshape(actual.shape))
        elif name == "loss":
            assert array is mine.loss
        elif name in ("qa_outputs.start_logits", "qa_outputs.end_logits"):
            close(actual, output[name.partition(".")[2]])
        else:
            check(name, actual, trace, class_name, config["hidden_size"] // heads(config))


def heads(config: dict[str, Any]) -> int:
    return config["num_attention_heads"]
