"""An ONNX graph as who makes and who takes each value, and which module of a model a node is of.

A node is told to be of a module by the path of the module's scope, which exporters put into names
and metadata; a constant is told to be a parameter by its own name, or by its numbers.
"""

from __future__ import annotations

import ast
import math
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from ..parameters import CheckpointError
from ..sentences import plain
from .traces import Numbers, digest

__all__ = ["MATRIX", "Graph", "Node", "onnx_module", "own_path", "read_graph"]

#: onnx.NodeProto
Node: TypeAlias = Any

#: Multiply by a matrix.
MATRIX = frozenset(
    {
        *("MatMul", "Gemm", "FusedMatMul", "FusedGemm", "MatMulInteger"),
        *("DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulNBits"),
    }
)
#: Change how a constant is stored, or laid out.
_STORING = frozenset(
    {"Identity", "Cast", "DequantizeLinear", "QuantizeLinear", "Transpose", "Reshape", "Unsqueeze"}
)
_PART = re.compile(
    r"(?:^|\.)(?:roberta\.)?((?:embeddings|encoder\.layer\.\d+|pooler|lm_head|classifier|qa_outputs)"
    r"(?:\..*)?)$"
)
_AGAIN = re.compile(r"_\d+(?=\.|$)")  # of a module that is called more than once
_QUANTIZED = re.compile(r"_quantized$")


def onnx_module(name: str) -> Any:
    """Import onnx or onnxruntime, which only those need who trace such a graph."""
    try:
        return __import__(name, fromlist=["_"])
    except ImportError:
        raise ImportError(
            f'an ONNX graph needs {plain(name)}: pip install "minirobert[onnx]"'
        ) from None


def own_path(name: str) -> str | None:
    """Find the path of a module or parameter in a name, without ``roberta.`` and what is before.

    >>> own_path("/model/roberta/encoder/layer.0/attention/self/query")
    'encoder.layer.0.attention.self.query'
    >>> own_path("onnx::MatMul_276")
    """
    found = _PART.search(name.replace("/", ".").lstrip("."))
    return found and found[1]


def read_graph(path: str | os.PathLike[str]) -> Any:
    """Read an ONNX file, but for the weights that it keeps in other files.

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
    return proto


class Graph:
    """Who makes and who takes each value of a graph.

    Parameters
    ----------
    proto : onnx.ModelProto
        Outputs are added to it, see `output`.
    directory : str or path
        Where the files of its weights are.
    parameters : mapping of str to Array
        Of a model, by name: a constant without a name of its own is told by these numbers.
    """

    def __init__(
        self,
        proto: Any,
        directory: str | os.PathLike[str] = ".",
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.proto, self.nodes = proto, list(proto.graph.node)
        self._directory = os.fspath(directory)
        self.inputs = {one.name: one for one in proto.graph.input}
        self.outputs = [one.name for one in proto.graph.output]
        self._makers = {value: node for node in self.nodes for value in node.output if value}
        self._takers: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for value in dict.fromkeys(node.input):
                self._takers[value].append(node)
        self._constants = {one.name: one for one in proto.graph.initializer}
        for name in self._constants:  # in old files a weight stands among the inputs, too
            self.inputs.pop(name, None)
        self._scopes: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            if (scope := _scope(node)) is not None:
                self._scopes[scope].append(node)
        self._parameters = self._named(parameters)

    # Values

    def __contains__(self, value: str) -> bool:
        return value in self._makers or value in self.inputs or value in self._constants

    def maker(self, value: str | None) -> Node | None:
        """Give the node that makes a value."""
        return self._makers.get(value or "")

    def takers(self, value: str) -> list[Node]:
        """List the nodes that take a value, in order."""
        return self._takers.get(value, [])

    def taker(self, value: str, ops: Collection[str]) -> Node | None:
        """Give the first node of some kinds that takes a value."""
        return next((node for node in self.takers(value) if node.op_type in ops), None)

    def operands(self, node: Node) -> list[str]:
        """List the inputs of a node that are no constants."""
        return [value for value in node.input if value and self.constant(value) is None]

    def back(self, value: str, ops: Collection[str]) -> str:
        """Go back through nodes of some kinds, by the first operand of each."""
        while (node := self.maker(value)) is not None and node.op_type in ops:
            operands = self.operands(node)
            if not operands:
                break
            value = operands[0]
        return value

    def ancestors(self, value: str, most: int | None = None) -> Iterator[str]:
        """List a value, and those that it is made of, the nearest first; ``most`` steps back."""
        seen, ring = {value}, [value]
        while ring and (most is None or most >= 0):
            yield from ring
            makers = [self.maker(one) for one in ring]
            before = dict.fromkeys(v for node in makers if node is not None for v in node.input)
            ring = [one for one in before if one and one not in seen]
            seen.update(ring)
            most = None if most is None else most - 1

    def output(self, node: Node, place: int) -> str:
        """Give the name of one of a node's outputs, which it may not have had before."""
        while len(node.output) <= place:
            node.output.append("")
        if not node.output[place]:
            node.output[place] = f"{node.output[0]}.{place}"
            self._makers[node.output[place]] = node
        return str(node.output[place])

    def give(self, values: Collection[str]) -> None:
        """Make some values outputs of the graph, and store them before anything is made of them.

        Where there is no arithmetic in half precision, onnxruntime computes in float32, and would
        hand on what is not yet rounded.
        """
        onnx = onnx_module("onnx")
        nodes = []
        for node in self.nodes:
            nodes.append(node)
            for i, value in enumerate(node.output):
                if value in values:
                    node.output[i] = f"{value}.unstored"
                    nodes.append(onnx.helper.make_node("Identity", [node.output[i]], [value]))
        del self.proto.graph.node[:]
        self.proto.graph.node.extend(nodes)
        more = [onnx.ValueInfoProto(name=one) for one in values if one not in self.outputs]
        self.proto.graph.output.extend(more)

    # Modules and parameters

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of all modules and parameters that are found by name, or by numbers."""
        return frozenset((*self._scopes, *self._parameters))

    @property
    def is_within(self) -> bool:
        """Whether the encoder is told to be part of a model with a head."""
        names = (*self._constants, *self._makers)
        return any("roberta." in name.replace("/", ".") for name in names)

    def nodes_of(self, path: str) -> list[Node]:
        """List the nodes in the scope of a module, in order."""
        return self._scopes.get(path, [])

    def taker_of(self, parameter: str, ops: Collection[str]) -> Node | None:
        """Give the node of some kinds that takes a parameter; None where modules share it."""
        takers = {
            id(node): node
            for name in self._parameters.get(parameter, ())
            for node in self._past_storing(name)
            if node.op_type in ops
        }
        return next(iter(takers.values())) if len(takers) == 1 else None

    def constant(self, value: str) -> str | None:
        """Name the constant that a value is, however it is stored; None if it is computed."""
        for _ in range(len(_STORING)):
            node = self.maker(value)
            if node is None:
                return value if value in self._constants else None
            if node.op_type == "Constant":
                return value
            if node.op_type not in _STORING or not node.input:
                return None
            value = node.input[0]
        return None

    def numbers(self, name: str) -> Numbers:
        """Read the numbers of a weight."""
        array: Numbers = onnx_module("onnx").numpy_helper.to_array(
            self._constants[name], base_dir=self._directory
        )
        return array

    def _past_storing(self, value: str) -> Iterator[Node]:
        for node in self.takers(value):
            if node.op_type in _STORING and node.input[0] == value:
                yield from self._past_storing(node.output[0])
            else:
                yield node

    def _named(self, parameters: Mapping[str, Any] | None) -> dict[str, list[str]]:
        """Find the constants that are parameters."""
        found: dict[str, list[str]] = defaultdict(list)
        nameless = []
        for name in self._constants:
            path = own_path(_QUANTIZED.sub("", name))
            if path is None:
                nameless.append(name)
            else:
                found[path].append(name)
        if parameters:
            for path, name in self._by_numbers(parameters, nameless):
                found[path].append(name)
        return dict(found)

    def _by_numbers(
        self, parameters: Mapping[str, Any], names: Iterable[str]
    ) -> Iterator[tuple[str, str]]:
        """Tell constants by their numbers, where these are those of one parameter alone."""
        sizes = {math.prod(one.shape) for one in parameters.values()}
        floating = [(name, self.numbers(name)) for name in names if self._may_be(name, sizes)]
        known = {
            dtype: _by_digest(parameters, dtype) for dtype in {array.dtype for _, array in floating}
        }
        for name, array in floating:
            paths = {
                path
                for way in (array, array.T)
                for path in known[array.dtype].get((way.shape, digest(way)), ())
            }
            if len(paths) == 1:
                yield paths.pop(), name

    def _may_be(self, name: str, sizes: Collection[int]) -> bool:
        kinds, one = onnx_module("onnx").TensorProto, self._constants[name]
        is_floating = one.data_type in (kinds.FLOAT, kinds.FLOAT16, kinds.DOUBLE)
        return is_floating and math.prod(one.dims) in sizes


def _by_digest(
    parameters: Mapping[str, Any], dtype: np.dtype[Any]
) -> dict[tuple[tuple[int, ...], str], set[str]]:
    """Enter each parameter, rounded to a dtype, under its shape and digest."""
    known: dict[tuple[tuple[int, ...], str], set[str]] = defaultdict(set)
    for name, array in parameters.items():
        path = own_path(name)
        if path is not None:
            rounded = np.asarray(array).astype(dtype)
            known[rounded.shape, digest(rounded)].add(path)
    return known


def _scope(node: Node) -> str | None:
    """Find the path of the module that a node is of.

    One exporter keeps it in the metadata, the other in the name of the node and of what it makes;
    the latter survives most changes of a graph.
    """
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes":
            scopes = ast.literal_eval(entry.value)[:-1]  # the last is the operation's
            paths = [own_path(scope) for scope in scopes]
            return next((path for path in reversed(paths) if path), None)
    for name in (*node.output, node.name):
        if "/" in name:
            path = own_path(name.rpartition("/")[0])
            return path and _AGAIN.sub("", path)
    return None
