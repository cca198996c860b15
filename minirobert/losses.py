"""Training losses."""

from __future__ import annotations

from .arrays import Array, array_namespace, astype, half_in_float32
from .functional import log_softmax

__all__ = ["cross_entropy"]


@half_in_float32
def cross_entropy(logits: Array, labels: Array, ignore_index: int = -100) -> Array:
    """Average the negative log-probability of the right class, over the rows that have one.

    ``-1/n sum log softmax(logits)[label]``, where n counts the labels that are not ignored. With
    none left the mean is 0/0, and the loss NaN, as in torch.

    Parameters
    ----------
    logits : Array of shape [M, C]
    labels : integer Array of shape [M]
        Each ``ignore_index`` or in [0, C).
    ignore_index : int

    Returns
    -------
    Array of shape []
        Of the dtype of ``logits``.

    >>> import numpy as np
    >>> cross_entropy(np.array([[0.0, 0.0], [0.0, 9.0]]), np.array([1, -100])) / np.log(2)
    np.float64(1.0)
    """
    xp = array_namespace(logits, labels)
    labels = astype(labels, xp.int64)
    counted = labels != ignore_index
    index = xp.where(counted, labels, 0)  # any valid class where it is ignored
    picked = xp.take_along_axis(log_softmax(logits), index[:, None], axis=1)[:, 0]  # [M]
    total = xp.sum(xp.where(counted, picked, 0.0))
    count = xp.sum(astype(counted, logits.dtype))
    return xp.where(count == 0, xp.nan, -total / xp.where(count == 0, 1.0, count))
