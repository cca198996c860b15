"""The cases of the conformance vectors: a small model and its calls, or questions with answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ... import models
from ...arrays import Array
from ...config import RobertaConfig
from ...parameters import build_tree
from .drawing import USUAL, Scales, draw_weights

__all__ = ["Answers", "Case"]

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """What a port is to compute.

    Parameters
    ----------
    name : str
        Of its directory.
    covers : str
        What a port shows by it, in a sentence.
    settings : mapping
        The fields of the configuration.
    calls : tuple of dict
        The arguments of each call, nested lists by name. A decoder that is called more than once
        goes on where the call before has ended.
    architecture : str
        The model's class.
    outputs : tuple of str
        The names that a port must give.
    scales : Scales
        Of the weights.
    options : mapping
        Of the class.
    generate : mapping, optional
        Options of the generation that takes the place of a forward pass.
    """

    name: str
    covers: str
    settings: Mapping[str, Any]
    calls: tuple[dict[str, Any], ...]
    architecture: str = "RobertaForMaskedLM"
    outputs: tuple[str, ...] = ("lm_head.logits",)
    scales: Scales = USUAL
    options: Mapping[str, Any] = field(default_factory=dict)
    generate: Mapping[str, Any] | None = None

    @cached_property
    def config(self) -> RobertaConfig:
        """The configuration, which names the class."""
        return RobertaConfig(**self.settings, architectures=[self.architecture])

    @cached_property
    def weights(self) -> dict[str, Numbers]:
        """All weights, float32."""
        return draw_weights(self.name, self.config, self.architecture, self.scales, **self.options)

    def model(self, convert: Callable[[Numbers], Array]) -> Any:
        """Make the model of arrays of any kind, each from a weight in float32."""
        tree = build_tree({name: convert(one) for name, one in self.weights.items()})
        return getattr(models, self.architecture)(self.config, tree, **self.options)


class Answers(NamedTuple):
    """Questions with their answers, all of one kind, as they stand in a file of JSON.

    Parameters
    ----------
    name : str
    covers : str
        What a port shows by them.
    settings : dict
        What holds for all of them.
    cases : list of dict
        Each with its answer as ``expected``.
    """

    name: str
    covers: str
    settings: dict[str, Any]
    cases: list[dict[str, Any]]
