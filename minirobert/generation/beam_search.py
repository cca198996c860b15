"""Beam search: keep the W best continuations of each text, and find the best that ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from ..arrays import Array, array_namespace, device_of, to_numpy
from ..functional import largest, log_softmax
from .config import GenerationConfig
from .sampling import adjusted
from .texts import Texts

__all__ = ["Candidate", "Hypothesis", "beam_search"]


@dataclass(frozen=True)
class Hypothesis:
    """A continuation of a text: its new tokens, and its score.

    While it goes on, the score is the sum of its logarithmic probabilities; once it has ended, this
    sum is divided by ``len(tokens) ** length_penalty``.
    """

    tokens: tuple[int, ...]
    score: float


class Candidate(NamedTuple):
    """A way to go on: which beam, by which word, and the sum of logarithmic probabilities then."""

    score: float
    beam: int
    token: int


class _Search:
    """The hypotheses of one text."""

    def __init__(self, config: GenerationConfig, n_new: int) -> None:
        self._config = config
        self._n_new = n_new
        self.running = [Hypothesis((), 0.0)]  # the best first
        self.ended: list[Hypothesis] = []  # at most W, the best first
        self.is_open = True  # whether a better one may still end

    def advance(self, candidates: list[Candidate]) -> list[int]:
        """Make all running hypotheses longer by a word, and give the beam each comes from.

        The candidates, the best first, are so many that W of them go on.
        """
        beams, eos = self._config.num_beams, self._config.eos_token_ids
        length = len(self.running[0].tokens) + 1
        is_last = length == self._n_new
        going_on: list[Hypothesis] = []
        ending: list[Hypothesis] = []
        parents: list[int] = []
        for rank, (score, beam, token) in enumerate(candidates):
            longer = Hypothesis((*self.running[beam].tokens, token), score)
            if is_last or token in eos:
                # Below the W best, a hypothesis that goes on would be dropped: so is one that ends.
                if rank < beams and (is_last or score > -math.inf):
                    ending.append(Hypothesis(longer.tokens, self._final(score, length)))
            elif len(going_on) < beams:
                going_on.append(longer)
                parents.append(beam)
        if self.is_open:
            both = [*self.ended, *ending]
            self.ended = sorted(both, key=lambda one: -one.score)[:beams]
        self.running = going_on
        self.is_open = self.is_open and not is_last and self._may_improve(length)
        return parents

    def _may_improve(self, length: int) -> bool:
        """Tell whether the best running hypothesis may still find a place among those ended."""
        if len(self.ended) < self._config.num_beams:
            return True
        if self._config.early_stopping is True:
            return False
        # Its sum only falls; but where a greater length is good for the score, that counts too.
        longest = self._config.early_stopping == "never" and self._config.length_penalty > 0
        at_best = self._final(self.running[0].score, self._n_new if longest else length)
        return at_best > self.ended[-1].score

    def _final(self, score: float, length: int) -> float:
        return float(score / length**self._config.length_penalty)


def beam_search(
    texts: Texts, config: GenerationConfig, n_new: int
) -> tuple[list[list[Hypothesis]], list[Array]]:
    """Find the continuations with the highest scores.

    Each step scores all V words behind all W beams of a text, and goes on with the W best that do
    not end it. A hypothesis that ends among the W best is put aside.

    Parameters
    ----------
    texts : Texts
        Of B prompts.
    config : GenerationConfig
    n_new : int
        How many tokens to add at most.

    Returns
    -------
    hypotheses : for each text a list of ``num_return_sequences`` Hypothesis
        The best first.
    scores : list of Arrays of shape [B W, V]
        With ``output_scores``, the logarithmic probabilities of each step: for the beams of the
        first text, of the second …

    Notes
    -----
    Sources: Graves 2012 (arXiv:1211.3711), section 2.4; dividing by a power of the length is a
    simpler form of Wu et al. 2016 (arXiv:1609.08144), equation 14.
    """
    searches = [_Search(config, n_new) for _ in range(texts.input_ids.shape[0])]
    # Even if all the best candidates were ends of the text, W others are to go on.
    n_candidates = max(2, 1 + len(config.eos_token_ids)) * config.num_beams
    all_scores: list[Array] = []
    for step in range(n_new):
        log_probabilities = log_softmax(texts.next_scores())  # [B W, V]; in the first step [B, V]
        log_probabilities = adjusted(log_probabilities, texts.input_ids, step, config)
        if config.output_scores:
            all_scores.append(log_probabilities)
        candidates = _best(log_probabilities, searches, n_candidates)
        parents = [
            search.advance(of_text) for search, of_text in zip(searches, candidates, strict=True)
        ]
        if not any(search.is_open for search in searches):
            break
        _go_on(texts, searches, parents, log_probabilities.shape[0] // len(searches))
    if all_scores:
        xp = array_namespace(all_scores[0])
        all_scores[0] = xp.repeat(all_scores[0], config.num_beams, axis=0)
    return [search.ended[: config.num_return_sequences] for search in searches], all_scores


def _best(
    log_probabilities: Array, searches: list[_Search], n_candidates: int
) -> list[list[Candidate]]:  # [B W, V], in the first step [B, V]
    """Give the best ways to go on from the beams of each text, the best first."""
    xp = array_namespace(log_probabilities)
    batch, vocab = len(searches), log_probabilities.shape[1]
    so_far = xp.asarray(
        [[one.score for one in search.running] for search in searches],
        dtype=log_probabilities.dtype,
        device=device_of(log_probabilities),
    )  # [B, W]
    n_beams = so_far.shape[1]  # W, or 1 in the first step
    total = so_far[:, :, None] + xp.reshape(log_probabilities, (batch, n_beams, vocab))
    total = xp.reshape(total, (batch, n_beams * vocab))  # [B, W V]
    values, places = largest(total, min(n_candidates, n_beams * vocab))
    return [
        [Candidate(score, place // vocab, place % vocab) for score, place in zip(*row, strict=True)]
        for row in zip(to_numpy(values).tolist(), to_numpy(places).tolist(), strict=True)
    ]


def _go_on(texts: Texts, searches: list[_Search], parents: list[list[int]], n_beams: int) -> None:
    """Make the texts those of the running hypotheses."""
    xp = array_namespace(texts.input_ids)
    device = device_of(texts.input_ids)
    rows = [text * n_beams + beam for text, beams in enumerate(parents) for beam in beams]
    tokens = [one.tokens[-1] for search in searches for one in search.running]
    if rows != list(range(texts.input_ids.shape[0])):
        texts.select(xp.asarray(rows, dtype=xp.int64, device=device))
    texts.append(xp.asarray(tokens, dtype=xp.int64, device=device))
