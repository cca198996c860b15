"""Models of transformers as ONNX files, by both exporters of torch, and what other tools make."""

import copy
import inspect
import logging
import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import torch

import minirobert
from tests.equivalence.strategies import carried_over, torch_model
from tests.numerics.models import rounded, vector_arguments

CONFIG = {
    "hidden_size": 24,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "intermediate_size": 40,
    "vocab_size": 61,
    "max_position_embeddings": 30,
    "type_vocab_size": 3,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
    "use_cache": False,
}
ARGUMENTS = vector_arguments(CONFIG["pad_token_id"])
_FOLDER = tempfile.TemporaryDirectory()


def arguments_of(class_name):
    """Give the batch that a class takes: padding left and right, holes, a row that sees nothing."""
    if class_name != "RobertaForMultipleChoice":
        return dict(ARGUMENTS)
    return {name: np.stack([one, np.roll(one, 1, 0)], 1) for name, one in ARGUMENTS.items()}


@cache
def models(class_name="RobertaForMaskedLM", attention="eager", **fields):
    """Give a model of transformers in float32, and ours in float64."""
    if class_name == "RobertaForCausalLM":
        fields = {"is_decoder": True, **fields}
    module = rounded(torch_model(class_name, {**CONFIG, **fields}, seed=7, scale=0.3))
    ours = carried_over(module, getattr(minirobert, class_name), dtype="float64")
    config = copy.deepcopy(module.config)
    kind = type(module)._from_config(config, attn_implementation=attention)
    kind.load_state_dict(module.state_dict())
    return kind.float().eval(), ours


@cache
def exported(class_name="RobertaForMaskedLM", exporter="script", opset=None, **fields):
    """Export a model; give the path, and ours."""
    module, ours = models(class_name, **fields)
    return export(module, arguments_of(class_name), exporter, opset), ours


def exported_by_dynamo(class_name="RobertaForMaskedLM", opset=None, **fields):
    """Export a model of one layer with the slower exporter."""
    return exported(class_name, "dynamo", opset, num_hidden_layers=1, **fields)


def export(module, arguments, exporter="script", opset=None):
    """Export a module that takes these arguments, for batches and texts of any length."""
    order = list(inspect.signature(module.forward).parameters)  # choices have another
    tensors = {name: torch.tensor(arguments[name]) for name in sorted(arguments, key=order.index)}
    axes = {name: {0: "batch", one.ndim - 1: "length"} for name, one in tensors.items()}
    options = {"dynamic_axes": axes}
    if exporter == "dynamo":
        dims = {name: torch.export.Dim(name) for name in ("batch", "length")}
        shapes = {name: {i: dims[dim] for i, dim in one.items()} for name, one in axes.items()}
        options = {"dynamic_shapes": shapes}
    path = new_path()
    config = getattr(module, "config", None)
    if config is not None:
        config.return_dict = False
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (), path, kwargs=tensors, input_names=list(tensors), opset_version=opset,
            dynamo=exporter == "dynamo", verbose=False, **options,
        )  # fmt: skip
    return path


class quiet:  # noqa: N801
    """Keep the tools from logging."""

    def __enter__(self):
        logging.disable(logging.WARNING)

    def __exit__(self, *error):
        logging.disable(logging.NOTSET)


def new_path():
    """Name a file that is not there yet."""
    return Path(tempfile.mkdtemp(dir=_FOLDER.name)) / "model.onnx"


def saved(proto, **options):
    path = new_path()
    onnx.save(proto, path, **options)
    return path


def changed(path, change):
    """Write a graph that something was done to."""
    proto = copy.deepcopy(onnx.load(path))
    change(proto.graph)
    return saved(proto)


def renamed(path, names=lambda name: None, weights=False):
    """Take all names from a graph, but for those that a function gives: and those of weights."""
    proto = onnx.load(path)
    graph = proto.graph
    kept = {one.name for one in (*graph.input, *graph.output)}
    kept |= set() if weights else {one.name for one in graph.initializer}
    new = {}

    def name(old):
        if not old or old in kept:
            return old
        return new.setdefault(old, names(old) or f"v{len(new)}")

    for i, node in enumerate(graph.node):
        node.name = f"n{i}"
        del node.metadata_props[:]
        node.input[:] = [name(one) for one in node.input]
        node.output[:] = [name(one) for one in node.output]
    for one in graph.initializer:
        one.name = name(one.name)
    del graph.value_info[:]
    return saved(proto)


def quantized(path, **options):
    """Replace products by those of integers of 8 bits."""
    from onnxruntime.quantization import quantize_dynamic

    with quiet():
        quantize_dynamic(path, new := new_path(), **options)
    return new


def fused(path, half=False):
    """Put operations together as onnxruntime's own tool does before a graph is used."""
    from onnxruntime.transformers.optimizer import optimize_model

    with quiet():
        optimised = optimize_model(str(path), "bert", num_heads=4, hidden_size=24)
        if half:
            optimised.convert_float_to_float16()
    optimised.save_model_to_file(str(new := new_path()))
    return new
