"""Lines of stdin or of files, and what is done about those that are wrong.

That is the option ``--errors``: the first wrong line ends the command, after the answers to those
before it (``strict``); or bytes that are not UTF-8 are read as U+FFFD (``replace``); or wrong lines
are left out (``skip``). The first is told at once, the others when all is done.

With ``--skip-errors FILE`` wrong lines are left out, too, and all of them are told in a file; then
``strict`` is the same as ``skip``, and after ``replace`` a line is only wrong where it cannot be
answered.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ..checks import warn
from ..files.exchange import write_text
from ..sentences import LIMIT, plain, shown
from .options import Option, choice, named, text

__all__ = [
    *("SKIP_ERRORS", "Faults", "RecordedFaults", "check_no_device", "errors_option"),
    *("file_lines", "not_utf8", "pair_of", "stdin_lines", "unescaped"),
]

#: Bytes of a line of stdin; /dev/zero would have one without end.
LONGEST = 50_000_000
#: How many wrong lines are named.
NAMED = 5


def errors_option(which: str) -> Option:
    """Add ``--errors`` to a command."""
    return choice(
        "--errors",
        ("strict", "replace", "skip"),
        f"of {which}: end with an error at the first (strict, the default), read what is not UTF-8 "
        "as U+FFFD (replace), or leave them out, with a warning (skip)",
        default="strict",
    )


SKIP_ERRORS = text(
    "--skip-errors",
    "FILE",
    "leave such texts out, as --errors skip does, and write into this file which and why: lines of "
    "JSON with line, text and error",
    type=named,
)


class Faults:
    """The lines of one source that are mended or left out.

    Parameters
    ----------
    policy : str
        ``"strict"``, ``"replace"`` or ``"skip"``.
    source : str
        What all the lines are: ``"lines of stdin"``.
    where : callable
        ``where(number)`` names a line.
    instead : str
        What stands for a line that is left out.
    """

    def __init__(
        self, policy: str, source: str, where: Callable[[int], str], instead: str = "left out"
    ):
        self.policy = policy
        self.source = source
        self.where = where
        self.done = instead if policy == "skip" else "read with U+FFFD in place of such bytes"
        self.leaves_out = policy == "skip"
        self.count = 0
        self.named: list[int] = []

    def text(self, line: bytes, number: int) -> str | None:
        """Read a line as UTF-8, or give None for one to leave out; ValueError if strict."""
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            wrong = f"not UTF-8: it has {_what_is_wrong(error)}"
        text = line.decode("utf-8", "replace")
        named = f"{self.where(number)} is {wrong}"
        if self.policy == "strict":
            raise ValueError(
                f"{named}; convert it, for instance with iconv, or give --errors replace or "
                "--errors skip"
            )
        if self.policy == "replace":
            self._count(number, named)
            return text
        self._leave_out(number, text, wrong, named)
        return None

    def leave_out(self, number: int, text: str, error: Exception) -> None:
        """Take note of a line that cannot be answered."""
        named = f"{self.where(number)}: {plain(error, 300)}"
        self._leave_out(number, text, plain(error, LIMIT), named)

    def _leave_out(self, number: int, text: str, error: str, named: str) -> None:
        self._count(number, named)

    def _count(self, number: int, wrong: str) -> None:
        self.count += 1
        if self.count <= NAMED:
            self.named.append(number)
        if self.count == 1:
            warn(f"{wrong}; it is {self.done}, as others will be")

    def sum_up(self) -> None:
        """Tell how many there were, if the first was not all."""
        if self.count > 1:
            more = f" … and {self.count - NAMED:,} more" if self.count > NAMED else ""
            numbers = ", ".join(map(str, sorted(self.named)))
            warn(f"{self.count:,} {self.source} are {self.done}: {numbers}{more}")


class RecordedFaults(Faults):
    """Faults of which those that are left out are told in a file, at the end."""

    def __init__(
        self, file: Path, policy: str, source: str, where: Callable[[int], str], instead: str
    ):
        super().__init__("skip" if policy == "strict" else policy, source, where, instead)
        self.file = file
        self.instead = instead
        self.leaves_out = True
        self.records: list[dict[str, Any]] = []

    def _leave_out(self, number: int, text: str, error: str, named: str) -> None:
        self.records.append({"line": number, "text": text, "error": error})

    def sum_up(self) -> None:
        """Write the file, which is empty where nothing was wrong."""
        super().sum_up()
        records = sorted(self.records, key=lambda one: one["line"])  # a batch is read first
        lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in records)
        write_text(self.file, "".join(lines))
        if records:
            warn(
                f"{self.source} that are {self.instead}: {len(records):,}, as "
                f"{plain(str(self.file))} tells"
            )


def not_utf8(where: str, error: UnicodeDecodeError) -> ValueError:
    """Say what is wrong with bytes that are no text."""
    return ValueError(
        f"{where} is not UTF-8: it has {_what_is_wrong(error)}; convert it, for instance with iconv"
    )


def check_no_device(file: str) -> None:
    """Refuse /dev/zero and its like, which have no end; pipes may be read."""
    if Path(file).is_char_device():
        raise OSError(f"{shown(file)} is a device: give a file of text")


def _what_is_wrong(error: UnicodeDecodeError) -> str:
    return f"the byte {error.object[error.start]:#04x} at position {error.start}"


def stdin_lines(faults: Faults) -> Iterator[str | None]:
    """Read the lines of stdin without their ends, each as soon as it has come."""
    if sys.stdin is None or sys.stdin.isatty():
        raise ValueError("there is no text: give it as an argument, or pipe lines into stdin")
    if not isinstance(sys.stdin, io.TextIOWrapper):  # of a caller in this process
        yield from _lines_of_text(sys.stdin)
        return
    try:
        yield from _texts_of(sys.stdin.buffer, "stdin", faults)
    except OSError as error:
        # no OSError: where answers are saved, that would be one of their file
        raise ValueError(
            f"stdin cannot be read ({error.strerror}): give it lines of text"
        ) from None


def file_lines(path: str, faults: Faults) -> Iterator[str | None]:
    """Read the lines of a file without their ends, as those of stdin; ``-`` is stdin itself."""
    if path == "-":
        yield from stdin_lines(faults)
        return
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {shown(path)}")
    if Path(path).is_dir():
        raise IsADirectoryError(f"{shown(path)} is a directory: give a file of text")
    check_no_device(path)
    with open(path, "rb") as file:
        yield from _texts_of(file, plain(path), faults)


def _texts_of(file: BinaryIO, name: str, faults: Faults) -> Iterator[str | None]:
    for number, line in enumerate(_lines_of_bytes(file, name), 1):
        yield faults.text(line.removesuffix(b"\n").removesuffix(b"\r"), number)


def _lines_of_bytes(file: BinaryIO, name: str) -> Iterator[bytes]:
    for number, line in enumerate(iter(partial(file.readline, LONGEST + 2), b""), 1):
        if len(line) > LONGEST + 1:  # the line feed is not counted
            raise ValueError(
                f"line {number} of {plain(name)} has more than {LONGEST:,} bytes, which are not "
                "read at once: divide it into several lines"
            )
        if number == 1 and line.startswith(b"\xef\xbb\xbf"):
            warn(
                f"line 1 of {plain(name)} begins with a byte order mark, U+FEFF: it is read as"
                " text, too"
            )
        yield line


def _lines_of_text(stream: Any) -> Iterator[str]:
    try:
        for line in stream:
            yield line.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise not_utf8("stdin", error) from error


def pair_of(line: str, name: str) -> tuple[str, str]:
    """Take a line apart into the two texts of a pair; an error begins with the name."""
    one, tab, two = line.partition("\t")
    if not tab:
        raise ValueError(f"{name} is no pair: put a tab between its two texts")
    return one, two


def unescaped(argument: str, number: int, faults: Faults) -> str | None:
    """Read an argument again whose bytes were no text for Python: it may yet be UTF-8.

    Python decodes arguments by the system's encoding, and makes surrogates of what has none.
    """
    try:
        line = argument.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other surrogates, of a caller in this process
        return argument
    return faults.text(line, number)
