"""Reading the file of an ONNX graph, and what stands in it of a model's modules by name."""

from __future__ import annotations

import os
import re
from typing import Any, TypeAlias

from ...parameters import CheckpointError
from ...sentences import plain

__all__ = ["Node", "onnx_module", "own_path", "read_graph", "scope_of"]

#: onnx.NodeProto
Node: TypeAlias = Any

_PART = re.compile(
    r"(?:^|\.)(?:roberta\.)?((?:embeddings|encoder\.layer\.\d+|pooler|lm_head|classifier|qa_outputs)"
    r"(?:\..*)?)$"
)
_AGAIN = re.compile(r"_\d+(?=\.|$)")  # of a module that is called more than once


def onnx_module(name: str) -> Any:
    """Import onnx, onnxruntime or a part of them, which only those need who trace a graph."""
    try:
        return __import__(name, fromlist=["_"])
    except ImportError:
        raise ImportError(
            f"an ONNX graph needs {plain(name)}: pip install onnx onnxruntime"
        ) from None


def read_graph(path: str | os.PathLike[str]) -> Any:
    """Read an ONNX file, but for the weights that it keeps in other files.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    onnx.ModelProto
        Whose nodes are in order, and have the inputs that they need.

    Raises
    ------
    OSError
        If it cannot be opened.
    CheckpointError
        If it is no ONNX file.
    """
    onnx = onnx_module("onnx")
    message = onnx_module("google.protobuf.message")
    try:
        proto = onnx.load(os.fspath(path), load_external_data=False)
    except message.DecodeError:
        raise CheckpointError(f"{plain(path)} is no ONNX file") from None
    if not proto.graph.node:
        raise CheckpointError(f"{plain(path)} is no ONNX file, or its graph is empty")
    if proto.functions:  # an exporter's own operations: what they do stands in the graph instead
        proto = onnx_module("onnx.inliner").inline_local_functions(proto)
    _put_in_order(proto, path)
    return proto


def _put_in_order(proto: Any, path: str | os.PathLike[str]) -> None:
    """Put each node behind those that make what it takes, as not all programs do."""
    graph = proto.graph
    version = next((one.version for one in proto.opset_import if one.domain in _STANDARD), 1)
    known = {"", *(one.name for one in (*graph.input, *graph.initializer))}
    known.update(one.values.name for one in graph.sparse_initializer)
    waiting, ordered = list(graph.node), []
    while waiting:
        later = []
        for node in waiting:
            if len(node.input) < _fewest_inputs(node, version) or not node.output:
                raise CheckpointError(f"{plain(path)} is no ONNX graph: {_of(node)} lacks inputs")
            if known.issuperset(node.input):
                known.update(node.output)
                ordered.append(node)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise CheckpointError(
                f"{plain(path)} is no ONNX graph: {_of(later[0])} takes what is never made"
            )
        waiting = later
    if any(one is not other for one, other in zip(graph.node, ordered, strict=True)):
        del graph.node[:]
        graph.node.extend(ordered)


def _of(node: Node) -> str:
    return f"its node {plain(node.name or node.op_type)}"


def _fewest_inputs(node: Node, version: int) -> int:
    """Count the inputs that an operation needs; what is not of the standard has one at least."""
    defs = onnx_module("onnx").defs
    if node.domain in _STANDARD and defs.has(node.op_type, version, ""):
        return int(defs.get_schema(node.op_type, version, "").min_input)
    return 1


_STANDARD = ("", "ai.onnx")


def own_path(name: str) -> str | None:
    """Find the path of a module or parameter in a name, without ``roberta.`` and what is before.

    >>> own_path("/model/roberta/encoder/layer.0/attention/self/query")
    'encoder.layer.0.attention.self.query'
    >>> own_path("onnx::MatMul_276")
    """
    found = _PART.search(name.replace("/", ".").lstrip("."))
    return found and found[1]


def scope_of(node: Node) -> str | None:
    """Find the path of the module that a node is of, if its names tell.

    One exporter keeps it in the metadata, the other in the name of the node and of what it makes;
    the latter survives most changes of a graph.
    """
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes":
            scopes = re.findall(r"'([^']*)'", entry.value)[:-1]  # the last is the operation's
            paths = [own_path(scope) for scope in scopes]
            return next((path for path in reversed(paths) if path), None)
    for name in (*node.output, node.name):
        if "/" in name:
            path = own_path(name.rpartition("/")[0])
            return path and _AGAIN.sub("", path)
    return None
