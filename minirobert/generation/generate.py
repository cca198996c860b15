"""From prompts to texts: all at once, or token by token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arrays import Array, array_namespace, device_of
from .beam_search import beam_search
from .config import GenerationConfig
from .output import GenerateOutput
from .sampling import continue_texts, random_streams
from .texts import Texts

__all__ = ["generate", "stream"]


def generate(texts: Texts, config: GenerationConfig, n_new: int, rng: Any = None) -> GenerateOutput:
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

    Returns
    -------
    GenerateOutput
    """
    prompts = texts.input_ids  # [B, S]
    if config.num_beams > 1:
        return _found(texts, config, n_new)
    tokens, all_scores = [], []
    for chosen, scores in _steps(texts, config, n_new, rng):
        tokens.append(chosen)
        if config.output_scores:
            all_scores.append(scores)
    xp = array_namespace(prompts)
    prompts = xp.repeat(prompts, config.num_return_sequences, axis=0)
    sequences = xp.concat([prompts, xp.stack(tokens, axis=1)], axis=1)  # [B R, S + new]
    return GenerateOutput(sequences, None, tuple(all_scores) if config.output_scores else None)


def stream(texts: Texts, config: GenerationConfig, n_new: int, rng: Any = None) -> Iterator[Array]:
    """Continue texts, and give each token as soon as it is chosen.

    Parameters
    ----------
    texts, config, n_new, rng
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
    return (tokens for tokens, _ in _steps(texts, config, n_new, rng))


def _steps(
    texts: Texts, config: GenerationConfig, n_new: int, rng: Any
) -> Iterator[tuple[Array, Array]]:
    batch, each = texts.input_ids.shape[0], config.num_return_sequences
    streams = random_streams(rng, batch, each) if config.do_sample else []
    return continue_texts(texts, config, n_new, streams)


def _found(texts: Texts, config: GenerationConfig, n_new: int) -> GenerateOutput:
    """Put the hypotheses of a beam search behind their prompts."""
    prompts = texts.input_ids
    found, scores = beam_search(texts, config, n_new)
    best = [one for of_text in found for one in of_text]  # B R
    length = max(len(one.tokens) for one in best)
    padded = [[*one.tokens, *[config.padding] * (length - len(one.tokens))] for one in best]
    xp, device = array_namespace(prompts), device_of(prompts)
    prompts = xp.repeat(prompts, config.num_return_sequences, axis=0)
    new = xp.asarray(padded, dtype=prompts.dtype, device=device)
    return GenerateOutput(
        xp.concat([prompts, new], axis=1),
        xp.asarray([one.score for one in best], dtype=texts.scores_dtype, device=device),
        tuple(scores) if config.output_scores else None,
    )
