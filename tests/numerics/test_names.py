"""Names and layouts of other implementations become ours."""

import json

import numpy as np
import pytest
import torch

from minirobert.numerics import Trace
from minirobert.numerics.names import read_map, renamed
from minirobert.numerics.names.layouts import is_ours
from minirobert.numerics.names.lines import name_map
from minirobert.numerics.names.maps import MAPS, built_in
from minirobert.numerics.torch_port import trace_torch
from tests.equivalence.strategies import CLASSES
from tests.numerics.models import drawn_model, vector

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")


def first(output):
    """Give the tensor, or the first one, of a module's output."""
    return output[0] if isinstance(output, tuple) else getattr(output, "last_hidden_state", output)


def module_outputs(module, arguments):
    """Hook every module of a model, as its user would."""
    seen = {}

    def keep(name):
        def hook(_, args, output):
            seen.setdefault(name, first(output))

        return hook

    handles = [one.register_forward_hook(keep(name)) for name, one in module.named_modules()]
    with torch.no_grad():
        module(**{name: torch.as_tensor(value) for name, value in arguments.items()})
    for handle in handles:
        handle.remove()
    return {name: one.numpy() for name, one in seen.items() if isinstance(one, torch.Tensor)}


@pytest.mark.parametrize("class_name", CLASSES)
@pytest.mark.parametrize("wrapper", ["", "module.", "model."])
def test_paths_of_modules(class_name, wrapper):
    case = drawn_model(3, class_name, num_hidden_layers=2)
    seen = module_outputs(case.module, case.arguments)
    outputs = {wrapper + name: one for name, one in seen.items() if name or not wrapper}
    own = trace_torch(case.module, case.arguments)
    made, unknown = renamed(
        outputs, built_in("transformers"), architecture=class_name, config=own.config
    )
    assert unknown == ()
    for name, array in made.items():
        np.testing.assert_array_equal(array, own.tensors[name].reshape(array.shape))
    missing = {name.rpartition(".")[2] for name in own.tensors if name not in made}
    assert missing <= {
        *("input_ids", "token_type_ids", "position_ids", "attention_mask", "attend", "sum"),
        *("encoder_hidden_states", "encoder_attention_mask", "scores", "masked", "gelu"),
        *("start_logits", "end_logits", "input", "tanh"),
    }


@pytest.mark.parametrize(
    ("attention", "opset"), [("eager", 14), ("eager", 17), ("eager", 20), ("sdpa", 17)]
)
def test_values_of_onnx_exports(attention, opset, tmp_path):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    case = vector(1)
    module = type(case.module)._from_config(case.module.config, attn_implementation=attention)
    module.load_state_dict(case.module.state_dict())
    module = module.float().eval()
    module.config.return_dict = False
    names = ("input_ids", "attention_mask")
    given = tuple(torch.as_tensor(case.arguments[name]) for name in names)
    path = tmp_path / "model.onnx"
    torch.onnx.export(
        module, given, path, dynamo=False, opset_version=opset,
        input_names=names, output_names=["logits"],
    )  # fmt: skip
    model = onnx.load(path)
    values = [name for node in model.graph.node for name in node.output if name != "logits"]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in values)
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    arguments = {name: case.arguments[name] for name in names}
    outputs = dict(zip(["logits", *values], session.run(None, arguments), strict=True))
    own = trace_torch(case.module, arguments)
    which = "transformers-onnx" if attention == "eager" else "transformers-onnx-sdpa"
    made, _ = renamed(
        outputs, built_in(which), architecture="RobertaForMaskedLM", config=own.config
    )
    here = {name for name in made if is_ours(name)}
    assert own.tensors.keys() - here <= {
        *(*names, "token_type_ids", "attend", "roberta.embeddings"),
    }
    for name in here:
        expected = own.tensors[name]
        seen = expected > -1e30
        assert made[name].shape == expected.shape, name
        np.testing.assert_allclose(
            made[name][seen], expected[seen], rtol=0, atol=1e-5 * abs(expected[seen]).max()
        )


def spelled(own, lines):
    """Give tensors of ours the names and layouts of lines ``theirs, ours, axes``."""
    made = {}
    for theirs, ours, axes in lines:
        array = own.tensors[ours]
        if axes == "sequence first":
            array = array.swapaxes(0, 1)
        elif axes == "heads merged":
            array = array.transpose(0, 2, 1, 3).reshape(*array.shape[::2][:2], -1)
        elif axes == "heads merged, sequence first":
            batch, heads, length, size = array.shape
            array = array.transpose(2, 0, 1, 3).reshape(length, batch, heads * size)
        elif axes == "one text":
            array = array[0]
        elif axes == "heads second, one text":
            array = array[0].transpose(1, 0, 2)
        made[theirs] = array
    return made


def layers(lines):
    """Repeat lines for both layers of a model."""
    return [
        (theirs.format(i), f"roberta.encoder.layer.{i}.{ours}", axes)
        for i in range(2)
        for theirs, ours, axes in lines
    ]


QKV = ("query", "key", "value")
FAIRSEQ = [
    ("encoder.sentence_encoder.embed_tokens", "roberta.embeddings.word_embeddings", ""),
    ("encoder.sentence_encoder.embed_positions", "roberta.embeddings.position_embeddings", ""),
    ("encoder.sentence_encoder.layernorm_embedding", "roberta.embeddings.LayerNorm", ""),
    *layers(
        [
            *(
                (
                    "encoder.sentence_encoder.layers.{}.self_attn." + f"{one[0]}_proj",
                    f"attention.self.{one}",
                    "heads merged, sequence first",
                )
                for one in QKV
            ),
            *(
                ("encoder.sentence_encoder.layers.{}." + theirs, ours, "sequence first")
                for theirs, ours in (
                    ("self_attn", "attention.output.dense"),
                    ("self_attn.out_proj", "attention.output.dense"),
                    ("self_attn_layer_norm", "attention.output.LayerNorm"),
                    ("fc1", "intermediate.dense"),
                    ("activation_dropout_module", "intermediate"),
                    ("fc2", "output.dense"),
                    ("final_layer_norm", "output.LayerNorm"),
                )
            ),
        ]
    ),
    ("encoder.lm_head.dense", "lm_head.dense", ""),
    ("encoder.lm_head.layer_norm", "lm_head.layer_norm", ""),
    ("encoder.lm_head", "lm_head.logits", ""),
]
CANDLE = [
    ("roberta.embeddings.word_embeddings", "roberta.embeddings.word_embeddings", ""),
    ("roberta.embeddings.layer_norm", "roberta.embeddings.LayerNorm", ""),
    *layers(
        [
            *(
                (
                    f"roberta.encoder.layers.{{}}.attention.self_attention.{one}",
                    f"attention.self.{one}",
                    "heads merged",
                )
                for one in QKV
            ),
            *(
                ("roberta.encoder.layers.{}." + theirs, ours, "")
                for theirs, ours in (
                    ("attention.self_attention", "attention.self.context"),
                    ("attention.self_output.dense", "attention.output.dense"),
                    ("attention.output.layernorm", "attention.output.LayerNorm"),
                    ("intermediate.dense", "intermediate.dense"),
                    ("intermediate.intermediate_act_fn", "intermediate"),
                    ("output.dense", "output.dense"),
                    ("output.layer_norm", "output.LayerNorm"),
                )
            ),
        ]
    ),
    (
        "roberta.encoder.layer.1.attention.output.LayerNorm",
        "roberta.encoder.layer.1.attention.output.LayerNorm",
        "",
    ),
    ("lm_head.dense", "lm_head.dense", ""),
    ("logits", "lm_head.logits", ""),
]
FLAX = [
    ("roberta/embeddings/LayerNorm/__call__/0", "roberta.embeddings.LayerNorm", ""),
    ("roberta.embeddings.word_embeddings.__call__", "roberta.embeddings.word_embeddings", ""),
    *layers(
        [
            *(
                (
                    f"roberta/encoder/layer/{{}}/attention/self/{one}/__call__/0",
                    f"attention.self.{one}",
                    "heads merged",
                )
                for one in QKV
            ),
            ("roberta/encoder/layer/{}/attention/self/__call__/0/0", "attention.self.context", ""),
            ("roberta/encoder/layer/{}/intermediate/__call__/0", "intermediate", ""),
            ("roberta/encoder/layer/{}/__call__/0/0", "output.LayerNorm", ""),
        ]
    ),
    ("lm_head/layer_norm/__call__/0", "lm_head.layer_norm", ""),
    ("lm_head/__call__/0", "lm_head.logits", ""),
]
MLX = [
    ("embeddings.norm", "roberta.embeddings.LayerNorm", ""),
    *layers(
        [
            *(
                (
                    f"encoder.layers.{{}}.attention.{one}_proj",
                    f"attention.self.{one}",
                    "heads merged",
                )
                for one in QKV
            ),
            *(
                ("encoder.layers.{}." + theirs, ours, "")
                for theirs, ours in (
                    ("attention", "attention.output.dense"),
                    ("ln1", "attention.output.LayerNorm"),
                    ("linear1", "intermediate.dense"),
                    ("gelu", "intermediate"),
                    ("linear2", "output.dense"),
                    ("ln2", "output.LayerNorm"),
                )
            ),
        ]
    ),
]
GGML = [
    ("inp_embd", "roberta.embeddings.sum", "one text"),
    ("inp_norm", "roberta.embeddings.LayerNorm", ""),  # it has four axes, the first of length 1
    *layers(
        [
            *(
                (one[0].upper() + "cur-{}", f"attention.self.{one}", "heads second, one text")
                for one in QKV
            ),
            ("kq_soft_max-{}", "attention.self.probabilities", "one text"),
            ("kqv_out-{}", "attention.output.dense", "one text"),
            ("ffn_inp-{}", "attention.output.LayerNorm", "one text"),
            ("ffn_up_b-{}", "intermediate.dense", "one text"),
            ("ffn_gelu-{}", "intermediate", "one text"),
            ("ffn_out-{}", "output.dense", "one text"),
        ]
    ),
    ("result_embd", "roberta.encoder.layer.1.output.LayerNorm", "one text"),
]
GGUF = [
    ("token_embd_norm", "roberta.embeddings.LayerNorm", ""),
    *layers(
        [
            ("blk.{}.attn_q", "attention.self.query", "heads merged"),
            ("blk.{}.attn_output", "attention.output.dense", ""),
            ("blk.{}.layer_output_norm", "output.LayerNorm", ""),
        ]
    ),
]


@pytest.fixture(scope="module")
def two_layers():
    fields = {"num_hidden_layers": 2, "num_attention_heads": 3, "hidden_size": 12}
    case = drawn_model(5, "RobertaForMaskedLM", **fields, position_embedding_type="absolute",
        is_decoder=False, add_cross_attention=False)  # fmt: skip
    one_text = {name: rows[:1] for name, rows in case.arguments.items()}
    return {n: trace_torch(case.module, given) for n, given in ((1, one_text), (2, case.arguments))}


@pytest.mark.parametrize(
    ("name", "lines", "n_texts"),
    [
        ("fairseq", FAIRSEQ, 2), ("candle", CANDLE, 2), ("flax", FLAX, 2), ("mlx", MLX, 2),
        ("ggml", GGML, 1), ("ggml", GGUF, 2),
    ],
)  # fmt: skip
def test_other_spellings(name, lines, n_texts, two_layers):
    own = two_layers[n_texts]
    theirs = {"call.1." + one: array for one, array in spelled(own, lines).items()}
    trace = Trace(theirs, architecture="RobertaForMaskedLM", config=own.config)
    made, unknown = renamed(trace, built_in(name))
    assert unknown == ()
    assert made.tensors.keys() == {"call.1." + ours for _, ours, _ in lines}
    for _, ours, _ in lines:
        np.testing.assert_array_equal(made.tensors["call.1." + ours], own.tensors[ours])


@pytest.mark.parametrize("name", MAPS)
def test_our_own_names_stay(name, two_layers):
    own = two_layers[2]
    made, unknown = renamed(own, built_in(name))
    assert unknown == ()
    assert made.given == own.given
    exceptions = {"pooler"} if name == "mlx" else set()  # its dense layer has this name
    for one in own.tensors.keys() - exceptions:
        np.testing.assert_array_equal(made.tensors[one], own.tensors[one])


def test_bfloat16_stays_what_it_was():
    trace = Trace({"q.0": np.ones((2, 3, 4), np.float32)}, {"q.0": "bfloat16"})
    lines = [[r"q\.(\d+)", r"encoder.layer.\1.attention.self.query"]]
    (made, _) = renamed(trace, name_map(lines), architecture="RobertaForMaskedLM")
    assert made.dtype("roberta.encoder.layer.0.attention.self.query") == "bfloat16"


def test_layouts():
    values = np.arange(2 * 3 * 5 * 4).reshape(2, 3, 5, 4)
    lines = [
        ["c", "encoder.layer.0.attention.self.context", "merge"],
        ["k", "encoder.layer.0.attention.self.key", "[B,S,N,D]"],
        ["s", "encoder.layer.0.attention.self.scores", "transpose"],
        ["x", "encoder.layer.0.crossattention.self.scores", "[N,B,S,T]"],
    ]
    made, _ = renamed(dict.fromkeys("cksx", values), name_map(lines))
    context, key, scores, cross = made.values()
    np.testing.assert_array_equal(context, values.transpose(0, 2, 1, 3).reshape(2, 5, 12))
    np.testing.assert_array_equal(key, values.transpose(0, 2, 1, 3))
    np.testing.assert_array_equal(scores, values.transpose(0, 1, 3, 2))
    np.testing.assert_array_equal(cross, values.transpose(1, 0, 2, 3))


def test_unknown_names_are_told_and_kept():
    given = {"h.0.rope": np.ones(2), "lm_head.dense": np.ones(3), "attention_mask": np.ones((1, 2))}
    made, unknown = renamed(given, built_in("fairseq"))
    assert unknown == ("h.0.rope",)
    assert list(made) == list(given)


def test_logits_are_those_of_the_class():
    for architecture, name in {
        "RobertaForCausalLM": "lm_head.logits",
        "RobertaForMultipleChoice": "classifier.logits",
    }.items():
        made, unknown = renamed({"logits": np.ones(2)}, (), architecture=architecture)
        assert (list(made), unknown) == ([name], ())
    assert renamed({"logits": np.ones(2)}, ()).unknown == ("logits",)


def test_two_that_become_one():
    lines = name_map([["a|b", "lm_head.dense"]])
    assert list(renamed({"a": np.ones(2), "b": np.ones(2)}, lines).port) == ["lm_head.dense"]
    with pytest.raises(ValueError, match=r"a and b both become lm_head\.dense, but differ"):
        renamed({"a": np.ones(2), "b": np.zeros(2)}, lines)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (3, "must hold a JSON list"),
        ([["a"]], r"line 1 is \['a'\], but must be \[regex, replacement, layout\]"),
        ([["a", "pooler"], "b"], "line 2 is 'b'"),
        ([["(", "pooler"]], "line 1: the regex '\\('"),
        ([["a", r"\1"]], "invalid group reference"),
        ([[1, "pooler"]], "the regex is 1, but must be a string"),
        ([["a", 1]], "the replacement is 1, but must be None or a string"),
        ([["a", "pooler", "[b]"]], "the layout is '\\[b\\]', but must be None, 'split'"),
    ],
)
def test_maps_that_cannot_be_used(lines, sentence, tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps(lines))
    with pytest.raises(ValueError, match=sentence) as error:
        read_map(path)
    assert str(path) in str(error.value)


def test_a_map_in_a_file(tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps([["é.(\\d+)", "encoder.layer.\\1.intermediate", "[S,B,I]"]]))
    made, _ = renamed({"é.7": np.zeros((3, 2, 4))}, read_map(path))
    assert made["encoder.layer.7.intermediate"].shape == (2, 3, 4)
    path.write_text(json.dumps({"a.b": ["pooler", None], "c": "lm_head.dense", "(": None}))
    made, unknown = renamed(dict.fromkeys(["a.b", "axb", "c", "("], np.zeros(1)), read_map(path))
    assert (list(made), unknown) == (["pooler", "axb", "lm_head.dense"], ("axb",))
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="map"):
        read_map(path)
    with pytest.raises(FileNotFoundError, match="neither a file nor one of the maps here: transf"):
        read_map("onnx")


@pytest.mark.parametrize(
    ("line", "shape", "sentence"),
    [
        (["a", "lm_head.norm"], (2,), "there is no such tensor"),
        (["a", "lm_head.dense", "[S,B,H]"], (2, 3), r"shape \[2, 3\].*\[S,B,H\] does not apply"),
        (["a", "lm_head.dense", "[S,B,V]"], (2, 3, 4), "does not apply"),
        (["a", "lm_head.dense", "transpose"], (2,), "transpose does not apply"),
        (["a", "lm_head.dense", "merge"], (2, 3, 4), "merge does not apply"),
    ],
)
def test_lines_that_do_not_fit_a_tensor(line, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        renamed({"a": np.zeros(shape)}, name_map([line]))
