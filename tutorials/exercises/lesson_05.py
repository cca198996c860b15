"""Exercises of lesson 5: heads and losses."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minirobert import RobertaConfig
from minirobert.functional import log_softmax, sigmoid, softmax
from minirobert.losses import binary_cross_entropy_with_logits, cross_entropy, span_loss
from minirobert.parameters import numbers_of, parameter_shapes

from .judging import Exercise, Refused, SameFunction, SameValue, written

__all__ = ["EXERCISES", "MasksLikeBert"]

_TASKS = ("SequenceClassification", "TokenClassification", "QuestionAnswering", "MultipleChoice")


def _head_sizes(hidden: int, classes: int) -> list[int]:
    """Count by the package's own table what each model has besides the encoder."""
    sizes = []
    for task in _TASKS:
        config = RobertaConfig(
            hidden_size=hidden,
            num_attention_heads=1,
            num_labels=2 if task == "QuestionAnswering" else classes,
        )
        bare = numbers_of(parameter_shapes(config, "RobertaModel", add_pooling_layer=False))
        sizes.append(numbers_of(parameter_shapes(config, f"RobertaFor{task}")) - bare)
    return sizes


def _changed(change: Callable[[int, int], list[int]]) -> Callable[[int, int], list[int]]:
    """Make the mistake to count so many too many in each of the four heads."""
    return lambda hidden, classes: [
        own + more
        for own, more in zip(_head_sizes(hidden, classes), change(hidden, classes), strict=True)
    ]


def _labelled(rng: np.random.Generator) -> tuple[Any, Any]:  # -> [4, 5], [4]
    """Draw logits, also far apart, and labels of which at least one counts."""
    logits = rng.normal(0, rng.choice([1, 1000]), (4, 5))
    labels = np.where(rng.random(4) < 0.4, -100, rng.integers(0, 5, 4))
    labels[rng.integers(4)] = rng.integers(0, 5)
    return logits, labels


def _picked(logarithms: Any, labels: Any) -> Any:  # [4, 5], [4] -> [4]
    return logarithms[np.arange(len(labels)), np.where(labels == -100, 0, labels)]


def _mean_over_all(logits: Any, labels: Any) -> Any:
    return -np.where(labels == -100, 0, _picked(log_softmax(logits), labels)).mean()


def _sum_of_all(logits: Any, labels: Any) -> Any:
    return -np.where(labels == -100, 0, _picked(log_softmax(logits), labels)).sum()


def _ignored_as_class_0(logits: Any, labels: Any) -> Any:
    return -_picked(log_softmax(logits), labels).mean()


def _log_of_softmax(logits: Any, labels: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -_picked(np.log(softmax(logits)), labels)[labels != -100].mean()


def _with_overflow(logits: Any, labels: Any) -> Any:
    with np.errstate(all="ignore"):
        e = np.exp(logits)
        logarithms = np.log(e / e.sum(axis=-1, keepdims=True))
    return -_picked(logarithms, labels)[labels != -100].mean()


def _decided(rng: np.random.Generator) -> tuple[Any, Any]:  # -> [3, 4], [3, 4]
    """Draw logits, also far from 0, and a yes or no for each."""
    targets = rng.integers(0, 2, (3, 4)).astype(float)
    return rng.normal(0, rng.choice([2, 1000]), (3, 4)), targets


def _logs_of_sigmoid(logits: Any, targets: Any) -> Any:
    p = sigmoid(logits)
    with np.errstate(all="ignore"):
        return -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean()


def _softmax_of_classes(logits: Any, targets: Any) -> Any:
    return -(targets * log_softmax(logits)).sum(axis=-1).mean()


def _sum_of_classes(logits: Any, targets: Any) -> Any:
    return binary_cross_entropy_with_logits(logits, targets) * logits.shape[-1]


def _only_yes(logits: Any, targets: Any) -> Any:
    cost = np.log1p(np.exp(-np.abs(logits))) + np.maximum(-logits, 0)
    return (targets * cost).mean()


def _bounds(rng: np.random.Generator) -> tuple[Any, Any, int]:  # -> [9], [9], longest
    return rng.normal(0, 1, 9), rng.normal(0, 1, 9), int(rng.integers(1, 5))


def _best_span(start_logits: Any, end_logits: Any, longest: int) -> tuple[int, int]:
    length = len(start_logits)
    spans = [(i, j) for i in range(length) for j in range(i, min(i + longest, length))]
    return max(spans, key=lambda span: start_logits[span[0]] + end_logits[span[1]])


def _each_for_itself(start_logits: Any, end_logits: Any, longest: int) -> tuple[int, int]:
    return int(start_logits.argmax()), int(end_logits.argmax())


def _start_first(start_logits: Any, end_logits: Any, longest: int) -> tuple[int, int]:
    start = int(start_logits.argmax())
    return start, start + int(end_logits[start : start + longest].argmax())


def _positioned(rng: np.random.Generator) -> tuple[Any, Any, Any, Any]:
    """Draw scores of bounds, and positions of which some are outside of the text."""
    positions = rng.integers(-2, 10, (2, 3))
    positions[:, 0] = rng.integers(0, 6, 2)
    return rng.normal(0, 2, (3, 6)), rng.normal(0, 2, (3, 6)), positions[0], positions[1]


def _bounds_loss(
    start_logits: Any,
    end_logits: Any,
    start_positions: Any,
    end_positions: Any,
    *,
    change: Callable[[Any], Any],
) -> Any:
    """Take the loss of positions that are changed by mistake."""
    changed = (np.array([change(int(one)) for one in p]) for p in (start_positions, end_positions))
    return span_loss(start_logits, end_logits, *changed)


def _bounds_over_all(
    start_logits: Any, end_logits: Any, start_positions: Any, end_positions: Any
) -> Any:
    sides = (start_logits, start_positions), (end_logits, end_positions)
    costs = []
    for logits, positions in sides:
        labels = np.where(positions >= logits.shape[1], -100, np.maximum(positions, 0))
        costs.append(_mean_over_all(logits, labels))
    return sum(costs) / 2


@dataclass(frozen=True)
class MasksLikeBert:
    """The answer masks: a function of (input_ids, chosen, rng, mask_id, n_words) that gives ids.

    It is judged by shares, over so many chosen tokens that chance hardly plays a part.
    """

    def __call__(self, answer: Any) -> None:
        if not callable(answer):
            raise Refused(
                f"  got: {written(answer)}\n  wanted: a function; give it without calling it"
            )
        rng = np.random.default_rng(0)
        ids = rng.integers(5, 900, (600, 100))
        chosen = rng.random(ids.shape) < 0.15
        given = ids.copy()
        try:
            masked = answer(given, chosen.copy(), np.random.default_rng(1), 4, 900)
        except Exception as error:
            raise Refused(f"  it raises {type(error).__name__}: {error}") from None
        told = _complaint(ids, chosen, given, masked)
        if told:
            raise Refused(told)


def _complaint(ids: Any, chosen: Any, given: Any, masked: Any) -> str | None:
    """Tell the first thing that is wrong with masked ids, all of [B, S]."""
    if not isinstance(masked, np.ndarray) or masked.shape != ids.shape:
        return f"  got: {written(masked)}\n  wanted: an array of ids, of the shape {[*ids.shape]}"
    if not np.array_equal(given, ids):
        return "  it changes the ids that it was given: begin with a copy"
    if not np.array_equal(masked[~chosen], ids[~chosen]):
        wrong = (masked != ids)[~chosen].mean()
        return f"  of the tokens that were not chosen, {wrong:.2f} are changed"
    now, was = masked[chosen], ids[chosen]
    shares = [(now == 4).mean(), (now == was).mean()]
    shares.append(1 - sum(shares))
    if np.abs(np.array(shares) - [0.8, 0.1, 0.1]).max() > 0.02:
        told = " {:.2f} are <mask>, {:.2f} as they were, {:.2f} another word".format(*shares)
        return f"  of the chosen tokens{told}\n  wanted: 0.80, 0.10 and 0.10"
    other = now[(now != 4) & (now != was)]
    if other.min() < 0 or other.max() >= 900:
        return f"  a random word is {other.max()}, but there are 900 words"
    if len(np.unique(other)) < 450:
        return f"  of 900 words only {len(np.unique(other))} occur as random words"
    rows = np.array([(row[one] == 4).mean() for row, one in zip(masked, chosen, strict=True)])
    if rows.std() > 0.2:
        return "  the tokens of a text are treated alike: each must have a draw of its own"
    return None


EXERCISES = [
    Exercise(
        number="5.1",
        title="How large is a head?",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(
            _head_sizes, lambda rng: (int(rng.integers(4, 99)), int(rng.integers(1, 9)))
        ),
        right="For roberta-base and 2 classes: 592,130 numbers, 1,538, 1,538 and 591,361.",
        hint="The cells above show the shapes. Weights are [outputs, inputs], biases [outputs].",
        mistakes={
            "The classifier of texts has two maps, one of them from H to H.": _changed(
                lambda h, c: [-(h * h + h), 0, 0, 0]
            ),
            "Each map has a bias, too.": _changed(
                lambda h, c: [-(h + c), -c, -2, -(h + 1)],
            ),
            "A choice has one score, however many choices there are.": _changed(
                lambda h, c: [0, 0, 0, (c - 1) * (h + 1)]
            ),
            "The score of a choice is made from the pooler, which is new as well.": _changed(
                lambda h, c: [0, 0, 0, -(h * h + h)]
            ),
            "The bounds of an answer are two, whatever num_labels was.": _changed(
                lambda h, c: [0, 0, (c - 2) * (h + 1), 0]
            ),
        },
    ),
    Exercise(
        number="5.2",
        title="The loss of who knows nothing",
        minutes=5,
        difficulty="easy",
        judge=SameValue(math.log(50265), 0.005),
        right="ln V. A model whose loss begins far above it is sure of something wrong.",
        hint="All V words have the same probability. What is it, and minus its logarithm?",
        mistakes={
            "That is the logarithm to the base 2. These losses are natural logarithms.": (
                math.log2(50265)
            ),
            "That is for the bundled model's 8,192 words. And for 50,265?": math.log(8192),
            "A loss is minus the logarithm: of a probability below 1 it is positive.": (
                -math.log(50265)
            ),
        },
    ),
    Exercise(
        number="5.3",
        title="Cross-entropy that never overflows",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(lambda logits, labels: cross_entropy(logits, labels), _labelled),
        right="Only what counts is in the mean, and scores of thousands do no harm.",
        hint="Subtract the maximum, then log of the sum of exp. Pick, and choose what counts.",
        mistakes={
            "By how many do you divide? A label of -100 is not one of them.": _mean_over_all,
            "That is the sum. The loss is a mean.": _sum_of_all,
            "A label of -100 must not be looked up, nor count as class 0.": _ignored_as_class_0,
            "A probability may be rounded to 0, and then has no logarithm.": _log_of_softmax,
            "exp(1000) is infinite. Subtract something first.": _with_overflow,
        },
    ),
    Exercise(
        number="5.4",
        title="80, 10, 10",
        minutes=15,
        difficulty="hard",
        judge=MasksLikeBert(),
        right="Where the model sees a word and no mask, it cannot know whether it is right.",
        hint="Draw one number from 0 to 1 for each token. Is it below 0.8, below 0.9, or neither?",
    ),
    Exercise(
        number="5.5",
        title="Several classes at once",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(
            lambda logits, targets: binary_cross_entropy_with_logits(logits, targets), _decided
        ),
        right="Each class is a question of its own, and also sure answers have a finite cost.",
        hint="log(1 + exp(x)) is np.logaddexp(0, x), which does not overflow.",
        mistakes={
            "sigmoid(1000) is 1, and log(1 - 1) is not finite. Put the two together on paper.": (
                _logs_of_sigmoid
            ),
            "Softmax makes the classes share one probability. Here each has its own.": (
                _softmax_of_classes
            ),
            "The mean is over texts and classes.": _sum_of_classes,
            "A no costs, too: minus log(1 - p).": _only_yes,
        },
    ),
    Exercise(
        number="5.6",
        title="The best answer that is one",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_best_span, _bounds),
        right="Both bounds are chosen together, or the answer may end before it begins.",
        hint="Try all pairs i <= j with j - i < longest. np.triu and np.tril can do it at once.",
        mistakes={
            "The end may now stand before the start. Look at their sums instead.": _each_for_itself,
            "The best start need not belong to the best pair.": _start_first,
            "How long may the answer be?": lambda start_logits, end_logits, longest: _best_span(
                start_logits, end_logits, len(start_logits)
            ),
            "An answer of n tokens has j - i = n - 1.": lambda start_logits, end_logits, longest: (
                _best_span(start_logits, end_logits, longest + 1)
            ),
        },
    ),
    Exercise(
        number="5.7",
        title="Answers that were cut off",
        minutes=10,
        difficulty="hard",
        judge=SameFunction(
            lambda start_logits, end_logits, start_positions, end_positions: span_loss(
                start_logits, end_logits, start_positions, end_positions
            ),
            _positioned,
        ),
        right="Behind the text: ignored. Before it: position 0, even for -100.",
        hint="One side first: which texts count, which class has each, and the mean of those.",
        mistakes={
            "A position behind the text is no position of the text: it does not count.": partial(
                _bounds_loss, change=lambda one: min(one, 5)
            ),
            "A negative position is read as 0, and counts.": partial(
                _bounds_loss, change=lambda one: 6 if one < 0 else one
            ),
            "By how many do you divide? Start and end may have different numbers that count.": (
                _bounds_over_all
            ),
            "The loss is half of the sum.": lambda *given: 2 * span_loss(*given),
        },
    ),
]
