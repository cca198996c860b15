"""The losses: against sums written out, against torch, and at their edges."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_losses
from hypothesis import given, settings
from hypothesis import strategies as st

from minirobert.losses import (
    TEXT_LOSSES,
    binary_cross_entropy_with_logits,
    cross_entropy,
    mean_squared_error,
    span_loss,
    token_loss,
)
from tests.libraries import LIBRARIES, host

RNG = np.random.default_rng(11)
M, C, B, S = 5, 3, 2, 4


def close(actual, expected, tolerance=1e-13):
    np.testing.assert_allclose(host(actual), expected, rtol=tolerance, atol=tolerance)
    assert np.shape(actual) == ()


def negative_log_probability(row, label):
    return math.log(sum(math.exp(x) for x in row)) - row[label]


@pytest.mark.parametrize("library", LIBRARIES)
def test_cross_entropy_written_out(library):
    logits, labels = RNG.standard_normal((M, C)), np.array([2, -100, 0, 1, -100])
    terms = [negative_log_probability(logits[m], labels[m]) for m in (0, 2, 3)]
    close(cross_entropy(library.array(logits), library.array(labels)), sum(terms) / 3)


@pytest.mark.parametrize("library", LIBRARIES)
def test_token_loss_counts_tokens_not_texts(library):
    logits = RNG.standard_normal((B, S, C))
    labels = np.array([[0, 2, 1, -100], [-100, -100, 1, -100]])
    terms = [
        negative_log_probability(logits[b, s], labels[b, s])
        for b in range(B)
        for s in range(S)
        if labels[b, s] != -100
    ]
    assert len(terms) == 4
    close(token_loss(library.array(logits), library.array(labels)), sum(terms) / 4)


@pytest.mark.parametrize("library", LIBRARIES)
def test_span_loss_written_out(library):
    """One start is behind the text, one end before it."""
    start, end = RNG.standard_normal((2, 3, S))
    starts, ends = np.array([1, S, 0]), np.array([3, 2, -100])
    start_loss = sum(negative_log_probability(start[b], starts[b]) for b in (0, 2)) / 2
    end_loss = sum(negative_log_probability(end[b], max(ends[b], 0)) for b in range(3)) / 3
    actual = span_loss(*(library.array(a) for a in (start, end, starts, ends)))
    close(actual, (start_loss + end_loss) / 2)


@pytest.mark.parametrize("behind", [S, S + 1, 10**6])
def test_spans_that_are_all_cut_off(behind):
    logits = RNG.standard_normal((2, B, S))
    inside, outside = np.array([0, 3]), np.array([behind, S])
    assert np.isnan(span_loss(*logits, outside, inside))
    assert np.isnan(span_loss(*logits, inside, outside))
    assert np.isfinite(span_loss(*logits, inside, np.array([0, behind])))


@pytest.mark.parametrize("library", LIBRARIES)
def test_mean_squared_error_written_out(library):
    predictions, targets = RNG.standard_normal((2, B, C))
    terms = [(predictions[b, c] - targets[b, c]) ** 2 for b in range(B) for c in range(C)]
    close(mean_squared_error(library.array(predictions), library.array(targets)), sum(terms) / 6)


@pytest.mark.parametrize("library", LIBRARIES)
def test_binary_cross_entropy_written_out(library):
    logits, targets = RNG.standard_normal((B, C)), RNG.random((B, C))
    total = 0.0
    for x, y in zip(logits.ravel(), targets.ravel(), strict=True):
        p = 1 / (1 + math.exp(-x))
        total -= y * math.log(p) + (1 - y) * math.log(1 - p)
    actual = binary_cross_entropy_with_logits(library.array(logits), library.array(targets))
    close(actual, total / (B * C))


@pytest.mark.parametrize("library", LIBRARIES)
def test_binary_cross_entropy_of_sure_decisions(library):
    """A right one costs exp(-|x|), a wrong one |x|; no exponential overflows."""

    def loss(x, y):
        return binary_cross_entropy_with_logits(library.array([x]), library.array([y]))

    for x, y in ((40.0, 1.0), (-40.0, 0.0)):
        close(loss(x, y), math.exp(-40), 0)
    for x, y in ((5000.0, 0.0), (-5000.0, 1.0)):
        close(loss(x, y), 5000)
    close(loss(0.0, 0.3), math.log(2))
    close(loss(2.0, -100.0), math.log(1 + math.exp(2)) + 200)  # -100 is no sign here


def loss_arguments(name, rng):
    """Draw the arguments of a loss, with a few labels ignored."""
    if name == "cross_entropy":
        labels = rng.integers(0, C, M)
        return [rng.standard_normal((M, C)), np.where(rng.random(M) < 0.3, -100, labels)]
    if name == "span_loss":
        logits = rng.standard_normal((2, B, S))
        return [*logits, *rng.integers(-2, S + 2, (2, B))]
    return [rng.standard_normal((B, C)), rng.random((B, C))]


def torch_span_loss(start, end, starts, ends):
    length = start.shape[1]
    starts, ends = starts.clamp(0, length), ends.clamp(0, length)
    sides = ((start, starts), (end, ends))
    return sum(torch_losses.cross_entropy(*side, ignore_index=length) for side in sides) / 2


TORCH = {
    "cross_entropy": torch_losses.cross_entropy,
    "span_loss": torch_span_loss,
    "mean_squared_error": torch_losses.mse_loss,
    "binary_cross_entropy_with_logits": torch_losses.binary_cross_entropy_with_logits,
}
OURS = {
    one.__name__: one
    for one in (
        cross_entropy,
        span_loss,
        mean_squared_error,
        binary_cross_entropy_with_logits,
    )
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", TORCH)
@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-3, 1.0, 300.0]))
def test_losses_are_torchs(library, name, seed, scale):
    arguments = loss_arguments(name, np.random.default_rng(seed))
    arguments[0] = arguments[0] * scale
    expected = TORCH[name](*map(torch.tensor, arguments)).numpy()
    actual = OURS[name](*map(library.array, arguments))
    np.testing.assert_allclose(host(actual), expected, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", TORCH)
def test_the_rounding_error_of_losses_is_at_most_4_times_torchs(name, dtype):
    rng = np.random.default_rng(3)
    ours, theirs = [], []
    for _ in range(200):
        arguments = loss_arguments(name, rng)
        arguments = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arguments]
        wide = [a.astype(float) if a.dtype.kind == "f" else a for a in arguments]
        exact = float(TORCH[name](*map(torch.tensor, wide)))
        if not math.isnan(exact):
            actual = OURS[name](*arguments)
            assert actual.dtype == dtype
            ours.append(float(actual) - exact)
            theirs.append(float(TORCH[name](*map(torch.tensor, arguments))) - exact)
    assert np.std(ours) <= 4 * np.std(theirs)


@pytest.mark.parametrize("name", TORCH)
def test_losses_of_half_precision_do_not_overflow_on_the_way(name):
    """The sum of 3000 losses of 100 is more than a float16 holds."""
    labels = np.zeros(3000, np.int64)
    logits = np.zeros((3000, 2), np.float16)
    logits[:, 1] = 100
    if name == "cross_entropy":
        assert cross_entropy(logits, labels) == 100
    elif name == "span_loss":
        assert span_loss(logits, logits, labels, labels) == 100
    elif name == "mean_squared_error":
        assert mean_squared_error(logits, np.full_like(logits, 50)) == 2500
        far = np.array([300] + [0] * 9, np.float16)  # of which the square is too large
        assert mean_squared_error(far, np.zeros_like(far)) == 9000
    else:
        actual = binary_cross_entropy_with_logits(logits, np.zeros_like(logits))
        assert actual == np.float16((100 + math.log(2)) / 2)


@pytest.mark.parametrize("targets", ["float16", "float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("logits", ["float16", "float32", "float64"])
def test_the_wider_dtype_wins(logits, targets):
    """As in torch; but torch's binary cross-entropy rounds to the targets' dtype if narrower."""
    x, y = RNG.random((B, C)).astype(logits), (RNG.random((B, C)) > 0.5).astype(targets)
    for name in ("mean_squared_error", "binary_cross_entropy_with_logits"):
        theirs = torch_losses.mse_loss(torch.tensor(x), torch.tensor(y))
        actual = OURS[name](x, y)
        assert str(actual.dtype) == str(theirs.dtype).removeprefix("torch.")
        exact = OURS[name](x.astype(float), y.astype(float))
        assert abs(float(actual) - float(exact)) <= 2 * np.finfo(actual.dtype).eps
    if (logits, targets) == ("float64", "float32"):
        theirs = torch_losses.binary_cross_entropy_with_logits(torch.tensor(x), torch.tensor(y))
        assert theirs.dtype == torch.float32


def test_no_loss_changes_its_arguments():
    for name, loss in OURS.items():
        arguments = loss_arguments(name, RNG)
        before = [np.copy(a) for a in arguments]
        loss(*arguments)
        for old, new in zip(before, arguments, strict=True):
            np.testing.assert_array_equal(old, new)


def test_each_problem_has_its_loss():
    assert dict(TEXT_LOSSES) == {
        "regression": mean_squared_error,
        "single_label_classification": cross_entropy,
        "multi_label_classification": binary_cross_entropy_with_logits,
    }
