"""The arithmetic of a port: in what it stores its tensors, and in what it sums.

The unit roundoff u of a format is the largest relative error of rounding a number to it.

Source: Higham 2002 (Accuracy and Stability of Numerical Algorithms), section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from ..rules import check, one_of, optional

__all__ = ["FORMATS", "Arithmetic", "Format"]


class Format(NamedTuple):
    """A floating-point format."""

    name: str
    unit: float  # u, the unit roundoff
    lowest: float  # the least of its numbers, which masks scores
    floor: float  # what underflow alone may cost

    def __str__(self) -> str:
        return self.name

    @property
    def is_half(self) -> bool:
        """Whether a port sums it in a wider format."""
        return self.unit >= 2.0**-11


#: By name. Below the smallest normal number float16 is rounded to multiples of 2^-24; the hardware
#: of the others may give 0 there.
FORMATS = MappingProxyType(
    {
        "float64": Format("float64", 2.0**-53, -(2 - 2.0**-52) * 2.0**1023, 2.0**-1022),
        "float32": Format("float32", 2.0**-24, -(2 - 2.0**-23) * 2.0**127, 2.0**-126),
        "tf32": Format("tf32", 2.0**-11, -(2 - 2.0**-23) * 2.0**127, 2.0**-126),
        "float16": Format("float16", 2.0**-11, -65504.0, 2.0**-24),
        "bfloat16": Format("bfloat16", 2.0**-8, -(2 - 2.0**-7) * 2.0**127, 2.0**-126),
    }
)


@dataclass(frozen=True)
class Arithmetic:
    """In what a port computes.

    Parameters
    ----------
    store : str
        The format of its weights and of what it hands from one step to the next: ``"float64"``,
        ``"float32"``, ``"float16"`` or ``"bfloat16"``.
    accumulate : str, optional
        The format of the sums and curves within a step. By default float32 where a tensor is stored
        in half of it, and otherwise the same. ``"tf32"`` is that of products whose factors the
        hardware rounds first.

    >>> Arithmetic("bfloat16")
    Arithmetic(store='bfloat16', accumulate='float32')
    """

    store: str = "float32"
    accumulate: str | None = None

    def __post_init__(self) -> None:
        stored = [name for name in FORMATS if name != "tf32"]
        check("store", self.store, one_of(*stored))
        check("accumulate", self.accumulate, optional(one_of(*FORMATS)))
        if self.accumulate is None:
            wider = "float32" if FORMATS[self.store].is_half else self.store
            object.__setattr__(self, "accumulate", wider)

    def __str__(self) -> str:
        usual = Arithmetic(self.store).accumulate == self.accumulate
        return self.store if usual else f"{self.store}, summed in {self.accumulate}"
