"""Models with another number of tokens, fewer heads or other embeddings: what is asked for."""

import numpy as np
import pytest

from minirobert import (
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
)
from minirobert.checkpoints.resizing import new_rows
from minirobert.parameters import flatten
from tests.libraries import LIBRARIES, STRICT, host

FIELDS = {
    "vocab_size": 19, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip
CONFIG = RobertaConfig(**FIELDS)
MODEL = RobertaForMaskedLM(CONFIG, seed=1)
UNTIED = RobertaForMaskedLM(RobertaConfig(**FIELDS, tie_word_embeddings=False), seed=1)
IDS = np.array([[0, 5, 6, 2]])


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_library_and_dtype_stay(library, dtype):
    model = library.model(MODEL.astype(dtype))
    for changed in (model.resize_token_embeddings(23), model.prune_heads({1: [0]})):
        for array in flatten(changed.params).values():
            assert library.array(np.zeros(1)).device == array.device
            assert str(array.dtype).endswith(dtype)


def test_the_old_model_stays_as_it_was():
    before = {name: array.copy() for name, array in flatten(MODEL.params).items()}
    MODEL.resize_token_embeddings(25)
    MODEL.prune_heads({0: [1]})
    MODEL.set_input_embeddings(np.ones((19, 12)))
    assert (CONFIG.vocab_size, CONFIG.pruned_heads) == (19, {})
    for name, array in flatten(MODEL.params).items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("count", "multiple", "expected"),
    [(None, None, 19), (20, None, 20), (None, 8, 24), (24, 8, 24), (25, 8, 32), (19, 1, 19),
     (np.int64(7), np.int64(2), 8)],
)  # fmt: skip
def test_counts(count, multiple, expected):
    resized = MODEL.resize_token_embeddings(count, multiple)
    assert resized.config.vocab_size == expected
    assert type(resized.config.vocab_size) is int
    assert resized(IDS % 7).logits.shape == (1, 4, expected)
    kept = min(expected, 19)
    np.testing.assert_array_equal(resized.word_embeddings[:kept], MODEL.word_embeddings[:kept])


@pytest.mark.parametrize("value", [0, -3, 2.0, "9", True])
def test_what_is_no_count(value):
    with pytest.raises(ValueError, match=r"new_num_tokens is .*, but must be None or an integer"):
        MODEL.resize_token_embeddings(value)
    with pytest.raises(ValueError, match=r"pad_to_multiple_of is .*, but must be None or an integ"):
        MODEL.resize_token_embeddings(9, value)


def test_the_padding_token_cannot_be_cut_off():
    with pytest.raises(ValueError, match="pad_token_id is 1, but must be below vocab_size, which"):
        MODEL.resize_token_embeddings(1)


def test_new_rows_come_from_the_seed():
    def rows(seed, model=MODEL):
        return model.resize_token_embeddings(23, mean_resizing=False, seed=seed).word_embeddings

    np.testing.assert_array_equal(rows(3), rows(3))
    np.testing.assert_array_equal(rows(3)[19:], rows(3, RobertaModel(CONFIG, seed=9))[19:])
    assert np.all(rows(3)[19:] != rows(4)[19:])
    untied = UNTIED.resize_token_embeddings(23, mean_resizing=False)
    assert np.all(untied.get_output_embeddings()[19:] != untied.word_embeddings[19:])


def test_the_distribution_of_new_rows():
    rng = np.random.default_rng(0)
    old = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 4)) + 3
    drawn = new_rows(old, 40_000, rng)
    np.testing.assert_allclose(drawn.mean(axis=0), old.mean(axis=0), atol=1e-6)
    covariance = np.cov(old.T, bias=True)
    np.testing.assert_allclose(
        np.cov(drawn.T) * 1e9, covariance, atol=0.03 * np.abs(covariance).max()
    )
    same = np.ones((3, 4))  # no covariance at all
    np.testing.assert_array_equal(new_rows(same, 2, rng), np.ones((2, 4)))
    normal = new_rows(old, 40_000, rng, std=0.02)
    assert normal.std() == pytest.approx(0.02, rel=0.01)
    assert abs(normal.mean()) < 1e-3


def test_tied_tables_stay_tied_and_new_biases_follow_the_old():
    resized = MODEL.resize_token_embeddings(23)
    assert resized.get_output_embeddings() is resized.get_input_embeddings()
    assert "decoder" not in resized.params.lm_head
    flat = flatten(UNTIED.params)
    from minirobert.parameters import build_tree

    biased = RobertaForMaskedLM(
        UNTIED.config, build_tree({**flat, "lm_head.bias": np.arange(19, dtype=np.float32)})
    )
    np.testing.assert_array_equal(
        biased.resize_token_embeddings(21).params.lm_head.bias[18:], [18, 9, 9]
    )
    np.testing.assert_array_equal(
        biased.resize_token_embeddings(21, mean_resizing=False).params.lm_head.bias[18:], [18, 0, 0]
    )


def test_embeddings():
    assert MODEL.get_input_embeddings() is MODEL.params.roberta.embeddings.word_embeddings.weight
    assert MODEL.get_output_embeddings() is MODEL.get_input_embeddings()
    assert UNTIED.get_output_embeddings() is UNTIED.params.lm_head.decoder.weight
    assert RobertaForSequenceClassification(CONFIG).get_output_embeddings() is None
    assert RobertaModel(CONFIG).get_output_embeddings() is None
    decoder = RobertaForCausalLM(RobertaConfig(**FIELDS, is_decoder=True))
    assert decoder.get_output_embeddings() is decoder.get_input_embeddings()


@pytest.mark.parametrize("library", LIBRARIES)
def test_other_embeddings(library):
    table = np.random.default_rng(0).standard_normal((19, 12))
    model = library.model(MODEL).set_input_embeddings(library.array(table))
    assert model.dtype == "float32"
    np.testing.assert_array_equal(host(model.get_input_embeddings()), table.astype(np.float32))
    states = host(model.roberta(library.array(IDS)).last_hidden_state)
    embedded = library.model(MODEL)(inputs_embeds=library.array(table[IDS].astype(np.float32)))
    assert states.shape == (1, 4, 12)
    # the decoder is tied: it changes with the table
    assert np.abs(host(embedded.logits) - host(model(library.array(IDS)).logits)).max() > 1e-3
    untied = library.model(UNTIED).set_input_embeddings(library.array(table))
    by_ids = untied(library.array(IDS)).logits
    by_table = library.model(UNTIED)(inputs_embeds=library.array(table[IDS].astype(np.float32)))
    np.testing.assert_allclose(host(by_ids), host(by_table.logits), atol=1e-6)


def test_embeddings_that_do_not_fit():
    with pytest.raises(ValueError, match=r"value has shape \[20, 12\], but must have \[19, 12\]"):
        MODEL.set_input_embeddings(np.zeros((20, 12)))
    with pytest.raises(ValueError, match="value is a array_api_strict array on device"):
        MODEL.set_input_embeddings(STRICT.array(np.zeros((19, 12))))


def test_pruned_numbers_count_the_original_heads():
    once = MODEL.prune_heads({0: [0, 2]})
    twice = MODEL.prune_heads({0: [2]}).prune_heads({0: (0, 2)}).prune_heads({1: []})
    assert twice.config.pruned_heads == {0: [0, 2]}
    for first, second in zip(
        flatten(once.params).values(), flatten(twice.params).values(), strict=True
    ):
        np.testing.assert_array_equal(first, second)
    layer = once.params.roberta.encoder.layer[0].attention
    whole = MODEL.params.roberta.encoder.layer[0].attention
    np.testing.assert_array_equal(layer.self.key.weight, whole.self.key.weight[4:8])
    np.testing.assert_array_equal(layer.output.dense.weight, whole.output.dense.weight[:, 4:8])
    assert once.num_parameters() == MODEL.num_parameters() - 2 * (3 * (4 * 12 + 4) + 12 * 4)


@pytest.mark.parametrize(
    ("heads", "error", "sentence"),
    [
        ({2: [0]}, ValueError, "names layer 2, but there are 2, counted from 0"),
        ({0: [3]}, ValueError, "names head 3 of layer 0, but it has 3, counted from 0"),
        ({0: [0, 1, 2]}, ValueError, "names all 3 heads of layer 0, but one must be left"),
        ({0: [-1]}, ValueError, "pruned_heads is {0: .*, but must be a dictionary from layers to"),
        ({-1: [0]}, ValueError, "pruned_heads is {-1: .*, but must be a dictionary from layers to"),
        ({0: [1.5]}, ValueError, "pruned_heads is {0: .*, but must be a dictionary from layers to"),
        ({0: 1}, TypeError, "heads_to_prune is {0: 1}, but must be a dictionary from layers to"),
        ({"0": [1]}, TypeError, "heads_to_prune is .*, but must be a dictionary from layers to"),
        ([1], TypeError, r"heads_to_prune is \[1\], but must be a dictionary from layers to lists"),
    ],
)
def test_heads_that_cannot_be_pruned(heads, error, sentence):
    with pytest.raises(error, match=sentence):
        MODEL.prune_heads(heads)
    assert CONFIG.pruned_heads == {}


def test_a_pruned_model_takes_no_head_mask():
    with pytest.raises(ValueError, match=r"head_mask was given, but pruned_heads is \{1: \[0\]\}:"):
        MODEL.prune_heads({1: [0]})(IDS, head_mask=[1, 1, 1])


def test_new_models_may_be_made_without_some_heads(tmp_path):
    config = RobertaConfig(**FIELDS, pruned_heads={1: [0]})
    model = RobertaModel(config)
    assert model(IDS, output_attentions=True).attentions[1].shape == (1, 2, 4, 4)
    model.save_pretrained(tmp_path)
    assert RobertaConfig.from_pretrained(tmp_path).pruned_heads == {1: [0]}
    with pytest.raises(ValueError, match="pruned_heads names layer 2"):
        RobertaConfig(**FIELDS, pruned_heads={2: [0]})


def test_a_cache_of_before_is_refused():
    model = RobertaForCausalLM(RobertaConfig(**FIELDS, is_decoder=True))
    cache = model(IDS, use_cache=True).past_key_values
    with pytest.raises(ValueError, match="has 3 heads, but the model's layer has 2: it comes from"):
        model.prune_heads({1: [0]})([[7]], past_key_values=cache, use_cache=True)
