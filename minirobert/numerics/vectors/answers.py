"""A port's answers, of the tokenizer and of generation, against those expected."""

from __future__ import annotations

from typing import Any

from ...sentences import shown
from .results import CaseScore

__all__ = ["TOLERANCE", "score_answers"]

#: How far a number may be from that expected, of the larger of it and 1: scores are rounded a few
#: times in float32.
TOLERANCE = 1e-5

#: The parts of a question that a difference is told with.
_QUESTIONS = ("texts", "words", "ids", "change", "uniform", "options")


def score_answers(name: str, cases: list[dict[str, Any]], port: Any) -> CaseScore:
    """Compare the answers of a group.

    Parameters
    ----------
    name : str
        Of the group.
    cases : list of dict
        Questions with what is ``expected``.
    port : list or None
        An answer for each, of the same kind. Of a row of tokens it may leave columns out, all but
        ``input_ids``.
    """
    if port is None:
        return CaseScore(name, "missing", why="the port has no answers for it")
    if not isinstance(port, list) or len(port) != len(cases):
        found = f"{len(port)} answers" if isinstance(port, list) else shown(port, 40)
        why = f"it has {found}, and must be a list of {len(cases)} answers"
        return CaseScore(name, "departs", why=why)
    for number, (case, answer) in enumerate(zip(cases, port, strict=True)):
        why = _difference(case["expected"], answer, "")
        if why:
            asked = {field: case[field] for field in _QUESTIONS if field in case}
            why = f"{why} (asked {shown(asked, 120)})"
            return CaseScore(name, "departs", len(cases), f"answer {number}", why)
    return CaseScore(name, "passes", len(cases))


def _difference(expected: Any, port: Any, where: str) -> str:
    """Say where two answers part; nothing where they do not."""
    if isinstance(expected, dict) and isinstance(port, dict):
        names = [name for name in expected if name in port or name == "input_ids"]
        return _first(
            _difference(expected[name], port.get(name), f"{where}.{name}") for name in names
        )
    if isinstance(expected, list) and isinstance(port, list):
        if len(expected) != len(port):
            return f"{_named(where)} has {len(port)} entries, and must have {len(expected)}"
        pairs = enumerate(zip(expected, port, strict=True))
        return _first(_difference(one, other, f"{where}[{n}]") for n, (one, other) in pairs)
    if _is_near(expected, port):
        return ""
    return f"{_named(where)} is {shown(port, 60)}, and must be {shown(expected, 60)}"


def _is_near(expected: Any, port: Any) -> bool:
    if isinstance(expected, float) and isinstance(port, int | float):
        return abs(port - expected) <= TOLERANCE * max(1.0, abs(expected))
    return type(expected) is type(port) and bool(expected == port)


def _named(where: str) -> str:
    return where.lstrip(".") or "it"


def _first(differences: Any) -> str:
    return next((one for one in differences if one), "")
