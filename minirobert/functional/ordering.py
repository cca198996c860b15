"""The largest numbers of a row, in order."""

from __future__ import annotations

from functools import singledispatch

from ..arrays import Array, array_namespace, take_along_last

__all__ = ["largest"]


@singledispatch
def largest(x: Array, k: int) -> tuple[Array, Array]:  # [M, X] -> [M, Y], [M, Y]
    """Find the k largest numbers of each row, and where they are.

    Parameters
    ----------
    x : Array of shape [M, X]
    k : int, at most X
        Y.

    Returns
    -------
    values : Array of shape [M, Y]
        The largest first.
    places : integer Array of shape [M, Y]
        Of equal numbers, the first comes first.

    >>> import numpy as np
    >>> largest(np.array([[5.0, 7.0, 6.0, 7.0]]), 3)
    (array([[7., 7., 6.]]), array([[1, 3, 2]]))
    """
    xp = array_namespace(x)
    places = xp.argsort(x, axis=1, descending=True)[:, :k]
    return take_along_last(x, places), places
