"""What is done to scores, against transformers' classes, on drawn scores with ties and -inf."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation import logits_process as theirs

from minirobert.generation import (
    min_new_tokens,
    no_repeat_ngrams,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)
from tests.libraries import LIBRARIES, host

seeds = st.integers(0, 2**32 - 1)
everywhere = pytest.mark.parametrize("library", LIBRARIES)


@st.composite
def scores_and_texts(draw):
    rng = np.random.default_rng(draw(seeds))
    batch, vocab, length = (
        draw(st.integers(1, 3)),
        draw(st.integers(2, 12)),
        draw(st.integers(1, 9)),
    )
    scores = rng.standard_normal((batch, vocab)) * draw(st.sampled_from([0.3, 1, 8]))
    if draw(st.booleans()):
        scores = np.round(scores)  # so that many are equal
    forbidden = rng.random((batch, vocab)) < draw(st.sampled_from([0, 0.3]))
    forbidden[np.arange(batch), rng.integers(0, vocab, batch)] = False
    scores[forbidden] = -np.inf
    return scores, rng.integers(0, vocab, (batch, length))


def agrees(library, function, processor, case, tolerance=0.0):
    scores, ids = case
    actual = function(library.array(scores), library.array(ids))
    expected = processor(torch.tensor(ids), torch.tensor(scores)).numpy()
    np.testing.assert_allclose(host(actual), expected, rtol=tolerance)


@everywhere
@given(case=scores_and_texts(), penalty=st.floats(0.1, 9))
def test_repetition_penalty(library, case, penalty):
    processor = theirs.RepetitionPenaltyLogitsProcessor(penalty)
    agrees(library, lambda scores, ids: repetition_penalty(scores, ids, penalty), processor, case)


@everywhere
@given(case=scores_and_texts(), size=st.integers(1, 4))
def test_no_repeat_ngrams(library, case, size):
    processor = theirs.NoRepeatNGramLogitsProcessor(size)
    agrees(library, lambda scores, ids: no_repeat_ngrams(scores, ids, size), processor, case)


@everywhere
@given(case=scores_and_texts(), data=st.data(), prompt=st.integers(0, 9), least=st.integers(0, 5))
def test_min_new_tokens(library, case, data, prompt, least):
    scores, ids = case
    prompt = min(prompt, ids.shape[1])
    words = st.integers(0, scores.shape[1] - 1)
    eos = data.draw(st.lists(words, min_size=1, max_size=3))
    processor = theirs.MinNewTokensLengthLogitsProcessor(prompt, least, eos)
    n_new = ids.shape[1] - prompt
    agrees(library, lambda x, _: min_new_tokens(x, n_new, least, eos), processor, case)


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
