"""Arrays whose last bit is that of every machine: right, and in the order that they promise."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.arrays import array_namespace, to_numpy
from minirobert.numerics.vectors.portable import PortableArray, portable

xp = array_namespace(portable(np.zeros(1)))

LIMITS = {
    "exp": (-700.0, 700.0),
    "log": (1e-300, 1e300),
    "log1p": (0.0, 1.0),
    "tanh": (-20.0, 20.0),
}


@pytest.mark.parametrize("name", LIMITS)
@given(data=st.data())
def test_functions_are_right_to_a_few_units(name, data):
    low, high = LIMITS[name]
    x = data.draw(st.floats(low, high, allow_subnormal=False))
    with mpmath.workprec(200):
        exact = getattr(mpmath, name)(mpmath.mpf(x))
        found = mpmath.mpf(float(getattr(xp, name)(portable([x]))[0]))
        assert abs(found - exact) <= 5 * mpmath.mpf(2) ** -53 * abs(exact)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", -np.inf, 0.0),
        ("exp", -1e308, 0.0),
        ("exp", 0.0, 1.0),
        ("tanh", 1e300, 1.0),
        ("tanh", -0.0, -0.0),
        ("log", 1.0, 0.0),
    ],
)
def test_limits(name, x, expected):
    found = float(getattr(xp, name)(portable([x]))[0])
    assert found == expected
    assert np.signbit(found) == np.signbit(expected)


def test_sums_go_from_the_first_term_to_the_last():
    terms = [1.0, 1e-16, 1e-16, 1e-16, 1e16, -1e16]
    in_order = 0.0
    for term in terms:
        in_order += term
    assert float(xp.sum(portable(terms))) == in_order
    assert float(xp.sum(portable([terms[::-1]]), axis=1)[0]) == sum(terms[::-1]) != in_order
    row, column = portable([terms]), portable([[1.0]] * 6)
    assert to_numpy(row @ column).tolist() == [[in_order]]


def test_products_and_means_are_those_of_numpy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 5, 4)), rng.normal(size=(3, 4, 6))
    assert np.allclose(to_numpy(portable(a) @ portable(b)), a @ b, rtol=1e-14)
    for axis in (None, 0, -1):
        mean = to_numpy(xp.mean(portable(a), axis=axis))
        assert np.allclose(mean, a.mean(axis), rtol=1e-13, atol=1e-16)
    assert to_numpy(xp.mean(portable(a), axis=-1, keepdims=True)).shape == (2, 3, 5, 1)


def test_integers_stay_integers():
    counted = xp.sum(portable([[True, False], [True, True]]), axis=1)
    assert to_numpy(counted).tolist() == [1, 2]
    assert to_numpy(counted).dtype == np.int64


def test_an_array_is_changed_in_place():
    x = portable([1.0, 2.0, 3.0])
    x[1:] = portable([5.0, 6.0])
    x[0] += portable(1.0)
    assert repr(x) == "PortableArray(array([2., 5., 6.]))"
    assert isinstance(x[0], PortableArray)
