"""Beam search: keep the W best continuations of each text, and find the best that ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..arrays import Array, array_namespace, device_of, index_dtype, to_numpy
from ..functional import largest, log_softmax
from .config import GenerationConfig
from .output import Record
from .processors import score_processor
from .steering import NO_STEERING, Steering
from .stopping import Stopping
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
    #: Of each token, the row of the scores that it was chosen by.
    rows: tuple[int, ...] = ()


class Candidate(NamedTuple):
    """A way to go on: which beam, by which word, and the sum of logarithmic probabilities then."""

    score: float
    beam: int
    token: int


class _Search:
    """The hypotheses of one text, the rows of whose beams begin at the first."""

    def __init__(self, config: GenerationConfig, n_new: int, first_row: int = 0) -> None:
        self._config = config
        self._n_new = n_new
        self._first_row = first_row
        # The best first. All begin alike, so only one of them may go on.
        self.running = [
            Hypothesis((), -math.inf if beam else 0.0) for beam in range(config.num_beams)
        ]
        self.ended: list[Hypothesis] = []  # at most W, the best first
        self.is_open = True  # whether a better one may still end

    def advance(self, candidates: list[Candidate], stopped: list[bool]) -> list[int]:
        """Make all running hypotheses longer by a word, and give the row each comes from.

        The candidates are the best first, and some of them are stopped.
        """
        beams, eos = self._config.num_beams, self._config.eos_token_ids
        length = len(self.running[0].tokens) + 1
        ends = [stop or one.token in eos for one, stop in zip(candidates, stopped, strict=True)]
        is_last = length == self._n_new or all(ends)
        going_on: list[Hypothesis] = []
        ending: list[Hypothesis] = []
        for rank, (candidate, end) in enumerate(zip(candidates, ends, strict=True)):
            longer = self._longer(candidate)
            if is_last or end:
                # Below the W best, a hypothesis that goes on would be dropped: so is one that ends.
                if rank < beams and (is_last or longer.score > -math.inf):
                    ending.append(replace(longer, score=self._final(longer.score, length)))
            elif len(going_on) < beams:
                going_on.append(longer)
        # Where too few go on, ended ones take up the rows that are left, but lead nowhere.
        fillers = candidates[: beams - len(going_on)]
        going_on += [self._longer(one._replace(score=-math.inf)) for one in fillers]
        if self.is_open:
            both = [*self.ended, *ending]
            self.ended = sorted(both, key=lambda one: -one.score)[:beams]
        self.running = going_on
        self.is_open = self.is_open and not is_last and self._may_improve(length)
        return [one.rows[-1] for one in going_on]

    def _longer(self, candidate: Candidate) -> Hypothesis:
        """Put the word of a candidate behind the beam that it continues."""
        score, beam, token = candidate
        before = self.running[beam]
        return Hypothesis((*before.tokens, token), score, (*before.rows, self._first_row + beam))

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
    texts: Texts, config: GenerationConfig, n_new: int, steering: Steering = NO_STEERING
) -> tuple[list[list[Hypothesis]], Record]:
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
    steering : Steering, optional

    Returns
    -------
    hypotheses : for each text a list of ``num_return_sequences`` Hypothesis
        The best first.
    record : Record
        With ``output_scores``, the logarithmic probabilities of each step, [B W, V]: for the beams
        of the first text, of the second …

    Raises
    ------
    ValueError
        If words are forbidden so that a text has not so many continuations.

    Notes
    -----
    Sources: Graves 2012 (arXiv:1211.3711), section 2.4; dividing by a power of the length is a
    simpler form of Wu et al. 2016 (arXiv:1609.08144), equation 14.
    """
    beams = config.num_beams
    searches = [_Search(config, n_new, beams * i) for i in range(texts.input_ids.shape[0])]
    process = score_processor(config, steering, texts.input_ids.shape[1], n_new)
    stopping = Stopping(config, steering)
    # Even if all the best candidates were ends of the text, W others are to go on.
    n_candidates = max(2, 1 + len(config.eos_token_ids)) * beams
    record = Record(config)
    for step in range(n_new):
        logits = texts.next_scores()  # [B W, V]; in the first step [B, V]
        logits = texts.repeat(beams, logits) if step == 0 else logits
        log_probabilities = process(texts.input_ids, log_softmax(logits))
        record.add(log_probabilities, logits)
        candidates = _best(log_probabilities, searches, n_candidates)
        stopped = _stopped(texts, candidates, stopping, record)
        rows = [
            search.advance(of_text, stops)
            for search, of_text, stops in zip(searches, candidates, stopped, strict=True)
        ]
        if not any(search.is_open for search in searches):
            break
        _go_on(texts, searches, [row for of_text in rows for row in of_text])
    found = [search.ended[: config.num_return_sequences] for search in searches]
    for row, hypotheses in enumerate(found):
        _check_possible(hypotheses, row)
    return found, record


def _check_possible(hypotheses: list[Hypothesis], row: int) -> None:
    """Refuse hypotheses that have a forbidden word, as where there are no others."""
    wanted = len(hypotheses)
    possible = wanted - sum(one.score == -math.inf for one in hypotheses)
    cure = "take back one of the options that forbid or force words"
    if possible == 0:
        raise ValueError(
            f"no text may follow in row {row}, for each has a word that is forbidden: {cure}"
        )
    if possible < wanted:
        raise ValueError(
            f"num_return_sequences is {wanted}, but only {possible} may follow in row {row}, for "
            f"others have a word that is forbidden: ask for fewer, or {cure}"
        )


def _best(
    log_probabilities: Array, searches: list[_Search], n_candidates: int
) -> list[list[Candidate]]:  # [B W, V]
    """Give the best ways to go on from the beams of each text, the best first."""
    xp = array_namespace(log_probabilities)
    batch, vocab = len(searches), log_probabilities.shape[1]
    so_far = xp.asarray(
        [[one.score for one in search.running] for search in searches],
        dtype=log_probabilities.dtype,
        device=device_of(log_probabilities),
    )  # [B, W]
    beams = so_far.shape[1]
    total = so_far[:, :, None] + xp.reshape(log_probabilities, (batch, beams, vocab))
    total = xp.reshape(total, (batch, beams * vocab))  # [B, W V]
    values, places = largest(total, min(n_candidates, beams * vocab))
    return [
        [Candidate(score, place // vocab, place % vocab) for score, place in zip(*row, strict=True)]
        for row in zip(to_numpy(values).tolist(), to_numpy(places).tolist(), strict=True)
    ]


def _stopped(
    texts: Texts, candidates: list[list[Candidate]], stopping: Stopping, record: Record
) -> list[list[bool]]:
    """Tell which candidates are stopped, by more than their last token."""
    if not stopping:
        return [[False] * len(of_text) for of_text in candidates]
    xp, device = array_namespace(texts.input_ids), device_of(texts.input_ids)
    beams = texts.input_ids.shape[0] // len(candidates)
    rows = [i * beams + one.beam for i, of_text in enumerate(candidates) for one in of_text]
    tokens = [[one.token] for of_text in candidates for one in of_text]
    before = xp.take(
        texts.input_ids, xp.asarray(rows, dtype=index_dtype(xp), device=device), axis=0
    )
    behind = xp.asarray(tokens, dtype=before.dtype, device=device)
    found = stopping(xp.concat([before, behind], axis=1), record.scores)
    by_text: list[list[bool]] = to_numpy(xp.reshape(found, (len(candidates), -1))).tolist()
    return by_text


def _go_on(texts: Texts, searches: list[_Search], rows: list[int]) -> None:
    """Make the texts those of the running hypotheses, which come from these rows."""
    xp = array_namespace(texts.input_ids)
    device = device_of(texts.input_ids)
    tokens = [one.tokens[-1] for search in searches for one in search.running]
    if rows != list(range(texts.input_ids.shape[0])):
        texts.select(xp.asarray(rows, dtype=index_dtype(xp), device=device))
    texts.append(xp.asarray(tokens, dtype=index_dtype(xp), device=device))
