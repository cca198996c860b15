"""What a model is called with, for the commands that look at one forward pass."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ..files import read_json
from ..models.auto import AutoTokenizer
from ..sentences import listed, plain, shown
from .lines import Faults, pair_of, stdin_lines, unescaped
from .models import add_model
from .options import any_option, hub_options, named, switch, text

__all__ = ["CALL_OPTIONS", "add_call", "call_of", "has_call", "lines_of"]

CALL_OPTIONS = (
    text(
        "--inputs",
        "FILE",
        "in place of texts, the arguments of the call: a JSON object of lists, as "
        '{"input_ids": [[0, 100, 2]], "attention_mask": [[1, 1, 1]]}',
        type=named,
    ),
    switch("--pair", "each text is a pair, with a tab between the two", default=False),
)


def add_call(command: argparse.ArgumentParser, texts: str) -> None:
    """Add the model, and the texts that it is called with."""
    add_model(command)
    any_option("texts", texts, nargs="*", metavar="TEXT")(command)


def has_call(arguments: argparse.Namespace) -> bool:
    """Tell whether the command line says what the model is called with."""
    return bool(arguments.texts or arguments.inputs)


def call_of(arguments: argparse.Namespace, model: Any) -> dict[str, Any]:
    """Give the arguments of the call, as lists: of ``--inputs``, or of texts."""
    if arguments.inputs:
        if arguments.texts:
            raise ValueError("both texts and --inputs were given: give one of them")
        return _arguments(arguments.inputs)
    lines = lines_of(arguments.texts)
    if not lines:
        raise ValueError("there is no text: give it as an argument, or pipe lines into stdin")
    tokenizer = AutoTokenizer.from_pretrained(arguments.model, **hub_options(arguments))
    if type(model).__name__ == "RobertaForMultipleChoice":
        return _choices(tokenizer, lines)
    if arguments.pair:
        pairs = [pair_of(line, shown(line)) for line in lines]
        return dict(tokenizer([one for one, _ in pairs], [two for _, two in pairs], padding=True))
    return dict(tokenizer(lines, padding=True))


def lines_of(texts: Sequence[str]) -> list[str]:
    """Read the texts of the command line, or else the lines of stdin, all of which are UTF-8."""
    if not texts:
        faults = Faults("strict", "lines of stdin", "line {} of stdin".format)
        return [line for line in stdin_lines(faults) if line is not None]
    faults = Faults("strict", "texts of the command line", "text {}".format)
    found = (unescaped(text, number, faults) for number, text in enumerate(texts, 1))
    return [text for text in found if text is not None]


def _choices(tokenizer: Any, lines: Sequence[str]) -> dict[str, Any]:
    """Read questions with their choices, as many each, a tab before each choice."""
    parts = [line.split("\t") for line in lines]
    count = len(parts[0]) - 1
    if not count or any(len(one) != count + 1 for one in parts):
        raise ValueError(
            "for multiple choice each text is a question and its choices, with a tab before each "
            "choice, and as many choices in each text"
        )
    pairs = [(one[0], other) for one in parts for other in one[1:]]
    flat = tokenizer([one for one, _ in pairs], [other for _, other in pairs], padding=True)
    return {
        name: [rows[i : i + count] for i in range(0, len(rows), count)]
        for name, rows in flat.items()
    }


def _arguments(path: str) -> dict[str, Any]:
    """Read the arguments of a call from a file."""
    from ..numerics.traces import ARGUMENTS

    found = read_json(path)
    unknown = [name for name in found if name not in ARGUMENTS]
    if unknown:
        raise ValueError(
            f"{plain(path)} has {listed(unknown, each=shown)}, but may have only "
            f"{', '.join(ARGUMENTS)}"
        )
    if not {"input_ids", "inputs_embeds"} & found.keys():
        raise ValueError(f"{plain(path)} has neither input_ids nor inputs_embeds: add one of them")
    return {name: value for name, value in found.items() if value is not None}
