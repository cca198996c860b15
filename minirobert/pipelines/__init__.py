"""From text to answer in one call: a task's model, tokenizer and reading of the output together."""

from __future__ import annotations

import os
from typing import Any

from ..files import TINY
from ..language_models import RobertaForMaskedLM
from ..models import RobertaPreTrainedModel
from ..tokenization import RobertaTokenizer
from .fill_mask import FillMaskPipeline

__all__ = ["FillMaskPipeline", "pipeline"]

#: task: (the pipeline, the class of its model)
TASKS = {"fill-mask": (FillMaskPipeline, RobertaForMaskedLM)}


def pipeline(
    task: str,
    model: str | os.PathLike[str] | RobertaPreTrainedModel | None = None,
    tokenizer: str | os.PathLike[str] | RobertaTokenizer | None = None,
    *,
    device: str | int | None = None,
    dtype: Any = None,
    **options: Any,
) -> FillMaskPipeline:
    """Make the pipeline of a task.

    Parameters
    ----------
    task : str
        ``"fill-mask"``.
    model : directory or model, optional
        The bundled one by default.
    tokenizer : directory or tokenizer, optional
        That of the model's directory by default.
    device : str or int, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:N"``; or as in transformers -1 for the CPU and N for a GPU.
    dtype : str or NumPy dtype, optional
        Of the weights: ``"float16"``, ``"float32"`` (the default), ``"float64"`` or ``"auto"``.
    **options
        Defaults for the pipeline's calls, such as ``top_k``.

    Returns
    -------
    FillMaskPipeline

    Raises
    ------
    ValueError
        If the task is not known, a model object comes without its tokenizer, or the directory's
        model is broken or lacks the task's head.
    FileNotFoundError
        If there is no model in the directory.

    >>> fill = pipeline("fill-mask")
    >>> fill("The color of the sky is <mask>.", top_k=1)[0]["token_str"]
    ' blue'
    """
    if task not in TASKS:
        raise ValueError(f"task {task!r} is not one of those here: {', '.join(TASKS)}")
    kind, model_class = TASKS[task]
    if model is None:
        model = TINY
    directory = None if isinstance(model, RobertaPreTrainedModel) else model
    if tokenizer is None and directory is None:
        raise ValueError(
            "a model object does not know its tokenizer: give tokenizer= too, or a directory"
        )
    if tokenizer is None:
        assert directory is not None
        tokenizer = directory
    if not isinstance(tokenizer, RobertaTokenizer):
        tokenizer = RobertaTokenizer.from_pretrained(tokenizer)
    if isinstance(device, int):
        device = "cpu" if device < 0 else f"cuda:{device}"
    if directory is not None:
        model = model_class.from_pretrained(
            directory, dtype=dtype or "float32", device=device or "cpu", strict=True
        )
    else:
        assert isinstance(model, RobertaPreTrainedModel)
        model = model if dtype is None else model.astype(dtype)
        model = model if device is None else model.to(device)
        if not isinstance(model, model_class):
            raise ValueError(
                f"task {task!r} needs a {model_class.__name__}, not a {type(model).__name__}"
            )
    return kind(model, tokenizer, **options)
