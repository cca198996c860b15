"""From which words to draw the next one: the likely ones, by one measure or another.

The scores are logits, [B, V]; a word with the score -inf is never drawn. One word is always left.
"""

from __future__ import annotations

import math

from ..arrays import Array, array_namespace, astype, device_of, index_dtype, take_along_last
from ..functional import largest, log_softmax, softmax

__all__ = [
    "epsilon_cutoff",
    "eta_cutoff",
    "min_p",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
]


def temperature(scores: Array, value: float) -> Array:  # [B, V] -> [B, V]
    """Divide the scores: below 1, likely words become more likely still, above 1 less.

    Notes
    -----
    Source: Ackley, Hinton & Sejnowski 1985 (Cognitive Science 9), equation 5.
    """
    return scores / value


def top_k(scores: Array, k: int) -> Array:
    """Forbid all but the k most likely words, and those as likely as the last of them.

    Parameters
    ----------
    scores : Array of shape [B, V]
    k : int
        More than V is as good as V.

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Fan, Lewis & Dauphin 2018 (arXiv:1805.04833), section 5.4.

    >>> import numpy as np
    >>> top_k(np.array([[1.0, 3.0, 2.0, 2.0]]), 2)
    array([[-inf,   3.,   2.,   2.]])
    """
    xp = array_namespace(scores)
    values, _ = largest(scores, min(k, scores.shape[1]))
    return xp.where(scores < values[:, -1:], -math.inf, scores)


def top_p(scores: Array, p: float, min_tokens_to_keep: int = 1) -> Array:
    """Keep only the most likely words that together have a probability of at least ``p``.

    They are as few as will do: the *nucleus*. Of equally likely words at its border, those with
    lower ids are left out first.

    Parameters
    ----------
    scores : Array of shape [B, V]
    p : float in [0, 1]
    min_tokens_to_keep : int
        How many are kept in any case.

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Holtzman et al. 2019 (arXiv:1904.09751), section 3.1.

    >>> import numpy as np
    >>> top_p(np.log(np.array([[0.1, 0.6, 0.3]])), 0.8).round(1)
    array([[-inf, -0.5, -1.2]])
    """
    xp = array_namespace(scores)
    vocab, kind = scores.shape[1], index_dtype(xp)
    in_order = xp.sort(scores, axis=1, stable=False)  # [B, V], the least likely word first
    up_to = xp.cumulative_sum(softmax(in_order), axis=1)
    # The words up to here are so unlikely that those behind have p without them.
    rank = xp.arange(vocab, dtype=kind, device=device_of(scores))
    dropped = (up_to <= 1 - p) & (rank < scores.shape[1] - min_tokens_to_keep)
    n_dropped = xp.sum(astype(dropped, kind), axis=1, keepdims=True)  # [B, 1]
    last = take_along_last(in_order, xp.clip(n_dropped - 1, 0, vocab - 1))  # [B, 1]
    less = scores < last
    n_alike = n_dropped - xp.sum(astype(less, kind), axis=1, keepdims=True)
    alike = scores == last
    first_ones = xp.cumulative_sum(astype(alike, kind), axis=1) <= n_alike
    return xp.where(less | (alike & first_ones), -math.inf, scores)


def min_p(scores: Array, p: float) -> Array:
    """Forbid the words whose probability is less than ``p`` times that of the likeliest.

    Parameters
    ----------
    scores : Array of shape [B, V]
    p : float in [0, 1]

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Nguyen et al. 2024 (arXiv:2407.01082), section 3.2.

    >>> import numpy as np
    >>> min_p(np.log(np.array([[0.1, 0.6, 0.3]])), 0.4).round(1)
    array([[-inf, -0.5, -1.2]])
    """
    probabilities = softmax(scores)
    highest = array_namespace(scores).max(probabilities, axis=1, keepdims=True)
    return _at_least(scores, probabilities, p * highest)


def typical_p(scores: Array, mass: float) -> Array:
    """Keep only the words whose surprise is nearest to what is expected, with this probability.

    The surprise of a word is ``-log p``, and its expected value the entropy. Those nearest to it
    are taken until they have the probability ``mass`` together.

    Parameters
    ----------
    scores : Array of shape [B, V]
    mass : float in (0, 1)

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Meister et al. 2022 (arXiv:2202.00666), equation 10.

    >>> import numpy as np
    >>> typical_p(np.log(np.array([[0.1, 0.6, 0.3]])), 0.2).round(1)
    array([[-inf, -inf, -1.2]])
    """
    xp = array_namespace(scores)
    log_probabilities = log_softmax(scores)
    distance = xp.abs(-log_probabilities - _entropy(log_probabilities))
    order = xp.argsort(distance, axis=1)  # [B, V], the most typical word first
    sums = xp.cumulative_sum(softmax(take_along_last(scores, order)), axis=1)
    last = xp.sum(astype(sums < mass, index_dtype(xp)), axis=1, keepdims=True)  # [B, 1]
    last = xp.minimum(last, scores.shape[1] - 1)
    furthest = take_along_last(take_along_last(distance, order), last)
    return xp.where(distance > furthest, -math.inf, scores)


def epsilon_cutoff(scores: Array, epsilon: float) -> Array:
    """Forbid the words whose probability is less than ``epsilon``, but for the likeliest.

    Parameters
    ----------
    scores : Array of shape [B, V]
    epsilon : float in (0, 1)

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Hewitt, Manning & Liang 2022 (arXiv:2210.15191), section 4.1.
    """
    return _at_least(scores, softmax(scores), epsilon)


def eta_cutoff(scores: Array, epsilon: float) -> Array:
    """Forbid the words with a low probability; the more even they are, the lower it must be.

    The limit is the lower of ``epsilon`` and ``sqrt(epsilon) * exp(-entropy)``.

    Parameters
    ----------
    scores : Array of shape [B, V]
    epsilon : float in (0, 1)

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Hewitt, Manning & Liang 2022 (arXiv:2210.15191), section 4.2.
    """
    xp = array_namespace(scores)
    limit = math.sqrt(epsilon) * xp.exp(-_entropy(log_softmax(scores)))  # [B, 1]
    return _at_least(scores, softmax(scores), xp.where(limit > epsilon, epsilon, limit))


def _at_least(scores: Array, probabilities: Array, limit: Array | float) -> Array:
    """Forbid the words below a limit, one for all texts or [B, 1], but for the likeliest."""
    xp = array_namespace(scores)
    highest = xp.max(scores, axis=1, keepdims=True)
    return xp.where((probabilities < limit) & (scores < highest), -math.inf, scores)


def _entropy(log_probabilities: Array) -> Array:  # [B, V] -> [B, 1]
    """Give the expected surprise; a word that is impossible adds nothing to it."""
    xp = array_namespace(log_probabilities)
    surprise = xp.where(log_probabilities == -math.inf, 0.0, log_probabilities)
    return -xp.sum(xp.exp(log_probabilities) * surprise, axis=1, keepdims=True)
