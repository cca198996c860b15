"""Calls of models with values of every kind: the right result, or a sentence."""

import inspect
from random import Random
from typing import Any

import numpy as np
import pytest

from minirobert import (
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
)
from minirobert.generation.options import RULES
from minirobert.generation.settings import NOT_HERE
from minirobert.sentences import shown
from tests.robustness.oddities import FLOATS, IDS, OBJECTS, SCALARS, Numbers
from tests.robustness.outcomes import Refused, outcome, same

VOCAB = 300  # more than an int8 or uint8 holds
SIZES: dict[str, Any] = {
    "vocab_size": VOCAB, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 140, "type_vocab_size": 2,
}  # fmt: skip
DECODER = {"is_decoder": True}
CROSS = {**DECODER, "add_cross_attention": True}


def config(**options: Any) -> RobertaConfig:
    return RobertaConfig(**{**SIZES, **options})


MODELS = {
    "encoder": RobertaModel(config()),
    "without pooler": RobertaModel(config(), add_pooling_layer=False),
    "float64": RobertaModel(config()).astype("float64"),
    "decoder": RobertaModel(config(**DECODER)),
    "cross": RobertaModel(config(**CROSS)),
    "relative": RobertaModel(config(position_embedding_type="relative_key_query")),
    "masked words": RobertaForMaskedLM(config()),
    "next word": RobertaForCausalLM(config(**DECODER)),
    "next word, cross": RobertaForCausalLM(config(**CROSS)),
    "classes": RobertaForSequenceClassification(config(num_labels=3)),
    "several classes": RobertaForSequenceClassification(
        config(num_labels=3, problem_type="multi_label_classification")
    ),
    "regression": RobertaForSequenceClassification(config(num_labels=1)),
    "tokens": RobertaForTokenClassification(config(num_labels=3)),
    "answers": RobertaForQuestionAnswering(config()),
    "choices": RobertaForMultipleChoice(config()),
}
MASK = Numbers(
    {
        **IDS.same,
        "booleans": lambda v: v.astype(bool) if np.isin(v, (0, 1)).all() else v,
        "floats": lambda v: v * 1.0,
    },
    FLOATS.wrong,
)
KINDS: dict[str, Numbers] = {
    **dict.fromkeys(("attention_mask", "encoder_attention_mask"), MASK),
    **dict.fromkeys(("head_mask", "inputs_embeds", "encoder_hidden_states"), FLOATS),
}


def right_arguments(name: str, draw: Random) -> dict[str, np.ndarray]:
    """Draw arguments that fit a model."""
    model, numbers = MODELS[name], np.random.default_rng(draw.randrange(2**32))
    batch, length, hidden = draw.randint(1, 3), draw.randint(1, 6), SIZES["hidden_size"]
    shape = (batch, 2, length) if name == "choices" else (batch, length)
    dtype = model.dtype
    given = {"input_ids": numbers.integers(0, VOCAB, shape)}
    if draw.random() < 0.25:
        given = {"inputs_embeds": numbers.normal(size=(*shape, hidden)).astype(dtype)}
    optional = {
        "attention_mask": numbers.integers(0, 2, shape),
        "token_type_ids": numbers.integers(0, 2, shape),
        "position_ids": numbers.integers(0, SIZES["max_position_embeddings"], shape),
        "head_mask": numbers.normal(size=(2, 3)).astype(dtype),
        **labels(name, shape, numbers),
    }
    if name in ("cross", "next word, cross"):
        given["encoder_hidden_states"] = numbers.normal(size=(batch, 4, hidden)).astype(dtype)
        optional["encoder_attention_mask"] = numbers.integers(0, 2, (batch, 4))
    if name in ("decoder", "cross", "next word", "next word, cross"):
        optional["cache_position"] = np.arange(length)
    return given | {name: one for name, one in optional.items() if draw.random() < 0.4}


def labels(name: str, shape: tuple[int, ...], numbers: np.random.Generator) -> dict[str, Any]:
    batch = shape[:1]
    return {
        "masked words": lambda: {"labels": numbers.integers(0, VOCAB, shape)},
        "next word": lambda: {"labels": numbers.integers(0, VOCAB, shape)},
        "next word, cross": lambda: {"labels": numbers.integers(0, VOCAB, shape)},
        "classes": lambda: {"labels": numbers.integers(0, 3, batch)},
        "several classes": lambda: {"labels": numbers.random((*batch, 3), "float32")},
        "regression": lambda: {"labels": numbers.normal(size=batch).astype("float32")},
        "tokens": lambda: {"labels": numbers.integers(0, 3, shape)},
        "answers": lambda: {
            "start_positions": numbers.integers(0, 9, batch),
            "end_positions": numbers.integers(0, 9, batch),
        },
        "choices": lambda: {"labels": numbers.integers(0, 2, batch)},
    }.get(name, dict)()  # fmt: skip


def kind_of(name: str, argument: str) -> Numbers:
    if argument == "labels" and name in ("several classes", "regression"):
        return FLOATS
    return KINDS.get(argument, IDS)


def changed(values: np.ndarray, draw: Random) -> np.ndarray:
    """Change shape or numbers, so that they may be wrong."""
    values = values.copy()
    match draw.randrange(8):
        case 0:
            return values[None]
        case 1:
            return values[0]
        case 2:
            return values[..., :0]
        case 3:
            return values[:0]
        case 4:
            return np.concatenate([values, values], axis=draw.randrange(values.ndim))
        case 5:
            return values.ravel()[0]
        case 6:
            return np.moveaxis(values, 0, -1)
    place = tuple(draw.randrange(length) for length in values.shape)
    far = [-1, -100, 2, 127, 128, 255, 256, VOCAB, 2**31, 2**63 - 1, -(2**63)]
    values[place] = draw.choice(far if values.dtype.kind == "i" else [np.nan, 1e3, 3.0])
    return values


def one_call(draw: Random) -> str:
    """Call a model with an argument changed, or in other clothes, or both; tell what came of it."""
    name = draw.choice(list(MODELS))
    model, given = MODELS[name], right_arguments(name, draw)
    argument = draw.choice(list(given))
    if draw.random() < 0.3:
        given[argument] = np.asarray(changed(given[argument], draw))
    expected = outcome(lambda: model(**given))
    fate, oddity, value = kind_of(name, argument).draw(given[argument], draw)
    before = value.copy() if type(value) is np.ndarray else None
    actual = outcome(lambda: model(**given | {argument: value}))
    told = (
        f"{name}: {argument} as {oddity} should be {fate}: {actual!r:.300}, not {expected!r:.300}"
    )
    if fate == "wrong":
        assert isinstance(actual, Refused), told
    elif fate == "same" or (fate == "perhaps" and not isinstance(actual, Refused)):
        assert same(actual, expected), told
    if isinstance(actual, Refused):
        assert any(one in str(actual.error) for one in given), told
    if before is not None:
        assert before.tobytes() == value.tobytes(), f"{name} has written into {argument}"
    return "refused" if isinstance(actual, Refused) else "right"


def test_calls_with_values_of_every_kind(draw, times):
    for _ in range(400 * times):
        one_call(draw)


def test_what_is_drawn_too_rarely():
    numbers = np.random.default_rng(0)
    ids, right = numbers.integers(0, VOCAB, (7, 60)), numbers.integers(0, 3, (7, 60))
    model = MODELS["tokens"]
    expected = model(ids, labels=right).loss
    for clothes in IDS.same.values():  # the last digit of a sum depends on its order
        assert model(ids, labels=clothes(right)).loss == expected
    ignored = np.full((1, 4), 2**64 - 100, np.uint64)  # -100 as an int64
    with pytest.raises(
        ValueError, match="labels\\[0, 0\\] is 18446744073709551516, but must be below"
    ):
        model([[0, 5, 6, 2]], labels=ignored)


FLAGS = ("output_attentions", "output_hidden_states", "return_dict", "train", "use_cache")


def options_of(name: str) -> list[str]:
    known = inspect.signature(type(MODELS[name]).__call__).parameters
    return [one for one in (*FLAGS, "rng", "past_key_values", "num_items_in_batch") if one in known]


def one_call_with_an_option(draw: Random) -> str:
    """Call a model with an option of any kind; tell what came of it."""
    name = draw.choice(list(MODELS))
    model, given = MODELS[name], right_arguments(name, draw)
    option, value = draw.choice(options_of(name)), draw.choice([*OBJECTS, *SCALARS])
    if option == "past_key_values" and draw.random() < 0.7:
        value = odd_cache(draw)
    if option == "rng":
        given["train"] = True
    actual = outcome(lambda: model(**given | {option: value}))
    told = f"{name}: {option} is {shown(value)}: {actual!r:.300}"
    if option in FLAGS and not (isinstance(value, bool) or value is None):
        assert isinstance(actual, Refused), told
    if option == "rng" and not isinstance(value, int | np.integer):
        assert isinstance(actual, Refused), told
    if isinstance(actual, Refused):
        assert any(one in str(actual.error) for one in (option, "rng", *given)), told
    return "refused" if isinstance(actual, Refused) else "right"


def odd_cache(draw: Random) -> Any:
    """Draw what looks like a cache: arrays of layers, which fit or do not."""
    numbers = np.random.default_rng(draw.randrange(2**32))
    shape = [draw.randint(1, 3), 3, draw.randint(0, 3), 4]

    def part() -> Any:
        values = numbers.normal(size=shape).astype(draw.choice(["float32", "float32", "float64"]))
        match draw.randrange(14):
            case 0:
                return FLOATS.draw(values, draw)[2]
            case 1:
                return draw.choice([None, *OBJECTS])
            case 2:
                return values[draw.randrange(shape[0]) :, draw.randrange(3) :]
        return values

    def layer() -> Any:
        n = draw.choice([2, 2, 2, 2, 4, 4, 1, 3, 0])
        return draw.choice([tuple, tuple, list])(part() for _ in range(n))

    layers = [layer() for _ in range(draw.choice([2, 2, 2, 2, 0, 1, 3]))]
    if draw.random() < 0.1:
        layers[-1:] = [draw.choice([None, *OBJECTS])]
    return draw.choice([tuple, list])(layers)


def test_calls_with_options_of_every_kind(draw, times):
    for _ in range(300 * times):
        one_call_with_an_option(draw)


# Generation

GENERATORS = {
    "decoder": MODELS["next word"],
    "cross": MODELS["next word, cross"],
    "relative": RobertaForCausalLM(config(**DECODER, position_embedding_type="relative_key")),
}
FUNCTIONS = {
    "logits_processor": lambda found: lambda ids, scores: found,
    "stopping_criteria": lambda found: lambda ids, scores: found,
    "prefix_allowed_tokens_fn": lambda found: lambda row, ids: found,
}
PLAUSIBLE: list[Any] = [
    *(2, [2], [2, 3], (2, 2), [-1], [VOCAB], [10**5000], [[5, 6]], [[5], []], [[VOCAB]], [[True]]),
    *({(5, 6): 1.0}, {(5,): float("-inf")}, {5: 1.0}, [[[5, 6], -2.0]], [[[], 1.0]], {(): 1.0}),
    *((1, 1.5), (1, -1), [0, 1e30], ["a", "b"], [""], "never", np.array([2]), np.array([[2]])),
    *(1e-6, 1e6, 2.0, 50, 1 - 1e-12),
]


def one_generation(draw: Random) -> str:
    """Continue prompts with one or two arguments or options of any kind."""
    name = draw.choice(list(GENERATORS))
    model, numbers = GENERATORS[name], np.random.default_rng(draw.randrange(2**32))
    batch, length = draw.randint(1, 2), draw.randint(1, 4)
    given: dict[str, Any] = {"input_ids": numbers.integers(5, VOCAB, (batch, length))}
    if draw.random() < 0.3:
        given["attention_mask"] = np.ones((batch, length), int)
    if name == "cross":
        given["encoder_hidden_states"] = numbers.normal(size=(batch, 3, 12)).astype("float32")
    prompts = list(given)
    given |= {"max_new_tokens": draw.randint(1, 3), "rng": 0}
    given |= draw.choice([{}, {}, {"do_sample": True}, {"num_beams": 2}])
    if draw.random() < 0.4:
        argument = draw.choice(prompts)
        if draw.random() < 0.3:
            given[argument] = np.asarray(changed(given[argument], draw))
        expected = outcome(lambda: generated(model, draw, given))
        fate, oddity, value = KINDS.get(argument, IDS).draw(given[argument], draw)
        actual = outcome(lambda: generated(model, draw, given | {argument: value}))
        told = (
            f"{name}: {argument} as {oddity} should be {fate}: {actual!r:.300}, {expected!r:.200}"
        )
        if fate == "wrong":
            assert isinstance(actual, Refused), told
        elif fate == "same" or (fate == "perhaps" and not isinstance(actual, Refused)):
            assert same(actual, expected), told
        return "refused" if isinstance(actual, Refused) else "right"
    others = [*FUNCTIONS, *NOT_HERE, "rng", "generation_config", "tokenizer"]
    option = draw.choice([*RULES, *others])
    value = draw.choice([*OBJECTS, *SCALARS, *PLAUSIBLE, *PLAUSIBLE, None])
    if option in FUNCTIONS and draw.random() < 0.8:
        value = FUNCTIONS[option](value)
    if option == "max_new_tokens" and isinstance(value, int | np.integer) and value > 100:
        value = 100
    actual = outcome(lambda: generated(model, draw, given | {option: value}))
    return "refused" if isinstance(actual, Refused) else "right"


def generated(model: RobertaForCausalLM, draw: Random, given: dict[str, Any]) -> np.ndarray:
    """Generate, and check that what comes are tokens."""
    found = model.generate(**given)
    tokens = np.asarray(found if isinstance(found, np.ndarray) else found.sequences)
    assert (tokens.dtype, tokens.ndim) == (np.int64, 2)
    assert 0 <= tokens.min() <= tokens.max() < VOCAB
    return tokens


def test_generation_with_values_of_every_kind(draw, times):
    for _ in range(200 * times):
        one_generation(draw)


# What a caller does with the arrays later


def scribble(*arrays: np.ndarray) -> None:
    """Write over arrays that a call was given."""
    for array in arrays:
        array[...] = ~array if array.dtype == bool else array + 1


def test_a_cache_holds_nothing_of_the_callers():
    model = MODELS["cross"]
    numbers = np.random.default_rng(0)
    ids, mask = np.array([[5, 6]]), np.array([[True, False, True]])
    text = numbers.normal(size=(1, 3, 12)).astype("float32")
    found = []
    for scribbles in False, True:
        given = ids.copy(), mask.copy(), text.copy()
        first = model(
            given[0], encoder_hidden_states=given[2], encoder_attention_mask=given[1]
        ).past_key_values
        if scribbles:
            scribble(*given)
        legacy = first.to_legacy_cache()
        second = KeyValueCache.from_legacy_cache(legacy)
        if scribbles:
            scribble(*(array for layer in legacy for array in layer))
        steps = [model(np.array([[7]]), past_key_values=cache)[0] for cache in (first, second)]
        found.append([step.tolist() for step in steps])
    assert found[0] == found[1]


def test_a_stream_reads_the_prompts_that_it_was_given():
    model = GENERATORS["cross"]
    found = []
    for scribbles in False, True:
        ids, mask = np.array([[5, 6, 7]]), np.array([[False, True, True]])
        text = np.ones((1, 3, 12), np.float32)
        steps = model.stream(ids, mask, encoder_hidden_states=text, max_new_tokens=3)
        if scribbles:
            scribble(ids, mask, text)
        found.append([step.tolist() for step in steps])
    assert found[0] == found[1]
