"""The hidden states from block to block, and what they are where a port puts its norms elsewhere.

A block ends in ``dense``, ``sum`` and ``LayerNorm``; what comes of it is given to the next, which
works on it and adds it again, as its residual.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...arrays import Array
from ...functional import layer_norm
from .place import Place

__all__ = ["LATE_RESIDUAL", "PRE_NORM", "normed_first", "other_states", "residual_of"]

PRE_NORM = "pre-LN: what a step is given is normalised, not what comes of it"
LATE_RESIDUAL = "the residual is added after the norm"


def residual_of(place: Place) -> Array:
    """Give what a block was given, which its sum adds."""
    before = _block_before(place)
    return place.state() if before is None else before.normed


class _Block(NamedTuple):
    """What a block computes at its end."""

    dense: Array
    total: Array
    normed: Array
    residual: Array


def _block_before(place: Place) -> _Block | None:
    """Find the block whose result a step is given, or None where it is that of the embeddings."""
    if place.bare.startswith("attention."):
        return _last_block(place, place.layer)
    if place.layer is None:
        return _last_block(place, place.n_layers)
    across = "crossattention.output.LayerNorm"
    if place.has(across) and not place.bare.startswith("crossattention."):
        return _block(place, "crossattention.output", place.at("attention.output.LayerNorm"))
    return _block(place, "attention.output", place.state())


def _last_block(place: Place, layer: int | None) -> _Block | None:
    """Find the end of the layer before."""
    if not layer:
        return None
    name = place.state_name(layer).removesuffix(".LayerNorm")
    inner = name.removesuffix("output")
    seen = place.world.seen
    across = seen.get(f"{inner}crossattention.output.LayerNorm")
    residual = seen[f"{inner}attention.output.LayerNorm"] if across is None else across
    return _Block(seen[f"{name}.dense"], seen[f"{name}.sum"], seen[f"{name}.LayerNorm"], residual)


def _block(place: Place, name: str, residual: Array) -> _Block:
    dense, total, normed = (place.at(f"{name}.{part}") for part in ("dense", "sum", "LayerNorm"))
    return _Block(dense, total, normed, residual)


def other_states(place: Place) -> Iterator[tuple[str, Array]]:
    """Give what a step may be given if norms stand in other places.

    Yields
    ------
    text : str
    hidden : Array of shape [B, S, H]
        What the block adds as its residual.
    """
    before = _block_before(place)
    if before is None:
        yield PRE_NORM, place.state()
        return
    # The sum of a port's trace is what its layer norm is given, wherever that stands.
    yield PRE_NORM, before.total + before.dense
    yield PRE_NORM, before.total
    yield LATE_RESIDUAL, before.normed + before.residual


def normed_first(place: Place, hidden: Array) -> Array:
    """Normalise what an attention or a feed-forward network is given, by its own layer norm."""
    block = place.bare.partition(".")[0]
    name = "output" if block in ("intermediate", "output") else f"{block}.output"
    weight, bias = (place.weight(f"{name}.LayerNorm.{part}") for part in ("weight", "bias"))
    return layer_norm(hidden, weight, bias, place.config.layer_norm_eps)
