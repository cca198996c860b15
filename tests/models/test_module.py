"""What people type on a module of torch: the same here, a new model, or a sentence."""

import copy
import pickle
import sys
from types import SimpleNamespace

import array_api_strict
import numpy as np
import pytest
import torch
import transformers

import minirobert
from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaModel
from minirobert.arrays import device_name, first_device, to_device
from minirobert.models.not_here import NOT_HERE

SIZES = {
    "vocab_size": 20, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9, "type_vocab_size": 2,
}  # fmt: skip
CLASSES = [
    *("RobertaModel", "RobertaForMaskedLM", "RobertaForCausalLM", "RobertaForMultipleChoice"),
    *("RobertaForSequenceClassification", "RobertaForTokenClassification"),
    "RobertaForQuestionAnswering",
]
FIELDS = [
    {},
    {"tie_word_embeddings": False},
    {"position_embedding_type": "relative_key", "is_decoder": True, "add_cross_attention": True},
]
IDS = np.array([[0, 5, 6, 2]])
MODEL = RobertaForMaskedLM(RobertaConfig(**SIZES))


@pytest.fixture(params=CLASSES)
def name(request):
    return request.param


@pytest.mark.filterwarnings("ignore:is_decoder is")
@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_names_counts_and_weights(name, fields, tmp_path):
    kind = getattr(transformers, name)
    kind(transformers.RobertaConfig(**SIZES, **fields)).save_pretrained(tmp_path)
    theirs = kind.from_pretrained(tmp_path)
    ours = getattr(minirobert, name).from_pretrained(tmp_path)
    named = dict(ours.named_parameters())
    assert named.keys() == dict(theirs.named_parameters()).keys()
    assert [array.shape for array in ours.parameters()] == [x.shape for x in named.values()]
    state, expected = ours.state_dict(), theirs.state_dict()
    assert state.keys() == expected.keys()
    for key, tensor in expected.items():
        np.testing.assert_array_equal(state[key], tensor.numpy())
    for options in ({}, {"only_trainable": True}, {"exclude_embeddings": True}):
        assert ours.num_parameters(**options) == theirs.num_parameters(**options)
    for attribute in ("base_model_prefix", "main_input_name", "name_or_path"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
        assert getattr(ours.base_model, attribute) == getattr(theirs.base_model, attribute)
    assert ours.can_generate() == theirs.can_generate()
    assert type(ours.base_model).__name__ == type(theirs.base_model).__name__
    ask = (lambda one: one.numel(), lambda one: one.dim(), lambda one: str(one.detach().dtype))
    for question in ask:
        answers = (map(question, model.parameters()) for model in (ours, theirs))
        assert sorted(next(answers)) == sorted(next(answers))
    theirs.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()})


@pytest.mark.filterwarnings("ignore:is_decoder is")
def test_forward_is_the_call(name):
    model = getattr(minirobert, name)(RobertaConfig(**SIZES))
    ids = IDS[None] if name == "RobertaForMultipleChoice" else IDS
    expected = model(ids, attention_mask=np.ones_like(ids))
    for actual, value in zip(
        model.forward(ids, attention_mask=np.ones_like(ids)), expected, strict=True
    ):
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(actual, value)


def test_what_changes_nothing_gives_the_model():
    assert MODEL.eval() is MODEL
    assert MODEL.train(False) is MODEL
    assert MODEL.requires_grad_(False) is MODEL
    assert MODEL.tie_weights() is MODEL.gradient_checkpointing_disable() is None
    assert not MODEL.training
    assert MODEL.base_model.base_model.params is MODEL.params.roberta


@pytest.mark.parametrize(
    "ask",
    [
        (lambda model: model.half(), "float16"),
        (lambda model: model.float(), "float32"),
        (lambda model: model.double(), "float64"),
        (lambda model: model.to(torch.float16), "float16"),
        (lambda model: model.to("float64"), "float64"),
        (lambda model: model.to(np.float64), "float64"),
        (lambda model: model.to(np.dtype("float16")), "float16"),
        (lambda model: model.to("cpu", torch.float64), "float64"),
        (lambda model: model.to("cpu", dtype="torch.float16"), "float16"),
        (lambda model: model.to(dtype=torch.double), "float64"),
        (lambda model: model.to(torch.device("cpu"), torch.half, non_blocking=True), "float16"),
        (lambda model: model.to(device="cpu"), "float32"),
        (lambda model: model.to("cpu:0"), "float32"),
        (lambda model: model.cpu(), "float32"),
        (lambda model: model.to(), "float32"),
    ],
)
def test_moves_and_dtypes(ask):
    change, dtype = ask
    model = change(MODEL)
    assert (type(model), model.dtype, model.device) == (RobertaForMaskedLM, dtype, "cpu")
    assert MODEL.dtype == "float32"
    assert model(IDS).logits.dtype == dtype


def test_a_dtype_of_another_library_and_its_devices():
    device = array_api_strict.Device("device1")
    model = MODEL.to(device, array_api_strict).to(array_api_strict.float64)
    assert (model.dtype, model.device, model.framework) == ("float64", device, "np")
    tensors = MODEL.to("cpu", torch).to(torch.float64)
    assert (tensors.dtype, tensors.framework, MODEL.framework) == ("float64", "pt", "np")
    assert tensors.to("cpu").framework == "np"
    assert (MODEL.bfloat16().dtype, tensors.to(torch.bfloat16).dtype) == ("bfloat16", "bfloat16")


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda model: model.train(), ValueError, r"no training mode: .* model\(…, train=True"),
        (lambda model: model.requires_grad_(), ValueError, "requires_grad is True, but gradients"),
        (lambda model: model.to(torch.int8), ValueError, "dtype 'int8' is not available in numpy"),
        (lambda model: model.to("mps"), ValueError, "device 'mps' is not known: use \"cpu\""),
        (lambda model: model.to(-1), ValueError, "device -1 is not known"),
        (lambda model: RobertaModel(model.config, False), TypeError, "options, such as add_pool"),
        (lambda model: model({"input_ids": IDS}), ValueError, r"as in model\(\*\*inputs\)"),
        (lambda model: model.load_state_dict({}), AttributeError, "make another, as in type"),
        (lambda model: model.modules(), AttributeError, "minirobert.watch shows"),
        (lambda model: model.push_to_hub("x"), AttributeError, "hf upload NAME DIRECTORY"),
        (
            lambda model: model.gradient_checkpointing_enable(),
            AttributeError,
            "gradients are not computed here",
        ),
        (
            lambda model: model.nonsense,
            AttributeError,
            "^'RobertaForMaskedLM' object has no attribute 'nonsense'$",
        ),
    ],
)
def test_what_cannot_be_is_told(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(MODEL)


def test_what_is_not_here_is_there():
    theirs = transformers.RobertaModel(transformers.RobertaConfig(**SIZES))
    for name in NOT_HERE:
        assert hasattr(theirs, name), name
        assert not hasattr(MODEL, name), name


def test_models_are_copied_and_pickled():
    for again in (copy.copy(MODEL), copy.deepcopy(MODEL), pickle.loads(pickle.dumps(MODEL))):
        np.testing.assert_array_equal(again(IDS).logits, MODEL(IDS).logits)


def test_the_name_goes_along(tmp_path):
    assert RobertaModel(RobertaConfig(**SIZES)).name_or_path == ""
    MODEL.save_pretrained(tmp_path)
    model = RobertaForMaskedLM.from_pretrained(tmp_path)
    assert model.half().resize_token_embeddings(24).name_or_path == str(tmp_path)
    assert model.roberta.name_or_path == str(tmp_path)


def test_devices_by_number_and_of_cupy(monkeypatch):
    class Device:
        __module__ = "cupy.cuda.device"
        id = 2

    assert device_name(Device()) == "cuda:2"
    assert device_name(1) == device_name(torch.device("cuda", 1)) == "cuda:1"
    monkeypatch.setitem(sys.modules, "cupy", None)
    for device in (0, "cuda", torch.device("cuda"), Device()):
        with pytest.raises(ModuleNotFoundError, match='device "cuda" needs CuPy'):
            to_device(IDS, device)
    with pytest.raises(ModuleNotFoundError, match='device "cuda" needs CuPy'):
        MODEL.cuda()


@pytest.mark.parametrize(("count", "device"), [(0, "cpu"), (2, "cuda")])
def test_the_first_device(monkeypatch, count, device):
    runtime = SimpleNamespace(getDeviceCount=lambda: count, CUDARuntimeError=RuntimeError)
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime), __spec__=object())
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert first_device() == device
