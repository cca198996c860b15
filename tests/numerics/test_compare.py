"""A port beside the reference: right ones are not accused, mistakes named where they are made."""

from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from itertools import product

import numpy as np
import pytest
import torch
import transformers

from minirobert import (
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaModel,
    RobertaTokenizer,
    watch,
)
from minirobert.files import TINY
from minirobert.numerics import Arithmetic, DepartureError, Trace, compare, trace
from minirobert.numerics.compare import departures
from minirobert.numerics.ends import end_to_end
from minirobert.numerics.replay import exact_model
from minirobert.numerics.torch_port import trace_torch
from tests.equivalence.strategies import CLASSES
from tests.numerics.calibration import ONE_PASS, loop_trace, our_model, ports, sees_nothing
from tests.numerics.loops import WAYS
from tests.numerics.models import drawn_model, vector
from tests.numerics.planted import BY_ID, PLANTED

TEXTS = ["Grass is <mask>.", "The color of the sky is <mask>."]


@pytest.fixture(scope="module")
def tiny():
    return RobertaForMaskedLM.from_pretrained()


@pytest.fixture(scope="module")
def batch():
    return dict(RobertaTokenizer.from_pretrained()(TEXTS, padding=True, return_tensors="np"))


def named(rows):
    return [row.name for row in rows if row.departs]


@pytest.mark.parametrize("seed", range(12))
def test_ports_that_are_right_are_not_accused(seed):
    case = drawn_model(seed)
    model = our_model(case)
    for name, port in ports(case, model):
        half = port.arithmetic.store == "float16"
        if name == "loops, one-pass variance" or (half and sees_nothing(case)):
            continue  # torch's float16 gives NaN there
        rows = departures(model, port)
        assert named(rows) == [], name
        assert sum(row.verdict != "missing" for row in rows) >= 5


@pytest.mark.parametrize("length", [24, 128])
def test_many_tokens_that_are_alike(tiny, length):
    """Padding that nothing hides: its roundoffs go one way. A mistake is seen all the same."""
    ids = np.full((2, length), tiny.config.pad_token_id)
    ids[0, :4] = [0, 100, 200, 2]
    hidden = {"attention_mask": (ids != tiny.config.pad_token_id).astype(int)}
    for arguments in ({"input_ids": ids}, {"input_ids": ids, **hidden}):
        for port in (trace(tiny, **arguments), loop_trace(tiny, arguments, WAYS["forwards"])):
            assert named(departures(tiny, port)) == []
        port = trace(tiny, **arguments)
        context = next(
            name for name in port.tensors if name.endswith("layer.2.attention.self.context")
        )
        port.tensors[context] = port.tensors[context] * np.float32(1 + 1e-4)
        assert named(departures(tiny, port))[0] == context


@pytest.mark.parametrize("is_one_word", [False, True])
def test_a_loss_is_held_to_roundoffs_of_itself(tiny, is_one_word):
    """Of thousands of words, each of whose exponentials is rounded."""
    ids = np.random.default_rng(0).integers(5, 8000, (2, 100))
    ids = np.full_like(ids, 100) if is_one_word else ids
    labels = np.where(np.arange(100) % 3 == 0, ids, -100)
    port = trace(tiny, weights=False, input_ids=ids, labels=labels)
    logits = torch.tensor(port.tensors["lm_head.logits"]).reshape(-1, tiny.config.vocab_size)
    loss = partial(torch.nn.functional.cross_entropy, target=torch.tensor(labels).reshape(-1))
    for value, name in (
        (loss(logits), []),
        (loss(logits, label_smoothing=1e-3), ["loss"]),
        (loss(logits.half()), ["loss"]),
        (loss(logits.bfloat16()), ["loss"]),
    ):
        port.tensors["loss"] = value.float().numpy()
        assert named(departures(tiny, port)) == name


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_relative_scores_in_half_precision(dtype):
    """Three parts are added up in another order than here, each rounded."""
    fields = {
        "position_embedding_type": "relative_key_query", "hidden_size": 64,
        "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 256,
        "hidden_act": "gelu", "vocab_size": 60, "pad_token_id": 1, "is_decoder": False,
    }  # fmt: skip
    case = drawn_model(2, "RobertaForMaskedLM", **fields)
    case.in_dtype(getattr(torch, dtype)).double()  # so that it has all weights
    case.module.config._attn_implementation = "eager"
    ids = np.random.default_rng(1).integers(3, 60, (1, 200))
    port = trace_torch(case.module, {"input_ids": ids}, dtype=dtype, weights=False)
    assert named(departures(our_model(case), port)) == []


@cache
def vector_and_model(number, class_name):
    """Make one of the two models that show all mistakes, on torch in float32, and ours."""
    case = vector(number, class_name)
    model = our_model(case)
    case.in_dtype(torch.float32)
    return case, model


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda one: one.id)
def test_a_mistake_is_named_where_it_is_made(mistake):
    """And some model shows it by far."""
    ratios = []
    for number, class_name in product((1, 2), ("RobertaForMaskedLM", "RobertaModel")):
        case, model = vector_and_model(number, class_name)
        if mistake.matters(case.module, case.arguments):
            with mistake.planted(case.module):
                arguments = mistake.arguments(case.arguments)
                port = trace_torch(case.module, arguments, weights=False)
            departing = [row for row in departures(model, port, case.arguments) if row.departs]
            assert all(mistake.is_at(row.name, model.config) for row in departing)
            ratios += [row.ratio for row in departing]
    assert max(ratios) > 20


def test_three_mistakes_at_once_are_all_named(tiny, batch, tmp_path):
    tiny.save_pretrained(tmp_path)
    module = transformers.RobertaForMaskedLM.from_pretrained(tmp_path, attn_implementation="eager")
    module.eval()
    ids = ("tanh-gelu", "no-scale", "no-value-bias")
    a, b, c = (BY_ID[one] for one in ids)
    with a.planted(module), b.planted(module), c.planted(module):
        port = trace_torch(module, batch)
    result = compare(tiny, port, batch)
    assert set(named(result.rows)) == {
        *(f"roberta.encoder.layer.{i}.intermediate" for i in range(4)),
        *(f"roberta.encoder.layer.{i}.attention.self.scores" for i in range(4)),
        "roberta.encoder.layer.3.attention.self.value",
    }
    inherited = {row.name for row in result.rows if row.inherited}
    assert "lm_head.logits" in inherited
    assert not any(name.startswith("roberta.embeddings") for name in inherited)
    with pytest.raises(DepartureError, match="scores are not divided by sqrt"):
        result.raise_for_departure()


@pytest.mark.parametrize(
    "keep",
    [
        ["lm_head.logits"],
        ["*.output.LayerNorm"],
        ["*.dense", "*.sum"],
        ["*.context", "embeddings", "lm_head.*"],
        ["*layer.2.*"],
    ],
    ids=str,
)
def test_what_a_port_does_not_show_is_carried_on(tiny, batch, keep):
    """A right port is not accused of it, and a wrong one is still found."""
    shown = trace(tiny, keep=keep, **batch)
    assert named(departures(tiny, shown)) == []
    wrong = replace_activation(tiny, "gelu_new")
    rows = departures(tiny, trace(wrong, keep=keep, **batch))
    assert named(rows)
    last = [row for row in rows if row.verdict != "missing"][-1]
    assert last.departs or keep != ["lm_head.logits"]


def replace_activation(model, name):
    return model._with(
        config=RobertaConfig.from_dict({**model.config.to_dict(), "hidden_act": name})
    )


def test_the_whole_way_is_bounded_too(tiny, batch):
    exact = exact_model(tiny, "float32")
    ends = end_to_end(exact, batch, Arithmetic())
    with watch() as own:
        tiny(**batch)
    for name, (value, bound) in ends.items():
        if name.endswith((".scores", ".scores.masked")):
            continue
        off = abs(own[name].astype(np.float64) - value.astype(np.float64))
        assert np.all(off <= (0 if bound is None else bound)), name
    assert np.max(ends["lm_head.logits"][1]) < 0.01


def test_generation_is_replayed_step_by_step():
    config = RobertaConfig(
        vocab_size=50,
        hidden_size=24,
        num_attention_heads=4,
        intermediate_size=40,
        num_hidden_layers=2,
        is_decoder=True,
        max_position_embeddings=30,
        hidden_act="silu",
    )
    model = RobertaForCausalLM(config, seed=1)
    ids = np.array([[1, 1, 0, 5, 6], [0, 7, 8, 9, 4]])  # padding on the left

    def generated(one):
        with watch() as seen:
            one.generate(ids, attention_mask=ids != 1, max_new_tokens=4, eos_token_id=None)
        return Trace(dict(seen))

    result = compare(model, generated(model))
    assert result.verdict == "rounding"
    assert {name.partition(".roberta")[0] for name in result.missing} == set()
    assert len(result.compared) == 4 * 50
    wrong = generated(replace_activation(model, "relu"))
    departing = named(departures(model, wrong))
    assert departing == [
        f"step.{k}.roberta.encoder.layer.{i}.intermediate" for k in range(4) for i in range(2)
    ]


@pytest.mark.parametrize("class_name", CLASSES)
def test_a_models_output_is_a_port(class_name):
    case = drawn_model(5, class_name, hidden_act="gelu", num_hidden_layers=2)
    model, module = our_model(case), case.in_dtype(torch.float32)
    mask = np.linspace(1, 0, 2 * module.config.num_attention_heads).reshape(2, -1)
    arguments = {**case.arguments, "head_mask": mask}
    arguments = {
        name: np.float32(one) if one.dtype.kind == "f" else one for name, one in arguments.items()
    }
    shows = {"output_hidden_states": True, "output_attentions": True}
    tensors = {name: torch.tensor(one) for name, one in arguments.items()}
    for port in (module(**tensors, **shows), model(**arguments, **shows)):
        result = compare(model, port, arguments)
        assert (result.verdict, result.unknown, result.lacking()) == ("rounding", (), ())
        names = {row.name.rpartition("layer.")[2] for row in result.compared}
        assert {"0.attention.self.probabilities.head_mask", "1.output.LayerNorm"} <= names
    port = {name.replace(".", "_"): one for name, one in flat(port).items()}
    port["hidden_states_1"] = port["hidden_states_1"] * 1.01
    wrong = compare(model, port, arguments, explain=False)
    assert wrong.first.name.endswith("encoder.layer.0.output.LayerNorm")


def flat(output):
    """Name the tensors of tuples by their places."""
    tuples = {name: value for name, value in output.items() if isinstance(value, tuple)}
    return {f"{name}.{i}": one for name, value in tuples.items() for i, one in enumerate(value)}


def test_an_output_in_bfloat16(tiny, batch):
    module = transformers.RobertaForMaskedLM.from_pretrained(TINY, dtype=torch.bfloat16).eval()
    port = module(**{name: torch.tensor(one) for name, one in batch.items()})
    result = compare(tiny, port, batch)
    assert (result.verdict, str(result.arithmetic.store)) == ("rounding", "bfloat16")


def test_other_inputs_are_told_first(tiny, batch):
    other = {**batch, "input_ids": np.where(batch["input_ids"] == 2, 3, batch["input_ids"])}
    result = compare(tiny, trace(tiny, **other), batch)
    assert named(result.rows) == ["input_ids"]
    assert result.rows[0].name == "input_ids"
    assert (result.rows[0].port, result.rows[0].expected) == (3, 2)
    shorter = {name: array[:, :4] for name, array in batch.items()}
    result = compare(tiny, trace(tiny, **shorter), batch)
    assert [(row.name, row.reason) for row in result.departing] == [
        ("input_ids", "shape"),
        ("attention_mask", "shape"),
    ]


def test_inputs_may_be_kept_in_the_ports_digits(tiny, batch):
    wide = {"inputs_embeds": np.random.default_rng(0).standard_normal((2, 5, 256))}
    half = {"inputs_embeds": wide["inputs_embeds"].astype("f2")}
    port = trace(tiny.astype("float16"), weights=False, **half)
    assert named(departures(tiny, port, wide)) == []
    other = {"inputs_embeds": wide["inputs_embeds"] * 1.001}
    assert named(departures(tiny, port, other)) == ["inputs_embeds"]


def test_positions_that_are_given_are_obeyed_and_others_checked(tiny, batch):
    positions = np.arange(3, 13)[None, :].repeat(2, 0)
    port = trace(tiny, position_ids=positions, **batch)
    assert named(departures(tiny, port)) == []
    undeclared = replace(port, given=None)
    assert named(departures(tiny, undeclared)) == ["position_ids"]


def test_notes_tell_of_another_configuration_and_of_other_weights(tiny, batch):
    state = tiny.state_dict()
    query = "roberta.encoder.layer.1.attention.self.query.weight"
    key = "roberta.encoder.layer.2.attention.self.key.bias"
    state[query], state[key] = state[query].T.copy(), state[key] + 1
    port = trace(tiny._with_state(state), **batch)
    wrong = RobertaConfig.from_dict({**tiny.config.to_dict(), "layer_norm_eps": 1e-12})
    port = replace(port, config=wrong, architecture="RobertaModel")
    assert compare(tiny, port).notes == (
        "class: the port is a RobertaModel, the reference a RobertaForMaskedLM",
        "config: layer_norm_eps is 1e-12 in the port, and 1e-05 here",
        f"weights: {query} is the transpose",
        f"weights: {key} differs",
    )


def test_names_without_the_prefix_and_heads_that_are_not_split(tiny, batch):
    port = trace(tiny, weights=False, **batch)
    tensors = {}
    for name, array in port.tensors.items():
        if name.endswith((".query", ".key", ".value")):
            array = array.transpose(0, 2, 1, 3).reshape(2, 10, 256)
        tensors[name.removeprefix("roberta.")] = array
    tensors["blk.0.attn_q"] = np.zeros(3)
    result = compare(tiny, tensors, batch)
    assert (result.verdict, result.missing) == ("rounding", ())
    assert result.unknown == ("blk.0.attn_q",)
    with pytest.raises(ValueError, match=r"has lm_head.logits twice, once as roberta.lm_head"):
        compare(tiny, {**tensors, "roberta.lm_head.logits": tensors["lm_head.logits"]}, batch)


@pytest.mark.parametrize("number", [-np.inf, -1e4, np.finfo(np.float32).min])
def test_scores_may_be_masked_in_any_way(tiny, batch, number):
    """What they are masked by does not count, but what comes of it does."""
    port = trace(tiny, weights=False, **batch)
    masked = batch["attention_mask"][:, None, None, :] == 0
    for name in [name for name in port.tensors if ".scores" in name]:
        port.tensors[name] = np.where(masked, np.float32(number), port.tensors[name])
    assert named(departures(tiny, port)) == []
    name = "roberta.encoder.layer.2.attention.self.probabilities"
    port.tensors[name] = np.full_like(port.tensors[name], 0.1)
    assert named(departures(tiny, port))[0] == name


def test_chunks_are_joined(batch):
    model = RobertaForMaskedLM.from_pretrained(chunk_size_feed_forward=4)
    result = compare(model, trace(model, **batch))
    assert (result.verdict, len(result.compared), result.missing) == ("rounding", 86, ())


def test_what_is_not_finite_is_found(tiny, batch):
    port = trace(tiny, weights=False, **batch)
    name = "roberta.encoder.layer.1.intermediate"
    port.tensors[name][1, 2, 3] = np.nan
    row = compare(tiny, port)[name]
    assert (row.verdict, row.reason, row.at) == ("departs", "range", (1, 2, 3))
    assert np.isnan(row.port)


def test_another_shape_is_told(tiny, batch):
    logits = tiny(**batch).logits
    result = compare(tiny, {"lm_head.logits": logits[:, :4]}, batch)
    assert (result.first.reason, result.first.shape) == ("shape", (2, 4, 8192))
    last = compare(tiny, {"lm_head.logits": logits[:, -1]}, batch)
    assert last.verdict == "rounding"


def test_one_pass_variance_and_other_arithmetics(tiny, batch):
    """What loses digits is beyond the budget of float32, and within that of what it computes in."""
    state = tiny.state_dict()
    name = "roberta.embeddings.token_type_embeddings.weight"
    shifted = tiny._with_state({**state, name: state[name] + 30})
    assert named(departures(shifted, loop_trace(shifted, batch, ONE_PASS))) == [
        "roberta.embeddings.LayerNorm"
    ]
    half = trace(tiny.astype("float16"), weights=False, **batch)
    wide = replace(half, arithmetic=Arithmetic("float32"))
    assert len(named(departures(tiny, wide))) > 60
    assert compare(tiny, wide, arithmetic="float16").verdict == "rounding"


def test_the_reference_itself_elsewhere(tiny, batch):
    assert compare(tiny, tiny.astype("float64"), batch).verdict == "exact"
    assert compare(tiny, tiny.to("cpu", xp=torch), batch).verdict == "rounding"


@pytest.mark.parametrize("library", ["torch", "jax.numpy", "array_api_strict"])
def test_the_same_code_on_other_libraries(library):
    case, model = vector_and_model(1, "RobertaForMaskedLM")
    moved = model.to("cpu", xp=import_module(library))
    result = compare(model, moved, case.arguments)
    assert (result.verdict, result.missing, result.unknown) == ("rounding", (), ())


def test_a_base_model_has_other_outputs(batch):
    model = RobertaModel.from_pretrained(add_pooling_layer=False)
    result = compare(model, model, batch)
    assert [one.name for one in result.outputs] == ["encoder.layer.3.output.LayerNorm"]
    (output,) = result.outputs
    assert 1 < output.port == output.own < output.allowed


def test_what_cannot_be_compared_is_told(tiny, batch):
    with pytest.raises(TypeError, match="reference is a dict, but must be a model"):
        compare({}, {})
    with pytest.raises(TypeError, match="model is a Linear, but must be one of this package"):
        trace(torch.nn.Linear(1, 1))
    with pytest.raises(IsADirectoryError, match="is a directory, but a port is a file"):
        compare(tiny, TINY, batch)
    with pytest.raises(TypeError, match="port is a int, but must be a trace"):
        compare(tiny, 3)
    with pytest.raises(ValueError, match="neither input_ids nor inputs_embeds"):
        compare(tiny, {"lm_head.logits": np.zeros((1, 2, 8192))})
    with pytest.raises(ValueError, match="inputs were not given"):
        compare(tiny, tiny)
    with pytest.raises(KeyError, match="there is no tensor lm_head"):
        compare(tiny, tiny, batch)["lm_head.logit"]
    with pytest.raises(ValueError, match="the port's trace has no tensors: write them into it"):
        compare(tiny, {}, batch)
    assert compare(tiny, {"of mine": np.zeros(3)}, batch).verdict == "nothing"


@pytest.mark.parametrize(
    ("spoilt", "error", "sentence"),
    [
        (lambda x: x + 1j, TypeError, "has dtype complex64, but must hold real numbers"),
        (lambda x: torch.tensor(x + 1j), TypeError, "has dtype complex64, but must hold real"),
        (lambda x: np.ma.masked_array(x, x > 0), ValueError, "is a masked array"),
        (lambda x: x.astype(str), ValueError, "is no array of numbers"),
        (lambda x: "frob", ValueError, "is no array of numbers"),
        (lambda x: [[1.0], [2.0, 3.0]], ValueError, "is no array of numbers with rows of one len"),
    ],
    ids=["complex", "complex on torch", "masked", "strings", "a string", "ragged"],
)
def test_a_tensor_that_is_no_array_of_real_numbers_is_refused(tiny, batch, spoilt, error, sentence):
    tensors = trace(tiny, keep="lm_head.*", **batch).tensors
    tensors["lm_head.logits"] = spoilt(tensors["lm_head.logits"])
    for port in (tensors, Trace(tensors, arithmetic=Arithmetic(), given=())):
        with pytest.raises(error, match=f"^lm_head.logits {sentence}"):
            compare(tiny, port, batch)
