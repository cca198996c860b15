"""The commands of the tokenizer: ``tokenize`` and ``train-tokenizer``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..files import TINY
from ..marking.terminal import DIM, style, styled
from ..models.auto import AutoTokenizer
from ..sentences import escaped, plain, shown
from ..tokenization import BatchEncoding, RobertaTokenizer
from ..tokenization.explain import Explanation
from ..tokenization.rows.encoding import Encoding
from ..tokenization.trainer import ROBERTA_SPECIAL_TOKENS
from ..tokenization.units import units
from .common import Printed, add_command, add_texts, answer_lines, print_json, show
from .lines import Faults, check_no_device, errors_option
from .looks import COLOUR, Picture, in_colours, plot_option
from .new_files import OVERWRITE, check_overwrite
from .options import HUB_OPTIONS, QUIET, add_options, count, hub_options, named, switch, text, words
from .progress import is_terminal

__all__ = ["add_tokenize", "add_train_tokenizer"]

_TOKENIZE_OPTIONS = (
    text(
        "--model",
        "DIR",
        "a directory, or a name of the hub (default: the bundled model)",
        type=named,
        default=TINY,
    ),
    switch(
        "--explain",
        "show how the tokens come about: pieces, bytes, symbols, merges with their ranks",
    ),
    COLOUR,
    plot_option("the tokens, or with --explain the merges of one word,"),
    OVERWRITE,
    errors_option("texts that are not UTF-8"),
    *HUB_OPTIONS,
)


def add_tokenize(commands: Any) -> None:
    """Add ``tokenize``."""
    command = add_command(
        commands,
        "tokenize",
        "Show the tokens of a text, their ids, and where in the text they are.",
        '  minirobert tokenize "Hello world"\n'
        '  minirobert tokenize --explain "unbelievable"\n'
        '  minirobert tokenize "Hello world" --plot tokens.png\n'
        "  minirobert tokenize --json < lines.txt",
    )
    add_texts(command)
    add_options(command, *_TOKENIZE_OPTIONS)
    command.set_defaults(run=_tokenize)


_TRAINING_OPTIONS = (
    count(
        "--vocab-size",
        "tokens to make, at most; 256 are the bytes, and 5 the special tokens",
        required=True,
    ),
    text("--out", "DIR", "where to save the tokenizer", type=named, required=True),
    count("--min-frequency", "merge no pair that occurs less often (default: 2)", default=2),
    switch(
        "--add-prefix-space",
        "put a space before each text, when training and when the tokenizer is used",
        default=False,
    ),
    words(
        "--special-tokens",
        "TOKEN",
        "the tokens with the first ids, given after the files (default: "
        f"{' '.join(ROBERTA_SPECIAL_TOKENS)}; those of them that are left out come last)",
        default=ROBERTA_SPECIAL_TOKENS,
    ),
    errors_option("lines that are not UTF-8"),
    QUIET,
)


def add_train_tokenizer(commands: Any) -> None:
    """Add ``train-tokenizer``."""
    command = add_command(
        commands,
        "train-tokenizer",
        "Learn the vocabulary and the merges of a tokenizer from files of text.",
        "  minirobert train-tokenizer corpus.txt --vocab-size 8192 --out tokenizer\n"
        "  minirobert train-tokenizer a.txt b.txt --vocab-size 8192 --out tokenizer --json --quiet",
        "FILE ...",
    )
    command.add_argument(
        "files",
        nargs="+",
        type=named,
        metavar="FILE",
        help="UTF-8; each line is a text, its line end included, and no token spans two",
    )
    add_options(command, *_TRAINING_OPTIONS)
    command.set_defaults(run=_train_tokenizer)


def _tokenize(arguments: argparse.Namespace) -> None:
    check_overwrite(arguments)
    draw = _draw_merges if arguments.explain else _draw_tokens
    picture = Picture(arguments, draw) if arguments.plot else None
    tokenizer = AutoTokenizer.from_pretrained(arguments.model, **hub_options(arguments))
    (_explain if arguments.explain else _list_tokens)(arguments, tokenizer, picture)
    if picture is not None:
        picture.write()


def _explain(
    arguments: argparse.Namespace, tokenizer: RobertaTokenizer, picture: Picture | None
) -> None:
    def show(_: str, found: Explanation) -> None:
        print_json(found.to_dict()) if arguments.json else print(found)
        if picture is not None:
            picture.take(found)

    into = Printed(show, arguments.json)
    answer_lines(arguments, lambda texts: map(tokenizer.explain, texts), into)


def _draw_merges(explanation: Explanation) -> Any:
    from ..plots import merge_tree

    if len(explanation.pieces) != 1:
        raise ValueError(
            f"--plot draws the merges of one piece, but the text has {len(explanation.pieces)}: "
            "give one word"
        )
    return merge_tree(explanation)


def _list_tokens(
    arguments: argparse.Namespace, tokenizer: RobertaTokenizer, picture: Picture | None
) -> None:
    marks = in_colours(arguments)

    def answer(text: str) -> dict[str, Any]:
        encoding = tokenizer(text, return_offsets_mapping=True)
        ids = encoding["input_ids"]
        tokens = tokenizer.convert_ids_to_tokens(ids)
        return {"tokens": tokens, "ids": ids, "offsets": encoding["offset_mapping"]}

    def show(text: str, found: dict[str, Any]) -> None:
        if arguments.json:
            print_json(found)
        elif marks:
            _print_marked_tokens(text, tokenizer(text)[0])
        else:
            _print_tokens(text, **found)
        if picture is not None:
            picture.take(tokenizer(text))

    answer_lines(arguments, lambda texts: map(answer, texts), Printed(show, arguments.json))


def _draw_tokens(encoding: BatchEncoding) -> Any:
    from ..plots import tokens

    return tokens(encoding)


def _print_tokens(
    text: str,
    tokens: Sequence[str],
    ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    styles: Sequence[str] = (),
) -> None:
    """Print a table, in which each token may have its style of a terminal."""
    width = max(5, *map(len, tokens))
    print(f"{'token':{width}}  {'id':>6}  {'start':>5}  {'end':>5}  text")
    rows = zip_longest(tokens, ids, offsets, styles)
    for token, index, (start, end), style_of_token in rows:
        cell = styled(token, style_of_token) if style_of_token else token
        piece = repr(text[start:end]) if end > start else ""
        room = " " * (width - len(token))
        print(f"{cell}{room}  {index:6}  {start:5}  {end:5}  {piece}".rstrip())


def _print_marked_tokens(text: str, row: Encoding) -> None:
    """Print the text in the colours of its tokens, and below it their table."""
    styles, line = [], ""
    for number, (shown_text, start, end) in enumerate(units(row.tokens)):
        code = DIM if row.special_tokens_mask[start] else style(number % 4)
        styles += [code] * (end - start)
        line += styled(escaped(shown_text), code)
    print(line)
    tokens = [escaped(token) for token in row.tokens]
    _print_tokens(text, tokens, row.ids, row.offsets, styles)


def _train_tokenizer(arguments: argparse.Namespace) -> None:
    _check_paths(arguments.files, arguments.out)
    tokenizer = RobertaTokenizer.train(
        _lines_of(arguments.files, arguments.errors),
        arguments.vocab_size,
        arguments.min_frequency,
        arguments.special_tokens,
        add_prefix_space=arguments.add_prefix_space,
        show_progress=not arguments.quiet and is_terminal("stderr"),
    )
    files = tokenizer.save_pretrained(arguments.out)
    found = {"tokens": len(tokenizer), "merges": len(tokenizer.merges), "files": files}
    show(arguments, found, lambda: _told(tokenizer, arguments))


def _told(tokenizer: RobertaTokenizer, arguments: argparse.Namespace) -> str:
    line = f"{len(tokenizer):,} tokens, {len(tokenizer.merges):,} merges, saved in {arguments.out}"
    if tokenizer.vocab_size >= arguments.vocab_size:
        return line
    least = max(arguments.min_frequency, 1)
    return f"{line}\n(no more to learn: no pair is left that occurs {least} times or more)"


def _check_paths(files: Sequence[str], out: str) -> None:
    """Find mistakes in the names before the first file is read, which may take long."""
    for file in files:
        if not Path(file).exists():
            raise FileNotFoundError(f"there is no file {shown(file)}")
        if Path(file).is_dir():
            raise IsADirectoryError(f"{shown(file)} is a directory: give the files in it")
        check_no_device(file)
    directory = Path(out)
    if directory.exists() and not directory.is_dir():
        raise NotADirectoryError(f"{shown(out)} is a file: give a directory to save in")
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(f"nothing can be saved in {shown(out)}: you may not write there")


def _lines_of(files: Sequence[str], errors: str) -> Iterator[str]:
    """Read lines that end where Hugging Face's trainer ends them: at a line feed, and with it."""
    for path in files:
        where = partial("{}, line {}".format, plain(path))
        faults = Faults(errors, f"lines of {plain(path)}", where)
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if (text := faults.text(line, number)) is not None:
                    yield text
        faults.sum_up()
