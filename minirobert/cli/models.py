"""Models of any class, as the commands that look inside them load them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import models
from ..config import RobertaConfig
from ..files import MODEL_FILES, TINY, HubOptions, ModelFiles
from ..parameters import architectures
from .options import HUB_OPTIONS, any_option, choice, hub_options, named, switch

__all__ = ["BUNDLED", "CLASS", "MODEL_OPTIONS", "add_model", "class_of", "load_model", "model_name"]

_USUAL = "RobertaForMaskedLM"

#: The word for the model that comes with the package.
BUNDLED = "bundled"

CLASS = choice("--class", architectures(), "the model's class (default: as its config.json says)")
#: Of every command that loads a model by `load_model`.
MODEL_OPTIONS = (
    CLASS,
    switch("--no-pooler", "leave out the pooler of RobertaModel", default=False),
    *HUB_OPTIONS,
)


def model_name(word: str) -> str | Path:
    """Read the name of a model."""
    return TINY if word == BUNDLED else named(word)


def add_model(command: argparse.ArgumentParser) -> None:
    """Add the model."""
    any_option(
        "model",
        f"a model's directory or name on the hub (default: {BUNDLED}, which comes with the "
        "package)",
        nargs="?",
        type=model_name,
        default=TINY,
        metavar="MODEL",
    )(command)


def load_model(
    arguments: argparse.Namespace,
    dtype: str | None = None,
    device: Any = None,
    *,
    whole: bool = False,
    as_stored: bool = False,
) -> Any:
    """Load the model that a command was given, by default in the dtype that it was given, too.

    Of a ``whole`` one nothing may be missing in the file, but for the pooler, which is left out.
    ``as_stored`` rounds no weight, whatever dtype the configuration names.
    """
    files = ModelFiles(arguments.model, HubOptions(**hub_options(arguments)))

    def read() -> Any:
        config = RobertaConfig.from_pretrained(files)
        kind = getattr(arguments, "class") or class_of(config)
        if arguments.no_pooler and kind != "RobertaModel":
            raise ValueError(f"--no-pooler is for RobertaModel, but the class is {kind}")
        no_pooler = arguments.no_pooler or (whole and kind == "RobertaModel")
        options: dict[str, Any] = {"add_pooling_layer": False} if no_pooler else {}
        options |= {"strict": True} if whole else {}
        options |= {} if device is None else {"device": device}
        if as_stored:
            config.dtype, options["config"], options["dtype"] = None, config, "auto"
        else:
            options["dtype"] = dtype or arguments.dtype
        return getattr(models, kind).from_pretrained(files, **options)

    return files.together(MODEL_FILES, read)


def class_of(config: RobertaConfig) -> str:
    """Find the class that a configuration names, be it under one of RoBERTa's other names."""
    for name in config.architectures or []:
        _, divided, task = name.partition("For")
        kind = f"RobertaFor{task}" if divided else "RobertaModel"
        if kind in architectures():
            return kind
    return _USUAL
