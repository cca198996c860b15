"""Whether an array has values, or only stands for some while a library records what is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .namespaces import library_name

__all__ = ["has_values"]


def has_values(array: Any) -> bool:
    """Tell whether the numbers of an array can be read.

    They cannot where a library records what is computed, to compile it, to differentiate it or to
    write it to a file: then an array has a dtype and a shape, and stands for any numbers.

    >>> has_values(np.zeros(3))
    True
    """
    if type(array) is np.ndarray:
        return True
    known = _HAVE_VALUES.get(library_name(array))
    return not getattr(array, "is_symbolic", False) if known is None else known(array)


def _in_torch(array: Any) -> bool:
    import torch

    return not (
        torch.compiler.is_compiling()  # torch.compile, torch.export
        or array.is_meta
        or torch._C._functorch.is_batchedtensor(array)  # torch.func.vmap
    )


def _in_jax(array: Any) -> bool:
    import jax

    return not isinstance(array, jax.core.Tracer)  # as jax.jit, vmap and grad pass


def _in_ndonnx(array: Any) -> bool:
    try:
        array.unwrap_numpy()
    except ValueError:  # it depends on an input of the graph
        return False
    return True


#: Arrays of JAX that hold numbers are of the module jaxlib.
_HAVE_VALUES: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {"torch": _in_torch, "jax": _in_jax, "ndonnx": _in_ndonnx}
)
