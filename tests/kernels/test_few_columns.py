"""Products with few columns: by blocks, where BLAS has loops for them, and the same numbers."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from minirobert.kernels import few_columns
from minirobert.kernels.few_columns import product
from minirobert.threads import (
    _POOLS,
    has_one_thread,
    limited,
    multiplies_small,
    taken_from_blas,
)

EPS = np.finfo(np.float32).eps


@pytest.fixture(autouse=True)
def _loops_for_small_matrices():
    """Compute as on a processor with AVX-512, wherever the tests run, with one thread."""
    loops = mock.patch.object(few_columns, "multiplies_small", return_value=True)
    with loops, threadpool_limits(1):
        yield


def rows_of_blocks(weight, x):
    """Compute a product, and tell how many rows each block has; None where it is not cut."""
    shapes = []
    matmul = np.matmul

    def noting(left, right, out):
        shapes.append(left.shape)
        return matmul(left, right, out=out)

    with mock.patch.object(np, "matmul", noting):
        result = product(weight, x)
    np.testing.assert_allclose(result, weight.astype(float) @ x, rtol=1e-4, atol=1e-3)
    if not shapes:
        return None
    (n_blocks, rows, _), (left_over, _) = shapes
    assert n_blocks * rows + left_over == len(weight)
    assert left_over < rows <= few_columns._SMALL // x.size
    return rows


def normal(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape, np.float32)


@given(
    shape=st.tuples(st.integers(0, 40), st.integers(0, 9)),
    n_columns=st.integers(0, 70),
    small=st.integers(1, 3000),
    order=st.tuples(st.sampled_from("CF"), st.sampled_from("CF")),
    seed=st.integers(0, 99),
)
def test_the_product_is_the_same(shape, n_columns, small, order, seed):
    rng = np.random.default_rng(seed)
    weight = np.asarray(rng.standard_normal(shape, np.float32), order=order[0])
    x = np.asarray(rng.standard_normal((shape[1], n_columns), np.float32), order=order[1])
    with mock.patch.object(few_columns, "_SMALL", small):
        found = product(weight, x)
    assert (found.dtype, found.shape) == (np.float32, (shape[0], n_columns))
    bound = 2 * shape[1] * EPS * (np.abs(weight).astype(float) @ np.abs(x))
    assert (np.abs(found - weight.astype(float) @ x) <= bound).all()


@pytest.mark.parametrize(
    ("shape", "n_columns", "rows"),
    [
        ((3072, 768), 16, 81),  # 37 blocks, and 75 rows are left
        ((768, 3072), 64, 5),
        ((769, 768), 2, 385),  # one block, where 651 rows and 118 would be less even
        ((50, 768), 16, None),  # small as it is
        ((768, 768), 1, None),
        ((768, 768), 65, None),
        ((50, 500_001), 2, None),  # no row is small
    ],
)
def test_blocks_are_as_large_as_they_may_be_and_of_a_size(shape, n_columns, rows):
    assert rows_of_blocks(normal(*shape), normal(shape[1], n_columns)) == rows


def test_several_threads_of_blas_have_the_whole_product():
    weight, x = normal(768, 768), normal(768, 16)
    assert rows_of_blocks(weight, x) == 77
    with threadpool_limits(2):
        assert rows_of_blocks(weight, x) is None


def test_limits_of_others_change_no_number():
    """They are told to the one BLAS of the process, but each caller has its own."""
    weight, x = normal(768, 768), normal(768, 16)
    with threadpool_limits(2), ThreadPoolExecutor(1) as other:
        limit = limited(1)
        other.submit(limit.__enter__).result()
        assert rows_of_blocks(weight, x) is None
        assert other.submit(rows_of_blocks, weight, x).result() == 77
        with limited(2):
            assert rows_of_blocks(weight, x) is None
            with limited(1), limited(3):
                assert rows_of_blocks(weight, x) == 77
        other.submit(limit.__exit__, None, None, None).result()
        assert other.submit(rows_of_blocks, weight, x).result() is None


def test_threads_that_share_a_batch_have_blocks():
    with threadpool_limits(3), taken_from_blas() as first, taken_from_blas() as second:
        assert (first, second) == (3, 1)
        assert rows_of_blocks(normal(768, 768), normal(768, 16)) == 77


def test_other_processors_have_the_whole_product():
    with mock.patch.object(few_columns, "multiplies_small", return_value=False):
        assert rows_of_blocks(normal(768, 768), normal(768, 16)) is None


def test_a_weight_that_lies_in_columns_is_not_copied():
    assert rows_of_blocks(np.asfortranarray(normal(768, 768)), normal(768, 16)) is None


def test_numpys_blas_is_asked_alone(monkeypatch):
    """SciPy brings another, which may have other threads and loops."""
    numpys, scipys = (
        SimpleNamespace(filepath=f"{name}.libs/x.so", architecture=loops, num_threads=threads)
        for name, loops, threads in [("numpy", "SkylakeX", 1), ("scipy", "Haswell", 7)]
    )
    monkeypatch.setattr(_POOLS, "are_found", True)
    monkeypatch.setattr(_POOLS, "own", [])
    for shared in ([scipys, numpys], [numpys, scipys]):
        monkeypatch.setattr(_POOLS, "shared", shared)
        assert (multiplies_small(), has_one_thread()) == (True, True)
    monkeypatch.setattr(_POOLS, "shared", [scipys])
    assert (multiplies_small(), has_one_thread()) == (False, False)
