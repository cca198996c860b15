"""``minirobert token-classification``: labels of tokens, and entities."""

from __future__ import annotations

from typing import Any

from ...marking import marked
from ...pipelines.entities import STRATEGIES
from ...pipelines.results import Entity, EntityGroup
from ..answer_files import columns_of
from ..options import choice, count, switch, words
from ..task_command import Reader, TaskCommand, as_it_is

__all__ = ["TOKEN_CLASSIFICATION"]


def _word_reader(options: dict[str, Any]) -> Reader:
    return _words if options.get("is_split_into_words") else as_it_is


def _words(line: str) -> list[str]:
    return line.split(" ")


def _show_entities(line: str, found: Any) -> None:
    print(line)
    _list_entities(line, found)


def _show_marked_entities(line: str, given: Any, found: Any) -> None:
    text = given if isinstance(given, str) else " ".join(given)
    print(marked(found, text).in_colours())
    _list_entities(text, found)


def _list_entities(text: str, found: Any) -> None:
    labels = [entity.get("entity_group", entity.get("entity")) for entity in found]
    width = max(map(len, labels), default=0)
    for entity, label in zip(found, labels, strict=True):
        start, end = entity["start"], entity["end"]
        print(f"  {entity['score']:.4f}  {label:{width}}  {start}-{end}  {text[start:end]!r}")


def _columns_of_entities(pipe: Any) -> dict[str, type]:
    return columns_of(Entity if pipe.aggregation_strategy == "none" else EntityGroup)


TOKEN_CLASSIFICATION = TaskCommand(
    task="token-classification",
    purpose="Label the tokens of a text, or find its entities, such as names.",
    examples=(
        'token-classification "Anna lives in Rome." --model DIR --aggregation-strategy simple',
        "token-classification --model DIR --stride 64 --aggregation-strategy first --json"
        " < lines.txt",
    ),
    options=(
        choice(
            "--aggregation-strategy",
            STRATEGIES,
            "what makes up an entity: each token (none, the default), tokens with one label "
            "(simple), or words with one label: of their first token, the average, the surest "
            "(max)",
        ),
        words(
            "--ignore-labels",
            "LABEL",
            "leave these out, given after the texts; O by default, nothing where none is given",
            nargs="*",
        ),
        count(
            "--stride",
            "read long texts in windows that share N tokens; by default only their beginning",
        ),
        switch(
            "--words",
            "each text is words, with one space between them, as in labelled corpora",
            dest="is_split_into_words",
        ),
    ),
    show=_show_entities,
    columns=_columns_of_entities,
    show_marked=_show_marked_entities,
    reader=_word_reader,
    truncation=None,  # a long text is cut, or read in windows
)
