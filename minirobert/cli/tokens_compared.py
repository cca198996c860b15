"""What ``compare-tokens`` does: reads the texts and what a port gives for them, and compares."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ..models.auto import AutoTokenizer
from ..numerics.tokens.compare import compare_rows
from ..numerics.tokens.port_rows import json_value, read_port_rows
from ..numerics.tokens.steps import Call
from ..sentences import plain, shown
from ..tokenization import RobertaTokenizer
from .common import show
from .compare import AGREES, DEPARTS, TOO_LITTLE
from .compare_tokens import STRATEGIES
from .lines import Faults, file_lines, pair_of
from .options import hub_options
from .streams import tell

__all__ = ["compare"]

#: By what is found.
EXIT_CODES = {"agree": AGREES, "part": DEPARTS, "nothing": TOO_LITTLE}


def compare(arguments: argparse.Namespace) -> int:
    """Compare, print the report, and give the exit code."""
    rows = read_port_rows(arguments.port)
    texts = list(_texts(arguments))
    tokenizer = AutoTokenizer.from_pretrained(arguments.model, **hub_options(arguments))
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
    show(
        arguments,
        comparison.to_json(all_texts=arguments.all),
        lambda: comparison.report(all_texts=arguments.all),
    )
    if comparison.verdict == "nothing":
        tell("there was no text to compare: give files that have some")
    return EXIT_CODES[comparison.verdict]


def _call(arguments: argparse.Namespace, tokenizer: RobertaTokenizer) -> Call:
    """Say how the port was called, as a call of the tokenizer would be."""
    truncates = arguments.truncate or arguments.max_length is not None
    truncates = truncates or arguments.truncation_strategy is not None
    if arguments.truncation_side is not None:
        if not truncates:
            raise ValueError(
                "--truncation-side says nothing without --truncate or --max-length: give both, or "
                "neither"
            )
        tokenizer.truncation_side = arguments.truncation_side
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
    return pair_of(line, plain(where)) if arguments.pair else (line,)


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
