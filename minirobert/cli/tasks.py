"""A command for each pipeline: texts in, from the command line or stdin, and an answer for each.

Each task has a block here: how a line is read where it is more than a text, how an answer is shown,
and its `TaskCommand`. To add one, describe it in the same way, and put it into `TASK_COMMANDS`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..marking import Marked, marked
from ..marking.terminal import visible
from ..pipelines.entities import STRATEGIES
from ..pipelines.results import (
    Answer,
    Choice,
    Classification,
    Entity,
    EntityGroup,
    Filling,
    TextScore,
)
from ..pipelines.text_classification import FUNCTIONS
from ..sentences import shown
from .answer_files import Row, columns_of
from .lines import check_no_device, not_utf8
from .options import choice, count, count_or_all, either, named, real, seed, switch, text, words
from .task_command import Reader, TaskCommand, add_task, answer_all, as_it_is

__all__ = ["TASK_COMMANDS", "TaskCommand", "add_task"]


def _show_scores(line: str, scored: Iterable[tuple[float, str]]) -> None:
    print(line)
    for score, name in scored:
        print(f"  {score:.4f}  {name}")


def _masks(found: Any) -> Sequence[Sequence[Filling]]:
    return [found] if isinstance(found[0], dict) else found


def _show_fillings(line: str, found: Any) -> None:
    _list_fillings(line, found, [one["sequence"] for fillings in _masks(found) for one in fillings])


def _show_marked_fillings(line: str, given: str, found: Any) -> None:
    texts = [one._replace(before="") for one in marked(found, given).texts]
    _list_fillings(visible(line), found, [Marked([one]).in_colours() for one in texts])


def _list_fillings(line: str, found: Any, sequences: Iterable[str]) -> None:
    masks, texts = _masks(found), iter(sequences)
    print(line)
    for number, fillings in enumerate(masks, 1):
        if len(masks) > 1:
            print(f"  mask {number}:")
        width = max(len(repr(filling["token_str"])) for filling in fillings)
        for filling in fillings:
            word = repr(filling["token_str"])
            print(f"  {filling['score']:.4f}  {word:{width}}  {next(texts)}")


def _plot_fillings(found: Any) -> Any:
    """Draw the words of each mask beside those of the others."""
    from ..plots import probabilities
    from ..plots.canvas import new_figure

    masks = _masks(found)
    figure = new_figure(6 * len(masks), 1 + 0.3 * max(map(len, masks)))
    places = figure.subplots(1, len(masks), squeeze=False)[0]
    for number, (fillings, ax) in enumerate(zip(masks, places, strict=True), 1):
        scores = [filling["score"] for filling in fillings]
        probabilities(scores, [filling["token_str"] for filling in fillings], ax=ax)
        if len(masks) > 1:
            ax.set_title(f"mask {number}")
    return places[0]


def _rows_of_fillings(_pipe: Any, _line: str, found: Any) -> Iterator[Row]:
    masks: Sequence[Sequence[Filling]] = [found] if isinstance(found[0], dict) else found
    for number, fillings in enumerate(masks, 1):
        yield from ({"mask": number, **filling} for filling in fillings)


FILL_MASK = TaskCommand(
    task="fill-mask",
    purpose="Rank the words that could stand in place of <mask>.",
    examples=(
        'fill-mask "The color of the sky is <mask>."',
        'fill-mask "Grass is <mask>." --targets " green" " blue"',
        "fill-mask --json --top-k 1 < lines.txt",
    ),
    options=(
        count("--top-k", "words for each mask (default: 5)", default=5),
        words(
            "--targets",
            "WORD",
            'rank only these, given after the texts; most words begin with a space: " blue"',
        ),
    ),
    show=_show_fillings,
    show_marked=_show_marked_fillings,
    plot=_plot_fillings,
    plotted="the probabilities of the words",
    rows=_rows_of_fillings,
    columns=lambda pipe: {"mask": int, **columns_of(Filling)},
)


def _text_or_pair(line: str) -> Any:
    one, tab, pair = line.partition("\t")
    return {"text": one, "text_pair": pair} if tab else one


def _show_classes(line: str, found: Any) -> None:
    classes = [found] if isinstance(found, dict) else found
    _show_scores(line, [(one["score"], one["label"]) for one in classes])


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


def _vectors_of(found: Any) -> Sequence[Sequence[float]]:
    """List the vectors of a text: [H], those of words [W, H], or those of tokens [1, S, H]."""
    if not found or not isinstance(found[0], list):
        return [found] if found else []
    return found[0] if isinstance(found[0][0], list) else found


def _show_vectors(line: str, found: Any) -> None:
    print(line)
    for vector in _vectors_of(found):
        numbers = " ".join(f"{number:8.4f}" for number in vector[:8])
        print(f"  {numbers}" + (f"  … ({len(vector)} numbers)" if len(vector) > 8 else ""))


def _rows_of_vectors(pipe: Any, line: str, found: np.ndarray[Any, Any]) -> Iterator[Row]:
    if found.ndim == 1:
        yield {"vector": found}
        return
    encoding = pipe.tokenizer(line, return_offsets_mapping=True, **pipe.tokenizer_kwargs)
    words = [word for word in dict.fromkeys(encoding.word_ids()) if word is not None]
    if found.ndim == 2:
        spans = [encoding.word_to_chars(word) for word in words]
        pieces, name, vectors = [line[start:end] for start, end in spans], "word", found
    else:
        spans, pieces = encoding["offset_mapping"], encoding.tokens()
        name, vectors = "token", found[0]
    for piece, (start, end), vector in zip(pieces, spans, vectors, strict=True):
        yield {name: piece, "start": start, "end": end, "vector": vector}


FEATURE_EXTRACTION = TaskCommand(
    task="feature-extraction",
    purpose="Give the vectors of a text's tokens, or one for the text.",
    examples=(
        'feature-extraction "The sky is blue."',
        "feature-extraction --pooling mean --normalize --json < lines.txt",
        "feature-extraction --pooling mean --normalize --out vectors.npy < lines.txt",
        "feature-extraction --pooling word --out words.parquet < lines.txt",
    ),
    options=(
        choice(
            "--pooling",
            ("mean", "cls", "word"),
            "one vector a text: the mean over its tokens, or that of the first (cls); or one a "
            "word, the mean over its tokens (default: one a token)",
        ),
        switch("--normalize", "give each vector the length 1, for cosines"),
    ),
    show=_show_vectors,
    rows=_rows_of_vectors,
    has_arrays=True,
)


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


def _show_ranking(line: str, found: Any) -> None:
    _show_scores(line, zip(found["scores"], found["labels"], strict=True))


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
    _show_scores(question, [(one["score"], one["choice"]) for one in found])


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


def _generate(pipe: Any, inputs: Iterable[Any], arguments: argparse.Namespace) -> Iterator[Any]:
    """Give texts as they come, part by part, where they are for people and come one by one."""
    several = (arguments.batch_size, arguments.num_beams or 1, arguments.num_return_sequences or 1)
    if arguments.json or arguments.out is not None or several != (1, 1, 1):
        return answer_all(pipe, inputs, arguments)
    return (pipe.stream(prompt) for prompt in inputs)


def _show_generation(line: str, found: Any) -> None:
    if isinstance(found, list):
        for one in found:
            print(one["generated_text"])
        return
    print(line, end="", flush=True)
    for part in found:
        print(part, end="", flush=True)
    print()


TEXT_GENERATION = TaskCommand(
    task="text-generation",
    purpose="Continue a text, by words that are drawn one after the other.",
    examples=(
        'text-generation "The sky is" --model DIR --max-new-tokens 20 --seed 1',
        'text-generation "The sky is" --model DIR --greedy',
        "text-generation --model DIR --num-beams 4 --json < lines.txt",
    ),
    options=(
        count(
            "--max-new-tokens",
            "end after so many (default: 256, or as many as the model has room for)",
        ),
        switch(
            "--greedy",
            "take the likeliest word each time, in place of drawing one",
            const=False,
            dest="do_sample",
        ),
        real("--temperature", "below 1, likely words are drawn more often (default: 0.7)"),
        count("--top-k", "draw from the N likeliest words (default: 50)"),
        real(
            "--top-p",
            "draw from the likeliest words that have the probability P together (default: 1)",
            "P",
        ),
        real(
            "--min-p",
            "draw from the words at least P times as probable as the likeliest (default: all)",
            "P",
        ),
        words("--stop-strings", "TEXT", "end a text with the first of these that it comes to"),
        count("--num-beams", "search for the likeliest text with N beams"),
        count("--num-return-sequences", "give N continuations of each text"),
        real(
            "--repetition-penalty",
            "above 1, words that the text has are drawn less often (default: 1)",
        ),
        count("--seed", "draw the same words each time the command is run", type=seed, dest="rng"),
    ),
    show=_show_generation,
    columns=lambda pipe: {"generated_text": str},
    truncation=None,  # it would cut off the end, which is to be continued
    answer=_generate,
)


def _show_likelihoods(line: str, found: Any) -> None:
    print(line)
    print(f"  {found['score']:.4f}  perplexity {found['perplexity']:.4f}", end="")
    print(f", {found['num_tokens']} tokens" if found["num_tokens"] > 1 else ", 1 token")
    for token in found["tokens"]:
        print(f"  {token['log_probability']:9.4f}  {token['token_str']!r}")


def _plot_likelihoods(found: Any) -> Any:
    from ..plots import log_likelihoods

    return log_likelihoods(found)


def _row_of_score(_pipe: Any, _line: str, found: Any) -> Iterator[Row]:
    yield {name: value for name, value in found.items() if name != "tokens"}


SCORE = TaskCommand(
    task="score",
    purpose="Tell how likely a text is: its (pseudo-)log-likelihood and perplexity, by token.",
    examples=(
        'score "Grass is green." "Grass is loud."',
        'score "Grass is loud." --plot tokens.png',
        "score --json --batch-size 8 < lines.txt",
        "score --out scores.csv < lines.txt",
    ),
    options=(),
    show=_show_likelihoods,
    plot=_plot_likelihoods,
    plotted="the log-likelihoods of the tokens",
    rows=_row_of_score,
    columns=lambda pipe: columns_of(TextScore),
)


TASK_COMMANDS = (
    *(FILL_MASK, TEXT_CLASSIFICATION, FEATURE_EXTRACTION, TOKEN_CLASSIFICATION),
    *(QUESTION_ANSWERING, ZERO_SHOT_CLASSIFICATION, MULTIPLE_CHOICE, TEXT_GENERATION),
    SCORE,
)
