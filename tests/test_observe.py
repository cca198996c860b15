"""Looking at intermediate tensors, and changing them, on every array library."""

import threading

import numpy as np
import pytest

from minirobert import RobertaConfig, RobertaForCausalLM, RobertaForMaskedLM, watch
from minirobert.observe import observe, scope
from tests.libraries import LIBRARIES, NUMPY, STRICT, host

CONFIG = RobertaConfig(
    vocab_size=23, hidden_size=12, num_hidden_layers=2, num_attention_heads=3,
    intermediate_size=7, initializer_range=0.5,
)  # fmt: skip
MODEL = RobertaForMaskedLM(CONFIG).astype("float64")
IDS, OTHER = np.array([[0, 7, 8, 9, 2]]), np.array([[0, 11, 12, 13, 2]])
LAYER = "roberta.encoder.layer.0"
SUM = "roberta.embeddings.sum"


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_array_takes_the_tensors_place(library):
    model = library.model(MODEL)
    with watch() as other:
        expected = model(library.array(OTHER)).logits

    def patch(name, array):
        return other[SUM] if name == SUM else None

    with watch(patch), watch() as seen:
        logits = model(library.array(IDS)).logits
    np.testing.assert_array_equal(host(logits), host(expected))
    assert seen[SUM] is other[SUM]
    assert np.abs(host(logits) - host(model(library.array(IDS)).logits)).max() > 1e-3


def test_what_is_replaced_inside_a_formula_is_what_goes_on():
    layer = "roberta.encoder.layer.1.attention.self"

    def only_the_first_token(name, array):
        if name == f"{layer}.probabilities":
            return np.broadcast_to(np.arange(5) == 0, array.shape).astype(array.dtype)
        return None

    with watch() as seen, watch(only_the_first_token):
        output = MODEL(IDS, output_attentions=True)
    value = seen[f"{layer}.value"]  # [B, N, S, D]
    first = np.broadcast_to(value[:, :, :1], value.shape).transpose(0, 2, 1, 3).reshape(1, 5, 12)
    np.testing.assert_allclose(seen[f"{layer}.context"], first, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(output.attentions[1], seen[f"{layer}.probabilities"])


@pytest.mark.parametrize(
    ("returned", "described"),
    [
        (lambda x: x[:, :2], r"a numpy array, float64 of shape \[1, 2, 12\]"),
        (lambda x: x.astype("float32"), "a numpy array, float32 of shape"),
        (lambda x: x.tolist(), "a list"),
        (lambda x: STRICT.array(x), "a array_api_strict array, float64"),
    ],
)
def test_what_cannot_take_its_place_is_told(returned, described):
    def watcher(name, array):
        return returned(array) if name == SUM else None

    sentence = f"a watcher returned {described}.* for {SUM}, which is a numpy array, float64"
    with watch(watcher), pytest.raises(ValueError, match=sentence):
        MODEL(IDS)


def test_nested_blocks_all_see_and_the_outermost_first():
    order = []
    with (
        watch() as outer,
        watch(lambda name, array: order.append(("first", name))),
        watch(lambda name, array: order.append(("second", name))),
        watch() as inner,
    ):
        MODEL(IDS)
    assert list(outer) == list(inner) == [name for who, name in order if who == "first"]
    assert all(outer[name] is inner[name] for name in outer)
    assert [who for who, _ in order[:4]] == ["first", "second", "first", "second"]


def test_each_watcher_sees_what_those_before_it_made():
    with watch(lambda name, x: x + 1), watch(lambda name, x: x * 2), watch() as seen:
        assert observe("x", np.array(3.0)) == 8
    assert seen["x"] == 8


def test_calls_that_come_again_are_numbered():
    with watch() as seen:
        MODEL(IDS)
        output = MODEL(OTHER, labels=OTHER)
        MODEL.hidden_states(IDS)
    with watch() as once:
        MODEL(IDS)
    names = list(once)
    assert list(seen)[: len(names)] == names
    assert list(seen)[len(names) : 2 * len(names)] == [f"call.1.{name}" for name in names]
    assert seen["call.1.loss"] is output.loss
    assert "loss" not in seen
    assert f"call.2.{SUM}" in seen
    assert "call.2.lm_head.logits" not in seen
    np.testing.assert_array_equal(seen[SUM], seen[f"call.2.{SUM}"])


def test_a_watcher_is_told_the_same_names():
    told = []
    with watch(lambda name, array: told.append(name)), watch() as seen:
        MODEL(IDS)
        MODEL(OTHER)
    assert told == list(seen)


def test_a_block_inside_counts_its_own_calls():
    with watch() as outer:
        MODEL(IDS)
        with watch() as inner:
            MODEL(IDS)
    assert f"call.1.{SUM}" in outer
    assert SUM in inner
    assert not any(name.startswith("call") for name in inner)


def test_no_step_of_generation_is_written_over():
    decoder = RobertaForCausalLM(RobertaConfig.from_dict(CONFIG.to_dict(), is_decoder=True))
    with watch() as seen:
        decoder.generate(IDS[:, :3], max_new_tokens=3, eos_token_id=None)
    logits = [array for name, array in seen.items() if name.endswith("lm_head.logits")]
    assert len(logits) == 3
    shapes = [x.shape for name, x in seen.items() if name.endswith("layer.0.attention.self.scores")]
    assert shapes == [(1, 3, 3, 3), (1, 3, 1, 4), (1, 3, 1, 5)]


@pytest.mark.parametrize(
    ("keep", "names"),
    [
        ("lm_head.logits", ["lm_head.logits"]),
        ("encoder.layer.0.*.scores", ["roberta.encoder.layer.0.attention.self.scores"]),
        (["*.sum", "pooler"], [SUM, *(f"{LAYER}.{x}output.sum" for x in ("attention.", ""))]),
        ("layer.0", []),
        ("EMBEDDINGS.sum", []),
        ("beddings.sum", []),
    ],
)
def test_names_are_kept_by_pattern(keep, names):
    with watch(keep=keep) as seen:
        MODEL(IDS)
    assert [name for name in seen if ".layer.1." not in name] == names
    told = []
    with watch(lambda name, array: told.append(name), keep=keep):
        MODEL(IDS)
    assert told == list(seen)


def test_calls_are_counted_among_what_is_kept():
    with watch(keep="embeddings.sum") as seen:
        MODEL(IDS)
        MODEL(IDS)
    assert list(seen) == [SUM, f"call.1.{SUM}"]


def test_other_threads_are_not_watched():
    with watch() as seen:
        thread = threading.Thread(target=MODEL, args=(IDS,))
        thread.start()
        thread.join()
    assert seen == {}


def test_scopes_are_joined_and_an_empty_one_is_none():
    with watch() as seen, scope("a"), scope(""), scope("b"):
        observe("c", 1)
    assert list(seen) == ["a.b.c"]


def test_an_array_is_passed_through_where_nobody_watches():
    array = NUMPY.array([1.0])
    assert observe("x", array) is array
