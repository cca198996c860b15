"""Exported models against the models themselves, run by onnxruntime."""

import json
import re
import sys

import ml_dtypes  # noqa: F401  # NumPy's bfloat16
import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaModel, watch
from minirobert.numerics import Trace, compare
from minirobert.numerics.onnx_export import export, export_onnx, onnx_model
from minirobert.numerics.onnx_export.graph import Value
from minirobert.numerics.onnx_export.lengths import Length, broadcast, split
from minirobert.numerics.onnx_export.recorder import Recorder
from minirobert.parameters import build_tree, flatten
from tests.equivalence.strategies import CLASSES, configs, labelled, seeds

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")

SIZES = {
    "vocab_size": 37, "hidden_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2,
    "intermediate_size": 40, "max_position_embeddings": 15, "type_vocab_size": 3,
}  # fmt: skip


def drawn(class_name, fields, seed, dtype="float32", **options):
    """Make a model whose numbers, biases too, are large enough to matter."""
    model = getattr(minirobert, class_name)(RobertaConfig(**fields), **options)
    rng = np.random.default_rng(seed)

    def numbers(name, array):
        centre = 1 if name.lower().endswith(("layernorm.weight", "layer_norm.weight")) else 0
        return rng.normal(centre, 0.4, array.shape).astype(dtype)

    weights = {name: numbers(name, array) for name, array in flatten(model.params).items()}
    return type(model)(model.config, build_tree(weights), **options)


def arguments(rng, model, shape):
    """Draw a batch of other sizes: padding anywhere, and a mask with holes."""
    ids = rng.integers(0, model.config.vocab_size, shape)
    ids[rng.random(shape) < 0.2] = model.config.pad_token_id
    types = rng.integers(0, model.config.type_vocab_size, shape)
    mask = rng.integers(0, 2, shape)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def session_of(model, **options):
    graph = onnx_model(model, **options)
    onnx.checker.check_model(graph, full_check=True)
    return onnxruntime.InferenceSession(graph.SerializeToString())


def run(session, given):
    names = [one.name for one in session.get_outputs()]
    takes = {one.name for one in session.get_inputs()}
    return dict(zip(names, session.run(None, {n: given[n] for n in takes}), strict=True))


def called(model, given):
    """Call a model, and give what it returns and all that was seen, by name."""
    with watch() as seen:
        output = model.forward(**given)
    found = {name: array for name, array in seen.items() if name not in given}
    return {**found, **{name: array for name, array in output.items() if name != "loss"}}


def as_good(actual, own, exact):
    """No output may be further from float64 than four times ours, or a few roundings."""
    assert actual.shape == own.shape
    assert actual.dtype == own.dtype
    unit = np.finfo(own.dtype).eps * np.abs(exact).max(initial=1e-3)
    few = 64 if own.dtype == exact.dtype else 8  # where nothing is known of our own error
    assert np.abs(actual - exact).max() <= 4 * np.abs(own - exact).max() + few * unit


@settings(max_examples=20)
@given(st.data(), st.sampled_from(CLASSES), configs(), seeds)
def test_every_tensor_of_drawn_models(data, class_name, fields, seed):
    """Each is what its own inputs give, within rounding; of batches of all sizes."""
    fields = data.draw(labelled({**fields, "chunk_size_feed_forward": 0}, class_name))
    options = {"add_pooling_layer": data.draw(st.booleans())} if class_name == CLASSES[0] else {}
    model = drawn(class_name, fields, seed, **options)
    session = session_of(model, intermediates=True, token_type_ids=True)
    rng = np.random.default_rng(seed)
    for batch, length in ((2, 5), (1, 1), (3, 9)):
        shape = (batch, 2, length) if class_name == "RobertaForMultipleChoice" else (batch, length)
        given = arguments(rng, model, shape)
        actual, own = run(session, given), called(model, given)
        assert actual.keys() == own.keys()
        for name, array in actual.items():
            assert (array.shape, array.dtype) == (own[name].shape, own[name].dtype), name
        result = compare(model, Trace({**given, **actual}), explain=False)
        assert result.verdict in ("exact", "rounding"), [row.name for row in result.departing]
        assert not result.missing
        assert all(row.port <= row.allowed for row in result.outputs)


def test_the_bundled_model_is_as_exact_as_here():
    model = RobertaForMaskedLM.from_pretrained()
    given = arguments(np.random.default_rng(0), model, (3, 17))
    own, exact = called(model, given), called(model.astype("float64"), given)
    as_good(run(session_of(model), given)["logits"], own["logits"], exact["logits"])


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes(dtype):
    model = drawn("RobertaForMaskedLM", SIZES, 0, dtype)
    given = arguments(np.random.default_rng(0), model, (3, 7))
    own, exact = called(model, given), called(model.astype("float64"), given)
    actual = run(session_of(model, token_type_ids=True), given)
    assert actual.keys() == {"logits"}
    as_good(actual["logits"], own["logits"], exact["logits"])


def test_hidden_states_attentions_and_chunks():
    """What the configuration asks for is there; chunks, which are joined again, are not."""
    fields = {"output_hidden_states": True, "output_attentions": True, "return_dict": False}
    model = drawn("RobertaForMaskedLM", {**SIZES, **fields, "chunk_size_feed_forward": 2}, 0)
    session = session_of(model, intermediates=True)
    given = arguments(np.random.default_rng(0), model, (3, 7))
    del given["token_type_ids"]
    actual = run(session, given)
    assert not any("chunk" in name for name in actual)
    expected = model(**given, return_dict=True)
    for kind in ("hidden_states", "attentions"):
        for i, array in enumerate(expected[kind]):
            np.testing.assert_allclose(actual[f"{kind}.{i}"], array, atol=1e-5)


def test_the_longest_text_and_what_a_call_would_have_refused():
    model = drawn("RobertaModel", SIZES, 0)
    session = session_of(model)
    longest = {name: np.full((1, 13), 5) for name in ("input_ids", "attention_mask")}
    assert run(session, longest)["last_hidden_state"].shape == (1, 13, 24)
    for wrong in ({"input_ids": np.full((1, 14), 5)}, {"input_ids": np.full((1, 13), 37)}):
        name = next(iter(wrong))
        mask = np.ones(wrong[name].shape, np.int64)
        with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument):
            run(session, {**wrong, "attention_mask": mask})


# The file


def described(values):
    return {
        value.name: [one.dim_param or one.dim_value for one in value.type.tensor_type.shape.dim]
        for value in values
    }


def test_what_a_file_tells():
    model = RobertaForMaskedLM.from_pretrained()
    model_proto = onnx_model(model)
    graph = model_proto.graph
    assert described(graph.input) == {
        "input_ids": ["batch", "sequence"],
        "attention_mask": ["batch", "sequence"],
    }
    assert described(graph.output) == {"logits": ["batch", "sequence", 8192]}
    weights = {one.name for one in graph.initializer if "(" not in one.name}
    assert weights == flatten(model.params).keys()  # those that are tied once
    assert [(one.domain, one.version) for one in model_proto.opset_import] == [("", 18)]
    told = {one.key: one.value for one in model_proto.metadata_props}
    assert told.keys() == {"class", "config", "made_by"}
    assert told["class"] == "RobertaForMaskedLM"
    assert RobertaConfig.from_dict(json.loads(told["config"])) == model.config
    results = [name for node in graph.node for name in node.output]
    assert len({*results}) == len(results)
    with watch() as seen:
        model([[0, 5, 2]])
    named = described(graph.value_info)
    # an input, an output, and the second name of embeddings.LayerNorm
    others = {"input_ids", "lm_head.logits", "roberta.embeddings"}
    assert seen.keys() - others <= named.keys() <= {*results}
    place = "roberta.encoder.layer.3.attention.self.scores"
    assert named[place] == ["batch", 4, "sequence", "sequence"]


def test_choices_have_a_length_of_their_own():
    model = drawn("RobertaForMultipleChoice", SIZES, 0)
    graph = onnx_model(model, intermediates=True).graph
    assert described(graph.input)["input_ids"] == ["batch", "choices", "sequence"]
    outputs = described(graph.output)
    assert outputs["logits"] == ["batch", "choices"]
    assert outputs["roberta.embeddings.sum"] == ["batch * choices", "sequence", 24]


def test_a_file_in_place_of_another(tmp_path):
    path = tmp_path / "a model.onnx"
    for kind in ("RobertaForMaskedLM", "RobertaModel"):
        assert export_onnx(drawn(kind, SIZES, 0), path) == (str(path),)
        session = onnxruntime.InferenceSession(path)
        first = session.get_outputs()[0].name
        assert first == ("logits" if kind == "RobertaForMaskedLM" else "last_hidden_state")
    assert [one.name for one in tmp_path.iterdir()] == ["a model.onnx"]


def test_a_large_model_has_its_weights_beside_it(tmp_path, monkeypatch):
    model, path = drawn("RobertaModel", SIZES, 0), tmp_path / "large.onnx"
    monkeypatch.setattr(export, "LIMIT", 1000)
    data = tmp_path / "large.onnx.data"
    assert export_onnx(model, path) == (str(path), str(data))
    assert data.stat().st_size > 4 * model.num_parameters() * 0.9
    given = arguments(np.random.default_rng(0), model, (2, 5))
    actual = run(onnxruntime.InferenceSession(path), given)["pooler_output"]
    given["token_type_ids"] = given["token_type_ids"] * 0
    np.testing.assert_allclose(actual, model(**given).pooler_output, atol=1e-5)
    monkeypatch.undo()
    export_onnx(model, path)
    assert [one.name for one in tmp_path.iterdir()] == ["large.onnx"]


def test_nothing_is_half_written(tmp_path, monkeypatch):
    model, path = drawn("RobertaModel", SIZES, 0), tmp_path / "model.onnx"
    path.write_bytes(b"before")

    def full(graph, file, **options):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx, "save_model", full)
    with pytest.raises(OSError, match="nothing was saved: make room, or save elsewhere"):
        export_onnx(model, path)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [
        ("model.onnx", b"before")
    ]


# Errors


def test_options_and_dtypes_that_are_refused():
    model = drawn("RobertaModel", SIZES, 0)
    for name in ("intermediates", "token_type_ids"):
        with pytest.raises(TypeError, match=f"{name} is 'yes', but must be"):
            onnx_model(model, **{name: "yes"})
    with pytest.raises(ValueError, match=r"bfloat16 is not exported: .*astype to one of float16"):
        onnx_model(model.astype("bfloat16"))


def test_without_onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match="pip install onnx"):
        onnx_model(drawn("RobertaModel", SIZES, 0))


def test_an_activation_that_cannot_be_recorded():
    config = RobertaConfig(**SIZES, hidden_act=lambda x: x.__array_namespace__().sinh(x))
    with pytest.raises(AttributeError, match="sinh cannot be exported to ONNX"):
        onnx_model(RobertaModel(config))


# Recording


def computed(function, x):
    """Record a function of one array, and run it."""
    recorder = Recorder()
    given = recorder.argument("x", (Length("n"), *x.shape[1:]), x.dtype.name)
    result = function(given)
    values = [Value(one.name, one.shape, one.dtype) for one in (given, result)]
    graph = recorder.graph.model(values[:1], values[1:], {})
    onnx.checker.check_model(graph, full_check=True)
    return onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"x": x})[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log1p_loses_no_digits(dtype):
    x = np.concatenate([[0.0], np.logspace(-300 if dtype == "float64" else -37, 0, 999)])
    x = x.astype(dtype)
    actual = computed(lambda x: x.__array_namespace__().log1p(x), x)
    np.testing.assert_allclose(actual, np.log1p(x), rtol=6 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    "key",
    [
        (0,), (slice(None), 1), (..., 2), (slice(None), None), (None, ..., 1, slice(None)),
        (..., None), (1, ..., 0), ...,
    ],
)  # fmt: skip
def test_parts_of_an_array(key):
    x = np.arange(60.0).reshape(3, 4, 5)
    np.testing.assert_array_equal(computed(lambda x: x[key] + 0.0, x), x[key])


def test_what_an_array_without_values_cannot_do():
    x = Recorder().argument("x", (Length("n"), 4), "float32")
    for use in (bool, int, float, lambda x: [1][x]):
        with pytest.raises(TypeError, match="an array that is being recorded has no values"):
            use(x)
    with pytest.raises(TypeError, match="a part of an axis cannot be recorded"):
        x[:2]


def test_lengths_that_are_not_known():
    n, m = Length("n"), Length("m")
    assert broadcast((n, 1, 4), (3, 4), (4,)) == (n, 3, 4)
    assert split((2, n, 3, m)) == (6, n * m)
    assert n * m // n == m
    assert repr(6 * (m * n)) == "6 * m * n"
    assert len({n, Length("n"), m, 2 * n}) == 3
    for impossible, what in (
        (lambda: n // m, "n cannot be divided by m"),
        (lambda: 3 * n // 2, "3 * n cannot be divided by 2"),
        (lambda: n + m, "m cannot be added to n"),
        (lambda: 1 + n, "1 cannot be added to n"),
        (lambda: n - m, "-1 * m cannot be added to n"),
    ):
        with pytest.raises(TypeError, match=re.escape(what)):
            impossible()
    with pytest.raises(ValueError, match="do not fit together"):
        broadcast((n,), (m,))
