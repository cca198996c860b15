"""One solution of each exercise. Look after you have tried: there may be shorter ones.

``solution("2.3")`` in a lesson prints the one. Each is a function that is the answer (`answer`), or
that gives the answer when it is called (`gives`).
"""

from __future__ import annotations

import inspect
import math
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


# Lesson 5: heads and losses


# Lesson 6: the decoder


# Lesson 7: looking inside


# Lesson 8: numbers


# Lesson 9: porting


# Lesson 10: one code, many array libraries
