"""Options that have no effect beside others are told, as transformers tells them."""

import re
import warnings

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from minirobert import GenerationConfig, RobertaConfig, RobertaForCausalLM
from minirobert.generation.effects import FOR_DRAWING

VALUES = {
    "temperature": [1.0, 0.5],
    "top_k": [50, 7],
    "top_p": [1.0, 0.5],
    "min_p": [0.1],
    "typical_p": [1.0, 0.5],
    "epsilon_cutoff": [0.0, 0.1],
    "eta_cutoff": [0.0, 0.1],
    "length_penalty": [1.0, 1, 2.0],
    "early_stopping": [False, True, "never"],
}


def told(options, **new):
    """Give the names of what is said to have no effect."""
    with warnings.catch_warnings(record=True, action="always") as said:
        GenerationConfig.settled({}, None, options, {**options, **new})
    names = [re.findall(r"(\w+)=", str(one.message).split("no effect (")[1]) for one in said]
    return {name for of_one in names for name in of_one} - {"do_sample"}


@given(
    chosen=st.fixed_dictionaries({}, optional={n: st.sampled_from(v) for n, v in VALUES.items()}),
    way=st.sampled_from([{}, {"num_beams": 1}, {"num_beams": 3}, {"do_sample": True}]),
)
def test_what_transformers_tells(chosen, way):
    try:
        transformers.GenerationConfig(**chosen, **way).validate(strict=True)
        expected = set()
    except ValueError as error:
        expected = set(re.findall("^- `([a-z_]+)`", str(error), re.MULTILINE))
    assert told({**chosen, **way}) == expected
    assert {*FOR_DRAWING, "length_penalty", "early_stopping"} == VALUES.keys()


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        ({"max_new_tokens": 3, "max_length": 9}, {"max_length"}),
        ({"min_new_tokens": 0, "min_length": 9}, {"min_length"}),
        ({"min_new_tokens": 3, "min_length": 0}, set()),
        ({"max_length": 9, "min_length": 9}, set()),
        ({"exponential_decay_length_penalty": (1, 2.0)}, {"exponential_decay_length_penalty"}),
        ({"exponential_decay_length_penalty": (1, 2.0), "eos_token_id": [2]}, set()),
    ],
    ids=str,
)
def test_lengths_and_ends(options, lost):
    assert told(options) == lost


@pytest.mark.parametrize("seed", [0, 3, np.random.default_rng(0), [5], np.array([5, 6])])
def test_random_numbers_where_nothing_is_drawn(seed):
    assert told({}, rng=seed) == told({"num_beams": 2}, rng=seed) == {"rng"}
    assert told({"do_sample": True}, rng=seed) == told({}, rng=None) == set()


def test_a_model_tells():
    model = RobertaForCausalLM(RobertaConfig(vocab_size=9, num_hidden_layers=0, is_decoder=True))
    for function in (model.generate, model.stream):
        with pytest.warns(UserWarning, match=r"nothing is drawn, .* \(rng=3\): set do_sample=True"):
            function([[0, 5]], max_new_tokens=2, rng=3)
        with pytest.warns(UserWarning, match=r"no beam search, .* \(length_penalty=0.5\): set num"):
            function([[0, 5]], max_new_tokens=2, length_penalty=0.5)
