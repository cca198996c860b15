import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert import RobertaConfig, RobertaForMaskedLM, watch
from minirobert.attention import relative_distances, relative_scores
from tests.libraries import LIBRARIES, NUMPY, host

KINDS = ["relative_key", "relative_key_query"]


def brute_force(query, key, table, kind, past):
    """Look up each distance by itself."""
    middle = len(table) // 2
    scores = np.zeros((*query.shape[:3], key.shape[2]))
    for i in range(query.shape[2]):
        for j in range(key.shape[2]):
            distance = table[middle + past + i - j]  # [D]
            scores[:, :, i, j] = query[:, :, i] @ distance
            if kind == "relative_key_query":
                scores[:, :, i, j] += key[:, :, j] @ distance
    return scores


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", KINDS)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_queries=st.integers(1, 6),
    n_keys=st.integers(1, 6),
    past=st.integers(0, 3),
    spare=st.integers(0, 2),
)
def test_scores_of_distances(library, kind, seed, n_queries, n_keys, past, spare):
    rng = np.random.default_rng(seed)
    query = rng.standard_normal((2, 3, n_queries, 4))  # [B, N, S, D]
    key = rng.standard_normal((2, 3, n_keys, 4))  # [B, N, T, D]
    table = rng.standard_normal((2 * (max(n_queries + past, n_keys) + spare) - 1, 4))
    scores = relative_scores(*map(library.array, (query, key, table)), kind, past)
    np.testing.assert_allclose(
        host(scores), brute_force(query, key, table, kind, past), rtol=0, atol=1e-12
    )


def test_every_row_of_the_table_is_a_distance():
    distances = relative_distances(3, 3, 0, rows=5, like=np.zeros(1))
    assert distances.tolist() == [[2, 1, 0], [3, 2, 1], [4, 3, 2]]


def model(kind, **fields):
    config = RobertaConfig(
        vocab_size=40, hidden_size=12, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=5, max_position_embeddings=9, initializer_range=0.5,
        position_embedding_type=kind, **fields,
    )  # fmt: skip
    return RobertaForMaskedLM(config, seed=3)


@pytest.mark.parametrize("kind", KINDS)
def test_only_distances_count(kind):
    """Padding on either side, which is masked, moves a text without changing what it means."""
    text = [0, 7, 8, 9, 2]
    ids = np.array([[1, 1, *text], [*text, 1, 1]])
    logits = model(kind).astype("float64")(ids, attention_mask=ids != 1).logits
    np.testing.assert_allclose(logits[0, 2:], logits[1, :5], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_order_counts_and_position_ids_do_not(kind):
    relative = model(kind)
    logits = relative([[5, 6, 7]]).logits
    assert not np.allclose(relative([[7, 6, 5]]).logits[:, ::-1], logits, atol=1e-3)
    np.testing.assert_array_equal(relative([[5, 6, 7]], position_ids=[4, 4, 4]).logits, logits)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths(kind):
    """Of 9 rows for positions none is taken by the padding offset."""
    relative = model(kind)
    assert relative([[5] * 9]).logits.shape == (1, 9, 40)
    with pytest.raises(
        ValueError, match=r"10 tokens, but the distance tables' 17 rows reach no .* 8"
    ):
        relative([[5] * 10])


def test_the_distances_can_be_watched():
    with watch() as seen:
        model("relative_key")([[5, 6, 7]])
    assert seen["roberta.encoder.layer.1.attention.self.distance_embedding"].shape == (3, 3, 4)
    assert "roberta.embeddings.position_embeddings" not in seen


def test_both_tables_are_parameters():
    shapes = model("relative_key_query").parameter_shapes()
    assert shapes["roberta.embeddings.position_embeddings.weight"] == (9, 12)
    name = "roberta.encoder.layer.1.attention.self.distance_embedding.weight"
    assert shapes[name] == (17, 4)
    assert name not in model("absolute").parameter_shapes()


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(kind):
    assert NUMPY.model(model(kind))([[5, 6]]).logits.dtype == np.float32
