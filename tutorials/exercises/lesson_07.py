"""Exercises of lesson 7: looking inside."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minirobert import RobertaForMaskedLM, RobertaTokenizer

from .judging import Exercise, SameFunction, Satisfies

__all__ = ["EXERCISES"]


def _context(rng: np.random.Generator) -> tuple[Any, int, int]:  # -> [B, S, N D], head, N
    n_heads, size = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    return rng.standard_normal((2, 3, n_heads * size)), int(rng.integers(n_heads)), n_heads


def _silenced(context: Any, head: int, n_heads: int) -> Any:
    size = context.shape[-1] // n_heads
    context[..., size * head : size * (head + 1)] = 0
    return context


def _every_nth(context: Any, head: int, n_heads: int) -> Any:
    context[..., head::n_heads] = 0
    return context


def _one_unit(context: Any, head: int, n_heads: int) -> Any:
    context[..., head] = 0
    return context


def _the_others(context: Any, head: int, n_heads: int) -> Any:
    return context - _silenced(context.copy(), head, n_heads)


def _logits(rng: np.random.Generator) -> tuple[Any, int]:  # -> [L + 1, V], word
    return rng.standard_normal((4, 9)), int(rng.integers(9))


def _rank(logits: Any, word: int) -> Any:
    return (logits > logits[:, [word]]).sum(axis=-1)


def _row_of_argsort(logits: Any, word: int) -> Any:
    return np.argsort(-logits, axis=-1)[:, word]


def _best_words(rng: np.random.Generator) -> tuple[list[int]]:
    return (rng.integers(0, 3, rng.integers(1, 9)).tolist(),)


def _settled(best: list[int]) -> int:
    state = len(best) - 1
    while state and best[state - 1] == best[-1]:
        state -= 1
    return state


@cache
def _bundled() -> tuple[RobertaTokenizer, RobertaForMaskedLM]:
    return RobertaTokenizer.from_pretrained(), RobertaForMaskedLM.from_pretrained()


def _complaint_on_texts(answer: Any) -> str | None:
    """Look whether one word of two texts decides about another at the mask."""
    try:
        clean, corrupt, word = answer
        texts = [str(clean), str(corrupt)]
    except (TypeError, ValueError):
        return 'wanted: three texts, as ("… <mask> …", "… <mask> …", "blue")'
    tokenizer, model = _bundled()
    one, other = (tokenizer(text).input_ids for text in texts)
    if len(one) != len(other):
        return f"clean has {len(one)} tokens and corrupt {len(other)}: choose words of as many"
    changed = [place for place in range(len(one)) if one[place] != other[place]]
    masks = [place for place, token in enumerate(one) if token == tokenizer.mask_token_id]
    if len(changed) != 1 or len(masks) != 1:
        return (
            f"the texts differ in {len(changed)} tokens, and clean has {len(masks)} masks: "
            "one of each is wanted"
        )
    if masks[0] - changed[0] < 3:
        return f"the mask is {masks[0] - changed[0]} tokens behind the word that differs, not 3"
    known = tokenizer.vocab.get(f"Ġ{word}")
    if known is None:
        return f"' {word}' is no single token: tokenizer.vocab has those that are"
    batches = [{"input_ids": np.array([ids])} for ids in (one, other)]
    a, b = (float(model(**batch).logits[0, masks[0], known]) for batch in batches)
    if a - b < 1:
        return f"the logit of {word} is {a:.2f} for clean and {b:.2f} for corrupt"
    return None


def _states(rng: np.random.Generator) -> tuple[Any, Any]:  # -> [B, S, H], [B, S]
    """Draw states, with padding that holds huge numbers and in one text a lot of it."""
    mask = (rng.random((3, 6)) < 0.7).astype(int)
    mask[0, 1:] = 0
    mask[:, 0] = 1
    states = rng.standard_normal((3, 6, 4))
    return np.where(mask[..., None] == 1, states, 100.0), mask


def _mean_state(states: Any, mask: Any) -> Any:
    return states[mask == 1].mean(axis=0)


def _mean_of_all(states: Any, mask: Any) -> Any:
    return states.mean(axis=(0, 1))


def _padding_as_zero(states: Any, mask: Any) -> Any:
    return (states * mask[..., None]).mean(axis=(0, 1))


def _mean_of_means(states: Any, mask: Any) -> Any:
    return np.mean([row[real == 1].mean(axis=0) for row, real in zip(states, mask, strict=True)], 0)


def _complaint_on_labels(answer: Any) -> str | None:
    """Look whether labels belong to words, and are drawn."""
    words = [f"word{i % 40}" for i in range(120)]
    drawn = [list(answer(list(words), np.random.default_rng(seed))) for seed in range(8)]
    again = list(answer(list(words), np.random.default_rng(0)))
    for labels in drawn:
        if len(labels) != len(words):
            return f"wanted: {len(words)} labels for so many words, and these are {len(labels)}"
        if not {int(label) for label in labels} <= {0, 1}:
            return "a label is neither 0 nor 1"
        for i, word in enumerate(words):
            if labels[i] != labels[i % 40]:
                return f"{word!r} has the label {labels[i % 40]} first and {labels[i]} later"
    if again != drawn[0]:
        return "the same seed gives other labels the second time: draw with rng alone"
    ones = np.mean([labels[:40] for labels in drawn], axis=0)  # [words]
    if not 0.3 < ones.mean() < 0.7:
        return f"{ones.mean():.0%} of the words have label 1: about half would be fair"
    if np.all((ones == 0) | (ones == 1)):
        return "another seed gives the same labels: they must be drawn, not follow from the word"
    return None


def _erasing(rng: np.random.Generator) -> tuple[Any, Any]:  # -> [n, H], [k, H]
    return rng.standard_normal((4, 6)), rng.standard_normal((int(rng.integers(1, 4)), 6))


def _erase(states: Any, directions: Any) -> Any:
    basis = np.linalg.qr(directions.T)[0]  # [H, k]
    return states - states @ basis @ basis.T


def _one_after_the_other(states: Any, directions: Any) -> Any:
    for direction in directions:
        states = states - np.outer(states @ direction, direction) / (direction @ direction)
    return states


def _each_of_the_first(states: Any, directions: Any) -> Any:
    unit = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    return states - states @ unit.T @ unit


def _not_normalised(states: Any, directions: Any) -> Any:
    return states - states @ directions.T @ directions


EXERCISES = [
    Exercise(
        number="7.1",
        title="Silence one head",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(_silenced, _context),
        right="A head is a slice of the last axis, as long as no transpose has moved it.",
        hint="How many units has a head? Where does head 2 begin?",
        mistakes={
            "This takes every n-th unit. The units of one head are neighbours.": _every_nth,
            "This is one unit. A head has D of them.": _one_unit,
            "This silences all heads but the one.": _the_others,
        },
    ),
    Exercise(
        number="7.2",
        title="The rank of a word",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(_rank, _logits),
        right="A rank sees a word come up long before it is the best.",
        hint="Compare a whole row with one of its numbers, and count.",
        mistakes={
            "argsort gives the word at each rank. You want the rank of a word.": _row_of_argsort,
            "This counts the word itself: the best has rank 0.": lambda logits, word: (
                _rank(logits, word) + 1
            ),
            "This counts the words with a lower score.": lambda logits, word: (
                logits < logits[:, [word]]
            ).sum(axis=-1),
        },
    ),
    Exercise(
        number="7.3",
        title="Since when it has settled",
        minutes=5,
        difficulty="medium",
        judge=SameFunction(_settled, _best_words),
        right="A word that comes, goes and comes again has not been known since it first came.",
        hint="Begin at the end, and go back as long as nothing changes.",
        mistakes={
            "The last word may have come once before, and gone again.": lambda best: best.index(
                best[-1]
            ),
            "This is the last state with another word. Settled is the next.": lambda best: max(
                _settled(best) - 1, 0
            ),
        },
    ),
    Exercise(
        number="7.4",
        title="A word that travels in texts of yours",
        minutes=10,
        difficulty="medium",
        judge=Satisfies(_complaint_on_texts),
        right="The word travels. With patch you see in which layers it does.",
        hint="Where one word decides between two: he and she, one and many. Try a text with best() "
        "and another word in it, before you ask here.",
    ),
    Exercise(
        number="7.5",
        title="The mean over real tokens",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_mean_state, _states),
        right="Padding has states like any token, and they mean nothing.",
        hint="states[mask == 1] has a shape of its own: print it.",
        mistakes={
            "The states of padding are in this mean.": _mean_of_all,
            "The sum is right, but divided by the number of all places.": _padding_as_zero,
            "This gives each text the same weight. Each token was to have it.": _mean_of_means,
        },
    ),
    Exercise(
        number="7.6",
        title="Labels for a control task",
        minutes=10,
        difficulty="medium",
        judge=Satisfies(_complaint_on_labels),
        right="Such labels can only be learned by heart, which is what they measure.",
        hint="Draw one label for each different word, before you look at the list again.",
    ),
    Exercise(
        number="7.7",
        title="Erase a span",
        minutes=15,
        difficulty="hard",
        judge=SameFunction(_erase, _erasing),
        right="To take out directions one by one is only right where they are at right angles.",
        hint="np.linalg.qr gives an orthonormal basis of the columns of a matrix.",
        mistakes={
            "After the second direction, a part of the first is back: they are not at right "
            "angles.": _one_after_the_other,
            "What two directions share is taken away twice: make them orthogonal first.": (
                _each_of_the_first
            ),
            "The directions are not of length 1.": _not_normalised,
        },
    ),
]
