"""The decoder's cache and its dropout, against itself and against transformers on torch."""

import itertools
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

import minirobert
from minirobert import KeyValueCache, RobertaConfig, RobertaForCausalLM, RobertaModel
from tests.equivalence.strategies import (
    CLASSES,
    batches,
    carried_over,
    configs,
    encoder_texts,
    labelled,
    seeds,
    torch_model,
)
from tests.equivalence.test_models import outputs_of, same_values
from tests.libraries import LIBRARIES, NUMPY, close, host

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")


@st.composite
def decoders(draw: st.DrawFn) -> dict[str, Any]:
    config = draw(configs())
    cross = draw(st.booleans())
    return {**config, "is_decoder": True, "use_cache": True, "add_cross_attention": cross}


@st.composite
def cuts(draw: st.DrawFn, length: int) -> list[tuple[int, int]]:
    """Cut a sequence into runs, of one token or more."""
    inner = draw(st.lists(st.integers(1, max(length - 1, 1)), unique=True, max_size=length))
    edges = [0, *sorted(edge for edge in inner if edge < length), length]
    return list(itertools.pairwise(edges))


@st.composite
def texts(draw: st.DrawFn, config: dict[str, Any], padded: bool = True) -> dict[str, Any]:
    """Draw the arguments of a full run; padding may stand on the left, or anywhere."""
    rng = np.random.default_rng(draw(seeds))
    batch, length = draw(st.integers(1, 3)), draw(st.integers(1, 9))
    pad = config["pad_token_id"]
    ids = rng.integers(pad + 1, config["vocab_size"], (batch, length))
    if padded:
        side = draw(st.sampled_from(["none", "left", "anywhere"]))
        for row in ids:
            count = int(rng.integers(0, length))
            where = range(count) if side == "left" else rng.choice(length, count, replace=False)
            row[list(where) if side != "none" else []] = pad
    arguments: dict[str, Any] = {"input_ids": ids}
    if draw(st.booleans()):
        del arguments["input_ids"]
        arguments["inputs_embeds"] = rng.standard_normal((batch, length, config["hidden_size"]))
    back = np.tril(np.ones((length, length), int))
    masks = {
        "padding": (ids != pad).astype(int),
        "holes": rng.integers(0, 2, (batch, length)),
        "square": rng.integers(0, 2, (batch, length, length)) * back | np.eye(length, dtype=int),
    }
    kind = draw(st.sampled_from(["none", *sorted(masks)]))
    if kind != "none":
        arguments["attention_mask"] = masks[kind]
    if draw(st.booleans()):
        arguments["token_type_ids"] = rng.integers(0, config["type_vocab_size"], (batch, length))
    if config["add_cross_attention"]:
        arguments |= draw(encoder_texts(config, (batch, length), rng))
    return {name: value for name, value in arguments.items() if value is not None}


def part(arguments: dict[str, Any], start: int, stop: int) -> dict[str, Any]:
    """Cut a run out of the arguments; the masks reach back to the first token."""
    cut = {}
    for name, value in arguments.items():
        if name == "attention_mask":
            cut[name] = value[:, :stop] if value.ndim == 2 else value[:, start:stop, :stop]
        elif name == "encoder_attention_mask" and value.ndim == 3:
            cut[name] = value[:, start:stop]
        elif name.startswith("encoder"):
            cut[name] = value
        else:
            cut[name] = value[:, start:stop]
    return cut


def ours(library: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: library.array(value) for name, value in arguments.items()}


def sees_something(arguments: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    """Tell which tokens have a key to look at; the others look evenly at all there are. [B, S]."""
    mask = arguments.get("attention_mask", np.ones(shape, int))
    return mask.any(-1) if mask.ndim == 3 else np.cumsum(mask, axis=1) > 0


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=100)
@given(data=st.data(), config=decoders(), seed=seeds)
def test_any_cut_gives_what_one_run_gives(library, data, config, seed):
    """Positions too: they go on behind left padding, and with inputs_embeds."""
    model = RobertaModel(RobertaConfig(**config, initializer_range=0.5), seed=seed)
    model = library.model(model.astype("float64"))
    arguments = data.draw(texts(config))
    whole = model(**ours(library, arguments), output_hidden_states=True, use_cache=False)
    assert whole.past_key_values is None
    batch, length, _ = whole.last_hidden_state.shape
    sees = sees_something(arguments, (batch, length))
    cache = KeyValueCache()
    for start, stop in data.draw(cuts(length)):
        cut = part(arguments, start, stop)
        if (
            start and cache.layers and data.draw(st.booleans())
        ):  # the cache knows the text of the encoder
            cut.pop("encoder_hidden_states", None)
            if cut.get("encoder_attention_mask", np.ones(0)).ndim == 2:  # and its mask
                del cut["encoder_attention_mask"]
        step = model(
            **ours(library, cut),
            past_key_values=cache,
            output_hidden_states=True,
            cache_position=library.array(np.arange(start, stop)),
        )
        assert step.past_key_values is cache
        assert cache.get_seq_length() == stop
        for state, expected in zip(step.hidden_states, whole.hidden_states, strict=True):
            here = sees[:, start:stop]
            close(host(state)[here], host(expected)[:, start:stop][here])


def torch_cache() -> EncoderDecoderCache:
    return EncoderDecoderCache(DynamicCache(), DynamicCache())


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=60)
@given(data=st.data(), config=decoders(), seed=seeds)
def test_the_cache_holds_what_transformers_holds(library, data, config, seed):
    """Where transformers is right: absolute positions, no padding, and ids rather than embeddings.

    Half of the time ours goes on from a tuple of transformers' arrays.
    """
    layers = max(config["num_hidden_layers"], 1)  # without any, transformers counts no tokens
    config = {**config, "position_embedding_type": "absolute", "num_hidden_layers": layers}
    theirs = torch_model("RobertaForCausalLM", config, seed)
    model = library.model(carried_over(theirs, RobertaForCausalLM, dtype="float64"))
    arguments = data.draw(texts(config, padded=False).filter(lambda drawn: "input_ids" in drawn))
    torch_past, past = torch_cache(), KeyValueCache()
    for start, stop in data.draw(cuts(arguments["input_ids"].shape[1])):
        cut = part(arguments, start, stop)
        with torch.no_grad():
            expected = theirs(
                **{name: torch.tensor(value) for name, value in cut.items()},
                past_key_values=torch_past,
                output_attentions=True,
            )
        given_past = data.draw(st.sampled_from([past, past.to_legacy_cache()])) if start else past
        actual = model(**ours(library, cut), past_key_values=given_past, output_attentions=True)
        past = actual.past_key_values
        close(actual.logits, expected.logits)
        names = ("attentions", "cross_attentions")
        for name in names if config["add_cross_attention"] else names[:1]:
            for mine, reference in zip(actual[name], expected[name], strict=True):
                close(mine, reference)
        assert len(past) == config["num_hidden_layers"]
        legacy = torch_past.to_legacy_cache()
        for i, layer in enumerate(past):
            for mine, reference in zip(layer, legacy[i], strict=False):
                close(mine, reference)


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=30)
@given(data=st.data(), config=configs(), seed=seeds)
def test_an_encoder_takes_a_cache_as_a_prefix(library, data, config, seed):
    """As prefix tuning uses it: trained keys and values before a text that looks to both sides."""
    config = {
        **config, "is_decoder": False, "add_cross_attention": False,
        "position_embedding_type": "absolute",
    }  # fmt: skip
    theirs = torch_model("RobertaModel", config, seed)
    model = library.model(carried_over(theirs, RobertaModel, dtype="float64"))
    rng = np.random.default_rng(seed)
    batch, prefix, length = (data.draw(st.integers(1, 3)) for _ in range(3))
    heads = config["num_attention_heads"]
    shape = (batch, heads, prefix, config["hidden_size"] // heads)
    legacy = [
        (rng.standard_normal(shape), rng.standard_normal(shape))
        for _ in range(config["num_hidden_layers"])
    ]
    ids = rng.integers(config["pad_token_id"] + 1, config["vocab_size"], (batch, length))
    torch_past = DynamicCache()
    for i, layer in enumerate(legacy):
        torch_past.update(*map(torch.tensor, layer), i)
    past = KeyValueCache.from_legacy_cache(
        tuple(tuple(library.array(x) for x in layer) for layer in legacy)
    )
    with torch.no_grad():
        expected = theirs(torch.tensor(ids), past_key_values=torch_past)
    actual = model(library.array(ids), past_key_values=past)
    close(actual.last_hidden_state, expected.last_hidden_state)
    assert actual.past_key_values is past


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", ["RobertaModel", "RobertaForCausalLM"])
@settings(max_examples=25)
@given(data=st.data(), config=decoders(), seed=seeds)
def test_places_in_the_output_and_in_the_tuple(library, class_name, data, config, seed):
    """The cache stands before the hidden states in tuples, and behind them in the base's output."""
    config = {**config, "position_embedding_type": "absolute", "num_hidden_layers": 2}
    theirs = torch_model(class_name, config, seed)
    model = library.model(carried_over(theirs, getattr(minirobert, class_name), dtype="float64"))
    arguments = data.draw(texts(config))
    wanted = {"output_hidden_states": data.draw(st.booleans()), "output_attentions": True}
    for options in (wanted, {**wanted, "return_dict": False}):
        with torch.no_grad():
            expected = theirs(
                **{name: torch.tensor(value) for name, value in arguments.items()}, **options
            )
        actual = model(**ours(library, arguments), **options)
        if "return_dict" not in options:
            assert list(actual.keys()) == list(expected.keys())
            expected = expected.to_tuple()
        assert len(actual) == len(expected)
        for mine, reference in zip(actual, expected, strict=True):
            if isinstance(mine, KeyValueCache):
                legacy = reference.to_legacy_cache()
                own = mine.to_legacy_cache()
                assert len(own) == len(legacy)
                for i, layer in enumerate(own):
                    same_values(layer, legacy[i][: len(layer)])
            else:
                same_values(mine, reference)


class Replay:
    """torch's dropout, with the random numbers that ours draws."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.masks: list[np.ndarray] = []

    def __call__(self, x, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return x
        self.masks.append(self.rng.random(tuple(x.shape)) >= p)
        keep = torch.tensor(self.masks[-1])
        return torch.where(keep, x / (1 - p) if p < 1 else x * 0, torch.zeros((), dtype=x.dtype))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("class_name", CLASSES)
@settings(max_examples=60)
@given(
    data=st.data(),
    config=configs(),
    seed=seeds,
    hidden=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    attention=st.sampled_from([0.0, 0.3]),
    classifier=st.sampled_from([None, 0.0, 0.7]),
)
def test_dropout_is_at_the_same_places(
    library, class_name, data, config, seed, hidden, attention, classifier
):
    """Both draw the same numbers in the same order, so one place too many or few shows."""
    config = {
        **data.draw(labelled(config, class_name)), "hidden_dropout_prob": hidden,
        "attention_probs_dropout_prob": attention, "classifier_dropout": classifier,
    }  # fmt: skip
    batch = data.draw(batches(config, class_name))
    theirs = torch_model(class_name, config, seed)
    model = library.model(carried_over(theirs, getattr(minirobert, class_name), dtype="float64"))
    replay = Replay(seed)
    wanted = {"output_hidden_states": True, "output_attentions": True}
    with torch.no_grad(), mock.patch("torch.nn.functional.dropout", replay):
        expected = outputs_of(theirs.train()(**batch.torch(torch.float64), **wanted))
    arguments = batch.ours(library, "float64")
    actual = outputs_of(model(**arguments, **wanted, train=True, rng=seed))
    for name, reference in expected.items():
        if name == "loss":
            continue  # of the same logits, in other tests
        close(actual[name], reference)
    assert replay.masks or not hidden


def test_the_replay_notices_a_missing_place():
    """The test above can fail: here attention's dropout is left out of ours."""
    config = {"vocab_size": 9, "hidden_size": 6, "num_attention_heads": 2, "num_hidden_layers": 1}
    theirs = torch_model("RobertaModel", config, 0)
    model = carried_over(theirs, RobertaModel, dtype="float64", attention_probs_dropout_prob=0.0)
    with torch.no_grad(), mock.patch("torch.nn.functional.dropout", Replay(3)):
        expected = theirs.train()(torch.tensor([[5, 6, 7]])).last_hidden_state
    actual = model([[5, 6, 7]], train=True, rng=3).last_hidden_state
    assert np.abs(host(actual) - host(expected)).max() > 1e-3


@given(seed=seeds, counted=st.floats(0.1, 1), items=st.sampled_from([None, 1, 7]))
def test_the_causal_loss(seed, counted, items):
    rng = np.random.default_rng(seed)
    config = {
        "vocab_size": 11, "hidden_size": 6, "num_attention_heads": 2, "num_hidden_layers": 1,
        "intermediate_size": 5, "max_position_embeddings": 9, "is_decoder": True,
    }  # fmt: skip
    theirs = torch_model("RobertaForCausalLM", config, seed)
    model = carried_over(theirs, RobertaForCausalLM, dtype="float32")
    ids = rng.integers(2, 11, (3, 5))
    labels = np.where(rng.random(ids.shape) < counted, ids, -100)
    extra = {} if items is None else {"num_items_in_batch": items}
    with torch.no_grad():
        expected = theirs.float()(torch.tensor(ids), labels=torch.tensor(labels), **extra)
    actual = model(ids, labels=labels, **extra)
    assert actual.loss.dtype == np.float32
    assert actual.past_key_values is None
    np.testing.assert_allclose(actual.loss, expected.loss.numpy(), rtol=1e-5, equal_nan=True)


def test_the_causal_loss_of_half_precision_is_float32():
    config = RobertaConfig(vocab_size=9, num_hidden_layers=1, is_decoder=True)
    model = RobertaForCausalLM(config).astype("float16")
    assert model([[5, 6]], labels=[[5, 6]]).loss.dtype == np.float32
    assert np.isnan(model([[5]], labels=[[5]]).loss)  # nothing follows


def test_transformers_own_cache_is_refused_with_a_sentence():
    model = NUMPY.model(RobertaModel(RobertaConfig(vocab_size=9, is_decoder=True)))
    with pytest.raises(TypeError, match="past_key_values is a DynamicCache, but must be a Key"):
        model([[5]], past_key_values=transformers.DynamicCache())
