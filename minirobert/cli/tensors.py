"""The command ``inspect``: the tensors of a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..checkpoints.reading import fetch_weights, matching_tensors
from ..config import RobertaConfig
from ..files import TINY, HubOptions, ModelFiles
from ..parameters import HEADS, parameter_shapes, summary
from .common import add_command, print_json
from .options import HUB_OPTIONS, add_options, hub_options

__all__ = ["add_inspect"]


def add_inspect(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "inspect",
        "Print a model's tensors: names, shapes, dtypes, counts and memory.",
        "  minirobert inspect\n  minirobert inspect roberta-base\n  minirobert inspect config.json",
    )
    command.add_argument(
        "model",
        nargs="?",
        default=TINY,
        metavar="MODEL",
        help="a model's directory or name on the hub, or a config.json, which needs no weights",
    )
    add_options(command, *HUB_OPTIONS)
    command.set_defaults(run=_inspect)


def _inspect(arguments: argparse.Namespace) -> None:
    path = Path(arguments.model)
    only_config = path.is_file()
    if only_config and path.suffix != ".json":
        raise ValueError(f"{str(path)!r} is no config.json: give that, or the model's directory")
    files = ModelFiles(
        path.parent if only_config else arguments.model, HubOptions(**hub_options(arguments))
    )
    config = (
        RobertaConfig.from_json_file(path) if only_config else RobertaConfig.from_pretrained(files)
    )
    named = [name for name in config.architectures or [] if name in ("RobertaModel", *HEADS)]
    shapes = parameter_shapes(config, (named or ["RobertaForMaskedLM"])[0])
    stored = {} if only_config else matching_tensors(fetch_weights(files), shapes, strict=False)
    if stored:
        shapes = {name: shape for name, shape in shapes.items() if name in stored}
    dtypes = {name: stored[name].dtype_name if name in stored else "float32" for name in shapes}
    if arguments.json:
        print_json(
            {name: {"shape": shape, "dtype": dtypes[name]} for name, shape in shapes.items()}
        )
    else:
        print(summary(shapes, dtypes))
