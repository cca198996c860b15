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
_ESCAPES = {
    r"\h": "[0-9a-fA-F]",
    r"\H": "[^0-9a-fA-F]",
    r"\e": r"\x1b",
}
_OUTSIDE_OF_SETS = {
    r"\w": _WORD,
    r"\W": f"[^{_WORD}]",
    r"\b": rf"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    r"\B": rf"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
    r"\Z": r"(?=\n?\Z)",
    r"\z": r"\Z",
}
_PARTS = regex.compile(
    r"(?P<code>\\x\{[0-9A-Fa-f]{1,8}\})|\\k<(?P<name>\w+)>|(?P<escape>\\.)|(?P<open>\[\^?\]?)|(?P<close>\])"
    r"|(?P<options>\(\?[a-zA-Z-]+[:)<])|.",
    regex.DOTALL,
)


def compiled(expression: str) -> regex.Pattern:
    r"""Compile a pattern as it is meant there.

    >>> compiled(r"^\h+").findall("ab7z\ncafé")
    ['ab7', 'caf']
    """
    depth, parts = 0, []
    for match in _PARTS.finditer(expression):
        depth += (match["open"] is not None) - (match["close"] is not None and depth > 0)
        parts.append(_translated(match, depth > 0))
    # ^ and $ are those of lines there, and sets may stand in one another
    return regex.compile("".join(parts), regex.VERSION1 | regex.MULTILINE)


def _translated(match: regex.Match, in_set: bool) -> str:
    part: str = match[0]
    if match["code"]:
        return rf"\U{int(part[3:-1], 16):08x}"
    if match["name"]:
        return f"(?P={match['name']})"
    if match["escape"]:
        others = _IN_SETS if in_set else _OUTSIDE_OF_SETS
        return _ESCAPES.get(part) or others.get(part, part)
    if match["options"] and not in_set:
        letters = part[2:-1]
        if part.endswith("<") or set(letters) - set("imx-"):
            raise ValueError(f"pattern has {shown(part)}, which Oniguruma does not know")
        return part.replace("m", "s")  # the dot that takes line breaks, too
    return part
