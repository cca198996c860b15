"""A trace of an ONNX graph: what onnxruntime computes with it, under our names.

The graph need not give its intermediates: outputs for them are added to a copy of it in memory.
Where they are is told by `minirobert.numerics.onnx_places`.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..config import RobertaConfig
from ..intermediates import Pass, intermediates
from ..parameters import HEADS, CheckpointError
from ..sentences import listed, plain, shown
from .arithmetic import Arithmetic
from .onnx_graph import Graph, onnx_module, read_graph
from .onnx_layout import laid_out
from .onnx_places import places
from .traces import ARGUMENTS, Numbers, Trace, host

__all__ = ["onnx_values", "trace_onnx"]

#: What a model takes where it is not given, as what is added to 0.
_DEFAULTS = {"attention_mask": 1, "token_type_ids": 0}


def trace_onnx(
    path: str | os.PathLike[str],
    arguments: Mapping[str, Any],
    *,
    model: Any = None,
    config: RobertaConfig | None = None,
    architecture: str | None = None,
    optimise: bool = False,
    providers: Sequence[str] = ("CPUExecutionProvider",),
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
        By default the model's.
    architecture : str, optional
        The model's class, as ``"RobertaForMaskedLM"``; by default that of ``model``.
    optimise : bool
        Whether onnxruntime may change the graph as it does by default. Several operations become
        one then, so some tensors are no more; those that are left are the changed graph's.
    providers : sequence of str
        Of onnxruntime, see there.

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
    config, architecture = _told(model, config, architecture)
    _check_providers(providers)
    with _optimised(Path(path), providers) if optimise else nullcontext(Path(path)) as file:
        graph = Graph(read_graph(file), file.parent, _parameters(model))
        found = {name: one for name, one in _values(graph, config, architecture).items() if one}
        if not found:
            raise CheckpointError(
                f"{plain(path)} has no tensor of RoBERTa that is found: its outputs are "
                f"{listed(graph.outputs)}; give the model, whose numbers tell its weights"
            )
        given, fed = _fed(graph, arguments, path)
        made = _run(graph, file, set(found.values()), fed, providers)
    tensors = {name: made[value] for name, value in found.items() if name not in given}
    if "input_ids" in given:
        tensors = laid_out(tensors, given["input_ids"].shape, config)
    return Trace(
        {**given, **tensors},
        architecture=architecture,
        config=config,
        arithmetic=_arithmetic(tensors.values()),  # type: ignore[arg-type]  # None is told
        given=tuple(given),
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
    config, architecture = _told(model, config, architecture)
    graph = Graph(read_graph(path), Path(path).parent, _parameters(model))
    return _values(graph, config, architecture)


def _told(
    model: Any, config: RobertaConfig | None, architecture: str | None
) -> tuple[RobertaConfig | None, str | None]:
    """Take from the model what is not told."""
    if model is None:
        return config, architecture
    return config or model.config, architecture or type(model).__name__


def _parameters(model: Any) -> dict[str, Any]:
    return {} if model is None else {name: host(one) for name, one in model.named_parameters()}


# Names


def _values(
    graph: Graph, config: RobertaConfig | None, architecture: str | None
) -> dict[str, str | None]:
    """Find the values of a graph by our names, in the order of the table."""
    own = _under_our_names(graph)
    paths = {path: own.pop(path, value) for path, value in places(graph)} | own
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
        for architecture in ("RobertaModel", *HEADS)
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


# Running


def _check_providers(providers: Sequence[str]) -> None:
    """Refuse what onnxruntime would replace by the CPU without an error."""
    there = onnx_module("onnxruntime").get_available_providers()
    for one in providers:
        if one not in there:
            raise ValueError(
                f"provider {shown(one)} is not in the onnxruntime that is installed, which has "
                f"{listed(there)}"
            )


def _fed(
    graph: Graph, arguments: Mapping[str, Any], path: str | os.PathLike[str]
) -> tuple[dict[str, Numbers], dict[str, Numbers]]:
    """Make the inputs of a graph from the arguments of a call; give the latter as arrays, too."""
    arrays = {name: host(one) for name, one in arguments.items() if one is not None}
    for name, default in _DEFAULTS.items():
        if name in graph.inputs and name not in arrays and "input_ids" in arrays:
            arrays[name] = np.full_like(arrays["input_ids"], default)
        elif name in arrays and name not in graph.inputs and np.all(arrays[name] == default):
            del arrays[name]  # it would change nothing
    if arrays.keys() != graph.inputs.keys():
        lacking = [name for name in graph.inputs if name not in arrays]
        more = [name for name in arrays if name not in graph.inputs]
        raise ValueError(
            f"the graph in {plain(path)} has the inputs {listed(graph.inputs)}: "
            + (f"it needs {listed(lacking)} besides" if lacking else f"it takes no {listed(more)}")
        )
    fed = {name: _as_input(name, array, graph.inputs[name]) for name, array in arrays.items()}
    return {name: array for name, array in arrays.items() if name in ARGUMENTS}, fed


def _as_input(name: str, array: Numbers, value: Any) -> Numbers:
    helper = onnx_module("onnx").helper
    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(
            f"{plain(name)} is {plain(array.dtype)}, but the graph takes {plain(dtype)} there"
        )
    return array.astype(dtype)


def _run(
    graph: Graph, file: Path, values: set[str | None], fed: dict[str, Numbers], providers: Any
) -> dict[str | None, Numbers]:
    """Compute some values of a graph, each operation on its own."""
    made: dict[str | None, Numbers] = {name: fed[name] for name in values if name in fed}
    names = sorted(name for name in values if name is not None and graph.maker(name) is not None)
    graph.give(names)
    options = _options("ORT_DISABLE_ALL")
    folder = f"{file.parent.resolve()}{os.sep}"
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    with _told_by_onnxruntime(file):
        session = _session(graph.proto.SerializeToString(), options, providers)
        made.update(zip(names, session.run(names, fed), strict=True))
    return made


def _options(level: str) -> Any:
    runtime = onnx_module("onnxruntime")
    options = runtime.SessionOptions()
    options.graph_optimization_level = getattr(runtime.GraphOptimizationLevel, level)
    options.log_severity_level = 4  # what matters is raised
    return options


def _session(model: Any, options: Any, providers: Sequence[str]) -> Any:
    return onnx_module("onnxruntime").InferenceSession(model, options, providers=list(providers))


@contextmanager
def _optimised(path: Path, providers: Sequence[str]) -> Iterator[Path]:
    """Let onnxruntime write the graph as it would run it, for as long as the block runs."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "optimised.onnx"
        options = _options("ORT_ENABLE_ALL")
        options.optimized_model_filepath = str(file)
        weights = "session.optimized_model_external_initializers_"
        options.add_session_config_entry(f"{weights}file_name", "optimised.weights")
        options.add_session_config_entry(f"{weights}min_size_in_bytes", "1024")
        read_graph(path)  # tells what is no graph
        with _told_by_onnxruntime(path):
            _session(str(path), options, providers)
        yield file


@contextmanager
def _told_by_onnxruntime(path: Path) -> Iterator[None]:
    """Turn the errors of onnxruntime, which are of many classes, into one."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise CheckpointError(f"onnxruntime cannot run {plain(path)}: {plain(error)}") from None


def _arithmetic(arrays: Iterable[Numbers]) -> Arithmetic | None:
    """Tell in what a graph computes: a part of it may be kept in more precision than the rest."""
    floating = [one.dtype for one in arrays if one.dtype.kind == "f"]
    return Arithmetic(min(floating, key=lambda dtype: dtype.itemsize).name) if floating else None


def _made_by(graph: Graph, providers: Sequence[str], optimise: bool) -> str:
    maker = f"{graph.proto.producer_name} {graph.proto.producer_version}".strip()
    version = onnx_module("onnxruntime").__version__
    how = "optimised" if optimise else "as it is"
    return f"onnxruntime {version}, {', '.join(providers)}: a graph of {maker}, {how}"
