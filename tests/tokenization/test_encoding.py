import copy
import pickle

import numpy as np
import pytest

from minirobert.tokenization.encoding import BatchEncoding, check_tensor_type, to_arrays


def test_entries_are_attributes():
    encoding = BatchEncoding(input_ids=[0, 2])
    assert encoding.input_ids is encoding["input_ids"]
    assert {**encoding} == {"input_ids": [0, 2]}


def test_missing_entries_are_explained():
    encoding = BatchEncoding(input_ids=[0, 2])
    with pytest.raises(AttributeError, match="no 'offset_mapping', only input_ids"):
        _ = encoding.offset_mapping
    with pytest.raises(KeyError, match="no 'offset_mapping', only input_ids"):
        _ = encoding["offset_mapping"]
    assert encoding.get("offset_mapping") is None
    assert not hasattr(encoding, "offset_mapping")


def test_copies():
    encoding = BatchEncoding(input_ids=[0, 2])
    for other in (copy.deepcopy(encoding), pickle.loads(pickle.dumps(encoding))):
        assert isinstance(other, BatchEncoding)
        assert other == encoding


def test_arrays():
    arrays = to_arrays({"input_ids": [[0, 2], [3, 4]], "length": [2, 2], "score": [0.5, 1.0]})
    assert {name: array.shape for name, array in arrays.items()} == {
        "input_ids": (2, 2),
        "length": (2,),
        "score": (2,),
    }
    assert arrays["input_ids"].dtype == arrays["length"].dtype == np.int64
    assert arrays["score"].tolist() == [0.5, 1.0]
    assert to_arrays({"input_ids": []})["input_ids"].dtype == np.int64


def test_ragged_rows_make_no_array():
    with pytest.raises(ValueError, match=r"input_ids have from 1 to 3 elements.*padding=True"):
        to_arrays({"input_ids": [[1], [1, 2, 3]]})


@pytest.mark.parametrize("unknown", ["pt", "tf", True])
def test_unknown_tensors(unknown):
    with pytest.raises(ValueError, match="it must be None, for lists, or 'np'"):
        check_tensor_type(unknown)
