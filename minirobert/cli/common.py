"""What the commands share: how they are described, lines from stdin, JSON on stdout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..pipelines.base import chunks
from ..sentences import LIMIT, plain

__all__ = ["add_command", "add_texts", "answer_lines", "not_utf8", "print_json"]


def add_command(commands: Any, name: str, purpose: str, examples: str) -> argparse.ArgumentParser:
    """Add a command with a purpose, its examples and ``--json`` to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=purpose,
        epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="print JSON, one value a line")
    return command


def add_texts(command: argparse.ArgumentParser, what: str = "") -> None:
    """Add the texts to answer, and say what each must be where it is not any text."""
    command.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help=f"{what}read from stdin, one a line, where none is given",
    )


def answer_lines(
    texts: Sequence[str],
    answer: Callable[[Iterable[str]], Iterator[Any]],
    show: Callable[[str, Any], None],
    batch_size: int = 1,
) -> None:
    """Answer each text of the command line, or each line of stdin as soon as a batch has come.

    The error of a line that cannot be answered has its number; those before it have been answered.
    """
    number = 0
    for chunk in chunks(texts or _lines(), batch_size):
        answers = answer(chunk)
        for text in chunk:
            number += 1
            try:
                found = next(answers)
            except (ValueError, TypeError) as error:
                if texts:
                    raise
                raise ValueError(f"line {number} of stdin: {plain(error, LIMIT - 40)}") from error
            show(text, found)
            sys.stdout.flush()


def _lines() -> Iterator[str]:
    if sys.stdin is None or sys.stdin.isatty():
        raise ValueError("there is no text: give it as an argument, or pipe lines into stdin")
    try:
        for line in sys.stdin:
            yield line.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"stdin is not UTF-8: it has the byte {error.object[error.start]:#04x} where a "
            "character begins; convert it, for instance with iconv"
        ) from error


def not_utf8(where: str, error: UnicodeDecodeError) -> ValueError:
    """Say what is wrong with bytes that are no text."""
    return ValueError(
        f"{plain(where)} is not UTF-8: it has the byte {error.object[error.start]:#04x} at "
        f"position {error.start}; convert it, for instance with iconv"
    )


def print_json(value: Any) -> None:
    """Print a value as a line of JSON."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
