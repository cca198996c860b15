import importlib.util

import numpy as np
import pytest
import torch

from minirobert.tokenization.rows.options import LIBRARIES, check_tensor_type
from minirobert.tokenization.rows.tensors import tensor_type_of, to_tensors


def test_arrays():
    arrays = to_tensors(
        {"input_ids": [[0, 2], [3, 4]], "length": [2, 2], "score": [0.5, 1.0]}, "np"
    )
    assert {name: array.shape for name, array in arrays.items()} == {
        "input_ids": (2, 2),
        "length": (2,),
        "score": (2,),
    }
    assert arrays["input_ids"].dtype == arrays["length"].dtype == np.int64
    assert arrays["score"].tolist() == [0.5, 1.0]
    assert to_tensors({"input_ids": []}, "np")["input_ids"].dtype == np.int64


def test_numbers_of_one_text():
    arrays = to_tensors({"input_ids": [0, 2], "label": 0.5}, "np")
    assert (arrays["input_ids"].shape, arrays["label"].shape) == ((2,), ())


@pytest.mark.parametrize("tensor_type", ["np", "pt"])
@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("input_ids", [[1], [1, 2, 3]], "from 1 to 3 elements and do not make one array: pass pad"),
        ("offset_mapping", [[(0, 0)], []], "from 0 to 1 elements and do not make one array: pass"),
        ("labels", [[1], [1, 2, 3]], "from 1 to 3 elements and do not make one array: padding lea"),
        ("labels", [np.array([1]), np.array([1, 2])], "from 1 to 2 elements"),
        ("labels", [5, [5]], "elements of different shapes"),
        ("labels", [[[1], [2]], [[1], [2, 3]]], "elements of different shapes"),
    ],
)
def test_ragged_rows_make_no_array(tensor_type, name, rows, message):
    with pytest.raises(ValueError, match=f"the rows of {name} have {message}"):
        to_tensors({name: rows}, tensor_type)


@pytest.mark.parametrize(
    ("tensor_type", "rows", "message"),
    [
        (
            "pt",
            ["a", "b"],
            r"\['a', 'b'\]: an array of torch holds numbers of up to 64 bits;",
        ),
        ("cp", ["a", "b"], r"\['a', 'b'\]: an array of cupy holds numbers"),
        ("pt", [None, 1], r"\[None, 1\]: an array of torch holds numbers"),
        ("np", [None, 1], r"\[None, 1\]: an array of numpy holds numbers"),
        (
            "np",
            [2**70],
            r"\[1180591620717411303424\]: an array of numpy holds numbers",
        ),
    ],
)
def test_what_is_no_number_makes_no_array(tensor_type, rows, message):
    with pytest.raises(ValueError, match=f"the column label is {message}"):
        to_tensors({"label": rows}, tensor_type)


def test_strings_make_an_array_of_numpy():
    assert to_tensors({"text": ["a", "bc"]}, "np")["text"].tolist() == ["a", "bc"]


@pytest.mark.parametrize("unknown", ["tf", "numpy", True, 5, []])
def test_unknown_tensors(unknown):
    with pytest.raises(ValueError, match="but must be None, for lists, or 'np', 'cp' or 'pt'"):
        check_tensor_type(unknown)


def test_torch():
    ids = to_tensors({"input_ids": [[0, 2], [3, 4]]}, "pt")["input_ids"]
    assert ids.dtype == torch.int64
    assert ids.tolist() == [[0, 2], [3, 4]]
    assert to_tensors({"input_ids": []}, "pt")["input_ids"].dtype == torch.int64


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        (0.5, torch.float32),
        ([0.5, 1], torch.float32),
        ([[0.5], [1.0]], torch.float32),
        ([True, False], torch.bool),
        (np.array([0.5]), torch.float64),
        ([np.float64(0.5)], torch.float64),
        ([np.float32(0.5)], torch.float32),
        ([np.array([0.5]), np.array([1.5])], torch.float64),
        (torch.tensor([0.5], dtype=torch.float64), torch.float64),
        ([torch.tensor(0.5), torch.tensor(1.5)], torch.float32),
        ([torch.tensor([0.5]), torch.tensor([1.5])], torch.float32),
    ],
)
def test_dtypes_of_torch(column, dtype):
    assert to_tensors({"label": column}, "pt")["label"].dtype == dtype


def test_the_types_of_libraries():
    kinds = ["torch", "cupy", "numpy", "jaxlib", None]
    assert list(map(tensor_type_of, kinds)) == ["pt", "cp", "np", "np", None]


def test_cupy_arrays_go_to_the_gpu(monkeypatch):
    moves = []
    monkeypatch.setattr(
        "minirobert.tokenization.rows.tensors.to_device",
        lambda *move: moves.append(move) or "there",
    )
    assert to_tensors({"input_ids": [[0, 2]]}, "cp") == {"input_ids": "there"}
    ((array, device),) = moves
    assert (array.tolist(), array.dtype, device) == ([[0, 2]], np.int64, "cuda")


@pytest.mark.gpu
def test_cupy():
    import cupy

    ids = to_tensors({"input_ids": [[0, 2], [3, 4]]}, "cp")["input_ids"]
    assert isinstance(ids, cupy.ndarray)
    assert (ids.dtype, ids.tolist()) == (np.int64, [[0, 2], [3, 4]])
    scores = to_tensors({"score": [cupy.array(0.5), cupy.array(1.0)]}, "cp")["score"]
    assert scores.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(("kind", "library"), LIBRARIES.items())
def test_a_library_that_is_not_installed(monkeypatch, kind, library):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=f"needs {library}, which is not installed"):
        check_tensor_type(kind)
    check_tensor_type(None)
