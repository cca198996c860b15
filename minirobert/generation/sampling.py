"""One word after the other: the likeliest, or a drawn one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..arrays import Array, array_namespace, astype, device_of
from ..functional import softmax
from ..rules import is_integer
from .config import GenerationConfig
from .scores import (
    is_one_of,
    min_new_tokens,
    no_repeat_ngrams,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)
from .texts import Texts

__all__ = ["adjusted", "continue_texts", "generator", "greedy", "random_streams", "sample"]


def greedy(scores: Array) -> Array:  # [B, V] -> int64 [B]
    """Choose the word with the highest score; of equal ones, the first.

    >>> greedy(np.array([[1.0, 3.0, 3.0]]))
    array([1])
    """
    xp = array_namespace(scores)
    return astype(xp.argmax(scores, axis=1), xp.int64)


def sample(scores: Array, uniform: Array) -> Array:
    """Draw words with the probabilities ``softmax(scores)``.

    The probabilities of the words, one behind the other, divide the line from 0 to 1; a number
    drawn on this line falls on the word with its own probability.

    Parameters
    ----------
    scores : Array of shape [B, V]
    uniform : floating-point Array of shape [B]
        Drawn from [0, 1), one for each text.

    Returns
    -------
    int64 Array of shape [B]

    >>> sample(np.log(np.array([[0.5, 0.25, 0.25]] * 3)), np.array([0.49, 0.5, 0.99]))
    array([0, 1, 2])
    """
    xp = array_namespace(scores)
    probabilities = softmax(scores)
    ends = xp.cumulative_sum(probabilities, axis=1, dtype=xp.float64)  # [B, V]: of the words' parts
    total = ends[:, -1:]
    below = xp.sum(astype(ends <= uniform[:, None] * total, xp.int64), axis=1)
    # A number that rounding has put on the end of the line belongs to the last possible word.
    last = xp.sum(astype(ends < total, xp.int64), axis=1)
    return xp.minimum(below, last)


def adjusted(scores: Array, input_ids: Array, n_new: int, config: GenerationConfig) -> Array:
    """Do to the scores, [B, V], what the options say, but for those of sampling.

    Of the texts so far, [B, T], ``n_new`` tokens are new.
    """
    if config.repetition_penalty != 1:
        scores = repetition_penalty(scores, input_ids, config.repetition_penalty)
    if config.no_repeat_ngram_size:
        scores = no_repeat_ngrams(scores, input_ids, config.no_repeat_ngram_size)
    return min_new_tokens(scores, n_new, config.min_new_tokens, config.eos_token_ids)


def _sharpened(scores: Array, config: GenerationConfig) -> Array:
    """Do to the scores what the options of sampling say."""
    if config.temperature != 1:
        scores = temperature(scores, config.temperature)
    if config.top_k:
        scores = top_k(scores, config.top_k)
    if config.top_p < 1:
        scores = top_p(scores, config.top_p)
    return scores


def continue_texts(
    texts: Texts, config: GenerationConfig, n_new: int, streams: Sequence[Any]
) -> Iterator[tuple[Array, Array]]:
    """Continue texts by a token at a time, until all have ended or have ``n_new`` more.

    Each step gives the next tokens, int64 [B R]: those of the first prompt's R continuations, of
    the second's …, with padding where one has ended; and the scores, [B R, V], that they were
    chosen by. There is a stream of random numbers for each continuation where words are drawn.
    """
    for step in range(n_new):
        scores = texts.next_scores()
        if step == 0:
            scores = texts.repeat(config.num_return_sequences, scores)
            xp = array_namespace(scores)
            ended = xp.zeros(scores.shape[:1], dtype=xp.bool, device=device_of(scores))
        scores = adjusted(scores, texts.input_ids, step, config)
        if config.do_sample:
            scores = _sharpened(scores, config)
            uniform = [stream.random() for stream in streams]
            chosen = sample(scores, xp.asarray(uniform, dtype=xp.float64, device=device_of(scores)))
        else:
            chosen = greedy(scores)
        tokens = xp.where(ended, config.padding, chosen)
        yield tokens, scores
        ended = ended | is_one_of(tokens, config.eos_token_ids)
        if bool(xp.all(ended)):
            return
        texts.append(tokens)


def random_streams(rng: Any, batch: int, n_each: int) -> list[np.random.Generator]:
    """Give each of B R continuations its own random numbers.

    What is drawn for a text then depends on the seed and its place alone, not on the other texts
    of the batch.
    """
    if isinstance(rng, list | tuple):
        if len(rng) != batch:
            raise ValueError(f"rng has {len(rng)} seeds, but there are {batch} texts")
        streams = [generator(one) for one in rng]
    else:
        streams = generator(rng).spawn(batch)
    return [stream for one in streams for stream in one.spawn(n_each)]


def generator(rng: Any) -> np.random.Generator:
    """Make a generator of a seed, or without one; a generator is returned as it is."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None and not is_integer(rng):
        raise TypeError(f"rng is {rng!r}, but must be a seed or a numpy.random.Generator")
    if rng is not None and rng < 0:
        raise ValueError(f"rng is {rng}, but a seed must be at least 0")
    return np.random.default_rng(rng)
