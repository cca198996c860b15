"""Arrays in one piece of memory: each has its own part of it, and a piece holds few of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minirobert import RobertaForMaskedLM
from minirobert.checkpoints import pieces
from minirobert.checkpoints.pieces import side_by_side
from minirobert.parameters import flatten

shapes_of_arrays = st.lists(st.lists(st.integers(0, 9), max_size=3).map(tuple), max_size=9)


@given(
    shapes=shapes_of_arrays,
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    most=st.sampled_from([64, 1024, 1 << 20]),
)
def test_arrays_have_their_own_memory(shapes, dtype, most):
    before, pieces._PIECE = pieces._PIECE, most
    try:
        arrays = side_by_side(dict(enumerate(shapes)), dtype)
    finally:
        pieces._PIECE = before
    assert [(name, array.shape) for name, array in arrays.items()] == list(enumerate(shapes))
    for name, array in arrays.items():
        array[...] = name
    for name, array in arrays.items():
        assert (array == name).all()
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert (array.ctypes.data - array.base.ctypes.data) % 64 == 0 or not array.size


def test_a_piece_holds_few_arrays(monkeypatch):
    monkeypatch.setattr(pieces, "_PIECE", 1000)
    arrays = side_by_side({"a": (100,), "b": (100,), "c": (100,), "large": (999,)}, np.float32)
    owners = {name: id(array.base) for name, array in arrays.items()}
    assert owners["a"] == owners["b"]
    assert len(set(owners.values())) == 3
    assert arrays["large"].base.size < 1024


def test_a_model_is_read_into_pieces():
    weights = flatten(RobertaForMaskedLM.from_pretrained().params).values()
    assert len({id(array.base) for array in weights}) == 1
