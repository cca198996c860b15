"""``minirobert question-answering``: the part of a context that answers a question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...marking import marked
from ...marking.terminal import visible
from ...pipelines.results import Answer
from ...sentences import shown
from ..answer_files import columns_of
from ..lines import check_no_device, not_utf8
from ..options import count, either, named, switch, text
from ..task_command import Reader, TaskCommand

__all__ = ["QUESTION_ANSWERING"]


def _question_reader(options: dict[str, Any]) -> Reader:
    """Read questions about one context, or lines with a question and its context each."""
    context = options.pop("context_text", None)
    file = options.pop("context", None)
    if file is not None:
        context = _context_of(file)
    if context is None:
        return _question_and_context
    return lambda question: {"question": question, "context": context}


def _context_of(file: str) -> str:
    check_no_device(file)
    try:
        return Path(file).read_bytes().decode("utf-8")  # offsets count each \r
    except UnicodeDecodeError as error:
        raise not_utf8(file, error) from None
    except OSError as error:
        raise ValueError(
            f"{shown(file)} cannot be read ({error.strerror}): give --context a file of text"
        ) from None


def _question_and_context(line: str) -> Any:
    question, tab, context = line.partition("\t")
    if not tab:
        raise ValueError(
            f"there is no context in {shown(line)}: put a tab and the context after the "
            "question, or give --context FILE"
        )
    return {"question": question, "context": context}


def _show_answers(line: str, found: Any) -> None:
    print(line.partition("\t")[0])
    _list_answers(found)


def _show_marked_answers(line: str, given: Any, found: Any) -> None:
    print(visible(given["question"]))
    _list_answers(found)
    print(marked(found, given["context"]).in_colours())


def _list_answers(found: Any) -> None:
    for answer in [found] if isinstance(found, dict) else found:
        place = f"{answer['start']}-{answer['end']}"
        print(f"  {answer['score']:.4f}  {place}  {answer['answer']!r}")


QUESTION_ANSWERING = TaskCommand(
    task="question-answering",
    purpose="Find the part of a text, the context, that answers a question.",
    examples=(
        'question-answering "Who?" "Where?" --model DIR --context FILE',
        'question-answering "Who?" --model DIR --context-text "Anna is in Rome."',
        "question-answering --model DIR --json < lines.txt",
    ),
    options=(
        either(
            text(
                "--context",
                "FILE",
                "look for the answers to all questions in this UTF-8 file",
                type=named,
            ),
            text("--context-text", "TEXT", "or in this text"),
        ),
        count("--top-k", "answers to each question, at most (default: 1)"),
        count(
            "--doc-stride",
            "tokens that the windows of a long context share (default: 128, or fewer)",
        ),
        count("--max-answer-len", "tokens of an answer (default: 15)"),
        count(
            "--max-seq-len",
            "tokens of a window and its question (default: 384, or what the model takes)",
        ),
        switch(
            "--handle-impossible-answer", "there may be no answer, which is shown as an empty one"
        ),
        switch(
            "--no-align-to-words",
            "do not extend answers to whole words",
            const=False,
            dest="align_to_words",
        ),
    ),
    show=_show_answers,
    columns=lambda pipe: columns_of(Answer),
    show_marked=_show_marked_answers,
    reader=_question_reader,
    what="a question, a tab and its context, or with --context only a question; ",
    truncation=None,  # a long context is read in windows
)
