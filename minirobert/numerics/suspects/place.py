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
from ...config import RobertaConfig
from ..bounded import BoundedArray, Numbers

__all__ = ["Place", "World", "is_boundary", "kind_of", "numbers_in"]

_LAYER = re.compile(r"(?P<scope>.*encoder\.layer\.(?P<layer>\d+)\.)(?P<bare>.+)")


@dataclass
class World:
    """One call of the model: its weights and arguments, and the tensors computed so far.

    Parameters
    ----------
    config : RobertaConfig
        Of the reference.
    prefix : str
        Of the encoder's names: ``"roberta."`` or none.
    weights : mapping of str to NumPy array
        By their names in a checkpoint.
    convert : callable
        Makes an array of the kind that the model runs on.
    arguments : mapping of str to NumPy array
        Of the call.
    seen : dict of str to Array
        What the computation went on with, in its order; it is filled as the call is repeated.
    past : dict of str to Array
        The keys and values of the calls whose cache this one extends, by name.
    """

    config: RobertaConfig
    prefix: str
    weights: Mapping[str, Numbers]
    convert: Callable[[Any], Array]
    arguments: Mapping[str, Numbers]
    seen: dict[str, Array] = field(default_factory=dict)
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
        """Give a weight as the kind of array that the model runs on.

        Raises
        ------
        KeyError
            If there is none.
        """
        if name not in self._converted:
            self._converted[name] = self.convert(self.weights[name])
        return self._converted[name]


def _as_rows(name: str, array: Numbers, arguments: Mapping[str, Numbers]) -> Numbers:
    """Make rows of the batch of the choices of a text. [B, C, S] -> [B C, S]."""
    has_choices = "input_ids" in arguments and arguments["input_ids"].ndim == 3
    return array.reshape(-1, array.shape[-1]) if has_choices and array.ndim == 3 else array


@dataclass(frozen=True)
class Place:
    """A step: its name, what the reference has there, and the world around it.

    Parameters
    ----------
    name : str
    own : Array
        What the reference has.
    world : World
    port : NumPy array, optional
        What the port has, of the shape of ``own``.
    n_before : int, optional
        How many tensors of the world were computed before; by default all.
    """

    name: str
    own: Array
    world: World
    port: Numbers | None = None
    n_before: int | None = None

    @property
    def config(self) -> RobertaConfig:
        """Of the reference."""
        return self.world.config

    @property
    def layer(self) -> int | None:
        """The number of the layer, or None outside of them."""
        found = _LAYER.match(self.name)
        return int(found["layer"]) if found else None

    @property
    def bare(self) -> str:
        """The name within its layer, or within the model."""
        found = _LAYER.match(self.name)
        return found["bare"] if found else self.name.removeprefix(self.world.prefix)

    @property
    def scope(self) -> str:
        """What stands before the bare name."""
        return self.name[: len(self.name) - len(self.bare)]

    @property
    def n_layers(self) -> int:
        """How many layers there are."""
        return self.config.num_hidden_layers

    def at(self, bare: str) -> Array:
        """Give a tensor that was computed before, of the same layer.

        Raises
        ------
        KeyError
            If there is none.
        """
        return self.world.seen[self.scope + bare]

    def has(self, bare: str) -> bool:
        """Tell whether a tensor of the same layer was computed before."""
        return self.scope + bare in self.world.seen

    def weight(self, name: str, layer: int | None = None) -> Array:
        """Give a weight by its name within the layer (by default this one), or the model.

        Raises
        ------
        KeyError
            If there is none.
        """
        scope = self.scope
        if layer is not None:
            scope = f"{self.world.prefix}encoder.layer.{layer}."
        return self.world.weight(scope + name)

    def has_weight(self, name: str) -> bool:
        """Tell whether there is such a weight."""
        return self.scope + name in self.world.weights

    def embeddings(self) -> Array:
        """Give the first hidden states."""
        return self.world.seen[f"{self.world.prefix}embeddings"]

    def state_name(self, layer: int) -> str:
        """Name the hidden states that a layer is given; layer L stands for the heads."""
        before = f"encoder.layer.{layer - 1}.output.LayerNorm"
        return self.world.prefix + (before if layer else "embeddings")

    def state(self, layer: int | None = None) -> Array:
        """Give the hidden states that a layer is given, by default this one, or the heads."""
        if layer is None:
            layer = self.n_layers if self.layer is None else self.layer
        return self.world.seen[self.state_name(layer)]

    def alike(self, like: Array) -> Iterator[tuple[str, Array]]:
        """Give what else there is of the shape of a tensor, the latest first.

        It is of this layer and the one before, or what any layer was given.
        """
        last = self.n_layers if self.layer is None else self.layer
        near = {last, last - 1, None}
        states = {self.state_name(layer) for layer in range(last + 1)}
        for name, array in reversed(list(self.world.seen.items())[: self.n_before]):
            found = _LAYER.match(name)
            is_near = (int(found["layer"]) if found else None) in near or name in states
            is_alike = array.shape == like.shape and array.dtype == like.dtype
            if is_near and is_alike and array is not like:
                yield name, array

    def told(self, name: str) -> str:
        """Tell of another tensor in words that do not depend on the layer.

        >>> Place("encoder.layer.3.output.sum", None, World(None, "", {}, None, {})).told(
        ...     "encoder.layer.2.output.LayerNorm"
        ... )
        'output.LayerNorm of the layer before'
        """
        found = _LAYER.match(name)
        if not found or self.layer is None:
            return name.removeprefix(self.world.prefix) if not found else name
        before = self.layer - int(found["layer"])
        if before == 0:
            return found["bare"]
        how = "the layer before" if before == 1 else f"{before} layers before"
        return f"{found['bare']} of {how}"

    def numbers(self, name: str) -> Numbers | None:
        """Give the plain numbers of an argument or tensor of the call, or None."""
        array = self.world.seen.get(name)
        if array is None:
            return self.world.arguments.get(name)
        return numbers_in(array)


def numbers_in(array: Any) -> Numbers:
    """Give the numbers of an array, without their bounds."""
    return array.value if isinstance(array, BoundedArray) else np.asarray(array)


def is_boundary(name: str) -> bool:
    """Tell whether all that follows depends on what came before through this tensor alone.

    >>> is_boundary("encoder.layer.3.output.LayerNorm"), is_boundary("encoder.layer.3.output.sum")
    (True, False)
    """
    return name.endswith((".output.LayerNorm", "roberta.embeddings")) or name == "embeddings"


def kind_of(name: str) -> str:
    """Give a name without the number of its layer.

    >>> kind_of("roberta.encoder.layer.3.output.sum")
    'roberta.encoder.layer.*.output.sum'
    """
    return re.sub(r"\.layer\.\d+\.", ".layer.*.", name)
