"""What JAX and torch must know of a model to trace it: to compile, differentiate or export it.

They run a function once, on arrays that have a shape but no numbers, and record what it computes.
So its results must be of a kind in which they find the arrays: here all outputs of models are made
known to them, as soon as there are weights of theirs.

>>> import jax  # doctest: +SKIP
>>> model = model.to(xp=jax.numpy)  # doctest: +SKIP
>>> jax.jit(model)(ids).logits  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..arrays import Array, library_name
from ..cache import KeyValueCache
from ..encoder import encoder
from ..functional import gelu, largest, layer_norm, linear, softmax
from ..model_output import ModelOutput

__all__ = ["let_trace"]

_known: set[tuple[str, type[Any]]] = set()


def let_trace(weights: Array) -> None:
    """Make the outputs of all models known to the library of some weights, if it asks for it."""
    library = library_name(weights).replace("jaxlib", "jax")  # which the arrays of JAX are from
    if library in _REGISTER:
        kinds: tuple[type[Any], ...] = (KeyValueCache, *_subclasses(ModelOutput))
        for kind in kinds:
            if (library, kind) not in _known:
                _known.add((library, kind))
                _REGISTER[library](kind)


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


def _register_with_jax(kind: Any) -> None:
    import jax

    if kind is KeyValueCache:
        jax.tree_util.register_pytree_node(
            kind,
            lambda cache: (cache.parts(), cache.has_text),
            lambda has_text, parts: KeyValueCache.of_parts(parts, has_text),
        )
    else:
        jax.tree_util.register_dataclass(kind, data_fields=kind.__match_args__, meta_fields=())


def _register_with_torch(kind: Any) -> None:
    import torch

    if kind is not KeyValueCache:
        torch.export.register_dataclass(kind)
        return
    # Torch has no word for what is no dataclass. But a first search for the kernels of its tensors,
    # which torch.compile cannot follow, is made here.
    for formula in (encoder, gelu, largest, layer_norm, linear, softmax):
        formula.dispatch(torch.Tensor)


_REGISTER: dict[str, Callable[[Any], None]] = {
    "jax": _register_with_jax,
    "torch": _register_with_torch,
}
