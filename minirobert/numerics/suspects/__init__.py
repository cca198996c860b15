"""Which known mistake explains what departs: the reference makes each, and looks whether it fits.

- `minirobert.numerics.suspects.table`: how a mistake is entered;
- `minirobert.numerics.suspects.ids`, `embedding`, `norms`, `maps`, `attention`, `curves`: the
  mistakes, by the step where they are made;
- `minirobert.numerics.suspects.local`: trying them where the port shows what a step was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...parameters import flatten
from ..arithmetic import Arithmetic
from ..comparison import Explanation, Row
from ..replay import Call, passes
from . import attention, curves, drops, embedding, ids, maps, norms  # noqa: F401  # they enter suspects
from .local import Found, places, tried

__all__ = ["explained"]

_MOST = 8  # explanations of one row


def explained(
    rows: Sequence[Row], reference: Any, exact: Any, calls: Sequence[Call], arithmetic: Arithmetic
) -> tuple[Row, ...]:
    """Find the mistakes that explain what departs, within rounding.

    Parameters
    ----------
    rows : sequence of Row
        Of `minirobert.numerics.compare.replayed`.
    reference : RobertaPreTrainedModel
    exact : RobertaPreTrainedModel
        The same, of `minirobert.numerics.replay.exact_model`.
    calls : sequence of Call
    arithmetic : Arithmetic
        Of the port.

    Returns
    -------
    tuple of Row
        With explanations where there are any.
    """
    departing = {row.name: row for row in rows if row.departs and row.reason != "shape"}
    if not departing:
        return tuple(rows)
    weights = {name: np.asarray(one) for name, one in flatten(exact.params).items()}
    with np.errstate(all="ignore"):
        steps = passes(exact, list(calls), arithmetic)
        prefix = f"{reference._prefix}." if reference._prefix else ""
        where = places(reference.config, prefix, weights, calls, steps, arithmetic)
        found = tried(departing, where)
    return tuple(replace(row, explanations=_best(row.name, found)) for row in rows)


def _best(name: str, found: Found) -> tuple[Explanation, ...]:
    """Put the best first: a mistake before a loss of digits."""
    by_text: dict[str, Explanation] = {}
    for one in found.get(name, ()):
        other = by_text.get(one.text)
        if other is None or one.ratio < other.ratio:
            by_text[one.text] = one
    exact = min((one.ratio for one in by_text.values()), default=0.0)
    # Those that fit about as well stay in the order of the table, where the likelier are before.
    order = sorted(by_text.values(), key=lambda one: (one.is_coarse, one.ratio > 2 * exact + 0.05))
    return tuple(order[:_MOST])
