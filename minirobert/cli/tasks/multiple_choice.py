"""``minirobert multiple-choice``: the choices of a question."""

from __future__ import annotations

from typing import Any

from ...pipelines.results import Choice
from ...sentences import shown
from ..answer_files import columns_of
from ..options import count
from ..task_command import TaskCommand
from .scores import show_scores

__all__ = ["MULTIPLE_CHOICE"]


def _question_and_choices(line: str) -> Any:
    question, *choices = line.split("\t")
    if not choices:
        raise ValueError(
            f"there are no choices in {shown(line)}: put a tab before each, as in "
            "question<TAB>yes<TAB>no"
        )
    return {"question": question, "choices": choices}


def _show_choices(line: str, found: Any) -> None:
    question = line.partition("\t")[0]
    show_scores(question, [(one["score"], one["choice"]) for one in found])


MULTIPLE_CHOICE = TaskCommand(
    task="multiple-choice",
    purpose="Rank the choices of a question.",
    examples=(
        "multiple-choice $'The sky is\\tblue\\ta dog' --model DIR",
        "multiple-choice --model DIR --json < lines.txt",
    ),
    options=(count("--top-k", "so many choices, the best first (default: all)"),),
    show=_show_choices,
    columns=lambda pipe: columns_of(Choice),
    read=_question_and_choices,
    what="a question and its choices, with a tab before each choice; ",
    truncation="only_first",
)
