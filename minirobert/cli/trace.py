"""The command ``trace``: every tensor of a forward pass, in a file."""

from __future__ import annotations

import argparse
from typing import Any

from ..sentences import listed, shown
from .calls import CALL_OPTIONS, add_call, call_of
from .common import add_command, show
from .models import MODEL_OPTIONS, load_model
from .new_files import checked_new, new_file
from .options import DEVICE, DTYPE, add_options, switch, words

__all__ = ["add_trace"]


def add_trace(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "trace",
        "Run a model, and write every tensor of the forward pass into a safetensors file.",
        '  minirobert trace bundled "The sky is <mask>." --out sky.safetensors\n'
        "  minirobert trace DIR --inputs in.json --dtype float64 --out t.safetensors\n"
        '  minirobert trace DIR "A text." --keep "encoder.layer.3.*" --out t.safetensors',
        "[MODEL [TEXT ...]]",
    )
    add_call(command, "read from stdin, one a line, where none is given; padded to one length")
    add_options(
        command,
        *new_file("where to write the tensors"),
        *CALL_OPTIONS,
        words(
            "--keep",
            "PATTERN",
            'only tensors with such names, given after the texts: "encoder.layer.3.*" "*.scores"',
            default=(),
        ),
        DTYPE,
        DEVICE,
        switch("--no-weights", "leave out the digests of the weights", default=False),
        *MODEL_OPTIONS,
    )
    command.set_defaults(run=_trace)


def _trace(arguments: argparse.Namespace) -> None:
    from ..numerics import trace

    out = checked_new(arguments)
    model = load_model(arguments, device=arguments.device)
    call = call_of(arguments, model)
    made = trace(model, keep=arguments.keep, weights=not arguments.no_weights, **call)
    if not set(made.tensors) - set(made.given or ()):
        raise ValueError(
            f"no tensor has a name like {listed(arguments.keep, each=shown)}: "
            "minirobert inspect --computed prints the names"
        )
    made.write(out)
    size = sum(array.nbytes for array in made.tensors.values())
    show(
        arguments,
        {"file": str(out), "tensors": list(made.tensors)},
        lambda: f"{len(made.tensors)} tensors, {size:,} bytes, in {out}",
    )
