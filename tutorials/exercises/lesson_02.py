"""Exercises of lesson 2: embeddings, positions and the 514 rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from minirobert.embeddings import create_position_ids_from_input_ids

from .judging import Exercise, SameFunction, SameValue

__all__ = ["EXERCISES"]


def _padded_ids(rng: np.random.Generator) -> tuple[Any, int]:  # -> [B, S], padding_idx
    """Draw ids with padding left, right and in the middle, and a padding id."""
    padding_idx = int(rng.integers(0, 4))
    ids = rng.integers(0, 30, (2, 5))
    ids[rng.random(ids.shape) < 0.4] = padding_idx
    return ids, padding_idx


def _counts_padding(input_ids: Any, padding_idx: int) -> Any:
    every = np.broadcast_to(np.arange(1, input_ids.shape[1] + 1), input_ids.shape)
    return np.where(input_ids == padding_idx, padding_idx, every + padding_idx)


def _from_zero(input_ids: Any, padding_idx: int) -> Any:
    return np.broadcast_to(np.arange(input_ids.shape[1]), input_ids.shape)


EXERCISES = [
    Exercise(
        number="2.1",
        title="How many rows for 512 tokens?",
        minutes=5,
        difficulty="easy",
        judge=SameValue(514),
        right="Rows 0 and 1 are never the position of a token, so roberta-base's table has 514.",
        hint="Which row does the first token take, and which one the last?",
        mistakes={
            "Is the first token in row 0? Print position_ids of a text.": 512,
            "Row 1 is the padding's. And row 0?": 513,
        },
    ),
    Exercise(
        number="2.2",
        title="Position ids in one line",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(create_position_ids_from_input_ids, _padded_ids),
        right="Only tokens are counted, from padding_idx + 1 on, wherever the padding is.",
        hint="np.cumsum counts the tokens up to each place, if you give it True for a token.",
        mistakes={
            "This counts the padding before a token, too. Count only what is not padding.": (
                _counts_padding
            ),
            "This counts from 0, as GPT does. Where does RoBERTa begin, and what of padding?": (
                _from_zero
            ),
        },
    ),
]
