"""Small drawn models with the bundled tokenizer, ours and transformers', and their pipelines."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import transformers
from hypothesis import strategies as st

import minirobert
from minirobert import TINY, RobertaTokenizer
from minirobert.pipelines import TASKS
from tests.equivalence.strategies import carried_over, torch_model
from tests.equivalence.texts import texts as unusual_texts
from tests.libraries import NUMPY

LONGEST = 128

words = st.sampled_from(
    ["The", "the sky", "cats", "is", "are", "blue", "don't", "said:", "42", "(or)", "naïve", "日本"]
)
sentences = st.lists(words, max_size=20).map(" ".join)
texts = sentences | unusual_texts
# Two texts that differ only in the space before a mask have the same tokens, so scores would tie.
texts_without_masks = texts.filter(lambda text: "<mask>" not in text)


@cache
def their_model(class_name: str, **labels: Any) -> Any:
    config = {
        "vocab_size": 8192,
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 7,
        "max_position_embeddings": LONGEST + 2,
        "type_vocab_size": 1,
        **labels,
    }
    if "id2label" in labels:
        config["id2label"] = dict(labels["id2label"])
        config["label2id"] = {name: i for i, name in labels["id2label"]}
    return torch_model(class_name, config, seed=3)


@cache
def our_model(class_name: str, dtype: str = "float64", **labels: Any) -> Any:
    ours = getattr(minirobert, class_name)
    return carried_over(their_model(class_name, **labels), ours, dtype=dtype)


@cache
def their_tokenizer() -> Any:
    return transformers.RobertaTokenizerFast.from_pretrained(TINY)


@cache
def our_tokenizer() -> RobertaTokenizer:
    return RobertaTokenizer.from_pretrained(TINY)


def saved_for_each_task(new_directory: Callable[[str], Path]) -> dict[str, Path]:
    """Save a model and its tokenizer for each task, in a new directory each."""
    fields: dict[str, dict[str, Any]] = {
        "RobertaForSequenceClassification": {
            "id2label": ((0, "no"), (1, "perhaps"), (2, "entailed"))
        },
        "RobertaForCausalLM": {"is_decoder": True},
    }
    found = {}
    for task, (_, model_class) in TASKS.items():
        name = model_class.__name__
        found[task] = new_directory(task)
        our_model(name, "float32", **fields.get(name, {})).save_pretrained(found[task])
        our_tokenizer().save_pretrained(found[task])
    return found


def theirs(task: str, class_name: str, labels: Any = None, **options: Any) -> Any:
    model = their_model(class_name, **(labels or {}))
    return transformers.pipeline(
        task, model=model, tokenizer=their_tokenizer(), device="cpu", **options
    )


def ours(
    task: str,
    class_name: str,
    labels: Any = None,
    *,
    dtype: str = "float64",
    library: Any = NUMPY,
    **options: Any,
) -> Any:
    model = library.model(our_model(class_name, dtype, **(labels or {})))
    return minirobert.pipeline(task, model, our_tokenizer(), **options)


def assert_same(actual: Any, expected: Any, relative: float = 1e-10, at_least: float = 1.0) -> None:
    """Compare results of any nesting, types too: floats to a relative error, all else exactly."""
    assert type(actual) is type(expected)
    if isinstance(expected, list):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other, relative, at_least)
    elif isinstance(expected, dict):
        assert list(actual) == list(expected)
        for name, value in expected.items():
            assert_same(actual[name], value, relative, at_least)
    elif isinstance(expected, float):
        assert abs(actual - expected) <= relative * max(at_least, abs(expected))
    else:
        assert actual == expected


def text_of(tokens: int) -> str:
    """Make a text that has so many tokens with its frame."""
    text = "sky"
    while len(their_tokenizer()(text, verbose=False)["input_ids"]) < tokens:
        text += " sky"
    assert len(their_tokenizer()(text, verbose=False)["input_ids"]) == tokens
    return text
