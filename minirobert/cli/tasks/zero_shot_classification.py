"""``minirobert zero-shot-classification``: labels of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..answer_files import Row
from ..options import switch, text, words
from ..task_command import TaskCommand
from .scores import show_scores

__all__ = ["ZERO_SHOT_CLASSIFICATION"]


def _show_ranking(line: str, found: Any) -> None:
    show_scores(line, zip(found["scores"], found["labels"], strict=True))


def _rows_of_ranking(_pipe: Any, _line: str, found: Any) -> Iterator[Row]:
    for label, score in zip(found["labels"], found["scores"], strict=True):
        yield {"label": label, "score": score}


ZERO_SHOT_CLASSIFICATION = TaskCommand(
    task="zero-shot-classification",
    purpose="Rank labels of your own by how well they fit a text.",
    examples=(
        'zero-shot-classification "A fine goal." --model DIR --labels sport art',
        "zero-shot-classification --model DIR --labels a b --json < lines.txt",
    ),
    options=(
        words(
            "--labels",
            "LABEL",
            "the labels to rank, given after the texts",
            dest="candidate_labels",
            required=True,
        ),
        text(
            "--hypothesis-template",
            "TEMPLATE",
            'what is concluded from the text, with {} for the label: "This example is {}."',
        ),
        switch("--multi-label", "several labels may fit"),
    ),
    show=_show_ranking,
    rows=_rows_of_ranking,
    columns=lambda pipe: {"label": str, "score": float},
    truncation=None,  # the text is always cut
)
