"""What can be proven about CuPy without a GPU: that every function taken from it exists."""

import ast
import inspect
import sys

import ml_dtypes
import numpy as np
import pytest

import minirobert
from minirobert.arrays import float_dtype, move_like, to_device, to_numpy
from tests.libraries import LIBRARIES, STRICT
from tests.sources import imported, parsed, source_files, top_level
from tests.test_imports import wing

NAMESPACES = ("xp", "array_namespace")  # `xp.f(...)` and `array_namespace(x).f(...)`


def uses():
    """Find every use of an array namespace in the package: file and line, name, and its call."""
    for parts, path in source_files():
        tree = parsed(path)
        called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and namespace_name(node.value) in NAMESPACES:
                where = f"{'/'.join(parts)}.py:{node.lineno}"
                yield where, node.attr, called.get(id(node))


def namespace_name(node):
    if isinstance(node, ast.Call):
        node = node.func
    return node.id if isinstance(node, ast.Name) else None


def test_the_search_finds_the_namespaces_functions():
    names = {name for _, name, _ in uses()}
    assert {"exp", "take", "cumulative_sum", "where", "finfo", "permute_dims"} <= names


def test_cupy_has_everything_with_these_arguments():
    misuses = [f"{where}: {said}" for where, *use in uses() if (said := misuse(*use))]
    assert not misuses, "\n".join(misuses)


def misuse(name, call):
    """Say what is wrong with a use of CuPy's namespace, or give None."""
    import array_api_compat.cupy as xp

    if not hasattr(xp, name):
        return f"CuPy has no {name}"
    if call is None:
        return None
    function = getattr(xp, name)
    if inspect.isbuiltin(function):  # written in Cython: its arguments are positional
        return f"{name} takes no keywords" if call.keywords else None
    if type(function).__name__ == "ufunc":  # as above
        if call.keywords:
            return f"{name} takes no keywords"
        return f"{name} takes fewer arguments" if len(call.args) > function.nargs else None
    try:
        signature = inspect.signature(function)
        signature.bind(*call.args, **{keyword.arg: keyword.value for keyword in call.keywords})
    except (TypeError, ValueError) as error:
        return f"{name}: {error}"
    return None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("xp.nanmode(x)", "CuPy has no nanmode"),
        ("xp.take(x, i, axes=0)", "take: got an unexpected keyword argument 'axes'"),
        ("xp.exp(x, out=x)", "exp takes no keywords"),
        ("xp.exp(x, x, x, x)", "exp takes fewer arguments"),
        ("xp.take(x, i, axis=0)", None),
        ("xp.exp(x)", None),
        ("xp.from_dlpack(x, device=d)", "from_dlpack takes no keywords"),
        ("xp.from_dlpack(x)", None),
    ],
)
def test_misuses_are_seen(source, said):
    call = ast.parse(source, mode="eval").body
    assert misuse(call.func.attr, call) == said


#: They draw numbers, which NumPy does for all libraries.
DRAW_NUMBERS = {"parameters", "generation/sampling"}


def test_the_mathematics_does_not_import_numpy():
    """Whatever computes on the model's arrays may use nothing but their own namespace."""
    for parts, path in source_files():
        name = "/".join(parts)
        is_mathematics = wing(parts[0]) in ("heart", "models", "generation")
        if is_mathematics or name in ("observe", "checkpoints/pruning"):
            assert imports_numpy(parsed(path)) == (name in DRAW_NUMBERS), name


def imports_numpy(tree):
    names = list(imported(tree))
    return "numpy" in top_level(names) or any("array_api_compat.numpy" in name for name in names)


@pytest.mark.parametrize(
    "source",
    [
        "import numpy", "import math, numpy as np", "import numpy.linalg", "from numpy import exp",
        "from numpy.linalg import norm", "def f():\n    import numpy as np",
        "import array_api_compat.numpy as np", "from array_api_compat import numpy",
    ],
)  # fmt: skip
def test_imports_of_numpy_are_seen(source):
    assert imports_numpy(ast.parse(source))


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
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ModuleNotFoundError, match="pip install cupy-cuda12x"):
        to_device(np.zeros(1), "cuda")


def test_dtypes_by_any_name():
    assert float_dtype(np, "float16") is np.float16
    assert float_dtype(np, np.float64) is np.float64
    assert float_dtype(np, np.dtype("float32")) is np.float32
    assert float_dtype(np, "bfloat16") is ml_dtypes.bfloat16
    assert float_dtype(np, ml_dtypes.bfloat16) is ml_dtypes.bfloat16
    assert float_dtype(np, "half") is np.float16
    assert float_dtype(np, "double") is np.float64
    for wrong in ("int8", "float8", "float", int, None):
        with pytest.raises(ValueError, match="is not available in numpy: choose one of float16"):
            float_dtype(np, wrong)
    with pytest.raises(ValueError, match=r"float16.*choose one of float32, float64"):
        float_dtype(STRICT.xp, "float16")
