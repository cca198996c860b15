"""Texts with parts of them marked, for people: in the colours of a notebook or of a terminal.

- `marks`: what is marked, and how a text falls into marked parts and others;
- `results`: where a result of a pipeline is in its text;
- `html`: the marked text for notebooks;
- `terminal`: the same for terminals, and whether they have colours.
"""

from .marks import Mark, Marked, MarkedText
from .results import marked

__all__ = ["Mark", "Marked", "MarkedText", "marked"]
