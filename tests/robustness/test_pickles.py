"""Pickles and copies of all that users hold: the same, and apart from what they were made of."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import minirobert
from minirobert import (
    AddedToken,
    GenerationConfig,
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaTokenizer,
)
from minirobert.generation import Steering, StopStrings
from minirobert.pipelines import TASKS
from tests.robustness.outcomes import arrays_of

SIZES: dict[str, Any] = {
    "vocab_size": 8192, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 60,
    "id2label": {0: "contradiction", 1: "entailment"},
}  # fmt: skip
IDS = np.array([[0, 5, 6]])
TOKENIZER = RobertaTokenizer.from_pretrained()
DECODER = RobertaForCausalLM(RobertaConfig(**SIZES, is_decoder=True))


def used_tokenizer() -> RobertaTokenizer:
    tokenizer = RobertaTokenizer.from_pretrained()
    tokenizer.add_tokens(["<x>", AddedToken("<y>", lstrip=True)])
    tokenizer.padding_side = "left"
    tokenizer(["a <y> b", "<x>"], padding=True, return_offsets_mapping=True)
    return tokenizer


def cache() -> KeyValueCache:
    made = KeyValueCache()
    DECODER(IDS, past_key_values=made)
    return made


def pipeline_of(task: str) -> Any:
    kind, model = TASKS[task]
    return kind(model(RobertaConfig(**SIZES, is_decoder=task == "text-generation")), TOKENIZER)


OBJECTS: dict[str, Any] = {
    **{f"pipeline of {task}": pipeline_of(task) for task in TASKS},
    "configuration": RobertaConfig(**SIZES),
    "tokenizer": TOKENIZER,
    "used tokenizer": used_tokenizer(),
    "batch": TOKENIZER(["Hello world", "b"], padding=True, return_offsets_mapping=True),
    "arrays": TOKENIZER("Hello", return_tensors="np"),
    "row": TOKENIZER("Hello world")[0],
    "explanation": TOKENIZER.explain("Hello"),
    "output": DECODER(IDS, labels=IDS, output_hidden_states=True, output_attentions=True),
    "output with a cache": DECODER(IDS),
    "empty cache": KeyValueCache(),
    "generated": DECODER.generate(IDS, max_new_tokens=2, num_beams=2, output_scores=True),
    "options": GenerationConfig(num_beams=3, extra={"x": 1}),
    "added token": AddedToken("<x>", lstrip=True),
    "steering": Steering(tokenizer=TOKENIZER),
    "stop strings": StopStrings(["a"], TOKENIZER),
    "weights": DECODER.params,
}  # fmt: skip
WAYS = {
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),  # of our own
    "old pickle": lambda one: pickle.loads(pickle.dumps(one, 2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def shown(one: Any) -> Any:
    """Give all that shows what an object is."""
    call = {}
    if isinstance(one, RobertaTokenizer):
        call = dict(one(["a <y> b", "<x>c"], padding=True, return_offsets_mapping=True))
    if hasattr(one, "word_embeddings"):
        call = one(IDS)
    text = repr(one)
    return type(one), "" if " at 0x" in text else text, call, [a.tolist() for a in arrays_of(one)]


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_is_the_same(way):
    for name, one in OBJECTS.items():
        again = WAYS[way](one)
        mine, theirs = shown(one), shown(again)
        assert mine[:2] == theirs[:2], name
        assert repr(mine[2:]) == repr(theirs[2:]), name
    for name in minirobert.__all__:  # classes and functions are known by their names
        assert WAYS[way](getattr(minirobert, name)) == getattr(minirobert, name)


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_goes_its_own_way(way):
    tokenizer, again = used_tokenizer(), None
    before = shown(tokenizer)
    again = WAYS[way](tokenizer)
    again.add_tokens(["c"])
    again.padding_side = "right"
    again.cls_token = None
    assert shown(tokenizer) == before

    options = GenerationConfig(num_beams=3)
    again = WAYS[way](options)
    again.top_k = 3
    assert options.given == {"num_beams": 3}
    assert again.given == {"num_beams": 3, "top_k": 3}

    one, other = [5, 7], [8, 6]
    expected = DECODER([[*IDS[0], *one]]).logits[:, -1, :]
    first = cache()
    second = WAYS[way](first)
    DECODER([one[:1]], past_key_values=first)
    for token in other:
        DECODER([[token]], past_key_values=second)
    found = DECODER([one[1:]], past_key_values=first).logits[:, 0, :]
    assert np.abs(found - expected).max() < 1e-5
    assert (first.get_seq_length(), second.get_seq_length()) == (5, 5)
