"""Where the modules of transformers' RoBERTa have the tensors that stand in our table.

A module is found by the end of its path, so that a model of one's own, whose modules have the names
of transformers', is read as well. Softmax and what goes into it are no modules: see
`minirobert.numerics.torch_port.hooks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Place", "places"]


class Place(NamedTuple):
    """A tensor of ours, at a module of theirs."""

    module: str  # the end of its path
    part: str  # "input", "output", "second output"; "dropped" is an output, where something is
    name: str  # ours; {} is the beginning of the path
    call: int | None = None  # which of the module's, or all, joined


#: The modules whose output has their own name.
_ALIKE = (
    *("embeddings.word_embeddings", "embeddings.token_type_embeddings"),
    *("embeddings.position_embeddings", "embeddings.LayerNorm", "embeddings"),
    *("self.query", "self.key", "self.value", "self.distance_embedding"),
    *("output.dense", "output.LayerNorm", "intermediate.dense", "intermediate"),
    *("pooler.dense", "pooler", "lm_head.dense", "lm_head.layer_norm", "classifier.dense"),
)

_PLACES = (
    *(Place(module, "output", f"{{}}{module}") for module in _ALIKE),
    Place("embeddings.word_embeddings", "input", "input_ids"),
    Place("embeddings.token_type_embeddings", "input", "token_type_ids"),
    Place("embeddings.position_embeddings", "input", "position_ids"),
    Place("embeddings.LayerNorm", "input", "{}embeddings.sum"),
    Place("embeddings.dropout", "dropped", "{}embeddings.LayerNorm.dropout"),
    Place("encoder.layer.0.attention.self", "mask", "attend"),
    Place("self.dropout", "input", "{}self.probabilities"),
    Place("self.dropout", "dropped", "{}self.probabilities.dropout"),
    Place("self", "second output", "{}self.probabilities.head_mask"),
    Place("self", "output", "{}self.context"),
    # Where attention is no module of that name:
    Place("attention.output.dense", "input", "{}attention.self.context"),
    Place("crossattention.output.dense", "input", "{}crossattention.self.context"),
    Place("output.dropout", "dropped", "{}output.dense.dropout"),
    Place("output.LayerNorm", "input", "{}output.sum"),
    Place("lm_head.layer_norm", "input", "lm_head.gelu"),
    Place("lm_head", "output", "lm_head.logits"),
    Place("classifier.dropout", "input", "classifier.input", 0),
    Place("classifier.dropout", "dropped", "classifier.input.dropout", 0),
    Place("classifier.dropout", "input", "classifier.tanh", 1),
    Place("classifier.dropout", "dropped", "classifier.tanh.dropout", 1),
    Place("classifier", "output", "classifier.logits"),
    Place("qa_outputs", "output", "qa_outputs.logits"),
)

#: The classes whose dropout stands beside the head, not in it.
_BESIDE = {
    "RobertaForTokenClassification": (
        Place("dropout", "input", "classifier.input"),
        Place("dropout", "dropped", "classifier.input.dropout"),
    ),
    "RobertaForMultipleChoice": (Place("dropout", "dropped", "roberta.pooler.dropout"),),
}


def places(path: str, architecture: str | None) -> Iterator[Place]:
    """List what is to be had at a module, under whole names.

    Parameters
    ----------
    path : str
        See `own_path`.
    architecture : str, optional
        The model's class.

    >>> [(one.part, one.name) for one in places("embeddings.LayerNorm", None)]
    [('output', 'embeddings.LayerNorm'), ('input', 'embeddings.sum')]
    """
    for place in _PLACES:
        if f".{path}".endswith(f".{place.module}"):
            yield place._replace(name=place.name.format(path.removesuffix(place.module)))
    for place in _BESIDE.get(architecture or "", ()):
        if path == place.module:
            yield place
