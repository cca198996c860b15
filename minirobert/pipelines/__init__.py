"""From text to answer in one call: a task's model, tokenizer and reading of the output together."""

from __future__ import annotations

import os
from typing import Any, Literal, overload

from ..checks import warn
from ..config import RobertaConfig
from ..files import TINY, ModelFiles
from ..models.base import RobertaModel, RobertaPreTrainedModel
from ..models.classifiers import (
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)
from ..models.language_models import RobertaForCausalLM, RobertaForMaskedLM
from ..tokenization import RobertaTokenizer
from .base import Pipeline
from .feature_extraction import FeatureExtractionPipeline
from .fill_mask import FillMaskPipeline
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

PathOrModel = str | os.PathLike[str] | RobertaPreTrainedModel
PathOrTokenizer = str | os.PathLike[str] | RobertaTokenizer


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
    task: str,
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    **options: Any,
) -> Any: ...


def pipeline(
    task: str,
    model: PathOrModel | None = None,
    tokenizer: PathOrTokenizer | None = None,
    *,
    device: str | int | None = None,
    dtype: Any = None,
    **options: Any,
) -> Any:
    """Make the pipeline of a task.

    Parameters
    ----------
    task : str
        ``"fill-mask"``, ``"feature-extraction"``, ``"text-classification"`` (or
        ``"sentiment-analysis"``), ``"token-classification"`` (or ``"ner"``),
        ``"question-answering"``, ``"zero-shot-classification"``, ``"multiple-choice"`` or
        ``"text-generation"``.
    model : directory or model, optional
        By default the bundled one, which can fill masks and extract features.
    tokenizer : directory or tokenizer, optional
        That of the model's directory by default.
    device : str or int, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:N"``; or as in transformers -1 for the CPU and N for a GPU.
    dtype : str or NumPy dtype, optional
        Of the weights: ``"float16"``, ``"float32"`` (the default), ``"float64"`` or ``"auto"``.
    **options
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
        comes without its tokenizer, or the directory's model is broken or lacks the task's head.
    FileNotFoundError
        If there is no model in the directory.

    >>> fill = pipeline("fill-mask")
    >>> fill("The color of the sky is <mask>.", top_k=1)[0]["token_str"]
    ' blue'
    """
    if task not in TASKS and task not in ALIASES:
        raise ValueError(f"task {task!r} is not one of those here: {', '.join([*TASKS, *ALIASES])}")
    task = ALIASES.get(task, task)
    kind, model_class = TASKS[task]
    if model is None and task not in BUNDLED:
        raise ValueError(
            f"the model that comes with the package was not trained for {task}: give model=, the "
            f"directory of a {model_class.__name__}"
        )
    model = TINY if model is None else model
    if isinstance(device, int):
        device = "cpu" if device < 0 else f"cuda:{device}"
    tokenizer = _tokenizer(model, tokenizer)
    return kind(_model(task, model_class, model, device, dtype), tokenizer, **options)


def _tokenizer(model: PathOrModel, tokenizer: PathOrTokenizer | None) -> RobertaTokenizer:
    if tokenizer is None:
        if isinstance(model, RobertaPreTrainedModel):
            raise ValueError(
                "a model object does not know its tokenizer: give tokenizer= too, or a directory"
            )
        tokenizer = model
    if isinstance(tokenizer, RobertaTokenizer):
        return tokenizer
    return RobertaTokenizer.from_pretrained(tokenizer)


def _model(
    task: str,
    model_class: type[RobertaPreTrainedModel],
    model: PathOrModel,
    device: Any,
    dtype: Any,
) -> RobertaPreTrainedModel:
    if not isinstance(model, RobertaPreTrainedModel):
        files = ModelFiles(model)
        config = RobertaConfig.from_pretrained(files)
        options: dict[str, Any] = {}
        if model_class is RobertaModel:
            options["add_pooling_layer"] = False  # nobody reads it, and many checkpoints lack it
        if model_class is RobertaForCausalLM and not config.is_decoder:
            options["is_decoder"] = True
            warn(
                f"the config.json in {files.name!r} says is_decoder false: a model that was "
                "trained to look at both sides of a word gives poor texts, now that it looks only "
                "back"
            )
        return model_class.from_pretrained(
            files,
            config=config,
            dtype=dtype or "float32",
            device=device or "cpu",
            strict=True,
            **options,
        )
    model = model if dtype is None else model.astype(dtype)
    model = model if device is None else model.to(device)
    if not isinstance(model, model_class):
        encoder = hasattr(model, "roberta") and model_class is RobertaModel
        raise ValueError(
            f"task {task!r} needs a {model_class.__name__}, not a {type(model).__name__}"
            + (": give its encoder, model.roberta" if encoder else "")
        )
    return model
