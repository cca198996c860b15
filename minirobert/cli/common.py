"""What the commands share: how they are described, from texts to answers, JSON on stdout."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ..checks import warn
from ..interrupts import STOP
from ..pipelines.inputs import chunks
from ..sentences import LIMIT, plain
from .lines import Faults, RecordedFaults, stdin_lines, unescaped
from .progress import progress
from .streams import output

__all__ = [
    *("Printed", "Takes", "add_command", "add_texts", "answer_lines", "json_line"),
    *("print_json", "show"),
]

#: What a text may be the reason for.
ERRORS = (ValueError, TypeError)


def add_command(
    commands: Any,
    name: str,
    purpose: str,
    examples: str,
    what: str = "[TEXT ...]",
    aliases: Sequence[str] = (),
) -> argparse.ArgumentParser:
    """Add a command with a purpose, its examples and ``--json`` to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        aliases=aliases,
        usage=f"minirobert {name} [options] {what}",
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


class Takes(Protocol):
    """What takes the answers of texts, in their order."""

    #: What becomes of a text that cannot be answered.
    instead: str

    def take(self, number: int, text: str, answer: Any) -> None:
        """Take the answer of a text."""

    def leave_out(self) -> None:
        """Take note of a text that has no answer."""


class Printed:
    """Prints answers, each as soon as it is known: ``show(text, answer)``, or null in the JSON."""

    def __init__(self, show: Callable[[str, Any], None], as_json: bool):
        self.show = show
        self.as_json = as_json
        self.instead = "left out (null in the JSON)" if as_json else "left out"

    def take(self, number: int, text: str, answer: Any) -> None:
        """Print an answer."""
        with output():
            self.show(text, answer)

    def leave_out(self) -> None:
        """Print null, so that the answers in the JSON have the numbers of their lines."""
        if self.as_json:
            print_json(None)


def answer_lines(
    arguments: argparse.Namespace,
    answer: Callable[[Iterable[str]], Iterator[Any]],
    into: Takes,
    batch_size: int = 1,
    skipped: Path | None = None,
    bar: bool = False,
) -> None:
    """Answer each text of the command line, or each line of stdin as soon as a batch has come.

    The error of a line that cannot be answered has its number; those before it have been answered.
    With ``--errors skip`` such a line is left out, and where there is a file for the ``skipped``
    ones, it is told there. A bar shows how many lines of stdin are done.
    """
    faults = _faults(arguments, into.instead, skipped)
    answered = _answered(_texts(arguments.texts, faults), answer, batch_size)
    with progress(bar and not arguments.texts) as done:
        for number, (text, found) in enumerate(answered, 1):
            if isinstance(found, Exception):
                if not faults.leaves_out:
                    raise _numbered(found, arguments, faults.where(number))
                faults.leave_out(number, str(text), found)
                found = None
            if text is not None and found is not None:
                into.take(number, text, found)
            else:
                into.leave_out()
            done()
    faults.sum_up()


def _faults(arguments: argparse.Namespace, instead: str, skipped: Path | None) -> Faults:
    source, where = "lines of stdin", "line {} of stdin".format
    if arguments.texts:
        source, where = "texts of the command line", "text {}".format
    if skipped is None:
        return Faults(arguments.errors, source, where, instead)
    return RecordedFaults(skipped, arguments.errors, source, where, instead)


def _texts(arguments: Sequence[str], faults: Faults) -> Iterator[str | None]:
    """Give the texts; None is one that is left out."""
    if not arguments:
        return stdin_lines(faults)
    return (unescaped(text, number, faults) for number, text in enumerate(arguments, 1))


def _answered(
    texts: Iterable[str | None],
    answer: Callable[[Iterable[str]], Iterator[Any]],
    batch_size: int,
) -> Iterator[tuple[str | None, Any]]:
    """Give each text with its answer, or its error; a text that is left out has neither."""
    for batch in chunks(texts, batch_size):
        answers = _answers([text for text in batch if text is not None], answer)
        for text in batch:
            yield text, None if text is None else next(answers)


def _answers(
    texts: Sequence[str], answer: Callable[[Iterable[str]], Iterator[Any]]
) -> Iterator[Any]:
    """Give the answer of each text, or its error.

    An error may be that of any text of a batch. From there on, each is answered alone.
    """
    answers = answer(texts)
    for number in range(len(texts)):
        try:
            found = next(answers)
        except ERRORS as error:
            if len(texts) > 1:
                for text in texts[number:]:
                    yield from _answers([text], answer)
                return
            found = error
        yield found


def _numbered(error: Exception, arguments: argparse.Namespace, where: str) -> Exception:
    """Say of which line of stdin an error is; the texts of the command line can be seen."""
    return error if arguments.texts else ValueError(f"{where}: {plain(error, LIMIT - 40)}")


def show(arguments: argparse.Namespace, value: Any, text: Callable[[], str]) -> None:
    """Print what a command has found: as JSON where that is asked for, or else as a text."""
    if arguments.json:
        print_json(value)
        return
    with output():
        print(text())


def print_json(value: Any) -> None:
    """Print a value as a line of JSON, to its end even if Control-C is pressed."""
    line = json_line(value)
    with STOP, output():
        print(line)


def json_line(value: Any) -> str:
    """Write a value as a line of JSON, which has no NaN and no infinity: null takes their place."""
    write = partial(json.dumps, ensure_ascii=False, allow_nan=False)
    try:
        return write(value)
    except ValueError:
        line = write(_without_nan(value))
        warn(
            "null stands in the JSON for numbers that are NaN or infinite: the weights may have "
            "such numbers, or ones too large for the dtype"
        )
    return line


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    is_number = not isinstance(value, float) or abs(value) < float("inf")
    return value if is_number else None
