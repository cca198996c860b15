"""What `minirobert.pipelines.pipeline` is given: a model and a tokenizer, by name or as objects."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ..checks import warn
from ..config import RobertaConfig
from ..files import MODEL_FILES, HubOptions, ModelFiles
from ..keywords import OF_MODELS, settle
from ..models.auto import AutoTokenizer
from ..models.base import RobertaModel, RobertaPreTrainedModel
from ..models.language_models import RobertaForCausalLM
from ..rules import Rule, check, optional
from ..sentences import listed, shown, type_name
from ..tokenization import RobertaTokenizer

__all__ = ["Found", "found_of", "loading_options", "together", "tokenizer_of"]

Loaded = TypeVar("Loaded")

_NAME = (str, os.PathLike)

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


class Found(NamedTuple):
    """What the argument ``model`` stands for."""

    files: ModelFiles | None  # that have the tokenizer
    classes: tuple[Sequence[str], str]  # of the model, and how to name it
    make: Callable[[str, type[RobertaPreTrainedModel]], RobertaPreTrainedModel]  # of a task


def found_of(model: Any, hub: HubOptions, loading: Mapping[str, Any]) -> Found:
    """Find what the argument ``model`` of `pipeline` stands for, and how to load it."""
    check("model", model, _MODEL, TypeError)
    find = _of_object if isinstance(model, RobertaPreTrainedModel) else _of_files
    return find(model, hub, loading)


def together(model: Any, hub: HubOptions, load: Callable[[], Loaded]) -> Loaded:
    """Load the files that ``model`` stands for as they are at one time."""
    if isinstance(model, _NAME):
        return ModelFiles(model, hub).together(MODEL_FILES, load)
    return load()


def _of_object(model: Any, hub: HubOptions, loading: Mapping[str, Any]) -> Found:
    """Take a model as it is; a configuration's name can tell its tokenizer."""
    config = loading.get("config")
    return Found(
        ModelFiles(config, hub) if isinstance(config, _NAME) else None,
        ([one.__name__ for one in type(model).__mro__], "the model object"),
        partial(_moved, model, **loading),
    )


def _of_files(name: Any, hub: HubOptions, loading: Mapping[str, Any]) -> Found:
    """Read the configuration first: it can tell the task."""
    files = ModelFiles(name, hub)
    config = loading.get("config")
    if config is None or isinstance(config, _NAME):
        config = RobertaConfig.from_pretrained(files if config is None else ModelFiles(config, hub))
    architectures = getattr(config, "architectures", None) or []
    return Found(
        files,
        (architectures, shown(files.name)),
        partial(_loaded, files, **{**loading, "config": config}),
    )


def loading_options(said: Mapping[str, Any], model_kwargs: Any) -> dict[str, Any]:
    """Put the options of loading a model together, which come in two ways."""
    loading = dict(check("model_kwargs", model_kwargs, _KEYWORDS, TypeError) or {})
    settle(loading, OF_MODELS)
    for name, value in said.items():
        if value is not None and loading.get(name) not in (None, value):
            raise ValueError(
                f"{name} is {shown(value)}, but in model_kwargs {shown(loading[name])}: give it "
                "once"
            )
        if value is not None:
            loading[name] = value
    return loading


def tokenizer_of(tokenizer: Any, files: ModelFiles | None, hub: HubOptions) -> RobertaTokenizer:
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
    return AutoTokenizer.from_pretrained(files, **options)


def _loaded(
    files: ModelFiles,
    task: str,
    model_class: type[RobertaPreTrainedModel],
    *,
    config: RobertaConfig,
    **loading: Any,
) -> RobertaPreTrainedModel:
    """Load a model of the class that a task needs."""
    if model_class is RobertaModel:  # nobody reads the pooler, and many checkpoints lack it
        loading = {"add_pooling_layer": False, **loading}
    if model_class is RobertaForCausalLM and not config.is_decoder:
        loading = {"is_decoder": True, **loading}
        warn(
            f"the config.json in {shown(files.name)} says is_decoder false: a model that was "
            "trained to look at both sides of a word gives poor texts, now that it looks only back"
        )
    return model_class.from_pretrained(files, **{"strict": True, "config": config, **loading})


def _moved(
    model: RobertaPreTrainedModel,
    task: str,
    model_class: type[RobertaPreTrainedModel],
    *,
    config: Any = None,
    dtype: Any = None,
    device: Any = None,
    xp: Any = None,
    **loading: Any,
) -> RobertaPreTrainedModel:
    """Give a model object the dtype and the device that are asked for."""
    if not (config is None or isinstance(config, _NAME) or config == model.config):
        raise ValueError("config is not that of the model object: leave it out, or load the model")
    if loading:
        raise ValueError(
            f"model_kwargs has {listed(loading)}, but the model is an object, and no longer "
            "loaded: give them to its from_pretrained"
        )
    if not isinstance(model, model_class):
        encoder = hasattr(model, "roberta") and model_class is RobertaModel
        raise ValueError(
            f"task {task!r} needs a {model_class.__name__}, not a {type_name(model)}"
            + (": give its encoder, model.roberta" if encoder else "")
        )
    return model.to(device, xp, dtype=dtype)
