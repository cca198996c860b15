"""Tensors of ONNX graphs: all are found that a graph computes, and each is the right one."""

import copy
import sys

import numpy as np
import onnx
import pytest
import torch

from minirobert import RobertaForMaskedLM
from minirobert.intermediates import Pass, intermediates
from minirobert.numerics import compare, trace
from minirobert.numerics.onnx_export import export_onnx
from minirobert.numerics.onnx_port import onnx_values, trace_onnx
from minirobert.numerics.rows import is_seen_split
from minirobert.parameters import CheckpointError
from tests.equivalence.strategies import CLASSES, carried_over, torch_model
from tests.numerics.onnx_graphs import (
    ARGUMENTS,
    CONFIG,
    arguments_of,
    changed,
    export,
    exported,
    exported_by_dynamo,
    fused,
    models,
    new_path,
    quantized,
    renamed,
    saved,
)

LAYER = "roberta.encoder.layer"
#: Names that end so are hidden where an activation or a norm adds the bias, too.
BEFORE_GELU = ("intermediate.dense", "lm_head.dense")
BEFORE_NORM = ("attention.output.dense", "output.dense")
INSIDE_ATTENTION = (
    *("query.dense", "query", "key.dense", "key", "value.dense", "value"),
    *("scores", "scores.masked", "probabilities"),
)


def arguments_for(ours):
    return arguments_of(type(ours).__name__)


def expected(ours, arguments, **kind):
    """Compute ours in float64; the names are those of the table but for the mask."""
    kind = Pass(cross="encoder_hidden_states" in arguments, **kind)
    names = intermediates(ours.config, type(ours).__name__, kind=kind)
    tensors = trace(ours, weights=False, **arguments).tensors
    return {name: tensors[name] for name in names if name not in ("attend", *arguments)}


def check(port, right, missing=(), rtol=1e-4):
    """Compare what was found with ours; all but what ends so must be there."""
    right = {name: one for name, one in right.items() if not is_seen_split(name, port.tensors)}
    lacking = {name for name in right if name not in port.tensors}
    assert lacking == {name for name in right if name.endswith(tuple(missing) or ("-",))}
    for name in right.keys() - lacking:
        found, exact = port.tensors[name], np.asarray(right[name])
        assert found.shape == exact.shape, name
        seen = exact > -1e300  # how much is taken from hidden scores does not matter
        scale = np.max(np.abs(exact), where=seen, initial=1e-30)
        error = np.max(np.abs(found.astype(np.float64) - exact), where=seen, initial=0)
        assert error <= rtol * scale, (name, error / scale)


def traced(path, ours, **options):
    return trace_onnx(path, arguments_for(ours), **{"model": ours, **options})


# Exporters


@pytest.mark.parametrize("class_name", CLASSES)
def test_every_tensor_of_an_export_is_found(class_name):
    path, ours = exported(class_name)
    right = expected(ours, arguments_for(ours))
    port = traced(path, ours)
    check(port, right)
    assert port.architecture == class_name
    assert port.given == ("input_ids", "attention_mask", "token_type_ids")
    assert str(port.arithmetic) == "float32"
    assert compare(ours, port).notes == ()
    assert port.weights.keys() >= dict(ours.named_parameters()).keys()
    unaided = trace_onnx(path, arguments_for(ours))
    assert unaided.tensors.keys() == port.tensors.keys()
    hidden = traced(path, ours, optimise=True)
    check(hidden, right, (*BEFORE_GELU, "pooler.dense", "classifier.dense"))


@pytest.mark.parametrize(
    ("class_name", "attention"),
    [("RobertaForMaskedLM", "sdpa"), ("RobertaForSequenceClassification", "eager")],
)
def test_every_tensor_of_a_dynamo_export_is_found(class_name, attention):
    path, ours = exported_by_dynamo(class_name, attention=attention)
    right = expected(ours, arguments_for(ours))
    check(traced(path, ours), right)
    hidden = traced(path, ours, optimise=True)
    check(hidden, right, (*BEFORE_GELU, *BEFORE_NORM, "classifier.dense"))
    check(traced(renamed(path, weights=True), ours), right)


@pytest.mark.parametrize(
    ("opset", "fields"),
    [
        (11, {}),
        (14, {"attention": "sdpa"}),
        (17, {"hidden_act": "gelu_new", "position_embedding_type": "relative_key_query"}),
        (20, {"tie_word_embeddings": False, "attention": "sdpa"}),
    ],
)
def test_operations_of_any_age_are_known(opset, fields):
    path, ours = exported(opset=opset, **fields)
    right = expected(ours, ARGUMENTS)
    check(traced(path, ours), right)
    check(trace_onnx(renamed(path), ARGUMENTS, config=ours.config), right)
    check(traced(renamed(path, weights=True), ours), right)


def test_attention_as_one_operation_has_no_scores():
    path, ours = exported_by_dynamo(opset=23, attention="sdpa")
    seeing = {name: one[:3] for name, one in ARGUMENTS.items()}
    port = trace_onnx(path, seeing, model=ours)
    check(port, expected(ours, seeing), ("scores", "masked", "probabilities"))
    (departing,) = compare(ours, traced(path, ours)).departing  # a row that sees nothing
    assert departing.name == f"{LAYER}.0.attention.self.context"
    values = onnx_values(path, model=ours)
    assert values[f"{LAYER}.0.attention.self.scores"] is None
    assert values["lm_head.logits"] == onnx.load(path).graph.output[0].name
    unaided = trace_onnx(path, ARGUMENTS)  # nothing tells the number of heads
    assert unaided.tensors[f"{LAYER}.0.attention.self.query"].shape == (4, 7, 24)


def test_decoders_and_cross_attention():
    module, ours = models("RobertaForCausalLM", add_cross_attention=True)
    rng = np.random.default_rng(0)
    text = {
        "encoder_hidden_states": rng.standard_normal((4, 5, 24), np.float32),
        "encoder_attention_mask": rng.integers(0, 2, (4, 5)),
    }
    port = trace_onnx(export(module, {**ARGUMENTS, **text}), {**ARGUMENTS, **text}, model=ours)
    text["encoder_hidden_states"] = text["encoder_hidden_states"].astype(np.float64)
    check(port, expected(ours, {**ARGUMENTS, **text}))


def test_pruned_heads_are_counted_layer_by_layer():
    module = torch_model("RobertaModel", CONFIG, seed=3, scale=0.3)
    module.prune_heads({0: [1], 1: [0, 2, 3]})
    ours = carried_over(module, type(models("RobertaModel")[1]), dtype="float64")
    port = traced(export(module.float(), ARGUMENTS), ours)
    assert port.tensors["encoder.layer.1.attention.self.key"].shape == (4, 1, 7, 6)
    check(port, expected(ours, ARGUMENTS))


class Within(torch.nn.Module):
    """A model as a part of another."""

    def __init__(self, module):
        super().__init__()
        self.model = module
        module.config.return_dict = False

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids, attention_mask)[0].softmax(-1)


def test_a_model_within_another_with_weights_that_are_equal():
    module = type(models()[0])(models()[0].config).eval()  # biases of 0, of which one is kept
    ours = carried_over(module, RobertaForMaskedLM, dtype="float64")
    arguments = {name: ARGUMENTS[name] for name in ("input_ids", "attention_mask")}
    path = export(Within(module), arguments)
    right = expected(ours, arguments)
    check(trace_onnx(path, arguments), right)
    for one in (path, renamed(path, weights=True)):
        check(trace_onnx(one, arguments, model=ours), right)


def test_chunks_are_not_taken_for_the_whole():
    arguments = {name: np.tile(one[:, :4], (1, 2)) for name, one in ARGUMENTS.items()}
    module, ours = models(chunk_size_feed_forward=4)
    values = onnx_values(export(module, arguments), model=ours)
    for end in ("intermediate.dense", "intermediate", "output.dense", "output.LayerNorm"):
        assert values[f"{LAYER}.0.{end}"] is None
    assert values[f"{LAYER}.1.attention.output.LayerNorm"] is not None


# What other programs make of a graph


def test_names_of_ours_are_taken_as_they_are():
    path, ours = exported()
    found = onnx_values(path, model=ours)
    names = {value: name for name, value in found.items() if value}
    own = renamed(path, names.get, weights=True)
    right = expected(ours, ARGUMENTS)
    check(
        trace_onnx(own, ARGUMENTS, config=ours.config),
        {
            name: array
            for name, array in right.items()
            if name == names.get(found[name]) and name != "lm_head.logits"
        },
    )  # one value has two names, and the output keeps its own


def test_what_an_export_says_of_itself_counts():
    path, ours = exported("RobertaModel")
    proto = onnx.load(path)
    onnx.helper.set_model_props(
        proto, {"class": "RobertaModel", "config": ours.config.to_json_string()}
    )
    port = trace_onnx(saved(proto), ARGUMENTS)
    assert (port.architecture, port.config) == ("RobertaModel", ours.config)


def test_a_factor_that_is_put_into_a_product_is_none_of_what_was_before_it():
    path, ours = exported(num_hidden_layers=1, hidden_act="laplace")
    port = traced(path, ours, optimise=True)
    check(port, expected(ours, ARGUMENTS), ("intermediate", "lm_head.dense"))
    assert compare(ours, port).verdict == "rounding"


@pytest.mark.parametrize(
    ("exporter", "options", "how"),
    [
        (
            "script",
            {},
            "weights and activations are quantised to 8 bits (dynamic: scale of the whole tensor)",
        ),
        (
            "dynamo",
            {"per_channel": True, "reduce_range": True},
            "weights are quantised to 7 bits, and activations to 8 "
            "(dynamic: scale of each output, and of the whole)",
        ),
    ],
)
def test_integers_hide_nothing_and_are_told(exporter, options, how):
    of = exported_by_dynamo if exporter == "dynamo" else exported
    path, ours = of("RobertaForMaskedLM", attention="sdpa")
    small = quantized(path, **options)
    for optimise in (False, True):
        port = traced(small, ours, optimise=optimise)
        check(port, expected(ours, ARGUMENTS), rtol=2)
        departing = {row.name: row.explanations for row in compare(ours, port).departing}
        assert f"{LAYER}.0.attention.self.query" in departing
        for name, explanations in departing.items():  # the rest is in float32 as ever
            is_map = name.endswith(("query", "key", "value", "dense", "lm_head.logits"))
            table = "the table is quantised to 8 bits, of the whole"
            assert explanations[0].text == (how if is_map else table), name


@pytest.mark.parametrize("optimise", [False, True])
def test_tables_of_integers_are_told_of_an_export_of_ours(optimise):
    ours = models()[1]
    export_onnx(ours.astype("float32"), path := new_path(), token_type_ids=True)
    port = traced(quantized(path), ours, optimise=optimise)
    said = {row.name: row.explanations[0].text for row in compare(ours, port).departing}
    tables = (f"roberta.embeddings.{one}_embeddings" for one in ("word", "position", "token_type"))
    assert said == {
        **dict.fromkeys(tables, "the table is quantised to 8 bits, of the whole"),
        "lm_head.logits": "the weight is quantised to 8 bits, of the whole",
    }


def test_half_precision_is_handed_on_as_it_is_stored():
    module = copy.deepcopy(models()[0]).half()
    half = carried_over(module, RobertaForMaskedLM, dtype="float64")
    path = export(module, ARGUMENTS, opset=14)  # where GELU is several operations
    seeing = {name: one[:3] for name, one in ARGUMENTS.items()}  # float32 does not hide all scores
    for optimise, arguments in ((False, ARGUMENTS), (True, seeing)):
        port = trace_onnx(path, arguments, model=half, optimise=optimise)
        check(port, expected(half, arguments), rtol=0.02)
        assert str(port.arithmetic) == "float16"
        assert compare(half, port).verdict == "rounding"


def test_a_tool_takes_a_mask_for_a_length():
    path, ours = exported()
    small = fused(path)
    hidden = (*BEFORE_GELU, *BEFORE_NORM, *(f"attention.self.{one}" for one in INSIDE_ATTENTION))
    padded = {name: one[[0]] for name, one in ARGUMENTS.items()}
    padded["attention_mask"] = np.array([[1, 1, 1, 1, 1, 0, 0]])
    check(trace_onnx(small, padded, model=ours), expected(ours, padded), hidden)
    holes = {**padded, "attention_mask": np.array([[1, 1, 0, 1, 1, 1, 1]])}
    result = compare(ours, trace_onnx(small, holes, model=ours))
    assert [row.name for row in result.departing] == [
        f"{LAYER}.{i}.attention.self.context" for i in (0, 1)
    ]


@pytest.mark.parametrize("optimise", [False, True])
def test_what_float16_adds_and_normalises_at_once_is_not_rounded_between(optimise):
    path, ours = exported()
    seeing = {name: one[[0]] for name, one in ARGUMENTS.items()}
    seeing["attention_mask"] = np.ones((1, 7), int)
    port = trace_onnx(fused(path, half=True), seeing, model=ours, optimise=optimise)
    assert not any(name.endswith((*BEFORE_NORM, "output.sum")) for name in port.tensors)
    assert port.tensors.keys() > {f"{LAYER}.{i}.output.LayerNorm" for i in (0, 1)}
    assert compare(ours, port).verdict == "rounding"


def test_weights_in_other_files():
    path, ours = exported()
    options = {"save_as_external_data": True, "location": "weights", "size_threshold": 0}
    nameless = saved(onnx.load(renamed(path, weights=True)), **options)
    check(traced(nameless, ours), expected(ours, ARGUMENTS))
    apart = saved(onnx.load(path), **options)
    check(traced(apart, ours, optimise=True), expected(ours, ARGUMENTS), BEFORE_GELU)
    (apart.parent / "weights").unlink()
    with pytest.raises(CheckpointError, match=r"embeddings.*weight cannot be read"):
        trace_onnx(apart, ARGUMENTS)
    with pytest.raises(CheckpointError, match=r"onnxruntime cannot run .*model\.onnx"):
        trace_onnx(apart, ARGUMENTS, weights=False)


def test_nodes_in_any_order():
    path, ours = exported()

    def turned(graph):
        nodes = list(graph.node)[::-1]
        del graph.node[:]
        graph.node.extend(nodes)

    check(traced(changed(path, turned), ours), expected(ours, ARGUMENTS))


# Mistakes


def attribute(op, name, value):
    """Set an attribute of all nodes of a kind."""

    def change(graph):
        for node in graph.node:
            if node.op_type == op:
                kept = [one for one in node.attribute if one.name != name]
                del node.attribute[:]
                node.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])

    return change


def swapped(graph):
    """Exchange the weights of a key and of a value."""
    key, value = (
        next(node for node in graph.node if f"layer.1/attention/self/{one}/MatMul" in node.name)
        for one in ("key", "value")
    )
    key.input[1], value.input[1] = value.input[1], key.input[1]


def transposed(graph):
    node = next(one for one in graph.node if "layer.0/attention/output/dense/MatMul" in one.name)
    weight = next(one for one in graph.initializer if one.name == node.input[1])
    new = np.ascontiguousarray(onnx.numpy_helper.to_array(weight).T)
    weight.CopyFrom(onnx.numpy_helper.from_array(new, weight.name))


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (attribute("Gelu", "approximate", "tanh"), ("intermediate", "lm_head.gelu")),
        (attribute("LayerNormalization", "epsilon", 1e-3), ("LayerNorm", "layer_norm")),
        (attribute("Softmax", "axis", 2), ("probabilities",)),
        (swapped, ("layer.1.attention.self.key", "layer.1.attention.self.value")),
        (transposed, ("layer.0.attention.output.dense",)),
    ],
)
def test_mistakes_are_found_where_they_are(change, at):
    path, ours = exported()
    assert compare(ours, traced(path, ours)).verdict == "rounding"
    result = compare(ours, traced(changed(path, change), ours))
    names = [row.name for row in result.compared]
    assert [row.name for row in result.departing] == [name for name in names if name.endswith(at)]


def test_weights_are_told_that_are_not_the_models():
    path, ours = exported()
    for change, how in ((transposed, "is the transpose"), (swapped, "differs")):
        notes = compare(ours, traced(changed(path, change), ours)).notes
        assert notes
        assert all(note.startswith("weights: ") and note.endswith(how) for note in notes)


# What is given


def test_what_a_model_does_not_need_may_be_left_out():
    path, ours = exported()
    ids = {"input_ids": ARGUMENTS["input_ids"]}
    given = {**ids, "attention_mask": np.ones((4, 7), int), "token_type_ids": np.zeros((4, 7), int)}
    check(trace_onnx(path, ids, model=ours), expected(ours, given))
    module, _ = models()
    check(trace_onnx(export(module, ids), given, model=ours), expected(ours, ids))
    as_lists = {name: one.tolist() for name, one in given.items()}
    check(trace_onnx(path, as_lists, model=ours), expected(ours, given))


def test_what_cannot_be_given_is_told():
    path, _ = exported()
    ids, mask = ARGUMENTS["input_ids"], ARGUMENTS["attention_mask"]
    with pytest.raises(ValueError, match=r"has the inputs input_ids, .*: it takes no labels"):
        trace_onnx(path, {**ARGUMENTS, "labels": ids})
    with pytest.raises(ValueError, match="it needs input_ids besides"):
        trace_onnx(path, {"attention_mask": mask, "token_type_ids": mask})
    with pytest.raises(ValueError, match="input_ids is float64, but the graph takes int64 there"):
        trace_onnx(path, {**ARGUMENTS, "input_ids": ids + 0.5})
    with pytest.raises(CheckpointError, match="onnxruntime cannot run"):
        trace_onnx(path, {**ARGUMENTS, "input_ids": ids + 99})
    with pytest.raises(ValueError, match="'RocketProvider' is not in the onnxruntime"):
        trace_onnx(path, ARGUMENTS, providers=["RocketProvider"])
    module, _ = models()
    with pytest.raises(ValueError, match="it takes no attention_mask"):
        trace_onnx(export(module, {"input_ids": ids}), ARGUMENTS)


def test_files_that_are_no_graphs():
    path, ours = exported()
    empty = new_path()
    empty.write_bytes(b"")
    text = new_path()
    text.write_bytes(b"no graph at all")
    cut = new_path()
    cut.write_bytes(path.read_bytes()[:-999])
    for one in (empty, text, cut):
        with pytest.raises(CheckpointError, match=r"model\.onnx is no ONNX file"):
            traced(one, ours)
        with pytest.raises(CheckpointError, match=r"model\.onnx is no ONNX file"):
            traced(one, ours, optimise=True)
    with pytest.raises(FileNotFoundError):
        onnx_values(new_path())

    def loop(graph):
        next(node for node in graph.node if node.input).input[0] = graph.node[-1].output[0]

    def bare(graph):
        del next(node for node in graph.node if node.op_type == "Gather").input[1:]

    for change, how in ((loop, "takes what is never made"), (bare, "lacks inputs")):
        with pytest.raises(CheckpointError, match=how):
            onnx_values(changed(path, change))


def test_a_graph_without_names_needs_a_model():
    path, _ = exported()
    with pytest.raises(CheckpointError, match=r"its outputs are \d+; give the model"):
        trace_onnx(renamed(path, weights=True), ARGUMENTS)


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_what_is_not_installed_is_told(monkeypatch, name):
    path, _ = exported()
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"needs {name}: pip install onnx onnxruntime"):
        trace_onnx(path, ARGUMENTS)
