"""Whatever stands for a port, as a trace."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..models.pretrained import RobertaPreTrainedModel
from ..sentences import type_name
from .names import read_map, renamed
from .names.lines import name_map
from .traces import Trace, host, trace

__all__ = ["as_trace", "own_names"]


def as_trace(
    reference: RobertaPreTrainedModel, port: Any, inputs: Mapping[str, Any] | None
) -> Trace:
    """Make a trace of whatever stands for a port.

    Parameters
    ----------
    reference : RobertaPreTrainedModel
        Whose class and weights tell what is what in a graph.
    port : Trace, path, mapping of str to array, model, or torch.nn.Module
        See `minirobert.numerics.compare`.
    inputs : mapping of str to array, optional
        The arguments of the call, which whatever must be run needs.

    Returns
    -------
    Trace

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If it must be run, but there are no inputs.
    """
    if isinstance(port, Trace):
        return port
    if isinstance(port, str | os.PathLike):
        return _of_file(reference, Path(port), inputs)
    if isinstance(port, RobertaPreTrainedModel):
        return trace(port, weights=False, **_needed(inputs))
    if _is_module(port):
        from .torch_port import trace_torch

        return trace_torch(port, _needed(inputs), architecture=type(reference).__name__)
    if isinstance(port, Mapping):
        return Trace({str(name): host(array) for name, array in port.items()})
    raise TypeError(
        f"port is a {type_name(port)}, but must be a trace, the path of one, a dictionary of "
        "arrays by their names, a model of this package or of torch, or the path of an ONNX file"
    )


def own_names(reference: RobertaPreTrainedModel, port: Trace, names: Any) -> Trace:
    """Give the tensors of a port our names.

    Parameters
    ----------
    reference : RobertaPreTrainedModel
    port : Trace
    names : str, path, NameMap or list
        A map of `minirobert.numerics.names.maps`, the file of one, the map itself, or its lines.

    Returns
    -------
    Trace
        In which what the map does not know keeps its name.
    """
    if isinstance(names, str | os.PathLike):
        names = read_map(names)
    elif isinstance(names, list):
        names = name_map(names)
    kind = port.architecture or type(reference).__name__
    found = renamed(port, names, architecture=kind, config=port.config or reference.config)
    return found.port  # type: ignore[no-any-return]  # as it was given a trace


def _of_file(reference: Any, path: Path, inputs: Mapping[str, Any] | None) -> Trace:
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
