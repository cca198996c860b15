"""Groups of a batch in threads: how they are divided, what they see, and how they end."""

import multiprocessing
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from minirobert import RobertaConfig, RobertaModel
from minirobert.benchmarks.machine import machine
from minirobert.kernels import encoder, texts
from minirobert.kernels import in_threads as in_threads_module
from minirobert.kernels.in_threads import in_threads, threads_for
from minirobert.threads import blas_threads, taken_from_blas
from tests.processes import fresh_python

SMALL, LARGE = np.empty((2, 3)), np.empty((1 << 9, 1 << 10))


def number_of_blas():
    return machine()["blas"]["threads"]  # NumPy's: other tests may have loaded that of SciPy


@pytest.fixture(autouse=True)
def _three_threads():
    """Give BLAS three threads, which it has again afterwards."""
    with threadpool_limits(3):
        yield
        assert number_of_blas() == 3


def sizes_of(lengths, threads):
    """Tell how many tokens each group has, and whether all are computed at once."""
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    found = texts.chosen(mask[:, None, None], mask, *mask.shape)
    groups, at_once = texts.grouped(found, threads)
    return [len(group.tokens) for group in groups], at_once


@pytest.mark.parametrize(
    ("lengths", "threads", "sizes", "at_once"),
    [
        ([128] * 8, 1, [512, 512], False),
        ([128] * 8, 2, [512, 512], True),
        ([128] * 8, 4, [256] * 4, True),
        ([500] * 3, 2, [500] * 3, False),  # one of the threads would have two
        ([600], 2, [600], False),
        ([30] * 20 + [10] * 40, 2, [490, 510], True),
        ([400, 300, 100], 2, [400, 400], True),
        ([500, 300], 2, [300, 500], False),
        ([100] * 23, 2, [400, 400, 300, 400, 400, 400], True),
    ],
)
def test_groups_are_divided_evenly_or_not_at_all(lengths, threads, sizes, at_once):
    assert sizes_of(lengths, threads) == (sizes, at_once)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=60), st.integers(2, 9))
def test_each_token_is_in_one_group_of_a_thread(lengths, threads):
    sizes, at_once = sizes_of(lengths, threads)
    assert sum(sizes) == sum(lengths)
    assert max(sizes) < 512 + max(lengths)
    if at_once:
        per_thread = sum(lengths) / threads
        rounds = -(-len(sizes) // threads)
        assert max(sizes) * rounds <= 1.1 * per_thread + 1


def test_few_tokens_have_the_threads_of_blas():
    assert [threads_for(n, SMALL) for n in (0, 1, 511, 767)] == [1] * 4
    assert threads_for(768, SMALL) == 3
    with threadpool_limits(1):
        assert threads_for(10_000, SMALL) == 1


@pytest.mark.parametrize("has_loops", [True, False])
def test_few_tokens_have_threads_where_blas_has_loops_for_them(monkeypatch, has_loops):
    monkeypatch.setattr(in_threads_module, "multiplies_small", lambda: has_loops)
    found = [threads_for(n, LARGE) for n in (3 * 15, 3 * 16, 3 * 65 - 1, 3 * 65, 3 * 256)]
    assert found == ([1, 3, 3, 1, 3] if has_loops else [1, 1, 1, 1, 3])
    assert threads_for(3 * 16, SMALL) == 1
    with threadpool_limits(5):
        assert threads_for(5 * 16, LARGE) == 1


def test_each_item_has_a_thread_of_its_own_and_blas_one():
    seen, both = [], threading.Barrier(3)

    def work(item):
        both.wait(60)  # which they do not pass one by one
        seen.append((item, number_of_blas(), threading.get_ident()))

    in_threads(work, "abc")
    items, numbers, threads = zip(*sorted(seen), strict=True)
    assert (items, numbers) == (("a", "b", "c"), (1, 1, 1))
    assert len(set(threads)) == 3


def test_more_items_than_threads():
    seen = []
    in_threads(seen.append, list(range(20)))
    assert sorted(seen) == list(range(20))


def test_the_settings_of_numpy_are_those_of_the_caller():
    seen = []
    with np.errstate(over="raise"):
        in_threads(lambda item: seen.append(np.geterr()["over"]), [1, 2])
    assert seen == ["raise", "raise"]


def test_no_more_threads_than_blas_has_among_many_callers():
    """The first takes them all, the second computes with one, in the same groups."""
    seen = []

    def work(item):
        seen.append(threading.get_ident())

    with taken_from_blas() as first, taken_from_blas() as second:
        assert (first, second, blas_threads(), threads_for(10_000, SMALL)) == (3, 1, 3, 3)
        in_threads(work, list(range(20)))
    assert len(set(seen)) == 1


def test_an_error_ends_all():
    begun = []

    def work(item):
        begun.append(item)
        if item == 0:
            raise MemoryError("no room")
        time.sleep(0.01)

    with pytest.raises(MemoryError, match="no room"):
        in_threads(work, list(range(1000)))
    assert len(begun) < 1000


INTERRUPTED = """
import signal, time
from minirobert.kernels.in_threads import in_threads

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have set it to be ignored
begun = []

def work(item):
    begun.append(item)
    if item == 5:
        signal.raise_signal(signal.SIGINT)
    time.sleep(0.01)

try:
    in_threads(work, list(range(1000)))
except KeyboardInterrupt:
    print(len(begun) < 1000)
"""


def test_an_interrupt_ends_all():
    """In a process that has no callbacks of the garbage collector, which would swallow it."""
    assert fresh_python(INTERRUPTED) == "True"


CONFIG = {
    "vocab_size": 40, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 7, "max_position_embeddings": 140,
}  # fmt: skip


def _model():
    return RobertaModel(RobertaConfig(**CONFIG), seed=0, add_pooling_layer=False)


IDS = np.random.default_rng(0).integers(2, 40, (9, 128))


def hidden(model):
    return model.hidden_states(IDS)


@pytest.fixture
def calls(monkeypatch):
    """Note how many groups are computed in threads."""
    seen = []

    def note(work, items):
        seen.append(len(items))
        in_threads(work, items)

    monkeypatch.setattr(encoder, "in_threads", note)
    return seen


def test_a_model_computes_in_threads(calls):
    model = _model()
    found = hidden(model)
    assert calls == [3]
    with threadpool_limits(1):
        np.testing.assert_allclose(found, hidden(model), atol=1e-6)
    assert calls == [3]


def _in_child(model):
    return number_of_blas(), hidden(model)


def test_a_process_that_is_forked_meanwhile():
    """It has the threads that BLAS had, as nobody else computes in it."""
    model = _model()
    expected = hidden(model)
    fork = multiprocessing.get_context("fork")
    with taken_from_blas(), fork.Pool(1) as pool:
        threads, found = pool.apply(_in_child, (model,))
    assert threads == 3
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_when_python_ends_no_thread_can_be_started(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    code = """
import atexit, numpy as np, minirobert
from minirobert.kernels.in_threads import threads_for
model = minirobert.RobertaModel(minirobert.RobertaConfig(num_hidden_layers=1), seed=0)
ids = np.full((8, 128), 5)
first = model.hidden_states(ids)
print(threads_for(ids.size, ids))
atexit.register(lambda: print(np.allclose(model.hidden_states(ids), first, atol=1e-5)))
"""
    assert fresh_python(code) == "2\nTrue"
