"""Kernels that are turned off: the formulas run, here and nowhere else."""

import threading

import numpy as np
import pytest

from minirobert import RobertaForMaskedLM, kernels
from minirobert.functional import gelu, largest, layer_norm, linear, softmax
from tests.kernels.running import what_runs

X = np.linspace(-3, 3, 24, dtype=np.float32).reshape(4, 6)
ONES = np.ones(6, np.float32)
CALLS = [
    (gelu, X),
    (largest, X, 2),
    (layer_norm, X, ONES, ONES, 0.1),
    (linear, X, X),
    (softmax, X),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0].__name__)
def test_within_the_block_the_formula_runs(call):
    function, *arguments = call
    with kernels.disabled():
        assert what_runs(*call) == "formula"
        results, expected = function(*arguments), function.dispatch(object)(*arguments)
    np.testing.assert_array_equal(results, expected)
    assert what_runs(*call) == "kernel"


def test_blocks_stand_in_one_another_and_end_with_an_error():
    with kernels.disabled():
        with kernels.disabled():
            assert what_runs(softmax, X) == "formula"
        assert what_runs(softmax, X) == "formula"
    with pytest.raises(ZeroDivisionError), kernels.disabled():
        _ = 1 / 0
    assert what_runs(softmax, X) == "kernel"


def test_other_threads_keep_their_kernels():
    seen = []
    with kernels.disabled():
        thread = threading.Thread(target=lambda: seen.append(what_runs(softmax, X)))
        thread.start()
        thread.join()
    assert seen == ["kernel"]


def test_a_whole_model_is_made_of_the_formulas():
    model = RobertaForMaskedLM.from_pretrained()
    fast = model([[0, 100, 200, 2]]).logits
    with kernels.disabled():
        exact = model([[0, 100, 200, 2]]).logits
    assert exact.dtype == np.float32
    assert (fast != exact).any()
    np.testing.assert_allclose(fast, exact, rtol=1e-3, atol=1e-3)
