"""Faster versions of a few formulas of `minirobert.functional`, for one type of array each.

They change how a formula is computed, never what it says; the tests hold each of them to its
formula. Nothing else in the package needs to be read to understand the model.
"""

from . import cpu

__all__ = ["cpu"]
