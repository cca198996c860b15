"""What is done to the scores of the next word before one is chosen.

The scores are logits or logarithms of probabilities, [B, V]; T counts the tokens of the texts so
far. A word with the score -inf is never chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..arrays import Array, array_namespace, device_of
from ..functional import largest, softmax

__all__ = [
    "min_new_tokens",
    "no_repeat_ngrams",
    "repetition_penalty",
    "temperature",
    "top_k",
    "top_p",
]


def repetition_penalty(scores: Array, input_ids: Array, penalty: float) -> Array:
    """Make the words that a text already has less likely.

    Their positive scores are divided by the penalty, and their negative ones multiplied with it.

    Parameters
    ----------
    scores : Array of shape [B, V]
    input_ids : integer Array of shape [B, T]
        The texts so far; whatever stands in them counts, the prompt and padding too.
    penalty : float
        1 changes nothing, less makes repetitions more likely.

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Keskar et al. 2019 (arXiv:1909.05858), section 4.1, whose formula only divides.

    >>> import numpy as np
    >>> repetition_penalty(np.array([[3.0, -3.0, 3.0]]), np.array([[0, 1]]), 2.0)
    array([[ 1.5, -6. ,  3. ]])
    """
    xp = array_namespace(scores)
    penalised = xp.where(scores < 0, scores * penalty, scores / penalty)
    return xp.where(_words_of(input_ids, scores), penalised, scores)


def no_repeat_ngrams(scores: Array, input_ids: Array, size: int) -> Array:
    """Forbid each word that would complete a run of ``size`` tokens which the text already has.

    Parameters
    ----------
    scores : Array of shape [B, V]
    input_ids : integer Array of shape [B, T]
    size : int
        With 1, no word comes twice.

    Returns
    -------
    Array of shape [B, V]

    Notes
    -----
    Source: Paulus et al. 2017 (arXiv:1705.04304), section 2.5, for runs of three.

    >>> import numpy as np
    >>> no_repeat_ngrams(np.zeros((1, 4)), np.array([[3, 2, 1, 3]]), 2)
    array([[  0.,   0., -inf,   0.]])
    """
    xp = array_namespace(scores)
    length = input_ids.shape[1]
    runs = length - size + 1  # how many the text has
    if runs < 1:
        return scores
    same = xp.ones((input_ids.shape[0], runs), dtype=xp.bool, device=device_of(input_ids))
    for i in range(size - 1):  # compare the first tokens of each run with the end of the text
        end = input_ids[:, runs + i : runs + i + 1]  # [B, 1]
        same = same & (input_ids[:, i : runs + i] == end)
    completing = input_ids[:, size - 1 :]  # [B, X], of X runs
    return xp.where(_words_of(completing, scores, same), -math.inf, scores)


def _words_of(
    input_ids: Array, scores: Array, counts: Array | None = None
) -> Array:  # [B, T], [B, V], bool [B, T] -> bool [B, V]
    """Tell of each word whether it is in a text, where ``counts`` is true."""
    xp = array_namespace(input_ids)
    batch, vocab = scores.shape
    numbers = xp.arange(batch * vocab, dtype=xp.int64, device=device_of(input_ids))
    numbers = xp.reshape(numbers, (batch, vocab))  # of word v of text b: b V + v
    found = input_ids + numbers[:, :1]  # [B, T]
    if counts is not None:
        found = xp.where(counts, found, -1)
    return xp.isin(numbers, found)


def min_new_tokens(scores: Array, n_new: int, least: int, eos_token_ids: Sequence[int]) -> Array:
    """Forbid the end of a text before it has so many new tokens.

    Parameters
    ----------
    scores : Array of shape [B, V]
    n_new : int
        How many it has.
    least : int
    eos_token_ids : sequence of int
        The tokens that end a text.

    Returns
    -------
    Array of shape [B, V]
    """
    if n_new >= least:
        return scores
    xp = array_namespace(scores)
    words = xp.arange(scores.shape[1], dtype=xp.int64, device=device_of(scores))
    return xp.where(is_one_of(words, eos_token_ids), -math.inf, scores)


def is_one_of(tokens: Array, ids: Sequence[int]) -> Array:  # [...] -> bool [...]
    """Tell of each token whether it is one of a few."""
    xp = array_namespace(tokens)
    return xp.isin(tokens, xp.asarray(list(ids), dtype=tokens.dtype, device=device_of(tokens)))


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
    order = xp.argsort(scores, axis=1)  # [B, V], the least likely word first
    probabilities = softmax(xp.take_along_axis(scores, order, axis=1))
    up_to = xp.cumulative_sum(probabilities, axis=1)
    # The words up to here are so unlikely that those behind have p without them.
    rank = xp.arange(scores.shape[1], dtype=xp.int64, device=device_of(scores))
    dropped = (up_to <= 1 - p) & (rank < scores.shape[1] - min_tokens_to_keep)
    place = xp.argsort(order, axis=1)  # of each word in the order
    return xp.where(xp.take_along_axis(dropped, place, axis=1), -math.inf, scores)
