"""Traces of models of torch; the values of every class are tested in tests/equivalence."""

import re
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from minirobert import RobertaConfig
from minirobert.files import TINY
from minirobert.intermediates import Pass, intermediates
from minirobert.numerics import Arithmetic, Trace, compare
from minirobert.numerics.rows import is_seen_split
from minirobert.numerics.torch_port import trace_torch
from minirobert.numerics.torch_port.models import config_of, load_torch
from minirobert.numerics.traces import digest
from tests.equivalence.strategies import CLASSES
from tests.numerics.calibration import our_model
from tests.numerics.models import drawn_model, vector
from tests.numerics.planted import BY_ID

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")

IDS = {"input_ids": [[0, 100, 200, 2], [0, 55, 2, 1]]}


def hooks(module):
    return [
        one for part in module.modules() for one in (*part._forward_hooks, *part._forward_pre_hooks)
    ]


def with_sdpa(case):
    """Give the same model with fused attention; transformers cannot mask a decoder in float64."""
    module = type(case.module)._from_config(case.module.config, attn_implementation="sdpa")
    module.load_state_dict(case.module.state_dict())
    return module.eval()


@pytest.mark.parametrize("class_name", CLASSES)
def test_names_are_those_of_the_table(class_name):
    case = drawn_model(7, class_name, num_hidden_layers=2)
    trace = trace_torch(case.module, case.arguments)
    cross = "encoder_hidden_states" in case.arguments
    table = intermediates(trace.config, class_name, kind=Pass(cross=cross))
    assert {
        name for name in table if not is_seen_split(name, trace.tensors)
    } <= trace.tensors.keys()
    assert trace.tensors.keys() - set(table) <= case.arguments.keys()
    assert trace.architecture == class_name
    assert trace.given == tuple(name for name in case.arguments)


@pytest.mark.parametrize("class_name", CLASSES)
def test_fused_attention_has_no_scores(class_name):
    case = drawn_model(8, class_name, num_hidden_layers=2, position_embedding_type="absolute")
    eager = trace_torch(case.module, case.arguments)
    fused = trace_torch(with_sdpa(case), case.arguments)
    absent = {
        name.rpartition("attention.self.")[2] for name in eager.tensors if name not in fused.tensors
    }
    assert absent <= {"scores", "scores.masked", "probabilities", "attend"}
    assert {"scores", "scores.masked", "probabilities"} <= absent
    assert "sdpa attention" in fused.made_by
    if "attend" in fused.tensors:  # it is not where everything is seen
        masks = eager.tensors["attend"], fused.tensors["attend"]
        assert np.array_equal(*masks)


@pytest.mark.filterwarnings("ignore:.*(torch.ao|quantized tensor)")
def test_products_of_integers_are_told():
    case = vector(1)
    model, module = our_model(case), case.in_dtype(torch.float32)
    small = torch.ao.quantization.quantize_dynamic(module, {nn.Linear})
    departing = compare(model, small, case.arguments).departing
    assert len(departing) == 20  # all maps: what is before and between them is in float32
    for row in departing:
        assert re.match("weights (and activations )?are quantised to", row.explanations[0].text)


def test_pooler_or_none():
    case = vector(2, "RobertaModel")
    assert "pooler.dense" in trace_torch(case.module, case.arguments).tensors
    case.module.pooler = None
    assert "pooler.dense" not in trace_torch(case.module, case.arguments).tensors


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_dtypes(dtype, tmp_path):
    module = vector(1).module.to(getattr(torch, dtype))
    trace = trace_torch(module, vector(1).arguments)
    assert trace.arithmetic == Arithmetic(dtype)
    kinds = {trace.dtype(name) for name in trace.tensors}
    assert kinds == {dtype, "int64", "bool"}
    trace.write(tmp_path / "t.safetensors")
    again = Trace.read(tmp_path / "t.safetensors")
    for name, array in trace.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], array)
        assert again.dtype(name) == trace.dtype(name)


def test_a_copy_in_another_dtype():
    module = vector(1).module
    trace = trace_torch(module, vector(1).arguments, dtype="float16", accumulate="float16")
    assert trace.arithmetic == Arithmetic("float16", "float16")
    assert next(module.parameters()).dtype == torch.float64


def test_the_module_stays_as_it_was():
    case = vector(1)
    before = {name: one.clone() for name, one in case.module.state_dict().items()}
    trace_torch(case.module, case.arguments)
    assert hooks(case.module) == []
    with pytest.raises(IndexError):
        trace_torch(case.module, {"input_ids": [[61]]})
    assert hooks(case.module) == []
    assert not case.module.training
    for name, one in case.module.state_dict().items():
        assert torch.equal(one, before[name])
    probabilities = functional.softmax(torch.zeros(2), dim=-1)  # nobody watches any more
    assert probabilities.tolist() == [0.5, 0.5]


def test_training_shows_what_is_dropped():
    case = vector(1)
    still = trace_torch(case.module, case.arguments)
    case.module.train()
    trace = trace_torch(case.module, case.arguments)
    case.module.eval()
    own = trace.tensors
    assert {name for name in own if name not in still.tensors} == {
        name
        for name in intermediates(trace.config, kind=Pass(train=True))
        if name.endswith(".dropout")
    }
    normed, dropped = own["roberta.embeddings.LayerNorm"], own["roberta.embeddings"]
    np.testing.assert_array_equal(dropped, own["roberta.embeddings.LayerNorm.dropout"])
    assert np.any(dropped == 0)
    np.testing.assert_allclose(dropped[dropped != 0], normed[dropped != 0] / 0.9)


def test_chunks_are_joined():
    case = drawn_model(3, "RobertaForMaskedLM", num_hidden_layers=2)
    whole = trace_torch(case.module, case.arguments)
    for layer in case.module.roberta.encoder.layer:
        layer.chunk_size_feed_forward = 1
    joined = trace_torch(case.module, case.arguments)
    assert whole.tensors.keys() == joined.tensors.keys()
    for name, array in whole.tensors.items():
        assert joined.tensors[name].shape == array.shape
        np.testing.assert_allclose(joined.tensors[name], array, rtol=1e-9, atol=1e-12)


def test_positions_are_torchs_unless_they_are_given():
    case = vector(1)
    ids = {"input_ids": case.arguments["input_ids"]}
    own = trace_torch(case.module, ids)
    assert own.tensors["position_ids"][1].tolist() == [2, 3, 1, 4, 5, 1, 1]
    assert not own.tensors["token_type_ids"].any()
    assert own.given == ("input_ids",)
    places = np.full((1, 7), 9)
    given = trace_torch(case.module, {**ids, "position_ids": places})
    np.testing.assert_array_equal(given.tensors["position_ids"], places)
    assert given.given == ("input_ids", "position_ids")


def test_an_argument_is_what_was_given_whatever_becomes_of_it():
    case = vector(1)
    own = trace_torch(case.module, case.arguments).tensors
    with BY_ID["token-types-off-by-one"].planted(case.module):
        wrong = trace_torch(case.module, case.arguments).tensors
    np.testing.assert_array_equal(wrong["token_type_ids"], case.arguments["token_type_ids"])
    name = "roberta.embeddings.token_type_embeddings"
    assert not np.array_equal(wrong[name], own[name])


def test_choices_without_ids():
    case = drawn_model(2, "RobertaForMultipleChoice")
    shape = (*case.arguments["input_ids"].shape, case.config["hidden_size"])
    own = trace_torch(case.module, {"inputs_embeds": np.ones(shape)}).tensors
    assert own["classifier.logits"].shape == shape[:2]


def test_the_mask_as_it_is_used():
    case = drawn_model(5, "RobertaForCausalLM", num_hidden_layers=1)
    tokens = case.arguments["input_ids"].shape[-1]
    attend = trace_torch(case.module, case.arguments).tensors["attend"]
    mask = case.arguments["attention_mask"]
    np.testing.assert_array_equal(attend[:, 0], np.tri(tokens, dtype=bool) & (mask[:, None] == 1))


def test_arguments_of_other_kinds():
    case = vector(1)
    plain = trace_torch(case.module, case.arguments)
    lists = {name: rows.tolist() for name, rows in case.arguments.items()}
    tensors = {name: torch.tensor(rows, dtype=torch.int32) for name, rows in lists.items()}
    for arguments in (lists, {**tensors, "output_attentions": True, "head_mask": None}):
        trace = trace_torch(case.module, arguments)
        for name, array in plain.tensors.items():
            np.testing.assert_array_equal(trace.tensors[name], array)


def test_embeddings_head_mask_and_labels():
    case = vector(1)
    rng = np.random.default_rng(0)
    arguments = {
        "inputs_embeds": rng.standard_normal((4, 7, 24)).astype(np.float32),
        "head_mask": np.array([1.0, 0.0, 0.5, 1.0]),
        "labels": case.arguments["input_ids"],
    }
    own = trace_torch(case.module, arguments).tensors
    assert own["inputs_embeds"].dtype == np.float64
    assert own["loss"].shape == ()
    masked = own["roberta.encoder.layer.1.attention.self.probabilities.head_mask"]
    probabilities = own["roberta.encoder.layer.1.attention.self.probabilities"]
    np.testing.assert_array_equal(masked[:, 2], probabilities[:, 2] / 2)
    assert not masked[:, 1].any()


def test_weights_have_their_digests():
    case = vector(1)
    weights = trace_torch(case.module, case.arguments).weights
    name = "roberta.encoder.layer.2.output.dense.weight"
    assert weights[name] == digest(case.module.state_dict()[name].numpy())
    assert "lm_head.decoder.weight" in weights
    assert trace_torch(case.module, case.arguments, weights=False).weights == {}


@pytest.mark.parametrize("seed", range(4))
def test_the_configuration_is_read(seed):
    case = drawn_model(seed)
    ours, theirs = RobertaConfig(**case.config).to_dict(), config_of(case.module).to_dict()
    differ = {key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}
    assert differ <= {"transformers_version"}


# Modules of one's own


class Attention(nn.Module):
    """Attention that puts the mask on in its own way."""

    def __init__(self, n_heads, size, how):
        super().__init__()
        self.query, self.key, self.value = (
            nn.Linear(n_heads * size, n_heads * size) for _ in "qkv"
        )
        self.n_heads, self.how = n_heads, how

    def forward(self, x, seen):
        query, key, value = (
            one(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for one in (self.query, self.key, self.value)
        )
        scores = query @ key.mT / (x.shape[-1] // self.n_heads) ** 0.5
        self.kept = scores.clone()
        lowest = torch.finfo(x.dtype).min
        if self.how == "masked_fill":
            scores = scores.masked_fill(~seen, lowest)
        elif self.how == "masked_fill_":
            scores.masked_fill_(~seen, lowest)
        elif self.how == "where":
            scores = torch.where(seen, scores, torch.tensor(lowest))
        elif self.how == "+=":
            scores += torch.zeros(seen.shape).masked_fill(~seen, lowest)
        elif self.how == "add":
            scores = torch.add(torch.zeros(scores.shape).masked_fill(~seen, -1e4), scores)
        probabilities = scores.softmax(-1)
        return (probabilities @ value).transpose(1, 2).flatten(2)


class Own(nn.Module):
    """A layer in modules of transformers' names, in a wrapper, without a configuration."""

    def __init__(self, how):
        super().__init__()
        block = nn.Module()
        block.self = Attention(3, 4, how)
        block.output = nn.Module()
        block.output.dense, block.output.LayerNorm = nn.Linear(12, 12), nn.LayerNorm(12)
        layer = nn.Module()
        layer.attention = block
        self.inner = nn.Module()
        self.inner.encoder = nn.Module()
        self.inner.encoder.layer = nn.ModuleList([layer])
        self.words = nn.Embedding(9, 12)

    def forward(self, input_ids, attention_mask):
        block = self.inner.encoder.layer[0].attention
        x = self.words(input_ids)
        context = block.self(x, attention_mask[:, None, None] == 1)
        return block.output.LayerNorm(block.output.dense(context) + x)


@pytest.mark.parametrize("how", ["masked_fill", "masked_fill_", "where", "+=", "add", "none"])
def test_a_module_of_ones_own(how):
    module = Own(how)
    arguments = {
        "input_ids": [[1, 2, 3, 4, 5], [6, 7, 8, 0, 0]],
        "attention_mask": [[1] * 5, [1, 1, 0, 1, 0]],
    }
    config = RobertaConfig(hidden_size=12, num_attention_heads=3, num_hidden_layers=1, vocab_size=9)
    trace = trace_torch(module, arguments, architecture="RobertaForMaskedLM", config=config)
    own, path = trace.tensors, "roberta.encoder.layer.0.attention."
    assert {name.removeprefix(path) for name in own} == {
        *("input_ids", "attention_mask", "self.query", "self.key", "self.value", "self.scores"),
        *("self.scores.masked", "self.probabilities", "self.context", "output.dense"),
        *("output.sum", "output.LayerNorm"),
    }
    kept = module.inner.encoder.layer[0].attention.self.kept.numpy(force=True)
    np.testing.assert_array_equal(own[f"{path}self.scores"], kept)
    masked = own[f"{path}self.scores.masked"]
    assert (masked == own[f"{path}self.scores"]).all() == (how == "none")
    assert own[f"{path}self.query"].shape == (2, 3, 5, 4)
    alone = trace_torch(module, arguments)
    assert (alone.architecture, alone.config) == (None, None)
    assert alone.tensors["encoder.layer.0.attention.self.query"].shape == (2, 5, 12)
    parallel = nn.DataParallel(module)
    assert trace_torch(parallel, arguments).tensors.keys() == alone.tensors.keys()


def test_nothing_that_is_known():
    module = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="Sequential has no module under a name of transformers'"):
        trace_torch(module, {"input": torch.ones(2, 2)})
    with pytest.raises(ValueError, match="has no parameters of floating-point numbers"):
        trace_torch(nn.ReLU(), IDS)


# Models that transformers reads


def test_a_directory():
    trace = trace_torch(TINY, IDS, attn_implementation="sdpa")
    assert trace.architecture == "RobertaForMaskedLM"
    assert trace.arithmetic == Arithmetic("float32")
    other = trace_torch(str(TINY), IDS, architecture="RobertaModel", weights=False)
    name = "encoder.layer.3.output.LayerNorm"
    np.testing.assert_allclose(other.tensors[name], trace.tensors[f"roberta.{name}"], atol=1e-5)


def test_what_cannot_be_loaded(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no directory on this machine"):
        trace_torch(tmp_path / "none", IDS)
    with pytest.raises(TypeError, match=r"a model of torch is a torch\.nn\.Module, .* not a int"):
        trace_torch(3, IDS)
    with pytest.raises(
        ValueError, match="attn_implementation is 'fast', but must be one of 'eager'"
    ):
        load_torch(TINY, attn_implementation="fast")
    with pytest.raises(
        ValueError, match="architecture is 'Roberta', but must be one of 'RobertaMo"
    ):
        trace_torch(vector(1).module, IDS, architecture="Roberta")
    with pytest.raises(ValueError, match="dtype is 'float8', but must be None or one of 'float64'"):
        trace_torch(vector(1).module, IDS, dtype="float8")


def test_nothing_is_unpickled(tmp_path):
    module = vector(1).module
    module.config.architectures = ["RobertaForMaskedLM"]
    module.config.save_pretrained(tmp_path)
    torch.save(module.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match=r"transformers does not read .*"):
        trace_torch(tmp_path, IDS)


def test_other_classes_are_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    with pytest.raises(ValueError, match="is a model of class 'BertModel': give architecture="):
        trace_torch(tmp_path, IDS)


def test_ragged_lists():
    with pytest.raises(ValueError, match=r"input_ids is \[\[1, 2\], \[3\]\], but must be an array"):
        trace_torch(vector(1).module, {"input_ids": [[1, 2], [3]]})


def test_without_the_libraries(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        ModuleNotFoundError, match="transformers is needed: pip install transformers"
    ):
        trace_torch(TINY, IDS)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match="torch is needed: pip install torch"):
        trace_torch(TINY, IDS)
