"""The command ``compare-tokens``: a port's tokenizer beside this one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ..files import TINY
from ..models.auto import AutoTokenizer
from ..numerics.tokens.compare import compare_rows
from ..numerics.tokens.port_rows import json_value, read_port_rows
from ..numerics.tokens.steps import Call
from ..sentences import plain, shown
from ..tokenization import RobertaTokenizer
from .common import add_command, print_json
from .lines import Faults, errors_option, file_lines
from .options import HUB_OPTIONS, add_options, choice, count, hub_options, named, switch, text
from .streams import output

__all__ = ["add_compare_tokens"]

#: What stands for the model that comes with the package: a place on the command line is not left
#: out as an option is.
BUNDLED = "bundled"

STRATEGIES = ("longest_first", "only_first", "only_second")


def add_compare_tokens(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "compare-tokens",
        "Compare the ids that a port's tokenizer gives with those here: how many texts agree, "
        "where the first one parts, in which piece, and which mistake gives the port's ids. The "
        "exit code is 0 if all agree and 1 if not.",
        "  minirobert compare-tokens roberta-base --port ids.jsonl texts.txt\n"
        "  minirobert compare-tokens bundled --port ids.jsonl texts.jsonl --jsonl --all\n"
        "  minirobert compare-tokens roberta-base --port ids.jsonl pairs.txt --pair --truncate "
        "--max-length 128 --json",
        "MODEL --port IDS FILE",
    )
    command.add_argument(
        "model",
        type=named,
        metavar="MODEL",
        help=f"a directory, or a name of the hub; {BUNDLED} for the model that comes with the "
        "package",
    )
    command.add_argument("file", metavar="FILE", help="the texts, one a line; - for those of stdin")
    add_options(
        command,
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
    command.set_defaults(run=_compare_tokens)


def _compare_tokens(arguments: argparse.Namespace) -> int:
    rows = read_port_rows(arguments.port)
    texts = list(_texts(arguments))
    model = TINY if arguments.model == BUNDLED else arguments.model
    tokenizer = AutoTokenizer.from_pretrained(model, **hub_options(arguments))
    numbers = [number for number, one in enumerate(texts, 1) if one is not None]
    if len(rows) == len(texts):  # the port has not left out what is no text
        rows = [rows[number - 1] for number in numbers]
    read = [one for one in texts if one is not None]
    has_pairs = any(len(one) > 1 for one in read)
    comparison = compare_rows(
        tokenizer,
        [one[0] for one in read],
        rows,
        [one[1] for one in read] if has_pairs else None,
        _call(arguments, tokenizer),
        f"{plain(arguments.port)}, line",
        numbers,
    )
    if arguments.json:
        print_json(comparison.to_json(all_texts=arguments.all))
    else:
        with output():
            print(comparison.report(all_texts=arguments.all))
    return 0 if comparison.first is None else 1


def _call(arguments: argparse.Namespace, tokenizer: RobertaTokenizer) -> Call:
    """Say how the port was called, as a call of the tokenizer would be."""
    if arguments.truncation_side is not None:
        tokenizer.truncation_side = arguments.truncation_side
    truncates = arguments.truncate or arguments.max_length is not None
    truncates = truncates or arguments.truncation_strategy is not None
    most = arguments.max_length
    if truncates and most is None:
        most = tokenizer.model_max_length
    if truncates and most is None:
        raise ValueError(
            "nothing says how many tokens the model takes: give --max-length, as the port has it"
        )
    return Call(
        not arguments.no_special_tokens,
        (arguments.truncation_strategy or STRATEGIES[0]) if truncates else "do_not_truncate",
        most,
        tokenizer.truncation_side,
        tokenizer.add_prefix_space or bool(arguments.add_prefix_space),
        tokenizer.split_special_tokens or bool(arguments.split_special_tokens),
    )


def _texts(arguments: argparse.Namespace) -> Iterator[tuple[str, ...] | None]:
    """Read the texts, all single or all pairs; None is one that is left out."""
    name = "stdin" if arguments.file == "-" else plain(arguments.file)
    faults = Faults(arguments.errors, f"lines of {name}", f"{name}, line {{}}".format)
    first: tuple[int, int] | None = None
    for number, line in enumerate(file_lines(arguments.file, faults), 1):
        if line is None:
            yield None
            continue
        texts = _text_or_pair(line, f"{name}, line {number}", arguments)
        first = first or (number, len(texts))
        if len(texts) != first[1]:
            raise ValueError(
                f"line {number} of {plain(name)} has {len(texts)} texts, but line {first[0]} has"
                f" {first[1]}: put single texts and pairs into files of their own"
            )
        yield texts
    faults.sum_up()


def _text_or_pair(line: str, where: str, arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.jsonl:
        return _of_json(json_value(line, where, _OF_JSON), where)
    if not arguments.pair:
        return (line,)
    one, tab, pair = line.partition("\t")
    if not tab:
        raise ValueError(f"{plain(where)} is no pair: put a tab between its two texts")
    return one, pair


_OF_JSON = "a text, a list of two, or an object with 'text' and perhaps 'text_pair'"


def _of_json(value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, dict):
        pair = value.get("text_pair")
        value = [value.get("text")] if pair is None else [value.get("text"), pair]
    texts = (value,) if isinstance(value, str) else value
    if (
        not isinstance(texts, list | tuple)
        or not 1 <= len(texts) <= 2
        or not all(isinstance(one, str) for one in texts)
    ):
        raise ValueError(f"{plain(where)} has {shown(value)}: each line is {_OF_JSON}")
    return tuple(texts)
