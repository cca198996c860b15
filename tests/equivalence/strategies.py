"""Drawn models and batches, and the same model in transformers."""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from hypothesis import strategies as st
from transformers.modeling_utils import no_init_weights

from minirobert.config_fields import ACTIVATION_NAMES, PROBLEM_TYPES
from minirobert.parameters import build_tree, flatten

transformers.logging.set_verbosity_error()

CLASSES = [
    "RobertaModel",
    "RobertaForMaskedLM",
    "RobertaForCausalLM",
    "RobertaForSequenceClassification",
    "RobertaForTokenClassification",
    "RobertaForQuestionAnswering",
    "RobertaForMultipleChoice",
]
# Those that take the hidden states of an encoder.
CROSS = ("RobertaModel", "RobertaForMaskedLM", "RobertaForCausalLM")
seeds = st.integers(0, 2**31 - 1)
MASKS = ("none", "padding", "holes", "boolean", "float", "square")


@st.composite
def configs(draw: st.DrawFn, min_hidden_size: int = 1) -> dict[str, Any]:
    """Draw the fields of a configuration, but for the labels; see `labelled`.

    A decoder makes no cache by default: with one, transformers takes wrong relative distances.
    """
    decoder = draw(st.booleans())
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
        "is_decoder": decoder,
        "add_cross_attention": decoder and draw(st.booleans()),
        "use_cache": False,
        "chunk_size_feed_forward": draw(st.sampled_from([0, 0, 1])),
    }


@st.composite
def labelled(draw: st.DrawFn, fields: dict[str, Any], class_name: str) -> dict[str, Any]:
    """Add to the fields of a configuration those that matter to a class with labels."""
    if class_name in CROSS:
        return fields
    fields = {**fields, "add_cross_attention": False}  # which these classes never use
    if class_name == "RobertaForQuestionAnswering":
        return fields
    problem_type = draw(st.sampled_from([None, *PROBLEM_TYPES]))
    return {**fields, "num_labels": draw(st.integers(1, 4)), "problem_type": problem_type}


@dataclass
class Batch:
    """Arguments of a forward pass, labels among them, as NumPy arrays."""

    arguments: dict[str, Any] = field(default_factory=dict)

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
    class_name: str,
    dtype: str = "float64",
    masks: tuple[str, ...] = MASKS,
) -> Batch:
    """Draw a batch, with padding on either side and in the middle, masks with holes, and labels.

    Its floating-point arrays can be represented in ``dtype``.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    batch, length = draw(st.integers(1, 4)), draw(st.integers(1, 9))
    has_choices = class_name == "RobertaForMultipleChoice"
    shape = (batch, draw(st.integers(1, 3)), length) if has_choices else (batch, length)
    pad, vocab = config["pad_token_id"], config["vocab_size"]
    heads, layers = config["num_attention_heads"], config["num_hidden_layers"]

    ids = rng.integers(0, vocab, shape)
    for row in ids.reshape(-1, length):
        count = int(rng.integers(0, length))
        side = draw(st.sampled_from(["none", "left", "right", "middle"]))
        where = {
            "none": [],
            "left": range(count),
            "right": range(length - count, length),
            "middle": rng.choice(length, count, replace=False),
        }[side]
        row[list(where)] = pad
    arguments: dict[str, Any] = {"input_ids": ids}
    if draw(st.booleans()):
        del arguments["input_ids"]
        arguments["inputs_embeds"] = rng.standard_normal((*shape, config["hidden_size"]))

    attention_masks = {
        "none": None,
        "padding": (ids != pad).astype(np.int64),
        "holes": rng.integers(0, 2, shape),
        "first": np.maximum(rng.integers(0, 2, shape), np.arange(length) == 0),
        "boolean": rng.random(shape) < 0.7,
        "float": rng.integers(0, 2, shape).astype(np.float64),
        "square": rng.integers(0, 2, (*shape, length)),
    }
    if has_choices:
        masks = tuple(name for name in masks if name != "square")
    arguments["attention_mask"] = attention_masks[draw(st.sampled_from(masks))]
    head_masks = {
        "none": None,
        "heads": rng.random(heads),
        "layers": rng.integers(0, 3, (layers, heads)) / 2,
    }
    arguments["head_mask"] = head_masks[draw(st.sampled_from(sorted(head_masks)))]
    if draw(st.booleans()):
        arguments["token_type_ids"] = rng.integers(0, config["type_vocab_size"], shape)
    if draw(st.booleans()):
        one = (*[1] * (len(shape) - 1), length)
        arguments["position_ids"] = rng.integers(
            0, config["max_position_embeddings"], draw(st.sampled_from([shape, one, (length,)]))
        )
    if config["add_cross_attention"]:
        arguments |= draw(encoder_texts(config, shape, rng, has_holes="holes" in masks))
    if draw(st.booleans()):
        arguments |= draw(labels_of(class_name, config, shape, rng))
    return Batch(
        {
            name: value.astype(dtype).astype(np.float64) if value.dtype.kind == "f" else value
            for name, value in arguments.items()
            if value is not None
        }
    )


@st.composite
def encoder_texts(
    draw: st.DrawFn,
    config: dict[str, Any],
    shape: tuple[int, ...],
    rng: np.random.Generator,
    has_holes: bool = True,
) -> dict[str, Any]:
    """Draw what a cross-attention looks at."""
    batch, length = shape
    tokens = draw(st.integers(1, 7))
    rows, squares = (batch, tokens), (batch, length, tokens)
    masks = {"none": None, "first": rng.integers(0, 2, rows) | (np.arange(tokens) == 0)}
    if has_holes:
        masks |= {
            "holes": rng.integers(0, 2, rows),
            "boolean": rng.random(rows) < 0.7,
            "square": rng.integers(0, 2, squares),
        }
    return {
        "encoder_hidden_states": rng.standard_normal((*rows, config["hidden_size"])),
        "encoder_attention_mask": masks[draw(st.sampled_from(sorted(masks)))],
    }


@st.composite
def labels_of(
    draw: st.DrawFn,
    class_name: str,
    config: dict[str, Any],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Draw the labels of a batch by their names; -100 is among those of each loss over classes."""

    def some_ignored(labels: np.ndarray) -> np.ndarray:
        return np.where(rng.random(labels.shape) < 0.6, labels, -100)

    batch, length, classes = shape[0], shape[-1], config.get("num_labels", 2)
    one_a_text = draw(st.sampled_from([(batch,), (batch, 1)]))
    if class_name == "RobertaModel":
        return {}
    if class_name in ("RobertaForMaskedLM", "RobertaForCausalLM"):
        return {"labels": some_ignored(rng.integers(0, config["vocab_size"], shape))}
    if class_name == "RobertaForTokenClassification":
        return {"labels": some_ignored(rng.integers(0, classes, shape))}
    if class_name == "RobertaForMultipleChoice":
        return {"labels": some_ignored(rng.integers(0, shape[1], batch))}
    if class_name == "RobertaForQuestionAnswering":  # before, in and behind the text
        return {
            "start_positions": rng.integers(-2, length + 3, one_a_text),
            "end_positions": rng.integers(-2, length + 3, one_a_text),
        }
    problem = config["problem_type"] or draw(st.sampled_from(PROBLEM_TYPES[1:]))
    if problem == "regression" or (config["problem_type"] is None and classes == 1):
        numbers = one_a_text if classes == 1 else (batch, classes)
        return {
            "labels": draw(
                st.sampled_from([rng.standard_normal(numbers), rng.integers(-9, 9, numbers)])
            )
        }
    if problem == "single_label_classification":
        return {"labels": some_ignored(rng.integers(0, classes, one_a_text))}
    yes_or_no = rng.integers(0, 2, (batch, classes)).astype(np.float64)
    return {"labels": draw(st.sampled_from([yes_or_no, rng.random((batch, classes))]))}


def torch_model(
    class_name: str, config: dict[str, Any], seed: int, scale: float = 0.5, **options: Any
) -> Any:
    """Build transformers' model in float64, with every parameter drawn, biases and norms too."""
    torch_config = transformers.RobertaConfig(**config, attn_implementation="eager")
    with no_init_weights():  # which would all be drawn again
        model = getattr(transformers, class_name)(torch_config, **options)
    model.tie_weights()
    return redrawn(model.double().eval(), seed, scale)


def redrawn(model: Any, seed: int, scale: float = 0.5) -> Any:
    """Draw every parameter of a model of torch anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if "LayerNorm.weight" in name or "layer_norm.weight" in name else 0.0
            parameter.normal_(centre, scale, generator=generator)
    return model


def carried_over(torch_model: Any, our_class: Any, **options: Any) -> Any:
    """Load what transformers saves."""
    with tempfile.TemporaryDirectory() as directory:
        torch_model.save_pretrained(directory)
        assert (Path(directory) / "model.safetensors").is_file()
        return our_class.from_pretrained(directory, strict=True, **options)


def with_parameters_of(torch_model: Any, model: Any) -> Any:
    """Give a model of ours the numbers of transformers' of the same shape, without a file."""
    state = torch_model.state_dict()
    flat = {name: state[name].numpy().copy() for name in flatten(model.params)}
    return replace(model, params=build_tree(flat))


def read_by_transformers(class_name: str, directory: Path, **options: Any) -> Any:
    """Load a directory in transformers, which must find every tensor, and no other."""
    model, report = getattr(transformers, class_name).from_pretrained(
        directory, output_loading_info=True, attn_implementation="eager", **options
    )
    assert not any(report.values())
    return model.eval()
