"""What the commands of all tasks have in common: their options, and from a line to its answer."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from ..files import TINY
from ..pipelines import ALIASES, BUNDLED, pipeline
from ..pipelines.base import TooLongError
from ..sentences import shown
from .answer_files import Form, Row, check_suffix, rows_of_results, saving
from .common import Printed, Takes, add_command, add_texts, answer_lines, print_json, show
from .lines import SKIP_ERRORS, errors_option
from .looks import COLOUR, Picture, in_colours, plot_option
from .new_files import check_overwrite, checked_new, new_file
from .options import (
    DEVICE,
    DTYPE,
    HUB_OPTIONS,
    QUIET,
    THREADS,
    Option,
    add_options,
    batch_size,
    count,
    named,
    switch,
    text,
)
from .progress import is_terminal

__all__ = ["Reader", "TaskCommand", "add_task", "answer_all", "as_it_is"]

#: Makes the pipeline's input of a line.
Reader: TypeAlias = Callable[[str], Any]


def as_it_is(line: str) -> Any:
    """Read a line as the text that it is."""
    return line


def answer_all(pipe: Any, inputs: Iterable[Any], arguments: argparse.Namespace) -> Iterator[Any]:
    """Answer inputs with the pipeline's call."""
    answers: Iterator[Any] = pipe(inputs)
    return answers


def all_agree(arguments: argparse.Namespace) -> None:
    """Find nothing wrong with options."""


def no_columns(pipe: Any) -> Mapping[str, type]:
    """Leave open which columns the rows of a task have."""
    return {}


@dataclass(frozen=True, kw_only=True)
class TaskCommand:
    """The command of a task."""

    #: The pipeline's task, which is also the command's name.
    task: str
    #: For the help, as are the lines of examples.
    purpose: str
    examples: tuple[str, ...]
    #: The task's own. Those that are given are handed to `pipeline`, under their ``dest``.
    options: tuple[Option, ...]
    #: ``show(line, answer)`` prints an answer for people; with ``--json`` it is printed as it is.
    show: Callable[[str, Any], None]
    #: ``show_marked(line, given, answer)`` is the same for a terminal with colours; `given` is the
    #: pipeline's input.
    show_marked: Callable[[str, Any, Any], None] | None = None
    #: ``plot(answer)`` draws it, and gives the axes; and what that is, for the help.
    plot: Callable[[Any], Any] | None = None
    plotted: str = ""
    #: ``check(arguments)`` refuses options that do not belong together.
    check: Callable[[argparse.Namespace], None] = all_agree
    #: Makes the pipeline's input of a line.
    read: Reader = as_it_is
    #: In place of `read` where it depends on the options: takes those that are only about reading
    #: out of the given ones, and returns what makes the pipeline's input of a line.
    reader: Callable[[dict[str, Any]], Reader] | None = None
    #: What a line must be, for the help, where it is not any text; ends in "; ".
    what: str = ""
    #: What ``--truncate`` stands for; None where there is no such option.
    truncation: str | None = "longest_first"
    #: ``answer(pipe, inputs, arguments)`` gives an iterator of answers.
    answer: Callable[[Any, Iterable[Any], argparse.Namespace], Iterator[Any]] = answer_all
    #: ``rows(pipe, line, answer)`` makes rows of a table of it.
    rows: Callable[[Any, str, Any], Iterable[Row]] = rows_of_results
    #: ``columns(pipe)`` gives the columns of these rows, and the types of their values.
    columns: Callable[[Any], Mapping[str, type]] = no_columns
    #: Whether answers can be arrays, with ``return_tensors``.
    has_arrays: bool = False


#: The options of every task that come after its own.
SHARED_OPTIONS = (
    count(
        "--batch-size",
        "how much to compute at once; so many lines of stdin are waited for (default: 1)",
        type=batch_size,
        default=1,
    ),
    THREADS,
    errors_option("texts that are not UTF-8, or cannot be answered"),
    SKIP_ERRORS,
    *new_file(
        "save the answers: as one array of all texts (.npy, of feature-extraction), a line of JSON "
        "for each text (.jsonl), or a table with a row for each result (.csv, .parquet; of score a "
        "row for each text, without its tokens)",
        required=False,
    ),
    QUIET,
    DEVICE,
    DTYPE,
)
#: What the options of every command are stored as; all others are options of the pipeline.
SHARED = {
    *("texts", "json", "model", "truncate", "batch_size", "errors", "device", "dtype", "run"),
    *("color", "plot"),
    *("out", "overwrite", "skip_errors", "quiet"),
}


def add_task(commands: Any, task: TaskCommand) -> None:
    """Add the command of a task."""
    examples = "\n".join(f"  minirobert {example}" for example in task.examples)
    aliases = [alias for alias, name in ALIASES.items() if name == task.task]
    command = add_command(commands, task.task, task.purpose, examples, aliases=aliases)
    add_texts(command, task.what)
    add_options(
        command,
        _model(task),
        *task.options,
        *_truncate(task),
        *_looks(task),
        *SHARED_OPTIONS,
        *HUB_OPTIONS,
    )
    command.set_defaults(run=lambda arguments: _answer(arguments, task))


def _model(task: TaskCommand) -> Option:
    where = "a directory, or a name of the hub"
    if task.task in BUNDLED:
        help = f"{where} (default: the bundled model)"
        return text("--model", "DIR", help, type=named, default=TINY)
    return text("--model", "DIR", where, type=named, required=True)


def _truncate(task: TaskCommand) -> tuple[Option, ...]:
    if task.truncation is None:
        return ()
    help = "cut off what is too long for the model, which is an error otherwise"
    return (switch("--truncate", help, const=task.truncation),)


def _looks(task: TaskCommand) -> tuple[Option, ...]:
    """Give the options of how answers are shown."""
    colour = () if task.show_marked is None else (COLOUR,)
    return colour if task.plot is None else (*colour, plot_option(task.plotted))


def _answers(
    task: TaskCommand, pipe: Any, inputs: Iterable[Any], arguments: argparse.Namespace
) -> Iterator[Any]:
    """Answer inputs; the error of one that is too long tells what to do here."""
    try:
        yield from task.answer(pipe, inputs, arguments)
    except TooLongError as error:
        cure = "" if task.truncation is None else ", or give --truncate"
        raise ValueError(f"{error.sentence}{cure}") from None


def _answer(arguments: argparse.Namespace, task: TaskCommand) -> None:
    check_overwrite(arguments)
    task.check(arguments)
    out = _file_of(arguments, task)
    skipped = None if arguments.skip_errors is None else checked_new(arguments, "skip_errors")
    picture = Picture(arguments, task.plot) if task.plot and arguments.plot else None
    _check_different(out, skipped, None if picture is None else picture.path)
    pipe, read = _pipeline(arguments, task)

    def answer(texts: Iterable[str]) -> Iterator[Any]:
        return _answers(task, pipe, (read(text) for text in texts), arguments)

    bar = not arguments.quiet and is_terminal("stderr")

    def answer_into(into: Takes, bar: bool) -> None:  # a batch_size below 1 is the pipeline's error
        into = into if picture is None else picture.beside(into)
        answer_lines(arguments, answer, into, max(arguments.batch_size, 1), skipped, bar)

    if out is None:
        printed = Printed(_shower(arguments, task, read), arguments.json)
        answer_into(printed, bar and not is_terminal("stdout"))
    else:
        rows, width = partial(task.rows, pipe), pipe.model.config.hidden_size
        with saving(out, Form(rows, task.columns(pipe), width)) as file:
            answer_into(file, bar)
        _tell_of_file(arguments, file.count, out)
    if picture is not None:
        picture.write()


def _shower(
    arguments: argparse.Namespace, task: TaskCommand, read: Reader
) -> Callable[[str, Any], None]:
    """Choose how answers are printed: as JSON, in colours, or plainly."""
    if arguments.json:
        return lambda line, found: print_json(found)
    show_marked = task.show_marked
    if show_marked is None or not in_colours(arguments):
        return task.show
    return lambda line, found: show_marked(line, read(line), found)


def _file_of(arguments: argparse.Namespace, task: TaskCommand) -> Path | None:
    """Give the file to save the answers in, if there is to be one."""
    if arguments.out is None:
        return None
    path = checked_new(arguments)
    check_suffix(path, task.has_arrays)
    return path


def _check_different(out: Path | None, skipped: Path | None, picture: Path | None) -> None:
    """Refuse one file for two things."""
    named: dict[str, str] = {}
    for flag, path in (("--out", out), ("--skip-errors", skipped), ("--plot", picture)):
        if path is None:
            continue
        other = named.setdefault(os.path.realpath(path), flag)
        if other != flag:
            raise ValueError(
                f"{shown(str(path))} is named by {other} and by {flag}: give two different files"
            )


def _tell_of_file(arguments: argparse.Namespace, count: int, out: Path) -> None:
    texts = "text" if count == 1 else "texts"
    found = {"texts": count, "file": str(out)}
    show(arguments, found, lambda: f"{count:,} {texts}, saved in {out}")


def _pipeline(arguments: argparse.Namespace, task: TaskCommand) -> tuple[Any, Reader]:
    """Make the pipeline of a command, and what makes its inputs of lines."""
    own = {name: value for name, value in vars(arguments).items() if name not in SHARED}
    own = {name: value for name, value in own.items() if value is not None}
    read = task.read if task.reader is None else task.reader(own)
    if task.has_arrays and arguments.out is not None:
        own["return_tensors"] = True
    pipe = pipeline(
        task.task,
        arguments.model,
        device=arguments.device,
        dtype=arguments.dtype,
        batch_size=arguments.batch_size,
        **own,
    )
    if getattr(arguments, "truncate", None):
        pipe.tokenizer_kwargs = {"truncation": arguments.truncate, "max_length": pipe.limit}
    return pipe, read
