"""Models of any class, as the commands that look inside them load them."""

from __future__ import annotations

import argparse
from typing import Any

from .. import models
from ..config import RobertaConfig
from ..files import MODEL_FILES, TINY, HubOptions, ModelFiles
from ..parameters import HEADS
from .options import DTYPE, HUB_OPTIONS, add_options, choice, hub_options, named, switch

__all__ = ["add_model", "load_model"]

_CLASSES = ("RobertaModel", *HEADS)
_USUAL = "RobertaForMaskedLM"


def add_model(command: argparse.ArgumentParser) -> None:
    """Add the model, and how it is to be read."""
    command.add_argument(
        "model",
        nargs="?",
        type=named,
        default=TINY,
        metavar="MODEL",
        help="a model's directory or name on the hub (default: the bundled model)",
    )
    add_options(
        command,
        choice("--class", _CLASSES, "the model's class (default: as its config.json says)"),
        switch("--no-pooler", "leave out the pooler of RobertaModel", default=False),
        DTYPE,
        *HUB_OPTIONS,
    )


def load_model(arguments: argparse.Namespace) -> Any:
    """Load the model that a command was given."""
    files = ModelFiles(arguments.model, HubOptions(**hub_options(arguments)))

    def read() -> Any:
        kind = getattr(arguments, "class") or _class_of(RobertaConfig.from_pretrained(files))
        if arguments.no_pooler and kind != "RobertaModel":
            raise ValueError(f"--no-pooler is for RobertaModel, but the class is {kind}")
        options = {"add_pooling_layer": False} if arguments.no_pooler else {}
        return getattr(models, kind).from_pretrained(files, dtype=arguments.dtype, **options)

    return files.together(MODEL_FILES, read)


def _class_of(config: RobertaConfig) -> str:
    """Find the class that a configuration names, be it under one of RoBERTa's other names."""
    for name in config.architectures or []:
        _, divided, task = name.partition("For")
        kind = f"RobertaFor{task}" if divided else "RobertaModel"
        if kind in _CLASSES:
            return kind
    return _USUAL
