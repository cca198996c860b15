"""What a port scores on the vectors: a verdict for each case."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...sentences import listed

__all__ = ["CaseScore", "Score"]


@dataclass(frozen=True)
class CaseScore:
    """How a port fares on one case.

    Parameters
    ----------
    name : str
        Of the case, or of a group of answers, as ``tokenizer/pairs``.
    verdict : str
        ``"passes"``, ``"departs"``, or ``"missing"`` where the port has no file or no list for it.
    compared : int
        How many tensors, or answers, the port has.
    first : str
        The first of them that departs; empty where none does.
    why : str
        What is wrong with it, in a sentence.
    ratio : float or None
        The largest error over its budget, of all tensors of the case; infinite where something must
        be equal and is not. None for answers.
    unknown : tuple of str
        Tensors of the port's that the case does not have.
    """

    name: str
    verdict: str
    compared: int = 0
    first: str = ""
    why: str = ""
    ratio: float | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """How a port fares on the vectors.

    Parameters
    ----------
    cases : tuple of CaseScore
    unknown : tuple of str
        What the port has under names that no case and no group of answers has.

    >>> score = Score((CaseScore("001-every-step", "passes", 57, ratio=0.2),))
    >>> print(score)
    1 of 1 cases pass (100%)
    """

    cases: tuple[CaseScore, ...]
    unknown: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """How many cases pass."""
        return sum(case.verdict == "passes" for case in self.cases)

    @property
    def percent(self) -> float:
        """How many of a hundred pass, in whole tenths, and 100 only if all do."""
        return int(1000 * self.passed / len(self.cases)) / 10

    def __bool__(self) -> bool:
        return self.passed == len(self.cases)

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that JSON holds; infinite ratios are None.

        Returns
        -------
        dict
            ``version``, ``passed``, ``of``, ``percent``, ``cases``, each with the attributes of a
            `CaseScore`, and ``unknown``.
        """
        return {
            "version": 1,
            "passed": self.passed,
            "of": len(self.cases),
            "percent": self.percent,
            "cases": [_finite(asdict(case)) for case in self.cases],
            "unknown": list(self.unknown),
        }

    def __str__(self) -> str:
        lines = [
            f"{case.name} departs{f' at {case.first}' if case.first else ''}: {case.why}"
            for case in self.cases
            if case.verdict == "departs"
        ]
        lines += [
            f"{case.name} does not have {listed(case.unknown, _ROOM)}"
            for case in self.cases
            if case.unknown
        ]
        if self.unknown:
            lines.append(f"no case is named {listed(self.unknown, _ROOM)}")
        missing = [case.name for case in self.cases if case.verdict == "missing"]
        if missing:
            lines.append(f"missing: {listed(missing, _ROOM)}")
        lines.append(f"{self.passed} of {len(self.cases)} cases pass ({self.percent:g}%)")
        return "\n".join(lines)


_ROOM = 2000


def _finite(case: dict[str, Any]) -> dict[str, Any]:
    ratio = case["ratio"]
    return {**case, "ratio": ratio if ratio is not None and ratio < float("inf") else None}
