"""What generation returns besides the texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..arrays import Array, array_namespace, astype, index_dtype, take_along_last
from ..functional import log_softmax
from ..model_output import GIVEN, ModelOutput
from .config import GenerationConfig

__all__ = ["GenerateOutput", "Record", "transition_scores"]


@dataclass(frozen=True, repr=False, eq=False)
class GenerateOutput(ModelOutput):
    """Output of generation, with R sequences for each text.

    Attributes
    ----------
    sequences : int64 Array of shape [B R, T]
        The prompts, what follows, and padding where others are longer: those of the first text, of
        the second …
    sequences_scores : Array of shape [B R], optional
        Of beam search: the sum of the logarithmic probabilities of the new tokens, divided by their
        number to the power of ``length_penalty``.
    scores : tuple of Arrays of shape [B R, V], or [B W, V] for W beams, optional
        Of each step: the scores that the word was chosen by, with everything done to them. They are
        logits, or for beam search the logarithms of probabilities.
    logits : tuple of Arrays of shape [B R, V], or [B W, V], optional
        Of each step: the logits as the model gives them.
    beam_indices : int64 Array of shape [B R, new], optional
        Of beam search: the row of ``scores`` that each new token was chosen by, and -1 behind the
        end of a text.
    """

    sequences: Array = GIVEN
    sequences_scores: Array | None = None
    scores: tuple[Array, ...] | None = None
    logits: tuple[Array, ...] | None = None
    beam_indices: Array | None = None


class Record:
    """Keeps the scores and the logits of each step, those that the options ask for."""

    def __init__(self, config: GenerationConfig) -> None:
        self.scores: tuple[Array, ...] | None = () if config.output_scores else None
        self.logits: tuple[Array, ...] | None = () if config.output_logits else None

    def add(self, scores: Array, logits: Array) -> None:
        """Keep those of one step more."""
        if self.scores is not None:
            self.scores = (*self.scores, scores)
        if self.logits is not None:
            self.logits = (*self.logits, logits)


def transition_scores(
    sequences: Array,
    scores: Sequence[Array],
    beam_indices: Array | None = None,
    normalize_logits: bool = False,
) -> Array:
    """Give the score of each new token, out of those that it was chosen by.

    Parameters
    ----------
    sequences : integer Array of shape [B R, T]
    scores : sequence of Arrays of shape [B R, V], or [B W, V]
        Of each step.
    beam_indices : integer Array of shape [B R, new], optional
        Of beam search.
    normalize_logits : bool
        Make the scores logarithms of probabilities first.

    Returns
    -------
    Array of shape [B R, new]
        0 behind the end of a text of beam search.

    >>> import numpy as np
    >>> scores = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    >>> transition_scores(np.array([[0, 0, 1]]), scores)
    array([[1., 4.]])
    """
    xp = array_namespace(sequences)
    columns = []
    n_new = len(scores) if beam_indices is None else _longest(beam_indices)
    for step, of_step in enumerate(scores[:n_new]):
        table = log_softmax(of_step) if normalize_logits else of_step
        place = sequences.shape[1] - n_new + step
        tokens = sequences[:, place : place + 1]
        if beam_indices is None:
            columns.append(take_along_last(table, tokens))
            continue
        rows = beam_indices[:, step]
        table = xp.take(table, xp.where(rows < 0, 0, rows), axis=0)  # [B R, V]
        found = take_along_last(table, tokens)
        columns.append(xp.where(rows[:, None] < 0, 0.0, found))
    return xp.concat(columns, axis=1)


def _longest(beam_indices: Array) -> int:
    xp = array_namespace(beam_indices)
    return int(xp.max(xp.sum(astype(beam_indices >= 0, index_dtype(xp)), axis=1)))
