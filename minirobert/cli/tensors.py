"""The command ``inspect``: the tensors of a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..arrays import Shape
from ..checkpoints.matching import Match, match
from ..checkpoints.reading import fetch_weights, stored_tensors
from ..checkpoints.stored import StoredTensor
from ..config import RobertaConfig
from ..config_fields import FIELDS, MODEL_TYPES
from ..files import MODEL_FILES, TINY, HubOptions, ModelFiles, read_json
from ..intermediates import intermediates
from ..parameters import columns, parameter_shapes, summary
from ..sentences import shown
from .common import add_command, show
from .models import CLASS, class_of, model_name
from .options import HUB_OPTIONS, add_options, hub_options, switch

__all__ = ["add_inspect"]


def add_inspect(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "inspect",
        "Print a model's tensors: names, shapes, dtypes, counts and memory, and which of them its "
        "config.json does not expect, or misses; or those that it computes.",
        "  minirobert inspect\n  minirobert inspect roberta-base\n  minirobert inspect --computed\n"
        "  minirobert inspect config.json\n  minirobert inspect model.safetensors",
        "[MODEL]",
    )
    command.add_argument(
        "model",
        nargs="?",
        type=model_name,
        default=TINY,
        metavar="MODEL",
        help="a model's directory or name on the hub, a safetensors file, or a config.json, which "
        "needs no weights",
    )
    computed = switch(
        "--computed",
        "print what a forward pass computes: the names that traces have, axes and formulas",
        default=False,
    )
    add_options(command, computed, CLASS, *HUB_OPTIONS)
    command.set_defaults(run=_inspect)


def _inspect(arguments: argparse.Namespace) -> None:
    path = Path(arguments.model)
    if arguments.computed:
        _show_computed(arguments, path)
        return
    if path.is_file() and path.suffix == ".json" and not path.name.endswith(".index.json"):
        shapes = _shapes(_config_in(path), arguments)
        _show(arguments, shapes, dict.fromkeys(shapes, "float32"), {})
        return
    if path.is_file() and path.suffix not in (".json", ".safetensors"):
        raise ValueError(
            f"{shown(str(path))} is neither a safetensors file nor a config.json: give one of "
            "them, or the model's directory"
        )
    options = HubOptions(**hub_options(arguments))
    files = ModelFiles(path.parent if path.is_file() else arguments.model, options)

    def read() -> Any:
        config = _config(files)
        with stored_tensors(path if path.is_file() else fetch_weights(files)) as stored:
            return _matched(stored, config, arguments) if config else _alone(stored)

    _show(arguments, *files.together(MODEL_FILES, read))


def _config_in(path: Path) -> RobertaConfig:
    """Read a config.json; another file of JSON says nothing of tensors."""
    if not read_json(path, tell=False).keys() & FIELDS.keys():
        raise ValueError(
            f"{shown(str(path))} is no config.json: it has no model_type, and no field of "
            "RobertaConfig; give one that has, or the model's directory"
        )
    return RobertaConfig.from_json_file(path)


def _config(files: ModelFiles) -> RobertaConfig | None:
    """Read the configuration, if it is there, and one of a RoBERTa."""
    if not files.fetch("config.json"):
        return None
    kind = read_json(files.directory / "config.json", tell=False).get("model_type", "roberta")
    return RobertaConfig.from_pretrained(files) if kind in MODEL_TYPES else None


def _shapes(config: RobertaConfig, arguments: argparse.Namespace) -> dict[str, Shape]:
    """List the tensors of the class of model that is asked for, or that a configuration names."""
    return parameter_shapes(config, getattr(arguments, "class") or class_of(config))


def _alone(stored: dict[str, StoredTensor]) -> tuple[dict[str, Shape], dict[str, str], Any]:
    """Give the shapes, the dtypes and no notes for the tensors of any file."""
    shapes = {name: tensor.shape for name, tensor in stored.items()}
    return shapes, {name: tensor.dtype_name for name, tensor in stored.items()}, {}


def _matched(
    stored: dict[str, StoredTensor], config: RobertaConfig, arguments: argparse.Namespace
) -> tuple[dict[str, Shape], dict[str, str], dict[str, str]]:
    """Give the shapes, dtypes and notes for a model and its file, those of the model first."""
    expected = _shapes(config, arguments)
    found = match(stored, expected, tied=config.tie_word_embeddings)
    tensors = {n: found.found[n] for n in expected if n in found.found}
    tensors |= {**found.unexpected, **found.foreign, **found.unused}
    shapes = {name: tuple(shape) for name, shape in expected.items()}
    shapes |= {name: tensor.shape for name, tensor in tensors.items()}
    return shapes, {n: tensor.dtype_name for n, tensor in tensors.items()}, _notes(found, expected)


def _notes(found: Match, expected: dict[str, Shape]) -> dict[str, str]:
    return {
        **dict.fromkeys(found.missing, "missing"),
        **dict.fromkeys((*found.unexpected, *found.foreign), "unexpected"),
        **dict.fromkeys(found.unused, "unused"),
        **{name: f"wrong shape: must be {list(expected[name])}" for name in found.misfits},
    }


def _show(
    arguments: argparse.Namespace,
    shapes: dict[str, Shape],
    dtypes: dict[str, str],
    notes: dict[str, str],
) -> None:
    listed = {
        name: {
            "shape": shape,
            "dtype": dtypes.get(name),
            **({"note": notes[name]} if name in notes else {}),
        }
        for name, shape in shapes.items()
    }
    show(arguments, listed, lambda: summary(shapes, dtypes, notes))


def _show_computed(arguments: argparse.Namespace, path: Path) -> None:
    """Print the table of intermediate tensors for a model's configuration."""
    if path.is_file():
        config = _config_in(path)
    else:
        config = RobertaConfig.from_pretrained(arguments.model, **hub_options(arguments))
    config.chunk_size_feed_forward = 0  # chunks are compared as the whole that they make up
    table = intermediates(config, getattr(arguments, "class") or class_of(config))
    lines = [("name", "axes", "formula"), *((name, *one) for name, one in table.items())]
    listed = {name: one._asdict() for name, one in table.items()}
    show(arguments, listed, lambda: columns(lines, "<<<"))
