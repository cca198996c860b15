"""A step of a forward pass, as one who looks for a mistake sees it: what was there before it.

A step is told from the same one of another layer by its place: ``attention.self.query`` of layer 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...arrays import Array
from ...attention import split_heads
from ...config import RobertaConfig
from ..bounded import BoundedArray, Numbers
from ..replay import is_split
from ..steps import layer

__all__ = ["Place", "World", "as_split", "is_boundary", "numbers_in", "told_pairs"]

_LAYER = re.compile(r".*encoder\.layer\.\d+\.")


@dataclass
class World:
    """One call of the model: its weights and arguments, and the tensors computed so far."""

    config: RobertaConfig  # of the reference
    prefix: str  # of the encoder's names: "roberta." or none
    weights: Mapping[str, Numbers]  # by their names in a checkpoint
    convert: Callable[[Any], Array]  # makes an array of the kind that the model runs on
    arguments: Mapping[str, Numbers]  # of the call
    #: What the computation went on with, in its order; it is filled as the call is repeated.
    seen: dict[str, Array] = field(default_factory=dict)
    #: The keys and values of the calls whose cache this one extends, by name.
    past: dict[str, Array] = field(default_factory=dict)
    _converted: dict[str, Array] = field(default_factory=dict)

    def of(
        self,
        arguments: Mapping[str, Numbers],
        past: Mapping[str, Array] | None = None,
        convert: Callable[[Any], Array] | None = None,
    ) -> World:
        """Give the world of another call, which begins; on other arrays, if it is so."""
        rows = {name: _as_rows(name, array, arguments) for name, array in arguments.items()}
        world = replace(self, arguments=rows, seen={}, past=dict(past or {}))
        return world if convert is None else replace(world, convert=convert, _converted={})

    def weight(self, name: str) -> Array:
        """Give a weight as the kind of array that the model runs on."""
        if name not in self._converted:
            self._converted[name] = self.convert(self.weights[name])
        return self._converted[name]


def _as_rows(name: str, array: Numbers, arguments: Mapping[str, Numbers]) -> Numbers:
    """Make rows of the batch of the choices of a text. [B, C, S] -> [B C, S]."""
    has_choices = "input_ids" in arguments and arguments["input_ids"].ndim == 3
    return array.reshape(-1, array.shape[-1]) if has_choices and array.ndim == 3 else array


@dataclass(frozen=True)
class Place:
    """A step: its name, what the reference has there, and the world around it."""

    name: str
    own: Array  # what the reference has
    world: World
    port: Numbers | None = None  # what the port has, of the shape of ``own``
    n_before: int | None = None  # how many tensors were computed before; by default all

    @property
    def config(self) -> RobertaConfig:
        """Of the reference."""
        return self.world.config

    @property
    def layer(self) -> int | None:
        """The number of the layer, or None outside of them."""
        return layer(self.name)

    @property
    def bare(self) -> str:
        """The name within its layer, or within the model."""
        return _bare(self.name, self.world.prefix)

    @property
    def scope(self) -> str:
        """What stands before the bare name."""
        return self.name[: len(self.name) - len(self.bare)]

    @property
    def n_layers(self) -> int:
        """How many layers there are."""
        return self.config.num_hidden_layers

    @property
    def last(self) -> int:
        """How many layers stand before this one, or before the heads."""
        return self.n_layers if self.layer is None else self.layer

    def at(self, bare: str) -> Array:
        """Give a tensor that was computed before, of the same layer."""
        return self.world.seen[self.scope + bare]

    def has(self, bare: str) -> bool:
        """Tell whether a tensor of the same layer was computed before."""
        return self.scope + bare in self.world.seen

    def weight(self, name: str, layer: int | None = None) -> Array:
        """Give a weight by its name within the layer (by default this one), or the model."""
        scope = self.scope
        if layer is not None:
            scope = f"{self.world.prefix}encoder.layer.{layer}."
        return self.world.weight(scope + name)

    def has_weight(self, name: str) -> bool:
        """Tell whether there is such a weight."""
        return self.scope + name in self.world.weights

    def state_name(self, layer: int) -> str:
        """Name the hidden states that a layer is given; layer L stands for the heads."""
        before = f"encoder.layer.{layer - 1}.output.LayerNorm"
        return self.world.prefix + (before if layer else "embeddings")

    def state(self) -> Array:
        """Give the hidden states that this layer is given, or the heads."""
        return self.world.seen[self.state_name(self.last)]

    def alike(self, like: Array) -> Iterator[tuple[str, Array]]:
        """Give what else there is of the shape of a tensor, the latest first.

        It is of this layer and the one before, or what any layer was given.
        """
        near = {self.last, self.last - 1, None}
        states = {self.state_name(j) for j in range(self.last + 1)}
        for name, array in reversed(list(self.world.seen.items())[: self.n_before]):
            is_near = layer(name) in near or name in states
            is_alike = array.shape == like.shape and array.dtype == like.dtype
            if is_near and is_alike and array is not like:
                yield name, array

    def other_layers(self) -> Iterator[tuple[str, int]]:
        """Give the other layers, each with words for its weights in place of this one's."""
        for j in range(self.n_layers):
            if j != self.layer and self.layer is not None:
                yield f"the weights are those of layer {j}", j
                first, second = sorted((j, self.layer))
                yield f"layers {first} and {second} are exchanged", j

    def said_of(self, name: str, what: str) -> tuple[str, bool]:
        """Tell of another tensor in place of ``what``, and whether that would be odd."""
        is_first = self.bare.startswith(("attention.self.", "attention.output.sum"))
        for skipped in range(1, self.last + 1) if is_first or self.layer is None else ():
            if name == self.state_name(self.last - skipped):
                words = "a layer is" if skipped == 1 else f"{skipped} layers are"
                return f"{words} skipped: what that was given goes on", False
        return f"{what} {self.told(name)}", True

    def told(self, name: str) -> str:
        """Tell of another tensor in words that do not depend on the layer.

        >>> Place("encoder.layer.3.output.sum", None, World(None, "", {}, None, {})).told(
        ...     "encoder.layer.2.output.LayerNorm"
        ... )
        'output.LayerNorm of the layer before'
        """
        own, words = layer(name), _bare(name, self.world.prefix)
        if own is None or self.layer is None:
            return words if own is None else name
        before = self.layer - own
        if before == 0:
            return words
        return f"{words} of {'the layer' if before == 1 else f'{before} layers'} before"

    def numbers(self, name: str) -> Numbers | None:
        """Give the plain numbers of an argument or tensor of the call, or None."""
        array = self.world.seen.get(name)
        if array is None:
            return self.world.arguments.get(name)
        return numbers_in(array)


def _bare(name: str, prefix: str) -> str:
    found = _LAYER.match(name)
    return name[found.end() :] if found else name.removeprefix(prefix)


def told_pairs(found: Mapping[int, int]) -> str:
    """Tell which ids have whose numbers, of a few.

    >>> told_pairs({23: 17, 17: 23})
    '17 has that of 23, 23 has that of 17'
    """
    return ", ".join(f"{i} has that of {j}" for i, j in sorted(found.items())[:6])


def as_split(place: Place) -> Place:
    """Look at what is to be split into heads as if it were: the suspects are of the latter."""
    name = place.name.removesuffix(".dense")
    if name == place.name or not is_split(name):
        return place
    n_heads = place.own.shape[-1] // place.config.head_size
    port = None if place.port is None else np.asarray(split_heads(place.port, n_heads))
    return replace(place, name=name, own=split_heads(place.own, n_heads), port=port)


def numbers_in(array: Any) -> Numbers:
    """Give the numbers of an array, without their bounds."""
    return array.value if isinstance(array, BoundedArray) else np.asarray(array)


def is_boundary(name: str) -> bool:
    """Tell whether all that follows depends on what came before through this tensor alone.

    >>> is_boundary("encoder.layer.3.output.LayerNorm"), is_boundary("encoder.layer.3.output.sum")
    (True, False)
    """
    return name.endswith((".output.LayerNorm", "roberta.embeddings")) or name == "embeddings"
