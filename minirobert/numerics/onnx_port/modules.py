"""The modules of RoBERTa in an ONNX graph: linear maps, layer norms and tables."""

from __future__ import annotations

from typing import NamedTuple

from ..traces import digest
from .file import Node
from .graph import Graph

__all__ = [
    "MATRIX",
    "SAME",
    "STORED",
    "Linear",
    "Norm",
    "digests_of",
    "less_its_own",
    "linear_of",
    "looked_up",
    "norm_of",
    "table_of",
    "tanh_of",
    "words_of",
]

#: Multiply by a matrix.
MATRIX = frozenset(
    {
        *("MatMul", "Gemm", "FusedMatMul", "FusedGemm", "MatMulInteger"),
        *("DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulNBits"),
    }
)
#: Hand on the same numbers, or integers in their place.
SAME = frozenset(
    {"Identity", "Dropout", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"}
)
STORED = SAME | {"Cast"}
#: A product with an activation.
_CURVED = "FusedGemm"
#: Do more than to add a bias, which is this one of the inputs: the linear map itself is never made.
_ADD_BIAS = {"BiasGelu": 1, "FastGelu": 1, "SkipLayerNormalization": 4, "MultiHeadAttention": 3}
#: Layer norms, and which of the outputs is what is normalised, where it is not the first input.
_NORMS = {"LayerNormalization": None, "SkipLayerNormalization": 3, "EmbedLayerNormalization": 2}
_NORM_STEPS = 12  # back from a norm in single operations to its input


class Linear(NamedTuple):
    """A linear map: what goes in, and what comes out."""

    input: str | None  # None where the product has a factor, which may have been one of the input
    output: str | None  # None where the same operation goes on before it is stored
    product: Node


class Norm(NamedTuple):
    """A layer norm: what goes in, and what comes out."""

    input: str | None
    output: str


def digests_of(graph: Graph) -> dict[str, str]:
    """Give the digests of a graph's weights, by the names of the checkpoint without ``roberta.``.

    A weight without a name is that of the linear map whose product takes it. What is stored in
    less than float32 is left out: its numbers are others.
    """
    found = {
        path: digest(graph.constants.numbers(name))
        for path, name in graph.constants.in_float32().items()
    }
    for path in sorted({path.rpartition(".")[0] for path in found} | graph.paths):
        if path == "lm_head" or f"{path}.weight" in found:  # the former has the decoder's bias
            continue
        product = product_of(graph, path)
        if product is not None and product.op_type in ("MatMul", "Gemm"):
            name = product.input[1]
            if graph.constants.is_in(name, "FLOAT"):
                weight = graph.constants.numbers(name)
                turned = any(one.name == "transB" and one.i for one in product.attribute)
                found[f"{path}.weight"] = digest(weight if turned else weight.T)
    return found


def linear_of(graph: Graph, path: str) -> Linear | None:
    """Find a linear map by its scope, its weight or its bias."""
    product = product_of(graph, path)
    if product is None:
        return None
    given = None if _has_factor(product) else graph.back(product.input[0], SAME)
    return Linear(given, _with_bias(graph, product), product)


def _has_factor(product: Node) -> bool:
    """Tell whether a constant was put into a product: onnxruntime takes it from before or behind.

    Then neither what the product is given nor what it makes need be what a name means: of the
    activation ``0.5 (1 + erf)`` only the sum is computed.
    """
    return any(one.name == "alpha" and one.f != 1 for one in product.attribute)


def product_of(graph: Graph, path: str) -> Node | None:
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
            node = graph.maker(graph.back(graph.operands(node)[0], STORED | {"Mul"}))
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
        on = ("Cast", "Mul") if integers else ("Cast", "QuantizeLinear", "DequantizeLinear")
        steps = [node for node in takers if node.op_type in on]
        if len(steps) != 1 or len(takers) != 1:
            whole = str(product.output[0]) if not integers else value
            return None if _has_factor(product) else whole
        value = str(steps[0].output[0])
    return None


def _hides_bias(node: Node) -> bool:
    place = _ADD_BIAS.get(node.op_type)
    return place is not None and len(node.input) > place and bool(node.input[place])


def norm_of(graph: Graph, path: str, behind: str | None) -> Norm | None:
    """Find a layer norm by its scope, its parameters, or as the next behind a value."""
    inside = graph.nodes_of(path)
    norms = [node for node in inside if node.op_type in _NORMS]
    if len(norms) > 1:
        return None
    for node in (
        *norms,
        *(graph.taker_of(f"{path}.{name}", _NORMS) for name in ("weight", "bias")),
        _norm_behind(graph, behind) if behind else None,
    ):
        if node is not None:
            return Norm(_normalised(graph, node), node.output[0])
    last = graph.taker_of(f"{path}.bias", ("Add",))
    for node in inside:
        last = node if node.op_type == "Add" else last
    if last is None:
        return None
    return Norm(less_its_own(graph, last.output[0], "ReduceMean", _NORM_STEPS), last.output[0])


def _normalised(graph: Graph, norm: Node) -> str | None:
    """Find what is normalised; in float16 an operation that adds does not round the sum before."""
    place = _NORMS[norm.op_type]
    if place is None:
        return str(norm.input[0])
    is_half = any(graph.constants.is_in(graph.constant(one), "FLOAT16") for one in norm.input)
    return None if is_half else graph.output(norm, place)


def _norm_behind(graph: Graph, value: str) -> Node | None:
    """Find the nearest layer norm that is made from a value."""
    ring = [value]
    for _ in range(_NORM_STEPS):
        takers = [node for one in ring for node in graph.takers(one)]
        for node in takers:
            if node.op_type in _NORMS:
                return node
        ring = [node.output[0] for node in takers]
    return None


def less_its_own(graph: Graph, value: str, op: str, steps: int) -> str | None:
    """Find the nearest ancestor from which its own mean, or greatest number, is taken away."""
    for one in graph.ancestors(value, steps):
        reduced = graph.taker(one, (op,))
        if reduced is not None and any(
            taker.op_type == "Sub" and one in taker.input
            for taker in graph.takers(reduced.output[0])
        ):
            return one
    return None


def table_of(graph: Graph, path: str) -> Node | None:
    """Find the node that looks up rows of a table."""
    for node in graph.nodes_of(path):
        if node.op_type == "Gather":
            return node
    return graph.taker_of(f"{path}.weight", ("Gather",))


def words_of(graph: Graph) -> Node | None:
    """Find what looks up the input ids, whatever the table is called."""
    ids = [node.output[0] for node in graph.takers("input_ids") if node.op_type == "Cast"]
    for value in ("input_ids", *ids):
        for node in graph.takers(value):
            if node.op_type == "Gather" and graph.constant(node.input[0]) is not None:
                return node
    return None


def looked_up(graph: Graph, node: Node | None) -> str | None:
    """Give the rows of a table as numbers."""
    if node is None:
        return None
    shaped = graph.taker(node.output[0], ("Reshape",)) or node
    for one in (node, shaped):
        if (numbers := graph.taker(one.output[0], ("DequantizeLinear",))) is not None:
            return str(numbers.output[0])
    return str(node.output[0])


def tanh_of(graph: Graph, linear: Linear) -> str | None:
    """Find what tanh makes of a linear map."""
    if linear.product.op_type == _CURVED:
        return str(linear.product.output[0])
    node = linear.output and graph.taker(linear.output, ("Tanh",))
    return node.output[0] if node else None
