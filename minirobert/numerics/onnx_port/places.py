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

from .graph import Graph
from .modules import (
    MATRIX,
    SAME,
    STORED,
    Linear,
    less_its_own,
    linear_of,
    looked_up,
    norm_of,
    table_of,
    tanh_of,
    words_of,
)

__all__ = ["places"]

#: A name, and the value of the graph, or None where it is not found.
Place = tuple[str, str | None]

_LAID_OUT = STORED | {"Reshape", "Transpose", "Squeeze", "Unsqueeze"}
_SOFTMAX_STEPS = 6  # back from probabilities to the softmax


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
        node = table_of(graph, f"embeddings.{name}_embeddings")
        yield ids, None if node is None else node.input[1]
        yield f"embeddings.{name}_embeddings", looked_up(graph, node)
    words = table_of(graph, "embeddings.word_embeddings")
    if words is None and graph.paths:  # otherwise nothing shows what it is
        words = words_of(graph)
    yield "embeddings.word_embeddings", looked_up(graph, words)
    norm = norm_of(graph, "embeddings.LayerNorm", looked_up(graph, words))
    yield "embeddings.sum", norm and norm.input
    yield "embeddings.LayerNorm", norm and norm.output
    yield "embeddings", norm and norm.output


def _layer(graph: Graph, layer: str) -> Iterator[Place]:
    yield from _attention(graph, f"{layer}.attention")
    if any(path.startswith(f"{layer}.crossattention.") for path in graph.paths):
        yield from _attention(graph, f"{layer}.crossattention")
    inner, outer = (
        linear_of(graph, f"{layer}.{name}.dense") for name in ("intermediate", "output")
    )
    yield f"{layer}.intermediate.dense", inner and inner.output
    yield f"{layer}.intermediate", outer and outer.input
    yield from _add_and_norm_of(graph, f"{layer}.output")


def _attention(graph: Graph, block: str) -> Iterator[Place]:
    query = None
    for name in ("query", "key", "value"):
        linear = linear_of(graph, f"{block}.self.{name}")
        yield f"{block}.self.{name}", linear and linear.output
        query = linear if name == "query" else query
    distances = table_of(graph, f"{block}.self.distance_embedding")
    if distances is not None:
        yield f"{block}.self.distance_embedding", looked_up(graph, distances)
    dense = linear_of(graph, f"{block}.output.dense")
    context = dense and dense.product.input[0]
    for name, value in _gathered(graph, context, query and query.output).items():
        yield f"{block}.self.{name}", value
    yield f"{block}.self.context", dense and dense.input
    yield from _add_and_norm_of(graph, f"{block}.output")


def _gathered(graph: Graph, context: str | None, query: str | None) -> dict[str, str | None]:
    """Find the probabilities that the context is a product of, and what they are made from."""
    found: dict[str, str | None] = dict.fromkeys(("scores", "scores.masked", "probabilities"))
    product = graph.maker(context and graph.back(context, _LAID_OUT))
    if product is None or product.op_type not in MATRIX or len(graph.operands(product)) < 2:
        return found  # one operation does it all
    kept = graph.back(product.input[0], SAME)
    factor = graph.maker(kept)
    if factor is not None and factor.op_type == "Mul":
        made = [one for one in factor.input if _softmax_input(graph, one)]
        if len(made) == 1:
            found["probabilities.head_mask"] = kept
            kept = graph.back(made[0], SAME)
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
    return less_its_own(graph, value, "ReduceMax", _SOFTMAX_STEPS)


def _before_mask(graph: Graph, masked: str, query: str | None) -> str | None:
    """Find the scores that a mask is added to, or that it chooses from."""
    if query is None:
        return None
    node = graph.maker(graph.back(masked, STORED))
    if node is not None and node.op_type in ("Add", "Sub", "Where"):
        depending = [one for one in graph.operands(node) if query in graph.ancestors(one)]
        if len(depending) == 1:  # two are scores and what distances add to them
            return depending[0]
    return masked


def _add_and_norm_of(graph: Graph, path: str) -> Iterator[Place]:
    dense = linear_of(graph, f"{path}.dense")
    norm = norm_of(graph, f"{path}.LayerNorm", dense and dense.product.output[0])
    yield f"{path}.dense", dense and dense.output
    yield f"{path}.sum", norm and norm.input
    yield f"{path}.LayerNorm", norm and norm.output


def _heads(graph: Graph) -> Iterator[Place]:
    if (dense := linear_of(graph, "lm_head.dense")) is not None:
        norm = norm_of(graph, "lm_head.layer_norm", dense.product.output[0])
        yield "lm_head.dense", dense.output
        yield "lm_head.gelu", norm and norm.input
        yield "lm_head.layer_norm", norm and norm.output
        yield "lm_head.logits", _logits(graph, linear_of(graph, "lm_head.decoder"))
    pooler = linear_of(graph, "pooler.dense")
    if pooler is not None:
        yield "pooler.dense", pooler.output
        yield "pooler", tanh_of(graph, pooler)
    if (dense := linear_of(graph, "classifier.dense")) is not None:
        last = linear_of(graph, "classifier.out_proj")
        yield "classifier.input", dense.input
        yield "classifier.dense", dense.output
        yield "classifier.tanh", last and last.input
        yield "classifier.logits", _logits(graph, last)
    elif (last := linear_of(graph, "classifier")) is not None:
        if pooler is None:
            yield "classifier.input", last.input
        yield "classifier.logits", _logits(graph, last)
    if (last := linear_of(graph, "qa_outputs")) is not None:
        yield "qa_outputs.logits", last.output
        yield from _spans(graph, last.output)


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
