"""The command ``compare-tokens`` and its options; `tokens_compared` does it."""

from __future__ import annotations

import argparse
from typing import Any

from .common import add_command
from .lines import errors_option
from .models import BUNDLED, model_name
from .options import HUB_OPTIONS, add_options, choice, count, switch, text

__all__ = ["STRATEGIES", "add_compare_tokens"]

STRATEGIES = ("longest_first", "only_first", "only_second")

_OPTIONS = (
    text(
        "--port",
        "IDS",
        "what the port gives, one JSON value a line: a list of ids, or an object with "
        "input_ids, and also tokens, offsets and text if it has them",
        required=True,
    ),
    switch("--pair", "a tab divides the two texts of a pair", default=False),
    switch(
        "--jsonl",
        "each line of FILE is JSON: a text, a list of two, or an object with text and "
        "text_pair; so a text can have line ends in it",
        default=False,
    ),
    switch("--no-special-tokens", "the port puts none around a text", default=False),
    switch("--truncate", "the port cuts off what is too long", default=False),
    count("--max-length", "how many tokens it keeps (default: what the model takes)"),
    choice(
        "--truncation-strategy",
        STRATEGIES,
        "which text of a pair is shortened (default: longest_first)",
    ),
    choice("--truncation-side", ("right", "left"), "where a text is cut off"),
    switch("--add-prefix-space", "the port puts a space before each text"),
    switch("--split-special-tokens", "the port splits special tokens in a text like others"),
    switch("--all", "show all texts that part, not only the first", default=False),
    errors_option("lines of FILE that are not UTF-8"),
    *HUB_OPTIONS,
)


def add_compare_tokens(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "compare-tokens",
        "Compare the ids that a port's tokenizer gives with those here: how many texts agree, "
        "where the first one parts, in which piece, and which mistake gives the port's ids. The "
        "exit code is 0 if all agree, 1 if not, 2 after an error, and 3 if there is no text.",
        "  minirobert compare-tokens roberta-base --port ids.jsonl texts.txt\n"
        "  minirobert compare-tokens bundled --port ids.jsonl texts.jsonl --jsonl --all\n"
        "  minirobert compare-tokens roberta-base --port ids.jsonl pairs.txt --pair --truncate "
        "--max-length 128 --json",
        "MODEL --port IDS FILE",
    )
    command.add_argument(
        "model",
        type=model_name,
        metavar="MODEL",
        help=f"a directory, or a name of the hub; {BUNDLED} for the model that comes with the "
        "package",
    )
    command.add_argument("file", metavar="FILE", help="the texts, one a line; - for those of stdin")
    add_options(command, *_OPTIONS)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from .tokens_compared import compare  # what it needs is not loaded for other commands

    return compare(arguments)
