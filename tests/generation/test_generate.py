"""Continuing texts: drawing words, streaming, caching, batches, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minirobert import GenerationConfig, RobertaConfig, RobertaForCausalLM
from minirobert.functional import softmax
from minirobert.generation import greedy, sample
from minirobert.generation.sampling import random_streams
from minirobert.observe import observe, watch
from minirobert.parameters import map_tree
from tests.libraries import LIBRARIES, STRICT, host

SMALL = {
    "vocab_size": 23,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 17,
    "max_position_embeddings": 22,
    "is_decoder": True,
    "tie_word_embeddings": False,  # tied ones make the last word the likeliest next
}
everywhere = pytest.mark.parametrize("library", LIBRARIES)


def lively(dtype="float64", **fields):
    """Make a model whose next words depend on the text: weights of the usual size hardly do it."""
    model = RobertaForCausalLM(RobertaConfig(**{**SMALL, **fields}))
    rng = np.random.default_rng(3)

    def drawn(array):
        return array + rng.standard_normal(array.shape) * (0.1 if array.ndim == 1 else 0.8)

    weights = map_tree(drawn, model.params)
    return RobertaForCausalLM(model.config, weights).astype(dtype)


PROMPTS = np.array([[1, 1, 0, 7, 8], [0, 5, 9, 4, 21], [1, 1, 1, 1, 6]])


@everywhere
def test_words_are_drawn_with_their_probabilities(library):
    scores = np.array([1.0, -np.inf, 0.3, 2.0, -0.5, -np.inf])
    n = 40_000
    rng = np.random.default_rng(5)
    rows = library.array(np.broadcast_to(scores, (n, 6)).copy())
    counts = np.bincount(host(sample(rows, library.array(rng.random(n)))).astype(int), minlength=6)
    expected = softmax(scores) * n
    assert counts[[1, 5]].tolist() == [0, 0]
    possible = expected > 0
    chi_square = np.sum((counts - expected)[possible] ** 2 / expected[possible])
    assert chi_square < 16.3  # with 3 degrees of freedom, passed by chance once in a thousand times


def test_the_ends_of_the_line_fall_on_possible_words():
    scores = np.array([[-np.inf, 0.0, 0.0, -np.inf]])
    for uniform, word in [(0.0, 1), (np.nextafter(0.5, 0), 1), (0.5, 2), (1.0, 2)]:
        assert sample(scores, np.array([uniform])) == word


@everywhere
def test_greedy_takes_the_first_of_equals(library):
    chosen = greedy(library.array(np.array([[0.0, 2.0, 2.0], [1.0, 1.0, -np.inf]])))
    assert host(chosen).tolist() == [1, 0]


@everywhere
@pytest.mark.parametrize("options", [{}, {"top_k": 3}, {"top_p": 0.5}, {"temperature": 3.0}])
def test_the_same_seed_draws_the_same(library, options):
    model, prompts = library.model(lively()), library.array(PROMPTS)
    options = {"do_sample": True, "max_new_tokens": 9, "eos_token_id": None, **options}
    one, same, other = (host(model.generate(prompts, rng=i, **options)) for i in (7, 7, 8))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_what_is_drawn_for_a_text_does_not_depend_on_the_others():
    model, options = lively(), {"do_sample": True, "max_new_tokens": 9, "eos_token_id": None}
    together = model.generate(PROMPTS, rng=7, num_return_sequences=2, **options)
    first = model.generate(PROMPTS[:1], rng=7, num_return_sequences=2, **options)
    np.testing.assert_array_equal(together[:2], first)
    assert (together[0] != together[1]).any()
    seeds = [11, 12, 13]
    together = model.generate(PROMPTS, rng=seeds, **options)
    for i, seed in enumerate(seeds):
        alone = model.generate(PROMPTS[i : i + 1], rng=[seed], **options)
        np.testing.assert_array_equal(together[i : i + 1], alone)


def test_a_generator_goes_on():
    rng = np.random.default_rng(1)
    one, other = (lively().generate(PROMPTS, rng=rng, do_sample=True) for _ in range(2))
    assert one.shape != other.shape or (one != other).any()


@everywhere
def test_sampling_stays_among_the_best(library):
    model = library.model(lively())
    prompts, options = library.array(PROMPTS), {"max_new_tokens": 9}
    output = model.generate(prompts, do_sample=True, top_k=1, output_scores=True, rng=0, **options)
    np.testing.assert_array_equal(host(output.sequences), host(model.generate(prompts, **options)))
    assert all((np.isfinite(host(scores)).sum(axis=1) == 1).all() for scores in output.scores)


@everywhere
@settings(max_examples=25)
@given(
    data=st.data(),
    do_sample=st.booleans(),
    eos=st.lists(st.integers(0, 22), max_size=3),
    n_new=st.integers(1, 15),
)
def test_a_stream_gives_what_generate_does(library, data, do_sample, eos, n_new):
    options = {
        "do_sample": do_sample,
        "eos_token_id": eos,
        "max_new_tokens": n_new,
        "num_return_sequences": data.draw(st.integers(1, 3)) if do_sample else 1,
        "rng": 5,
    }
    model, prompts = library.model(lively()), library.array(PROMPTS)
    tokens = [host(one) for one in model.stream(prompts, **options)]
    expected = host(model.generate(prompts, **options))
    np.testing.assert_array_equal(np.stack(tokens, axis=1), expected[:, PROMPTS.shape[1] :])


def test_a_stream_computes_no_more_than_is_read(monkeypatch):
    calls = []
    compute = RobertaForCausalLM._next_logits
    monkeypatch.setattr(
        RobertaForCausalLM, "_next_logits", lambda *a: calls.append(a[1].shape) or compute(*a)
    )
    stream = lively().stream(PROMPTS)
    assert calls == []
    next(stream), next(stream)
    assert calls == [(3, 5), (3, 1)]


@everywhere
@pytest.mark.parametrize("positions", ["absolute", "relative_key", "relative_key_query"])
@pytest.mark.parametrize(
    "options", [{}, {"do_sample": True, "num_return_sequences": 2}, {"num_beams": 3}], ids=str
)
def test_with_a_cache_and_without(library, positions, options):
    model, prompts = library.model(lively(position_embedding_type=positions)), PROMPTS
    one, other = (
        model.generate(library.array(prompts), use_cache=use_cache, rng=4, **options)
        for use_cache in (True, False)
    )
    np.testing.assert_array_equal(host(one), host(other))


@everywhere
@pytest.mark.parametrize("options", [{}, {"num_beams": 3, "num_return_sequences": 2}], ids=str)
def test_texts_of_a_batch_are_continued_as_each_alone(library, options):
    model = library.model(lively())
    options |= {"max_new_tokens": 7, "eos_token_id": None}
    together = host(model.generate(library.array(PROMPTS), **options))
    each = options.get("num_return_sequences", 1)
    for i, prompt in enumerate(PROMPTS):
        alone = host(model.generate(library.array(prompt[None, prompt != 1]), **options))
        np.testing.assert_array_equal(together[each * i : each * (i + 1), -7:], alone[:, -7:])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("options", [{}, {"do_sample": True, "rng": 0}, {"num_beams": 2}], ids=str)
def test_scores_are_at_least_float32(dtype, options):
    output = lively(dtype).generate(PROMPTS, output_scores=True, **options)
    assert {scores.dtype for scores in output.scores} == {np.dtype("float32")}
    assert output.sequences.dtype == np.int64


def test_a_text_that_has_ended_is_padded_and_the_last_end_ends_all():
    model = lively()
    free = model.generate(PROMPTS, max_new_tokens=12, eos_token_id=None)[:, 5:]
    eos = int(free[0, 2])
    ends = [row.tolist().index(eos) if eos in row else 11 for row in free]
    assert len(set(ends)) > 1
    for pad, options in [(1, {}), (22, {"pad_token_id": 22})]:
        new = model.generate(PROMPTS, max_new_tokens=12, eos_token_id=eos, **options)[:, 5:]
        assert new.shape[1] == max(ends) + 1
        for row, expected, end in zip(new, free, ends, strict=True):
            np.testing.assert_array_equal(row[: end + 1], expected[: end + 1])
            assert (row[end + 1 :] == pad).all()


def test_how_many_tokens_come():
    model = lively(eos_token_id=None, max_position_embeddings=42)
    assert model.generate(PROMPTS).shape == (3, 25)
    assert model.generate(PROMPTS, max_length=9).shape == (3, 9)
    assert model.generate(PROMPTS, max_length=9, max_new_tokens=3).shape == (3, 8)
    assert lively(eos_token_id=None).generate(PROMPTS).shape == (3, 20)  # of 20 positions, 5 taken
    assert lively(extra={"max_length": 7}, eos_token_id=None).generate(PROMPTS).shape == (3, 7)
    assert model.generate(max_new_tokens=4)[:, 0].tolist() == [0]


@pytest.mark.parametrize("room", [42, 22])
def test_the_length_20_of_a_configuration_is_transformers_default_of_20_new_tokens(room):
    config = RobertaConfig(eos_token_id=None, extra={"max_length": 20})
    assert GenerationConfig.from_model_config(config).max_length is None
    assert GenerationConfig.from_model_config(config, max_length=20).max_length == 20
    assert GenerationConfig.from_model_config(RobertaConfig(extra={"max_length": 19})).max_length
    model = lively(eos_token_id=None, max_position_embeddings=room, extra={"max_length": 20})
    prompt = [[0, 5, 6, 7, 8]]
    assert model.generate(prompt).shape == (1, 25 if room > 25 else 20)  # 20 are new, or fewer fit
    assert model.generate(prompt, max_length=20).shape == (1, 20)


@pytest.mark.parametrize("options", [{}, {"do_sample": True, "rng": 1}, {"num_beams": 2}], ids=str)
@pytest.mark.parametrize("use_cache", [True, False])
def test_the_intermediates_of_each_step_have_names_of_their_own(options, use_cache):
    model, past = lively(eos_token_id=None), PROMPTS.shape[1]
    options |= {"max_new_tokens": 3, "use_cache": use_cache}
    with watch() as seen:
        model.generate(PROMPTS, **options)
    with watch() as once:
        model(PROMPTS)
    for step in range(3):
        names = [name for name in seen if name.startswith(f"step.{step}.")]
        assert {name.split(".", 2)[2] for name in names} == set(once)
        of_a_layer = seen[f"step.{step}.roberta.encoder.layer.1.attention.self.probabilities"]
        assert of_a_layer.shape[-1] == past + step
        assert of_a_layer.shape[-2] == (1 if use_cache and step else past + step)
    assert len(seen) == 3 * len(once)


def test_the_steps_of_a_stream_are_counted_too():
    with watch() as seen:
        tokens = lively(eos_token_id=None).stream(PROMPTS)
        next(tokens), next(tokens)
        observe("mine", PROMPTS)  # between two steps, it is in neither
    assert {name.split(".")[1] for name in seen if name.startswith("step.")} == {"0", "1"}
    assert "mine" in seen


def test_padding_that_needs_no_position_leaves_room():
    prompts = np.array([[1] * 30 + [0, 5]])
    new = lively().generate(prompts, max_new_tokens=18, eos_token_id=None)[:, 32:]
    alone = lively().generate(prompts[:, 30:], max_new_tokens=18, eos_token_id=None)[:, 2:]
    np.testing.assert_array_equal(new, alone)


def test_an_encoder_that_looks_ahead_generates_too():
    with pytest.warns(match="is_decoder is False"):
        model = lively(is_decoder=False)
    assert model.generate(PROMPTS, max_new_tokens=3).shape == (3, 8)


@everywhere
@pytest.mark.parametrize("use_cache", [True, False])
def test_cross_attention(library, use_cache):
    model = library.model(lively(add_cross_attention=True))
    hidden = np.random.default_rng(0).standard_normal((2, 4, 12))
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1]])
    new = host(
        model.generate(
            encoder_hidden_states=library.array(hidden),
            encoder_attention_mask=library.array(mask),
            num_beams=2,
            use_cache=use_cache,
        )
    )
    alone = host(model.generate(encoder_hidden_states=library.array(hidden[:1, :2]), num_beams=2))
    np.testing.assert_array_equal(new[:1, : alone.shape[1]], alone)


@pytest.mark.parametrize(
    ("prompts", "options", "sentence"),
    [
        ([[0, 5, 1], [0, 5, 6]], {}, 'row 0 of input_ids ends in padding.*padding_side = "left"'),
        ([[0, 5, 6], [1, 1, 1]], {}, "row 1 of input_ids has no token"),
        ([[0, 5, 6]], {"attention_mask": [[1, 1, 0]]}, "row 0 of input_ids ends in padding"),
        ([[0, 5, 6]], {"attention_mask": [[1, 1]]}, r"must have \[1, 3\]"),
        ([[]], {}, "input_ids is empty"),
        ([[0, 5, 23]], {"max_new_tokens": 1}, r"input_ids\[0, 2\] is 23"),
        (None, {"bos_token_id": None}, "a text needs a beginning"),
        (
            [[0, 5]],
            {"max_new_tokens": 19},
            "would make 21.*holds 20: set max_new_tokens to at most",
        ),
        ([[0] * 20], {}, "would make 21.*shorten the prompt"),
        ([[0, 5]], {"max_length": 2}, "already has 2 tokens.*set max_new_tokens"),
        ([[0, 5]], {"min_new_tokens": 4, "max_new_tokens": 3}, "only 3 new tokens"),
        ([[0, 5]], {"max_new_tokens": 0}, "max_new_tokens is 0"),
        ([[0, 5]], {"num_return_sequences": 2}, "only one likeliest text"),
        ([[0, 5]], {"num_return_sequences": 3, "num_beams": 2}, "a choice of 2 beams"),
        ([[0, 5]], {"num_beams": 2, "do_sample": True}, "leave one of them out"),
        (
            [[0, 5]],
            {"num_beams": 23},
            "num_beams is 23, but must be an integer from 1 to 22, the number",
        ),
        ([[0, 5]], {"eos_token_id": [3, 23]}, "eos_token_id is 23"),
        ([[0, 5]], {"pad_token_id": 23}, "pad_token_id is 23"),
        ([[0, 5]], {"temperature": 0.0, "do_sample": True}, "temperature is 0.0"),
        ([[0, 5]], {"top_p": 1.1}, "top_p is 1.1"),
        ([[0, 5]], {"early_stopping": "soon"}, "early_stopping is 'soon'"),
        ([[0, 5]], {"do_sample": True, "rng": [1, 2]}, "rng has 2 seeds, but there are 1 texts"),
        ([[0, 5]], {"do_sample": True, "rng": -1}, "at least 0"),
        ([[0, 5]], {"encoder_attention_mask": [[1]]}, "encoder_hidden_states was not"),
        ([[0, 5]], {"encoder_hidden_states": np.zeros((1, 2, 12))}, "has no cross-attention"),
        (
            [[0, 5]],
            {"generation_config": GenerationConfig(num_beams=2), "do_sample": True},
            "beams 2",
        ),
    ],
)
def test_errors_are_sentences(prompts, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        lively().generate(prompts, **options)


def test_wrong_kinds():
    with pytest.raises(TypeError, match="no option 'max_tokens': those here are max_new_tokens"):
        lively().generate(PROMPTS, max_tokens=3)
    with pytest.raises(TypeError, match="rng is 'x'"):
        lively().generate(PROMPTS, do_sample=True, rng="x")
    with pytest.raises(ValueError, match="beam search knows the first token"):
        lively().stream(PROMPTS, num_beams=2)
    with pytest.raises(ValueError, match="device"):
        STRICT.model(lively()).generate(PROMPTS)


def test_padding_that_also_ends_texts_may_end_a_prompt():
    model = lively(pad_token_id=2, eos_token_id=2)
    assert model.generate([[0, 5, 2]], max_new_tokens=2).shape[1] > 3


def test_the_options_of_the_configuration():
    extra = {"num_beams": 3, "repetition_penalty": 1.5, "unknown": 1}
    config = GenerationConfig.from_model_config(RobertaConfig(extra=extra), num_beams=2)
    assert (config.num_beams, config.repetition_penalty, config.eos_token_id) == (2, 1.5, 2)
    assert (
        GenerationConfig.from_model_config(RobertaConfig(), eos_token_id=None).eos_token_ids == ()
    )
    assert GenerationConfig(top_k=None, min_new_tokens=None) == GenerationConfig(top_k=0)


def test_each_continuation_has_its_own_random_numbers():
    drawn = [stream.random() for stream in random_streams(3, 2, 3)]
    assert len(set(drawn)) == 6
    assert drawn[:3] == [stream.random() for stream in random_streams(3, 1, 3)]


def test_the_head_is_run_for_the_last_tokens_alone():
    with watch() as seen:
        lively().generate(PROMPTS, max_new_tokens=2)
    logits = [seen[name].shape for name in seen if name.endswith("lm_head.logits")]
    assert logits == [(3, SMALL["vocab_size"])] * 2


@pytest.mark.parametrize("method", ["generate", "stream"])
@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"position_ids": [[2, 3]]}, "position_ids is .*, but must be None: positions are counted"),
        ({"head_mask": np.ones(3)}, "head_mask is .*, but must be None: prune_heads"),
        ({"past_key_values": object()}, "past_key_values is .*, but must be None: a prompt is"),
        ({"token_type_ids": [[0, 2]]}, r"token_type_ids\[0, 1\] is 2, but must be from 0 to 1"),
        ({"token_type_ids": [[0]]}, r"token_type_ids has shape \[1, 1\], but must have \[1, 2\]"),
    ],
)
def test_inputs_that_are_refused_at_once(method, inputs, sentence):
    with pytest.raises(ValueError, match=sentence):
        getattr(lively(), method)([[0, 5]], **inputs)


def test_inputs_that_are_none():
    inputs = dict.fromkeys(("position_ids", "head_mask", "past_key_values", "token_type_ids"))
    options = {"max_new_tokens": 2}
    found = lively().generate([[0, 5]], **inputs, **options)
    np.testing.assert_array_equal(found, lively().generate([[0, 5]], **options))


def test_a_text_that_nothing_begins_is_not_padding():
    found = lively().generate(pad_token_id=0, max_new_tokens=3)
    np.testing.assert_array_equal(found, lively().generate([[0]], max_new_tokens=3))


EVERY = list(range(SMALL["vocab_size"]))


@pytest.mark.parametrize(
    "options",
    [
        {"suppress_tokens": EVERY},
        {"begin_suppress_tokens": EVERY},
        {"bad_words_ids": [[word] for word in EVERY], "eos_token_id": None},
        {"suppress_tokens": EVERY[:2] + EVERY[3:], "min_new_tokens": 2},  # but the end, too early
    ],
    ids=str,
)
def test_beams_of_which_none_is_possible(options):
    with pytest.raises(ValueError, match="no text may follow in row 0, for each has a word that"):
        lively().generate(PROMPTS, num_beams=2, max_new_tokens=3, **{"eos_token_id": 2, **options})


def test_beams_of_which_too_few_are_possible():
    model = lively()

    def allowed(row, ids):
        return [7] if row == 1 else [8, 9]

    options = {"prefix_allowed_tokens_fn": allowed, "num_beams": 2, "max_new_tokens": 3}
    found = model.generate(PROMPTS, **options, eos_token_id=None)
    assert found[1, 5:].tolist() == [7, 7, 7]
    sentence = "num_return_sequences is 2, but only 1 may follow in row 1, for others have a word"
    with pytest.raises(ValueError, match=sentence):
        model.generate(PROMPTS, **options, eos_token_id=None, num_return_sequences=2)
