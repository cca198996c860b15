"""Patterns of a tokenizer.json, which are written for Oniguruma, in the words of `regex`.

The Rust library compiles them with Oniguruma in Ruby's syntax. Most of that is the same here; what
is not is translated, so that a pattern finds what it finds there. Oniguruma knows the characters of
an older Unicode: to those that came later it gives no class.
"""

from __future__ import annotations

import regex

from ..sentences import shown

__all__ = ["compiled"]

_WORD_IN_SET = r"[\w--[\u200c\u200d]]"  # joiners are none
_WORD = rf"[{_WORD_IN_SET}\u00b2\u00b3\u00b9\u00bc-\u00be]"  # ² and ½ are, outside of sets
_IN_SETS = {r"\w": _WORD_IN_SET, r"\W": rf"[^{_WORD_IN_SET}]"}
#: What `regex` gives to ASCII alone, or to what is no letter.
_CLASSES = {"digit": r"\p{Nd}", "alnum": r"\p{Alphabetic}\p{Nd}", "punct": r"\p{P}\p{S}"}
_ESCAPES = {
    r"\h": "[0-9a-fA-F]",
    r"\H": "[^0-9a-fA-F]",
    r"\e": r"\x1b",
}
_OUTSIDE_OF_SETS = {
    r"\w": _WORD,
    r"\W": f"[^{_WORD}]",
    r"\N": r"[^\n]",
    r"\O": "(?s:.)",
    r"\b": rf"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    r"\B": rf"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
    r"\Z": r"(?=\n?\Z)",
    r"\z": r"\Z",
}
#: Letters that mean themselves there behind a backslash, but not here.
_THEMSELVES = frozenset("ijlmqEFIJLQTUV")
_CODES = {"n": 10, "t": 9, "r": 13, "f": 12, "a": 7, "b": 8, "e": 27, "v": 11}
_PARTS = regex.compile(
    r"(?P<hexadecimal>\\x\{[0-9A-Fa-f]{1,8}\}|\\x[0-9A-Fa-f](?![0-9A-Fa-f]))|(?P<octal>\\o\{[0-7]{1,11}\})"
    r"|(?P<control>(?:\\c|\\C-|\\M-)+(?:\\.|[^\\]))|\\k<(?P<name>\w+)>|\\g<(?P<called>[^\W\d]\w*)>"
    r"|(?P<property>\\[pP]\{[^}]*\})|(?P<escape>\\.)|(?P<posix>\[:\^?\w+:\])|(?P<open>\[\^?\]?)|(?P<close>\])"
    r"|(?P<comment>\(\?\#[^)]*\))|(?P<options>\(\?(?:[a-zA-Z-]+[:)<>=&]|[^:=!<>(~'a-zA-Z-]))"
    r"|\((?:\?(?:[:=!>(~']|<[=!]?))?"
    r"|(?P<often>[*+?][+?]?|\{(?:\d+(?:,\d*)?|,\d+)\}\??)|.",
    regex.DOTALL,
)


def compiled(expression: str) -> regex.Pattern:
    r"""Compile a pattern as it is meant there.

    >>> compiled(r"^\h+").findall("ab7z\ncafé")
    ['ab7', 'caf']
    """
    depth, pattern = 0, _Pattern()
    for match in _PARTS.finditer(expression):
        before = depth
        depth += (match["open"] is not None) - (match["close"] is not None and depth > 0)
        if before or not (match["often"] or match["comment"]):
            pattern.add(_translated(match, depth > 0), goes_on=before > 0)
        elif match["often"]:
            pattern.repeat(match["often"])
    # ^ and $ are those of lines there, and sets may stand in one another
    return regex.compile("".join(pattern.parts), regex.VERSION1 | regex.MULTILINE)


class _Pattern:
    """A pattern as far as it is translated, which knows what a repetition would repeat."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._groups: list[int] = []  # where those begin that are open
        self._begin = 0  # where the last character, set or group begins
        self._is_repeated = False

    def add(self, part: str, goes_on: bool) -> None:
        """Add a part, which may go on with a set."""
        here = len(self.parts)
        self.parts.append(part)
        self._is_repeated = False
        if goes_on:
            return
        self._begin = self._groups.pop() if part == ")" and self._groups else here
        if part.startswith("(") and not part.endswith(")"):
            self._groups += [here] * (2 if part == "(?(" else 1)  # a condition is one in a group

    def repeat(self, often: str) -> None:
        """Repeat what is last; where that is a repetition, all of it."""
        if regex.fullmatch(r"\{\d+\}\?", often):  # so often, or not at all
            self.repeat(often[:-1])
            often = "?"
        if self._is_repeated:
            self.parts[self._begin] = f"(?:{self.parts[self._begin]}"
            self.parts.append(")")
        self.parts.append(often)
        self._is_repeated = True


def _translated(match: regex.Match, in_set: bool) -> str:
    part: str = match[0]
    if match["hexadecimal"]:
        return _character(int(part[2:].strip("{}"), 16))
    if match["octal"]:
        return _character(int(part[3:-1], 8))
    if match["control"]:
        return _character(_control(part))
    if match["name"]:
        return f"(?P={match['name']})"
    if match["called"]:
        return f"(?&{match['called']})"
    if match["escape"]:
        return _escape(part, in_set)
    if match["posix"] and in_set:
        return _class(part)
    if match["options"] and not in_set:
        if part[-1] not in ":)" or set(part[2:-1]) - set("imx-"):
            raise ValueError(f"pattern has {shown(part)}, which Oniguruma does not know")
        return part.replace("m", "s")  # the dot that takes line breaks, too
    if in_set and part == "-" and match.string.startswith("-", match.end()):
        raise ValueError(r"pattern has '--' in a set, which cannot be read here: write \- for one")
    return "\\" + part if in_set and part in "|~" else part  # two of which join sets here


def _class(part: str) -> str:
    """Translate a class of characters within a set, as ``[:digit:]`` or ``[:^digit:]``."""
    name = part[2:-2]
    is_not = "^" if name.startswith("^") else ""
    known = _CLASSES.get(name.removeprefix("^"))
    return part if known is None else f"[{is_not}{known}]"


def _character(code: int) -> str:
    return rf"\U{code:08x}"


def _control(part: str) -> int:
    r"""Compute the character of a control key, as ``\cA``, or of meta, as ``\M-a``.

    >>> _control(r"\cA"), _control(r"\M-\C-a")
    (1, 129)
    """
    key = regex.match(r"\\c|\\C-|\\M-", part)
    if key is None:
        letter = part.removeprefix("\\")
        return _CODES.get(letter, ord(letter)) if part != letter else ord(letter)
    rest = part[key.end() :]
    if key[0] == r"\M-":
        return _control(rest) & 0xFF | 0x80
    return 0x7F if rest == "?" else _control(rest) & 0x9F


def _escape(part: str, in_set: bool) -> str:
    letter = part[1:]
    if letter in {"c", "C", "M", "g"}:
        raise ValueError(f"pattern has {shown(part)}, but no key or name with it that can be read")
    if letter in _THEMSELVES or letter in {"p", "P"}:  # a property has braces
        return letter
    others = _IN_SETS if in_set else _OUTSIDE_OF_SETS
    return _ESCAPES.get(part) or others.get(part, part)
