"""What is done to the scores of the next word before one is chosen.

The scores are logits or logarithms of probabilities, [B, V]; T counts the tokens of the texts so
far. A word with the score -inf is never chosen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..arrays import Array, array_namespace, device_of, index_dtype

__all__ = [
    "exponential_decay_length_penalty",
    "force_tokens",
    "is_one_of",
    "min_new_tokens",
    "no_repeat_ngrams",
    "remove_invalid_values",
    "repetition_penalty",
    "sequence_bias",
    "suppress_tokens",
    "words_among",
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


def no_repeat_ngrams(scores: Array, input_ids: Array, size: int, of: Array | None = None) -> Array:
    """Forbid each word that would complete a run of ``size`` tokens which the text already has.

    Parameters
    ----------
    scores : Array of shape [B, V]
    input_ids : integer Array of shape [B, T]
    size : int
        With 1, no word comes twice.
    of : integer Array of shape [B, X], optional
        Count the runs of these texts, in place of those so far.

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
    xp, size = array_namespace(scores), int(size)  # an unsigned one has no difference below 0
    of = input_ids if of is None else of
    length = of.shape[1]
    runs = length - size + 1  # how many the text has
    begun = input_ids.shape[1] - size + 1  # where the run begins that the next word completes
    if runs < 1 or begun < 0:
        return scores
    same = xp.ones((of.shape[0], runs), dtype=xp.bool, device=device_of(of))
    for i in range(size - 1):  # compare the first tokens of each run with the end of the text
        end = input_ids[:, begun + i : begun + i + 1]  # [B, 1]
        same = same & (of[:, i : runs + i] == end)
    completing = of[:, size - 1 :]  # [B, X], of X runs
    return xp.where(_words_of(completing, scores, same), -math.inf, scores)


def _words_of(
    input_ids: Array, scores: Array, counts: Array | None = None
) -> Array:  # [B, T], [B, V], bool [B, T] -> bool [B, V]
    """Tell of each word whether it is in a text, where ``counts`` is true."""
    xp = array_namespace(input_ids)
    batch, vocab = scores.shape
    numbers = xp.arange(batch * vocab, dtype=index_dtype(xp), device=device_of(input_ids))
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
    return suppress_tokens(scores, eos_token_ids)


def suppress_tokens(scores: Array, ids: Sequence[int]) -> Array:
    """Forbid a few words.

    >>> import numpy as np
    >>> suppress_tokens(np.zeros((1, 4)), [1, 3])
    array([[  0., -inf,   0., -inf]])
    """
    return array_namespace(scores).where(words_among(ids, scores), -math.inf, scores)


def force_tokens(scores: Array, ids: Sequence[int]) -> Array:
    """Forbid all words but a few, which become equally likely.

    >>> import numpy as np
    >>> force_tokens(np.array([[1.0, 2.0, 3.0, 4.0]]), [1])
    array([[-inf,   0., -inf, -inf]])
    """
    xp = array_namespace(scores)
    return xp.where(words_among(ids, scores), xp.zeros_like(scores), -math.inf)


def sequence_bias(
    scores: Array, input_ids: Array, biases: Mapping[tuple[int, ...], float]
) -> Array:
    """Add to the score of each word that would complete one of some sequences of tokens.

    Parameters
    ----------
    scores : Array of shape [B, V]
    input_ids : integer Array of shape [B, T]
    biases : dict of tuple of int to float
        What to add, by the tokens of a sequence, the last of which is the word; -inf forbids it. As
        in transformers, a sequence has an effect only in a text of at least as many tokens.

    Returns
    -------
    Array of shape [B, V]

    >>> import numpy as np
    >>> sequence_bias(np.zeros((2, 4)), np.array([[2, 3], [2, 0]]), {(1,): 0.5, (3, 2): -np.inf})
    array([[ 0. ,  0.5, -inf,  0. ],
           [ 0. ,  0.5,  0. ,  0. ]])
    """
    xp, device = array_namespace(scores), device_of(scores)
    length, nothing = input_ids.shape[1], xp.zeros_like(scores[:, 0])
    columns: dict[int, Array] = {}  # of the words that have a bias
    for (*first, last), bias in biases.items():
        if first and len(first) >= length:
            continue
        end = input_ids[:, length - len(first) :]
        tokens = xp.asarray(first, dtype=input_ids.dtype, device=device)
        added = xp.where(xp.all(end == tokens, axis=1), bias, nothing)
        columns[last] = columns.get(last, nothing) + added
    if not columns:
        return scores
    last_ones, kind = sorted(columns), index_dtype(xp)
    biased = xp.asarray(last_ones, dtype=kind, device=device)
    words = xp.arange(scores.shape[1], dtype=kind, device=device)
    place = xp.clip(xp.searchsorted(biased, words), 0, len(last_ones) - 1)  # [V]: in ``biased``
    added = xp.take(xp.stack([columns[last] for last in last_ones], axis=1), place, axis=1)
    return scores + xp.where(xp.take(biased, place, axis=0) == words, added, 0.0)


#: The logarithm of a factor that no other word withstands, and that every dtype holds.
_ENOUGH = 60.0


def exponential_decay_length_penalty(
    scores: Array, n_new: int, start: int, factor: float, eos_token_ids: Sequence[int]
) -> Array:
    """Make the end of a text likelier with each token that it has beyond so many new ones.

    Behind k of them its score x becomes ``x + |x| (factor^k - 1)``.

    Parameters
    ----------
    scores : Array of shape [B, V]
    n_new : int
        How many new tokens the texts have.
    start : int
        Up to so many, nothing changes.
    factor : float
    eos_token_ids : sequence of int
        The tokens that end a text.

    Returns
    -------
    Array of shape [B, V]
    """
    if n_new <= start:
        return scores
    xp = array_namespace(scores)
    raised = words_among(eos_token_ids, scores) & (scores != -math.inf)  # that stays forbidden
    logarithm = min((n_new - start) * math.log(factor), _ENOUGH)
    more = factor ** (n_new - start) if logarithm < _ENOUGH else math.exp(_ENOUGH)
    return scores + xp.abs(xp.where(raised, scores, 0.0)) * (more - 1)


def remove_invalid_values(scores: Array) -> Array:  # [B, V] -> [B, V]
    """Put 0 in place of what is not a number, and the largest numbers in place of infinite ones."""
    xp = array_namespace(scores)
    limits = xp.finfo(scores.dtype)
    scores = xp.where(xp.isnan(scores), 0.0, scores)
    scores = xp.where(scores == math.inf, float(limits.max), scores)
    return xp.where(scores == -math.inf, float(limits.min), scores)


def is_one_of(tokens: Array, ids: Sequence[int]) -> Array:  # [...] -> bool [...]
    """Tell of each token whether it is one of a few; a number beyond their dtype is none."""
    xp = array_namespace(tokens)
    most = int(xp.iinfo(tokens.dtype).max)
    known = [one for one in ids if 0 <= one <= most]
    return xp.isin(tokens, xp.asarray(known, dtype=tokens.dtype, device=device_of(tokens)))


def words_among(ids: Sequence[int], scores: Array) -> Array:  # [B, V] -> bool [V]
    """Tell of each word whether it is one of a few."""
    xp = array_namespace(scores)
    words = xp.arange(scores.shape[1], dtype=index_dtype(xp), device=device_of(scores))
    return is_one_of(words, ids)
