"""What a lesson calls: check an answer, ask for a hint or the solution, list the exercises."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from functools import cache
from typing import Any

from .judging import Exercise
from .solutions import SOURCES

__all__ = ["check", "exercises", "hint", "solution"]

#: How often each exercise was answered wrongly, since the kernel started.
_FAILURES: Counter[str] = Counter()


def check(number: str, answer: Any) -> None:
    """Print whether an answer is right, and what that shows or how far it is; then a hint.

    Parameters
    ----------
    number : str
        Of the exercise: ``"3.2"``.
    answer : object
        A value or a function. ``...`` is no answer yet, and is not counted.

    Raises
    ------
    KeyError
        If there is no such exercise.
    """
    one = exercise(number)
    if answer is ...:
        print(f"{number} waits for your answer {_effort(one)}.")
        return
    refusal = one.refusal(answer)
    if refusal is None:
        print(f"{number} is right. {one.right}")
        return
    _FAILURES[number] += 1
    print(f"{number} is not right yet.\n{refusal}")
    if _FAILURES[number] >= 2:
        print(f"Hint: {one.hint_for(answer)}")
        print(f'solution("{number}") shows one.')


def hint(number: str) -> None:
    """Print the hint of an exercise."""
    print(exercise(number).hint)


def solution(number: str) -> None:
    """Print one solution of an exercise: there may be others."""
    exercise(number)
    print(SOURCES[number])


def exercises(lesson: int) -> None:
    """List the exercises of a lesson, each with its minutes and its difficulty."""
    for number, one in all_exercises().items():
        if number.startswith(f"{lesson}."):
            print(f"{number:5} {one.title} {_effort(one)}")


def exercise(number: str) -> Exercise:
    """Find an exercise by its number."""
    known = all_exercises()
    if number not in known:
        raise KeyError(f"there is no exercise {number!r}, but {', '.join(known)}")
    return known[number]


@cache
def all_exercises() -> dict[str, Exercise]:
    """Give all exercises of all lessons, in their order."""
    package = __name__.rpartition(".")[0]
    path = importlib.import_module(package).__path__
    lessons = sorted(m.name for m in pkgutil.iter_modules(path) if m.name.startswith("lesson_"))
    found = [importlib.import_module(f"{package}.{name}").EXERCISES for name in lessons]
    return {one.number: one for lesson in found for one in lesson}


def _effort(one: Exercise) -> str:
    return f"({one.minutes} minutes, {one.difficulty})"
