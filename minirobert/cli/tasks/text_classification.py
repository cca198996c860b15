"""``minirobert text-classification``: the class of a text."""

from __future__ import annotations

from typing import Any

from ...pipelines.results import Classification
from ...pipelines.text_classification import FUNCTIONS
from ..answer_files import columns_of
from ..options import choice, count, count_or_all
from ..task_command import TaskCommand
from .scores import show_scores

__all__ = ["TEXT_CLASSIFICATION"]


def _text_or_pair(line: str) -> Any:
    one, tab, pair = line.partition("\t")
    return {"text": one, "text_pair": pair} if tab else one


def _show_classes(line: str, found: Any) -> None:
    classes = [found] if isinstance(found, dict) else found
    show_scores(line, [(one["score"], one["label"]) for one in classes])


TEXT_CLASSIFICATION = TaskCommand(
    task="text-classification",
    purpose="Name the class of a text, or of a pair of texts, such as its sentiment.",
    examples=(
        'text-classification "A fine film." --model DIR --top-k all',
        "text-classification --model DIR --json --batch-size 8 < lines.txt",
    ),
    options=(
        count(
            "--top-k",
            "name so many classes, or 'all', the best first; the best alone by default",
            type=count_or_all,
        ),
        choice(
            "--function",
            sorted(FUNCTIONS),
            "what makes scores of logits (default: by the model's problem_type)",
            dest="function_to_apply",
        ),
    ),
    show=_show_classes,
    columns=lambda pipe: columns_of(Classification),
    read=_text_or_pair,
    what="a tab divides the two texts of a pair; ",
)
