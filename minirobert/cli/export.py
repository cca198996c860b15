"""The command ``export``: a model as a graph for other runtimes."""

from __future__ import annotations

import argparse
from typing import Any

from .common import add_command, show
from .models import MODEL_OPTIONS, add_model, load_model
from .new_files import checked_new, new_file
from .options import DTYPE, add_options, switch

__all__ = ["add_export"]


def add_export(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "export",
        "Write a model as an ONNX file: the forward pass of this package as a graph, for a batch "
        "and texts of any length. Its inputs are input_ids and attention_mask.",
        "  minirobert export --out model.onnx\n"
        "  minirobert export roberta-base --out model.onnx --token-type-ids\n"
        "  minirobert export DIR --class RobertaModel --dtype float64 --out model.onnx\n"
        "  minirobert export --out model.onnx --intermediates --json",
        "[MODEL]",
    )
    add_model(command)
    add_options(
        command,
        *new_file("where to write it"),
        switch(
            "--intermediates",
            "make every tensor on the way an output, under the name that `watch` shows",
            default=False,
        ),
        switch("--token-type-ids", "make them an input; else they are 0", default=False),
        DTYPE,
        *MODEL_OPTIONS,
    )
    command.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    from ..numerics.onnx_export import export_onnx

    out = checked_new(arguments)
    model = load_model(arguments)
    files = export_onnx(
        model,
        out,
        intermediates=arguments.intermediates,
        token_type_ids=arguments.token_type_ids,
    )
    kind = type(model).__name__
    show(
        arguments,
        {"class": kind, "dtype": model.dtype, "files": files},
        lambda: f"{kind} in {model.dtype}, saved in {' and '.join(files)}",
    )
