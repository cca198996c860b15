"""The command ``explore``: what a model does with a text, as a page for a browser."""

from __future__ import annotations

import argparse
from typing import Any

from ..files.exchange import write_text
from ..models.auto import AutoTokenizer
from ..parameters import CheckpointError
from ..sentences import LIMIT, plain
from .calls import lines_of
from .common import add_command, show
from .models import CLASS, load_model, model_name
from .new_files import checked_new, new_file
from .options import DEVICE, DTYPE, HUB_OPTIONS, add_options, any_option, hub_options, text
from .progress import is_terminal

__all__ = ["add_explore"]


def add_explore(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "explore",
        "Write a page of HTML to explore what a model does with a text: its tokens, the attention "
        "of every head, and the words that each layer finds the best. It opens from disk.",
        '  minirobert explore "The color of the sky is <mask>." --out sky.html\n'
        '  minirobert explore "The sky is <mask>." --against "The sea is <mask>." --out two.html\n'
        '  minirobert explore "A fine film." --model DIR --out film.html',
        "[TEXT]",
    )
    any_option("text", "read from stdin, where it is not given", nargs="*", metavar="TEXT")(command)
    add_options(
        command,
        *new_file("where to write the page"),
        text(
            "--against",
            "TEXT",
            "another text, of as many tokens: also show from which states of the first the word "
            "at its <mask> comes (activation patching: a run for each layer and token)",
        ),
        text(
            "--model",
            "DIR",
            "a directory, or a name of the hub (default: the bundled model)",
            type=model_name,
            default=model_name("bundled"),
        ),
        DEVICE,
        DTYPE,
        CLASS,
        *HUB_OPTIONS,
    )
    command.set_defaults(run=_explore, no_pooler=False)


def _explore(arguments: argparse.Namespace) -> None:
    from ..plots import explore_page

    out = checked_new(arguments)
    shown = _one_text(arguments.text)
    (against,) = [None] if arguments.against is None else lines_of([arguments.against])
    model = _model(arguments)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model, **hub_options(arguments))
    page = explore_page(model, tokenizer, shown, against, progress_bar=is_terminal("stderr"))
    write_text(out, page)
    show(
        arguments,
        {"file": str(out), "class": type(model).__name__},
        lambda: f"the page is in {out}: open it in a browser",
    )


def _one_text(words: list[str]) -> str:
    """Read the text, of which a page has one."""
    lines = lines_of(words)
    if not lines:
        raise ValueError("there is no text: give it as an argument, or pipe a line into stdin")
    if len(lines) > 1:
        raise ValueError(
            f"there are {len(lines)} texts, but a page has one: put quotes around it, and give "
            "another one behind --against"
        )
    return lines[0]


def _model(arguments: argparse.Namespace) -> Any:
    """Load a model whose head is not drawn at random: its words would mean nothing."""
    try:
        return load_model(arguments, device=arguments.device, whole=True)
    except CheckpointError as error:
        cure = "--class RobertaModel shows its attention alone"
        raise ValueError(f"{plain(error, LIMIT - 60)}; {cure}") from None
