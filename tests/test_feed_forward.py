import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert import RobertaConfig, RobertaModel, watch
from tests.libraries import LIBRARIES, host

FIELDS = {
    "vocab_size": 23, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 7, "initializer_range": 0.5,
}  # fmt: skip
IDS = np.array([[0, 7, 8, 9, 10], [5, 6, 0, 8, 7]])


@pytest.mark.parametrize("library", LIBRARIES)
@given(size=st.integers(0, 7))
def test_chunks_of_any_size_give_the_same(library, size):
    """In transformers the size must divide the length."""
    whole = RobertaModel(RobertaConfig(**FIELDS)).astype("float64")
    chunked = RobertaModel(RobertaConfig(**FIELDS, chunk_size_feed_forward=size), whole.params)
    actual = library.model(chunked)(library.array(IDS)).last_hidden_state
    np.testing.assert_allclose(host(actual), whole(IDS).last_hidden_state, rtol=0, atol=1e-13)


def test_chunks_have_names():
    model = RobertaModel(RobertaConfig(**FIELDS, chunk_size_feed_forward=2))
    with watch() as seen:
        model(IDS)
    shapes = [seen[f"encoder.layer.1.chunk.{i}.intermediate"].shape for i in range(3)]
    assert shapes == [(2, 2, 7), (2, 2, 7), (2, 1, 7)]
