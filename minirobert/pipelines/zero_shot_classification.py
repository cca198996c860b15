"""The zero-shot-classification pipeline: which of any labels fits a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..checks import warn
from ..functional import softmax
from ..keywords import takes
from ..models.classifiers import RobertaForSequenceClassification
from ..rules import STRING, check
from ..sentences import listed, shown
from ..tokenization import RobertaTokenizer
from .base import Job, Pipeline, Row, flag, or_else
from .inputs import check_text, opened
from .keywords import OF_CALLS, OF_OBJECTS, OF_ZERO_SHOT
from .results import Ranking
from .typed_calls import one_or_many

__all__ = ["Ranking", "ZeroShotClassificationPipeline"]


class ZeroShotClassificationPipeline(Pipeline[RobertaForSequenceClassification]):
    """Rank labels that the model was never trained on, by what follows from the text.

    The model was trained on natural language inference: whether a premise entails a hypothesis, or
    contradicts it. The text is the premise, and there is a hypothesis for each label, such as "This
    example is sport." (Yin et al. 2019, arXiv:1909.00161).

    Parameters
    ----------
    model : RobertaForSequenceClassification
        One of its ``id2label`` begins with "entail", in any case. Where none does, the last class
        is taken, with a warning.
    tokenizer : RobertaTokenizer
    candidate_labels, hypothesis_template, multi_label
        Defaults of the call, see `__call__`.
    batch_size, tokenizer_kwargs, progress_bar, threads
        See `Pipeline`.

    Notes
    -----
    As in transformers, the class of contradictions is number 0 (the last, where 0 is entailment).
    Other than there, probabilities are computed without overflow for large logits; a text is
    truncated to what the model takes where the tokenizer does not know it; and a label may be
    ``"{}"``.
    """

    task = "zero-shot-classification"

    @takes(OF_OBJECTS | OF_ZERO_SHOT, Pipeline.__init__)
    def __init__(
        self,
        model: RobertaForSequenceClassification,
        tokenizer: RobertaTokenizer,
        *,
        candidate_labels: str | Sequence[str] | None = None,
        hypothesis_template: str = "This example is {}.",
        multi_label: bool = False,
        **shared: Any,
    ):
        super().__init__(model, tokenizer, **shared)
        self.candidate_labels = candidate_labels
        self.hypothesis_template = hypothesis_template
        self.multi_label = multi_label
        if self.entailment_id == -1:
            names = listed(self._label_names, each=shown)
            warn(
                f"none of the model's labels ({names}) begins with 'entail', so the last is taken "
                "for entailment: use a model of natural language inference, or set id2label"
            )

    @property
    def entailment_id(self) -> int:
        """The number of the class of entailed hypotheses; -1, the last, where none is named so."""
        names = enumerate(self._label_names)
        return next((i for i, name in names if name.lower().startswith("entail")), -1)

    @property
    def _label_names(self) -> list[str]:
        names = self.model.config.id2label or {}
        return [names[i] for i in range(self.model.config.num_labels)]

    @one_or_many(str)
    @takes(OF_CALLS | OF_ZERO_SHOT)
    def __call__(
        self,
        sequences: str | Iterable[str],
        candidate_labels: str | Sequence[str] | None = None,
        *,
        hypothesis_template: str | None = None,
        multi_label: bool | None = None,
        batch_size: int | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool | None = None,
    ) -> Ranking:
        """Rank the labels of one text, or of several.

        Parameters
        ----------
        sequences : str, list of str, or any iterable of str
            The texts. What is too long for the model is cut off, with a warning
            unless ``tokenizer_kwargs`` say how.
        candidate_labels : list of str, or str
            The labels; a str is split at its commas.
        hypothesis_template : str, optional
            Makes a hypothesis of a label, which takes the place of ``{}``.
        multi_label : bool, optional
            True if several labels may fit: each has its own probability then, entailment against
            contradiction. By default the probabilities of the labels add up to 1.
        batch_size, tokenizer_kwargs, progress_bar : optional
            See `Pipeline`: how many pairs of a text and a label to compute at once (1 by default),
            more options of the tokenizer's call, and whether to show how many texts are done.

        Returns
        -------
        dict
            ``sequence``, ``labels`` and ``scores``, the most probable first. A list of texts gives
            a list of these, another iterable an iterator of them.

        Raises
        ------
        ValueError
            If there is no label, the template has no place for it, a text is empty, or a hypothesis
            leaves no room for the text.
        TypeError
            If a text or a label is no str.
        """
        labels = _labels(or_else(candidate_labels, self.candidate_labels))
        hypotheses = _hypotheses(or_else(hypothesis_template, self.hypothesis_template), labels)
        several = flag("multi_label", multi_label, self.multi_label)
        options = self._options(tokenizer_kwargs)
        job = Job(
            lambda text, name: self._pairs(text, name, hypotheses, options),
            self._logits,
            lambda text, rows, outputs: self._ranked(text, labels, np.stack(outputs), several),
        )
        return self._run(sequences, job, batch_size, progress_bar)

    def _pairs(
        self, text: Any, name: str, hypotheses: list[str], options: Mapping[str, Any]
    ) -> list[Row]:
        """Encode a text with each hypothesis; where it is too long, the end of the text goes."""
        check_text(name, text)
        if not text:
            raise ValueError(f"{name} is empty: give one that a label can fit")
        rows = [self._pair(text, name, hypothesis, options) for hypothesis in hypotheses]
        if not options.keys() & {"truncation", "max_length"} and any(
            len(row["input_ids"]) == self.limit and self._is_cut(text, hypothesis, options)
            for row, hypothesis in zip(rows, hypotheses, strict=True)
        ):
            warn(
                f"{name} with a hypothesis has more than the {self.limit} tokens that the model "
                "takes, and its end is not read: shorten or split it"
            )
        return rows

    def _is_cut(self, text: str, hypothesis: str, options: Mapping[str, Any]) -> bool:
        """Tell whether a text and a hypothesis, which fill a row, have more tokens than that."""
        options = {**options, "truncation": False, "verbose": False}
        return len(self.tokenizer(text, hypothesis, **options)["input_ids"]) > self.limit

    def _pair(self, text: Any, name: str, hypothesis: str, options: Mapping[str, Any]) -> Row:
        cut = {"truncation": "only_first", "max_length": self.limit, **options}
        try:
            return self._row(name, text, hypothesis, cut)
        except ValueError:  # the hypothesis leaves no room: does it fit uncut, as in transformers?
            name = f"{name}, with the hypothesis {shown(hypothesis)},"
            longest = self.model.config.max_sequence_length
            uncut = {**options, "truncation": False, "max_length": longest}
            return self._row(name, text, hypothesis, uncut)

    def _ranked(
        self,
        text: str,
        labels: list[str],
        logits: np.ndarray[Any, Any],  # [X, C], of X labels
        multi_label: bool,
    ) -> Ranking:
        entailment = self.entailment_id
        if multi_label or len(labels) == 1:
            contradiction = -1 if entailment == 0 else 0
            both = logits[:, [contradiction, entailment]]
            scores = to_numpy(softmax(both))[:, 1]  # [X]
        else:
            scores = to_numpy(softmax(logits[:, entailment]))  # [X]
        order = np.argsort(scores, kind="stable")[::-1]
        return {
            "sequence": text,
            "labels": [labels[i] for i in order],
            "scores": scores[order].tolist(),
        }


def _labels(given: Any) -> list[str]:
    """Make a list of the labels, which may come as one str."""
    if given is None:
        raise TypeError("candidate_labels is missing: give the labels to choose from")
    if isinstance(given, str):
        given = [label.strip() for label in given.split(",") if label.strip()]
    given = opened(given, "label")
    if not isinstance(given, Iterable):
        raise TypeError(f"candidate_labels is {shown(given)}, but must be a list of labels")
    labels = list(given)
    for i, label in enumerate(labels):
        check(f"candidate_labels[{i}]", label, STRING, TypeError)
    if not labels:
        raise ValueError("candidate_labels is empty: give at least one label")
    return labels


def _hypotheses(template: str, labels: list[str]) -> list[str]:
    try:
        hypotheses = [template.format(label) for label in labels]
        has_place = template.format("a") != template.format("b")
    except Exception:  # whatever is in its braces
        has_place = False
    if not has_place:
        raise ValueError(
            f"hypothesis_template is {shown(template)}, but must be a str with one {{}} where the "
            "label goes, such as 'This example is {}.'"
        )
    return hypotheses
