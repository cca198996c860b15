"""A graph of ONNX while it grows: nodes, constants, and the names of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .lengths import AnyShape

__all__ = ["IR_VERSION", "OPSET", "Graph", "Value"]

#: The first in which ReduceMean takes its axes as an input. It is of 2022, so that older runtimes
#: read the files, too.
OPSET, IR_VERSION = 18, 8


class Value(NamedTuple):
    """What is known of a value in a graph."""

    name: str
    shape: AnyShape
    dtype: np.dtype[Any]


class _Node(NamedTuple):
    operation: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


class Graph:
    """Nodes in the order in which they were recorded, each with one result."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}  # by the names of their results
        self._constants: dict[str, np.ndarray[Any, Any]] = {}
        self._names: dict[str, str] = {}  # of values that have got another name

    def node(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Add a node, and give the name of its result; an input that is left out is ``""``."""
        output = f"{operation}.{len(self._nodes)}"
        self._nodes[output] = _Node(operation, inputs, output, attributes)
        return output

    def constant(self, values: Any, dtype: Any) -> str:
        """Give the name of a constant, which is there once for all who need it."""
        array = np.asarray(values, dtype)
        name = f"{array.dtype}({array.tolist()})"
        self._constants[name] = array
        return name

    def rename(self, name: str, new: str) -> str:
        """Let the file call a value by another name, and give its name in this graph.

        That is another one where the value has got its new name before, or is no node's: then a
        copy is named.
        """
        if name in self._names or name not in self._nodes:
            name = self.node("Identity", name)
        self._names[name] = new
        return name

    def model(
        self,
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        weights: Mapping[str, np.ndarray[Any, Any]],
        known: Sequence[Value] = (),
    ) -> Any:
        """Put together what the outputs need.

        Parameters
        ----------
        inputs, outputs : sequence of Value
        weights : mapping of str to NumPy array
            Inputs that are no longer given, but kept in the file.
        known : sequence of Value
            Others whose shapes the file is to tell.

        Returns
        -------
        onnx.ModelProto
        """
        from onnx import helper, numpy_helper

        nodes = self._needed({one.name for one in outputs})
        used = {name for node in nodes for name in (node.output, *node.inputs)}
        kept = {**weights, **self._constants}
        graph = helper.make_graph(
            [self._written(node) for node in nodes],
            "minirobert",
            [self._described(one) for one in inputs],
            [self._described(one) for one in outputs],
            [numpy_helper.from_array(kept[name], name) for name in kept if name in used],
            value_info=[self._described(one) for one in known if one.name in used],
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)

    def _needed(self, names: set[str]) -> list[_Node]:
        """Give the nodes that lead to some values, in order."""
        needed, nodes = set(names), []
        for node in reversed(self._nodes.values()):
            if node.output in needed:
                needed.update(node.inputs)
                nodes.append(node)
        return nodes[::-1]

    def _written(self, node: _Node) -> Any:
        from onnx import helper

        inputs = [self._names.get(name, name) for name in node.inputs]
        output = self._names.get(node.output, node.output)
        return helper.make_node(node.operation, inputs, [output], output, **node.attributes)

    def _described(self, value: Value) -> Any:
        from onnx import helper

        axes = [one if isinstance(one, int) else repr(one) for one in value.shape]
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        name = self._names.get(value.name, value.name)
        return helper.make_tensor_value_info(name, kind, axes)
