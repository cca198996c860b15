"""Answers from scores: the most probable spans of a text, put together from its windows.

`span_probabilities` turns the scores of a window into probabilities, `best_spans` finds the most
probable pairs of a first and a last token, and `read_answers` leads them back to the text and puts
the windows together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..functional import softmax
from .results import Answer

__all__ = ["Window", "best_spans", "read_answers", "span_probabilities", "word_offsets"]

#: The score of tokens that cannot be in the answer, before the softmax.
EXCLUDED = -10000.0


class Window(NamedTuple):
    """Where the context is in a row ``<s> question </s></s> context </s>``."""

    tokens: slice  # which tokens of the row are of the context
    offsets: Sequence[tuple[int, int]]  # the characters of the context that each stands for


def word_offsets(
    offsets: Iterable[tuple[int, int]], words: Iterable[int | None]
) -> list[tuple[int, int]]:
    """Give each token the characters of the whole word that it is of, as far as its tokens go.

    >>> word_offsets([(0, 3), (3, 7), (8, 10)], [0, 0, 1])
    [(0, 7), (0, 7), (8, 10)]
    """
    starts: dict[int | None, int] = {}
    ends: dict[int | None, int] = {}
    words = list(words)
    for (start, end), word in zip(offsets, words, strict=True):
        starts.setdefault(word, start)
        ends[word] = end
    return [(starts[word], ends[word]) for word in words]


def span_probabilities(
    logits: np.ndarray[Any, Any], context: slice
) -> tuple[Any, np.ndarray[Any, Any]]:  # [S] -> [], [X]
    """Give the probabilities that the answer starts (or ends) at each of X tokens of the context.

    The first number given is the probability of ``<s>``, at which a model points to say that there
    is no answer. Together they add up to 1: all other tokens are excluded.

    >>> null, probabilities = span_probabilities(np.zeros(6), slice(4, 5))
    >>> null, probabilities
    (np.float64(0.5), array([0.5]))
    """
    may_be = np.zeros(logits.shape, dtype=bool)
    may_be[0] = may_be[context] = True
    probabilities = to_numpy(softmax(np.where(may_be, logits, EXCLUDED)))
    return probabilities[0], probabilities[context]


def best_spans(
    start: np.ndarray[Any, Any], end: np.ndarray[Any, Any], k: int, max_length: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:  # [X], [X] -> [Y] …
    """Find at most k pairs of a first and a last token with the highest ``start[i] * end[j]``.

    Given are the first tokens, the last ones (``first <= last < first + max_length``) and the
    scores: the most probable pair first, and of equally probable ones the one that starts, then the
    one that ends, sooner.

    >>> best_spans(np.array([0.6, 0.4]), np.array([0.7, 0.3]), k=2, max_length=5)
    (array([0, 0]), array([0, 1]), array([0.42, 0.18]))
    """
    n_tokens = len(start)
    width = min(max_length, n_tokens)
    beyond = np.full(width - 1, -1.0, dtype=end.dtype)  # makes the score of such spans negative
    ends = np.lib.stride_tricks.sliding_window_view(np.concatenate([end, beyond]), width)
    scores = (start[:, None] * ends).reshape(-1)  # [X width], of spans from i to i + length
    firsts, lengths = np.divmod(np.arange(scores.size), width)
    inside = np.flatnonzero(firsts + lengths < n_tokens)
    order = inside[np.argsort(-scores[inside], kind="stable")[:k]]
    return firsts[order], firsts[order] + lengths[order], scores[order]


def read_answers(
    context: str,
    windows: Sequence[Window],
    logits: Sequence[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]],
    *,
    top_k: int,
    n_candidates: int,
    max_answer_len: int,
    handle_impossible_answer: bool,
) -> list[Answer]:
    """Read the best answers from the start and end scores, [S], of all windows of a context.

    Of each window, the best ``n_candidates`` spans are considered. The scores of those that read
    the same, apart from upper and lower case, are added up; ``start`` and ``end`` are those of the
    first that was found. The score of ``""``, there is no answer, is the probability that an answer
    starts and ends at ``<s>``, of the window where that is least probable.
    """
    found: dict[str, Answer] = {}
    null_scores = []
    for window, (start_logits, end_logits) in zip(windows, logits, strict=True):
        null_start, start = span_probabilities(start_logits, window.tokens)
        null_end, end = span_probabilities(end_logits, window.tokens)
        null_scores.append(float(null_start * null_end))
        spans = best_spans(start, end, n_candidates, max_answer_len)
        for first, last, score in zip(*(column.tolist() for column in spans), strict=True):
            _add(found, context, window.offsets[first][0], window.offsets[last][1], score)
    answers = list(found.values())
    if handle_impossible_answer:
        answers.append({"score": min(null_scores), "start": 0, "end": 0, "answer": ""})
    return sorted(answers, key=lambda answer: answer["score"], reverse=True)[:top_k]


def _add(found: dict[str, Answer], context: str, start: int, end: int, score: float) -> None:
    answer = context[start:end]
    known = found.setdefault(
        answer.lower(), {"score": 0.0, "start": start, "end": end, "answer": answer}
    )
    known["score"] += score
