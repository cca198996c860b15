"""From text to answer in one call: a task's model, tokenizer and reading of the output together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, overload

from ..config import RobertaConfig
from ..files import TINY, HubOptions
from ..keywords import names_of, refuse, takes
from ..models.base import RobertaModel, RobertaPreTrainedModel
from ..models.classifiers import (
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)
from ..models.language_models import RobertaForCausalLM, RobertaForMaskedLM
from ..rules import Rule, check, did_you_mean, near_miss, optional
from ..sentences import listed, shown
from ..tokenization import RobertaTokenizer
from .base import Pipeline, device_name
from .feature_extraction import FeatureExtractionPipeline
from .fill_mask import FillMaskPipeline
from .keywords import OF_PIPELINES
from .loading import found_of, loading_options, together, tokenizer_of
from .multiple_choice import MultipleChoicePipeline
from .question_answering import QuestionAnsweringPipeline
from .results import (
    Answer,
    Choice,
    Classification,
    Entity,
    EntityGroup,
    Filling,
    GeneratedTokens,
    Generation,
    Ranking,
    TextScore,
    TokenScore,
)
from .score import ScorePipeline
from .text_classification import TextClassificationPipeline
from .text_generation import TextGenerationPipeline
from .token_classification import TokenClassificationPipeline
from .zero_shot_classification import ZeroShotClassificationPipeline

__all__ = [
    "TASKS",
    "Answer",
    "Choice",
    "Classification",
    "Entity",
    "EntityGroup",
    "FeatureExtractionPipeline",
    "FillMaskPipeline",
    "Filling",
    "GeneratedTokens",
    "Generation",
    "MultipleChoicePipeline",
    "Pipeline",
    "QuestionAnsweringPipeline",
    "Ranking",
    "ScorePipeline",
    "TextClassificationPipeline",
    "TextGenerationPipeline",
    "TextScore",
    "TokenClassificationPipeline",
    "TokenScore",
    "ZeroShotClassificationPipeline",
    "pipeline",
]

#: task: (the pipeline, the class of its model)
TASKS: dict[str, tuple[Any, type[RobertaPreTrainedModel]]] = {
    "fill-mask": (FillMaskPipeline, RobertaForMaskedLM),
    "feature-extraction": (FeatureExtractionPipeline, RobertaModel),
    "text-classification": (TextClassificationPipeline, RobertaForSequenceClassification),
    "token-classification": (TokenClassificationPipeline, RobertaForTokenClassification),
    "question-answering": (QuestionAnsweringPipeline, RobertaForQuestionAnswering),
    "zero-shot-classification": (
        ZeroShotClassificationPipeline,
        RobertaForSequenceClassification,
    ),
    "multiple-choice": (MultipleChoicePipeline, RobertaForMultipleChoice),
    "text-generation": (TextGenerationPipeline, RobertaForCausalLM),
    "score": (ScorePipeline, RobertaForMaskedLM),
}
#: task: a class that its model may be of instead
OTHER_CLASSES: dict[str, type[RobertaPreTrainedModel]] = {"score": RobertaForCausalLM}
ALIASES = {"sentiment-analysis": "text-classification", "ner": "token-classification"}

#: The tasks of the bundled model.
BUNDLED = ("fill-mask", "feature-extraction", "score")

_PIPELINE_CLASS = optional(
    Rule(lambda v: isinstance(v, type) and issubclass(v, Pipeline), "a subclass of Pipeline")
)

PathOrModel = str | os.PathLike[str] | RobertaPreTrainedModel
#: A tuple has options of the tokenizer, too.
PathOrTokenizer = (
    str | os.PathLike[str] | RobertaTokenizer | tuple[str | os.PathLike[str], Mapping[str, Any]]
)


@overload
def pipeline(
    task: Literal["fill-mask"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> FillMaskPipeline: ...
@overload
def pipeline(
    task: Literal["feature-extraction"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> FeatureExtractionPipeline: ...
@overload
def pipeline(
    task: Literal["text-classification", "sentiment-analysis"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> TextClassificationPipeline: ...
@overload
def pipeline(
    task: Literal["token-classification", "ner"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> TokenClassificationPipeline: ...
@overload
def pipeline(
    task: Literal["question-answering"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> QuestionAnsweringPipeline: ...
@overload
def pipeline(
    task: Literal["zero-shot-classification"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> ZeroShotClassificationPipeline: ...
@overload
def pipeline(
    task: Literal["multiple-choice"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> MultipleChoicePipeline: ...
@overload
def pipeline(
    task: Literal["text-generation"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> TextGenerationPipeline: ...
@overload
def pipeline(
    task: Literal["score"],
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> ScorePipeline: ...
@overload
def pipeline(
    task: str | None = None,
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> Any: ...


@takes(OF_PIPELINES)
def pipeline(
    task: str | None = None,
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    *,
    config: RobertaConfig | str | os.PathLike[str] | None = None,
    device: Any = None,
    dtype: Any = None,
    xp: Any = None,
    model_kwargs: Mapping[str, Any] | None = None,
    pipeline_class: type[Pipeline[Any]] | None = None,
    **options: Any,
) -> Any:
    """Make the pipeline of a task.

    Parameters
    ----------
    task : str, optional
        ``"fill-mask"``, ``"feature-extraction"``, ``"text-classification"`` (or
        ``"sentiment-analysis"``), ``"token-classification"`` (or ``"ner"``),
        ``"question-answering"``, ``"zero-shot-classification"``, ``"multiple-choice"``,
        ``"text-generation"`` or ``"score"``. By default that of the model's class, which for a
        directory is the first of ``architectures`` in its ``config.json``.
    model : directory, name on the hub or model, optional
        By default the bundled one, which can fill masks, extract features and score texts.
    tokenizer : directory, name on the hub or tokenizer, optional
        That of the model's directory by default. A tuple of a name and a dictionary has options of
        the tokenizer's ``from_pretrained``.
    config : RobertaConfig, directory or name on the hub, optional
        In place of the one that comes with the weights.
    device : str, int or torch.device, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:N"``; or as in transformers -1 for the CPU and N for a GPU.
    dtype : str or NumPy dtype, optional
        Of the weights: ``"bfloat16"``, ``"float16"``, ``"float32"`` (the default), ``"float64"`` or
        ``"auto"``.
    xp : array namespace, optional
        The array library to compute with, such as ``torch`` or ``jax.numpy``; its ``device`` may be
        any of its own.
    model_kwargs : dict, optional
        Options of the model's ``from_pretrained``.
    pipeline_class : type, optional
        A subclass of `Pipeline`, in place of that of the task.
    **options
        Those of the hub, for all files (``revision``, …: see `minirobert.files.HubOptions`);
        ``batch_size``, ``progress_bar``, ``threads``, mostly ``tokenizer_kwargs`` (see `Pipeline`),
        and defaults for the pipeline's calls, such as ``top_k``.

    Returns
    -------
    Pipeline
        That of the task, such as `FillMaskPipeline`.

    Raises
    ------
    ValueError
        If the task is not known, no model is given and the bundled one cannot do it, a model object
        comes without its tokenizer or with options of loading, or the directory's model is broken
        or lacks the task's head.
    FileNotFoundError
        If there is no model in the directory.
    TypeError
        If the model or the tokenizer is of another package.

    >>> fill = pipeline("fill-mask")
    >>> fill("The color of the sky is <mask>.", top_k=1)[0]["token_str"]
    ' blue'
    """
    _check_task(task, model)
    check("pipeline_class", pipeline_class, _PIPELINE_CLASS, TypeError)
    said = {"config": config, "dtype": dtype, "device": device_name(device), "xp": xp}
    hub_names = [one.name for one in fields(HubOptions)]
    said |= {name: options.pop(name) for name in hub_names if name in options}
    own = [*names_of(pipeline)[0], *hub_names]  # the pipeline's class refuses others
    refuse([name for name in options if near_miss(name, own)], "pipeline", own)
    loading = loading_options(said, model_kwargs)
    hub = HubOptions.taken_from(loading)

    def load() -> tuple[Any, RobertaPreTrainedModel, RobertaTokenizer]:
        found = found_of(TINY if model is None else model, hub, loading)
        name = _task_of(*found.classes) if task is None else ALIASES.get(task, task)
        kind, model_class = TASKS[name][0], _class_of(name, found.classes[0])
        of_task = tokenizer_of(tokenizer, found.files, hub)
        return kind, found.make(name, model_class), of_task

    kind, made, of_task = together(model, hub, load)
    return (pipeline_class or kind)(made, of_task, **options)


def _check_task(task: str | None, model: PathOrModel | None) -> None:
    """Refuse a task that is not here, and one that the bundled model was not trained for."""
    if task is None:
        if model is None:
            raise ValueError(
                f"task is None, and there is no model to tell it: give one of {', '.join(TASKS)}"
            )
        return
    if task not in TASKS and task not in ALIASES:
        meant = did_you_mean(str(task), [*TASKS, *ALIASES])
        raise ValueError(
            f"task {shown(task)} is not one of those here: {', '.join([*TASKS, *ALIASES])}{meant}"
        )
    task = ALIASES.get(task, task)
    if model is None and task not in BUNDLED:
        raise ValueError(
            f"the model that comes with the package was not trained for {task}: give model=, the "
            f"directory of a {TASKS[task][1].__name__}"
        )


def _class_of(task: str, classes: Sequence[str]) -> type[RobertaPreTrainedModel]:
    """Choose the class of a task's model: where there are two, the one that is named first."""
    of_task = (TASKS[task][1], OTHER_CLASSES.get(task, TASKS[task][1]))
    names = {one.__name__: one for one in of_task}
    return next((names[one] for one in classes if one in names), of_task[0])


def _task_of(classes: Sequence[str], name: str) -> str:
    """Find the task of the first class that has one."""
    tasks: dict[str, str] = {}
    for task, (_, model_class) in TASKS.items():
        tasks.setdefault(model_class.__name__, task)
    for one in classes:
        if one in tasks:
            return tasks[one]
    raise ValueError(
        f"the class of {name} is {listed(classes, 80, ' or ') or 'not known'}, which has no "
        f"task of its own: give task=, one of {', '.join(TASKS)}"
    )
