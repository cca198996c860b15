"""Exercises of lesson 2: embeddings, positions and the 514 rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from minirobert.embeddings import create_position_ids_from_input_ids

from .judging import Exercise, SameFunction

__all__ = ["EXERCISES"]


def fold_types(position_table: Any, type_row: Any) -> Any:  # [P, H], [H] -> [P, H]
    return position_table + type_row


def _table_and_row(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(size=(7, 3)), rng.normal(size=3)


def _without_padding(position_table: Any, type_row: Any) -> Any:
    return np.concatenate([position_table[:2], position_table[2:] + type_row])


def room(n_rows: int, padding_idx: int) -> int:
    return n_rows - padding_idx - 1


def _rows_and_padding(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(20, 600)), int(rng.integers(0, 5))


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


def _forgets_padding(input_ids: Any, padding_idx: int) -> Any:
    return np.cumsum(input_ids != padding_idx, axis=1) + padding_idx


def positions_of_mask(attention_mask: Any, padding_idx: int) -> Any:  # [B, S] -> [B, S]
    return np.cumsum(attention_mask, axis=1) * attention_mask + padding_idx


def _mask_and_padding(rng: np.random.Generator) -> tuple[Any, int]:
    return rng.integers(0, 2, (2, 5)), int(rng.integers(0, 4))


def _as_generation_does(attention_mask: Any, padding_idx: int) -> Any:
    return np.where(attention_mask == 1, np.cumsum(attention_mask, axis=1) - 1, 1)


def row_taken(total: Any, word_row: Any, type_row: Any, position_table: Any) -> int:
    rest = total - word_row - type_row
    return int(np.linalg.norm(position_table - rest, axis=-1).argmin())


def _sum_of_a_port(rng: np.random.Generator) -> tuple[Any, ...]:
    table = rng.normal(size=(9, 6)) * rng.uniform(0.2, 2, (9, 1))  # some rows longer than others
    word, token_type = rng.normal(size=(2, 6))
    total = word + token_type + table[rng.integers(9)]
    return total + rng.normal(scale=1e-4, size=6), word, token_type, table


def _largest_product(total: Any, word_row: Any, type_row: Any, position_table: Any) -> int:
    return int((position_table @ (total - word_row - type_row)).argmax())


def _nearest_to_the_sum(total: Any, word_row: Any, type_row: Any, position_table: Any) -> int:
    return int(np.linalg.norm(position_table - total, axis=-1).argmin())


def move_table(table: Any, old_padding_idx: int, new_padding_idx: int) -> Any:  # [P, H] -> [Q, H]
    nobody = np.zeros((new_padding_idx, table.shape[1]))
    return np.concatenate([nobody, table[old_padding_idx:]])


def _table_and_paddings(rng: np.random.Generator) -> tuple[Any, int, int]:
    old, new = rng.integers(0, 4, 2)
    return rng.normal(size=(rng.integers(6, 9), 2)), int(old), int(new)


def _of_the_old_size(table: Any, old_padding_idx: int, new_padding_idx: int) -> Any:
    moved = np.zeros_like(table)
    used = table[old_padding_idx:][: len(table) - new_padding_idx]
    moved[new_padding_idx : new_padding_idx + len(used)] = used
    return moved


def _without_the_padding_row(table: Any, old_padding_idx: int, new_padding_idx: int) -> Any:
    moved = move_table(table, old_padding_idx, new_padding_idx)
    moved[new_padding_idx] = 0
    return moved


EXERCISES = [
    Exercise(
        number="2.1",
        title="Fold the token types away",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(fold_types, _table_and_row),
        right="A row that everybody gets can be added to any row that everybody takes one of.",
        hint="A token's sum has one row of the position table in it, and the type's row as well.",
        mistakes={
            "Padding has a type and a position, too, and its row is one of the table.": (
                _without_padding
            ),
            "Then each sum lacks the row twice. Which sign keeps the sum?": (
                lambda position_table, type_row: position_table - type_row
            ),
        },
    ),
    Exercise(
        number="2.2",
        title="How many tokens fit?",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(room, _rows_and_padding),
        right="514 rows hold 512 tokens with padding id 1, and 510 with padding id 3.",
        hint="Which row does the first token take, and which one the last?",
        mistakes={
            "That is right for padding id 1 alone. Where is the first token with another?": (
                lambda n_rows, padding_idx: n_rows - 2
            ),
            "Nearly. The rows before the padding's are lost, and then there is one more.": (
                lambda n_rows, padding_idx: n_rows - padding_idx
            ),
            "Is the first token in row 0? Look at the position ids in section 3.": (
                lambda n_rows, padding_idx: n_rows
            ),
        },
    ),
    Exercise(
        number="2.3",
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
            "The tokens are right. Padding has the position of the token before it: whose is it?": (
                _forgets_padding
            ),
        },
    ),
    Exercise(
        number="2.4",
        title="Position ids from a mask",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(positions_of_mask, _mask_and_padding),
        right="Give them along with inputs_embeds, and left padding is harmless again.",
        hint="It is the line of 2.3. What tells a token from padding here?",
        mistakes={
            "The first token is at 0 here: where does RoBERTa begin? And where is padding?": (
                _as_generation_does
            ),
            "The tokens are right. Where does padding belong?": (
                lambda attention_mask, padding_idx: np.cumsum(attention_mask, axis=1) + padding_idx
            ),
        },
    ),
    Exercise(
        number="2.5",
        title="Which row did it take?",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(row_taken, _sum_of_a_port),
        right="A sum can be taken apart as long as no layer norm has been over it.",
        hint="Take away what you know. Which row of the table is nearest to the rest?",
        mistakes={
            "A dot product prefers long rows, also where they point elsewhere. Take distances.": (
                _largest_product
            ),
            "The word and the type are still in that sum.": _nearest_to_the_sum,
        },
    ),
    Exercise(
        number="2.6",
        title="Another padding id",
        minutes=15,
        difficulty="hard",
        judge=SameFunction(move_table, _table_and_paddings),
        right="All rows from the padding's on move together. The number of rows changes with it.",
        hint="Which rows are used, from which one on? Which should be the first of them now?",
        mistakes={
            "As many rows as before do not hold as many tokens as before.": _of_the_old_size,
            "Padding should keep its row, even where it is not zero.": _without_the_padding_row,
        },
    ),
]
