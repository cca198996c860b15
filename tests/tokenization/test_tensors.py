import importlib.util

import numpy as np
import pytest
import torch

from minirobert.tokenization import tensors
from minirobert.tokenization.tensors import check_tensor_type, to_tensors


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


def test_ragged_rows_make_no_array():
    with pytest.raises(ValueError, match=r"input_ids have from 1 to 3 elements.*padding=True"):
        to_tensors({"input_ids": [[1], [1, 2, 3]]}, "np")


@pytest.mark.parametrize("unknown", ["tf", "numpy", True, 5, []])
def test_unknown_tensors(unknown):
    with pytest.raises(ValueError, match="it must be None, for lists, or 'np', 'cp' or 'pt'"):
        check_tensor_type(unknown)


def test_torch():
    ids = to_tensors({"input_ids": [[0, 2], [3, 4]]}, "pt")["input_ids"]
    assert ids.dtype == torch.int64
    assert ids.tolist() == [[0, 2], [3, 4]]
    assert to_tensors({"input_ids": []}, "pt")["input_ids"].dtype == torch.int64


def test_cupy_arrays_go_to_the_gpu(monkeypatch):
    moves = []
    monkeypatch.setattr("minirobert.arrays.to_device", lambda *move: moves.append(move) or "there")
    assert to_tensors({"input_ids": [[0, 2]]}, "cp") == {"input_ids": "there"}
    ((array, device),) = moves
    assert (array.tolist(), array.dtype, device) == ([[0, 2]], np.int64, "cuda")


@pytest.mark.gpu
def test_cupy():
    import cupy

    ids = to_tensors({"input_ids": [[0, 2], [3, 4]]}, "cp")["input_ids"]
    assert isinstance(ids, cupy.ndarray)
    assert (ids.dtype, ids.tolist()) == (np.int64, [[0, 2], [3, 4]])


@pytest.mark.parametrize(("kind", "library"), tensors.LIBRARIES.items())
def test_a_library_that_is_not_installed(monkeypatch, kind, library):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=f"needs {library}, which is not installed"):
        check_tensor_type(kind)
    check_tensor_type(None)
