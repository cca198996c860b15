"""What a case gives: every tensor of the forward pass, computed in portable float64."""

from __future__ import annotations

import math
import re
from random import Random
from typing import Any

import numpy as np

from ...arrays import Shape
from ...cache import KeyValueCache
from ...observe import watch
from ..arithmetic import Arithmetic
from ..traces import ARGUMENTS, Trace, digest, host
from .cases import Case
from .portable import portable

__all__ = ["VERSION", "call", "expected", "joined", "run"]

Numbers = np.ndarray[Any, Any]

#: Of the format of the vectors.
VERSION = "1"


class _Kept:
    """Gives dropout its random numbers."""

    def __init__(self, key: str) -> None:
        self._random = Random(key)

    def random(self, shape: Shape) -> Numbers:
        numbers = [self._random.random() for _ in range(math.prod(shape))]
        return np.array(numbers).reshape(shape)


def run(case: Case, model: Any) -> dict[str, Any]:
    """Call a model as the case says, each call with what the calls before have read.

    Returns
    -------
    dict of str to Array
        Of generation, the texts, and of a beam search their scores.
    """
    if case.generate is not None:
        (prompts,) = case.calls
        output = model.generate(**prompts, **case.generate, return_dict_in_generate=True)
        return {name: output[name] for name in case.outputs}
    cache = KeyValueCache() if len(case.calls) > 1 else None
    for number in range(len(case.calls)):
        call(case, number, model, cache)
    return {}


def call(case: Case, number: int, model: Any, cache: KeyValueCache | None = None) -> None:
    """Make one of the calls of a case."""
    more: dict[str, Any] = {} if cache is None else {"past_key_values": cache}
    if case.calls[number].get("train"):
        more["rng"] = _Kept(f"{case.name} dropout")
    model(**case.calls[number], **more)


def expected(case: Case) -> Trace:
    """Compute every tensor of a case.

    Returns
    -------
    Trace
        In the order of the computation, the arguments first.
    """
    with watch(keep=() if case.generate is None else "lm_head.logits") as seen:
        texts = run(case, case.model(portable))
    observed = {name: host(array) for name, array in {**seen, **texts}.items()}
    given = {
        f"call.{k}.{name}" if k else name: np.array(arguments[name])
        for k, arguments in enumerate(case.calls)
        for name in ARGUMENTS
        if name in arguments
    }
    return _trace_of(case, {**given, **joined(observed)})


_CHUNK = re.compile(r"chunk\.\d+\.")


def joined(tensors: dict[str, Numbers]) -> dict[str, Numbers]:
    """Join the pieces that chunk_size_feed_forward cuts: they are one tensor."""
    parts: dict[str, list[Numbers]] = {}
    for name, array in tensors.items():
        parts.setdefault(_CHUNK.sub("", name), []).append(array)
    return {n: np.concatenate(few, 1) if len(few) > 1 else few[0] for n, few in parts.items()}


def _trace_of(case: Case, tensors: dict[str, Numbers]) -> Trace:
    """Say what the tensors are of."""
    return Trace(
        tensors,
        {},
        case.architecture,
        case.config,
        Arithmetic("float64"),
        tuple(name for name in ARGUMENTS if name in case.calls[0]),
        {name: digest(weight) for name, weight in case.weights.items()},
        f"minirobert's conformance vectors, version {VERSION}",
    )
