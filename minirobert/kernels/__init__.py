"""Faster versions of a few formulas of this package, for one type of array each.

They change how a formula is computed, never what it says; the tests hold each of them to its
formula. Nothing else in the package needs to be read to understand the model, and within
`disabled` none of it runs.
"""

from . import compiled, cpu, encoder
from .registry import disabled

__all__ = ["compiled", "cpu", "disabled", "encoder"]
