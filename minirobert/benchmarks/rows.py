"""What is measured of several sides, as a row of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from .turns import ratios

__all__ = ["OURS", "Row", "with_shares"]

#: The side that the others are compared with.
OURS = "minirobert"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: sides, and for each a number of each round.

    Parameters
    ----------
    name : str
        Its place: ``"encoder/8x128"``.
    title : str
    sides : mapping of str to list of float
        Of them, ``"minirobert"`` is ours.
    unit : str
        ``"s"`` or ``"MiB"``.
    whole : bool
        Whether the rounds are parts of one whole, whose sum is told, and not their median.
    tokens : int, optional
        That a call of the model takes.
    flops : int, optional
        Of such a call.
    notes : mapping of str to str
        Of sides that are missing: why.
    """

    name: str
    title: str
    sides: Mapping[str, list[float]]
    unit: str = "s"
    whole: bool = False
    tokens: int | None = None
    flops: int | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give what is told of the row.

        Returns
        -------
        dict
            ``theirs`` has for each other side its value and the ratio to ours: of times theirs /
            ours, of memory ours / theirs. ``each`` has the numbers of all rounds.
        """
        of_one = sum if self.whole else median
        values = {side: of_one(numbers) for side, numbers in self.sides.items()}
        taken = values[OURS]
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "rounds": len(self.sides[OURS]),
            OURS: taken,
            "theirs": {
                side: {"value": value, "ratio": self._ratio(side)}
                for side, value in values.items()
                if side != OURS
            },
            "notes": dict(self.notes),
            "tokens_per_second": None if self.tokens is None else self.tokens / taken,
            "flops_per_second": None if self.flops is None else self.flops / taken,
            "each": {side: list(numbers) for side, numbers in self.sides.items()},
        }

    def _ratio(self, side: str) -> dict[str, Any]:
        theirs, ours = self.sides[side], self.sides[OURS]
        if self.unit == "MiB":
            return {"of": "ours / theirs", **ratios(ours, theirs)._asdict()}
        return {"of": "theirs / ours", **ratios(theirs, ours)._asdict()}


def with_shares(rows: Iterable[dict[str, Any]], peak: float) -> list[dict[str, Any]]:
    """Tell how much of a machine's peak rows reach, as ``share_of_peak``.

    Parameters
    ----------
    rows : iterable of dict
        As `Row.to_json` gives them.
    peak : float
        See `minirobert.benchmarks.machine.matmul_peak`.

    Returns
    -------
    list of dict
    """
    return [row | {"share_of_peak": _share(row["flops_per_second"], peak)} for row in rows]


def _share(speed: float | None, peak: float) -> float | None:
    return None if speed is None else speed / peak
