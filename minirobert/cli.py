"""The command line: ``minirobert fill-mask``, ``tokenize``, ``inspect``, ``train-tokenizer``."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .checkpoint import fetch_weights, matching_tensors
from .config import RobertaConfig
from .files import TINY
from .hub import ModelFiles
from .parameters import ARCHITECTURES, parameter_shapes, summary
from .pipelines import pipeline
from .pipelines.fill_mask import Filling
from .tokenization import RobertaTokenizer
from .tokenization.trainer import ROBERTA_SPECIAL_TOKENS

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : list of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        The exit code: 0, or 2 after an error, whose sentence is on stderr.
    """
    arguments = _parser().parse_args(argv)
    if sys.stdout is None:
        print("minirobert: stdout is closed, so there is nowhere to print to", file=sys.stderr)
        return 2
    _speak_utf8()
    try:
        with warnings.catch_warnings():  # which also puts showwarning back
            warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes what it needs
            arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except (ValueError, TypeError, KeyError, IndexError, OSError, ImportError) as error:
        print(f"minirobert: {_sentence(error)}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minirobert",
        description="RoBERTa as explicit array code.",
        epilog="Where no model is named, it is the small one that comes with the package.",
    )
    parser.add_argument("--version", action="version", version=f"minirobert {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_fill_mask(commands)
    _add_tokenize(commands)
    _add_inspect(commands)
    _add_train_tokenizer(commands)
    return parser


def _add_command(commands: Any, name: str, purpose: str, examples: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=purpose,
        epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="print JSON, one value a line")
    return command


def _add_texts(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "texts", nargs="*", metavar="TEXT", help="read from stdin, one a line, where none is given"
    )
    command.add_argument(
        "--model", default=TINY, metavar="DIR", help="the model (default: the bundled one)"
    )


def _add_fill_mask(commands: Any) -> None:
    command = _add_command(
        commands,
        "fill-mask",
        "Rank the words that could stand in place of <mask>.",
        '  minirobert fill-mask "The color of the sky is <mask>."\n'
        '  minirobert fill-mask "Grass is <mask>." --targets " green" " blue"\n'
        "  minirobert fill-mask --json --top-k 1 < lines.txt",
    )
    _add_texts(command)
    command.add_argument(
        "--top-k", type=int, default=5, metavar="N", help="words for each mask (default: 5)"
    )
    command.add_argument(
        "--targets",
        nargs="+",
        metavar="WORD",
        help='rank only these, given after the texts; most words begin with a space: " blue"',
    )
    command.set_defaults(run=_fill_mask)


def _add_tokenize(commands: Any) -> None:
    command = _add_command(
        commands,
        "tokenize",
        "Show the tokens of a text, their ids, and where in the text they are.",
        '  minirobert tokenize "Hello world"\n'
        '  minirobert tokenize --explain "unbelievable"\n'
        "  minirobert tokenize --json < lines.txt",
    )
    _add_texts(command)
    command.add_argument(
        "--explain",
        action="store_true",
        help="show how the tokens come about: pieces, bytes, symbols, merges with their ranks",
    )
    command.set_defaults(run=_tokenize)


def _add_inspect(commands: Any) -> None:
    command = _add_command(
        commands,
        "inspect",
        "Print a model's tensors: names, shapes, dtypes, counts and memory.",
        "  minirobert inspect\n  minirobert inspect roberta-base\n  minirobert inspect config.json",
    )
    command.add_argument(
        "model",
        nargs="?",
        default=TINY,
        metavar="MODEL",
        help="a model's directory or name on the hub, or a config.json, which needs no weights",
    )
    command.set_defaults(run=_inspect)


def _add_train_tokenizer(commands: Any) -> None:
    command = _add_command(
        commands,
        "train-tokenizer",
        "Learn the vocabulary and the merges of a tokenizer from files of text.",
        "  minirobert train-tokenizer corpus.txt --vocab-size 8192 --out tokenizer\n"
        "  minirobert train-tokenizer a.txt b.txt --vocab-size 8192 --out tokenizer --json --quiet",
    )
    command.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="UTF-8; each line is a text, its line end included, and no token spans two",
    )
    command.add_argument(
        "--vocab-size",
        type=int,
        required=True,
        metavar="N",
        help="tokens to make, at most; 256 are the bytes, and 5 the special tokens",
    )
    command.add_argument("--out", required=True, metavar="DIR", help="where to save the tokenizer")
    command.add_argument(
        "--min-frequency",
        type=int,
        default=2,
        metavar="N",
        help="merge no pair that occurs less often (default: 2)",
    )
    command.add_argument(
        "--add-prefix-space",
        action="store_true",
        help="put a space before each text, when training and when the tokenizer is used",
    )
    command.add_argument(
        "--special-tokens",
        nargs="+",
        default=ROBERTA_SPECIAL_TOKENS,
        metavar="TOKEN",
        help="the tokens with the first ids, given after the files (default: "
        f"{' '.join(ROBERTA_SPECIAL_TOKENS)}; those of them that are left out come last)",
    )
    command.add_argument("--quiet", action="store_true", help="show no progress on a terminal")
    command.set_defaults(run=_train_tokenizer)


def _fill_mask(arguments: argparse.Namespace) -> None:
    fill = pipeline("fill-mask", arguments.model, top_k=arguments.top_k, targets=arguments.targets)

    def answer(text: str) -> None:
        result = fill(text)
        if arguments.json:
            _print_json(result)
        else:
            _print_fillings(text, [result] if isinstance(result[0], dict) else result)

    _answer_each(arguments.texts, answer)


def _print_fillings(text: str, masks: Sequence[Sequence[Filling]]) -> None:
    print(text)
    for number, fillings in enumerate(masks, 1):
        if len(masks) > 1:
            print(f"  mask {number}:")
        width = max(len(repr(filling["token_str"])) for filling in fillings)
        for filling in fillings:
            word = repr(filling["token_str"])
            print(f"  {filling['score']:.4f}  {word:{width}}  {filling['sequence']}")


def _tokenize(arguments: argparse.Namespace) -> None:
    tokenizer = RobertaTokenizer.from_pretrained(arguments.model)

    def answer(text: str) -> None:
        if arguments.explain:
            explanation = tokenizer.explain(text)
            if arguments.json:
                _print_json(explanation.to_dict())
            else:
                print(explanation)
            return
        encoding = tokenizer(text, return_offsets_mapping=True)
        ids, offsets = encoding["input_ids"], encoding["offset_mapping"]
        tokens = tokenizer.convert_ids_to_tokens(ids)
        if arguments.json:
            _print_json({"tokens": tokens, "ids": ids, "offsets": offsets})
        else:
            _print_tokens(text, tokens, ids, offsets)

    _answer_each(arguments.texts, answer)


def _print_tokens(
    text: str, tokens: Sequence[str], ids: Sequence[int], offsets: Sequence[tuple[int, int]]
) -> None:
    width = max(5, *map(len, tokens))
    print(f"{'token':{width}}  {'id':>6}  {'start':>5}  {'end':>5}  text")
    for token, index, (start, end) in zip(tokens, ids, offsets, strict=True):
        piece = repr(text[start:end]) if end > start else ""
        print(f"{token:{width}}  {index:6}  {start:5}  {end:5}  {piece}".rstrip())


def _inspect(arguments: argparse.Namespace) -> None:
    path = Path(arguments.model)
    only_config = path.is_file()
    if only_config and path.suffix != ".json":
        raise ValueError(f"{str(path)!r} is no config.json: give that, or the model's directory")
    files = ModelFiles(path.parent if only_config else arguments.model)
    config = (
        RobertaConfig.from_json_file(path) if only_config else RobertaConfig.from_pretrained(files)
    )
    named = [name for name in config.architectures or [] if name in ARCHITECTURES]
    shapes = parameter_shapes(config, (named or ["RobertaForMaskedLM"])[0])
    stored = {} if only_config else matching_tensors(fetch_weights(files), shapes, strict=False)
    if stored:
        shapes = {name: shape for name, shape in shapes.items() if name in stored}
    dtypes = {name: stored[name].dtype_name if name in stored else "float32" for name in shapes}
    if arguments.json:
        _print_json(
            {name: {"shape": shape, "dtype": dtypes[name]} for name, shape in shapes.items()}
        )
    else:
        print(summary(shapes, dtypes))


def _train_tokenizer(arguments: argparse.Namespace) -> None:
    _check_paths(arguments.files, arguments.out)
    tokenizer = RobertaTokenizer.train(
        _lines_of(arguments.files),
        arguments.vocab_size,
        arguments.min_frequency,
        arguments.special_tokens,
        add_prefix_space=arguments.add_prefix_space,
        show_progress=not arguments.quiet and sys.stderr is not None and sys.stderr.isatty(),
    )
    files = tokenizer.save_pretrained(arguments.out)
    if arguments.json:
        _print_json({"tokens": len(tokenizer), "merges": len(tokenizer.merges), "files": files})
        return
    print(f"{len(tokenizer):,} tokens, {len(tokenizer.merges):,} merges, saved in {arguments.out}")
    if tokenizer.vocab_size < arguments.vocab_size:
        print(
            f"(no more to learn: no pair is left that occurs {max(arguments.min_frequency, 1)}"
            " times or more)"
        )


def _check_paths(files: Sequence[str], out: str) -> None:
    """Find mistakes in the names before the first file is read, which may take long."""
    for file in files:
        if not Path(file).exists():
            raise FileNotFoundError(f"there is no file {file!r}")
        if Path(file).is_dir():
            raise IsADirectoryError(f"{file!r} is a directory: give the files in it")
    if Path(out).exists() and not Path(out).is_dir():
        raise NotADirectoryError(f"{out!r} is a file: give a directory to save in")


def _lines_of(files: Sequence[str]) -> Iterator[str]:
    """Read lines that end where Hugging Face's trainer ends them: at a line feed, and with it."""
    for path in files:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise ValueError(
                        f"{path}, line {number} is not UTF-8: it has the byte "
                        f"{line[error.start]:#04x} at position {error.start}; convert the file, "
                        "for instance with iconv"
                    ) from None


def _answer_each(texts: list[str], answer: Callable[[str], None]) -> None:
    """Answer each text of the command line, or each line of stdin as it comes."""
    for text in texts:
        answer(text)
        sys.stdout.flush()
    if texts:
        return
    for number, line in enumerate(_lines(), 1):
        try:
            answer(line)
        except ValueError as error:
            raise ValueError(f"line {number} of stdin: {error}") from error
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


def _speak_utf8() -> None:
    """Read and write UTF-8 whatever the system's own encoding is: tokens are not in many others."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="strict")


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def _sentence(error: BaseException) -> str:
    """Give an error's message; ``str`` of a KeyError would show it in quotes."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def _show_warning(message: Any, *_: Any) -> None:
    print(f"minirobert: warning: {message}", file=sys.stderr)
