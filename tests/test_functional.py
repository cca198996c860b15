"""The formulas: against torch, against numbers of higher precision, and at their edges."""

from functools import partial

import ml_dtypes
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from transformers.activations import ACT2FN

from minirobert import functional as F  # noqa: N812  # as torch's is called everywhere
from minirobert.config_fields import ACTIVATION_NAMES
from tests import libraries
from tests.libraries import LIBRARIES, STRICT, host

FORMULAS = {f.__name__: f.dispatch(object) for f in (F.gelu, F.linear, F.softmax, F.layer_norm)}
finite = st.floats(-30, 30, width=32)
close = partial(libraries.close, bound=1e-12, at_least=1.0)


def arrays(shape, dtype="float64"):
    return hnp.arrays(dtype, shape, elements=finite)


@pytest.mark.parametrize("library", LIBRARIES)
@given(x=arrays((2, 3, 5)), weight=arrays((4, 5)), bias=st.none() | arrays((4,)))
def test_linear(library, x, weight, bias):
    tensors = [None if a is None else torch.tensor(a) for a in (x, weight, bias)]
    ours = F.linear(*(library.array(a) for a in (x, weight, bias)))
    close(ours, torch.nn.functional.linear(*tensors))


@pytest.mark.parametrize("library", LIBRARIES)
@given(x=arrays((2, 3, 5)))
def test_softmax_and_its_logarithm(library, x):
    close(F.softmax(library.array(x)), torch.tensor(x).softmax(-1))
    close(F.log_softmax(library.array(x)), torch.tensor(x).log_softmax(-1))


def test_softmax_of_huge_and_equal_scores():
    for dtype in (np.float16, np.float32, np.float64):
        huge = np.array([[1e4, 1e4, -1e4], [np.finfo(dtype).min] * 3], dtype)
        result = F.softmax(huge)
        assert result.dtype == dtype
        np.testing.assert_allclose(result[0], [0.5, 0.5, 0])
        np.testing.assert_allclose(result[1], [1 / 3] * 3, rtol=1e-3)


@pytest.mark.parametrize("library", LIBRARIES)
@given(
    x=arrays((2, 3, 5)),
    weight=arrays((5,)),
    bias=arrays((5,)),
    eps=st.sampled_from([1e-12, 1e-5, 0.1]),
)
def test_layer_norm(library, x, weight, bias, eps):
    x = x + np.arange(5)  # never a constant row, in which rounding is all there is
    x_, weight_, bias_ = map(torch.tensor, (x, weight, bias))
    expected = torch.nn.functional.layer_norm(x_, (5,), weight_, bias_, eps)
    ours = F.layer_norm(*(library.array(a) for a in (x, weight, bias)), eps)
    close(ours, expected, bound=1e-7 if eps == 1e-12 else 1e-10)


def test_layer_norm_of_a_constant_row_is_its_bias():
    x = np.full((1, 4), 3.0)
    result = F.layer_norm(x, np.ones(4), np.arange(4.0), 1e-12)
    np.testing.assert_array_equal(result, [[0, 1, 2, 3]])


@pytest.mark.parametrize("library", LIBRARIES)
def test_embedding_repeats_rows(library):
    table = np.arange(12.0).reshape(4, 3)
    ids = np.array([[3, 0], [3, 3]])
    ours = F.embedding(library.array(table), library.array(ids))
    np.testing.assert_array_equal(host(ours), table[ids])


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", ACTIVATION_NAMES)
@settings(max_examples=50)
@given(x=arrays((7,)) | arrays((2, 3)))
def test_activations(library, name, x):
    ours = F.ACTIVATIONS[name](library.array(x))
    close(ours, ACT2FN[name](torch.tensor(x)))


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_activations_in_float32_and_float16(name):
    """Our error is at most 4 times torch's, over the range in which activations bend."""
    x = np.linspace(-12, 12, 20_001)
    for dtype in (np.float32, np.float16):
        rounded = x.astype(dtype)
        exact = ACT2FN[name](torch.tensor(rounded.astype(np.float64))).numpy()
        theirs = ACT2FN[name](torch.tensor(rounded)).double().numpy()
        ours = F.ACTIVATIONS[name](rounded)
        assert ours.dtype == dtype
        budget = 4 * np.abs(theirs - exact).max() + np.finfo(dtype).smallest_normal
        assert np.abs(ours - exact).max() <= budget


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_activations_of_huge_numbers_are_finite_where_torchs_are(name, dtype):
    x = np.array([-1e4, -50, -0.0, 0.0, 50, 1e4], dtype)
    expected = ACT2FN[name](torch.tensor(x)).numpy()
    with np.errstate(over="ignore"):  # relu2 overflows in float16, in torch too
        np.testing.assert_allclose(F.ACTIVATIONS[name](x), expected, rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_activations_in_bfloat16(name):
    dtype = ml_dtypes.bfloat16
    x = np.linspace(-12, 12, 999).astype(dtype)
    ours, wide = F.ACTIVATIONS[name](x), F.ACTIVATIONS[name](x.astype("f4"))
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours.astype("f4"), wide, rtol=2e-2, atol=1e-2)


def test_the_configuration_knows_the_same_activations():
    assert set(F.ACTIVATIONS) == set(ACTIVATION_NAMES)
    assert set(ACT2FN) - set(F.ACTIVATIONS) == {"prelu", "xielu"}  # these two have parameters


def test_the_two_gelus_can_be_told_apart():
    x = np.linspace(-5, 5, 1001)
    assert 4e-4 < np.abs(F.gelu(x) - F.gelu_new(x)).max() < 5e-4


def ulps(value, exact):
    """Measure an error in units in the last place of the exact number's own format."""
    spacing = float(np.spacing(np.abs(type(value)(exact))))
    return abs(mpmath.mpf(float(value)) - exact) / spacing


@pytest.mark.parametrize(("dtype", "limit"), [(np.float32, 2), (np.float64, 4)])
def test_erf_against_forty_digits(dtype, limit):
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            rng.uniform(-7, 7, 4000),
            rng.uniform(-1.2, 1.2, 8000),
            rng.uniform(0.9, 1.1, 2000),  # where one formula takes over from the other
            10.0 ** rng.uniform(-30, 0, 1000),
            [np.nextafter(dtype(1), dtype(0)), 1.0, np.nextafter(dtype(1), dtype(2)), 6.0],
        ]
    ).astype(dtype)
    with mpmath.workdps(40):
        exact = [mpmath.erf(mpmath.mpf(float(value))) for value in x]
        worst = max(ulps(a, b) for a, b in zip(F.erf(x), exact, strict=True))
    assert worst <= limit


def test_erf_of_every_float32_between_a_half_and_two():
    """There are 16.8 million of them; float64's own error is far below a float32 ulp."""
    start, stop = np.array([0.5, 2.0], np.float32).view(np.int32)
    for first in range(start, stop, 1 << 20):
        x = np.arange(first, min(first + (1 << 20), stop), dtype=np.int32).view(np.float32)
        exact = torch.erf(torch.tensor(x, dtype=torch.float64)).numpy()
        error = np.abs(F.erf(x).astype(np.float64) - exact)
        assert (error / np.spacing(exact.astype(np.float32))).max() <= 2


@pytest.mark.parametrize("library", LIBRARIES)
def test_erf_at_the_edges(library):
    x = np.array([np.nan, -np.inf, np.inf, -0.0, 0.0, 5e-324, -30.0, 1e300])
    result = host(F.erf(library.array(x)))
    np.testing.assert_array_equal(result, [np.nan, -1, 1, 0, 0, 5e-324, -1, 1])
    assert np.signbit(result[3])
    assert not np.signbit(result[4])


def test_half_precision_accumulates_in_float32():
    """In float16, 4096 ones and then a one more is still 4096 at 2048."""
    ones = np.ones((1, 4096), np.float16)
    result = F.linear(ones, ones)
    assert result.dtype == np.float16
    assert result[0, 0] == 4096
    row = np.full((1, 8), 300, np.float16) * np.arange(8, dtype=np.float16)  # squares overflow
    normal = F.layer_norm(row, np.ones(8, np.float16), np.zeros(8, np.float16), 1e-12)
    np.testing.assert_allclose(normal, F.layer_norm(row.astype(float), 1.0, 0.0, 0), rtol=1e-3)


class StrictGenerator:
    """A generator whose numbers are in another library."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def random(self, shape):
        return STRICT.array(self.rng.random(shape))


def test_dropout_keeps_the_mean():
    x = np.ones((400, 500), np.float32)
    result = F.dropout(x, 0.25, np.random.default_rng(0))
    assert result.dtype == np.float32
    assert set(np.unique(result)) == {0, np.float32(4 / 3)}
    assert abs(result.mean() - 1) < 0.01


def test_dropout_at_its_ends_and_in_another_library():
    x = np.arange(6.0).reshape(2, 3)
    assert F.dropout(x, 0, None) is x
    np.testing.assert_array_equal(F.dropout(x, 1.0, np.random.default_rng(0)), np.zeros((2, 3)))
    strict = F.dropout(STRICT.array(x), 0.5, StrictGenerator(3))
    np.testing.assert_array_equal(host(strict), F.dropout(x, 0.5, np.random.default_rng(3)))
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match=f"p is {wrong}, but must be a number from 0 to 1"):
            F.dropout(x, wrong, np.random.default_rng(0))


@pytest.mark.parametrize("name", FORMULAS)
def test_no_formula_changes_its_arguments(name):
    arguments = {
        "gelu": [np.ones((3, 4), np.float32)],
        "softmax": [np.ones((3, 4), np.float32)],
        "linear": [np.ones((3, 4), np.float32)] * 2 + [np.ones(3, np.float32)],
        "layer_norm": [np.ones((3, 4), np.float32)] + [np.ones(4, np.float32)] * 2 + [1e-5],
    }[name]
    before = [np.copy(argument) for argument in arguments]
    getattr(F, name)(*arguments)
    FORMULAS[name](*arguments)
    for old, new in zip(before, arguments, strict=True):
        np.testing.assert_array_equal(old, new)
