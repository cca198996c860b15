"""The command line: a command for each pipeline, and for the tokenizer and the tensors.

``minirobert --help`` lists the commands, and ``minirobert COMMAND --help`` gives examples.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from .. import __version__
from .tasks import TASK_COMMANDS, add_task
from .tensors import add_inspect
from .tokens import add_tokenize, add_train_tokenizer

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : list of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        The exit code: 0, or 2 after an error, whose sentence is on stderr.
    """
    arguments = _parser().parse_args(argv)
    if sys.stdout is None:
        _tell("stdout is closed, so there is nowhere to print to")
        return 2
    _speak_utf8()
    try:
        with warnings.catch_warnings():  # which also puts showwarning back
            warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes what it needs
            arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except (ValueError, TypeError, KeyError, IndexError, OSError, ImportError) as error:
        _tell(_sentence(error))
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minirobert",
        description="RoBERTa as explicit array code.",
        epilog="Where no model is named, it is the small one that comes with the package.",
    )
    parser.add_argument("--version", action="version", version=f"minirobert {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for task in TASK_COMMANDS:
        add_task(commands, task)
    add_tokenize(commands)
    add_inspect(commands)
    add_train_tokenizer(commands)
    return parser


def _speak_utf8() -> None:
    """Read and write UTF-8 whatever the system's own encoding is: tokens are not in many others."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="strict")


def _sentence(error: BaseException) -> str:
    """Give an error's message; ``str`` of a KeyError would show it in quotes."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def _show_warning(message: Any, *_: Any) -> None:
    _tell(f"warning: {message}")


def _tell(sentence: str) -> None:
    """Print a sentence on stderr, unless that is closed: ``print`` would then take stdout."""
    if sys.stderr is not None:
        print(f"minirobert: {sentence}", file=sys.stderr)
