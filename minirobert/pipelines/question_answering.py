"""The question-answering pipeline: the part of a text that answers a question.

The model scores each token as the first and as the last of the answer. A long text is read in
windows, each with the question before it. `span_probabilities` turns the scores of a window into
probabilities, `best_spans` finds the most probable pairs of a first and a last token, and
`read_answers` leads them back to the text and puts the windows together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple, TypedDict, TypeVar

import numpy as np

from ..functional import softmax
from ..models.classifiers import RobertaForQuestionAnswering
from ..tokenization import RobertaTokenizer
from .base import Batch, Job, Pipeline, Row, on_host, rows_of

__all__ = [
    "Answer",
    "QuestionAnsweringPipeline",
    "Window",
    "best_spans",
    "read_answers",
    "span_probabilities",
    "word_offsets",
]

T = TypeVar("T")

#: The score of tokens that cannot be in the answer, before the softmax.
EXCLUDED = -10000.0


class Answer(TypedDict):
    """An answer, and where in the context it is."""

    score: float
    start: int  # its characters: context[start:end]
    end: int
    answer: str  # context[start:end]; "" for "there is no answer"


class Window(NamedTuple):
    """Where the context is in a row ``<s> question </s></s> context </s>``."""

    tokens: slice  # which tokens of the row are of the context
    offsets: Sequence[tuple[int, int]]  # the characters of the context that each stands for


class QuestionAnsweringPipeline(Pipeline[RobertaForQuestionAnswering]):
    """Find the part of a text, the context, that answers a question.

    Parameters
    ----------
    model : RobertaForQuestionAnswering
    tokenizer : RobertaTokenizer
    top_k, doc_stride, max_answer_len, max_seq_len, handle_impossible_answer, align_to_words
        Defaults of the call, see `__call__`.
    batch_size, progress_bar
        As of `Pipeline`.

    Notes
    -----
    As in transformers, spans that read the same are one answer, whose score is the sum of theirs.
    Only the best ``2 * top_k + 10`` spans of each window are considered (without `align_to_words`
    only ``top_k``), so the score of the best answer depends on ``top_k``, and it may exceed 1.

    Where transformers goes wrong, this pipeline does not follow:

    - Only spans of the context count, that end where they start or later. There, spans with the
      score 0 that are no such spans can be among the last of many answers.
    - Equally probable spans are taken in the order of the text; there, in no defined order.
    - The question comes first, and only the context has answers, whatever the tokenizer's
      ``padding_side``. There, on the left, tokens of the question are taken for answers. So is
      ``<s>`` where a question has it.
    - A question so long that windows with the default ``doc_stride`` would not move on gets
      smaller ones; there, the tokenizer panics.
    - ``max_question_len`` is not an argument: there, it has no effect (with the fast tokenizer).

    >>> from minirobert import RobertaConfig, RobertaTokenizer
    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=8192)
    >>> model = RobertaForQuestionAnswering(config)  # drawn weights
    >>> ask = QuestionAnsweringPipeline(model, RobertaTokenizer.from_pretrained())
    >>> answer = ask(question="Who is it?", context="Anna")
    >>> answer["answer"], answer["start"], answer["end"]
    ('Anna', 0, 4)
    """

    task = "question-answering"
    noun = "question"
    single = (Mapping,)

    def __init__(
        self,
        model: RobertaForQuestionAnswering,
        tokenizer: RobertaTokenizer,
        *,
        top_k: int = 1,
        doc_stride: int | None = None,
        max_answer_len: int = 15,
        max_seq_len: int | None = None,
        handle_impossible_answer: bool = False,
        align_to_words: bool = True,
        batch_size: int = 1,
        progress_bar: bool = False,
    ):
        super().__init__(model, tokenizer, batch_size=batch_size, progress_bar=progress_bar)
        self.top_k = _at_least_1("top_k", top_k)
        self.doc_stride = doc_stride
        self.max_answer_len = _at_least_1("max_answer_len", max_answer_len)
        self.max_seq_len = max_seq_len
        self._lengths(max_seq_len, doc_stride)
        self.handle_impossible_answer = handle_impossible_answer
        self.align_to_words = align_to_words

    def __call__(
        self,
        *inputs: Any,
        question: str | Sequence[str] | None = None,
        context: str | Sequence[str] | None = None,
        top_k: int | None = None,
        doc_stride: int | None = None,
        max_answer_len: int | None = None,
        max_seq_len: int | None = None,
        handle_impossible_answer: bool | None = None,
        align_to_words: bool | None = None,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
    ) -> Any:
        """Answer one question, or several.

        Parameters
        ----------
        *inputs : dict, list of dict, or any iterable of dict
            In place of the next two: ``{"question": ..., "context": ...}``. Or two strings, the
            question and the context.
        question, context : str or list of str
            Lists go together one by one; a single question or context goes with each of a list.
        top_k : int, optional
            How many answers to give at most; 1 by default.
        doc_stride : int, optional
            How many tokens of a long context one window shares with the next. By default half of
            `max_seq_len`, but at most 128, and fewer where the question is long.
        max_answer_len : int, optional
            The most tokens of an answer, before it is extended to whole words; 15 by default.
        max_seq_len : int, optional
            The most tokens of a window with its question. By default 384, or fewer where the model
            or the tokenizer does not take that many.
        handle_impossible_answer : bool, optional
            Whether ``""``, for "there is no answer", may be an answer; false by default.
        align_to_words : bool, optional
            Whether answers are extended to whole words; true by default.
        batch_size : int, optional
            How many windows to compute at once; 1 by default.
        progress_bar : bool, optional
            Show how many questions are answered, on stderr.

        Returns
        -------
        dict
            For one question ``score``, ``start``, ``end`` and ``answer``, which is
            ``context[start:end]``; a list of such dictionaries, the best first, if `top_k` allows
            for more than one answer and there is more than one. A list of several questions gives
            a list of their results, and another iterable an iterator of them.

        Raises
        ------
        ValueError
            If a question or a context is missing or empty, a question is too long, or an option is
            out of range.
        TypeError
            If a question or a context is not a string.
        """
        asked = _asked(inputs, question, context)
        max_seq_len, doc_stride = self._lengths(
            _or(max_seq_len, self.max_seq_len), _or(doc_stride, self.doc_stride)
        )
        align = _or(align_to_words, self.align_to_words)
        top_k = _at_least_1("top_k", _or(top_k, self.top_k))
        answer = partial(
            _answer,
            top_k=top_k,
            # more than will be given, for several of them can be in one word
            n_candidates=2 * top_k + 10 if align else top_k,
            max_answer_len=_at_least_1("max_answer_len", _or(max_answer_len, self.max_answer_len)),
            handle_impossible_answer=_or(handle_impossible_answer, self.handle_impossible_answer),
        )
        encode = partial(
            self._windows, max_seq_len=max_seq_len, doc_stride=doc_stride, align_to_words=align
        )
        results = self._run(asked, Job(encode, self._logits, answer), batch_size, progress_bar)
        alone = isinstance(asked, list) and len(asked) == 1
        return results[0] if alone else results

    def _windows(
        self,
        example: Any,
        name: str,
        *,
        max_seq_len: int,
        doc_stride: int | None,
        align_to_words: bool,
    ) -> Sequence[Row]:
        """Encode a question with each window of its context."""
        question, context = _checked(example, name)
        encoding = self.tokenizer(
            question,
            context,
            truncation="only_second",
            max_length=max_seq_len,
            stride=self._stride(question, context, name, max_seq_len, doc_stride),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        rows = rows_of(encoding)
        for i, row in enumerate(rows):
            texts = encoding.sequence_ids(i)  # None, 0 for the question, 1 for the context
            tokens = slice(texts.index(1), texts.index(1) + texts.count(1))
            offsets = row["offset_mapping"][tokens]
            if align_to_words:
                offsets = word_offsets(offsets, encoding.word_ids(i)[tokens])
            row["window"] = Window(tokens, offsets)
        return rows

    def _stride(
        self, question: str, context: str, name: str, max_seq_len: int, doc_stride: int | None
    ) -> int:
        """Settle how many tokens windows share, and check that they get to the context's end."""
        stride = min(max_seq_len // 2, 128) if doc_stride is None else doc_stride
        n_question = self._n_tokens(question)
        room = max_seq_len - 4 - n_question  # the special tokens of a pair are 4
        if room < 1:
            most = self.model.config.max_sequence_length
            longer = f", or give a max_seq_len of up to {most}" if max_seq_len < most else ""
            raise ValueError(
                f"{name} has {n_question} tokens, which with 4 special ones leaves no room for the "
                f"context in {max_seq_len}: shorten it to at most {max_seq_len - 5}{longer}"
            )
        if stride < room or self._n_tokens(context) <= room:
            return min(stride, room - 1)
        if doc_stride is not None:
            raise ValueError(
                f"doc_stride is {doc_stride}, but with {n_question} tokens of {name} a window has "
                f"only {room} of the context, and the next would not move on: give a doc_stride "
                f"of at most {room - 1}, or a larger max_seq_len"
            )
        return room // 2

    def _n_tokens(self, text: str) -> int:
        return len(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    @property
    def _limit(self) -> int:
        """How many tokens a row may have."""
        limit = self.model.config.max_sequence_length
        return min(limit, self.tokenizer.model_max_length or limit)

    def _lengths(self, max_seq_len: int | None, doc_stride: int | None) -> tuple[int, int | None]:
        """Check the lengths of windows, and fill in that of the row."""
        if max_seq_len is None:
            max_seq_len = min(self._limit, 384)
        most = self.model.config.max_sequence_length
        if not isinstance(max_seq_len, Integral) or not 6 <= max_seq_len <= most:
            raise ValueError(
                f"max_seq_len is {max_seq_len!r}, but must be from 6 (4 special tokens, and one "
                f"each of the question and the context) to {most}, which the model takes"
            )
        if doc_stride is not None and (
            not isinstance(doc_stride, Integral) or not 0 <= doc_stride <= max_seq_len
        ):
            raise ValueError(
                f"doc_stride is {doc_stride!r}, but must be from 0 to {max_seq_len}, the "
                "max_seq_len"
            )
        return int(max_seq_len), doc_stride

    def _logits(
        self, batch: Batch
    ) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:  # B times [S], [S]
        """Give the start and the end scores of each row's tokens, without the padding."""
        output = self.model(**self._placed(batch))
        is_token = batch["attention_mask"] == 1
        starts, ends = on_host(output.start_logits), on_host(output.end_logits)
        for start, end, real in zip(starts, ends, is_token, strict=True):
            yield start[real], end[real]


def _answer(
    example: Mapping[str, Any], rows: Sequence[Row], outputs: Sequence[Any], **options: Any
) -> Answer | list[Answer]:
    windows = [row["window"] for row in rows]
    answers = read_answers(example["context"], windows, outputs, **options)
    return answers[0] if len(answers) == 1 else answers


def _asked(inputs: tuple[Any, ...], question: Any, context: Any) -> Any:
    """Read the ways to ask: a list of dictionaries, or an iterable of them."""
    if inputs and (question is not None or context is not None):
        raise TypeError("give inputs, or question= and context=, but not both")
    if len(inputs) == 2 and all(isinstance(text, str) for text in inputs):
        question, context = inputs
    elif len(inputs) == 1:
        (only,) = inputs
        return list(only) if isinstance(only, list | tuple) else only
    elif inputs:
        return list(inputs)
    for name, given in (("question", question), ("context", context)):
        if given is None:
            raise ValueError(f"there is no {name}: give question= and context=")
    many = [len(given) for given in (question, context) if isinstance(given, list | tuple)]
    if len(many) == 2 and many[0] != many[1]:
        raise ValueError(
            f"there are {many[0]} questions, but {many[1]} contexts: give as many of both, or one "
            "context for all questions"
        )
    if not many:
        return {"question": question, "context": context}
    questions = question if isinstance(question, list | tuple) else [question] * many[0]
    contexts = context if isinstance(context, list | tuple) else [context] * many[0]
    return [{"question": q, "context": c} for q, c in zip(questions, contexts, strict=True)]


def _checked(example: Any, name: str) -> tuple[str, str]:
    if not isinstance(example, Mapping) or not {"question", "context"} <= example.keys():
        raise TypeError(
            f"{name} is {example!r:.80}, but must be a dictionary with question and context"
        )
    for key in ("question", "context"):
        text = example[key]
        which = name if key == "question" else f"the context of {name}"
        if not isinstance(text, str):
            raise TypeError(f"{which} is {text!r:.80}, but must be a str")
        if not text:
            raise ValueError(f"{which} is empty")
    return example["question"], example["context"]


def _or(given: T | None, default: T) -> T:
    return default if given is None else given


def _at_least_1(name: str, value: Any) -> int:
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} is {value!r}, but must be an integer of at least 1")
    return int(value)


def word_offsets(
    offsets: Iterable[tuple[int, int]], words: Iterable[int | None]
) -> list[tuple[int, int]]:
    """Give each token the characters of the whole word that it is of.

    Parameters
    ----------
    offsets : list of (int, int)
        The characters of each token.
    words : list of int
        The number of the word of each token.

    Returns
    -------
    list of (int, int)
        From the first character of the word's first token here to the last of its last one.

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
) -> tuple[Any, np.ndarray[Any, Any]]:  # [S] -> [], [T]
    """Give the probabilities that the answer starts (or ends) at each token of the context.

    Parameters
    ----------
    logits : NumPy array of shape [S]
        The start (or end) scores of a row.
    context : slice
        The T tokens of the context in it.

    Returns
    -------
    null : NumPy number
        The probability of ``<s>``, at which a model points to say that there is no answer.
    probabilities : NumPy array of shape [T]
        They and `null` add up to 1: all other tokens are excluded.

    >>> null, probabilities = span_probabilities(np.zeros(6), slice(4, 5))
    >>> null, probabilities
    (np.float64(0.5), array([0.5]))
    """
    may_be = np.zeros(logits.shape, dtype=bool)
    may_be[0] = may_be[context] = True
    probabilities = softmax(np.where(may_be, logits, EXCLUDED))
    return probabilities[0], probabilities[context]


def best_spans(
    start: np.ndarray[Any, Any], end: np.ndarray[Any, Any], k: int, max_length: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Find the most probable pairs of a first and a last token: ``start[i] * end[j]``.

    Parameters
    ----------
    start, end : NumPy arrays of shape [T]
        The probabilities of each token to be the first, and to be the last of the answer.
    k : int
        How many pairs to find at most.
    max_length : int
        The most tokens from the first to the last, both counted.

    Returns
    -------
    first, last : integer NumPy arrays of shape [K], K <= k
        With ``first <= last < first + max_length``; the most probable pair first, and of equally
        probable ones the one that starts, then the one that ends, sooner.
    scores : NumPy array of shape [K]

    >>> best_spans(np.array([0.6, 0.4]), np.array([0.7, 0.3]), k=2, max_length=5)
    (array([0, 0]), array([0, 1]), array([0.42, 0.18]))
    """
    n_tokens = len(start)
    width = min(max_length, n_tokens)
    beyond = np.full(width - 1, -1.0, dtype=end.dtype)  # makes the score of such spans negative
    ends = np.lib.stride_tricks.sliding_window_view(np.concatenate([end, beyond]), width)
    scores = (start[:, None] * ends).reshape(-1)  # [T width], of spans from i to i + length
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
    """Read the best answers from the scores of all windows of a context.

    Parameters
    ----------
    context : str
    windows : list of Window
    logits : list of (array of shape [S], array of shape [S])
        The start and the end scores of each window's row.
    top_k : int
        How many answers to give at most.
    n_candidates : int
        How many spans of each window to consider.
    max_answer_len : int
        The most tokens of an answer.
    handle_impossible_answer : bool
        Whether ``""``, there is no answer, is one of the answers. Its score is the probability
        that an answer starts and ends at ``<s>``, of the window where that is least probable.

    Returns
    -------
    list of Answer
        The best first. The scores of spans that read the same, apart from upper and lower case,
        are added up; ``start`` and ``end`` are those of the first that was found.
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
