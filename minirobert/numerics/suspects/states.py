"""The hidden states from block to block, and what they are where a port puts its norms elsewhere.

A block ends in ``dense``, ``sum`` and ``LayerNorm``; what comes of it is given to the next, which
works on it and adds it again, as its residual.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...arrays import Array
from ...functional import layer_norm
from .place import Place

__all__ = ["LATE_RESIDUAL", "PRE_NORM", "normed_first", "other_states", "residual_of"]

PRE_NORM = "pre-LN: what a step is given is normalised, not what comes of it"
LATE_RESIDUAL = "the residual is added after the norm"

_BLOCKS = ("attention.output", "crossattention.output", "output")


def residual_of(place: Place) -> Array:
    """Give what a block was given, which its sum adds."""
    return _results(place)[-1]


def _blocks(place: Place) -> list[str]:
    """Name the blocks before that of a step, in their order."""
    own = {"attention": 0, "crossattention": 1}.get(place.bare.partition(".")[0], 2)
    end = place.n_layers * 3 if place.layer is None else place.layer * 3 + own
    layers = (f"{place.world.prefix}encoder.layer.{i}" for i in range(place.n_layers))
    names = [f"{layer}.{block}" for layer in layers for block in _BLOCKS][:end]
    return [name for name in names if f"{name}.LayerNorm" in place.world.seen]


def _results(place: Place) -> list[Array]:
    """Give the hidden states before a step: those of the embeddings, then of each block."""
    seen = place.world.seen
    return [seen[place.state_name(0)], *(seen[f"{name}.LayerNorm"] for name in _blocks(place))]


def other_states(place: Place) -> Iterator[tuple[str, Array]]:
    """Give what a step may be given if norms stand in other places."""
    blocks, states = _blocks(place), _results(place)
    if not blocks:
        yield PRE_NORM, states[0]
        return
    dense, total = (place.world.seen[f"{blocks[-1]}.{part}"] for part in ("dense", "sum"))
    # The sum of a port's trace is what its layer norm is given, wherever that stands.
    yield PRE_NORM, total + dense
    yield PRE_NORM, total
    yield LATE_RESIDUAL, states[-1] + states[-2]


def normed_first(place: Place, hidden: Array) -> Array:
    """Normalise what an attention or a feed-forward network is given, by its own layer norm."""
    block = place.bare.partition(".")[0]
    name = "output" if block in ("intermediate", "output") else f"{block}.output"
    weight, bias = (place.weight(f"{name}.LayerNorm.{part}") for part in ("weight", "bias"))
    return layer_norm(hidden, weight, bias, place.config.layer_norm_eps)
