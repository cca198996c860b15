"""The command line: a command for each pipeline, and for the tokenizer and the tensors.

``minirobert --help`` lists the commands, and ``minirobert COMMAND --help`` gives examples.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from .. import __version__
from ..interrupts import STOP
from ..rules import did_you_mean
from ..sentences import fitted, shown
from .bench import add_bench
from .compare import add_compare
from .compare_tokens import add_compare_tokens
from .cures import of_command
from .explore import add_explore
from .export import add_export
from .streams import ReaderGone, output, speak_utf8, tell
from .task_command import add_task
from .tasks import TASK_COMMANDS
from .tensors import add_inspect
from .tokens import add_tokenize, add_train_tokenizer
from .trace import add_trace
from .vectors import add_vectors

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
        The exit code: 0, 1 where a comparison finds a difference, 3 where it finds nothing to
        compare, 2 after an error, whose sentence is on stderr, or 130 after Control-C.
    """
    try:
        STOP.work()
        code = _run(argv)
        STOP.working = False
    except KeyboardInterrupt:
        return STOP.leave()
    except Exception:
        if STOP.told is None:
            raise
        return STOP.leave()  # C may make other errors of KeyboardInterrupt
    return code if STOP.told is None else STOP.leave()


def _run(argv: Sequence[str] | None) -> int:
    """Run a command, and make a sentence of its error."""
    try:
        arguments = _parsed(argv)
        if isinstance(arguments, int):
            return arguments
        if sys.stdout is None:
            raise OSError("stdout is closed, so there is nowhere to print to")
        speak_utf8()
        with warnings.catch_warnings():  # which also puts showwarning back
            warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes what it needs
            code: int = arguments.run(arguments) or 0
    except ReaderGone:
        return 0
    except MemoryError as error:
        tell(f"there is not enough memory: {str(error) or 'give less at once'}")
        return 2
    except (RecursionError, OverflowError) as error:
        tell(f"something is nested too deeply, or a number is too large: {error}")
        return 2
    except (ValueError, TypeError, KeyError, IndexError, OSError, ImportError, Warning) as error:
        tell(of_command(_sentence(error)))
        return 2
    return code


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace | int:
    """Read the arguments, or give the exit code where they ask for help, or are wrong."""
    parser = _parser()
    with output():
        if not (sys.argv[1:] if argv is None else argv):
            parser.print_help(sys.stderr)
            return 2  # as of other wrong usage: a script that forgets the command has failed
        try:
            return parser.parse_args(argv)
        except SystemExit as end:
            return int(end.code or 0)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are short, whatever the argument that they quote, and tell the cure."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return arguments, unknown

    def _unknown(self, word: str) -> str:
        """Say what there is in place of an option, or of a word that nothing takes."""
        options = [flag for one in self._actions for flag in one.option_strings[-1:]]
        meant = did_you_mean(word.partition("=")[0], options)
        return fitted(f"unrecognized argument {shown(word)}{meant} (it has ", options, ")")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            meant = did_you_mean(str(value), map(str, action.choices or ()))
            raise argparse.ArgumentError(action, f"{error.message}{meant}") from None

    def error(self, message: str) -> NoReturn:
        tell(f"usage: {self.usage}", "")
        tell(f"error: {message}; {self.prog} --help tells more", f"{self.prog}: ")
        raise SystemExit(2)

    def _print_message(self, message: str, file: Any = None) -> None:
        stream = sys.stderr if file is None else file
        if message and stream is not None:
            stream.write(message)  # argparse would hide that this cannot be done


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="minirobert",
        usage="minirobert [options] COMMAND ...",
        description="RoBERTa as explicit array code.",
        epilog="Where no model is named, it is the small one that comes with the package. The exit "
        "code is 2 after an error, 1 after a comparison that finds a difference (3: nothing to "
        "compare), 130 after Control-C, and else 0.",
    )
    parser.add_argument("--version", action="version", version=f"minirobert {__version__}")
    commands = parser.add_subparsers(prog="minirobert", required=True, metavar="COMMAND")
    for task in TASK_COMMANDS:
        add_task(commands, task)
    add_tokenize(commands)
    add_inspect(commands)
    add_train_tokenizer(commands)
    add_explore(commands)
    add_trace(commands)
    add_compare(commands)
    add_compare_tokens(commands)
    add_export(commands)
    add_bench(commands)
    add_vectors(commands)
    return parser


def _sentence(error: BaseException) -> str:
    """Give an error's message; ``str`` would show that of a KeyError in quotes, or a number."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {shown(error.filename)}"
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def _show_warning(message: Any, *_: Any) -> None:
    tell(of_command(f"warning: {message}"))
