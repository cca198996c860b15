"""Where the tensors of a forward pass are in an ONNX graph, by our names.

What is looked for by name, or by numbers, are the modules alone: linear maps, layer norms and
tables. All else is found from them, along the graph: the context is what goes into the dense map
behind the attention, the sum is what goes into a layer norm, the probabilities are what the context
is a product of, and so on. So a graph may have other names, operations that stand for several, or
integers between the numbers, and what it still computes is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .onnx_graph import MATRIX, Graph, Node

__all__ = ["places"]

#: A name, and the value of the graph, or None where it is not found.
Place = tuple[str, str | None]

#: Hand on the same numbers, or integers in their place.
_SAME = frozenset(
    {"Identity", "Dropout", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"}
)
_STORED = _SAME | {"Cast"}
_LAID_OUT = _STORED | {"Reshape", "Transpose", "Squeeze", "Unsqueeze"}
#: A product with an activation.
_CURVED = "FusedGemm"
#: Do more than to add a bias, which is this one of the inputs: the linear map itself is never made.
_ADD_BIAS = {"BiasGelu": 1, "FastGelu": 1, "SkipLayerNormalization": 4, "MultiHeadAttention": 3}
#: Layer norms, and which of the outputs is what is normalised, where it is not the first input.
_NORMS = {"LayerNormalization": None, "SkipLayerNormalization": 3, "EmbedLayerNormalization": 2}
_SOFTMAX_STEPS = 6  # back from probabilities to the softmax
_NORM_STEPS = 12  # back from a norm in single operations to its input


class Linear(NamedTuple):
    """A linear map: what goes in, and what comes out."""

    input: str
    output: str | None  # None where the same operation goes on before it is stored
    product: Node


class Norm(NamedTuple):
    """A layer norm: what goes in, and what comes out."""

    input: str | None
    output: str


def places(graph: Graph) -> Iterator[Place]:
    """Find each tensor that a graph is known to have or ought to have, in the order of the pass.

    The names are without ``roberta.``.
    """
    yield from _embeddings(graph)
    layers = {int(found[1]) for path in graph.paths if (found := _LAYER.match(path))}
    for i in sorted(layers):
        yield from _layer(graph, f"encoder.layer.{i}")
    yield from _heads(graph)


_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")


def _embeddings(graph: Graph) -> Iterator[Place]:
    for name, ids in (("token_type", "token_type_ids"), ("position", "position_ids")):
        node = _table(graph, f"embeddings.{name}_embeddings")
        yield ids, None if node is None else node.input[1]
        yield f"embeddings.{name}_embeddings", _looked_up(graph, node)
    words = _table(graph, "embeddings.word_embeddings")
    if words is None and graph.paths:  # otherwise nothing shows what it is
        words = _words(graph)
    yield "embeddings.word_embeddings", _looked_up(graph, words)
    norm = _norm(graph, "embeddings.LayerNorm")
    yield "embeddings.sum", norm and norm.input
    yield "embeddings.LayerNorm", norm and norm.output
    yield "embeddings", norm and norm.output


def _layer(graph: Graph, layer: str) -> Iterator[Place]:
    yield from _attention(graph, f"{layer}.attention")
    if any(path.startswith(f"{layer}.crossattention.") for path in graph.paths):
        yield from _attention(graph, f"{layer}.crossattention")
    inner, outer = (_linear(graph, f"{layer}.{name}.dense") for name in ("intermediate", "output"))
    yield f"{layer}.intermediate.dense", inner and inner.output
    yield f"{layer}.intermediate", outer and outer.input
    yield from _add_and_norm(graph, f"{layer}.output")


def _attention(graph: Graph, block: str) -> Iterator[Place]:
    query = None
    for name in ("query", "key", "value"):
        linear = _linear(graph, f"{block}.self.{name}")
        yield f"{block}.self.{name}", linear and linear.output
        query = linear if name == "query" else query
    distances = _table(graph, f"{block}.self.distance_embedding")
    if distances is not None:
        yield f"{block}.self.distance_embedding", _looked_up(graph, distances)
    dense = _linear(graph, f"{block}.output.dense")
    context = dense and dense.input
    for name, value in _gathered(graph, context, query and query.output).items():
        yield f"{block}.self.{name}", value
    yield f"{block}.self.context", context
    yield from _add_and_norm(graph, f"{block}.output")


def _gathered(graph: Graph, context: str | None, query: str | None) -> dict[str, str | None]:
    """Find the probabilities that the context is a product of, and what they are made from."""
    found: dict[str, str | None] = dict.fromkeys(("scores", "scores.masked", "probabilities"))
    product = graph.maker(context and graph.back(context, _LAID_OUT))
    if product is None or product.op_type not in MATRIX or len(graph.operands(product)) < 2:
        return found  # one operation does it all
    kept = graph.back(product.input[0], _SAME)
    factor = graph.maker(kept)
    if factor is not None and factor.op_type == "Mul":
        made = [one for one in factor.input if _softmax_input(graph, one)]
        if len(made) == 1:
            found["probabilities.head_mask"] = kept
            kept = graph.back(made[0], _SAME)
    masked = _softmax_input(graph, kept)
    if masked is None:
        return found
    return found | {
        "probabilities": kept,
        "scores.masked": masked,
        "scores": _before_mask(graph, masked, query),
    }


def _softmax_input(graph: Graph, value: str) -> str | None:
    """Find the scores that probabilities are made from, in one operation or in several."""
    for one in graph.ancestors(value, _SOFTMAX_STEPS):
        node = graph.maker(one)
        if node is not None and node.op_type == "Softmax":
            return str(node.input[0])
    return _less_its_own(graph, value, "ReduceMax", _SOFTMAX_STEPS)


def _before_mask(graph: Graph, masked: str, query: str | None) -> str | None:
    """Find the scores that a mask is added to, or that it chooses from."""
    if query is None:
        return None
    node = graph.maker(graph.back(masked, _STORED))
    if node is not None and node.op_type in ("Add", "Sub", "Where"):
        depending = [one for one in graph.operands(node) if query in graph.ancestors(one)]
        if len(depending) == 1:  # two are scores and what distances add to them
            return depending[0]
    return masked


def _add_and_norm(graph: Graph, path: str) -> Iterator[Place]:
    dense = _linear(graph, f"{path}.dense")
    norm = _norm(graph, f"{path}.LayerNorm", dense)
    yield f"{path}.dense", dense and dense.output
    yield f"{path}.sum", norm and norm.input
    yield f"{path}.LayerNorm", norm and norm.output


def _heads(graph: Graph) -> Iterator[Place]:
    if (dense := _linear(graph, "lm_head.dense")) is not None:
        norm = _norm(graph, "lm_head.layer_norm")
        yield "lm_head.dense", dense.output
        yield "lm_head.gelu", norm and norm.input
        yield "lm_head.layer_norm", norm and norm.output
        yield "lm_head.logits", _logits(graph, _linear(graph, "lm_head.decoder"))
    pooler = _linear(graph, "pooler.dense")
    if pooler is not None:
        yield "pooler.dense", pooler.output
        yield "pooler", _tanh(graph, pooler)
    if (dense := _linear(graph, "classifier.dense")) is not None:
        last = _linear(graph, "classifier.out_proj")
        yield "classifier.input", dense.input
        yield "classifier.dense", dense.output
        yield "classifier.tanh", last and last.input
        yield "classifier.logits", _logits(graph, last)
    elif (last := _linear(graph, "classifier")) is not None:
        if pooler is None:
            yield "classifier.input", last.input
        yield "classifier.logits", _logits(graph, last)
    if (last := _linear(graph, "qa_outputs")) is not None:
        yield "qa_outputs.logits", last.output
        yield from _spans(graph, last.output)


def _tanh(graph: Graph, linear: Linear) -> str | None:
    if linear.product.op_type == _CURVED:
        return str(linear.product.output[0])
    node = linear.output and graph.taker(linear.output, ("Tanh",))
    return node.output[0] if node else None


def _logits(graph: Graph, linear: Linear | None) -> str | None:
    """Find an output of the graph, which may have another shape than the linear map gives."""
    if linear is None or linear.output is None:
        return None
    value = linear.output
    while value not in graph.outputs:
        node = graph.taker(value, ("Reshape", "Identity"))
        if node is None:
            return linear.output
        value = node.output[0]
    return value


def _spans(graph: Graph, logits: str | None) -> Iterator[Place]:
    made = [
        one for one in graph.outputs if logits and logits in graph.ancestors(one) and one != logits
    ]
    for i, name in enumerate(("start_logits", "end_logits")):
        value = made[i] if len(made) == 2 else None
        yield f"qa_outputs.{name}", name if name in made else value


# Modules


def _linear(graph: Graph, path: str) -> Linear | None:
    """Find a linear map by its scope, its weight or its bias."""
    product = _product(graph, path)
    if product is None:
        return None
    return Linear(graph.back(product.input[0], _SAME), _with_bias(graph, product), product)


def _product(graph: Graph, path: str) -> Node | None:
    """Find the product of a linear map: the one in its scope, or behind its weight or bias."""
    inside = [node for node in graph.nodes_of(path) if node.op_type in MATRIX]
    if inside:
        return inside[0] if len(inside) == 1 else None  # there are several of feed-forward chunks
    weights, biases = [f"{path}.weight"], [f"{path}.bias"]
    if path == "lm_head.decoder":
        weights.append("embeddings.word_embeddings.weight")  # where they are tied
        biases.append("lm_head.bias")
    for weight in weights:
        if (node := graph.taker_of(weight, MATRIX)) is not None:
            return node
    adding = MATRIX | {"Add", *_ADD_BIAS}
    for bias in biases:
        node = graph.taker_of(bias, adding)
        if node is not None and node.op_type not in MATRIX:
            node = graph.maker(graph.back(graph.operands(node)[0], _STORED | {"Mul"}))
        if node is not None and node.op_type in MATRIX:
            return node
    return None


def _with_bias(graph: Graph, product: Node) -> str | None:
    """Go on from a product to the sum with its bias, if one follows."""
    value = str(product.output[0])
    while product.op_type != _CURVED:
        takers = graph.takers(value)
        if any(_hides_bias(node) for node in takers):
            return None
        for node in takers:
            if node.op_type == "Add" and len(graph.operands(node)) == 1:
                return str(node.output[0])
        integers = product.op_type == "MatMulInteger"
        on = ("Cast", "Mul") if integers else ("QuantizeLinear", "DequantizeLinear")
        steps = [node for node in takers if node.op_type in on]
        if len(steps) != 1 or len(takers) != 1:
            return str(product.output[0]) if not integers else value
        value = str(steps[0].output[0])
    return None


def _hides_bias(node: Node) -> bool:
    place = _ADD_BIAS.get(node.op_type)
    return place is not None and len(node.input) > place and bool(node.input[place])


def _norm(graph: Graph, path: str, dense: Linear | None = None) -> Norm | None:
    """Find a layer norm by its scope, its parameters, or as what follows a sum."""
    inside = graph.nodes_of(path)
    norms = [node for node in inside if node.op_type in _NORMS]
    if len(norms) > 1:
        return None
    for node in (
        *norms,
        *(graph.taker_of(f"{path}.{name}", _NORMS) for name in ("weight", "bias")),
        _norm_behind(graph, dense and dense.output),
    ):
        if node is not None:
            place = _NORMS[node.op_type]
            return Norm(
                node.input[0] if place is None else graph.output(node, place), node.output[0]
            )
    last = graph.taker_of(f"{path}.bias", ("Add",))
    for node in inside:
        last = node if node.op_type == "Add" else last
    if last is None:
        return None
    return Norm(_less_its_own(graph, last.output[0], "ReduceMean", _NORM_STEPS), last.output[0])


def _norm_behind(graph: Graph, dense: str | None) -> Node | None:
    """Find the layer norm of the sum of a dense map and a residual."""
    if dense is None:
        return None
    total = graph.taker(dense, ("Add",))
    return graph.taker(dense if total is None else total.output[0], _NORMS)


def _less_its_own(graph: Graph, value: str, op: str, steps: int) -> str | None:
    """Find the nearest ancestor from which its own mean, or greatest number, is taken away."""
    for one in graph.ancestors(value, steps):
        reduced = graph.taker(one, (op,))
        if reduced is not None and any(
            taker.op_type == "Sub" and one in taker.input
            for taker in graph.takers(reduced.output[0])
        ):
            return one
    return None


def _table(graph: Graph, path: str) -> Node | None:
    """Find the node that looks up rows of a table."""
    for node in graph.nodes_of(path):
        if node.op_type == "Gather":
            return node
    return graph.taker_of(f"{path}.weight", ("Gather",))


def _words(graph: Graph) -> Node | None:
    """Find what looks up the input ids, whatever the table is called."""
    ids = [node.output[0] for node in graph.takers("input_ids") if node.op_type == "Cast"]
    for value in ("input_ids", *ids):
        for node in graph.takers(value):
            if node.op_type == "Gather" and graph.constant(node.input[0]) is not None:
                return node
    return None


def _looked_up(graph: Graph, node: Node | None) -> str | None:
    """Give the rows of a table as numbers."""
    if node is None:
        return None
    back_to_numbers = graph.taker(node.output[0], ("DequantizeLinear",))
    return str((node if back_to_numbers is None else back_to_numbers).output[0])
