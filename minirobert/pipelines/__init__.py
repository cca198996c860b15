"""From text to answer in one call: a task's model, tokenizer and reading of the output together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, Literal, NamedTuple, overload

from ..checks import warn
from ..config import RobertaConfig
from ..files import TINY, HubOptions, ModelFiles
from ..keywords import OF_MODELS, settle
from ..models.base import RobertaModel, RobertaPreTrainedModel
from ..models.classifiers import (
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)
from ..models.language_models import RobertaForCausalLM, RobertaForMaskedLM
from ..rules import Rule, check, optional
from ..tokenization import RobertaTokenizer
from .base import Pipeline, device_name
from .feature_extraction import FeatureExtractionPipeline
from .fill_mask import FillMaskPipeline
from .keywords import OF_PIPELINES, takes
from .multiple_choice import MultipleChoicePipeline
from .question_answering import QuestionAnsweringPipeline
from .text_classification import TextClassificationPipeline
from .text_generation import TextGenerationPipeline
from .token_classification import TokenClassificationPipeline
from .zero_shot_classification import ZeroShotClassificationPipeline

__all__ = [
    "TASKS",
    "FeatureExtractionPipeline",
    "FillMaskPipeline",
    "MultipleChoicePipeline",
    "Pipeline",
    "QuestionAnsweringPipeline",
    "TextClassificationPipeline",
    "TextGenerationPipeline",
    "TokenClassificationPipeline",
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
}
ALIASES = {"sentiment-analysis": "text-classification", "ner": "token-classification"}

#: The tasks of the bundled model.
BUNDLED = ("fill-mask", "feature-extraction")

_NAME = (str, os.PathLike)
_HUB = tuple(one.name for one in fields(HubOptions))
_PIPELINE_CLASS = optional(
    Rule(lambda v: isinstance(v, type) and issubclass(v, Pipeline), "a subclass of Pipeline")
)

_KEYWORDS = optional(Rule(lambda v: isinstance(v, Mapping), "a dictionary of keywords"))
_OF_TRANSFORMERS = ", not of transformers, whose save_pretrained writes a directory to name here"
_MODEL = Rule(
    lambda v: v is None or isinstance(v, (*_NAME, RobertaPreTrainedModel)),
    f"a directory, a name on the hub, or a model of this package{_OF_TRANSFORMERS}",
)
_TOKENIZER = Rule(
    lambda v: v is None or isinstance(v, (*_NAME, RobertaTokenizer)),
    f"a directory, a name on the hub, or a tokenizer of this package{_OF_TRANSFORMERS}",
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
        ``"question-answering"``, ``"zero-shot-classification"``, ``"multiple-choice"`` or
        ``"text-generation"``. By default that of the model's class, which for a directory is the
        first of ``architectures`` in its ``config.json``.
    model : directory, name on the hub or model, optional
        By default the bundled one, which can fill masks and extract features.
    tokenizer : directory, name on the hub or tokenizer, optional
        That of the model's directory by default. A tuple of a name and a dictionary has options of
        the tokenizer's ``from_pretrained``.
    config : RobertaConfig, directory or name on the hub, optional
        In place of the one that comes with the weights.
    device : str, int or torch.device, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:N"``; or as in transformers -1 for the CPU and N for a GPU.
    dtype : str or NumPy dtype, optional
        Of the weights: ``"float16"``, ``"float32"`` (the default), ``"float64"`` or ``"auto"``.
    model_kwargs : dict, optional
        Options of the model's ``from_pretrained``.
    pipeline_class : type, optional
        A subclass of `Pipeline`, in place of that of the task.
    **options
        Those of the hub, for all files (``revision``, …: see `minirobert.files.HubOptions`);
        ``batch_size``, ``progress_bar``, mostly ``tokenizer_kwargs``, and defaults for the
        pipeline's calls, such as ``top_k``.

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
    check("model", model, _MODEL, TypeError)
    check("pipeline_class", pipeline_class, _PIPELINE_CLASS, TypeError)
    said = {"config": config, "dtype": dtype, "device": device_name(device)}
    said |= {name: options.pop(name) for name in _HUB if name in options}
    loading = _loading(said, model_kwargs)
    hub = HubOptions.taken_from(loading)
    find = _of_object if isinstance(model, RobertaPreTrainedModel) else _of_files
    found = find(TINY if model is None else model, hub, loading)
    task = _task_of(*found.classes) if task is None else ALIASES.get(task, task)
    loaded = _tokenizer(tokenizer, found.files, hub)
    return (pipeline_class or TASKS[task][0])(found.make(task), loaded, **options)


class _Found(NamedTuple):
    """What the argument ``model`` stands for."""

    files: ModelFiles | None  # that have the tokenizer
    classes: tuple[Sequence[str], str]  # of the model, and how to name it
    make: Callable[[str], RobertaPreTrainedModel]  # the model of a task


def _of_object(model: Any, hub: HubOptions, loading: Mapping[str, Any]) -> _Found:
    config = loading.get("config")
    return _Found(
        ModelFiles(config, hub) if isinstance(config, _NAME) else None,
        ([type(model).__name__], "the model object"),
        partial(_moved, model, **loading),
    )


def _of_files(name: Any, hub: HubOptions, loading: Mapping[str, Any]) -> _Found:
    files = ModelFiles(name, hub)
    config = loading.get("config")
    if config is None or isinstance(config, _NAME):
        config = RobertaConfig.from_pretrained(files if config is None else ModelFiles(config, hub))
    architectures = getattr(config, "architectures", None) or []
    return _Found(
        files,
        (architectures, repr(files.name)),
        partial(_loaded, files, **{**loading, "config": config}),
    )


def _check_task(task: str | None, model: PathOrModel | None) -> None:
    """Refuse a task that is not here, and one that the bundled model was not trained for."""
    if task is None:
        if model is None:
            raise ValueError(
                f"task is None, and there is no model to tell it: give one of {', '.join(TASKS)}"
            )
        return
    if task not in TASKS and task not in ALIASES:
        raise ValueError(f"task {task!r} is not one of those here: {', '.join([*TASKS, *ALIASES])}")
    task = ALIASES.get(task, task)
    if model is None and task not in BUNDLED:
        raise ValueError(
            f"the model that comes with the package was not trained for {task}: give model=, the "
            f"directory of a {TASKS[task][1].__name__}"
        )


def _task_of(classes: Sequence[str], name: str) -> str:
    """Find the task of the first class that has one."""
    tasks: dict[str, str] = {}
    for task, (_, model_class) in TASKS.items():
        tasks.setdefault(model_class.__name__, task)
    for one in classes:
        if one in tasks:
            return tasks[one]
    raise ValueError(
        f"the class of {name} is {' or '.join(classes) or 'not known'}, which has no task of its "
        f"own: give task=, one of {', '.join(TASKS)}"
    )


def _loading(said: Mapping[str, Any], model_kwargs: Any) -> dict[str, Any]:
    """Put the options of loading a model together, which come in two ways."""
    loading = dict(check("model_kwargs", model_kwargs, _KEYWORDS, TypeError) or {})
    settle(loading, OF_MODELS)
    for name, value in said.items():
        if value is not None and loading.get(name) not in (None, value):
            raise ValueError(
                f"{name} is {value!r}, but in model_kwargs {loading[name]!r}: give it once"
            )
        if value is not None:
            loading[name] = value
    return loading


def _tokenizer(
    tokenizer: PathOrTokenizer | None, files: ModelFiles | None, hub: HubOptions
) -> RobertaTokenizer:
    """Load a tokenizer by its name, or that of the model's files."""
    name, options = tokenizer if isinstance(tokenizer, tuple) else (tokenizer, {})
    check("tokenizer", name, _TOKENIZER, TypeError)
    if isinstance(name, RobertaTokenizer):
        return name
    if name is not None:
        files = ModelFiles(name, hub)
    if files is None:
        raise ValueError(
            "a model object does not know its tokenizer: give tokenizer= too, or a directory"
        )
    return RobertaTokenizer.from_pretrained(files, **options)


def _loaded(
    files: ModelFiles,
    task: str,
    *,
    config: RobertaConfig,
    **loading: Any,
) -> RobertaPreTrainedModel:
    """Load a model of the class that the task needs."""
    model_class = TASKS[task][1]
    if model_class is RobertaModel:  # nobody reads the pooler, and many checkpoints lack it
        loading = {"add_pooling_layer": False, **loading}
    if model_class is RobertaForCausalLM and not config.is_decoder:
        loading = {"is_decoder": True, **loading}
        warn(
            f"the config.json in {files.name!r} says is_decoder false: a model that was trained to "
            "look at both sides of a word gives poor texts, now that it looks only back"
        )
    return model_class.from_pretrained(files, **{"strict": True, "config": config, **loading})


def _moved(
    model: RobertaPreTrainedModel,
    task: str,
    *,
    config: Any = None,
    dtype: Any = None,
    device: Any = None,
    **loading: Any,
) -> RobertaPreTrainedModel:
    """Give a model object the dtype and the device that are asked for."""
    if not (config is None or isinstance(config, _NAME) or config == model.config):
        raise ValueError("config is not that of the model object: leave it out, or load the model")
    if loading:
        raise ValueError(
            f"model_kwargs has {', '.join(loading)}, but the model is an object, and no longer "
            "loaded: give them to its from_pretrained"
        )
    model_class = TASKS[task][1]
    if not isinstance(model, model_class):
        encoder = hasattr(model, "roberta") and model_class is RobertaModel
        raise ValueError(
            f"task {task!r} needs a {model_class.__name__}, not a {type(model).__name__}"
            + (": give its encoder, model.roberta" if encoder else "")
        )
    model = model if dtype is None else model.astype(dtype)
    return model if device is None else model.to(device)
