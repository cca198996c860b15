"""Whatever stands for a port, as a trace."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import check_real, place
from ..model_output import ModelOutput
from ..models.pretrained import RobertaPreTrainedModel
from ..sentences import plain, type_name
from .names import read_map, renamed
from .names.lines import name_map
from .traces import Trace, host, is_bfloat16, trace

__all__ = ["as_trace", "own_names"]


def as_trace(
    reference: RobertaPreTrainedModel, port: Any, inputs: Mapping[str, Any] | None
) -> Trace:
    """Make a trace of whatever stands for a port.

    Parameters
    ----------
    reference : RobertaPreTrainedModel
        Whose class and weights tell what is what in a graph.
    port : Trace, path, mapping of str to array, ModelOutput, model, or torch.nn.Module
        See `minirobert.numerics.compare`.
    inputs : mapping of str to array, optional
        The arguments of the call, which whatever must be run needs.

    Returns
    -------
    Trace

    Raises
    ------
    TypeError
        If it is none of these, or a tensor is complex.
    ValueError
        If it must be run, but there are no inputs; or a tensor is no array of numbers.
    """
    if isinstance(port, Trace):
        return replace(port, tensors=_real(port.tensors))
    if isinstance(port, str | os.PathLike):
        return _of_file(reference, Path(port), inputs)
    if isinstance(port, RobertaPreTrainedModel):
        return trace(port, weights=False, **_needed(inputs))
    if _is_module(port):
        from .torch_port import trace_torch

        return trace_torch(port, _needed(inputs), architecture=type(reference).__name__)
    if isinstance(port, Mapping | ModelOutput):
        return _of_arrays(port)
    raise TypeError(
        f"port is a {type_name(port)}, but must be a trace, the path of one, a dictionary of "
        'arrays by their names, as {"logits": ...}, the output of a model, a model of this package '
        "or of torch, or the path of an ONNX file"
    )


def _of_arrays(port: Mapping[str, Any] | ModelOutput) -> Trace:
    """Take the arrays of a dictionary, or of a model's output, those of a tuple by their places."""
    arrays: dict[str, Any] = {}
    for name, value in port.items():
        if isinstance(value, tuple):
            arrays |= {f"{name}.{i}": one for i, one in enumerate(value) if one is not None}
        elif name != "past_key_values" and value is not None:
            arrays[str(name)] = value
    dtypes = {name: "bfloat16" for name, one in arrays.items() if is_bfloat16(one)}
    return Trace(_real(arrays), dtypes)


def _real(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Take arrays of any library to the host, and refuse what does not hold real numbers."""
    tensors = {}
    for name, value in arrays.items():
        is_read = isinstance(value, np.ndarray | list | tuple)
        tensors[name] = place(plain(name), value if is_read else host(value), np.zeros(0))
        check_real(plain(name), tensors[name])
    return tensors


def own_names(
    reference: RobertaPreTrainedModel, port: Trace, names: Any, inputs: Mapping[str, Any] | None
) -> Trace:
    """Give the tensors of a port our names.

    Parameters
    ----------
    reference : RobertaPreTrainedModel
    port : Trace
    names : str, path, NameMap, list, mapping or None
        A map of `minirobert.numerics.names.maps`, the file of one, the map itself, or its lines;
        None where they are ours, or those of the outputs of transformers' models.
    inputs : mapping of str to array, optional
        What the port was called with.

    Returns
    -------
    Trace
        In which what the map does not know keeps its name.
    """
    if isinstance(names, str | os.PathLike):
        names = read_map(names)
    elif names is None or isinstance(names, list | Mapping):
        names = name_map(names or ())
    kind = port.architecture or type(reference).__name__
    found = renamed(
        port,
        names,
        architecture=kind,
        config=port.config or reference.config,
        has_head_mask=(inputs or {}).get("head_mask") is not None,
    )
    return found.port  # type: ignore[no-any-return]  # as it was given a trace


def _of_file(reference: Any, path: Path, inputs: Mapping[str, Any] | None) -> Trace:
    if path.is_dir():
        raise IsADirectoryError(
            f"{plain(path)} is a directory, but a port is a file: trace_torch runs transformers' "
            "model of a directory, and from_pretrained that of this package"
        )
    if path.suffix.lower() != ".onnx":
        return Trace.read(path)
    from .onnx_port import trace_onnx

    return trace_onnx(path, _needed(inputs), model=reference)


def _is_module(port: Any) -> bool:
    torch = sys.modules.get("torch")  # whoever has a module has imported it
    return torch is not None and isinstance(port, torch.nn.Module)


def _needed(inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    if not inputs:
        raise ValueError(
            "inputs were not given, but the port must be run: give the arguments of the call, as "
            'inputs={"input_ids": [[0, 100, 2]]}'
        )
    return dict(inputs)
