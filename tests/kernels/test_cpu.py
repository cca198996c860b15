"""The fast versions equal their formulas, on every shape and layout that a model may give them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert import RobertaConfig, RobertaForMaskedLM
from minirobert.functional import gelu, largest, layer_norm, linear, softmax
from minirobert.kernels import cpu
from tests.kernels.running import ran, what_runs
from tests.libraries import STRICT

EPS = np.finfo(np.float32).eps
shapes = st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple)


@st.composite
def inputs(draw, dtype=np.float32):
    """Draw an array: of few or many elements, contiguous or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(shapes | st.sampled_from([(cpu.BLOCK + 3,), (3, cpu.BLOCK // 2 + 1), (90, 700)]))
    x = (rng.standard_normal(shape) * draw(st.sampled_from([0.1, 1, 4]))).astype(dtype)
    layout = draw(st.sampled_from(["contiguous", "transposed", "strided"]))
    if layout == "transposed":
        return x.T
    return x[..., ::2] if layout == "strided" else x


def agree(function, tolerance, x, *others):
    """Compare with the formula in float64: the tolerance is in float32 roundings."""
    fast = function(x, *others)
    wide = [o.astype(np.float64) if isinstance(o, np.ndarray) else o for o in others]
    exact = function.dispatch(object)(x.astype(np.float64), *wide)
    assert fast.dtype == np.float32
    assert fast.shape == exact.shape
    assert np.all(np.abs(fast - exact) <= tolerance * EPS)


@given(x=inputs())
def test_gelu(x):
    agree(gelu, 4 * np.maximum(np.abs(x), 1e-3), x)


def test_gelu_between_its_ends():
    """Far out it is exactly x or exactly 0; everywhere it is near the formula."""
    x = np.linspace(-30, 30, 2_000_001, dtype=np.float32)
    agree(gelu, 4 * np.maximum(np.abs(x), 1e-3), x)
    np.testing.assert_array_equal(gelu(x[x > 5.75]), x[x > 5.75])
    assert not gelu(x[x < -5.75]).any()
    edges = np.array([np.nan, np.inf, 0, -0.0, 1e-40], np.float32)
    np.testing.assert_allclose(gelu(edges), [np.nan, np.inf, 0, 0, 5e-41], rtol=1e-4)


@given(x=inputs())
def test_softmax(x):
    if x.shape[-1] == 0:
        return  # a sum over nothing: a model never has it, and both refuse it
    agree(softmax, 16, x)
    np.testing.assert_allclose(softmax(x).sum(axis=-1), 1, rtol=1e-5)


@given(x=inputs(), seed=st.integers(0, 99))
def test_layer_norm(x, seed):
    width = x.shape[-1]
    if width == 0:
        return
    x = x + np.arange(width, dtype=np.float32)  # rounding is all there is in a constant row
    weight, bias = np.random.default_rng(seed).standard_normal((2, width)).astype(np.float32)
    spread = np.abs(x).max(initial=1) / max(1e-3, x.std(axis=-1).min(initial=1)) if width > 1 else 1
    agree(layer_norm, 32 * spread, x, weight, bias, 1e-5)


@given(x=inputs(), outputs=st.integers(1, 7), with_bias=st.booleans(), seed=st.integers(0, 99))
def test_linear(x, outputs, with_bias, seed):
    rng = np.random.default_rng([1, seed])  # else the weights may be x, and all errors add up
    weight = rng.standard_normal((outputs, x.shape[-1])).astype(np.float32)
    bias = rng.standard_normal(outputs).astype(np.float32) if with_bias else None
    size = np.abs(x).sum(axis=-1, keepdims=True) * np.abs(weight).max(initial=0) + 4
    agree(linear, 2 * size, x, weight, bias)  # three products are rounded up to 1.5 times


@pytest.mark.parametrize("part", [6, 17, 4096])
@pytest.mark.parametrize("rows", [1, 2, 64, 65])
def test_linear_of_few_and_of_many_rows(monkeypatch, rows, part):
    monkeypatch.setattr(cpu, "_MANY_WEIGHTS", part)
    rng = np.random.default_rng(rows)
    x, weight = (rng.standard_normal((n, 33)).astype(np.float32) for n in (rows, 17))
    agree(linear, 500, x, weight, np.ones(17, np.float32))


ROW = np.linspace(-3, 3, 24, dtype=np.float32).reshape(4, 6)


def arguments(x):
    """Give each formula that has a kernel arguments of the layout and dtype of a matrix."""
    ones = np.ones(x.shape[1], x.dtype)
    return {gelu: (x,), softmax: (x,), linear: (x, x), layer_norm: (x, ones, ones, 0.1)}


@pytest.mark.parametrize("x", [ROW, ROW.T, ROW[:, ::2]], ids=["rows", "columns", "every other"])
def test_kernels_run(x):
    for function, others in arguments(x).items():
        assert what_runs(function, *others) == "kernel"
    assert what_runs(largest, x, 2) == "kernel"


def test_arrays_of_another_library_go_to_the_formula():
    for function, others in [*arguments(ROW).items(), (largest, (ROW, 2))]:
        strict = [STRICT.array(one) if isinstance(one, np.ndarray) else one for one in others]
        assert what_runs(function, *strict) == "formula"


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_dtypes_go_to_the_formula(dtype):
    for function, others in arguments(ROW.astype(dtype)).items():
        assert what_runs(function, *others) == "formula"
        result = function(*others)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, function.dispatch(object)(*others))


def test_one_argument_of_another_dtype_goes_to_the_formula():
    wide = np.ones(4)
    assert what_runs(linear, ROW, ROW, wide) == "formula"
    assert what_runs(linear, ROW, weight=ROW.astype(float), bias=None) == "formula"
    assert what_runs(layer_norm, ROW[:, :4], wide, wide, eps=0.1) == "formula"


def test_what_a_kernel_cannot_do_goes_to_the_formula():
    assert what_runs(gelu, np.ones((2, 0), np.float32)) == "formula"
    assert what_runs(largest, ROW, 0) == "formula"
    assert what_runs(largest, ROW, 6) == "formula"


@given(data=st.data(), seed=st.integers(0, 2**32 - 1), kinds=st.sampled_from([2, 9, 10**6]))
def test_largest(data, seed, kinds):
    rng = np.random.default_rng(seed)
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 40)))
    x = rng.integers(0, kinds, shape).astype(np.float32)
    x[rng.random(shape) < 0.2] = -np.inf
    if data.draw(st.booleans()):
        x[rng.random(shape) < 0.2] = np.nan
    k = data.draw(st.integers(0, shape[1]))
    for fast, exact in zip(largest(x, k), largest.dispatch(object)(x, k), strict=True):
        assert fast.dtype == exact.dtype
        np.testing.assert_array_equal(fast, exact)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_models_use_kernels_for_float32_alone(dtype):
    config = RobertaConfig(
        vocab_size=9, hidden_size=6, num_attention_heads=2, num_hidden_layers=1, intermediate_size=5
    )
    model = RobertaForMaskedLM(config).astype(dtype)
    found = ran(lambda: model([[0, 5, 6, 2]]))
    names = ("gelu", "layer_norm", "linear")
    versions = {f"kernels.{name}_cpu" for name in names}, {f"functional.{name}" for name in names}
    right, other = versions if dtype == "float32" else versions[::-1]
    assert found >= right
    assert not found & other
