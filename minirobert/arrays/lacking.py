"""What some library lacks that the standard has, in the words of what it does have."""

from __future__ import annotations

from math import prod

import array_api_compat
import numpy as np

from .dtypes import astype, index_dtype
from .namespaces import Array, array_namespace, device_of

__all__ = ["is_lazy", "is_writeable", "take_along_last"]


def is_writeable(array: Array) -> bool:
    """Tell whether arrays of this library can be written into: those of JAX can not."""
    return isinstance(array, np.ndarray) or bool(array_api_compat.is_writeable_array(array))


def is_lazy(array: Array) -> bool:
    """Tell whether the library may not know how many elements of a mask are True: dask, JAX."""
    return not isinstance(array, np.ndarray) and bool(array_api_compat.is_lazy_array(array))


def take_along_last(x: Array, places: Array) -> Array:  # [..., X], [..., Y] -> [..., Y]
    """Take from each row of the last axis the elements at some places.

    Parameters
    ----------
    x : Array of shape [..., X]
    places : integer Array of shape [..., Y]
        Each in [0, X).

    Returns
    -------
    Array of shape [..., Y]

    >>> take_along_last(np.array([[5, 6, 7], [8, 9, 10]]), np.array([[2, 0], [1, 1]]))
    array([[7, 5],
           [9, 9]])
    """
    xp = array_namespace(x, places)
    if hasattr(xp, "take_along_axis"):
        return xp.take_along_axis(x, places, axis=-1)
    *rows, width = x.shape
    kind = index_dtype(xp)
    first = xp.arange(prod(rows), dtype=kind, device=device_of(x)) * width  # of each row
    flat = astype(places, kind) + xp.reshape(first, (*rows, 1))
    taken = xp.take(xp.reshape(x, (-1,)), xp.reshape(flat, (-1,)), axis=0)
    return xp.reshape(taken, tuple(places.shape))
