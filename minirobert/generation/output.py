"""What generation returns besides the texts."""

from __future__ import annotations

from dataclasses import dataclass

from ..arrays import Array
from ..model_output import GIVEN, ModelOutput

__all__ = ["GenerateOutput"]


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
    """

    sequences: Array = GIVEN
    sequences_scores: Array | None = None
    scores: tuple[Array, ...] | None = None
