"""Trying the suspects: those that, made alone or together, give the port's ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from .added import added_suspects, prefix_suspects
from .framing import framing_suspects, padding_suspects, truncation_suspects
from .merging import merging_suspects
from .numbering import numbering_suspects, renumbering
from .pieces import pieces_suspects
from .reading import reading_suspects
from .spelling import spelling_suspects
from .steps import Ids
from .suspect import Case, Suspect

__all__ = ["FAMILIES", "Mistakes", "found_for"]

#: Those that depend on a port's row come behind those that may have made it longer or shorter.
FAMILIES = (
    reading_suspects,
    added_suspects,
    prefix_suspects,
    pieces_suspects,
    spelling_suspects,
    framing_suspects,
    truncation_suspects,
    merging_suspects,
    numbering_suspects,
    padding_suspects,
)

#: Suspects that, made together, give a port's ids.
Mistakes = tuple[Suspect, ...]

#: How many characters may be tokenized to find suspects that only together explain a text.
_MOST_CHARACTERS = 150_000


def found_for(
    case: Case, accepts: Callable[[Mistakes], bool] = lambda mistakes: True, *, deep: bool = True
) -> list[Mistakes]:
    """Find what explains a text: single suspects, or else two or three of them, or other ids.

    What `accepts` refuses is given only where there is nothing else. That several are tried
    together is `deep`, and may take a second.
    """
    alone = list(_alone(case))
    accepted = list(filter(accepts, alone))
    if accepted or not deep:
        return accepted or alone
    work = _Work(_MOST_CHARACTERS)
    others = ((suspect,) for suspect in renumbering(case))
    for more in (_together(case, 2, work), others, _together(case, 3, work)):
        accepted = list(filter(accepts, more))
        if accepted:
            return accepted
    return alone


@dataclass
class _Work:
    """What may still be done."""

    left: int

    def may(self, texts: Sequence[str]) -> bool:
        """Ask for one more pass over the texts."""
        self.left -= sum(map(len, texts)) + 20
        return self.left > 0


def _suspects(case: Case) -> Iterator[Suspect]:
    return chain.from_iterable(family(case) for family in FAMILIES)


def _alone(case: Case) -> Iterator[Mistakes]:
    for suspect in _suspects(case):
        changed = case.after(suspect)
        if changed and changed.ours == case.port:
            yield (suspect,)


def _together(case: Case, count: int, work: _Work, since: int = 0) -> Iterator[Mistakes]:
    """Find several suspects, of other steps in their order, each of which changes something."""
    seen: list[Ids] = []
    for number in range(since, len(FAMILIES)):
        for suspect in FAMILIES[number](case):
            if not work.may(case.texts):
                return
            changed = case.after(suspect)
            if changed is None or changed.ours == case.ours:
                continue
            if count == 1:
                if changed.ours == case.port:
                    yield (suspect,)
                continue
            if changed.ours in seen:  # the same as another suspect: one of them is enough
                continue
            seen.append(changed.ours)
            for others in _together(changed, count - 1, work, number + 1):
                yield (suspect, *others)
