"""Drawn models and batches, and the same model in transformers."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from hypothesis import strategies as st

from minirobert.config import ACTIVATION_NAMES

transformers.logging.set_verbosity_error()

MASKS = ("none", "padding", "holes", "boolean", "float", "square")


@st.composite
def configs(draw: st.DrawFn, min_hidden_size: int = 1) -> dict[str, Any]:
    """Draw the fields of a configuration."""
    heads = draw(st.integers(1, 4))
    size = draw(st.integers(-(-min_hidden_size // heads), 6))
    pad = draw(st.integers(0, 4))
    return {
        "vocab_size": draw(st.integers(pad + 5, 31)),
        "hidden_size": heads * size,
        "num_hidden_layers": draw(st.integers(0, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 11)),
        "hidden_act": draw(st.sampled_from(ACTIVATION_NAMES)),
        "max_position_embeddings": pad + 1 + draw(st.integers(9, 12)),
        "type_vocab_size": draw(st.integers(1, 3)),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5, 1e-2])),
        "pad_token_id": pad,
        "position_embedding_type": draw(
            st.sampled_from(["absolute", "absolute", "relative_key", "relative_key_query"])
        ),
        "tie_word_embeddings": draw(st.booleans()),
    }


@dataclass
class Batch:
    """Arguments of a forward pass, as NumPy arrays."""

    arguments: dict[str, Any] = field(default_factory=dict)
    labels: Any = None

    def torch(self, dtype: torch.dtype) -> dict[str, Any]:
        tensors = {}
        for name, array in self.arguments.items():
            tensor = torch.tensor(array)
            tensors[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
        return tensors

    def ours(self, library: Any, dtype: str) -> dict[str, Any]:
        return {
            name: library.array(array.astype(dtype) if array.dtype.kind == "f" else array)
            for name, array in self.arguments.items()
        }


@st.composite
def batches(
    draw: st.DrawFn,
    config: dict[str, Any],
    dtype: str = "float64",
    masks: tuple[str, ...] = MASKS,
) -> Batch:
    """Draw a batch, with padding on either side and in the middle, and masks with holes.

    Its floating-point arrays can be represented in ``dtype``.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    batch, length = draw(st.integers(1, 4)), draw(st.integers(1, 9))
    pad, vocab = config["pad_token_id"], config["vocab_size"]
    heads, layers = config["num_attention_heads"], config["num_hidden_layers"]

    ids = rng.integers(0, vocab, (batch, length))
    for row in range(batch):
        count = int(rng.integers(0, length))
        side = draw(st.sampled_from(["none", "left", "right", "middle"]))
        where = {
            "none": [],
            "left": range(count),
            "right": range(length - count, length),
            "middle": rng.choice(length, count, replace=False),
        }[side]
        ids[row, list(where)] = pad
    arguments: dict[str, Any] = {"input_ids": ids}
    if draw(st.booleans()):
        del arguments["input_ids"]
        arguments["inputs_embeds"] = rng.standard_normal((batch, length, config["hidden_size"]))

    attention_masks = {
        "none": None,
        "padding": (ids != pad).astype(np.int64),
        "holes": rng.integers(0, 2, (batch, length)),
        "first": np.maximum(rng.integers(0, 2, (batch, length)), np.arange(length) == 0),
        "boolean": rng.random((batch, length)) < 0.7,
        "float": rng.integers(0, 2, (batch, length)).astype(np.float64),
        "square": rng.integers(0, 2, (batch, length, length)),
    }
    arguments["attention_mask"] = attention_masks[draw(st.sampled_from(masks))]
    head_masks = {
        "none": None,
        "heads": rng.random(heads),
        "layers": rng.integers(0, 3, (layers, heads)) / 2,
    }
    arguments["head_mask"] = head_masks[draw(st.sampled_from(sorted(head_masks)))]
    if draw(st.booleans()):
        shape = (batch, length)
        arguments["token_type_ids"] = rng.integers(0, config["type_vocab_size"], shape)
    if draw(st.booleans()):
        shape = draw(st.sampled_from([(batch, length), (1, length), (length,)]))
        arguments["position_ids"] = rng.integers(0, config["max_position_embeddings"], shape)
    labels = np.where(rng.random((batch, length)) < 0.5, rng.integers(0, vocab, ids.shape), -100)
    given = {
        name: value.astype(dtype).astype(np.float64) if value.dtype.kind == "f" else value
        for name, value in arguments.items()
        if value is not None
    }
    return Batch(given, labels if draw(st.booleans()) else None)


def torch_model(
    class_name: str, config: dict[str, Any], seed: int, scale: float = 0.5, **options: Any
) -> Any:
    """Build transformers' model in float64, with every parameter drawn, biases and norms too."""
    torch.manual_seed(seed)
    torch_config = transformers.RobertaConfig(**config, attn_implementation="eager")
    model = getattr(transformers, class_name)(torch_config, **options).double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if "LayerNorm.weight" in name or "layer_norm.weight" in name else 0.0
            parameter.copy_(centre + scale * torch.randn_like(parameter))
    return model


def carried_over(torch_model: Any, our_class: Any, **options: Any) -> Any:
    """Load what transformers saves."""
    with tempfile.TemporaryDirectory() as directory:
        torch_model.save_pretrained(directory)
        assert (Path(directory) / "model.safetensors").is_file()
        return our_class.from_pretrained(directory, strict=True, **options)
