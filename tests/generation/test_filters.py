"""From which words to draw, against transformers' classes, on drawn scores with ties and -inf."""

import numpy as np
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from transformers.generation import logits_process as theirs

from minirobert.generation import (
    epsilon_cutoff,
    eta_cutoff,
    min_p,
    temperature,
    top_k,
    top_p,
    typical_p,
)
from tests.generation.test_scores import agrees, everywhere, scores_and_texts, seeds
from tests.libraries import host


@everywhere
@given(case=scores_and_texts(), value=st.floats(0.01, 50))
def test_temperature(library, case, value):
    processor = theirs.TemperatureLogitsWarper(value)
    agrees(library, lambda scores, _: temperature(scores, value), processor, case)


@everywhere
@given(case=scores_and_texts(), k=st.integers(1, 15))
def test_top_k(library, case, k):
    processor = theirs.TopKLogitsWarper(k)
    agrees(library, lambda scores, _: top_k(scores, k), processor, case)


@everywhere
@given(
    case=scores_and_texts(),
    p=st.floats(0, 1).map(lambda p: p + 1e-7 if p < 0.5 else p - 1e-7),
    least=st.integers(1, 3),
)
def test_top_p(library, case, p, least):
    # The shift keeps p off the sums of a few equal probabilities, which are rounded differently.
    processor = theirs.TopPLogitsWarper(p, min_tokens_to_keep=least)
    agrees(library, lambda scores, _: top_p(scores, p, least), processor, case)


@everywhere
def test_top_p_keeps_as_few_as_will_do(library):
    scores = library.array(np.log([[0.5, 0.25, 0.125, 0.125]]))
    for p, kept in [(0.0, 1), (0.45, 1), (0.55, 2), (0.76, 3), (0.9, 4), (1.0, 4)]:
        assert np.isfinite(host(top_p(scores, p))).sum() == kept
    even = library.array(np.zeros((1, 4)))  # each word has a quarter, exactly
    for p, kept in [(0.25, 1), (0.5, 2), (0.75, 3), (1.0, 4)]:
        assert np.isfinite(host(top_p(even, p))).sum() == kept


def is_close_call(processor, case, value, change=1e-7):
    """Tell whether transformers itself leaves other words where its limit is a little moved."""
    scores, ids = torch.tensor(case[0]), torch.tensor(case[1])
    low, high = (processor(value * (1 + d))(ids, scores) for d in (-change, change))
    return not torch.equal(low, high)


@everywhere
@given(case=scores_and_texts(), p=st.floats(0, 0.999))
def test_min_p(library, case, p):
    assume(not is_close_call(theirs.MinPLogitsWarper, case, p))
    processor = theirs.MinPLogitsWarper(p)
    agrees(library, lambda scores, _: min_p(scores, p), processor, case)


@everywhere
@given(case=scores_and_texts(), p=st.floats(0.001, 0.999), seed=seeds)
def test_typical_p(library, case, p, seed):
    # Words that are equally typical, one on either side, would differ by rounding alone.
    scores, ids = case
    case = scores + np.random.default_rng(seed).standard_normal(scores.shape) / 100, ids
    assume(not is_close_call(theirs.TypicalLogitsWarper, case, p))
    processor = theirs.TypicalLogitsWarper(p)
    agrees(library, lambda scores, _: typical_p(scores, p), processor, case)


@everywhere
@given(case=scores_and_texts(), epsilon=st.floats(1e-4, 0.99))
def test_epsilon_cutoff(library, case, epsilon):
    assume(not is_close_call(theirs.EpsilonLogitsWarper, case, epsilon))
    processor = theirs.EpsilonLogitsWarper(epsilon)
    agrees(library, lambda scores, _: epsilon_cutoff(scores, epsilon), processor, case)


@everywhere
@given(case=scores_and_texts(), epsilon=st.floats(1e-4, 0.99))
def test_eta_cutoff(library, case, epsilon):
    assume(not is_close_call(theirs.EtaLogitsWarper, case, epsilon, 1e-5))  # float32 there
    processor = theirs.EtaLogitsWarper(epsilon)
    agrees(library, lambda scores, _: eta_cutoff(scores, epsilon), processor, case)


@everywhere
def test_the_likeliest_word_is_always_left(library):
    scores = np.random.default_rng(1).standard_normal((3, 9))
    likeliest = np.argmax(scores, axis=1)
    for narrow, value in [(min_p, 1.0), (epsilon_cutoff, 0.99)]:
        left = np.isfinite(host(narrow(library.array(scores), value)))
        assert left.sum(axis=1).tolist() == [1, 1, 1]
        assert left[np.arange(3), likeliest].all()
    even = library.array(np.zeros((2, 4)))
    for narrow in (min_p, typical_p):
        assert np.isfinite(host(narrow(even, 0.9))).all()
