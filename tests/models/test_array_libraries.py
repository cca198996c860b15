"""The models on other array libraries: what NumPy computes, by the same code.

Every operation of JAX is compiled for each shape, and dask computes everything before at each look:
so there are few shapes here, and all sizes differ.
"""

import contextlib
import math
import sys
from importlib import import_module

import numpy as np
import pytest

from minirobert import (
    AutoModelForMaskedLM,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaModel,
    pipeline,
    to_device,
)
from minirobert.arrays import dtype_name, library_name, to_numpy
from minirobert.generation import sequence_bias
from tests.libraries import DASK, JAX, NUMPY, OTHERS, STRICT, TORCH, close, host
from tests.models.test_other_libraries import CALLS, CONFIG, IDS, MASK

pytestmark = pytest.mark.filterwarnings("error")  # those of JAX tell of another dtype than asked
others = pytest.mark.parametrize("library", OTHERS)

SHORT = RobertaConfig(**{**CONFIG.to_dict(), "num_hidden_layers": 1, "initializer_range": 0.5})
SHORT_DECODER = RobertaConfig(**{**SHORT.to_dict(), "is_decoder": True})
PROMPTS = np.array([[1, 0, 7], [0, 8, 9]])

#: By how much of the largest number a float may be off, after a model of a layer or two.
FAR = {"float64": 1e-13, "float32": 5e-6, "float16": 4e-3, "bfloat16": 3e-2}
DTYPES = {
    "strict": ("float32", "float64"),
    "torch": tuple(FAR),
    "jax": ("float64", "bfloat16"),  # float32 is tried in every class
    "dask": ("float64",),
}
PAIRS = [
    pytest.param(library, dtype, id=f"{library.name}-{dtype}")
    for library in (STRICT, TORCH, JAX, DASK)
    for dtype in DTYPES[library.name]
]


@contextlib.contextmanager
def sixty_four_bits(library, dtype):
    """Let JAX compute in 64 bits, which it does only where it is told to."""
    if library is not JAX or dtype != "float64":
        yield
        return
    import jax

    with jax.enable_x64(True):
        yield


def in_float32(values):
    """Narrow what is float64, which JAX does not take."""
    return values.astype(np.float32) if values.dtype == np.float64 else values


def placed(library, arguments):
    return {name: library.array(value) for name, value in arguments.items()}


def same(actual, expected, library, dtype="float32"):
    """Compare all tensors of two outputs, the second of NumPy."""
    assert list(actual.keys()) == list(expected.keys())
    for name, value in expected.items():
        if isinstance(value, np.ndarray | np.generic):
            assert library_name(actual[name]).startswith(library.module.partition(".")[0]), name
            assert dtype_name(actual[name]) == dtype_name(value), name
            close(actual[name], value, FAR[dtype])


#: Calls of `CALLS` that differ from others in their arguments alone.
MORE = {"embeddings", "boolean mask", "several classes"}
SLOW = {"jax", "dask"}


@others
@pytest.mark.parametrize("call", CALLS)
def test_every_class_and_its_loss(library, call):
    if library.name in SLOW and call in MORE:
        pytest.skip("another call of the class has been tried")
    kind, config, arguments = CALLS[call]
    model = kind(RobertaConfig(**{**config.to_dict(), "num_hidden_layers": 1}))
    arguments = {name: in_float32(value) for name, value in arguments.items()}
    if "head_mask" in arguments:
        arguments["head_mask"] = arguments["head_mask"][:1]
    output = library.model(model)(**placed(library, arguments))
    same(output, model(**arguments), library)


@pytest.mark.parametrize(("library", "dtype"), PAIRS)
def test_every_dtype(library, dtype):
    model = RobertaForMaskedLM(SHORT).to(dtype=dtype)
    with sixty_four_bits(library, dtype):
        moved = RobertaForMaskedLM(SHORT).to(library.device(), library.xp, dtype=dtype)
        assert moved.dtype == dtype
        output = moved(library.array(IDS), library.array(MASK), labels=library.array(IDS))
        same(output, model(IDS, MASK, labels=IDS), library, dtype)
        back = moved.to("cpu")
        assert isinstance(back.word_embeddings, np.ndarray)
        close(back.word_embeddings, model.word_embeddings, 0.0)


@others
def test_dropout_drops_the_same(library):
    model = RobertaModel(SHORT)
    moved = library.model(model)
    output = moved(library.array(IDS), train=True, rng=5)
    expected = model(IDS, train=True, rng=5)
    same(output, expected, library)
    assert np.abs(expected.last_hidden_state - model(IDS).last_hidden_state).max() > 0.1


@others
def test_generation_with_a_cache(library):
    model = RobertaForCausalLM(SHORT_DECODER)
    moved, prompts = library.model(model), library.array(PROMPTS)
    mask = library.array(PROMPTS != 1)
    for options in QUICK if library.name in SLOW else (*QUICK, *STEERED):
        expected = model.generate(PROMPTS, attention_mask=PROMPTS != 1, **{**LENGTH, **options})
        actual = moved.generate(prompts, attention_mask=mask, **{**LENGTH, **options})
        np.testing.assert_array_equal(to_numpy(actual), expected, str(options))


LENGTH = {"max_new_tokens": 2, "eos_token_id": None}
QUICK = (
    {},
    {"num_beams": 2, "max_new_tokens": 1},
    {"do_sample": True, "max_new_tokens": 1, "rng": 3},
)
STEERED = (
    {"do_sample": True, "rng": 4, "top_p": 0.8, "typical_p": 0.9, "top_k": 7},
    {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2, "min_new_tokens": 2},
)
#: By the last token of a sequence; two of them end alike, and one is longer than the texts.
BIASES = {(3,): 2.0, (7, 6): -4.0, (9, 6): 3.0, (6,): 0.5, (1, 0, 7, 8): 9.0, (0, 7, 5): -math.inf}


@others
def test_biases_of_sequences(library):
    scores = np.random.default_rng(0).standard_normal((2, 20), np.float32)
    expected = scores.copy()
    for (*first, last), bias in BIASES.items():
        for row, text in enumerate(PROMPTS.tolist()):
            if len(first) < len(text) and text[len(text) - len(first) :] == first:
                expected[row, last] += bias
    found = sequence_bias(library.array(scores), library.array(PROMPTS), BIASES)
    close(np.exp(host(found)), np.exp(host(expected)), 1e-6)
    nothing = sequence_bias(library.array(scores), library.array(PROMPTS), {(1, 2, 3, 4): 1.0})
    close(nothing, scores, 0.0)


@others
def test_a_cache_is_cut_chosen_from_and_gone_on_with(library):
    model = RobertaForCausalLM(SHORT_DECODER)
    moved = library.model(model)
    logits = []
    for kind, ids in ((model, PROMPTS), (moved, library.array(PROMPTS))):
        cache = kind(ids).past_key_values
        cache.reorder_cache([1, 0])
        cache.crop(2)  # what is cut off is still there, where a buffer is written over
        logits.append(kind(ids[:, 2:], past_key_values=cache).logits)
    close(logits[1], logits[0], FAR["float32"])


@others
def test_changed_and_saved_and_read_again(library, tmp_path):
    model = RobertaForMaskedLM(CONFIG)
    moved = library.model(model)
    for kind in (model, moved):
        changed = kind.prune_heads({0: [1]}).resize_token_embeddings(23, mean_resizing=False)
        changed.save_pretrained(tmp_path / type(kind.word_embeddings).__module__)
    directories = sorted(tmp_path.iterdir())
    assert len(directories) == 2
    first, second = (one / "model.safetensors" for one in directories)
    assert first.read_bytes() == second.read_bytes()
    read = AutoModelForMaskedLM.from_pretrained(
        directories[0], device=library.device(), xp=library.xp
    )
    assert type(read.word_embeddings) is type(moved.word_embeddings)
    assert read.word_embeddings.shape == (23, 12)


@pytest.mark.parametrize("library", [TORCH, JAX], ids=["torch", "jax"])
def test_bfloat16_weights_in_files(library, tmp_path):
    model = RobertaForMaskedLM(SHORT).bfloat16()
    library.model(model).save_pretrained(tmp_path)
    assert b'"BF16"' in (tmp_path / "model.safetensors").read_bytes()
    for read, bound in (
        (RobertaForMaskedLM.from_pretrained(tmp_path, dtype="bfloat16"), 0.0),
        (RobertaForMaskedLM.from_pretrained(tmp_path), 0.0),
        (RobertaForMaskedLM.from_pretrained(tmp_path, dtype="bfloat16", xp=library.xp), 0.0),
    ):
        close(read.word_embeddings, model.word_embeddings, bound)
    assert read.dtype == "bfloat16"
    assert RobertaConfig.from_pretrained(tmp_path).dtype == "bfloat16"


def test_a_pipeline_with_another_library():
    fill = pipeline("fill-mask", xp=TORCH.xp, device="cpu")
    assert fill.framework == "np"
    assert library_name(fill.model.word_embeddings) == "torch"
    found, expected = fill("The sky is <mask>."), pipeline("fill-mask")("The sky is <mask>.")
    assert [one["token"] for one in found] == [one["token"] for one in expected]
    model = fill.model
    again = pipeline("fill-mask", model, fill.tokenizer, dtype="bfloat16")("The sky is <mask>.")
    assert again[0]["token"] == expected[0]["token"]


# What is not there


def test_float64_is_never_float32_without_a_word():
    model = RobertaModel(SHORT).double()
    told = "'float64' is not available in jax.numpy: JAX computes in float32 unless jax_enable_x64"
    for change in (
        lambda: JAX.model(model),
        lambda: JAX.model(model.float()).double(),
        lambda: JAX.array(np.zeros(3)),
        lambda: RobertaForMaskedLM.from_pretrained(xp=JAX.xp, dtype="float64"),
    ):
        with pytest.raises(ValueError, match=told):
            change()
    assert JAX.model(model.float()).to("cpu", dtype="float64").dtype == "float64"
    with sixty_four_bits(JAX, "float64"):
        moved = JAX.model(model)
    with pytest.raises(ValueError, match="weights are float64, but JAX computes in float32"):
        moved([[0, 5]])


def test_integers_of_64_bits_where_there_are_32():
    model = JAX.model(RobertaModel(SHORT))
    ids = IDS
    assert dtype_name(JAX.array(ids)) == "int32"
    close(model(ids).last_hidden_state, model(ids.tolist()).last_hidden_state, 0.0)
    with pytest.raises(ValueError, match=r"integers beyond 32 bits, and jax.numpy has no others"):
        model(ids + 2**32)
    with pytest.raises(ValueError, match="integers beyond 32 bits"):
        JAX.array(ids + 2**32)


@pytest.mark.parametrize(
    ("library", "dtype"),
    [(STRICT, "float16"), (STRICT, "bfloat16"), (DASK, "float16"), (DASK, "bfloat16")],
)
def test_dtypes_that_a_library_lacks(library, dtype):
    with pytest.raises(
        ValueError, match=f"'{dtype}' is not available in .*: choose one of float32"
    ):
        RobertaModel(SHORT).to(library.device(), library.xp, dtype=dtype)


def test_bfloat16_without_ml_dtypes(monkeypatch):
    model = RobertaModel(SHORT)
    tensors = model.to("cpu", TORCH.xp, dtype="bfloat16")
    expected = tensors(IDS).last_hidden_state.float()
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    for change in (model.bfloat16, lambda: tensors.to("cpu")):
        with pytest.raises(
            ModuleNotFoundError, match="needs ml_dtypes in NumPy: pip install ml_dtypes"
        ):
            change()
    again = model.to("cpu", TORCH.xp, dtype="bfloat16")  # which needs no NumPy
    close(again(IDS).last_hidden_state, expected, 0.0)
    assert tensors.to("cpu", dtype="float32").dtype == "float32"
    resized = tensors.resize_token_embeddings(25)
    assert (resized.dtype, resized.word_embeddings.shape) == ("bfloat16", (25, 12))


def test_devices_and_libraries_that_are_not_there():
    array = np.zeros(2)
    for xp in map(import_module, ("cupy", "array_api_compat.cupy")):
        with pytest.raises(ValueError, match="device 'cpu' is none of CuPy's: use \"cuda\""):
            to_device(array, "cpu", xp)
    with pytest.raises(ValueError, match=r"device 'tpu' is none of jax.numpy's: it has Cpu"):
        to_device(array, "tpu", JAX.xp)
    with pytest.raises(ValueError, match="device 'cuda' is none of numpy's: it has 'cpu'"):
        to_device(array, "cuda", np)
    with pytest.raises(TypeError, match="xp is 'torch', but must be an array library itself"):
        to_device(array, "cpu", "torch")


def test_what_an_array_of_another_device_is_told():
    ids = STRICT.array(IDS)
    with pytest.raises(ValueError, match=r'with minirobert.to_device\(input_ids, "cpu"\) or model'):
        RobertaModel(SHORT)(ids)
    with pytest.raises(ValueError, match=r'to_device\(input_ids, "cpu", xp=torch\) or model.to'):
        TORCH.model(RobertaModel(SHORT))(ids)
    with pytest.raises(
        ValueError, match=r"to_device\(input_ids, model.device, xp=array_api_strict"
    ):
        STRICT.model(RobertaModel(SHORT))(IDS)


@pytest.mark.parametrize("library", [NUMPY, TORCH], ids=["numpy", "torch"])
@pytest.mark.parametrize("dtype", [">i8", "uint8", "uint64", "int32", "read-only"])
def test_ids_of_any_integers_of_numpy(library, dtype):
    model = library.model(RobertaModel(SHORT))
    ids = IDS.copy() if dtype == "read-only" else IDS.astype(dtype)
    ids.flags.writeable = dtype != "read-only"
    with np.errstate(all="raise"):
        close(model(ids).last_hidden_state, model(IDS.tolist()).last_hidden_state, 0.0)
