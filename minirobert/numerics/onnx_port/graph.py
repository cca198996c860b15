"""An ONNX graph as who makes and who takes each value, and which module of a model a node is of."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from .constants import Constants
from .file import Node, onnx_module, scope_of

__all__ = ["Graph"]

#: Change how a constant is stored, or laid out.
_STORING = frozenset(
    {"Identity", "Cast", "DequantizeLinear", "QuantizeLinear", "Transpose", "Reshape", "Unsqueeze"}
)


def _converts(node: Node, to: int) -> bool:
    return node.op_type == "Cast" and any(
        one.name == "to" and one.i == to for one in node.attribute
    )


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
        self.inputs = {one.name: one for one in proto.graph.input}
        self.outputs = [one.name for one in proto.graph.output]
        self._makers = {value: node for node in self.nodes for value in node.output if value}
        self._takers: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for value in dict.fromkeys(node.input):
                self._takers[value].append(node)
        self.constants = Constants(proto.graph, directory)
        for name in self.constants:  # in old files a weight stands among the inputs, too
            self.inputs.pop(name, None)
        self._scopes: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            if (scope := scope_of(node)) is not None:
                self._scopes[scope].append(node)
        self._parameters = self.constants.parameters(parameters or {})

    # Values

    def __contains__(self, value: str) -> bool:
        return value in self._makers or value in self.inputs or value in self.constants

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

    def stored(self, value: str) -> str:
        """Give what is handed on of a value: in an optimised graph it may be rounded behind."""
        half = onnx_module("onnx").TensorProto.FLOAT16
        takers = self.takers(value)
        if value in self.outputs or not takers or not all(_converts(one, half) for one in takers):
            return value
        return str(takers[0].output[0])

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
        names = (*self.constants, *self._makers)
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
                return value if value in self.constants else None
            if node.op_type == "Constant":
                return value
            if node.op_type not in _STORING or not node.input:
                return None
            value = node.input[0]
        return None

    def _past_storing(self, value: str) -> Iterator[Node]:
        for node in self.takers(value):
            if node.op_type in _STORING and node.input[0] == value:
                yield from self._past_storing(node.output[0])
            else:
                yield node
