"""Running an ONNX graph with onnxruntime: its inputs, its session, and what it computes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Shape
from ...parameters import CheckpointError
from ...sentences import listed, plain, shown
from ..traces import Numbers, host
from .file import onnx_module, read_graph
from .graph import Graph

__all__ = ["check_providers", "inputs_of", "optimised", "run", "tokens_of"]

#: What a model takes where it is not given.
_DEFAULTS = {"attention_mask": 1, "token_type_ids": 0}


def check_providers(providers: Sequence[str]) -> None:
    """Refuse what onnxruntime would replace by the CPU without an error.

    Parameters
    ----------
    providers : sequence of str

    Raises
    ------
    ValueError
        If one is not in the onnxruntime that is installed.
    """
    there = onnx_module("onnxruntime").get_available_providers()
    for one in providers:
        if one not in there:
            raise ValueError(
                f"provider {shown(one)} is not in the onnxruntime that is installed, which has "
                f"{listed(there)}"
            )


def tokens_of(arrays: Mapping[str, Numbers]) -> Shape | None:
    """Give the shape of the input ids, [B, S] or [B, C, S], or what it would be."""
    if "input_ids" in arrays:
        return tuple(arrays["input_ids"].shape)
    return tuple(arrays["inputs_embeds"].shape[:-1]) if "inputs_embeds" in arrays else None


def inputs_of(
    graph: Graph, arguments: Mapping[str, Any], path: str | os.PathLike[str]
) -> dict[str, Numbers]:
    """Make the inputs of a graph from the arguments of a call.

    Parameters
    ----------
    graph : Graph
    arguments : mapping of str to array
        Those that the graph has and a model does not need may be left out, and the other way round.
    path : str or path
        Of the graph, for errors.

    Returns
    -------
    dict of str to array

    Raises
    ------
    ValueError
        If an input is lacking, or an argument is none.
    """
    arrays = {name: host(one) for name, one in arguments.items() if one is not None}
    shape = tokens_of(arrays)
    for name, default in _DEFAULTS.items():
        if name in graph.inputs and name not in arrays and shape is not None:
            arrays[name] = np.full(shape, default)
        elif name in arrays and name not in graph.inputs and np.all(arrays[name] == default):
            del arrays[name]  # it would change nothing
    if arrays.keys() != graph.inputs.keys():
        lacking = [name for name in graph.inputs if name not in arrays]
        more = [name for name in arrays if name not in graph.inputs]
        raise ValueError(
            f"the graph in {plain(path)} has the inputs {listed(graph.inputs)}: "
            + (f"it needs {listed(lacking)} besides" if lacking else f"it takes no {listed(more)}")
        )
    return {name: _as_input(name, array, graph.inputs[name]) for name, array in arrays.items()}


def _as_input(name: str, array: Numbers, value: Any) -> Numbers:
    helper = onnx_module("onnx").helper
    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(
            f"{plain(name)} is {plain(array.dtype)}, but the graph takes {plain(dtype)} there"
        )
    return array.astype(dtype)


def run(
    graph: Graph,
    file: Path,
    values: Collection[str],
    inputs: dict[str, Numbers],
    providers: Sequence[str],
) -> dict[str, Numbers]:
    """Compute some values of a graph, each operation on its own.

    Parameters
    ----------
    graph : Graph
        It is given outputs for them.
    file : Path
        Beside which its other files are.
    values : collection of str
    inputs : dict of str to array
        Of `inputs_of`.
    providers : sequence of str

    Returns
    -------
    dict of str to array

    Raises
    ------
    CheckpointError
        If onnxruntime cannot run it.
    """
    made = {name: inputs[name] for name in values if name in inputs}
    names = sorted(name for name in values if graph.maker(name) is not None)
    graph.give(names)
    options = _options("ORT_DISABLE_ALL")
    folder = f"{file.parent.resolve()}{os.sep}"
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    with _told_by_onnxruntime(file):
        session = _session(graph.proto.SerializeToString(), options, providers)
        made.update(zip(names, session.run(names, inputs), strict=True))
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
def optimised(path: Path, providers: Sequence[str]) -> Iterator[Path]:
    """Let onnxruntime write a graph as it would run it, for as long as the block runs.

    Parameters
    ----------
    path : Path
        Of the graph.
    providers : sequence of str

    Yields
    ------
    Path
        Of the file.

    Raises
    ------
    CheckpointError
        If onnxruntime cannot read it.
    """
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
