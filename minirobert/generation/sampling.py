"""One word after the other: the likeliest, or a drawn one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, array_namespace, astype, device_of, index_dtype, widest_float
from ..checks import seeded
from ..functional import softmax
from .config import GenerationConfig
from .output import Record
from .processors import score_processor
from .scores import is_one_of
from .steering import NO_STEERING, Steering
from .stopping import Stopping
from .texts import Texts

__all__ = ["Step", "continue_texts", "generator", "greedy", "random_streams", "sample"]


def greedy(scores: Array) -> Array:  # [B, V] -> int64 [B]
    """Choose the word with the highest score; of equal ones, the first.

    >>> greedy(np.array([[1.0, 3.0, 3.0]]))
    array([1])
    """
    xp = array_namespace(scores)
    return astype(xp.argmax(scores, axis=1), index_dtype(xp))


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
    ends = xp.cumulative_sum(
        probabilities, axis=1, dtype=widest_float(xp)
    )  # [B, V]: of the words' parts
    total = ends[:, -1:]
    below = xp.sum(astype(ends <= uniform[:, None] * total, index_dtype(xp)), axis=1)
    # A number that rounding has put on the end of the line belongs to the last possible word.
    last = xp.sum(astype(ends < total, index_dtype(xp)), axis=1)
    return xp.minimum(below, last)


class Step(NamedTuple):
    """What one step has given, of B R texts."""

    tokens: Array  # int64 [B R], padding where a text has ended
    scores: Array  # [B R, V], which they were chosen by
    logits: Array  # [B R, V], the model's


def continue_texts(
    texts: Texts,
    config: GenerationConfig,
    n_new: int,
    streams: Sequence[Any],
    steering: Steering = NO_STEERING,
) -> Iterator[Step]:
    """Continue texts by a token at a time, until all have ended or have ``n_new`` more.

    The rows of each step are the R continuations of the first prompt, of the second … There is a
    stream of random numbers for each continuation where words are drawn.
    """
    process = score_processor(config, steering, texts.input_ids.shape[1], n_new)
    stopping = Stopping(config, steering)
    record = Record(config)
    for step in range(n_new):
        logits = texts.next_scores()
        if step == 0:
            logits = texts.repeat(config.num_return_sequences, logits)
            xp = array_namespace(logits)
            ended = xp.zeros(logits.shape[:1], dtype=xp.bool, device=device_of(logits))
        scores = process(texts.input_ids, logits)
        chosen = _drawn(scores, streams) if config.do_sample else greedy(scores)
        tokens = xp.where(ended, config.padding, chosen)
        yield Step(tokens, scores, logits)
        texts.append(tokens)
        ended = ended | is_one_of(tokens, config.eos_token_ids)
        if stopping:
            record.add(scores, logits)
            ended = ended | stopping(texts.input_ids, record.scores)
        if bool(xp.all(ended)):
            return


def _drawn(scores: Array, streams: Sequence[Any]) -> Array:  # [B, V] -> int64 [B]
    xp = array_namespace(scores)
    uniform = [stream.random() for stream in streams]
    return sample(scores, xp.asarray(uniform, dtype=widest_float(xp), device=device_of(scores)))


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
    return rng if isinstance(rng, np.random.Generator) else seeded(rng)
