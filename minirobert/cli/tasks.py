"""A command for each pipeline: texts in, from the command line or stdin, and an answer for each.

To add one, describe it as a `TaskCommand` in `TASK_COMMANDS`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files import TINY
from ..pipelines import BUNDLED, pipeline
from ..pipelines.base import shortened
from ..pipelines.fill_mask import Filling
from ..pipelines.text_classification import FUNCTIONS
from ..pipelines.token_classification import STRATEGIES
from .common import add_command, add_texts, answer_lines, print_json

__all__ = ["TASK_COMMANDS", "TaskCommand", "add_task"]


#: Makes the pipeline's input of a line.
Reader = Callable[[str], Any]


def _as_it_is(line: str) -> Any:
    return line


def _answer_all(pipe: Any, inputs: Iterable[Any], arguments: argparse.Namespace) -> Iterator[Any]:
    answers: Iterator[Any] = pipe(inputs)
    return answers


@dataclass(frozen=True)
class TaskCommand:
    """The command of a task.

    Parameters
    ----------
    task : str
        The pipeline's, which is also the command's name.
    purpose, examples : str
        For the help.
    add_options : callable
        Adds the task's own options to the parser. Those that are given are handed to `pipeline`,
        under their ``dest``.
    show : callable
        ``show(text, answer)`` prints an answer for people; with ``--json`` it is printed as it is.
    read : callable
        Makes the pipeline's input of a line.
    reader : callable, optional
        In place of `read`, where it depends on the options: takes those that are only about
        reading out of the given options, and returns what makes the pipeline's input of a line.
    what : str
        What a line must be, for the help, where it is not any text; ends in "; ".
    truncation : str, optional
        What ``--truncate`` stands for; None where there is no such option.
    answer : callable
        ``answer(pipe, inputs, arguments)`` gives an iterator of answers.
    """

    task: str
    purpose: str
    examples: str
    add_options: Callable[[argparse.ArgumentParser], None]
    show: Callable[[str, Any], None]
    read: Reader = _as_it_is
    what: str = ""
    truncation: str | None = "longest_first"
    reader: Callable[[dict[str, Any]], Reader] | None = None
    answer: Callable[[Any, Iterable[Any], argparse.Namespace], Iterator[Any]] = _answer_all


def add_task(commands: Any, task: TaskCommand) -> None:
    """Add the command of a task."""
    command = add_command(commands, task.task, task.purpose, task.examples)
    add_texts(command, task.what)
    bundled = task.task in BUNDLED
    command.add_argument(
        "--model",
        required=not bundled,
        default=TINY if bundled else None,
        metavar="DIR",
        help="a directory, or a name of the hub"
        + (" (default: the bundled model)" if bundled else ""),
    )
    task.add_options(command)
    _add_shared_options(command, task.truncation)
    command.set_defaults(run=lambda arguments: _answer(arguments, task))


def _add_shared_options(command: argparse.ArgumentParser, truncation: str | None) -> None:
    if truncation is not None:
        command.add_argument(
            "--truncate",
            action="store_const",
            const=truncation,
            help="cut off what is too long for the model, which is an error otherwise",
        )
    command.add_argument(
        "--batch-size",
        type=int,
        default=1,
        metavar="N",
        help="how much to compute at once; so many lines of stdin are waited for (default: 1)",
    )
    command.add_argument(
        "--device", type=_device, metavar="NAME", help='"cpu" (the default), "cuda" or "cuda:N"'
    )
    command.add_argument(
        "--dtype",
        choices=("float16", "float32", "float64", "auto"),
        default="float32",
        help="of the weights; auto is that of the file (default: float32)",
    )


def _device(name: str) -> str | int:
    """Read a device's name, or as in transformers its number."""
    return int(name) if name.removeprefix("-").isdecimal() else name


#: What the options of every command are stored as; all others are options of the pipeline.
SHARED = {"texts", "json", "model", "truncate", "batch_size", "device", "dtype", "run"}


def _answer(arguments: argparse.Namespace, task: TaskCommand) -> None:
    own = {name: value for name, value in vars(arguments).items() if name not in SHARED}
    own = {name: value for name, value in own.items() if value is not None}
    read = task.read if task.reader is None else task.reader(own)
    pipe = pipeline(
        task.task,
        arguments.model,
        device=arguments.device,
        dtype=arguments.dtype,
        batch_size=arguments.batch_size,
        **own,
    )
    if getattr(arguments, "truncate", None):
        limit = pipe.model.config.max_sequence_length
        length = min(pipe.tokenizer.model_max_length or limit, limit)
        pipe.tokenizer_kwargs = {"truncation": arguments.truncate, "max_length": length}
    answer_lines(
        arguments.texts,
        lambda texts: task.answer(pipe, (read(text) for text in texts), arguments),
        lambda text, found: print_json(found) if arguments.json else task.show(text, found),
        max(arguments.batch_size, 1),  # one below 1 is the pipeline's error
    )


# Each task: its options, how a line is read where it is more than a text, how an answer is shown.


def _fill_mask_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--top-k", type=int, default=5, metavar="N", help="words for each mask (default: 5)"
    )
    command.add_argument(
        "--targets",
        nargs="+",
        metavar="WORD",
        help='rank only these, given after the texts; most words begin with a space: " blue"',
    )


def _show_fillings(text: str, found: Any) -> None:
    masks: Sequence[Sequence[Filling]] = [found] if isinstance(found[0], dict) else found
    print(text)
    for number, fillings in enumerate(masks, 1):
        if len(masks) > 1:
            print(f"  mask {number}:")
        width = max(len(repr(filling["token_str"])) for filling in fillings)
        for filling in fillings:
            word = repr(filling["token_str"])
            print(f"  {filling['score']:.4f}  {word:{width}}  {filling['sequence']}")


def _text_classification_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--top-k",
        type=_count_or_all,
        metavar="N",
        help="name so many classes, or 'all', the best first; the best alone by default",
    )
    command.add_argument(
        "--function",
        dest="function_to_apply",
        choices=sorted(FUNCTIONS),
        help="what makes scores of logits (default: by the model's problem_type)",
    )


def _count_or_all(word: str) -> int:
    """Read a number, or "all", which no model has more classes than."""
    if word == "all":
        return sys.maxsize
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is neither an integer nor 'all'") from None


def _text_or_pair(line: str) -> Any:
    text, tab, pair = line.partition("\t")
    return {"text": text, "text_pair": pair} if tab else text


def _show_classes(text: str, found: Any) -> None:
    classes = [found] if isinstance(found, dict) else found
    _show_scores(text, [(one["score"], one["label"]) for one in classes])


def _feature_extraction_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--pooling",
        choices=("mean", "cls"),
        help="one vector a text: the mean over its tokens, or that of the first (default: all)",
    )
    command.add_argument(
        "--normalize", action="store_true", help="give each vector the length 1, for cosines"
    )


def _show_vectors(text: str, found: Any) -> None:
    print(text)
    for vector in found[0] if isinstance(found[0], list) else [found]:
        numbers = " ".join(f"{number:8.4f}" for number in vector[:8])
        print(f"  {numbers}" + (f"  … ({len(vector)} numbers)" if len(vector) > 8 else ""))


def _token_classification_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--aggregation-strategy",
        choices=STRATEGIES,
        help="what makes up an entity: each token (none, the default), tokens with one label "
        "(simple), or words with one label: of their first token, the average, the surest (max)",
    )
    command.add_argument(
        "--ignore-labels",
        nargs="*",
        metavar="LABEL",
        help="leave these out, given after the texts; O by default, nothing where none is given",
    )
    command.add_argument(
        "--stride",
        type=int,
        metavar="N",
        help="read long texts in windows that share N tokens; by default only their beginning",
    )
    command.add_argument(
        "--words",
        dest="is_split_into_words",
        action="store_const",
        const=True,
        help="each text is words, with one space between them, as in labelled corpora",
    )


def _word_reader(options: dict[str, Any]) -> Reader:
    return _words if options.get("is_split_into_words") else _as_it_is


def _words(line: str) -> list[str]:
    return line.split(" ")


def _show_entities(text: str, found: Any) -> None:
    print(text)
    labels = [entity.get("entity_group", entity.get("entity")) for entity in found]
    width = max(map(len, labels), default=0)
    for entity, label in zip(found, labels, strict=True):
        start, end = entity["start"], entity["end"]
        print(f"  {entity['score']:.4f}  {label:{width}}  {start}-{end}  {text[start:end]!r}")


def _question_answering_options(command: argparse.ArgumentParser) -> None:
    context = command.add_mutually_exclusive_group()
    context.add_argument(
        "--context",
        metavar="FILE",
        help="look for the answers to all questions in this UTF-8 file",
    )
    context.add_argument("--context-text", metavar="TEXT", help="or in this text")
    command.add_argument(
        "--top-k", type=int, metavar="N", help="answers to each question, at most (default: 1)"
    )
    command.add_argument(
        "--doc-stride",
        type=int,
        metavar="N",
        help="tokens that the windows of a long context share (default: 128, or fewer)",
    )
    command.add_argument(
        "--max-answer-len", type=int, metavar="N", help="tokens of an answer (default: 15)"
    )
    command.add_argument(
        "--max-seq-len",
        type=int,
        metavar="N",
        help="tokens of a window and its question (default: 384, or what the model takes)",
    )
    command.add_argument(
        "--handle-impossible-answer",
        action="store_const",
        const=True,
        help="there may be no answer, which is shown as an empty one",
    )
    command.add_argument(
        "--no-align-to-words",
        dest="align_to_words",
        action="store_const",
        const=False,
        help="do not extend answers to whole words",
    )


def _question_reader(options: dict[str, Any]) -> Reader:
    """Read questions about one context, or lines with a question and its context each."""
    context = options.pop("context_text", None)
    file = options.pop("context", None)
    if file is not None:
        try:
            context = Path(file).read_bytes().decode("utf-8")  # offsets count each \r
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{file} is not UTF-8: it has the byte {error.object[error.start]:#04x} at "
                f"position {error.start}; convert it, for instance with iconv"
            ) from None
        except OSError as error:
            raise ValueError(
                f"{file!r} cannot be read ({error.strerror}): give --context a file of text"
            ) from None
    if context is None:
        return _question_and_context
    return lambda question: {"question": question, "context": context}


def _question_and_context(line: str) -> Any:
    question, tab, context = line.partition("\t")
    if not tab:
        raise ValueError(
            f"there is no context in {shortened(line)}: put a tab and the context after the "
            "question, or give --context FILE"
        )
    return {"question": question, "context": context}


def _show_answers(line: str, found: Any) -> None:
    print(line.partition("\t")[0])
    for answer in [found] if isinstance(found, dict) else found:
        place = f"{answer['start']}-{answer['end']}"
        print(f"  {answer['score']:.4f}  {place}  {answer['answer']!r}")


def _zero_shot_classification_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--labels",
        dest="candidate_labels",
        nargs="+",
        required=True,
        metavar="LABEL",
        help="the labels to rank, given after the texts",
    )
    command.add_argument(
        "--hypothesis-template",
        metavar="TEMPLATE",
        help='what is concluded from the text, with {} for the label: "This example is {}."',
    )
    command.add_argument("--multi-label", action="store_true", help="several labels may fit")


def _show_ranking(text: str, found: Any) -> None:
    _show_scores(text, list(zip(found["scores"], found["labels"], strict=True)))


def _multiple_choice_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--top-k", type=int, metavar="N", help="so many choices, the best first (default: all)"
    )


def _question_and_choices(line: str) -> Any:
    question, *choices = line.split("\t")
    if not choices:
        raise ValueError(
            f"there are no choices in {line!r}: put a tab before each, as in "
            "question<TAB>yes<TAB>no"
        )
    return {"question": question, "choices": choices}


def _show_choices(line: str, found: Any) -> None:
    question = line.partition("\t")[0]
    _show_scores(question, [(one["score"], one["choice"]) for one in found])


def _text_generation_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--max-new-tokens",
        type=int,
        metavar="N",
        help="end after so many (default: 256, or as many as the model has room for)",
    )
    command.add_argument(
        "--greedy",
        dest="do_sample",
        action="store_false",
        default=None,
        help="take the likeliest word each time, in place of drawing one",
    )
    command.add_argument(
        "--temperature",
        type=float,
        metavar="X",
        help="below 1, likely words are drawn more often (default: 0.7)",
    )
    command.add_argument(
        "--top-k", type=int, metavar="N", help="draw from the N likeliest words (default: 50)"
    )
    command.add_argument(
        "--top-p",
        type=float,
        metavar="P",
        help="draw from the likeliest words that have the probability P together (default: 1)",
    )
    command.add_argument(
        "--num-beams", type=int, metavar="N", help="search for the likeliest text with N beams"
    )
    command.add_argument(
        "--num-return-sequences", type=int, metavar="N", help="give N continuations of each text"
    )
    command.add_argument(
        "--repetition-penalty",
        type=float,
        metavar="X",
        help="above 1, words that the text has are drawn less often (default: 1)",
    )
    command.add_argument(
        "--seed",
        dest="rng",
        type=_random_numbers,
        metavar="N",
        help="draw the same words each time the command is run",
    )


def _random_numbers(seed: str) -> np.random.Generator:
    """Make one generator for all texts: each takes its own numbers from it."""
    try:
        return np.random.default_rng(int(seed))
    except ValueError:  # no number, or one below 0
        raise argparse.ArgumentTypeError(
            f"{seed!r} is no seed: give an integer of at least 0"
        ) from None


def _generate(pipe: Any, inputs: Iterable[Any], arguments: argparse.Namespace) -> Iterator[Any]:
    """Give texts as they come, part by part, where they are for people and come one by one."""
    several = (arguments.batch_size, arguments.num_beams or 1, arguments.num_return_sequences or 1)
    if arguments.json or several != (1, 1, 1):
        return _answer_all(pipe, inputs, arguments)
    return (pipe.stream(text) for text in inputs)


def _show_generation(text: str, found: Any) -> None:
    if isinstance(found, list):
        for one in found:
            print(one["generated_text"])
        return
    print(text, end="", flush=True)
    for part in found:
        print(part, end="", flush=True)
    print()


def _show_scores(text: str, scored: Sequence[tuple[float, str]]) -> None:
    print(text)
    for score, name in scored:
        print(f"  {score:.4f}  {name}")


TASK_COMMANDS = (
    TaskCommand(
        "fill-mask",
        "Rank the words that could stand in place of <mask>.",
        '  minirobert fill-mask "The color of the sky is <mask>."\n'
        '  minirobert fill-mask "Grass is <mask>." --targets " green" " blue"\n'
        "  minirobert fill-mask --json --top-k 1 < lines.txt",
        _fill_mask_options,
        _show_fillings,
    ),
    TaskCommand(
        "text-classification",
        "Name the class of a text, or of a pair of texts, such as its sentiment.",
        '  minirobert text-classification "A fine film." --model DIR --top-k all\n'
        "  minirobert text-classification --model DIR --json --batch-size 8 < lines.txt",
        _text_classification_options,
        _show_classes,
        _text_or_pair,
        "a tab divides the two texts of a pair; ",
    ),
    TaskCommand(
        "feature-extraction",
        "Give the vectors of a text's tokens, or one for the text.",
        '  minirobert feature-extraction "The sky is blue."\n'
        "  minirobert feature-extraction --pooling mean --normalize --json < lines.txt",
        _feature_extraction_options,
        _show_vectors,
    ),
    TaskCommand(
        "token-classification",
        "Label the tokens of a text, or find its entities, such as names.",
        '  minirobert token-classification "Anna lives in Rome." --model DIR'
        " --aggregation-strategy simple\n"
        "  minirobert token-classification --model DIR --stride 64 --aggregation-strategy first"
        " --json < lines.txt",
        _token_classification_options,
        _show_entities,
        truncation=None,  # a long text is cut, or read in windows
        reader=_word_reader,
    ),
    TaskCommand(
        "question-answering",
        "Find the part of a text, the context, that answers a question.",
        '  minirobert question-answering "Who?" "Where?" --model DIR --context FILE\n'
        '  minirobert question-answering "Who?" --model DIR --context-text "Anna is in Rome."\n'
        "  minirobert question-answering --model DIR --json < lines.txt",
        _question_answering_options,
        _show_answers,
        what="a question, a tab and its context, or with --context only a question; ",
        truncation=None,  # a long context is read in windows
        reader=_question_reader,
    ),
    TaskCommand(
        "zero-shot-classification",
        "Rank labels of your own by how well they fit a text.",
        '  minirobert zero-shot-classification "A fine goal." --model DIR --labels sport art\n'
        "  minirobert zero-shot-classification --model DIR --labels a b --json < lines.txt",
        _zero_shot_classification_options,
        _show_ranking,
        truncation=None,  # the text is always cut
    ),
    TaskCommand(
        "multiple-choice",
        "Rank the choices of a question.",
        "  minirobert multiple-choice $'The sky is\\tblue\\ta dog' --model DIR\n"
        "  minirobert multiple-choice --model DIR --json < lines.txt",
        _multiple_choice_options,
        _show_choices,
        _question_and_choices,
        "a question and its choices, with a tab before each choice; ",
        "only_first",
    ),
    TaskCommand(
        "text-generation",
        "Continue a text, by words that are drawn one after the other.",
        '  minirobert text-generation "The sky is" --model DIR --max-new-tokens 20 --seed 1\n'
        '  minirobert text-generation "The sky is" --model DIR --greedy\n'
        "  minirobert text-generation --model DIR --num-beams 4 --json < lines.txt",
        _text_generation_options,
        _show_generation,
        truncation=None,  # it would cut off the end, which is to be continued
        answer=_generate,
    ),
)
