"""The bookkeeping of beam search: which hypotheses end, which go on, and when to stop."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from transformers.generation import GenerationMixin

from minirobert import GenerationConfig
from minirobert.generation.beam_search import Candidate, Hypothesis, _Search

scores = st.floats(-30, -0.01)


@settings(max_examples=500)
@given(
    best=scores,
    ended=st.lists(scores, min_size=3, max_size=3),
    n_new=st.integers(2, 20),
    data=st.data(),
    early_stopping=st.sampled_from(["never", False]),
    length_penalty=st.sampled_from([1.0, 0.0, -0.5, -2.0, 0.3, 3.0]),
)
def test_when_nothing_better_can_end(best, ended, n_new, data, early_stopping, length_penalty):
    length = data.draw(st.integers(1, n_new))
    search = _Search(
        GenerationConfig(num_beams=3, early_stopping=early_stopping, length_penalty=length_penalty),
        n_new,
    )
    search.running = [Hypothesis((5,) * length, best - i) for i in range(3)]
    search.ended = [Hypothesis((2,), score) for score in sorted(ended, reverse=True)]
    expected = GenerationMixin._check_early_stop_heuristic(
        is_early_stop_heuristic_unsatisfied=torch.ones((1, 1), dtype=torch.bool),
        running_beam_scores=torch.tensor([[best, best - 1, best - 2]], dtype=torch.float64),
        beam_scores=torch.tensor([ended], dtype=torch.float64),
        is_sent_finished=torch.ones((1, 3), dtype=torch.bool),
        cur_len=4 + length,
        max_length=4 + n_new,
        decoder_prompt_len=4,
        early_stopping=early_stopping,
        length_penalty=length_penalty,
    )
    for penalised in (search._final(best, length), search._final(best, n_new)):
        assume(abs(penalised - min(ended)) > 1e-9)  # powers are rounded in different ways
    assert search._may_improve(length) == bool(expected)


def step(search, *candidates):
    return search.advance([Candidate(*one) for one in candidates], [False] * len(candidates))


def test_only_ends_among_the_best_are_kept():
    search = _Search(GenerationConfig(num_beams=2, eos_token_id=2), 9)
    parents = step(search, (-1.0, 0, 7), (-2.0, 0, 2), (-3.0, 0, 2), (-4.0, 0, 8), (-5.0, 0, 9))
    assert parents == [0, 0]
    assert search.running == [Hypothesis((7,), -1.0, (0,)), Hypothesis((8,), -4.0, (0,))]
    assert search.ended == [Hypothesis((2,), -2.0, (0,))]
    assert search.is_open
    step(search, (-1.5, 0, 2), (-4.5, 1, 2), (-5.0, 1, 7), (-6.0, 0, 7))
    assert search.ended == [Hypothesis((7, 2), -0.75, (0, 0)), Hypothesis((2,), -2.0, (0,))]
    assert not search.is_open  # -5 / 2 is below -2


def test_a_forbidden_end_is_no_end():
    search = _Search(GenerationConfig(num_beams=2, eos_token_id=2), 9)
    step(search, (-1.0, 0, 7), (-math.inf, 0, 2), (-math.inf, 0, 8))
    assert search.ended == []


@pytest.mark.parametrize(("early_stopping", "is_open"), [(True, False), (False, True)])
def test_early_stopping(early_stopping, is_open):
    config = GenerationConfig(num_beams=1, eos_token_id=2, early_stopping=early_stopping)
    search = _Search(config, 9)
    step(search, (-1.0, 0, 2), (-1.0, 0, 7))
    assert search.is_open is False
    config = GenerationConfig(
        num_beams=2, eos_token_id=[2, 3], early_stopping=early_stopping, length_penalty=0.0
    )
    search = _Search(config, 9)
    step(search, (-1.0, 0, 7), (-1.5, 0, 2), (-1.6, 0, 8))
    step(search, (-1.1, 0, 2), (-1.2, 0, 7), (-1.9, 1, 7))
    assert search.is_open is is_open


def test_all_end_at_the_largest_length():
    search = _Search(GenerationConfig(num_beams=2), 1)
    step(search, (-1.0, 0, 7), (-math.inf, 0, 8), (-math.inf, 0, 9))
    assert search.ended == [Hypothesis((7,), -1.0, (0,)), Hypothesis((8,), -math.inf, (0,))]
    assert not search.is_open


def test_a_stopped_one_ends_and_takes_up_a_row_that_no_other_goes_on_in():
    search = _Search(GenerationConfig(num_beams=2, eos_token_id=None), 9, 4)
    candidates = [Candidate(-1.0, 0, 7), Candidate(-2.0, 0, 8), Candidate(-3.0, 0, 9)]
    assert search.advance(candidates, [True, False, True]) == [4, 4]
    assert search.ended == [Hypothesis((7,), -1.0, (4,))]
    assert search.running == [Hypothesis((8,), -2.0, (4,)), Hypothesis((7,), -math.inf, (4,))]
    assert search.is_open
    search.advance([Candidate(-2.5, 0, 7), Candidate(-math.inf, 1, 8)], [True, True])
    assert not search.is_open  # nothing goes on
    assert [one.tokens for one in search.ended] == [(7,), (8, 7)]
