"""The question-answering pipeline: the part of a text that answers a question.

The model scores each token as the first and as the last of the answer; `answers` reads the answers
from these scores. A long text is read in windows, each with the question before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, overload

import numpy as np

from ..keywords import takes
from ..models.classifiers import RobertaForQuestionAnswering
from ..rules import Rule, check, integer, optional
from ..sentences import shown
from ..tokenization import RobertaTokenizer
from .answers import Window, read_answers, word_offsets
from .base import Batch, Job, Pipeline, Row, flag, on_host, or_else, rows_of
from .inputs import check_text, opened
from .keywords import OF_CALLS, OF_OBJECTS, OF_QUESTIONS
from .results import Answer

__all__ = ["Answer", "QuestionAnsweringPipeline"]


class QuestionAnsweringPipeline(Pipeline[RobertaForQuestionAnswering]):
    """Find the part of a text, the context, that answers a question.

    Parameters
    ----------
    model : RobertaForQuestionAnswering
    tokenizer : RobertaTokenizer
    top_k, doc_stride, max_answer_len, max_seq_len, handle_impossible_answer, align_to_words
        Defaults of the call, see `__call__`.
    device, batch_size, progress_bar, threads
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

    @takes(OF_OBJECTS | OF_QUESTIONS)
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
        device: Any = None,
        batch_size: int = 1,
        progress_bar: bool = False,
        threads: int | None = None,
    ):
        super().__init__(
            model,
            tokenizer,
            device=device,
            batch_size=batch_size,
            progress_bar=progress_bar,
            threads=threads,
        )
        self.top_k = check("top_k", top_k, integer(1))
        self.doc_stride = doc_stride
        self.max_answer_len = check("max_answer_len", max_answer_len, integer(1))
        self.max_seq_len = max_seq_len
        self._lengths(max_seq_len, doc_stride)
        self.handle_impossible_answer = handle_impossible_answer
        self.align_to_words = align_to_words

    @overload
    def __call__(self, *inputs: Any, top_k: int, **options: Any) -> Any: ...
    @overload
    def __call__(self, inputs: dict[str, str], /, **options: Any) -> Answer: ...
    @overload
    def __call__(self, question: str, context: str, /, **options: Any) -> Answer: ...
    @overload
    def __call__(self, *, question: str, context: str, **options: Any) -> Answer: ...
    @overload
    def __call__(self, inputs: list[dict[str, str]], /, **options: Any) -> list[Answer]: ...
    @overload
    def __call__(self, *inputs: Any, **options: Any) -> Any: ...

    @takes(OF_CALLS | OF_QUESTIONS)  # type: ignore[misc]  # its options are checked when it runs
    def __call__(
        self,
        *inputs: Any,
        question: str | Sequence[str] | None = None,
        context: str | Sequence[str] | None = None,
        data: Any = None,
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
            In place of the next two: ``{"question": ..., "context": ...}``, in a single one also
            with lists. Or two strings, the question and the context.
        question, context : str or list of str
            Lists go together one by one; a single question or context goes with each of a list.
        data : optional
            Transformers' older spelling of ``inputs``.
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
        batch_size, progress_bar : optional
            See `Pipeline`: how many windows to compute at once (1 by default), and whether to show
            how many questions are answered.

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
        asked = _asked(inputs if data is None else (*inputs, data), question, context)
        max_seq_len, doc_stride = self._lengths(
            or_else(max_seq_len, self.max_seq_len), or_else(doc_stride, self.doc_stride)
        )
        align = flag("align_to_words", align_to_words, self.align_to_words)
        top_k = int(check("top_k", or_else(top_k, self.top_k), integer(1)))
        longest = check("max_answer_len", or_else(max_answer_len, self.max_answer_len), integer(1))
        answer = partial(
            _answer,
            top_k=top_k,
            # more than will be given, for several of them can be in one word
            n_candidates=2 * top_k + 10 if align else top_k,
            max_answer_len=longest,
            handle_impossible_answer=flag(
                "handle_impossible_answer", handle_impossible_answer, self.handle_impossible_answer
            ),
        )
        encode = partial(
            self._windows, max_seq_len=max_seq_len, doc_stride=doc_stride, align_to_words=align
        )
        job: Job[Any] = Job(encode, self._scores, answer)  # with top_k, answers
        results = self._run(asked, job, batch_size, progress_bar)
        alone = isinstance(asked, list) and len(asked) == 1
        return results[0] if alone else results

    @staticmethod
    def create_sample(question: str | Sequence[str], context: str | Sequence[str]) -> Any:
        """Give the inputs for a question and its context, or for several."""
        return _asked((), question, context)

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
            return_attention_mask=True,
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

    def _lengths(self, max_seq_len: int | None, doc_stride: int | None) -> tuple[int, int | None]:
        """Check the lengths of windows, and fill in that of the row."""
        if max_seq_len is None:
            max_seq_len = min(self.limit, 384)
        most = self.model.config.max_sequence_length
        in_words = (
            "an integer from 6 (4 special tokens, and one each of the question and the context) to "
            f"{most}, which the model takes"
        )
        check("max_seq_len", max_seq_len, Rule(integer(6, most).allows, in_words))
        check("doc_stride", doc_stride, optional(integer(0, max_seq_len).but(", the max_seq_len")))
        return max_seq_len, doc_stride

    def _scores(
        self, batch: Batch
    ) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:  # B times [S], [S]
        """Give the start and the end scores of each row's tokens, without the padding."""
        output = self.model(**self._placed(batch), read="tokens")
        is_token = batch["attention_mask"] == 1
        starts, ends = on_host(output.start_logits), on_host(output.end_logits)
        rows = zip(starts, ends, is_token, strict=True)
        return [(start[real], end[real]) for start, end, real in rows]


def _answer(
    example: Mapping[str, Any], rows: Sequence[Row], outputs: Sequence[Any], **options: Any
) -> Answer | list[Answer]:
    windows = [row["window"] for row in rows]
    answers = read_answers(example["context"], windows, outputs, **options)
    return answers[0] if len(answers) == 1 else answers


_KEYS = ("question", "context")


def _asked(inputs: tuple[Any, ...], question: Any, context: Any) -> Any:
    """Read the ways to ask: a list of dictionaries, or an iterable of them."""
    if inputs and (question is not None or context is not None):
        raise TypeError("give inputs, or question= and context=, but not both")
    if len(inputs) == 2 and all(isinstance(text, str) for text in inputs):
        question, context = inputs
    elif len(inputs) == 1:
        only = opened(inputs[0], "question")
        if isinstance(only, Mapping) and any(isinstance(only.get(k), list) for k in _KEYS):
            return _asked((), *(only.get(key) for key in _KEYS))  # such as a slice of a data set
        return list(only) if isinstance(only, list | tuple) else only
    elif inputs:
        return list(inputs)
    for name, given in (("question", question), ("context", context)):
        if given is None:
            raise ValueError(f"there is no {name}: give question= and context=")
    question, context = opened(question, "question"), opened(context, "context")
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
            f"{name} is {shown(example)}, but must be a dictionary with question and context"
        )
    for key in _KEYS:
        text = example[key]
        which = name if key == "question" else f"the context of {name}"
        check_text(which, text)
        if not text:
            raise ValueError(f"{which} is empty")
    return example["question"], example["context"]
