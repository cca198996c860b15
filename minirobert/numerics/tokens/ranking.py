"""Which mistakes explain how many of the texts that part, and what they would do to the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

from ...sentences import plain
from .search import Mistakes, found_for
from .steps import Ids, Steps
from .suspect import Case

__all__ = ["Agreed", "Explanation", "Parted", "ranked"]

#: For how many texts explanations may be looked for in vain before that ends, and for how many of
#: those that no single mistake explains several are tried together.
_MOST_IN_VAIN, _MOST_DEEP = 12, 2
#: How many explanations are kept, and how many of the texts that agree are asked about each.
_MOST_KEPT, _MOST_ASKED = 32, 1000

Texts = tuple[str, ...]


class Parted(NamedTuple):
    """A text, or a pair, whose ids part."""

    texts: Texts
    ours: Ids
    port: Ids


class Agreed(NamedTuple):
    """One whose ids are the same."""

    texts: Texts
    ids: Ids


class Explanation(NamedTuple):
    """One mistake, or several together, and how well they explain what a port gives.

    Attributes
    ----------
    mistakes : tuple of Suspect
        What the port does.
    explains : frozenset of int
        The numbers of the texts that part whose ids come out as the port's, among these.
    would_change : int
        How many texts that agree would not: none, if this is what the port does.
    asked : int
        How many of those were tried.
    """

    mistakes: Mistakes
    explains: frozenset[int]
    would_change: int
    asked: int

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it, with the number of the texts that it explains."""
        return {
            "mistakes": [{"step": one.step, "says": one.says} for one in self.mistakes],
            "explains": len(self.explains),
            "would_change": self.would_change,
            "asked": self.asked,
        }

    def sentence(self) -> str:
        """Tell what the port does, and which texts speak against it."""
        against = f" (it would change {self.would_change:,} of {self.asked:,} texts that agree)"
        return plain(self, 400) + (against if self.would_change else "")

    def __str__(self) -> str:
        return "; and ".join(map(str, self.mistakes))


def ranked(steps: Steps, parted: Sequence[Parted], agreed: Sequence[Agreed]) -> list[Explanation]:
    """Find explanations, the best first: that of the most texts, which changes no others.

    Parameters
    ----------
    steps : Steps
        Those of the tokenizer.
    parted : sequence of Parted
        The texts whose ids part.
    agreed : sequence of Agreed
        Those whose ids are the same.

    Returns
    -------
    list of Explanation
    """
    sample = agreed[:: max(len(agreed) // _MOST_ASKED, 1)][:_MOST_ASKED]
    known = _found(steps, parted, sample)
    explanations = []
    for mistakes in known:
        row = _row_with(mistakes, steps)
        explains = (n for n, one in enumerate(parted) if row(one.texts) == one.port)
        changed = sum(row(one.texts) != one.ids for one in sample)
        explanations.append(Explanation(mistakes, frozenset(explains), changed, len(sample)))
    return sorted(
        explanations, key=lambda one: (one.would_change, -len(one.explains), len(one.mistakes))
    )


def _found(steps: Steps, parted: Sequence[Parted], agreed: Sequence[Agreed]) -> list[Mistakes]:
    """Collect what explains some text and changes none that agrees, or else what explains some.

    More is looked for where none of it explains another text.
    """

    def accepts(mistakes: Mistakes) -> bool:
        row = _row_with(mistakes, steps)
        return all(row(one.texts) == one.ids for one in agreed)

    known: dict[str, Mistakes] = {}
    accepted: list[Callable[[Texts], Ids | None]] = []
    in_vain = 0
    for one in parted:
        if in_vain == _MOST_IN_VAIN or len(known) >= _MOST_KEPT:
            break
        if any(row(one.texts) == one.port for row in accepted):
            continue
        case = Case(steps, one.texts, one.ours, one.port)
        found = found_for(case, accepts, deep=in_vain < _MOST_DEEP)
        in_vain += not any(map(accepts, found[:1]))
        for mistakes in found[: _MOST_KEPT - len(known)]:
            name = " ".join(map(str, mistakes))
            if name not in known:
                known[name] = mistakes
                accepted += [_row_with(mistakes, steps)] if accepts(mistakes) else []
    return list(known.values())


def _row_with(mistakes: Mistakes, steps: Steps) -> Callable[[Texts], Ids | None]:
    """Tokenize with mistakes; None where the texts cannot be cut as these would have it."""
    changed = reduce(lambda before, suspect: suspect.change(before), mistakes, steps)

    def row(texts: Texts) -> Ids | None:
        try:
            return changed.row(texts)
        except ValueError:
            return None

    return row
