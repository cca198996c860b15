"""The layers as the kernel computes them equal the formula's, whatever is masked and read."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from minirobert import (
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaModel,
    kernels,
    watch,
)
from minirobert.functional import gelu, layer_norm, softmax
from minirobert.kernels import cached, columns, compiled, few_columns, in_threads, texts
from minirobert.kernels.steps import NUMPY
from minirobert.kernels.texts import Run
from minirobert.parameters import build_tree
from tests.kernels.running import ran
from tests.processes import fresh_python

EPS = np.finfo(np.float32).eps


def small_model(seed=0, **options):
    """Make a model whose axes all differ: 3 heads of 4, 7 features, no pooler."""
    config = {
        "vocab_size": 40,
        "hidden_size": 12,
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "intermediate_size": 7,
        "max_position_embeddings": 40,
        "use_cache": False,
        **options,
    }
    return RobertaModel(RobertaConfig(**config), seed=seed, add_pooling_layer=False)


def hidden_of(model, ids, **arguments):
    return model(ids, **arguments).last_hidden_state


def exact(model, ids, **arguments):
    """Compute in float64, which the formulas alone do, and in float32 by the formulas."""
    with kernels.disabled():
        return hidden_of(model.double(), ids, **arguments), hidden_of(model, ids, **arguments)


def groups_of(attend, read, batch, length, threads=1):
    return texts.grouped(texts.chosen(attend, read, batch, length), threads)[0]


@st.composite
def calls(draw):
    """Draw a model, a batch, a mask with holes, and what is read."""
    model = small_model(
        draw(st.integers(0, 99)),
        num_hidden_layers=draw(st.integers(1, 3)),
        hidden_act=draw(st.sampled_from(["gelu", "relu", "gelu_new"])),
        initializer_range=draw(st.sampled_from([0.02, 0.5, 3.0])),
        is_decoder=draw(st.booleans()),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    batch, length = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    ids = rng.integers(2, 40, (batch, length))
    shape = draw(st.sampled_from([(batch, length), (1, length), (batch, length, length)]))
    mask = (rng.random(shape) < draw(st.sampled_from([0.1, 0.6, 1.0]))).astype(int)
    kinds = ["everything", "some", "few"] if mask.ndim == 3 else ["tokens", "everything", "some"]
    share = {"some": 0.5, "few": 0.1}
    kind = draw(st.sampled_from(kinds))
    read = {"everything": None, "tokens": "tokens"}.get(kind, "")
    if read == "":
        read = (rng.random((batch, length)) < share[kind]).astype(int)
    return model, ids, mask, read


@pytest.fixture
def _few_tokens_in_threads(monkeypatch):
    """Divide batches among three threads, however few tokens they have, and however unevenly."""
    monkeypatch.setattr(in_threads, "_TOKENS", 0)
    monkeypatch.setattr(texts, "_GROUP", 7)
    monkeypatch.setattr(texts, "_LARGEST", np.inf)
    with threadpool_limits(3):
        yield


@pytest.fixture
def _one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(params=["NumPy", "numba", "threads", "blocks"])
def steps(request, monkeypatch):
    """Run a test with what numba compiles, without, in threads, and with weights in blocks.

    However small a model is.
    """
    if request.param == "numba":
        pytest.importorskip("numba")
        monkeypatch.setattr(compiled, "_FEW", 0)
        return compiled.steps_for(np.empty(0))
    if request.param == "threads":
        request.getfixturevalue("_few_tokens_in_threads")
    if request.param == "blocks":
        monkeypatch.setattr(few_columns, "_SMALL", 50)
        monkeypatch.setattr(few_columns, "multiplies_small", lambda: True)
        request.getfixturevalue("_one_thread")
    monkeypatch.setattr(compiled, "_compiled", lambda: None)
    return NUMPY


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it is the same for all
@given(call=calls())
def test_the_kernel_equals_the_formula(steps, call):
    model, ids, mask, read = call
    fast = hidden_of(model, ids, attention_mask=mask, read=read)
    wide, slow = exact(model, ids, attention_mask=mask, read=read)
    assert fast.dtype == np.float32
    error, of_formula = (np.abs(one - wide).max() for one in (fast, slow))
    times = 4 if model.config.initializer_range < 1 else 100  # there small differences grow
    assert error <= times * of_formula + 32 * EPS
    np.testing.assert_array_equal(fast == 0, slow == 0)


@st.composite
def readings(draw):
    """Draw a decoder, texts that it reads a few tokens at a time, and what is done in between."""
    model = small_model(
        draw(st.integers(0, 99)),
        num_hidden_layers=draw(st.integers(1, 3)),
        hidden_act=draw(st.sampled_from(["gelu", "relu"])),
        initializer_range=draw(st.sampled_from([0.02, 0.5])),
        is_decoder=True,
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    batch, past, steps = draw(st.integers(1, 4)), 0, []
    padding = rng.integers(0, 4, (batch, 1)) * draw(st.booleans())
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.sampled_from([1, 1, 3, 6]))
        places = np.arange(past + length)
        ids = np.where(places[past:] < padding, 1, rng.integers(2, 40, (batch, length)))
        mask = {
            "none": None,
            "left": (places >= padding).astype(int),
            "holes": rng.integers(0, 2, (batch, past + length)),
            "own": rng.integers(0, 2, (batch, length, past + length)),
        }[draw(st.sampled_from(["none", "left", "left", "holes", "own"]))]
        read = draw(st.sampled_from([None, "last", "some"]))
        if read is not None:
            last = np.broadcast_to(np.arange(length) == length - 1, (batch, length))
            read = last.astype(int) if read == "last" else rng.integers(0, 2, (batch, length))
        past = keep = draw(st.sampled_from([past + length, past + 1]))
        rows = draw(st.none() | st.lists(st.integers(0, batch - 1), min_size=1, max_size=4))
        steps.append(({"input_ids": ids, "attention_mask": mask, "read": read}, keep, rows))
        if rows is not None:
            batch, padding = len(rows), padding[rows]
    return model, steps


def read_on(model, steps):
    """Give what a decoder computes of each part of the texts, and what its cache holds then."""
    cache, computed = KeyValueCache(), []
    for arguments, keep, rows in steps:
        computed.append(model(**arguments, past_key_values=cache).last_hidden_state)
        cache.crop(keep)
        if rows is not None:
            cache.reorder_cache(rows)
    return [*computed, *(array for layer in cache.to_legacy_cache() for array in layer)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=readings())
def test_the_kernel_equals_the_formula_behind_a_cache(steps, case):
    model, steps = case
    fast = read_on(model, steps)
    with kernels.disabled():
        wide, slow = read_on(model.double(), steps), read_on(model, steps)
    worst = max(np.abs(one - exact).max() for one, exact in zip(slow, wide, strict=True))
    for one, exact, other in zip(fast, wide, slow, strict=True):
        assert one.dtype == np.float32
        assert np.abs(one - exact).max() <= 4 * worst + 32 * EPS
        np.testing.assert_array_equal(one == 0, other == 0)


def names_that_ran(model, ids, **arguments):
    return {name.partition(".")[2] for name in ran(lambda: model(ids, **arguments))}


IDS = np.array([[0, 5, 6, 7, 2], [0, 8, 2, 1, 1]])
MASK = (IDS != 1).astype(int)


def test_the_kernel_runs():
    assert "encoder_cpu" in names_that_ran(small_model(), IDS, attention_mask=MASK)
    decoder = small_model(is_decoder=True)
    assert "decoder" in names_that_ran(decoder, IDS, past_key_values=KeyValueCache())


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, {"output_attentions": True}),
        ({}, {"output_hidden_states": True}),
        ({}, {"head_mask": [1, 0, 1]}),
        ({}, {"train": True, "rng": 0}),
        ({"position_embedding_type": "relative_key"}, {}),
        ({"is_decoder": True}, {"use_cache": True, "head_mask": [1, 0, 1]}),
        (
            {"is_decoder": True, "add_cross_attention": True},
            {"use_cache": True, "encoder_hidden_states": np.ones((2, 3, 12), np.float32)},
        ),
        ({}, {"read": np.zeros((2, 5), int)}),
        ({"num_hidden_layers": 0}, {}),
    ],
)
def test_what_it_cannot_do_goes_to_the_formula(options, arguments):
    model = small_model(**options)
    assert "encoder_cpu" not in names_that_ran(model, IDS, **arguments)


def test_who_watches_sees_the_formula_and_gets_the_same():
    model = small_model()
    alone = hidden_of(model, IDS, attention_mask=MASK)
    with watch() as seen:
        watched = hidden_of(model, IDS, attention_mask=MASK)
    assert "encoder.layer.1.attention.self.probabilities" in seen
    np.testing.assert_allclose(watched, alone, atol=1e-5)


def test_other_dtypes_go_to_the_formula():
    """Also where one weight alone has another dtype."""
    model = small_model()
    assert "encoder_cpu" not in names_that_ran(model.double(), IDS)
    weights = dict(model.named_parameters())
    weights["encoder.layer.1.output.dense.bias"] = np.zeros(12)
    mixed = RobertaModel(model.config, build_tree(weights), add_pooling_layer=False)
    assert "encoder_cpu" not in names_that_ran(mixed, IDS)


def columns_of(groups):
    return [sorted(group.tokens.tolist()) for group in groups]


def test_no_padding_is_computed():
    attend = MASK.astype(bool)[:, None, None]
    (group,) = groups_of(attend, MASK.astype(bool), 2, 5)
    assert sorted(group.tokens) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert group.asked is None
    (all_of_them,) = groups_of(attend, None, 2, 5)
    assert len(all_of_them.tokens) == 10


def test_in_the_last_layer_only_what_is_read_is_computed():
    read = np.zeros((2, 5), bool)
    read[:, 0] = True
    (group,) = groups_of(MASK.astype(bool)[:, None, None], read, 2, 5)
    assert len(group.tokens) == 8
    assert sorted(group.read) == [0, 5]


def test_texts_of_which_nothing_is_read_are_left_out():
    read = np.array([[0, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
    (group,) = groups_of(np.ones((1, 1, 1, 5), bool), read, 2, 5)
    assert sorted(group.tokens) == [0, 1, 2, 3, 4]
    assert groups_of(np.ones((1, 1, 1, 5), bool), np.zeros((2, 5), bool), 2, 5) == []


def test_many_texts_go_in_groups(monkeypatch):
    """Groups of at most a few tokens, of at least one text, give the same as one group."""
    model, rng = small_model(), np.random.default_rng(3)
    ids = rng.integers(2, 40, (7, 6))
    mask = (np.arange(6) < rng.integers(1, 7, (7, 1))).astype(int)
    one = hidden_of(model, ids, attention_mask=mask, read="tokens")
    monkeypatch.setattr(texts, "_GROUP", 7)
    assert len(groups_of(mask.astype(bool)[:, None, None], mask.astype(bool), 7, 6)) > 2
    several = hidden_of(model, ids, attention_mask=mask, read="tokens")
    np.testing.assert_allclose(several, one, atol=1e-5)


@pytest.mark.parametrize("block", [1, 40, 1 << 18])
def test_attention_behind_a_cache(steps, monkeypatch, block):
    """Cut into blocks of each kind; of few tokens at a time, and of more."""
    monkeypatch.setattr(columns, "_SCORES", block)
    model = small_model(is_decoder=True, initializer_range=0.5)
    ids = np.random.default_rng(0).integers(2, 40, (3, 21))
    ids[0, :4] = 1
    cache, mask = KeyValueCache(), (ids != 1).astype(int)
    parts = [
        hidden_of(model, ids[:, i:j], attention_mask=mask[:, :j], past_key_values=cache)
        for i, j in [(0, 9), (9, 10), (10, 11), (11, 21)]
    ]
    wide, slow = exact(model, ids, attention_mask=mask)
    results = (np.concatenate(parts, axis=1), slow)
    error, of_formula = (np.abs(one - wide)[ids != 1].max() for one in results)
    assert error <= 4 * of_formula + 32 * EPS


def test_of_a_prompt_the_last_layer_computes_the_last_token_alone(monkeypatch):
    seen = []

    def note(context, before, *rest):
        seen.append(before.shape[1])
        return columns.after_attention(context, before, *rest)

    monkeypatch.setattr(cached, "after_attention", note)
    config = small_model(is_decoder=True, use_cache=True).config
    RobertaForCausalLM(config).generate(IDS[:, :3], max_new_tokens=2)
    assert seen == [6, 2, 2, 2]


def heads_of(rng, batch, length, scale):
    """Draw queries, keys and values of 3 heads of 4, a token a column: [N, D, B S]."""
    query, key, value = rng.standard_normal((3, 3, 4, batch * length)).astype(np.float32)
    return query * np.float32(scale), key, value


@pytest.mark.parametrize("scale", [0.5, 30, 300])
@pytest.mark.parametrize("block", [1, 40, 1 << 18])
@pytest.mark.parametrize("keys", [5, 3])
def test_attention(steps, monkeypatch, scale, block, keys):
    """Also of scores whose exponentials float32 cannot hold, and cut into blocks of each kind."""
    monkeypatch.setattr(columns, "_SCORES", block)
    query, key, value = heads_of(np.random.default_rng(keys), 2, 5, scale)
    runs = [Run(2, 0, 5, keys, 0, 5, False, None, None)]
    found = columns.attention(query, key, value, runs, False, steps)
    by_text = [
        x.astype(float).reshape(3, 4, 2, 5).transpose(2, 0, 3, 1) for x in (query, key, value)
    ]
    q, k, v = by_text[0], by_text[1][:, :, :keys], by_text[2][:, :, :keys]
    expected = softmax(q @ k.swapaxes(2, 3)) @ v  # [B, N, S, D]
    expected = expected.transpose(1, 3, 0, 2).reshape(12, 10)
    np.testing.assert_allclose(found, expected, atol=64 * EPS * max(1, scale))


def test_attention_of_scores_without_a_number(steps):
    query, key, value = heads_of(np.random.default_rng(0), 1, 5, 1)
    query[1, 0, 2] = np.nan
    runs = [Run(1, 0, 5, 5, 0, 5, False, None, None)]
    found = columns.attention(query, key, value, runs, False, steps)
    missing = np.isnan(found).reshape(3, 4, 5)
    assert missing[1, :, 2].all()
    assert missing.sum() == 4


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (300, 700)])
def test_gelu(steps, shape):
    rng = np.random.default_rng(shape)
    x = (rng.standard_normal(shape) * 3).astype(np.float32)
    bias = rng.standard_normal(shape[0]).astype(np.float32)
    total = x + bias[:, None]
    steps.gelu(x, bias)
    assert np.all(np.abs(x - gelu(total.astype(float))) <= 4 * EPS * (np.abs(total) + 1e-3))


def test_gelu_far_out(steps):
    x = np.linspace(-30, 30, 200_001, dtype=np.float32)[:, None]
    result = x.copy()
    steps.gelu(result, np.zeros(len(x), np.float32))
    assert np.all(np.abs(result - gelu(x.astype(float))) <= 4 * EPS * np.maximum(np.abs(x), 1e-3))
    np.testing.assert_array_equal(result[x > 5.75], x[x > 5.75])
    assert not result[x < -5.75].any()
    edges = np.array([[np.nan, np.inf, 0, -0.0, 1e-40, 1e30]], np.float32)
    steps.gelu(edges, np.zeros(1, np.float32))
    np.testing.assert_allclose(edges, [[np.nan, np.inf, 0, 0, 5e-41, 1e30]], rtol=1e-4)


def test_exponentials(steps):
    """Of every score between those where float32 ends, and exactly zero below."""
    scores = np.linspace(-110, 80, 1 << 20, dtype=np.float32).reshape(2, 512, 1024)
    exps, sums = scores.copy(), np.empty((2, 1024), np.float32)
    steps.exponentials(exps, sums)
    exact = np.exp(scores.astype(float))
    normal = scores > -87
    assert np.all(np.abs(exps - exact)[normal] <= 4 * EPS * exact[normal])
    assert np.all(exps[~normal] <= 2 * np.exp(-87))
    np.testing.assert_allclose(sums, exps.sum(axis=1, dtype=float), rtol=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (300, 70)])
def test_add_and_norm(steps, shape):
    rng = np.random.default_rng(shape)
    x, residual = (rng.standard_normal((2, *shape)) * 3).astype(np.float32)
    bias, weight, shift = rng.standard_normal((3, shape[0])).astype(np.float32)
    total = x.astype(float) + bias[:, None] + residual
    steps.add_and_norm(x, residual, bias, weight, shift, 1e-5)
    exact = layer_norm(total.T, weight.astype(float), shift.astype(float), 1e-5).T
    spread = np.abs(total).max() / max(1e-2, total.std(axis=0).min())
    assert np.abs(x - exact).max() <= 32 * EPS * max(1, spread)


def test_weights_may_lie_anyhow_and_be_read_only(steps):
    model = small_model()
    expected = hidden_of(model, IDS)
    weights = {}
    for name, array in model.named_parameters():
        apart = np.zeros((*array.shape, 2), np.float32)
        apart[..., 0] = array
        weights[name] = apart[..., 0]
        weights[name].flags.writeable = False
    other = RobertaModel(model.config, build_tree(weights), add_pooling_layer=False)
    np.testing.assert_allclose(hidden_of(other, IDS), expected, atol=1e-5)


@pytest.mark.parametrize(("disabled", "uses"), [("1", False), ("0", True)])
def test_numba_is_not_even_imported_where_the_environment_disables_it(monkeypatch, disabled, uses):
    pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", disabled)
    code = "import sys; from minirobert.kernels.compiled import uses_numba; print(uses_numba())"
    assert fresh_python(f"{code}; print('numba' in sys.modules)") == f"{uses}\n{uses}"


def test_numba_is_left_alone_for_small_models():
    assert compiled.steps_for(np.empty(compiled._FEW - 1, np.float32)) is NUMPY


def test_many_threads_and_a_fork_compute_the_same(steps):
    """What is compiled runs in the thread that calls it, and keeps nothing of a call."""
    model, rng = small_model(), np.random.default_rng(8)
    calls = [rng.integers(2, 40, (3, length)) for length in range(1, 9)]
    expected = [hidden_of(model, ids) for ids in calls]
    with ThreadPoolExecutor(4) as pool:
        for found, right in zip(pool.map(partial(hidden_of, model), calls), expected, strict=True):
            np.testing.assert_array_equal(found, right)
    fork = multiprocessing.get_context("fork")
    with fork.Pool(1) as pool:  # which has the model as it is here
        found = pool.map(partial(hidden_of, model), calls)
    for one, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, right)
