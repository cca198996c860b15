"""What can be proven about CuPy without a GPU: that every function taken from it exists."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import minirobert
from minirobert.arrays import float_dtype, move_like, to_device, to_numpy
from tests.libraries import LIBRARIES, STRICT

PACKAGE = Path(minirobert.__file__).parent
NAMESPACES = ("xp", "array_namespace")  # `xp.f(...)` and `array_namespace(x).f(...)`


def calls():
    """Find every use of an array namespace in the package: file, line, name, and its call."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and namespace_name(node.value) in NAMESPACES:
                where = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                yield where, node.attr, called.get(id(node))


def namespace_name(node):
    if isinstance(node, ast.Call):
        node = node.func
    return node.id if isinstance(node, ast.Name) else None


USES = list(calls())


def test_the_search_finds_the_namespaces_functions():
    names = {name for _, name, _ in USES}
    assert {"exp", "take", "cumulative_sum", "where", "finfo", "permute_dims"} <= names


@pytest.mark.parametrize(("where", "name", "call"), USES, ids=[f"{w}-{n}" for w, n, _ in USES])
def test_cupy_has_it_with_these_arguments(where, name, call):
    import array_api_compat.cupy as xp

    assert hasattr(xp, name), f"{where}: CuPy has no {name}"
    if call is None:
        return
    function = getattr(xp, name)
    try:
        signature = inspect.signature(function)
    except ValueError:  # a ufunc written in Cython: its arguments are positional
        assert type(function).__name__ == "ufunc", f"{where}: {name} has no signature"
        assert not call.keywords, f"{where}: {name} takes no keywords"
        assert len(call.args) <= function.nargs
        return
    signature.bind(*call.args, **{keyword.arg: keyword.value for keyword in call.keywords})


def test_the_mathematics_does_not_import_numpy():
    """Whatever computes on the model's arrays may use nothing but their own namespace."""
    formulas = ("functional", "embeddings", "attention", "encoder", "heads", "losses", "observe")
    models = ("inputs", "decoder_inputs", "labels", "models", "language_models", "classifiers")
    generation = ("generation/scores", "generation/beam_search", "generation/texts")
    for name in (*formulas, *models, *generation, "cache", "pruning"):
        tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "numpy" not in imported, name


@pytest.mark.parametrize("library", LIBRARIES)
def test_there_and_back(library):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    moved = library.array(values)
    assert str(moved.dtype).endswith("float32")
    np.testing.assert_array_equal(to_numpy(moved), values)
    again = move_like(moved, moved)
    assert again is moved
    assert isinstance(to_device(moved, "cpu"), np.ndarray)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_model_moves_with_its_values(library):
    model = minirobert.RobertaForMaskedLM.from_pretrained()
    moved = library.model(model)
    assert moved.device == library.array(np.zeros(1)).device
    back = moved.to("cpu")
    np.testing.assert_array_equal(back.word_embeddings, model.word_embeddings)
    assert back.params.roberta.encoder.layer[3].output.dense.bias.dtype == np.float32


def test_an_array_of_another_device_is_refused():
    model = STRICT.model(minirobert.RobertaForMaskedLM.from_pretrained())
    with pytest.raises(ValueError, match=r"input_ids is a numpy array on device cpu.*move one"):
        model(np.array([[0, 2]]))


def test_lists_go_where_the_model_is():
    model = STRICT.model(minirobert.RobertaForMaskedLM.from_pretrained())
    assert model([[0, 5, 2]]).logits.device == STRICT.device()


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu:1", "", "cuda:-1"])
def test_unknown_devices_are_named(device):
    with pytest.raises(ValueError, match=f"device '{device}' is not known"):
        to_device(np.zeros(1), device)


def test_a_cuda_device_that_is_not_there():
    with pytest.raises(ValueError, match=r'"cuda:99" does not exist: CuPy finds \d+ CUDA devices'):
        to_device(np.zeros(1), "cuda:99")


def test_cuda_without_cupy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    with pytest.raises(ModuleNotFoundError, match=r"minirobert\[cuda12\]"):
        to_device(np.zeros(1), "cuda")


def test_dtypes_by_any_name():
    assert float_dtype(np, "float16") is np.float16
    assert float_dtype(np, np.float64) is np.float64
    assert float_dtype(np, np.dtype("float32")) is np.float32
    for wrong in ("int8", "bfloat16", "half", int, None):
        with pytest.raises(ValueError, match="is not available in numpy: choose one of float16"):
            float_dtype(np, wrong)
    with pytest.raises(ValueError, match=r"float16.*choose one of float32, float64"):
        float_dtype(STRICT.xp, "float16")
