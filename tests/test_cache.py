import numpy as np
import pytest

from minirobert import KeyValueCache, RobertaConfig, RobertaForCausalLM, RobertaModel, watch
from minirobert.attention import causal_mask
from minirobert.cache import LayerCache, rows_of
from tests.libraries import LIBRARIES, NUMPY, host

FIELDS = {
    "vocab_size": 23, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 7, "max_position_embeddings": 40, "is_decoder": True,
    "initializer_range": 0.5,
}  # fmt: skip
CONFIG = RobertaConfig(**FIELDS)
MODEL = RobertaForCausalLM(CONFIG).astype("float64")
CROSS = RobertaForCausalLM(RobertaConfig(**FIELDS, add_cross_attention=True)).astype("float64")
IDS = np.array([[0, 7, 8, 9, 10], [1, 1, 0, 8, 7]])  # the second is padded on the left


def same(actual, expected):
    np.testing.assert_allclose(host(actual), host(expected), rtol=0, atol=1e-12)


def cached(ids=IDS, model=MODEL, **arguments):
    return model(ids, **arguments).past_key_values


def next_logits(cache, ids, model=MODEL, **arguments):
    return model(ids, past_key_values=cache, **arguments).logits


@pytest.mark.parametrize("library", LIBRARIES)
def test_appending_does_not_copy_the_past(library):
    layer = LayerCache()
    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((200, 2, 3, 1, 4))  # 200 times [B, N, 1, D]
    copies, buffer = 0, None
    for i, token in enumerate(map(library.array, tokens)):
        layer.past = i
        keys, values = layer.write(token, -token)
        copies += layer._keys is not buffer
        buffer = layer._keys
        assert keys.shape == values.shape == (2, 3, i + 1, 4)
    assert copies == 3  # room for 64, 128, 256
    everything = tokens[:, :, :, 0].transpose(1, 2, 0, 3)  # [B, N, 200, D]
    same(keys, everything)
    same(values, -everything)


def test_a_long_first_run_has_room():
    layer = LayerCache()
    keys, _ = layer.write(np.ones((1, 1, 100, 2)), np.ones((1, 1, 100, 2)))
    assert keys.shape == (1, 1, 100, 2)


def test_only_a_decoder_makes_one_and_only_if_asked():
    assert cached() is not None
    assert MODEL(IDS, use_cache=False).past_key_values is None
    assert MODEL(IDS, labels=IDS).past_key_values is None
    fields = {**FIELDS, "use_cache": False}
    assert RobertaForCausalLM(RobertaConfig(**fields))(IDS).past_key_values is None
    encoder = RobertaModel(RobertaConfig(**{**FIELDS, "is_decoder": False}))
    assert encoder(IDS, use_cache=True).past_key_values is None


def test_a_given_cache_is_used_even_if_none_would_be_made():
    cache = cached(IDS[:, :3])
    output = MODEL(IDS[:, 3:], past_key_values=cache, use_cache=False)
    assert output.past_key_values is cache
    assert cache.get_seq_length() == 5
    same(output.logits, MODEL(IDS).logits[:, 3:])


def test_padding_is_not_counted():
    cache = cached()
    assert cache.get_seq_length() == 5
    assert cache.n_tokens.tolist() == [[5], [3]]
    assert KeyValueCache().n_tokens == 0


@pytest.mark.parametrize("library", LIBRARIES)
def test_rows_can_be_chosen_and_repeated(library):
    model = library.model(MODEL)
    cache = cached(library.array(IDS), model)
    cache.reorder_cache(library.array(np.array([1, 0, 1])))
    assert cache.batch_size == 3
    logits = next_logits(cache, library.array(np.array([[5], [6], [4]])), model)
    whole = np.concatenate([IDS[[1, 0, 1]], [[5], [6], [4]]], axis=1)
    same(host(logits)[:, 0], MODEL(whole).logits[:, 5])


def test_rows_are_chosen_into_memory_that_nothing_needs_any_more():
    cache = cached()
    first = cache.layers[0]._keys
    for rows in ([1, 0], [1, 1]):
        cache.reorder_cache(rows)
    assert cache.layers[0]._keys is first
    whole = np.concatenate([IDS[[0, 0]], [[5], [6]]], axis=1)
    same(next_logits(cache, [[5], [6]])[:, 0], MODEL(whole).logits[:, 5])


def test_rows_are_not_chosen_into_memory_that_is_too_small():
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 4))
    for spare in (np.zeros((2, 3, 7, 4)), np.zeros((1, 3, 9, 4)), np.zeros((3, 3, 9, 4))):
        same(rows_of(x, np.array([1, 1]), spare)[:, :, :8], x[[1, 1]])


def test_an_interrupted_choice_of_rows_has_chosen_nothing(monkeypatch):
    cache, calls = cached(), []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return rows_of(*arguments)

    cache.reorder_cache([1, 0])  # from here on there is memory to write over
    monkeypatch.setattr("minirobert.cache.rows_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.reorder_cache([0, 0])
    whole = np.concatenate([IDS[[1, 0]], [[5], [6]]], axis=1)
    same(next_logits(cache, [[5], [6]])[:, 0], MODEL(whole).logits[:, 5])


def test_rows_are_chosen_of_the_encoders_texts_too():
    states = np.random.default_rng(0).standard_normal((2, 4, 12))
    cache = cached(IDS, CROSS, encoder_hidden_states=states)
    cache.reorder_cache([1, 1, 0])
    logits = next_logits(cache, [[5], [6], [4]], CROSS)
    whole = np.concatenate([IDS[[1, 1, 0]], [[5], [6], [4]]], axis=1)
    same(logits, CROSS(whole, encoder_hidden_states=states[[1, 1, 0]]).logits[:, 5:])


def test_choosing_rows_of_an_empty_cache_changes_nothing():
    cache = KeyValueCache()
    cache.reorder_cache([0, 1])
    assert cache.batch_size is None


@pytest.mark.parametrize(("length", "kept"), [(3, 3), (-2, 3), (5, 5), (-5, 0), (0, 0)])
def test_cropping_goes_back(length, kept):
    cache = cached()
    cache.crop(length)
    assert cache.get_seq_length() == kept
    same(next_logits(cache, IDS[:, kept:] if kept < 5 else IDS[:, :1]),
         MODEL(IDS).logits[:, kept:] if kept < 5
         else MODEL(np.concatenate([IDS, IDS[:, :1]], axis=1)).logits[:, 5:])  # fmt: skip


@pytest.mark.parametrize("length", [6, -6])
def test_cropping_to_more_than_there_is(length):
    with pytest.raises(ValueError, match=rf"length is {length}, but the cache holds 5 tokens: .*"):
        cached().crop(length)


def test_cropped_to_nothing_it_takes_another_batch():
    cache = cached()
    cache.crop(0)
    same(next_logits(cache, [[0, 7, 8]]), MODEL([[0, 7, 8]]).logits)


@pytest.mark.parametrize("model", [MODEL, CROSS], ids=["self", "cross"])
def test_legacy_tuples_there_and_back(model):
    states = np.random.default_rng(0).standard_normal((2, 4, 12))
    more = {"encoder_hidden_states": states} if model is CROSS else {}
    legacy = cached(IDS[:, 1:3], model, **more).to_legacy_cache()
    assert len(legacy) == 2
    assert [array.shape for array in legacy[0]] == [(2, 3, 2, 4)] * 2 + [(2, 3, 4, 4)] * (
        2 if more else 0
    )
    again = KeyValueCache.from_legacy_cache(legacy).to_legacy_cache()
    for one, other in zip(legacy, again, strict=True):
        for array, copy in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, copy)
            assert not np.shares_memory(array, copy)
    # the padding is not known any more: positions have to be said
    logits = next_logits(legacy, IDS[:, 3:], model, position_ids=[[4, 5], [3, 4]])
    same(logits, model(IDS[:, 1:], **more).logits[:, 2:])
    with_none = tuple((*layer[:2], None, None) for layer in legacy)
    assert len(KeyValueCache.from_legacy_cache(with_none)[0]) == 2
    assert len(KeyValueCache.from_legacy_cache(())) == 0


@pytest.mark.parametrize(
    ("legacy", "sentence"),
    [
        ([5], r"past_key_values\[0\] must be \(key, value\) or"),
        ([(np.ones((1, 1, 2, 3)),)], r"past_key_values\[0\] must be \(key, value\) or"),
        ([(np.ones((1, 1, 2, 3)), np.ones((1, 1, 3, 3)))], r"\[1, 1, 2, 3\] and \[1, 1, 3, 3\], b"),
        ([(np.ones((1, 2, 3)), np.ones((1, 2, 3)))], "same .batch, heads, tokens, head size"),
        (
            [(np.ones((1, 1, 2, 3)),) * 2, (np.ones((1, 1, 4, 3)),) * 2],
            r"past_key_values\[1\] has key and value of shapes \[1, 1, 4, 3\]",
        ),
    ],
)
def test_broken_legacy_tuples(legacy, sentence):
    with pytest.raises(ValueError, match=sentence):
        KeyValueCache.from_legacy_cache(legacy)


def test_the_encoders_text_is_computed_once():
    states = np.random.default_rng(0).standard_normal((2, 4, 12))
    mask = np.array([[1, 1, 1, 0], [1, 0, 1, 1]])
    more = {"encoder_hidden_states": states, "encoder_attention_mask": mask}
    whole = CROSS(IDS, **more).logits
    cache = cached(IDS[:, :3], CROSS, **more)
    kept = cache.layers[0].cross[0]
    same(next_logits(cache, IDS[:, 3:4], CROSS, encoder_attention_mask=mask), whole[:, 3:4])
    other = {**more, "encoder_hidden_states": states + 1}  # as in transformers, not looked at
    same(next_logits(cache, IDS[:, 4:], CROSS, **other), whole[:, 4:])
    assert cache.layers[0].cross[0] is kept


@pytest.mark.parametrize("rows", [1, 2])
def test_the_encoders_mask_is_remembered(rows):
    states = np.random.default_rng(0).standard_normal((2, 4, 12))
    mask = np.array([[1, 1, 0, 0], [0, 1, 1, 1]])[:rows]
    more = {"encoder_hidden_states": states, "encoder_attention_mask": mask}
    whole = CROSS(IDS, **more).logits
    cache = cached(IDS[:, :3], CROSS, **more)
    same(next_logits(cache, IDS[:, 3:4], CROSS), whole[:, 3:4])
    cache.reorder_cache([1, 0])
    same(next_logits(cache, IDS[::-1, 4:], CROSS), whole[::-1, 4:])
    cache.crop(-1)
    all_ones = np.ones((2, 4), int)
    assert np.abs(next_logits(cache, IDS[::-1, 4:], CROSS, encoder_attention_mask=all_ones)
                  - whole[::-1, 4:]).max() > 1e-3  # fmt: skip


def test_a_mask_with_a_row_for_each_token_is_not():
    more = {"encoder_attention_mask": np.ones((2, 5, 4), int)}
    cache = cached(IDS, CROSS, encoder_hidden_states=np.ones((2, 4, 12)), **more)
    with pytest.raises(ValueError, match="had a row for each of its tokens: give one for those of"):
        next_logits(cache, IDS[:, :1], CROSS)


def test_without_an_encoders_text_cross_attention_is_left_out():
    output = CROSS(IDS, output_attentions=True)
    assert output.cross_attentions is None
    assert len(cached(IDS, CROSS)[0]) == 2


@pytest.mark.parametrize("past", [0, 3])
def test_an_interrupted_run_has_read_nothing(monkeypatch, past):
    cache = cached(IDS[:, :past]) if past else KeyValueCache()
    written = []

    def interrupted(self, *arguments):
        if written:  # in the second layer
            raise KeyboardInterrupt
        written.append(write(self, *arguments))
        return written[0]

    write = LayerCache.write
    with monkeypatch.context() as patched:
        patched.setattr(LayerCache, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            MODEL(IDS[:, :2], past_key_values=cache)
    assert written
    assert cache.get_seq_length() == past
    same(next_logits(cache, IDS[:, past:]), MODEL(IDS).logits[:, past:])


def test_a_first_run_that_was_interrupted_leaves_no_text_of_an_encoder(monkeypatch):
    states = np.random.default_rng(0).standard_normal((2, 4, 12))
    cache = KeyValueCache()
    with monkeypatch.context() as patched:
        patched.setattr(KeyValueCache, "advance", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            CROSS(IDS, past_key_values=cache, encoder_hidden_states=states)
    logits = next_logits(cache, IDS, CROSS, encoder_hidden_states=-states)
    same(logits, CROSS(IDS, encoder_hidden_states=-states).logits)


def test_what_it_says_of_itself():
    assert repr(KeyValueCache()) == "KeyValueCache(empty)"
    assert repr(cached()) == "KeyValueCache(batch 2, 5 tokens, 2 layers)"
    assert "past_key_values=KeyValueCache(batch 2, 5 tokens, 2 layers)" in repr(MODEL(IDS))
    assert KeyValueCache()  # an empty cache is one all the same
    with pytest.raises(ValueError, match="the cache is empty"):
        LayerCache().read(1)


@pytest.mark.parametrize(
    ("past", "error", "sentence"),
    [
        (cached(IDS[:1]), ValueError, "holds 1 texts, but the batch has 2: go on with the same"),
        (5, TypeError, "past_key_values is a int, but must be a KeyValueCache, or a tuple"),
        (
            cached(IDS, RobertaForCausalLM(RobertaConfig(**{**FIELDS, "num_hidden_layers": 1}))),
            ValueError,
            "has 1 layers, but the model has 2: it comes from another model",
        ),
        (cached(IDS, MODEL.astype("float32")), TypeError, "has dtype float32, but the model comp"),
        (
            cached(IDS, RobertaForCausalLM(RobertaConfig(**{**FIELDS, "hidden_size": 6}))
                   .astype("float64")),
            ValueError,
            "has heads of size 2, but the model's have 4: it comes from another model",
        ),
    ],
)  # fmt: skip
def test_a_cache_that_does_not_fit(past, error, sentence):
    with pytest.raises(error, match=sentence):
        MODEL(IDS, past_key_values=past)


def test_a_cache_of_a_model_with_cross_attention():
    past = cached(IDS, CROSS, encoder_hidden_states=np.ones((2, 4, 12)))
    with pytest.raises(
        ValueError, match=r"\[0\] holds the text of an encoder, but the model has no"
    ):
        MODEL(IDS, past_key_values=past)
    legacy = past.to_legacy_cache()
    with pytest.raises(ValueError, match=r"\[1\] and past_key_values\[0\] must both hold the text"):
        CROSS(IDS, past_key_values=(legacy[0], legacy[1][:2]))
    for broken in (legacy[1][2][:1], legacy[1][2][:, :2], legacy[1][2][:, :, :3]):
        with pytest.raises(
            ValueError, match=r"past_key_values\[1\] has shape .* must have \[2, 3, 4"
        ):
            CROSS(IDS, past_key_values=(legacy[0], (*legacy[1][:2], broken, broken)))
    for place in (1, 3):
        arrays = list(legacy[1])
        arrays[place] = arrays[place].astype(np.float32)
        with pytest.raises(
            TypeError, match=r"past_key_values\[1\] has dtype float32, but the model"
        ):
            CROSS(IDS, past_key_values=(legacy[0], tuple(arrays)))


@pytest.mark.parametrize(
    ("rows", "error", "sentence"),
    [
        (
            [0, 2],
            ValueError,
            r"beam_idx\[1\] is 2, but must be from 0 to 1 \(the cache holds 2 texts\)",
        ),
        ([-1], ValueError, r"beam_idx\[0\] is -1, but must be from 0 to 1"),
        ([], ValueError, "beam_idx is empty"),
        ([0.5], TypeError, "beam_idx has dtype float64, but must hold integers"),
        ([[0]], ValueError, r"beam_idx has 2 axes"),
    ],
)
def test_rows_that_are_not_there(rows, error, sentence):
    cache = cached()
    with pytest.raises(error, match=sentence):
        cache.reorder_cache(rows)
    same(next_logits(cache, IDS[:, :1]),
         MODEL(np.concatenate([IDS, IDS[:, :1]], axis=1)).logits[:, 5:])  # fmt: skip


def test_half_a_token_cannot_be_left():
    with pytest.raises(TypeError, match=r"length is 1\.5, but must be an integer"):
        cached().crop(1.5)


def test_a_cache_on_another_device():
    from tests.libraries import STRICT

    past = cached(STRICT.array(IDS), STRICT.model(MODEL))
    with pytest.raises(ValueError, match=r"past_key_values\[0\] is a array_api_strict array on"):
        MODEL(IDS, past_key_values=past)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"attention_mask": [[1], [1]]},
            r"has shape \[2, 1\], but must have \[2, 6\] or .*: the cache holds 5 tokens, and 1 a",
        ),
        (
            {"cache_position": [3]},
            r"cache_position\[0\] is 3, but must be of 5: the cache holds 5 tokens, and new ones",
        ),
        ({"cache_position": [5, 6]}, r"cache_position has shape \[2\], but must have \[1\]"),
        ({"encoder_hidden_states": np.ones((2, 3, 12))}, "the model has no cross-attention: make"),
        ({"encoder_attention_mask": [[1]]}, "encoder_attention_mask was given, but encoder_hid"),
    ],
)
def test_arguments_that_do_not_fit_the_cache(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        MODEL([[5], [6]], past_key_values=cached(), **arguments)


def test_positions_run_out():
    model = RobertaForCausalLM(RobertaConfig(**{**FIELDS, "max_position_embeddings": 8}))
    cache = cached([[5] * 4], model)
    assert model([[5, 5]], past_key_values=cache).logits.shape == (1, 2, 23)
    with pytest.raises(ValueError, match="a sequence has 7 tokens, but the position table's 8 r"):
        model([[5]], past_key_values=cache)
    fields = {**FIELDS, "max_position_embeddings": 8, "position_embedding_type": "relative_key"}
    model = RobertaForCausalLM(RobertaConfig(**fields))
    cache = cached([[5] * 7], model)
    model([[5]], past_key_values=cache)
    with pytest.raises(ValueError, match="a sequence has 9 tokens, but the distance tables' 15 r"):
        model([[5]], past_key_values=cache)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (
            {"encoder_hidden_states": np.ones((2, 12))},
            ValueError,
            r"\[2, 12\], but must have \[2, ",
        ),
        ({"encoder_hidden_states": np.ones((3, 4, 12))}, ValueError, "encoder's sequence, 12"),
        ({"encoder_hidden_states": np.ones((2, 4, 11))}, ValueError, "hidden_size is 12"),
        (
            {"encoder_hidden_states": np.ones((2, 0, 12))},
            ValueError,
            "encoder_hidden_states is emp",
        ),
        (
            {"encoder_hidden_states": np.ones((2, 4, 12), int)},
            TypeError,
            "must hold floating-point",
        ),
        ({"encoder_hidden_states": np.ones((2, 4, 12), "f4")}, TypeError, "float32, but the model"),
        (
            {"encoder_hidden_states": np.ones((2, 4, 12)), "encoder_attention_mask": [[1, 1]] * 2},
            ValueError,
            r"encoder_attention_mask has shape \[2, 2\], but must have \[2, 4\] or \[1, 4\] or \[2",
        ),
        (
            {"encoder_hidden_states": np.ones((2, 2, 12)), "encoder_attention_mask": [[1, 3]] * 2},
            ValueError,
            r"encoder_attention_mask\[0, 1\] is 3, but must be 1 \(attend\) or 0 \(masked\)",
        ),
    ],
)
def test_texts_of_an_encoder_that_do_not_fit(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        CROSS(IDS, **arguments)


def test_an_encoders_text_of_another_length_than_cached():
    cache = cached(IDS, CROSS, encoder_hidden_states=np.ones((2, 4, 12)))
    with pytest.raises(ValueError, match="has 5 tokens, but past_key_values was made with 4: give"):
        CROSS([[5], [6]], past_key_values=cache, encoder_hidden_states=np.ones((2, 5, 12)))


def test_lists_are_taken_as_an_encoders_text():
    lists = np.ones((2, 3, 12)).tolist()
    same(CROSS(IDS, encoder_hidden_states=lists).logits,
         CROSS(IDS, encoder_hidden_states=np.ones((2, 3, 12))).logits)  # fmt: skip


@pytest.mark.parametrize("j", range(5))
def test_a_token_changes_nothing_before_it(j):
    changed = IDS.copy()
    changed[:, j] = 12
    before, after = MODEL(IDS).logits, MODEL(changed).logits
    np.testing.assert_array_equal(before[:, :j], after[:, :j])
    assert np.abs(before[:, j:] - after[:, j:]).max() > 1e-3


@pytest.mark.filterwarnings("ignore:is_decoder is False")
def test_a_mask_of_three_axes_is_taken_as_it_is():
    ahead = np.ones((2, 5, 5), int)
    encoder = RobertaForCausalLM(RobertaConfig(**{**FIELDS, "is_decoder": False}), MODEL.params)
    same(MODEL(IDS, attention_mask=ahead).logits, encoder(IDS).logits)
    assert np.abs(MODEL(IDS).logits - encoder(IDS).logits).max() > 1e-3


def test_the_causal_mask_of_a_single_token_sees_all():
    assert causal_mask(1, 4, NUMPY.array([1.0])).all()


def test_every_intermediate_of_a_decoder_has_a_name():
    states = np.random.default_rng(0).standard_normal((2, 4, 12))
    cache = cached(IDS[:, :3], CROSS)
    with watch() as seen:
        CROSS(IDS[:, 3:], past_key_values=cache, encoder_hidden_states=states)
    layer = "roberta.encoder.layer.1."
    shapes = {
        "attention.self.query": (2, 3, 2, 4),
        "attention.self.key": (2, 3, 2, 4),  # of the new tokens
        "attention.self.scores": (2, 3, 2, 5),
        "crossattention.self.query": (2, 3, 2, 4),
        "crossattention.self.value": (2, 3, 4, 4),
        "crossattention.self.scores": (2, 3, 2, 4),
        "crossattention.self.probabilities": (2, 3, 2, 4),
        "crossattention.self.context": (2, 2, 12),
        "crossattention.output.dense": (2, 2, 12),
        "crossattention.output.LayerNorm": (2, 2, 12),
    }
    assert {name: seen[layer + name].shape for name in shapes} == shapes


def test_models_say_that_they_look_the_wrong_way():
    from minirobert import RobertaForMaskedLM

    with pytest.warns(UserWarning, match="is_decoder is False, so RobertaForCausalLM looks ahead"):
        RobertaForCausalLM(RobertaConfig(**{**FIELDS, "is_decoder": False}))
    with pytest.warns(UserWarning, match="is_decoder is False") as caught:
        RobertaForCausalLM.from_pretrained()
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UserWarning, match="is_decoder is True, so RobertaForMaskedLM looks only b"):
        RobertaForMaskedLM(CONFIG)
