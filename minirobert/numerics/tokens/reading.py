"""Suspects of the text: the port encodes another one than it was given."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ...tokenization.components import FORMS
from ...tokenization.pretokenizer import WHITE_SPACE
from .steps import Steps
from .suspect import Suspect, always

__all__ = ["reading_suspects"]

_BOM = "\ufeff"
_WHITE = "".join(WHITE_SPACE)
_WHITE_RUN = re.compile(f"[{re.escape(_WHITE)}]+")
_CURLY = str.maketrans("‘’“”", "''\"\"")


def _reads(says: str, read: Callable[[str], str]) -> Suspect:
    def change(steps: Steps) -> Steps:
        before = steps.read
        return replace(steps, read=lambda text: read(before(text)))

    return Suspect("text", says, change)


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


def _without_controls(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf") or c in "\t\n\r")


def _misread(encoding: str) -> Callable[[str], str]:
    """Take the bytes of UTF-8 for characters of an encoding that has one byte for each."""
    return lambda text: text.encode("utf-8").decode(encoding, "replace")


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else text


#: The suspects of the text.
reading_suspects = always(
    *(_reads(f"normalises the text to {form}", partial(unicodedata.normalize, form))
      for form in FORMS),
    _reads("writes the text in lower case", str.lower),
    _reads("takes accents off the letters", _without_marks),
    _reads("takes accents off the letters, and writes them in lower case",
           lambda text: _without_marks(text).lower()),
    _reads("takes the white space off both ends of the text", lambda text: text.strip(_WHITE)),
    _reads("takes the white space off the end of the text", lambda text: text.rstrip(_WHITE)),
    _reads("takes the white space off the beginning of the text",
           lambda text: text.lstrip(_WHITE)),
    _reads("takes a line end off the text", lambda text: text.rstrip("\r\n")),
    _reads("takes a carriage return off the text", lambda text: text.removesuffix("\r")),
    _reads("leaves the line end, U+000A, at the text", lambda text: text + "\n"),
    _reads("leaves the line end, U+000D U+000A, at the text", lambda text: text + "\r\n"),
    _reads("leaves a carriage return, U+000D, at the text", lambda text: text + "\r"),
    _reads("reads U+000D U+000A, and U+000D alone, as U+000A",
           lambda text: text.replace("\r\n", "\n").replace("\r", "\n")),
    _reads("makes one space of all white space that stands together",
           lambda text: _WHITE_RUN.sub(" ", text)),
    _reads("makes one space of all white space that stands together, and none at the ends",
           lambda text: _WHITE_RUN.sub(" ", text).strip(" ")),
    _reads("reads U+00A0 as a space", lambda text: text.replace("\xa0", " ")),
    _reads("takes U+FEFF off the beginning of the text", lambda text: text.removeprefix(_BOM)),
    _reads("takes U+FEFF out of the text", lambda text: text.replace(_BOM, "")),
    _reads("puts U+FEFF before the text", lambda text: _BOM + text),
    _reads("takes control characters out of the text", _without_controls),
    _reads("ends the text at U+0000, as C does", lambda text: text.split("\x00")[0]),
    _reads("ends the text at the first of U+0085, U+2028 and others that Python's splitlines takes"
           " for line ends", _first_line),
    _reads("reads the UTF-8 of the text as Latin-1", _misread("latin-1")),
    _reads("reads the UTF-8 of the text as Windows-1252", _misread("cp1252")),
    _reads("writes ? for what is not ASCII",
           lambda text: text.encode("ascii", "replace").decode()),
    _reads("leaves out what is not ASCII", lambda text: text.encode("ascii", "ignore").decode()),
    _reads("writes straight quotes for typographic ones", lambda text: text.translate(_CURLY)),
    _reads("reads a backslash and n, t or r as one character", _unescaped),
)  # fmt: skip
