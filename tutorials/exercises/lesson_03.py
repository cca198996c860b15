"""Exercises of lesson 3: attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minirobert import RobertaForMaskedLM, RobertaTokenizer
from minirobert.attention import merge_heads, split_heads

from .judging import Exercise, SameFunction, Satisfies

__all__ = ["EXERCISES"]

#: How many of the 16 heads can be silenced at least, and *blue* stays.
_SILENT = 12


def variance(size: int, a: float, b: float, m: float) -> float:
    return a * (b + m**2)


def _moments(rng: np.random.Generator) -> tuple[Any, ...]:
    return (int(rng.integers(2, 100)), *(float(number) for number in rng.uniform(0.5, 2, 3)))


def attend_once(query: Any, key: Any, value: Any, attend: Any) -> Any:
    scores = key @ query / math.sqrt(len(query))
    weights = _softmax(np.where(attend, scores, np.finfo(scores.dtype).min))
    return weights @ value


def _softmax(scores: Any) -> Any:
    with np.errstate(invalid="ignore"):  # of minus infinity in every place
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)


def _one_query(rng: np.random.Generator) -> tuple[Any, ...]:
    n_keys, size = rng.integers(2, 6, 2)
    query, (key, value) = 3 * rng.normal(size=size), rng.normal(size=(2, n_keys, size))
    attend = rng.random(n_keys) < rng.choice([0.6, 1.0, 0.0], p=[0.6, 0.2, 0.2])
    return query, key, value, attend


def _of_scores(score: Callable[[Any, Any], Any], weigh: Callable[[Any, Any], Any]) -> Any:
    """Make attention of another score, or of another way to mask."""

    def wrong(query: Any, key: Any, value: Any, attend: Any) -> Any:
        return weigh(score(query, key), attend) @ value

    return wrong


def _root(query: Any, key: Any) -> Any:
    return key @ query / math.sqrt(len(query))


def _lowest(scores: Any, attend: Any) -> Any:
    return _softmax(np.where(attend, scores, np.finfo(scores.dtype).min))


def _tensor(rng: np.random.Generator) -> tuple[Any]:  # -> [B, N, S, D]
    return (rng.normal(size=(2, 3, 5, 4)),)


def _reshaped(x: Any, n_heads: int) -> Any:
    return x.reshape(x.shape[0], n_heads, x.shape[1], -1)


def _unmoved(x: Any, n_heads: int) -> Any:
    return x.reshape(*x.shape[:2], n_heads, -1)


def _interleaved(x: Any, n_heads: int) -> Any:
    return x.reshape(*x.shape[:2], -1, n_heads).transpose(0, 3, 1, 2)


def _backwards(x: Any, n_heads: int) -> Any:
    return split_heads(x, n_heads)[:, ::-1]


def _one_head_for_all(x: Any, n_heads: int) -> Any:
    return np.repeat(split_heads(x, n_heads)[:, :1], n_heads, axis=1)


def _one_text_for_all(x: Any, n_heads: int) -> Any:
    return np.repeat(split_heads(x, n_heads)[:1], len(x), axis=0)


_BROKEN = {
    "one that only reshapes": _reshaped,
    "one that cuts, and does not bring the heads forward": _unmoved,
    "one that gives head 0 the places 0, N, 2 N …": _interleaved,
    "one that gives the heads from the last to the first": _backwards,
    "one that gives head 0 for every head": _one_head_for_all,
    "one that gives the first text for every text": _one_text_for_all,
}


def _finds_what_is_broken(test: Any) -> str | None:
    """Try a test on what is right, and on what is not."""
    if not callable(test):
        return "wanted: a function that takes a split; give it without calling it"
    if not _passes(test, split_heads):
        return "it refuses `split_heads`, which is right"
    for told, split in _BROKEN.items():
        try:
            passes = _passes(test, split)
        except Exception:  # of a shape that the test did not expect: found, too
            continue
        if passes:
            return f"it lets one pass that is wrong: {told}"
    return None


def _passes(test: Any, split: Any) -> bool:
    """Call a test, which may return false or raise an AssertionError."""
    try:
        told = test(split)
    except AssertionError:
        return False
    return told is None or bool(told)


def find_head(weights: Any, distance: int) -> tuple[int, int]:  # [L, N, S, S]
    there = np.diagonal(weights, -distance, axis1=-2, axis2=-1).mean(axis=-1)  # [L, N]
    layer, head = np.unravel_index(there.argmax(), there.shape)
    return int(layer), int(head)


def _weights_and_distance(rng: np.random.Generator) -> tuple[Any, int]:
    weights = _softmax(2 * rng.normal(size=(2, 2, 3, 3)))
    return weights, int(rng.choice([-2, -1, 1, 2]))


def sharpness(probabilities: Any) -> Any:  # [N, S, T] -> [N]
    logarithms = np.log2(np.where(probabilities > 0, probabilities, 1))
    return -(probabilities * logarithms).sum(axis=-1).mean(axis=-1)


def _probabilities(rng: np.random.Generator) -> tuple[Any]:  # -> [N, S, T]
    scores = rng.normal(size=(2, 3, 5))
    scores[:, :, rng.random(5) < 0.3] = -np.inf
    scores[:, :, 0] = 1.0
    return (_softmax(scores),)


def _without_zeros(probabilities: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return -(probabilities * np.log2(probabilities)).sum(axis=-1).mean(axis=-1)


@cache
def _model_and_tokenizer() -> tuple[Any, Any]:
    return RobertaForMaskedLM.from_pretrained(), RobertaTokenizer.from_pretrained()


def _still_blue(answer: Any) -> str | None:
    """Tell whether a head mask silences enough, and keeps the word."""
    mask = np.asarray(answer)
    if mask.shape != (4, 4) or not np.isin(mask, (0, 1)).all():
        return "wanted: an array [4, 4] of zeros and ones"
    model, tokenizer = _model_and_tokenizer()
    ids = np.array([tokenizer("The color of the sky is <mask>.").input_ids])
    logits = model(ids, head_mask=mask).logits[0, -3]  # [V]
    word = tokenizer.decode([logits.argmax()])
    if word != " blue":
        return f"with it the word is {word!r}"
    silent = int((mask == 0).sum())
    if silent < _SILENT:
        return f"the word is right, but {silent} heads are silent, and {_SILENT} or more can be"
    return None


EXERCISES = [
    Exercise(
        number="3.1",
        title="The variance of a score",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(variance, _moments),
        right="D is gone: that is what the root is for. A mean of the keys makes them larger.",
        hint=(
            "Of one product: Var(q k) is the mean of q² k², as the mean of q k is 0, and the mean "
            "of k² is its variance and the square of its mean. Then D of them, and the division."
        ),
        mistakes={
            "That is the variance before the division.": (
                lambda size, a, b, m: size * a * (b + m**2)
            ),
            "A score divided by the root of D has a variance that is divided by D.": (
                lambda size, a, b, m: math.sqrt(size) * a * (b + m**2)
            ),
            "That is right if the mean of the keys is 0. What is the mean of k²?": (
                lambda size, a, b, m: a * b
            ),
        },
    ),
    Exercise(
        number="3.2",
        title="Attention for one query",
        minutes=15,
        difficulty="medium",
        judge=SameFunction(attend_once, _one_query),
        right="That is all of attention: the rest is axes.",
        hint="Scores, the lowest number where it may not look, softmax, and the sum of the values.",
        mistakes={
            "Are the scores divided by the root of D, the query's size?": (
                _of_scores(lambda query, key: key @ query, _lowest)
            ),
            "Divided by D, and not by its root.": (
                _of_scores(lambda query, key: key @ query / len(query), _lowest)
            ),
            "D is the size of the query, and not the number of keys.": (
                _of_scores(lambda query, key: key @ query / math.sqrt(len(key)), _lowest)
            ),
            "The polarity is turned round: true is where it may look.": (
                _of_scores(_root, lambda scores, attend: _lowest(scores, ~attend))
            ),
            "What is left of the weights must sum to 1. Mask before the softmax.": (
                _of_scores(_root, lambda scores, attend: _softmax(scores) * attend)
            ),
            "A score of 0 is no mask: its exponential is 1. What is the lowest number?": (
                _of_scores(_root, lambda scores, attend: _softmax(np.where(attend, scores, 0)))
            ),
            "Right, but for a query that may look at nothing. See what `mask` puts there.": (
                _of_scores(
                    _root, lambda scores, attend: _softmax(np.where(attend, scores, -np.inf))
                )
            ),
        },
    ),
    Exercise(
        number="3.3",
        title="Merge the heads",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(merge_heads, _tensor),
        right="Both ways it is a move of the axes and a reshape, in the opposite order.",
        hint="Where must the heads stand, so that a reshape can join them with D?",
        mistakes={
            "A reshape alone mixes tokens. Bring the axes into the right order first.": (
                lambda x: x.reshape(x.shape[0], x.shape[2], -1)
            ),
            "Here the heads are behind D, so the places of all heads are interleaved.": (
                lambda x: x.transpose(0, 2, 3, 1).reshape(x.shape[0], x.shape[2], -1)
            ),
        },
    ),
    Exercise(
        number="3.4",
        title="A test for splitting heads",
        minutes=15,
        difficulty="hard",
        judge=Satisfies(_finds_what_is_broken),
        right="A number that says where it came from shows at once where it went.",
        hint=(
            "Fill x with numbers that tell text, token and place, such as 100 b + 10 s + h. Which "
            "number must stand in the result at [b, n, s, d]? np.arange and broadcasting write it."
        ),
    ),
    Exercise(
        number="3.5",
        title="Find the head",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(find_head, _weights_and_distance),
        right="Try it on attentions(text): which head looks two back, and how sure is it?",
        hint="at_distance above gives a number for each head; argmax and np.unravel_index find it.",
        mistakes={
            "That is the other direction: one back of token i is key i - 1.": (
                lambda weights, distance: find_head(weights, -distance)
            ),
            "That is (head, layer).": (
                lambda weights, distance: find_head(weights, distance)[::-1]
            ),
        },
    ),
    Exercise(
        number="3.6",
        title="How sharp is a head?",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(sharpness, _probabilities),
        right="In our text layer 1, head 2 has the least, 0.64 bits. log2(10) would be 3.32.",
        hint="The entropy of a row is the sum of -p log2(p), and 0 log2(0) counts as 0.",
        mistakes={
            "Where p is 0 there is 0 · -inf, which is NaN. It should count as 0.": _without_zeros,
            "That is in nats: take the logarithm to the base of 2.": (
                lambda probabilities: sharpness(probabilities) * math.log(2)
            ),
            "That is the sum over the rows of a head, and not their mean.": (
                lambda probabilities: sharpness(probabilities) * probabilities.shape[1]
            ),
        },
    ),
    Exercise(
        number="3.7",
        title="As few heads as possible",
        minutes=15,
        difficulty="hard",
        judge=Satisfies(_still_blue),
        right="Two heads can be enough. What a model has and what one answer needs are two things.",
        hint=(
            "Be greedy: try all heads that still speak, silence the one without which blue is "
            "likeliest, and begin again. Stop when no step keeps the word."
        ),
    ),
]
