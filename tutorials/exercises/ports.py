"""Ports of RoBERTa with a mistake in each, for lesson 9: `run` gives all tensors of one.

Reading on tells what is wrong with them: hunt first. Each is the bundled model, with one step done
as one easily does it when one writes RoBERTa anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from minirobert import RobertaConfig, RobertaForMaskedLM, watch
from minirobert.functional import gelu_new, layer_norm
from minirobert.numerics import trace
from minirobert.parameters import build_tree, flatten

__all__ = ["CAUSES", "NAMES", "run"]

#: What may be wrong with a port: more than is wrong with any.
CAUSES = (
    "positions are counted from 0",
    "positions are counted through the padding",
    "token types are left out",
    "the GELU is that with tanh",
    "epsilon is 1e-12",
    "the variance is divided by H - 1",
    "scores are not divided by the root of D",
    "scores are divided by D",
    "heads are split without a transpose",
    "the mask is added as 1 or -1, not as minus infinity",
    "the mask is not applied",
    "a weight is transposed",
    "a bias is left out",
    "two layers are exchanged",
    "the residual is another tensor",
    "the residual is left out",
    "a tensor is kept in float16",
    "the decoder is not tied to the word embeddings",
)

#: Changes a tensor of the port, given all that the port has computed before it.
Step = Callable[[str, Any, dict[str, Any]], "Any | None"]


@cache
def _model(**config: Any) -> RobertaForMaskedLM:
    return RobertaForMaskedLM.from_pretrained(**config)


def _with_weights(changed: dict[str, Any], **options: Any) -> RobertaForMaskedLM:
    """Give the model other weights, by their names, and perhaps another configuration."""
    model = _model()
    config = RobertaConfig.from_dict({**model.config.to_dict(), **options})
    return RobertaForMaskedLM(config, build_tree({**flatten(model.params), **changed}))


def _weight(name: str) -> Any:
    return flatten(_model().params)[name]


# Steps that are done otherwise.


def _positions_from_0(name: str, array: Any, seen: dict[str, Any]) -> Any:
    is_there = name == "position_ids"
    return np.broadcast_to(np.arange(array.shape[1]), array.shape) if is_there else None


def _unscaled(name: str, array: Any, seen: dict[str, Any]) -> Any:
    return array * math.sqrt(64) if name.endswith("self.scores") else None


def _mask_of_1(name: str, array: Any, seen: dict[str, Any]) -> Any:
    if not name.endswith("scores.masked"):
        return None
    return np.where(seen["attend"], array, seen[name.removesuffix(".masked")] - np.float32(1))


def _unbiased(name: str, array: Any, seen: dict[str, Any]) -> Any:
    """Divide variances by H - 1: of x times the root of (H - 1) / H they are those of x."""
    if not name.lower().endswith(("layernorm", "layer_norm")):
        return None
    x, weight, bias = list(seen.values())[-1], _weight(f"{name}.weight"), _weight(f"{name}.bias")
    factor = (x.shape[-1] - 1) / x.shape[-1]
    normed = layer_norm(x, np.ones_like(weight), np.zeros_like(bias), 1e-5 * factor)
    return normed * np.float32(math.sqrt(factor)) * weight + bias


def _half(name: str, array: Any, seen: dict[str, Any]) -> Any:
    is_there = name == "roberta.encoder.layer.1.intermediate"
    return array.astype(np.float16).astype(np.float32) if is_there else None


def _without_types(name: str, array: Any, seen: dict[str, Any]) -> Any:
    if name != "roberta.embeddings.sum":
        return None
    tables = "word_embeddings", "position_embeddings"
    return sum(seen[f"roberta.embeddings.{table}"] for table in tables)


def _tanh_in_head(name: str, array: Any, seen: dict[str, Any]) -> Any:
    return gelu_new(seen["lm_head.dense"]) if name == "lm_head.gelu" else None


def _other_residual(name: str, array: Any, seen: dict[str, Any]) -> Any:
    layer = "roberta.encoder.layer.2."
    if name != f"{layer}output.sum":
        return None
    read = seen["roberta.encoder.layer.1.output.LayerNorm"]  # and not what attention made of it
    return array - seen[f"{layer}attention.output.LayerNorm"] + read


# The ports, from coarse to subtle.


def _untied() -> RobertaForMaskedLM:
    rng = np.random.default_rng(0)
    table = 0.02 * rng.standard_normal(_weight("roberta.embeddings.word_embeddings.weight").shape)
    weights = {"lm_head.decoder.weight": table.astype(np.float32)}
    return _with_weights(weights, tie_word_embeddings=False)


def _transposed() -> RobertaForMaskedLM:
    name = "roberta.encoder.layer.2.attention.output.dense.weight"
    return _with_weights({name: _weight(name).T.copy()})


def _without_bias() -> RobertaForMaskedLM:
    name = "roberta.encoder.layer.1.attention.self.key.bias"
    return _with_weights({name: 0 * _weight(name)})


_PORTS: dict[str, tuple[Callable[[], RobertaForMaskedLM], Step | None]] = {
    "alder": (_model, _positions_from_0),
    "birch": (_model, _unscaled),
    "cedar": (_untied, None),
    "elder": (_model, _without_types),
    "hazel": (_transposed, None),
    "larch": (_model, _mask_of_1),
    "maple": (_model, _unbiased),
    "oak": (lambda: _model(layer_norm_eps=1e-12), None),
    "pine": (_model, _half),
    "rowan": (_model, _tanh_in_head),
    "yew": (_without_bias, _other_residual),
}

#: Of the ports.
NAMES = tuple(_PORTS)

#: What a port does not compute.
_LACKING = {"elder": ("token_type_ids", "roberta.embeddings.token_type_embeddings")}


def run(name: str, batch: Mapping[str, Any]) -> dict[str, Any]:
    """Run a port on a batch.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    batch : mapping
        What the model is called with, as a tokenizer gives it.

    Returns
    -------
    dict of str to NumPy array
        The arguments, and each tensor that the port computes, under our names.

    Raises
    ------
    ValueError
        If there is no such port.
    """
    if name not in _PORTS:
        raise ValueError(f"there is no port {name!r}, but {', '.join(NAMES)}")
    made, step = _PORTS[name]
    with _doing(step):
        tensors = trace(made(), **batch).tensors
    return {key: array for key, array in tensors.items() if key not in _LACKING.get(name, ())}


@contextmanager
def _doing(step: Step | None) -> Iterator[None]:
    """Do a step otherwise within the block."""
    seen: dict[str, Any] = {}

    def watcher(name: str, array: Any) -> Any:
        changed = step(name, array, seen) if step else None
        seen[name] = array if changed is None else changed
        return changed

    with watch(watcher):
        yield
