"""One solution of each exercise. Look after you have tried: there may be shorter ones.

``solution("2.3")`` in a lesson prints the one. Each is a function that is the answer (`answer`), or
that gives the answer when it is called (`gives`).
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["ANSWERS", "SOURCES"]

#: By the exercise's number: a function that gives the answer, and the text of the solution.
ANSWERS: dict[str, Callable[[], Any]] = {}
SOURCES: dict[str, str] = {}


def answer(number: str) -> Callable[[Any], Any]:
    """Enter a function that is itself the answer."""
    return _enter(number, lambda function: lambda: function)


def gives(number: str) -> Callable[[Any], Any]:
    """Enter a function without arguments that gives the answer."""
    return _enter(number, lambda function: function)


def _enter(number: str, answered: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def entered(function: Any) -> Any:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
        SOURCES[number] = "\n".join(lines[1:])  # without the decorator
        ANSWERS[number] = answered(function)
        return function

    return entered


# Lesson 1: tokens


# Lesson 2: embeddings, positions and the 514 rows


@gives("2.1")
def rows_for_512_tokens() -> int:
    padding_idx = 1
    return 512 + padding_idx + 1


@answer("2.2")
def create_position_ids(input_ids, padding_idx):
    real = input_ids != padding_idx  # [B, S]
    return np.cumsum(real, axis=1) * real + padding_idx


# Lesson 3: attention


# Lesson 4: one layer


# Lesson 5: heads and losses


# Lesson 6: the decoder


# Lesson 7: looking inside


@answer("7.1")
def silence_head(context, head, n_heads):
    size = context.shape[-1] // n_heads
    silent = context.copy()
    silent[..., head * size : (head + 1) * size] = 0
    return silent


@answer("7.2")
def rank(logits, word):
    return np.sum(logits > logits[:, word : word + 1], axis=-1)


@answer("7.3")
def settled(best):
    others = [state for state, word in enumerate(best) if word != best[-1]]
    return others[-1] + 1 if others else 0


@gives("7.4")
def texts_and_word():
    clean, corrupt = (f"The {who} saw that <mask> was late." for who in ("girl", "man"))
    return clean, corrupt, "she"


@answer("7.5")
def mean_state(states, mask):
    real = states[mask == 1]  # [tokens, H]
    return real.mean(axis=0)


@answer("7.6")
def control_labels(words, rng):
    label = {word: int(rng.integers(2)) for word in dict.fromkeys(words)}
    return [label[word] for word in words]


@answer("7.7")
def erase(states, directions):
    shares = np.linalg.lstsq(directions.T, states.T, rcond=None)[0]  # [k, n]
    return states - shares.T @ directions


# Lesson 8: numbers


# Lesson 9: porting


@answer("9.1")
def first_difference(ours, theirs, tolerance):
    for name in ours:
        if name in theirs:
            near = np.abs(theirs[name] - ours[name]) <= tolerance  # False for NaN
            if not near.all():
                return name
    return None


@gives("9.2")
def coarse():
    return {
        "alder": ("position_ids", "positions are counted from 0"),
        "birch": (
            "roberta.encoder.layer.0.attention.self.scores",
            "scores are not divided by the root of D",
        ),
        "cedar": ("lm_head.logits", "the decoder is not tied to the word embeddings"),
        "elder": ("roberta.embeddings.sum", "token types are left out"),
    }


@answer("9.3")
def step_error(x, weight, bias, y):
    x, weight, bias, y = (array.astype(np.float64) for array in (x, weight, bias, y))
    return np.abs(x @ weight.T + bias - y).max()


@answer("9.4")
def budget_of(x, weight):
    sizes = np.abs(x).astype(np.float64) @ np.abs(weight).astype(np.float64).T  # [S, Y]
    return (2 * np.sqrt(x.shape[-1]) + 4) * 2.0**-24 * sizes


@gives("9.5")
def subtle():
    return {
        "hazel": (
            "roberta.encoder.layer.2.attention.output.dense",
            "a weight is transposed",
        ),
        "larch": (
            "roberta.encoder.layer.0.attention.self.probabilities",
            "the mask takes 1 from a score",
        ),
        "maple": ("roberta.embeddings.LayerNorm", "the variance is divided by H - 1"),
        "oak": ("roberta.embeddings.LayerNorm", "epsilon is 1e-12"),
        "rowan": ("lm_head.gelu", "the GELU is that with tanh"),
    }


@answer("9.6")
def read_tensor(data, name):
    length = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + length])[name]
    first, last = entry["data_offsets"]
    numbers = data[8 + length :][first:last]
    dtype = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}[entry["dtype"]]
    return np.frombuffer(numbers, dtype).reshape(entry["shape"])


@gives("9.7")
def last():
    layers = "roberta.encoder.layer"
    return {
        (f"{layers}.1.attention.self.key.dense", "a bias is left out"),
        (f"{layers}.2.output.sum", "the residual is another tensor"),
    }


# Lesson 10: one code, many array libraries
