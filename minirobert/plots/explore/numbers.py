"""Numbers for the page: in the host's memory, and finite, for JSON has no others."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ...arrays import Array, to_numpy, widened

__all__ = ["Numbers", "finite"]

Numbers: TypeAlias = "np.ndarray[Any, Any]"


def finite(array: Array) -> Numbers:
    """Bring numbers to the host, and refuse those that are NaN or infinite."""
    numbers = to_numpy(widened(array))
    if not np.isfinite(numbers).all():
        raise ValueError(
            "the model computes NaN or infinite numbers for this text, which the page cannot show: "
            "its weights may have such numbers, or ones too large for the dtype"
        )
    return numbers
