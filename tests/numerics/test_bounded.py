"""Arrays with bounds: their values are exact, and what float32 or float16 computes is within."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minirobert.functional import (
    ACTIVATIONS,
    gelu,
    layer_norm,
    linear,
    log_softmax,
    matmul,
    softmax,
    tanh,
)
from minirobert.numerics.arithmetic import FORMATS, Arithmetic
from minirobert.numerics.bounded import BoundedArray, c, equal_pairs, pairs
from minirobert.numerics.bounds import activation
from minirobert.numerics.operations import Operations
from minirobert.numerics.replay import round_to
from tests.numerics.loops import WAYS, Way, loops, way

SCALES = (1e-3, 0.1, 1.0, 30.0)
seeds = st.integers(0, 2**32 - 1)

# Of one or two arrays of the shape [5, 7]; the library comes first.
OPERATIONS = {
    "add": lambda xp, x, y: x + y,
    "add a number": lambda xp, x, y: x + 0.1,
    "subtract": lambda xp, x, y: x - y,
    "subtract from a number": lambda xp, x, y: 0.1 - x,
    "multiply": lambda xp, x, y: x * y,
    "multiply by a number": lambda xp, x, y: 0.1 * x,
    "divide": lambda xp, x, y: x / (y * y + 1.0),
    "divide by a number": lambda xp, x, y: x / math.sqrt(7),
    "divide a number": lambda xp, x, y: 0.1 / (x * x + 1.0),
    "power": lambda xp, x, y: x**3,
    "negate": lambda xp, x, y: -x + y,
    "matmul": lambda xp, x, y: matmul(x, xp.matrix_transpose(y)),
    "chain": lambda xp, x, y: matmul(matmul(x, xp.matrix_transpose(y)), y) / 3.0,
    "linear": lambda xp, x, y: linear(x, y, y[:, 0]),
    "linear without bias": lambda xp, x, y: linear(x, y),
    "softmax": lambda xp, x, y: softmax(x),
    "softmax of what is off": lambda xp, x, y: softmax(x * y),
    "log_softmax": lambda xp, x, y: log_softmax(x),
    "layer_norm": lambda xp, x, y: layer_norm(x, y[0, :], y[1, :], 1e-5),
    "layer_norm of what is off": lambda xp, x, y: layer_norm(x * y, y[0, :], y[1, :], 1e-5),
    "gelu": lambda xp, x, y: gelu(x),
    "gelu of what is off": lambda xp, x, y: gelu(x * y),
    "tanh": lambda xp, x, y: tanh(x + y),
    "sum": lambda xp, x, y: xp.sum(x * y, axis=1),
    "mean": lambda xp, x, y: xp.mean(x + y, axis=0, keepdims=True),
    "max": lambda xp, x, y: xp.max(x * y, axis=1),
    "min": lambda xp, x, y: xp.min(x * y),
    "minimum": lambda xp, x, y: xp.minimum(x * y, y),
    "clip": lambda xp, x, y: xp.clip(x * y, -0.5, 0.5),
    "abs": lambda xp, x, y: xp.abs(x * y),
    "sqrt": lambda xp, x, y: xp.sqrt(x * x + 1.0),
    "exp": lambda xp, x, y: xp.exp(-xp.abs(x)),
    "log": lambda xp, x, y: xp.log(x * x + 1.0),
    "where": lambda xp, x, y: xp.where(x > y, x * y, y),
    "where not": lambda xp, x, y: xp.where(x > y, x, 0.0),
    "concat": lambda xp, x, y: xp.concat([x, x * y], axis=1),
    "stack": lambda xp, x, y: xp.stack([x * y, y], axis=1),
    "take": lambda xp, x, y: xp.take(x * y, xp.asarray(np.array([2, 0])), axis=1),
    "take along": lambda xp, x, y: xp.take_along_axis(x * y, xp.argsort(x, axis=1), axis=1),
    "index": lambda xp, x, y: (x * y)[:, None, 2:5],
    "reshape": lambda xp, x, y: xp.permute_dims(xp.reshape(x * y, (7, 1, 5)), (2, 0, 1)),
    "repeat": lambda xp, x, y: xp.repeat(x * y, 2, axis=0),
    "broadcast": lambda xp, x, y: xp.broadcast_to((x * y)[:1, :], (3, 7)),
}


def drawn(seed, scale, store):
    rng = np.random.default_rng(seed)
    return [round_to(rng.standard_normal((5, 7)) * scale, store) for _ in range(2)]


def errors(name, result, actual):
    """Give the errors, and what they may be."""
    assert isinstance(result, BoundedArray)
    assert result.shape == actual.shape
    bound = np.zeros(result.shape) if result.bound is None else result.bound
    assert bound.shape == result.shape, name
    return abs(actual.astype(np.float64) - result.value), bound


@pytest.mark.parametrize("store", ["float64", "float32", "float16"])
@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=25)
@given(seed=seeds, scale=st.sampled_from(SCALES))
def test_what_a_library_computes_is_within_the_bound(name, store, seed, scale):
    compute, (x, y) = OPERATIONS[name], drawn(seed, scale, store)
    xp = Operations(Arithmetic(store))
    result = compute(xp, xp.asarray(x), xp.asarray(y))
    exact = compute(np, x, y)
    np.testing.assert_allclose(result.value, exact, rtol=1e-12, atol=1e-290)
    with np.errstate(over="ignore"):
        actual = compute(np, x.astype(store), y.astype(store))
    assert actual.dtype == store
    off, bound = errors(name, result, actual)
    assert store == "float16" or np.all(np.isfinite(actual))  # which overflows on the way
    off = np.where(np.isfinite(actual), off, 0.0)
    assert np.all(off <= bound), float(np.max(off / np.where(bound, bound, 1)))


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=10)
@given(seed=seeds, signs=st.booleans())
def test_what_goes_in_may_be_off(name, seed, signs):
    """It is off by much more than roundoffs, all in one direction or each in its own."""
    compute, (x, y) = OPERATIONS[name], drawn(seed, 1.0, "float64")
    off = 1e-6 * (np.sign(x) if signs else np.random.default_rng(seed).uniform(-1, 1, x.shape))
    xp = Operations(Arithmetic("float64"))
    bounded_x = BoundedArray(x, np.full(x.shape, 1e-6), xp.float64, xp)
    result = compute(xp, bounded_x, xp.asarray(y))
    moved = compute(np, x + off, y)
    if name in ("where", "where not", "take along"):  # which look at the numbers themselves
        return
    assert np.all(abs(moved - result.value) <= result.bound * (1 + 1e-4) + 1e-10)  # d^2


@pytest.mark.parametrize("name", [n for n in OPERATIONS if n not in ("index", "where not", "take")])
def test_no_bound_is_without_measure(name):
    """A bound that is a hundred roundoffs of the largest number or more would hide mistakes."""
    compute, (x, y) = OPERATIONS[name], drawn(3, 1.0, "float32")
    xp = Operations(Arithmetic("float32"))
    result = compute(xp, xp.asarray(x), xp.asarray(y))
    unit = FORMATS["float32"].unit
    assert np.max(result.bound) < 200 * unit * max(1.0, float(np.max(abs(result.value))))


FORMULAS = {
    "linear": lambda x, w, b: linear(x, w, b),
    "softmax": lambda x, w, b: softmax(x),
    "layer_norm": lambda x, w, b: layer_norm(x, w[0, :], w[1, :], 1e-5),
    "gelu": lambda x, w, b: gelu(x),
    "matmul": lambda x, w, b: x @ w,
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("how", WAYS)
@settings(max_examples=25)
@given(seed=seeds, scale=st.sampled_from(SCALES), rows=st.integers(1, 5), size=st.integers(2, 300))
def test_other_orders_and_formulas_are_within_the_bound(name, how, seed, scale, rows, size):
    rng = np.random.default_rng(seed)
    arrays = [
        (rng.standard_normal(shape) * scale + shift).astype(np.float32)
        for shape, shift in (((rows, size), 0.0), ((size, size), 0.0), ((size,), 1.0))
    ]
    if name == "softmax":
        arrays[0] = np.clip(arrays[0], -80, 80)  # without the maximum, exp overflows at 88
    xp = Operations(Arithmetic())
    result = FORMULAS[name](*map(xp.asarray, arrays))
    with way(WAYS[how]):
        actual = FORMULAS[name](*map(loops, arrays))
    off, bound = errors(name, result, np.asarray(actual))
    assert np.all(off <= bound), float(np.max(off / bound))


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", ["softmax", "matmul"])
@settings(max_examples=15)
@given(seed=seeds, size=st.sampled_from([24, 128, 512]))
def test_equal_terms_are_rounded_alike(name, how, seed, size):
    """So the roundoffs of a sum go one way, and it is farther off than one of different terms."""
    rng = np.random.default_rng(seed)
    keys = np.minimum(np.arange(size), 4)  # the last are all the same, as padding is
    scores, values = rng.standard_normal((2, 5)), rng.standard_normal((5, 6))
    x = scores[:, keys] if name == "softmax" else abs(scores)[:, keys] / size
    x, y = x.astype(np.float32), values[keys].astype(np.float32)
    xp = Operations(Arithmetic())
    result = FORMULAS[name](xp.asarray(x), xp.asarray(y), None)
    with way(WAYS[how]):
        actual = FORMULAS[name](loops(x), loops(y), None)
    off, bound = errors(name, result, np.asarray(actual))
    assert np.all(off <= bound), float(np.max(off / bound))


@pytest.mark.parametrize("name", ["linear", "matmul"])
def test_one_term_may_be_larger_than_all_others(name):
    """It is the first here, so that each partial sum is rounded as the whole is."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 512)) * 1e-3
    w = rng.standard_normal((2000, 512)) * 1e-3
    bias = 1 + 1e-3 * rng.standard_normal(2000)
    if name == "matmul":  # probabilities, nearly all that of one key, and values
        x, w = abs(x), w.T * 1e3
        x[:, 0] = 99 * np.sum(x, axis=1)
    x, w, bias = (array.astype(np.float32) for array in (x, w, bias))
    result = FORMULAS[name](*map(Operations(Arithmetic()).asarray, (x, w, bias)))
    with way(Way(bias_first=True)):
        off, bound = errors(name, result, np.asarray(FORMULAS[name](*map(loops, (x, w, bias)))))
    assert 0.5 < np.max(off / bound) <= 1


def test_only_terms_that_are_equal_and_not_0_are_paired():
    rng = np.random.default_rng(0)
    weights, rows = abs(rng.standard_normal((2, 40))), rng.standard_normal((40, 8))
    unit = FORMATS["float32"].unit
    assert pairs(weights, rows, unit).tolist() == [[40], [40]]
    rows[30:] = rows[30] * (1 + 1e-7 * rng.standard_normal((10, 8)))  # alike but for their digits
    assert pairs(weights, rows, unit).tolist() == [[40 + 10 * 9]] * 2
    weights[0, 35:] = 0.0  # masked
    assert pairs(weights, rows, unit).tolist() == [[40 + 5 * 4], [40 + 10 * 9]]
    scores = np.array([[1.0, 2.0, 2.0, -9.0, 3.0, 2.0, -9.0, -9.0]])
    assert equal_pairs(scores, 1e-6, scores > -9).tolist() == [[8 + 3 * 2]]
    near = np.arange(300.0)  # each to the next, but not to all
    assert equal_pairs(near, 2.0, near >= 0).tolist() == [300 + 150 * 2]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1)], ids=str)
@settings(max_examples=25)
@given(seed=seeds)
def test_terms_may_be_added_in_any_order(order, seed):
    rng = np.random.default_rng(seed)
    terms = round_to(rng.standard_normal((3, 500)) * [[30], [30], [1]], "float16")
    terms[1] = round_to(-terms[0] + terms[1] / 30, "float16")  # so that they cancel
    xp = Operations(Arithmetic("float16"))
    first, second, third = map(xp.asarray, terms)
    result = first + (second + third)
    one, two, last = terms[list(order)].astype(np.float16)
    off, bound = errors("add", result, (one + two) + last)
    assert np.all(off <= bound)


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=20)
@given(seed=seeds, scale=st.sampled_from(SCALES))
def test_activations_are_within_the_bound(name, seed, scale):
    x = drawn(seed, scale, "float32")[0]
    xp = Operations(Arithmetic())
    off, bound = errors(name, activation(name)(xp.asarray(x)), ACTIVATIONS[name](x.astype("f4")))
    assert np.all(off <= bound)


def test_a_variance_in_one_pass_loses_digits():
    """It is the one known way that is beyond the bound, where the mean is far from 0."""
    x = (np.random.default_rng(0).standard_normal((4, 64)) * 0.01 + 10).astype(np.float32)
    ones, zeros = np.ones(64, np.float32), np.zeros(64, np.float32)
    xp = Operations(Arithmetic())
    result = layer_norm(xp.asarray(x), xp.asarray(ones), xp.asarray(zeros), 1e-5)
    for variance, within in (("two passes", True), ("Welford", True), ("one pass", False)):
        with way(Way(variance=variance)):
            off = abs(np.asarray(layer_norm(loops(x), ones, zeros, 1e-5)) - result.value)
        assert bool(np.all(off <= result.bound)) is within


def test_mistakes_are_beyond_the_bound():
    x = np.linspace(-3, 3, 50)[None, :].astype(np.float32)
    xp = Operations(Arithmetic())
    bounded = gelu(xp.asarray(x))
    assert np.max(abs(ACTIVATIONS["gelu_new"](x) - bounded.value) / bounded.bound) > 100
    half = Operations(Arithmetic("float16"))
    bounded = gelu(half.asarray(round_to(x.astype(float), "float16")))
    off = abs(ACTIVATIONS["quick_gelu"](x) - bounded.value)
    assert np.max(off / bounded.bound) > 5


def test_gelu_in_float16_may_have_a_root_of_2_that_is_rounded():
    bits = np.arange(0x4800, dtype=np.uint16)  # all numbers of float16 below 8
    x = np.concatenate([bits.view(np.float16), -bits.view(np.float16)]).astype(float)
    curve = np.array([math.erf(one / float(np.float16(math.sqrt(2)))) for one in x])
    bounded = gelu(Operations(Arithmetic("float16")).asarray(x))
    port = round_to(x * 0.5 * (1.0 + curve), "float16")
    assert np.all(abs(port - bounded.value) <= bounded.bound)
    assert np.max(abs(ACTIVATIONS["gelu_new"](x) - bounded.value) / bounded.bound) > 30


def test_scores_that_are_masked_do_not_count():
    xp = Operations(Arithmetic())
    scores = np.array([[0.5, -1.0, 0.25]], np.float32)
    attend = xp.asarray(np.array([[True, False, True]]))
    masked = xp.where(attend, xp.asarray(scores), float(xp.finfo(xp.float32).min))
    result = softmax(masked)
    assert result.value[0, 1] == 0
    assert np.all(np.isfinite(result.bound))
    nothing = softmax(xp.where(xp.asarray(np.zeros(3, bool)), masked, masked[0, 1]))
    np.testing.assert_allclose(nothing.value, 1 / 3)
    assert np.all(nothing.bound < 1e-5)


def test_products_of_matrices_are_counted():
    xp = Operations(Arithmetic())
    x = xp.asarray(np.ones((3, 3)))
    first = linear(x, x)
    assert (first.maps, linear(first, x).maps, (linear(first, x) + x).maps) == (0, 1, 1)
    assert (first @ first).maps == 1


def test_integers_and_booleans_are_exact():
    xp = Operations(Arithmetic())
    ids = xp.asarray(np.array([[3, 1, 2]]))
    total = xp.cumulative_sum(xp.astype(ids != 1, xp.int64), axis=1) + 2
    assert total.bound is None
    assert total.value.tolist() == [[3, 3, 4]]
    assert xp.isdtype(ids.dtype, "integral")
    assert not xp.isdtype(ids.dtype, "real floating")
    assert xp.isdtype(xp.float32, "real floating")
    assert bool((ids > 2)[0, 0] | (ids < 0)[0, 0])


def test_writing_into_an_array_writes_its_bound():
    xp = Operations(Arithmetic())
    buffer = xp.empty((2, 3))
    x = xp.asarray(np.ones((2, 1)))
    buffer[:, 1:2] = x / 3.0
    assert buffer.bound[:, 1].min() > 0
    assert buffer.bound[:, 0].max() == 0
    assert buffer.value[0].tolist() == [0, 1 / 3, 0]


def test_c_grows_like_a_random_walk():
    assert c(0) == 4
    assert c(100) == 34


@pytest.mark.parametrize("name", ["float16", "float32", "bfloat16", "tf32"])
@given(x=st.floats(-1e4, 1e4))
def test_rounding_is_to_the_nearest(name, x):
    digits = {"float16": 11, "bfloat16": 8, "tf32": 11, "float32": 24}[name]
    y = float(round_to(np.float64(x), name))
    if abs(x) < 2.0**-13:  # float16 is rounded to multiples there
        return
    exponent = math.frexp(x)[1]
    spacing = 2.0 ** (exponent - digits)
    assert abs(y - x) <= spacing / 2
    assert y % spacing == 0
