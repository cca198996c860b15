"""Attention heads taken out of a model: their rows and columns of the weights are cut away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..arrays import Array, array_namespace, device_of, index_dtype
from ..config import RobertaConfig
from ..rules import Rule, check, is_integer

__all__ = ["all_pruned", "prune"]


def all_pruned(
    config: RobertaConfig, heads_to_prune: Mapping[int, Iterable[int]]
) -> dict[int, list[int]]:
    """Add heads, counted among the original ones, to those that a configuration says are pruned.

    >>> all_pruned(RobertaConfig(pruned_heads={1: [5]}), {1: [2, 5], 0: [3]})
    {0: [3], 1: [2, 5]}
    """
    check("heads_to_prune", heads_to_prune, _HEADS, TypeError)
    pruned = {layer: set(heads) for layer, heads in config.pruned_heads.items()}
    for layer, heads in heads_to_prune.items():
        pruned.setdefault(int(layer), set()).update(
            int(head) if is_integer(head) else head for head in heads
        )
    return {layer: sorted(pruned[layer]) for layer in sorted(pruned) if pruned[layer]}


_HEADS = Rule(
    lambda value: (
        isinstance(value, Mapping)
        and all(map(is_integer, value))
        and all(
            isinstance(heads, Iterable) and not isinstance(heads, str) for heads in value.values()
        )
    ),
    "a dictionary from layers to lists of heads",
)


def prune(
    flat: Mapping[str, Array], config: RobertaConfig, pruned: RobertaConfig
) -> dict[str, Array]:
    """Cut out of a model's tensors the heads that a second configuration says are pruned, too.

    A head is D rows of the query, key and value maps, and D columns of the map that follows.
    Cross-attention keeps its heads, as in transformers.
    """
    cut = dict(flat)
    for layer in pruned.pruned_heads:
        before, after = config.kept_heads(layer), pruned.kept_heads(layer)
        places = [place for place, head in enumerate(before) if head in after]
        if len(places) == len(before):
            continue
        for name in flat:
            _, found, part = name.rpartition(f"encoder.layer.{layer}.attention.")
            if found and part in _HEAD_AXES:
                cut[name] = _take_heads(flat[name], places, config.head_size, _HEAD_AXES[part])
    return cut


#: Where a tensor's heads are: in its rows or in its columns.
_HEAD_AXES = {
    **{f"self.{part}.weight": 0 for part in ("query", "key", "value")},
    **{f"self.{part}.bias": 0 for part in ("query", "key", "value")},
    "output.dense.weight": 1,
}


def _take_heads(array: Array, heads: list[int], size: int, axis: int) -> Array:
    """Keep some heads of an axis of N times D."""
    xp = array_namespace(array)
    kept = [head * size + i for head in heads for i in range(size)]
    indices = xp.asarray(kept, dtype=index_dtype(xp), device=device_of(array))
    return xp.take(array, indices, axis=axis)
