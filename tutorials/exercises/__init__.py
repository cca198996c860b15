"""Exercises that check themselves, for the lessons beside this folder.

>>> from tutorials.exercises import check  # in a lesson: from exercises import check
>>> check("2.1", ...)
2.1 waits for your answer (5 minutes, easy).

`check` says whether an answer is right and what that shows, or what was got and how far it is from
what is wanted; at the second failure it adds a hint. `hint` and `solution` tell on request, and
`exercises` lists those of a lesson. `judging` is how an answer is judged, and each ``lesson_XX``
holds the exercises of one lesson.
"""

from .course import check, exercises, hint, solution

__all__ = ["check", "exercises", "hint", "solution"]
