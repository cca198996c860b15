"""Options of commands: each is a function that adds it to a parser, or to a group of one.

An option that is not given is None, so that the pipeline's own default counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..sentences import shown

__all__ = [
    *(
        "Option",
        "add_options",
        "any_option",
        "choice",
        "count",
        "either",
        "real",
        "switch",
        "text",
        "words",
    ),
    *("batch_size", "count_or_all", "device", "named", "seed"),
    *("DEVICE", "DTYPE", "HUB_OPTIONS", "QUIET", "THREADS", "hub_options"),
]

#: Takes a parser or a group.
Option: TypeAlias = Callable[[Any], Any]


def any_option(flag: str, help: str, **more: Any) -> Option:
    """Add an option in argparse's own words."""
    return lambda parser: parser.add_argument(flag, help=help, **more)


def count(flag: str, help: str, **more: Any) -> Option:
    """Take an integer."""
    return any_option(flag, help, **{"type": int, "metavar": "N", **more})


def real(flag: str, help: str, metavar: str = "X") -> Option:
    """Take a number."""
    return any_option(flag, help, type=float, metavar=metavar)


def text(flag: str, metavar: str, help: str, **more: Any) -> Option:
    """Take a word, or a text in quotes."""
    return any_option(flag, help, metavar=metavar, **more)


def words(flag: str, metavar: str, help: str, **more: Any) -> Option:
    """Take several words, all up to the next option."""
    return text(flag, metavar, help, **{"nargs": "+", **more})


def choice(flag: str, choices: Any, help: str, **more: Any) -> Option:
    """Take one of a few words."""
    return any_option(flag, help, choices=choices, **more)


def switch(flag: str, help: str, const: Any = True, **more: Any) -> Option:
    """Take nothing: being there is enough."""
    return any_option(flag, help, action="store_const", const=const, **more)


def add_options(parser: Any, *options: Option) -> None:
    """Add options in the order of the help."""
    for option in options:
        option(parser)


def either(*options: Option) -> Option:
    """Allow one of some options, but not two."""

    def add(parser: argparse.ArgumentParser) -> None:
        add_options(parser.add_mutually_exclusive_group(), *options)

    return add


def named(word: str) -> str:
    """Refuse an empty name, as of a variable of the shell that is not set: it would be "."."""
    if not word:
        raise argparse.ArgumentTypeError("the name is empty: give one, or . for this directory")
    return word


def batch_size(word: str) -> int:
    """Read a number; more than so many lines are never waited for."""
    return min(int(word), 2**31 - 1)


def count_or_all(word: str) -> int:
    """Read a number, or "all", which no model has more classes than."""
    if word == "all":
        return sys.maxsize
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shown(word)} is neither an integer nor 'all'") from None


def device(name: str) -> str | int:
    """Read a device's name, or as in transformers its number."""
    return int(name) if name.removeprefix("-").isdecimal() else name


def seed(word: str) -> np.random.Generator:
    """Make one generator for all texts: each takes its own numbers from it."""
    try:
        return np.random.default_rng(int(word))
    except ValueError:  # no number, or one below 0
        raise argparse.ArgumentTypeError(
            f"{shown(word)} is no seed: give an integer of at least 0"
        ) from None


#: Of commands that compute.
DTYPE = choice(
    "--dtype",
    ("bfloat16", "float16", "float32", "float64", "auto"),
    "of the weights; auto is that of the file (default: float32)",
    default="float32",
)
DEVICE = text("--device", "NAME", '"cpu" (the default), "cuda" or "cuda:N"', type=device)
THREADS = count(
    "--threads",
    "compute with at most N threads of the CPU (default: as many as the libraries will, which "
    "OPENBLAS_NUM_THREADS and OMP_NUM_THREADS tell, too)",
)

#: Of commands that may take long.
QUIET = switch("--quiet", "show no progress on a terminal")

#: Of every command that takes a model; without effect for a directory.
HUB_OPTIONS = (
    text("--revision", "NAME", "of a model of the hub: a branch, tag or commit"),
    text("--token", "TOKEN", "for private models of the hub (default: that of `hf auth login`)"),
    text("--cache-dir", "DIR", "where the files of models of the hub are kept"),
    switch("--local-files-only", "use only the files that are kept already"),
)


def hub_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Take the options of the hub that are given, under their names in `HubOptions`."""
    names = ("revision", "token", "cache_dir", "local_files_only")
    given = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}
