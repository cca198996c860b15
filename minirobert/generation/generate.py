"""From prompts to texts: all at once, or token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..arrays import Array, array_namespace, device_of
from .beam_search import beam_search
from .config import GenerationConfig
from .output import GenerateOutput, Record
from .sampling import Step, continue_texts, random_streams
from .steering import NO_STEERING, Steering
from .texts import Texts

__all__ = ["generate", "stream"]


def generate(
    texts: Texts,
    config: GenerationConfig,
    n_new: int,
    rng: Any = None,
    steering: Steering = NO_STEERING,
) -> GenerateOutput:
    """Continue texts until they end.

    Parameters
    ----------
    texts : Texts
        Of B prompts.
    config : GenerationConfig
    n_new : int
        How many tokens to add at most.
    rng : int, numpy.random.Generator, or a list of B of them, optional
        A seed, or where the random numbers of ``do_sample`` come from.
    steering : Steering, optional
        Functions of the caller's.

    Returns
    -------
    GenerateOutput
    """
    prompts = texts.input_ids  # [B, S]
    if config.num_beams > 1:
        return _found(texts, config, n_new, steering)
    tokens, record = [], Record(config)
    for chosen, scores, logits in _steps(texts, config, n_new, rng, steering):
        tokens.append(chosen)
        record.add(scores, logits)
    xp = array_namespace(prompts)
    prompts = xp.repeat(prompts, config.num_return_sequences, axis=0)
    sequences = xp.concat([prompts, xp.stack(tokens, axis=1)], axis=1)  # [B R, S + new]
    return GenerateOutput(sequences, None, record.scores, record.logits)


def stream(
    texts: Texts,
    config: GenerationConfig,
    n_new: int,
    rng: Any = None,
    steering: Steering = NO_STEERING,
) -> Iterator[Array]:
    """Continue texts, and give each token as soon as it is chosen.

    Parameters
    ----------
    texts, config, n_new, rng, steering
        As for `generate`.

    Returns
    -------
    iterator of int64 Arrays of shape [B R]
        The next token of each text; padding where one has ended.

    Raises
    ------
    ValueError
        For beam search, which knows the first token only when it knows the last.
    """
    if config.num_beams > 1:
        raise ValueError(
            f"num_beams is {config.num_beams}, but beam search knows the first token of the best "
            "text only when it knows the last: use generate, or num_beams=1"
        )
    return (step.tokens for step in _steps(texts, config, n_new, rng, steering))


def _steps(
    texts: Texts, config: GenerationConfig, n_new: int, rng: Any, steering: Steering
) -> Iterator[Step]:
    batch, each = texts.input_ids.shape[0], config.num_return_sequences
    streams = random_streams(rng, batch, each) if config.do_sample else []
    return continue_texts(texts, config, n_new, streams, steering)


def _found(
    texts: Texts, config: GenerationConfig, n_new: int, steering: Steering
) -> GenerateOutput:
    """Put the hypotheses of a beam search behind their prompts."""
    prompts = texts.input_ids
    found, record = beam_search(texts, config, n_new, steering)
    best = [one for of_text in found for one in of_text]  # B R
    length = max(len(one.tokens) for one in best)
    padded = [_up_to(length, one.tokens, config.padding) for one in best]
    beams = [_up_to(length, one.rows, -1) for one in best]
    xp, device = array_namespace(prompts), device_of(prompts)
    prompts = xp.repeat(prompts, config.num_return_sequences, axis=0)
    new = xp.asarray(padded, dtype=prompts.dtype, device=device)
    return GenerateOutput(
        xp.concat([prompts, new], axis=1),
        xp.asarray([one.score for one in best], dtype=texts.scores_dtype, device=device),
        record.scores,
        record.logits,
        xp.asarray(beams, dtype=prompts.dtype, device=device),
    )


def _up_to(length: int, numbers: Sequence[int], filling: int) -> list[int]:
    return [*numbers, *[filling] * (length - len(numbers))]
