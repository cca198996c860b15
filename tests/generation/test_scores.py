"""What is done to scores, against transformers' classes, on drawn scores with ties and -inf."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation import logits_process as theirs

from minirobert.generation import (
    exponential_decay_length_penalty,
    force_tokens,
    min_new_tokens,
    no_repeat_ngrams,
    remove_invalid_values,
    repetition_penalty,
    sequence_bias,
    suppress_tokens,
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
@given(case=scores_and_texts(), size=st.integers(1, 4), data=st.data())
def test_no_repeat_ngrams_of_other_texts(library, case, size, data):
    scores, ids = case
    other = np.random.default_rng(data.draw(seeds)).integers(0, scores.shape[1], (len(ids), 6))
    processor = theirs.EncoderNoRepeatNGramLogitsProcessor(size, torch.tensor(other))
    of = library.array(other)
    agrees(library, lambda scores, ids: no_repeat_ngrams(scores, ids, size, of), processor, case)


@st.composite
def sequences(draw, scores, ids):
    """Draw sequences of tokens, of which many begin as a text ends."""
    vocab = scores.shape[1]
    word = st.lists(st.integers(0, vocab - 1), min_size=1, max_size=4).map(tuple)
    behind = st.tuples(
        st.integers(0, len(ids) - 1), st.integers(0, ids.shape[1]), st.integers(0, vocab - 1)
    ).map(lambda one: (*ids[one[0], one[1] :].tolist(), one[2]))
    return draw(st.lists(word | behind, min_size=1, max_size=5, unique=True))


@everywhere
@given(case=scores_and_texts(), data=st.data())
def test_sequence_bias(library, case, data):
    biases = {one: float(data.draw(st.integers(-9, 9))) for one in data.draw(sequences(*case))}
    processor = theirs.SequenceBiasLogitsProcessor(dict(biases))
    agrees(library, lambda scores, ids: sequence_bias(scores, ids, biases), processor, case)


@everywhere
@given(case=scores_and_texts(), data=st.data())
def test_forbidden_sequences(library, case, data):
    words = data.draw(sequences(*case))
    processor = theirs.NoBadWordsLogitsProcessor([list(one) for one in words])
    biases = dict.fromkeys(words, -np.inf)
    agrees(library, lambda scores, ids: sequence_bias(scores, ids, biases), processor, case)


@everywhere
@given(case=scores_and_texts(), data=st.data())
def test_suppressed_and_forced_tokens(library, case, data):
    tokens = data.draw(st.lists(st.integers(0, case[0].shape[1] - 1), min_size=1, max_size=3))
    suppressing = theirs.SuppressTokensLogitsProcessor(tokens)
    agrees(library, lambda scores, _: suppress_tokens(scores, tokens), suppressing, case)
    forcing = theirs.ForcedEOSTokenLogitsProcessor(case[1].shape[1] + 1, tokens)
    agrees(library, lambda scores, _: force_tokens(scores, tokens), forcing, case)


@everywhere
@given(
    case=scores_and_texts(),
    data=st.data(),
    prompt=st.integers(0, 9),
    start=st.integers(0, 5),
    factor=st.floats(0.5, 2),
)
def test_exponential_decay_length_penalty(library, case, data, prompt, start, factor):
    scores, ids = case
    words = st.integers(0, scores.shape[1] - 1)
    eos = data.draw(st.lists(words, min_size=1, max_size=3, unique=True))
    scores[:, eos] = np.where(np.isfinite(scores[:, eos]), scores[:, eos], 0)  # which give NaN
    processor = theirs.ExponentialDecayLengthPenalty((start, factor), eos, prompt)
    n_new = ids.shape[1] - prompt
    agrees(
        library,
        lambda x, _: exponential_decay_length_penalty(x, n_new, start, factor, eos),
        processor,
        (scores, ids),
        1e-12,
    )


@everywhere
def test_an_end_that_is_forbidden_stays_so(library):
    scores = library.array(np.array([[-np.inf, 1.0, -2.0]]))
    raised = exponential_decay_length_penalty(scores, 3, 1, 2.0, [0, 2])
    assert host(raised).tolist() == [[-np.inf, 1.0, 4.0]]


@everywhere
@given(case=scores_and_texts(), seed=seeds)
def test_remove_invalid_values(library, case, seed):
    scores, ids = case
    wrong = np.random.default_rng(seed).random(scores.shape)
    scores = np.where(wrong < 0.2, np.nan, np.where(wrong < 0.4, np.inf, scores))
    processor = theirs.InfNanRemoveLogitsProcessor()
    agrees(library, lambda scores, _: remove_invalid_values(scores), processor, (scores, ids))
