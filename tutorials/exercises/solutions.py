"""One solution of each exercise. Look after you have tried: there may be shorter ones.

``solution("2.3")`` in a lesson prints the one. Each is a function that is the answer (`answer`), or
that gives the answer when it is called (`gives`).
"""

from __future__ import annotations

import inspect
import json
import math
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from minirobert import observe
from minirobert.attention import dot, merge_heads, split_heads
from minirobert.functional import ACTIVATIONS, gelu, layer_norm, linear, log_softmax, softmax

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


@answer("2.1")
def fold_types(position_table, type_row):
    return position_table + type_row  # also padding's row: padding has a type, too


@answer("2.2")
def room(n_rows, padding_idx):
    return n_rows - (padding_idx + 1)  # the first token's row, and all from there on


@answer("2.3")
def position_ids(input_ids, padding_idx):
    real = input_ids != padding_idx  # [B, S]
    return np.cumsum(real, axis=1) * real + padding_idx


@answer("2.4")
def positions_of_mask(attention_mask, padding_idx):
    return np.cumsum(attention_mask, axis=1) * attention_mask + padding_idx


@answer("2.5")
def row_taken(total, word_row, type_row, position_table):
    rest = total - word_row - type_row  # [H]
    return np.linalg.norm(position_table - rest, axis=-1).argmin()


@answer("2.6")
def move_table(table, old_padding_idx, new_padding_idx):
    nobody = np.zeros((new_padding_idx, table.shape[1]), table.dtype)
    return np.concatenate([nobody, table[old_padding_idx:]])


# Lesson 3: attention


@answer("3.1")
def variance(size, a, b, m):
    of_one_product = a * (b + m**2)  # the mean of k² is b + m²
    return size * of_one_product / math.sqrt(size) ** 2


@answer("3.2")
def attend_once(query, key, value, attend):
    scores = key @ query / math.sqrt(len(query))  # [T]
    scores = np.where(attend, scores, np.finfo(scores.dtype).min)
    weights = np.exp(scores - scores.max())  # the largest is 1, so nothing overflows
    return weights / weights.sum() @ value


@answer("3.3")
def merge(x):
    batch, n_heads, length, size = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, length, n_heads * size)


@answer("3.4")
def test(split):
    batch, length, n_heads, size = 2, 5, 3, 4  # all differ
    x = np.arange(batch * length * n_heads * size).reshape(batch, length, n_heads * size)
    b, n, s, d = np.ogrid[:batch, :n_heads, :length, :size]
    return np.array_equal(split(x, n_heads), x[b, s, n * size + d])


@answer("3.5")
def find_head(weights, distance):
    there = np.diagonal(weights, -distance, axis1=-2, axis2=-1).mean(axis=-1)  # [L, N]
    return np.unravel_index(there.argmax(), there.shape)


@answer("3.6")
def sharpness(probabilities):
    logarithms = np.log2(np.where(probabilities > 0, probabilities, 1))  # of 0: log2(1) = 0
    return -(probabilities * logarithms).sum(axis=-1).mean(axis=-1)


@gives("3.7")
def loud_heads():
    head_mask = np.zeros((4, 4))
    head_mask[1, 2] = 1  # looks at the next token
    head_mask[3, 1] = 1  # looks at the sky
    return head_mask


# Lesson 4: one layer


@answer("4.1")
def layer_norm_by_hand(x, weight, bias, eps):
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * weight + bias


@answer("4.2")
def deviation_left(variance, eps):
    return math.sqrt(variance / (variance + eps))


@answer("4.3")
def which_activation(x, y):
    names = ["gelu", "gelu_new", "quick_gelu", "relu"]
    return min(names, key=lambda name: np.abs(ACTIVATIONS[name](x) - y).max())


@answer("4.4")
def model_parameters(words, positions, hidden, layers, inner):
    embeddings = (words + positions + 1) * hidden + 2 * hidden  # one token type; layer norm
    layer = 4 * hidden * hidden + 2 * hidden * inner + 9 * hidden + inner
    pooler = hidden * hidden + hidden
    return embeddings + layers * layer + pooler


@answer("4.5")
def more_than_half(hidden, inner):
    return 2 * hidden + inner + 1  # S > 2 H + I


@answer("4.6")
def my_layer(hidden, attend, layer, config):
    def close(x, residual, block, name):  # add, then normalise
        total = linear(x, **block.dense) + residual
        normed = layer_norm(total, **block.LayerNorm, eps=config.layer_norm_eps)
        return observe(name, normed)

    maps = layer.attention.self
    query, key, value = (
        split_heads(linear(hidden, **one), config.num_attention_heads)
        for one in (maps.query, maps.key, maps.value)
    )  # [B, N, S, D]
    scores = observe("attention.self.scores", dot(query, key) / math.sqrt(config.head_size))
    scores = np.where(attend, scores, -np.inf)  # [B, N, S, S]
    probabilities = observe("attention.self.probabilities", softmax(scores))
    context = observe("attention.self.context", merge_heads(probabilities @ value))  # [B, S, H]
    hidden = close(context, hidden, layer.attention.output, "attention.output.LayerNorm")
    inner = observe("intermediate", gelu(linear(hidden, **layer.intermediate.dense)))  # [B, S, I]
    return close(inner, hidden, layer.output, "output.LayerNorm")


# Lesson 5: heads and losses


@answer("5.1")
def head_sizes(hidden, classes):
    square = hidden * hidden + hidden
    return [
        square + classes * hidden + classes,  # dense, out_proj
        classes * hidden + classes,
        2 * hidden + 2,
        square + hidden + 1,  # pooler, score
    ]


@gives("5.2")
def loss_of_pure_guessing():
    return -math.log(1 / 50265)


@answer("5.3")
def cross_entropy(logits, labels):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    counted = labels != -100
    rows = np.arange(len(labels))[counted]
    return -logarithms[rows, labels[counted]].mean()


@answer("5.4")
def mask_chosen(input_ids, chosen, rng, mask_id, n_words):
    fate = rng.random(input_ids.shape)  # one draw a token
    words = rng.integers(0, n_words, input_ids.shape)
    masked = np.where(chosen & (fate < 0.8), mask_id, input_ids)
    return np.where(chosen & (fate >= 0.8) & (fate < 0.9), words, masked)


@answer("5.5")
def binary_cross_entropy(logits, targets):
    return (np.logaddexp(0, logits) - logits * targets).mean()


@answer("5.6")
def best_span(start_logits, end_logits, longest):
    total = start_logits[:, None] + end_logits[None, :]  # [S, S]: start i, end j
    i, j = np.indices(total.shape)
    total = np.where((i <= j) & (j - i < longest), total, -np.inf)
    return np.unravel_index(total.argmax(), total.shape)


@answer("5.7")
def bounds_loss(start_logits, end_logits, start_positions, end_positions):
    def one_side(logits, positions):
        counted = positions < logits.shape[1]
        rows = np.flatnonzero(counted)
        right = np.maximum(positions[counted], 0)
        return -log_softmax(logits)[rows, right].mean()

    return (one_side(start_logits, start_positions) + one_side(end_logits, end_positions)) / 2


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
