"""Training losses, each the mean over whatever it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .arrays import (
    Array,
    array_namespace,
    as_array_like,
    astype,
    half_in_float32,
    index_dtype,
    is_floating,
    take_along_last,
    widened,
)
from .functional import log_softmax

__all__ = [
    "TEXT_LOSSES",
    "binary_cross_entropy_with_logits",
    "causal_lm_loss",
    "cross_entropy",
    "mean_squared_error",
    "span_loss",
    "token_loss",
]


@half_in_float32
def cross_entropy(
    logits: Array, labels: Array, ignore_index: int = -100
) -> Array:  # [..., C], [...] -> []
    """Average the negative log-probability of the right class, where there is one.

    ``-1/n sum log softmax(logits)[label]``, where n counts the labels that are not ignored. With
    none left the mean is 0/0, and the loss NaN, as in torch.

    Parameters
    ----------
    logits : Array of shape [..., C]
    labels : integer Array of shape [...]
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
    labels = as_array_like(labels, logits)
    xp = array_namespace(logits, labels)
    labels = astype(labels, index_dtype(xp))
    counted = labels != ignore_index
    index = xp.where(counted, labels, 0)  # any valid class where it is ignored
    picked = take_along_last(log_softmax(logits), index[..., None])[..., 0]  # [...]
    total = xp.sum(xp.where(counted, picked, 0.0))
    count = xp.sum(astype(counted, logits.dtype))
    return xp.where(count == 0, xp.nan, -total / xp.where(count == 0, 1.0, count))


def token_loss(logits: Array, labels: Array) -> Array:  # [B, S, C], [B, S] -> []
    """Take the `cross_entropy` of all tokens of all texts together, of masked words or of classes.

    Each counted token weighs the same, so a long text weighs more than a short one.
    """
    return cross_entropy(logits, labels)


def causal_lm_loss(
    logits: Array, labels: Array, n_items: int | None = None
) -> Array:  # [B, S, V], [B, S] -> []
    """Take the `cross_entropy` of each token's logits and the label of the next token.

    The labels are the tokens of the text themselves: the shift is made here. So the last logits of
    a text, and its first label, do not count.

    Parameters
    ----------
    logits : Array of shape [B, S, V]
        float16 and bfloat16 give a float32 loss.
    labels : integer Array of shape [B, S]
        Each -100 or in [0, V).
    n_items : int, optional
        What to divide the sum by; the number of labels that count by default.

    Returns
    -------
    Array of shape []
        NaN where no label counts and ``n_items`` is not given.

    >>> import numpy as np
    >>> causal_lm_loss(np.zeros((1, 3, 4)), np.array([[-100, 2, 0]])) / np.log(4)
    np.float64(1.0)
    """
    labels = as_array_like(labels, logits)
    xp = array_namespace(logits, labels)
    logits = widened(logits)
    shifted = labels[:, 1:]
    mean = token_loss(logits[:, :-1, :], shifted)
    if n_items is None:
        return mean
    count = xp.sum(astype(shifted != -100, logits.dtype))
    return xp.where(count == 0, 0.0, mean * count / n_items)


def span_loss(
    start_logits: Array, end_logits: Array, start_positions: Array, end_positions: Array
) -> Array:  # [B, S], [B, S], [B], [B] -> []
    """Average the `cross_entropy` of where answers start and of where they end, over positions.

    Softmax runs over the S tokens of a text: the classes are its positions. A position at or
    behind the end of the text is ignored (the answer was cut off); a negative one, even -100,
    means position 0, as in transformers. Where all starts or all ends are ignored, the loss is NaN.

    Parameters
    ----------
    start_logits, end_logits : Array of shape [B, S]
    start_positions, end_positions : integer Array of shape [B]

    Returns
    -------
    Array of shape []
        Of the dtype of the logits.

    Notes
    -----
    Source: Devlin et al. 2018 (arXiv:1810.04805), section 4.2, which adds the two up; this is half
    of their sum.

    >>> import numpy as np
    >>> even = np.zeros((1, 4))
    >>> span_loss(even, even, np.array([1]), np.array([2])) / np.log(4)
    np.float64(1.0)
    """
    xp = array_namespace(start_logits)
    length = start_logits.shape[1]

    def one_side(logits: Array, positions: Array) -> Array:
        positions = xp.clip(astype(as_array_like(positions, logits), index_dtype(xp)), 0, length)
        return cross_entropy(logits, positions, ignore_index=length)

    start, end = one_side(start_logits, start_positions), one_side(end_logits, end_positions)
    return _half_of_sum(start, end)


@half_in_float32
def _half_of_sum(a: Array, b: Array) -> Array:  # [], [] -> []
    return (a + b) / 2


def mean_squared_error(predictions: Array, targets: Array) -> Array:  # [...], [...] -> []
    """Average the squared differences: ``1/n sum (prediction - target)^2``.

    Parameters
    ----------
    predictions : Array of any shape
    targets : Array of the same shape
        Integers or floating-point numbers.

    Returns
    -------
    Array of shape []
        Of the wider dtype of the two; integers take that of ``predictions``.

    >>> import numpy as np
    >>> mean_squared_error(np.array([[1.0], [2.0]]), np.array([[4], [2]]))
    np.float64(4.5)
    """
    return _mean_squared_error(*_promoted(predictions, targets))


@half_in_float32
def _mean_squared_error(predictions: Array, targets: Array) -> Array:
    difference = predictions - targets
    return array_namespace(difference).mean(difference * difference)


def binary_cross_entropy_with_logits(logits: Array, targets: Array) -> Array:  # [...], [...] -> []
    """Average the cross-entropy of yes-or-no decisions, one for each logit.

    With the probability ``p = sigmoid(x)`` of yes, and the target y, each costs
    ``-y log(p) - (1 - y) log(1 - p)``. No target is ignored: each counts.

    Parameters
    ----------
    logits : Array of any shape
    targets : Array of the same shape
        From 0 (no) to 1 (yes).

    Returns
    -------
    Array of shape []
        Of the wider dtype of the two; integers take that of ``logits``.

    Notes
    -----
    In this form log would meet a probability that has been rounded to 0. But
    ``-log(1 - p) = log(1 + exp(x))`` and ``-log(p) = log(1 + exp(x)) - x``, so that the cost is
    ``log(1 + exp(x)) - x y``; and ``log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))``, whose
    exponential never overflows.

    >>> import numpy as np
    >>> binary_cross_entropy_with_logits(np.array([0.0, 1000.0]), np.array([1.0, 1.0])) / np.log(2)
    np.float64(0.5)
    """
    return _binary_cross_entropy(*_promoted(logits, targets))


@half_in_float32
def _binary_cross_entropy(logits: Array, targets: Array) -> Array:
    xp = array_namespace(logits)
    linear_part = xp.clip(logits, 0.0, None) - logits * targets  # first: 0 for a sure, right yes
    return xp.mean(linear_part + xp.log1p(xp.exp(-xp.abs(logits))))


def _promoted(predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Give both the wider of their dtypes; integers and booleans take that of the predictions."""
    targets = as_array_like(targets, predictions)
    if not is_floating(targets):
        targets = astype(targets, predictions.dtype)
    dtype = array_namespace(predictions, targets).result_type(predictions, targets)
    return astype(predictions, dtype), astype(targets, dtype)


#: The loss of texts for each ``problem_type``, of logits [B, C] and labels as
#: `minirobert.models.labels.check_text_labels` gives them.
TEXT_LOSSES: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {
        "regression": mean_squared_error,
        "single_label_classification": cross_entropy,
        "multi_label_classification": binary_cross_entropy_with_logits,
    }
)
