"""A trace of an ONNX graph: what onnxruntime computes with it, under our names.

The graph need not give its intermediates: outputs for them are added to a copy of it in memory.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from ...config import RobertaConfig
from ...intermediates import Pass, intermediates
from ...parameters import CheckpointError, architectures
from ...sentences import listed, plain
from ..arithmetic import Arithmetic
from ..traces import ARGUMENTS, Numbers, Trace, host
from .file import onnx_module, read_graph
from .graph import Graph
from .layout import laid_out
from .modules import digests_of
from .places import places
from .run import check_providers, inputs_of, optimised, run, tokens_of

__all__ = ["onnx_values", "trace_onnx"]


def trace_onnx(
    path: str | os.PathLike[str],
    arguments: Mapping[str, Any],
    *,
    model: Any = None,
    config: RobertaConfig | None = None,
    architecture: str | None = None,
    optimise: bool = False,
    providers: Sequence[str] = ("CPUExecutionProvider",),
    weights: bool = True,
) -> Trace:
    """Run an ONNX graph with onnxruntime, and keep every tensor of ours that it computes.

    Parameters
    ----------
    path : str or path
        Of the file. Weights that it keeps in other files are read from beside it.
    arguments : mapping of str to array
        Of the call, by the names of ours: ``input_ids`` of shape [B, S] and so on. Other inputs of
        the graph are given by its own names.
    model : RobertaPreTrainedModel, optional
        Whose configuration and class the graph has. Where the graph's names do not tell which of
        its constants is which parameter, the numbers of this model's do.
    config : RobertaConfig, optional
        By default the model's, or what the file says of itself, as our own exports do.
    architecture : str, optional
        The class, as ``"RobertaForMaskedLM"``; by default likewise.
    optimise : bool
        Whether onnxruntime may change the graph as it does by default. Several operations become
        one then, so some tensors are no more; those that are left are the changed graph's.
    providers : sequence of str
        Of onnxruntime, see there.
    weights : bool
        Whether to note the digest of each weight that is in float32.

    Returns
    -------
    Trace
        What the graph is not found to compute is not in it, see `onnx_values`.

    Raises
    ------
    OSError
        If the file cannot be opened.
    CheckpointError
        If it is no ONNX file, or computes nothing that is found.
    ImportError
        If onnx or onnxruntime is not installed.
    ValueError
        If an input of the graph is not given, or an argument is none of its inputs.
    """
    check_providers(providers)
    with optimised(Path(path), providers) if optimise else nullcontext(Path(path)) as file:
        proto = read_graph(file)
        config, architecture = _told(proto, model, config, architecture)
        graph = Graph(proto, file.parent, _parameters(model))
        found = {name: one for name, one in _values(graph, config, architecture).items() if one}
        if not found:
            raise CheckpointError(
                f"{plain(path)} has no tensor of RoBERTa that is found: its outputs are "
                f"{listed(graph.outputs)}; give the model, whose numbers tell its weights"
            )
        digests = digests_of(graph) if weights else {}
        inputs = inputs_of(graph, arguments, path)
        made = run(graph, file, set(found.values()), inputs, providers)
    given = {name: inputs[name] for name in ARGUMENTS if name in inputs}
    tensors = {name: made[value] for name, value in found.items() if name not in given}
    if (shape := tokens_of(given)) is not None:
        tensors = laid_out(tensors, shape, config)
    prefix = any(name.startswith("roberta.") for name in found)
    return Trace(
        {**given, **tensors},
        architecture=architecture,
        config=config,
        arithmetic=_arithmetic(tensors.values()),  # type: ignore[arg-type]  # None is told
        given=tuple(given),
        weights={(_prefix(name) if prefix else "") + name: one for name, one in digests.items()},
        made_by=_made_by(graph, providers, optimise),
    )


def onnx_values(
    path: str | os.PathLike[str],
    *,
    model: Any = None,
    config: RobertaConfig | None = None,
    architecture: str | None = None,
) -> dict[str, str | None]:
    """Tell which value of an ONNX graph is which tensor of ours, and what is not found.

    Parameters
    ----------
    path : str or path
    model, config, architecture : optional
        See `trace_onnx`.

    Returns
    -------
    dict of str to str or None
        The graph's name of each of ours; None where the graph does not compute it, or does so in a
        way that is not known here.

    Raises
    ------
    OSError
        If the file cannot be opened.
    CheckpointError
        If it is no ONNX file.
    ImportError
        If onnx is not installed.
    """
    proto = read_graph(path)
    config, architecture = _told(proto, model, config, architecture)
    graph = Graph(proto, Path(path).parent, _parameters(model))
    return _values(graph, config, architecture)


def _told(
    proto: Any, model: Any, config: RobertaConfig | None, architecture: str | None
) -> tuple[RobertaConfig | None, str | None]:
    """Take from the model what is not told, or from what an export of ours tells of itself."""
    if model is not None:
        return config or model.config, architecture or type(model).__name__
    said = {entry.key: entry.value for entry in proto.metadata_props}
    if config is None and "config" in said:
        with suppress(ValueError, TypeError):  # of somebody else
            config = RobertaConfig.from_dict(json.loads(said["config"]))
    if architecture is None and said.get("class") in architectures():
        architecture = said["class"]
    return config, architecture


def _parameters(model: Any) -> dict[str, Any]:
    return {} if model is None else {name: host(one) for name, one in model.named_parameters()}


# Names


def _values(
    graph: Graph, config: RobertaConfig | None, architecture: str | None
) -> dict[str, str | None]:
    """Find the values of a graph by our names, in the order of the table."""
    own = _under_our_names(graph)
    paths = {path: own.pop(path, value) for path, value in places(graph)} | own
    paths = {path: value and graph.stored(value) for path, value in paths.items()}
    has_head = any(path.startswith(("lm_head.", "classifier.", "qa_outputs.")) for path in paths)
    is_base = not (has_head or graph.is_within)
    if architecture is not None:
        is_base = architecture == "RobertaModel"
    found = {("" if is_base else _prefix(path)) + path: value for path, value in paths.items()}
    if config is None or architecture is None:
        return found
    names = intermediates(
        dataclasses.replace(config, chunk_size_feed_forward=0),
        architecture,
        add_pooling_layer="pooler.dense" in found,
    )
    return {name: found.pop(name, None) for name in names if name not in ARGUMENTS} | found


def _under_our_names(graph: Graph) -> dict[str, str]:
    """Find what a graph computes under names of ours, as our own export may."""
    found = {}
    for value in (value for node in graph.nodes for value in node.output):
        path = value.removeprefix("roberta.")
        if _LAYER.sub("layer.0.", path) in _of_any_model():
            found[path] = value
    return found


_LAYER = re.compile(r"layer\.\d+\.(?:chunk\.\d+\.)?")


@cache
def _of_any_model() -> frozenset[str]:
    """List the tensors of all classes, without ``roberta.``, of one layer."""
    kind = Pass(cross=True, head_mask=True)
    names = {
        name.removeprefix("roberta.")
        for architecture in architectures()
        for positions in ("absolute", "relative_key")
        for name in intermediates(
            RobertaConfig(num_hidden_layers=1, position_embedding_type=positions),
            architecture,
            kind=kind,
        )
    }
    return frozenset(names - {"input_ids"})


def _prefix(path: str) -> str:
    return "roberta." if path.startswith(("embeddings", "encoder", "pooler")) else ""


def _arithmetic(arrays: Iterable[Numbers]) -> Arithmetic | None:
    """Tell in what a graph computes: a part of it may be kept in more precision than the rest."""
    floating = [one.dtype for one in arrays if one.dtype.kind == "f"]
    return Arithmetic(min(floating, key=lambda dtype: dtype.itemsize).name) if floating else None


def _made_by(graph: Graph, providers: Sequence[str], optimise: bool) -> str:
    maker = f"{graph.proto.producer_name} {graph.proto.producer_version}".strip()
    version = onnx_module("onnxruntime").__version__
    how = "optimised" if optimise else "as it is"
    return f"onnxruntime {version}, {', '.join(providers)}: a graph of {maker}, {how}"
