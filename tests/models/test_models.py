"""What must hold for a model whatever its numbers are."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaModel, kernels, watch
from minirobert.attention import mask, merge_heads, split_heads
from minirobert.embeddings import (
    create_position_ids_from_input_ids,
    create_position_ids_from_inputs_embeds,
)
from minirobert.functional import softmax
from minirobert.losses import cross_entropy
from minirobert.models.outputs import MaskedLMOutput
from minirobert.parameters import build_tree, flatten
from tests import libraries
from tests.libraries import LIBRARIES, host

CONFIG = RobertaConfig(
    vocab_size=23, hidden_size=12, num_attention_heads=3, num_hidden_layers=2, intermediate_size=7,
    max_position_embeddings=14, type_vocab_size=2, initializer_range=0.5, layer_norm_eps=1e-5,
)  # fmt: skip
MODEL = RobertaForMaskedLM(CONFIG, seed=3).astype("float64")
RNG = np.random.default_rng(5)


close = partial(libraries.close, bound=1e-11, at_least=1.0)


@st.composite
def id_arrays(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(0, 5, (draw(st.integers(1, 4)), draw(st.integers(1, 9))))


@pytest.mark.parametrize("library", LIBRARIES)
@given(ids=id_arrays(), pad=st.integers(0, 4))
def test_positions_count_tokens_from_behind_the_padding_id(library, ids, pad):
    positions = host(create_position_ids_from_input_ids(library.array(ids), pad))
    for row, row_positions in zip(ids, positions, strict=True):
        count = pad
        for token, position in zip(row, row_positions, strict=True):
            count += token != pad
            assert position == (pad if token == pad else count)


def test_positions_of_embeddings_count_every_token():
    positions = create_position_ids_from_inputs_embeds(np.zeros((2, 3, 5)), 4)
    np.testing.assert_array_equal(positions, [[5, 6, 7]] * 2)


@pytest.mark.parametrize("library", LIBRARIES)
def test_heads_are_cut_from_the_hidden_axis(library):
    x = np.arange(2 * 5 * 12.0).reshape(2, 5, 12)
    heads = split_heads(library.array(x), 3)
    assert heads.shape == (2, 3, 5, 4)
    for head in range(3):
        np.testing.assert_array_equal(host(heads[:, head, :, :]), x[..., 4 * head : 4 * head + 4])
    np.testing.assert_array_equal(host(merge_heads(heads)), x)


def test_padding_on_either_side_gives_the_same_tokens():
    tokens = [0, 7, 8, 2]
    right, left = np.array([[*tokens, 1, 1, 1]]), np.array([[1, 1, 1, *tokens]])
    alone = MODEL([tokens]).logits
    close(MODEL(right, right != 1).logits[:, :4], alone)
    close(MODEL(left, left != 1).logits[:, 3:], alone)


def test_without_a_mask_padding_is_attended_to():
    ids = np.array([[0, 7, 2, 1]])
    assert np.abs(MODEL(ids).logits - MODEL(ids, ids != 1).logits).max() > 1e-3


@given(seed=st.integers(0, 999))
@settings(max_examples=30)
def test_a_masked_token_does_not_matter_to_the_others(seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(2, 23, (3, 6))
    mask = rng.integers(0, 2, (3, 6))
    mask[:, 0] = 1
    other = np.where(mask == 0, rng.integers(2, 23, (3, 6)), ids)
    seen = mask == 1
    close(MODEL(ids, mask).logits[seen], MODEL(other, mask).logits[seen])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_masked_score_is_lower_than_any_other(library):
    scores = library.array(np.array([[[[-1e30, -1e30, 5.0]]]]))
    attend = library.array(np.array([[[[True, True, False]]]]))
    np.testing.assert_array_equal(host(softmax(mask(scores, attend))), [[[[0.5, 0.5, 0]]]])


def test_a_row_without_any_key_averages_the_values():
    ids, mask = np.array([[0, 7, 8, 2], [0, 9, 5, 2]]), np.array([[0, 0, 0, 0], [1, 1, 0, 0]])
    for dtype in ("float16", "float32", "float64"):
        with watch() as seen:
            logits = MODEL.astype(dtype)(ids, mask).logits
        assert np.isfinite(logits).all()
        probabilities = seen["roberta.encoder.layer.0.attention.self.probabilities"]
        np.testing.assert_array_equal(probabilities[0], np.full((3, 4, 4), 0.25))
        assert not probabilities[1, :, :, 2:].any()
    values = seen["roberta.encoder.layer.0.attention.self.value"]
    context = seen["roberta.encoder.layer.0.attention.self.context"]
    average = np.broadcast_to(values[0].mean(axis=1, keepdims=True), values[0].shape)
    close(split_heads(context, 3)[0], average)


def test_texts_do_not_see_each_other():
    ids = RNG.integers(2, 23, (4, 6))
    together = MODEL(ids).logits
    for row in range(4):
        close(together[row], MODEL(ids[row : row + 1]).logits[0])
    order = [2, 0, 3, 1]
    close(MODEL(ids[order]).logits, together[order])


def test_a_silenced_head_is_a_head_without_values():
    ids = RNG.integers(2, 23, (2, 6))
    flat = flatten(MODEL.params)
    for part in ("weight", "bias"):
        name = f"roberta.encoder.layer.1.attention.self.value.{part}"
        flat[name] = np.array(flat[name])
        flat[name][4:8] = 0  # the second of three heads
    pruned = RobertaForMaskedLM(CONFIG, build_tree(flat))
    close(MODEL(ids, head_mask=[[1, 1, 1], [1, 0, 1]]).logits, pruned(ids).logits)
    assert np.abs(MODEL(ids).logits - pruned(ids).logits).max() > 1e-3


def test_embeddings_in_place_of_ids():
    ids = RNG.integers(2, 23, (2, 6))
    close(MODEL(inputs_embeds=MODEL.word_embeddings[ids]).logits, MODEL(ids).logits)


def test_the_loss_averages_what_is_not_ignored():
    ids = RNG.integers(2, 23, (2, 6))
    labels = np.full((2, 6), -100)
    labels[0, 3], labels[1, 5] = 4, 9
    output = MODEL(ids, labels=labels)
    log_probabilities = output.logits - np.log(np.exp(output.logits).sum(-1, keepdims=True))
    expected = -(log_probabilities[0, 3, 4] + log_probabilities[1, 5, 9]) / 2
    close(output.loss, expected)
    assert np.isnan(MODEL(ids, labels=np.full((2, 6), -100)).loss)


def test_cross_entropy_ignores_another_index():
    logits = RNG.standard_normal((3, 4))
    labels = np.array([1, 2, 3])
    close(cross_entropy(logits, labels, 2), cross_entropy(logits[[0, 2]], labels[[0, 2]]))
    assert cross_entropy(logits.astype("float16"), labels).dtype == np.float16


def test_what_is_watched_is_what_is_returned():
    ids = RNG.integers(2, 23, (2, 6))
    with watch() as seen:
        output = MODEL(
            ids,
            labels=ids,
            output_hidden_states=True,
            output_attentions=True,
            head_mask=[1, 1, 0.5],
        )
    attention = "roberta.encoder.layer.1.attention.self.probabilities"
    assert seen["roberta.embeddings"] is seen["roberta.embeddings.LayerNorm"]
    assert seen["roberta.embeddings"] is output.hidden_states[0]
    assert seen["roberta.encoder.layer.0.output.LayerNorm"] is output.hidden_states[1]
    assert seen[f"{attention}.head_mask"] is output.attentions[1]
    np.testing.assert_array_equal(output.attentions[1][:, 2], seen[attention][:, 2] / 2)
    assert seen["lm_head.logits"] is output.logits
    assert seen["loss"] is output.loss


def test_a_tensor_has_one_name_however_it_is_asked_for():
    ids = RNG.integers(2, 23, (2, 6))
    names = []
    for ask in (MODEL, MODEL.roberta, MODEL.hidden_states):
        with watch() as seen:
            ask(ids)
        names.append([name for name in seen if not name.startswith("lm_head")])
    assert names[0] == names[1] == names[2]
    assert "roberta.embeddings.sum" in names[0]
    with watch() as seen:
        pooled = RobertaModel(CONFIG)(ids).pooler_output
    assert seen["pooler"] is pooled
    np.testing.assert_array_equal(
        MODEL.hidden_states(ids), MODEL(ids, output_hidden_states=True).hidden_states[-1]
    )


def test_watching_changes_nothing_and_ends():
    ids = RNG.integers(2, 23, (2, 6))
    plain = MODEL.astype("float32")
    with kernels.disabled():  # of the kernels, those of a whole encoder run where nobody watches
        expected = plain(ids).logits
        with watch() as seen:
            np.testing.assert_array_equal(plain(ids).logits, expected)
        kept = {name: np.copy(array) for name, array in seen.items()}
        plain(ids)
    for name, array in kept.items():  # nothing was written over later
        np.testing.assert_array_equal(seen[name], array)


def test_a_failed_pass_leaves_no_scope_behind():
    class StopError(Exception):
        pass

    def stop(name, array):
        if name.endswith("scores"):
            raise StopError

    with pytest.raises(StopError), watch(stop):
        MODEL([[0, 5, 2]])
    with watch() as seen:
        MODEL([[0, 5, 2]])
    assert next(iter(seen)) == "input_ids"
    assert "roberta.embeddings.word_embeddings" in seen


def test_outputs_are_read_in_four_ways():
    ids = [[0, 5, 2]]
    output = MODEL(ids, labels=ids, output_hidden_states=True)
    loss, logits, states = output
    assert output.loss is output["loss"] is output[0] is loss
    assert output.logits is output["logits"] is output[1] is logits
    assert output.hidden_states is output[-1] is states
    assert output.attentions is None
    assert output[:2] == output.to_tuple()[:2] == (loss, logits)
    assert list(output.keys()) == ["loss", "logits", "hidden_states"]
    assert dict(output.items()).keys() == {"loss", "logits", "hidden_states"}
    assert "loss" in output
    assert "attentions" not in output
    assert len(output) == 3
    assert output.get("attentions", 5) == 5
    assert "logits=float64[1, 3, 23], hidden_states=3 x float64[1, 3, 12]" in repr(output)
    with pytest.raises(
        KeyError, match="'attentions' is not in this output, which has loss, logits"
    ):
        output["attentions"]
    with pytest.raises(IndexError):
        output[3]
    with pytest.raises(AttributeError):
        output.loss = 3
    assert list(MaskedLMOutput(logits=1)) == [1]


def test_what_is_returned_is_what_the_configuration_or_the_call_says():
    ids = [[0, 5, 2]]
    config = RobertaConfig.from_dict(CONFIG.to_dict(), output_attentions=True, return_dict=False)
    model = RobertaModel(config, add_pooling_layer=False)
    _, pooled, attentions = model(ids)
    assert pooled is None
    assert len(attentions) == 2
    assert model(ids, output_attentions=False, return_dict=True).attentions is None
    assert MODEL(ids).hidden_states is None


def test_a_model_describes_itself():
    model = RobertaModel(CONFIG)
    count = sum(array.size for array in flatten(model.params).values())
    assert model.num_parameters() == count
    assert repr(model) == f"RobertaModel({count:,} parameters, float32, device cpu)"
    assert repr(model.astype("float16")).endswith("float16, device cpu)")
    with pytest.raises(AttributeError):
        model.config = CONFIG
    with pytest.raises(ValueError, match="'int8' is not available in numpy: choose one of float16"):
        model.astype("int8")
    assert "pooler" not in RobertaModel(CONFIG, add_pooling_layer=False).to("cpu").params
