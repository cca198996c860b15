"""A suspect: one mistake that a port's tokenizer may make, and the steps as they are with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .steps import Ids, Steps

__all__ = ["STEPS", "Case", "Family", "Suspect", "always"]

#: The steps of a tokenizer in their order, as reports name them.
STEPS = (
    *("text", "added tokens", "prefix space", "pieces", "bytes", "merges", "ids"),
    *("truncation", "special tokens", "padding"),
)


@dataclass(frozen=True)
class Suspect:
    """A mistake.

    Attributes
    ----------
    step : str
        The step that is another one, of `STEPS`.
    says : str
        What the port does, as the end of a sentence that begins with "the port".
    change : callable
        From the steps as they should be to those of the port.
    """

    step: str
    says: str
    change: Callable[[Steps], Steps]

    def __str__(self) -> str:
        return f"{self.step}: the port {self.says}"


class Case(NamedTuple):
    """A text, or a pair, whose ids part: what suspects that depend on it are made from.

    `ours` are the ids that `steps` give, which another suspect may have changed already.
    """

    steps: Steps
    texts: Sequence[str]
    ours: Ids
    port: Ids

    @property
    def place(self) -> int:
        """The first place at which the two rows part, which may be the end of one."""
        both = zip(self.ours, self.port, strict=False)
        shorter = min(len(self.ours), len(self.port))
        return next((place for place, (a, b) in enumerate(both) if a != b), shorter)

    def after(self, suspect: Suspect) -> Case | None:
        """Give the case with the steps of a suspect, or None where these cannot be gone."""
        try:
            steps = suspect.change(self.steps)
            return self._replace(steps=steps, ours=steps.row(self.texts))
        except ValueError:  # a text that is too long for a strategy of truncation
            return None


#: Makes suspects for a case.
Family = Callable[[Case], Iterator[Suspect]]


def always(*suspects: Suspect) -> Family:
    """Make a family that has the same suspects for every case."""
    return lambda case: iter(suspects)
