"""The multiple-choice pipeline: which of several texts goes with a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..functional import softmax
from ..keywords import takes
from ..models.classifiers import RobertaForMultipleChoice
from ..rules import NONE, check, either, integer
from ..sentences import listed, shown
from ..tokenization import RobertaTokenizer
from .base import Batch, Job, Pipeline, Row, on_host, or_else
from .inputs import check_text
from .keywords import OF_CALLS, OF_OBJECTS, OF_ROWS
from .results import Choice
from .typed_calls import one_or_many

__all__ = ["Choice", "MultipleChoicePipeline"]

TOP_K = either(integer(1), NONE.but(" for all choices"))


class MultipleChoicePipeline(Pipeline[RobertaForMultipleChoice]):
    """Rank the choices of a question, such as possible answers or ways to go on.

    Parameters
    ----------
    model : RobertaForMultipleChoice
    tokenizer : RobertaTokenizer
    top_k
        Default of the call, see `__call__`.
    batch_size, tokenizer_kwargs, progress_bar, threads
        See `Pipeline`.

    Notes
    -----
    transformers has no such pipeline. The rows are those of the example in its documentation of
    ``RobertaForMultipleChoice``: the question with each of its choices, as pairs. A row is scored
    by itself, so the choices of one question may be in several batches.

    >>> from minirobert import RobertaConfig, RobertaTokenizer
    >>> model = RobertaForMultipleChoice(RobertaConfig(num_hidden_layers=1, vocab_size=8192))
    >>> choose = MultipleChoicePipeline(model, RobertaTokenizer.from_pretrained())
    >>> choices = choose({"question": "What is the sky?", "choices": ["blue", "a dog"]})
    >>> sorted(choice["index"] for choice in choices)  # the weights are drawn
    [0, 1]
    """

    task = "multiple-choice"
    noun = "question"
    single = (Mapping,)

    @takes(OF_OBJECTS | OF_ROWS, Pipeline.__init__)
    def __init__(
        self,
        model: RobertaForMultipleChoice,
        tokenizer: RobertaTokenizer,
        *,
        top_k: int | None = None,
        **shared: Any,
    ):
        super().__init__(model, tokenizer, **shared)
        self.top_k = check("top_k", top_k, TOP_K)

    @one_or_many(dict[str, Any])
    @takes(OF_CALLS | OF_ROWS)
    def __call__(
        self,
        inputs: Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        top_k: int | None = None,
        batch_size: int | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool | None = None,
    ) -> list[Choice]:
        """Rank the choices of one question, or of several.

        Parameters
        ----------
        inputs : dict, list of dict, or any iterable of dict
            With ``question`` (or ``prompt``), a str, and ``choices``, a list of str.
        top_k : int, optional
            How many choices to give; all by default.
        batch_size, tokenizer_kwargs, progress_bar : optional
            See `Pipeline`: how many pairs of a question and a choice to compute at once (1 by
            default), options of the tokenizer's call, such as ``{"truncation": "only_first"}``,
            which shortens long questions and leaves the choices, and whether to show how many
            questions are done.

        Returns
        -------
        list of dict
            ``choice``, ``index`` and ``score``, the most probable first. A list of questions gives
            a list of these lists, another iterable an iterator of them.

        Raises
        ------
        ValueError
            If a question has no choices, or too many tokens with one of them.
        TypeError
            If the question or a choice is no str.
        """
        k = check("top_k", or_else(top_k, self.top_k), TOP_K)
        options = or_else(tokenizer_kwargs, self.tokenizer_kwargs)
        job = Job(
            lambda one, name: self._pairs(one, name, options),
            self._scores,
            lambda one, rows, outputs: _ranked(list(one["choices"]), np.stack(outputs))[:k],
        )
        return self._run(inputs, job, batch_size, progress_bar)

    def _pairs(self, one: Any, name: str, options: Mapping[str, Any]) -> list[Row]:
        question, choices = _parts(one, name)
        return [
            self._row(f"{name}, with choice {i},", question, choice, options)
            for i, choice in enumerate(choices)
        ]

    def _scores(self, batch: Batch) -> np.ndarray[Any, Any]:  # [B, S] -> [B]
        """Score rows as texts of one choice each, [B, 1, S]."""
        placed = {name: column[:, None, :] for name, column in self._placed(batch).items()}
        return on_host(self.model(**placed).logits)[:, 0]


def _ranked(choices: list[str], logits: np.ndarray[Any, Any]) -> list[Choice]:
    """Put the choices with logits [C] in order."""
    scores = to_numpy(softmax(logits))
    return [
        {"choice": choices[i], "index": i, "score": float(scores[i])}
        for i in np.argsort(-scores, kind="stable").tolist()
    ]


def _parts(one: Any, name: str) -> tuple[str, list[str]]:
    """Take an input apart into the question and its choices."""
    if not isinstance(one, Mapping):
        raise TypeError(f"{name} is {shown(one)}, but must be a dict with 'question' and 'choices'")
    keys = set(one)
    if keys not in ({"question", "choices"}, {"prompt", "choices"}):
        raise ValueError(
            f"{name} has the keys {listed(one, each=shown)}, but must have 'question' (or "
            "'prompt') and 'choices'"
        )
    question, choices = one["question"] if "question" in one else one["prompt"], one["choices"]
    if not isinstance(choices, list | tuple) or not choices:
        raise ValueError(
            f"{name} has the choices {shown(choices)}, but must have a list of at least one"
        )
    for text in (question, *choices):
        check_text(f"a text of {name}", text)
    return question, list(choices)
