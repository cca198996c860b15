"""The text-classification pipeline: the class of a text, or of a pair of texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from ..functional import sigmoid, softmax
from ..keywords import names_of, takes
from ..models.classifiers import RobertaForSequenceClassification
from ..rules import BOOLEAN, NONE, Rule, check, did_you_mean, either, integer, optional
from ..sentences import listed, plain, shown
from ..tokenization import RobertaTokenizer
from .base import Job, Pipeline, or_else
from .inputs import opened
from .keywords import OF_CALLS, OF_OBJECTS
from .results import Classification

__all__ = ["FUNCTIONS", "Classification", "TextClassificationPipeline"]


def _unchanged(logits: Any) -> Any:
    return logits


#: What makes scores of the logits [C].
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
    "none": _unchanged,
}

MAPPING = Rule(lambda value: isinstance(value, Mapping), "a dictionary of options")
FUNCTION = Rule(
    lambda value: (
        value is None or (isinstance(value, str) and value.lower() in (*FUNCTIONS, "default"))
    ),
    f"one of {', '.join(FUNCTIONS)}, default",
)

#: Stands for ``top_k`` where it is not given: None already means all classes.
BEST: Any = ""


@dataclass(frozen=True)
class Form:
    """What a result looks like: a ranking, the best class alone, or all in their order."""

    top_k: int | None = 1  # None for all
    is_ranking: bool = False


class TextClassificationPipeline(Pipeline[RobertaForSequenceClassification]):
    """Name the class of a text, such as its sentiment, or of a pair of texts.

    Parameters
    ----------
    model : RobertaForSequenceClassification
    tokenizer : RobertaTokenizer
    top_k, function_to_apply, return_all_scores
        Defaults of the call, see `__call__`.
    device, batch_size, tokenizer_kwargs, progress_bar, threads
        See `Pipeline`.
    **tokenizer_options
        More of ``tokenizer_kwargs``, such as ``truncation=True``.

    Notes
    -----
    The nesting of the results is transformers': a single str gives a list with its one result,
    unless ``top_k`` is given in the call (and not only when the pipeline is made). So for a str,
    ``pipeline(…, top_k=None)(text)`` gives ``[[{…}, {…}]]``, and ``pipeline(…)(text, top_k=None)``
    gives ``[{…}, {…}]``.

    Other than there, ``function_to_apply="default"``, which its documentation promises, works; a
    ``top_k`` below 1 is an error; and so is a pair in a tuple, of which only the first text would
    be used.

    >>> from minirobert import RobertaConfig, RobertaTokenizer
    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=8192, id2label={0: "bad", 1: "good"})
    >>> model = RobertaForSequenceClassification(config)
    >>> classify = TextClassificationPipeline(model, RobertaTokenizer.from_pretrained())
    >>> [result["label"] for result in classify("A fine day.", top_k=None)]  # drawn weights
    ['bad', 'good']
    """

    task = "text-classification"
    single = (str, Mapping)

    @takes(OF_OBJECTS)
    def __init__(
        self,
        model: RobertaForSequenceClassification,
        tokenizer: RobertaTokenizer,
        *,
        top_k: int | None = BEST,
        function_to_apply: str | None = None,
        return_all_scores: bool | None = None,
        device: Any = None,
        batch_size: int = 1,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool = False,
        threads: int | None = None,
        **tokenizer_options: Any,
    ):
        options = {**(tokenizer_kwargs or {}), **tokenizer_options}
        _check_options(tokenizer, tokenizer_options)
        super().__init__(
            *(model, tokenizer),
            device=device,
            batch_size=batch_size,
            tokenizer_kwargs=options,
            progress_bar=progress_bar,
            threads=threads,
        )
        self.form = self._form(Form(), top_k, return_all_scores)
        self.function_to_apply = self._function_name(function_to_apply)

    @overload
    def __call__(
        self, inputs: list[Any] | tuple[Any, ...], *, top_k: int | None, **options: Any
    ) -> list[list[Classification]]: ...
    @overload
    def __call__(
        self, inputs: list[Any] | tuple[Any, ...], **options: Any
    ) -> list[Classification]: ...
    @overload
    def __call__(
        self, inputs: dict[str, str], *, top_k: int | None, **options: Any
    ) -> list[Classification]: ...
    @overload
    def __call__(self, inputs: dict[str, str], **options: Any) -> Classification: ...
    @overload
    def __call__(self, inputs: str, **options: Any) -> list[Classification]: ...
    @overload
    def __call__(self, inputs: Iterable[Any], **options: Any) -> Any: ...

    @takes(OF_CALLS)
    def __call__(
        self,
        inputs: str | Mapping[str, str] | Iterable[str | Mapping[str, str]],
        *,
        top_k: int | None = BEST,
        function_to_apply: str | None = None,
        return_all_scores: bool | None = None,
        batch_size: int | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool | None = None,
        **tokenizer_options: Any,
    ) -> Any:
        """Classify one text, or several.

        Parameters
        ----------
        inputs : str, dict, list of them, or any iterable of them
            Texts, or pairs of texts: ``{"text": …, "text_pair": …}``.
        top_k : int or None, optional
            How many classes of each text to name, the best first; None for all. The best one by
            default.
        function_to_apply : str, optional
            What makes scores of the logits: ``"softmax"``, ``"sigmoid"`` or ``"none"``. By default
            (or ``"default"``) it is none for a regression, sigmoid for ``num_labels=1`` and for
            several classes a text, else softmax; see ``config.problem_type``.
        return_all_scores : bool, optional
            True gives the scores of all classes, in the order of their numbers. It is transformers'
            older spelling, and has no effect where ``top_k`` is given. A model's ``config.json``
            may have it, too.
        batch_size, tokenizer_kwargs, progress_bar : optional
            See `Pipeline`: how many texts to compute at once (1 by default), options of the
            tokenizer's call, and whether to show how many texts are done.
        **tokenizer_options
            More of ``tokenizer_kwargs``, such as ``truncation=True``; or ``text_pair``, the second
            text of all pairs.

        Returns
        -------
        dict or list of dict
            For each text ``label`` and ``score`` of the best class; with ``top_k`` or
            ``return_all_scores`` a list of these. A list of texts gives a list of results, another
            iterable an iterator of them, and a single str a list with one; see the Notes of the
            class.

        Raises
        ------
        ValueError
            If a text has too many tokens, or ``top_k`` or ``function_to_apply`` is wrong.
        TypeError
            If a text is no str and no dict of them, or the tokenizer has no such option.
        """
        form = self._form(self.form, top_k, return_all_scores)
        function = self._function_name(function_to_apply) or self.function_to_apply
        apply = FUNCTIONS[function or self._default()]
        _check_options(self.tokenizer, tokenizer_options)
        given = or_else(tokenizer_kwargs, self.tokenizer_kwargs)
        options = {**check("tokenizer_kwargs", given, MAPPING, TypeError), **tokenizer_options}
        pair = options.pop("text_pair", None)
        inputs = opened(inputs)
        job = Job(
            lambda text, name: [self._row(name, *_texts_of(text, name, pair), options)],
            lambda batch: apply(self._logits(batch)),
            lambda text, rows, outputs: self._named(outputs[0], form),
        )
        results = self._run(inputs, job, batch_size, progress_bar)
        return [results] if isinstance(inputs, str) and top_k is BEST else results

    def _named(
        self,
        scores: np.ndarray[Any, Any],  # [C]
        form: Form,
    ) -> Classification | list[Classification]:
        """Put the scores of a text into the form that was asked for."""
        names = self.model.config.id2label or {}
        if not form.is_ranking and form.top_k is not None:
            best = int(np.argmax(scores))
            return {"label": names[best], "score": float(scores[best])}
        found: list[Classification] = [
            {"label": names[i], "score": score} for i, score in enumerate(scores.tolist())
        ]
        if form.is_ranking:
            return sorted(found, key=lambda one: -one["score"])[: form.top_k]
        return found

    def _default(self) -> str:
        config = self.model.config
        if config.problem_type == "regression":
            return "none"
        one_a_class = config.problem_type == "multi_label_classification"
        return "sigmoid" if one_a_class or config.num_labels == 1 else "softmax"

    def _form(self, before: Form, top_k: Any, return_all_scores: bool | None) -> Form:
        """Change a form by the options of a call, as transformers does."""
        if top_k is BEST:
            check("return_all_scores", return_all_scores, optional(BOOLEAN), TypeError)
            asked = or_else(return_all_scores, self.model.config.extra.get("return_all_scores"))
            return before if asked is None else Form(None if asked else 1, before.is_ranking)
        check("top_k", top_k, either(integer(1), NONE.but(" for all classes")))
        return Form(None if top_k is None else int(top_k), is_ranking=True)

    @staticmethod
    def _function_name(name: str | None) -> str | None:
        """Check the name of a function; None stands for the default."""
        check("function_to_apply", name, FUNCTION)
        lower = "default" if name is None else name.lower()
        return None if lower == "default" else lower


def _check_options(tokenizer: RobertaTokenizer, options: Iterable[str]) -> None:
    """Refuse a misspelt option before the first text is read."""
    known, _ = names_of(type(tokenizer).__call__)
    for name in options:
        if name not in known:
            own, _ = names_of(TextClassificationPipeline.__call__)
            raise TypeError(
                f"{plain(name)} is no option of text-classification"
                f"{did_you_mean(name, [*own, *known])} (it has {listed(own)}, and those of the "
                "tokenizer's call, such as truncation or max_length)"
            )


def _texts_of(one: Any, name: str, pair: Any) -> tuple[Any, Any]:
    """Take an input apart into a text and the second text of a pair, by default that of all."""
    if isinstance(one, Mapping):
        if "text" not in one or one.keys() - {"text", "text_pair"}:
            raise ValueError(
                f"{name} has the keys {listed(one, each=shown)}, but must have 'text', and "
                "'text_pair' for a pair"
            )
        if pair is not None and "text_pair" in one:
            raise ValueError(f"{name} has a text_pair, and so has the call: give one of them")
        return one["text"], one.get("text_pair", pair)
    if isinstance(one, list) and len(one) == 1 and isinstance(one[0], list) and len(one[0]) == 2:
        return one[0][0], one[0][1]  # an older form of transformers
    if isinstance(one, list | tuple):
        raise TypeError(
            f"{name} is {shown(one)}, but must be a str, or for a pair of texts a dict: "
            "{'text': …, 'text_pair': …}"
        )
    return one, pair
