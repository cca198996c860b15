"""Keywords that callers of transformers type: obeyed, without effect, or told the cure."""

import numpy as np
import pytest
import torch
import transformers

import minirobert
from minirobert import AutoConfig, AutoModel, AutoModelForMaskedLM, RobertaConfig, RobertaModel
from minirobert.arrays import device_name, first_device
from minirobert.keywords import OF_FILES, OF_MODELS, OF_SAVING, Keyword, settle
from minirobert.rules import INTEGER

SIZES = {
    "vocab_size": 20, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 1,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A model as transformers writes it."""
    path = tmp_path_factory.mktemp("model")
    transformers.RobertaModel(transformers.RobertaConfig(**SIZES)).save_pretrained(path)
    return path


#: Arguments that transformers takes for a model on the CPU, and that change nothing in its results.
TAKEN = [
    {"low_cpu_mem_usage": True},
    {"low_cpu_mem_usage": False},
    {"trust_remote_code": True},
    {"use_safetensors": True},
    {"use_safetensors": None},
    {"attn_implementation": "eager"},
    {"attn_implementation": "sdpa"},
    {"weights_only": True},
    {"resume_download": True},
    {"proxies": None},
    {"proxies": {}},
    {"mirror": None},
    {"max_memory": {0: "1GB"}},
    {"offload_folder": "folder"},
    {"offload_state_dict": False},
    {"offload_buffers": True},
    {"from_tf": False, "from_flax": False},
    {"state_dict": None},
    {"key_mapping": None},
    {"quantization_config": None},
    {"adapter_kwargs": {}},
    {"_fast_init": True},
    {"use_kernels": False},
    {"device_map": None},
    {"torch_dtype": None},
    {"code_revision": "main"},
    {"local_files_only": True, "revision": "main", "token": None},
]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("arguments", TAKEN, ids=str)
@pytest.mark.parametrize("name", ["RobertaModel", "AutoModel"])
def test_what_changes_nothing_is_taken(directory, name, arguments):
    expected = minirobert.RobertaModel.from_pretrained(directory)
    if name == "AutoModel" or "code_revision" not in arguments:
        getattr(transformers, name).from_pretrained(directory, **arguments)
    model = getattr(minirobert, name).from_pretrained(directory, **arguments)
    np.testing.assert_array_equal(model.word_embeddings, expected.word_embeddings)
    assert vars(model.config) == vars(expected.config)


DTYPES = [
    torch.float16, torch.float32, torch.float64, torch.half, "float16", "float64", "auto",
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("word", ["dtype", "torch_dtype"])
@pytest.mark.parametrize("name", ["RobertaModel", "AutoModel"])
def test_dtypes_are_those_of_transformers(directory, name, word, dtype):
    theirs = getattr(transformers, name).from_pretrained(directory, **{word: dtype})
    ours = getattr(minirobert, name).from_pretrained(directory, **{word: dtype})
    assert f"torch.{ours.dtype}" == str(theirs.dtype)


@pytest.mark.parametrize("dtype", ["torch.float16", np.float16, np.dtype("float16")])
def test_other_ways_to_name_a_dtype(directory, dtype):
    assert RobertaModel.from_pretrained(directory, torch_dtype=dtype).dtype == "float16"
    assert (
        RobertaModel.from_pretrained(directory, dtype=dtype, torch_dtype=dtype).dtype == "float16"
    )


@pytest.mark.parametrize(
    "device_map", ["cpu", torch.device("cpu"), {"": "cpu"}, {"": torch.device("cpu")}]
)
@pytest.mark.parametrize("kind", [RobertaModel, AutoModel])
def test_one_device(directory, kind, device_map):
    assert kind.from_pretrained(directory, device_map=device_map).device == "cpu"


@pytest.mark.parametrize("device_map", ["auto", "balanced", "sequential"])
def test_any_device(directory, device_map):
    model = RobertaModel.from_pretrained(directory, device_map=device_map)
    assert device_name(model.device).startswith(first_device())


REFUSED = {
    "torch_dtype": (torch.int8, "dtype 'int8' is not available in numpy: choose one of fl"),
    "use_safetensors": (False, "but must be True: weights are read and written as safetensors"),
    "from_tf": (True, "but must be False: weights .* transformers converts others"),
    "from_flax": (True, "but must be False: weights"),
    "load_in_8bit": (True, 'quantized weights are not here, but dtype="float16"'),
    "load_in_4bit": (True, "quantized weights are not here"),
    "quantization_config": ({"load_in_4bit": True}, "must be left out: quantized"),
    "gguf_file": ("model.gguf", "must be left out: quantized"),
    "proxies": ({"https": "localhost:1"}, "set the environment variables HTTP_PROXY and HTTPS_"),
    "state_dict": ({"a": np.ones(3)}, "make a model of your own weights with the class itself"),
    "key_mapping": ({"a": "b"}, "rename those in the file"),
    "tp_plan": ("auto", "a model is on one device here, which device= names"),
    "attn_implementation": ("magic", "must be one of None, 'eager', 'sdpa'"),
    "trust_remote_code": ("yes", "must be None or True or False"),
    "device_map": ({"embeddings": 0, "encoder": "cpu"}, "a model is on one device here"),
    "adapter_kwargs": ({"name": "x"}, "adapters are not here"),
    "device": (False, "device False is not known"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("kind", [RobertaModel, AutoModel])
def test_what_is_not_here_is_told_the_cure(directory, kind, name):
    value, sentence = REFUSED[name]
    with pytest.raises(ValueError, match=sentence):
        kind.from_pretrained(directory, **{name: value})


def test_two_names_that_disagree(directory):
    with pytest.raises(ValueError, match="torch_dtype is 'float16', but dtype is 'float64'"):
        RobertaModel.from_pretrained(directory, dtype="float64", torch_dtype=torch.float16)
    with pytest.raises(ValueError, match="use_auth_token is 'a', but token is 'b': they mean the"):
        AutoModel.from_pretrained(directory, use_auth_token="a", token="b")


def test_a_configuration_takes_keywords_too(directory):
    for kind in (AutoConfig, RobertaConfig):
        config = kind.from_pretrained(directory, trust_remote_code=True, resume_download=True)
        assert vars(config) == vars(RobertaConfig.from_pretrained(directory))
        config = kind.from_pretrained(directory, torch_dtype=torch.half, attn_implementation="sdpa")
        assert config.dtype == "float16"


@pytest.mark.parametrize("build", ["from_config", "_from_config"])
@pytest.mark.parametrize("stored", [None, "float16"])
@pytest.mark.parametrize("dtype", [None, torch.float64])
def test_the_dtype_of_a_new_model(build, stored, dtype):
    fields = {**SIZES, "dtype": stored}
    options = {} if dtype is None else {"torch_dtype": dtype}
    name = "AutoModel" if build == "from_config" else "RobertaModel"
    theirs = getattr(getattr(transformers, name), build)(
        transformers.RobertaConfig(**fields), attn_implementation="eager", **options
    )
    ours = getattr(getattr(minirobert, name), build)(
        RobertaConfig(**fields), attn_implementation="eager", **options
    )
    assert f"torch.{ours.dtype}" == str(theirs.dtype)


def test_a_new_model_on_a_device():
    model = AutoModelForMaskedLM.from_config(
        RobertaConfig(**SIZES), trust_remote_code=True, device_map="cpu", seed=3
    )
    again = AutoModelForMaskedLM.from_config(RobertaConfig(**SIZES), seed=3)
    np.testing.assert_array_equal(model.word_embeddings, again.word_embeddings)


SAVED = [
    {"safe_serialization": True},
    {"is_main_process": True, "save_function": torch.save},
    {"state_dict": None, "push_to_hub": False, "token": None},
    {"save_peft_format": True},
]


@pytest.mark.parametrize("arguments", SAVED)
def test_saving_takes_what_changes_nothing(directory, tmp_path, arguments):
    theirs = transformers.RobertaModel.from_pretrained(directory)
    theirs.save_pretrained(tmp_path / "theirs", **arguments)
    RobertaModel.from_pretrained(directory).save_pretrained(tmp_path / "ours", **arguments)
    names = [{path.name for path in (tmp_path / who).iterdir()} for who in ("theirs", "ours")]
    assert names[0] == names[1] == {"config.json", "model.safetensors"}
    RobertaConfig(**SIZES).save_pretrained(tmp_path, **{**arguments, "push_to_hub": False})


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"safe_serialization": False}, ValueError, "must be True: weights are read and written"),
        ({"push_to_hub": True}, ValueError, "must be False: write into a directory, and upload"),
        ({"is_main_process": False}, ValueError, "must be True: save in the main process alone"),
        ({"nonsense": 1}, TypeError, "save_pretrained has no argument 'nonsense'"),
    ],
)
def test_saving_refuses_before_it_writes(directory, tmp_path, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        RobertaModel.from_pretrained(directory).save_pretrained(tmp_path / "new", **arguments)
    with pytest.raises(error, match=sentence):
        RobertaConfig(**SIZES).save_pretrained(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["RobertaModel", "RobertaForMaskedLM"])
def test_saving_other_weights(tmp_path, name):
    theirs = getattr(transformers, name)(transformers.RobertaConfig(**SIZES))
    ours = getattr(minirobert, name)(RobertaConfig(**SIZES))
    ours.save_pretrained(tmp_path, state_dict=theirs.half().state_dict())
    saved = getattr(minirobert, name).from_pretrained(tmp_path, dtype="auto")
    assert saved.dtype == saved.config.dtype == "float16"
    for key, tensor in theirs.state_dict().items():
        np.testing.assert_array_equal(saved.state_dict()[key], tensor.numpy())
    with pytest.raises(minirobert.CheckpointError, match="missing: "):
        ours.save_pretrained(tmp_path / "new", state_dict={"more": np.ones(3)})
    with pytest.raises(ValueError, match="must be left out: weights are saved by a model"):
        RobertaConfig(**SIZES).save_pretrained(tmp_path / "new", state_dict={"a": 1})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("table", [OF_FILES, OF_MODELS, OF_SAVING])
def test_no_keyword_is_a_field_of_the_configuration(table):
    assert not table.keys() & vars(RobertaConfig()).keys()


def test_settling_leaves_the_rest():
    arguments = {"width": 3, "other": None}
    settle(arguments, {"width": Keyword(INTEGER, "size", lambda value: 2 * value)})
    assert arguments == {"size": 6, "other": None}


def test_what_is_no_dtype(directory):
    for dtype in ({"": "float16"}, 8, "bf16"):
        with pytest.raises(ValueError, match=r"^dtype .* is not available in numpy: choose one of"):
            RobertaModel.from_pretrained(directory, torch_dtype=dtype)
