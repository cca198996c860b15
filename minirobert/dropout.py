"""Where training drops: a tensor, what is kept of it, and the tensor after it, each with a name."""

from __future__ import annotations

from typing import Any

from .arrays import Array
from .functional import apply_dropout, dropout_mask
from .observe import observe

__all__ = ["dropped"]


def dropped(name: str, x: Array, p: float, rng: Any = None) -> Array:
    """Name a tensor, and in training drop a part of it.

    Before dropout the tensor is observed as ``name``, and after it as ``name.dropout``; what is
    kept is ``name.dropout.kept``. Outside of training there is only the first.

    Parameters
    ----------
    name : str
        Within the current scope.
    x : Array of any shape
    p : float in [0, 1]
        The probability of each element to be dropped.
    rng : random generator, optional
        Given in training, see `minirobert.functional.dropout_mask`.

    Returns
    -------
    Array
    """
    x = observe(name, x)
    if rng is None or p == 0:
        return x
    kept = observe(f"{name}.dropout.kept", dropout_mask(x, p, rng))
    return observe(f"{name}.dropout", apply_dropout(x, p, kept))
