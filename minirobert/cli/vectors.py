"""The command ``vectors``: write the conformance vectors, or score a port on them."""

from __future__ import annotations

import argparse
from typing import Any

from .common import add_command, show
from .options import add_options, named, text, words

__all__ = ["add_vectors"]


def add_vectors(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "vectors",
        "Write small models with what they must compute, by which a port in any language can check "
        "itself; or score what a port made of them.",
        "  minirobert vectors --out vectors        (then read vectors/README.md)\n"
        "  minirobert vectors --check vectors --port results\n"
        "  minirobert vectors --check vectors --port results --only '*-activation-*' 'tokenizer/*'",
        "--out DIR | --check DIR --port DIR",
    )
    add_options(
        command,
        text("--out", "DIR", "write the vectors into this new directory, about 8 MB", type=named),
        text("--check", "DIR", "the vectors that the port was run on", type=named),
        text(
            "--port",
            "DIR",
            "what the port made of them: NNN-name.safetensors for each case, tokenizer.json and "
            "generation.json",
            type=named,
        ),
        words(
            "--only",
            "PATTERN",
            "the cases that the port is meant for: names, in which * stands for anything "
            "(default: all)",
            default=(),
        ),
    )
    command.set_defaults(run=_vectors)


def _vectors(arguments: argparse.Namespace) -> int:
    if arguments.out is not None and arguments.only:
        raise ValueError("--only says nothing with --out, which writes all cases: leave it out")
    if arguments.out is not None and arguments.check is None and arguments.port is None:
        _write(arguments)
        return 0
    if arguments.out is None and arguments.check is not None and arguments.port is not None:
        return _check(arguments)
    raise ValueError(
        "give --out DIR to write the vectors, or --check DIR and --port DIR to score a port"
    )


def _write(arguments: argparse.Namespace) -> None:
    from ..numerics.vectors import write_vectors

    directory = write_vectors(arguments.out)
    show(
        arguments,
        {"directory": str(directory)},
        lambda: f"the vectors are in {directory}: README.md there explains them",
    )


def _check(arguments: argparse.Namespace) -> int:
    from ..numerics.vectors import check_vectors

    score = check_vectors(arguments.check, arguments.port, arguments.only)
    show(arguments, score.to_json(), lambda: str(score))
    return 0 if score else 1
