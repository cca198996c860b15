"""The lines of a map from another spelling of the tensors to ours: checked, and used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...rules import STRING, Rule, check, optional
from ...sentences import plain, shown
from .layouts import is_layout, is_ours

__all__ = ["NameMap", "Renaming", "name_map"]

_LAYOUT = Rule(
    lambda value: value is None or (isinstance(value, str) and is_layout(value)),
    "None, 'split', 'merge', 'transpose', or axes as '[S,B,H]'",
)


@dataclass(frozen=True)
class Renaming:
    """A line of a map.

    Parameters
    ----------
    regex : str
        A regular expression of whole names.
    replacement : str, optional
        Our name; None leaves the tensor out.
    layout : str, optional
        See `minirobert.numerics.names`.

    Raises
    ------
    ValueError
        If it cannot be used.
    """

    regex: str
    replacement: str | None
    layout: str | None = None

    def __post_init__(self) -> None:
        check("the regex", self.regex, STRING)
        check("the replacement", self.replacement, optional(STRING))
        check("the layout", self.layout, _LAYOUT)
        try:
            re.sub(self.regex, self.replacement or "", "")  # which looks at both
        except (re.error, IndexError) as error:
            raise ValueError(
                f"the regex {shown(self.regex)} does not go with the replacement "
                f"{shown(self.replacement)}: {plain(error)}"
            ) from None

    def expanded(self, found: re.Match[str]) -> str | None:
        """Give our name for one that fits."""
        if self.replacement is None:
            return None
        name = found.expand(self.replacement)
        if "{" not in name and not is_ours(name):
            raise ValueError(
                f"the map makes {plain(name)} of {plain(found[0])}, but there is no such tensor "
                "here: see minirobert.intermediates"
            )
        return name


#: Of one spelling.
NameMap = tuple[Renaming, ...]


def name_map(lines: Iterable[Any] | Mapping[str, Any]) -> NameMap:
    r"""Make a map of lists, or of a dictionary, as they stand in JSON.

    Parameters
    ----------
    lines : iterable of lists, or mapping
        Each ``[regex, replacement]`` or ``[regex, replacement, layout]``; or whole names with what
        takes their place: ``replacement`` or ``[replacement, layout]``.

    Returns
    -------
    NameMap

    Raises
    ------
    ValueError
        Naming the first line that cannot be used.

    >>> name_map([[r"h\.(\d+)\.q", r"encoder.layer.\1.attention.self.query", "split"]])[0].layout
    'split'
    >>> name_map({"h.0.q": "encoder.layer.0.attention.self.query"})[0].regex
    'h\\.0\\.q'
    """
    if isinstance(lines, Mapping):
        pairs = ((re.escape(name), new) for name, new in lines.items())
        lines = [[name, *(new if isinstance(new, list | tuple) else [new])] for name, new in pairs]
    made = []
    for number, line in enumerate(lines, 1):
        if not isinstance(line, list | tuple) or len(line) not in (2, 3):
            raise ValueError(
                f"line {number} is {shown(line)}, but must be [regex, replacement, layout]"
            )
        try:
            made.append(Renaming(*line))
        except ValueError as error:
            raise ValueError(f"line {number}: {plain(error, 300)}") from None
    return tuple(made)
