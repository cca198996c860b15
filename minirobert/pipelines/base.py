"""What all pipelines share: from inputs to rows of tokens, batches of rows, an answer an input.

A pipeline says three things, in a `Job`. How an input becomes rows of the model: one, or several,
such as the windows of a long text or the choices of a question. What the model computes for a batch
of rows. And how an answer is read from the outputs of an input's rows. `Pipeline._run` does the
rest: it takes one input, a list or a stream, sorts the rows by length so that little of a batch is
padding, and gives the answers in the order of the inputs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, cast

import numpy as np

from .. import arrays
from ..arrays import Array, move_like, to_numpy, widened
from ..keywords import takes
from ..models.base import RobertaPreTrainedModel
from ..models.inputs import check_tokenizer
from ..rules import BOOLEAN, Rule, check, integer, is_integer
from ..sentences import shown
from ..threads import check_threads, limited
from ..tokenization import RobertaTokenizer
from ..tokenization.rows.options import CallOptions
from .inputs import check_text, chunks, opened, own

__all__ = [
    "Batch",
    "Job",
    "Pipeline",
    "Row",
    "TooLongError",
    "check_some_token",
    "device_name",
    "flag",
    "on_host",
    "or_else",
    "rows_of",
]

Model = TypeVar("Model", bound=RobertaPreTrainedModel)
T = TypeVar("T")

#: A row of tokens: ``input_ids``, ``attention_mask``, and what else the pipeline wants to keep.
Row: TypeAlias = Mapping[str, Any]
#: ``input_ids`` and ``attention_mask`` of several rows, padded to one length: [B, S], [B, S].
Batch: TypeAlias = Mapping[str, np.ndarray[Any, Any]]

#: Of a stream, so many batches are read ahead, to put texts of about one length together.
LOOK_AHEAD = 8


@dataclass(frozen=True)
class Job(Generic[T]):
    """What a call does with each input; its options are bound in the functions."""

    #: ``encode(input, name)`` checks an input and gives its rows, at least one; an error begins
    #: with the name: ``"the text"``, or ``"text 2"`` where it is one of a list.
    encode: Callable[[Any, str], Sequence[Row]]
    #: ``compute(batch)`` runs the model, and gives one output for each row, in host memory.
    compute: Callable[[Batch], Collection[Any]]
    #: ``answer(input, rows, outputs)`` reads the result of an input.
    answer: Callable[[Any, Sequence[Row], Sequence[Any]], T]


#: Options of the tokenizer's call that make something else than a row of a text.
NOT_OF_ROWS = {
    *("text", "text_pair", "text_target", "text_pair_target"),
    *("is_split_into_words", "return_overflowing_tokens", "return_tensors"),
}
_OF_ROWS = set(CallOptions._fields) - NOT_OF_ROWS
OPTIONS = Rule(
    lambda given: (
        isinstance(given, Mapping)
        and all(isinstance(name, str) and name in _OF_ROWS for name in given)
    ),
    "a dictionary of options of the tokenizer's call, but without "
    f"{', '.join(sorted(NOT_OF_ROWS))}: a pipeline makes rows of texts, and arrays of rows, itself",
)


class Pipeline(Generic[Model]):
    """The base of all pipelines, with the options that they share.

    Each option of a pipeline is the default of its calls, and each call may say otherwise. An input
    alone gives its result, a list of inputs a list of results, and any other iterable an iterator
    of them, which reads no more inputs than it needs for the next results. Arrays, series and other
    collections are what lists are; a data set that has numbered inputs, such as torch's, is an
    iterable.

    Parameters
    ----------
    model : RobertaPreTrainedModel
    tokenizer : RobertaTokenizer
    device : str, int or torch.device, optional
        Where the model is moved to, see `minirobert.pipelines.pipeline`.
    batch_size : int
        How many rows to compute at once, padded to one length: texts, or their windows or pairs.
    tokenizer_kwargs : dict, optional
        Options of the tokenizer's call, such as ``{"truncation": True}``.
    progress_bar : bool
        Show on stderr how many inputs are done.
    threads : int, optional
        The most threads that BLAS and OpenMP may compute with, from 1, within calls of this
        pipeline alone. By default they choose themselves.

    Raises
    ------
    ValueError
        If the tokenizer has more tokens than the model, or ``threads`` is below 1.

    Notes
    -----
    The environment variables ``OPENBLAS_NUM_THREADS`` and ``OMP_NUM_THREADS`` are read once, when
    the libraries are loaded, and count for the whole process. ``threads`` counts in their place
    while a batch is computed; then what was before is put back. OpenBLAS, with which NumPy mostly
    computes, has one number for the process, so another thread of Python that computes meanwhile
    has it too, and of several pipelines that compute at once the smallest ``threads`` counts. MKL
    has a number for each thread of Python, as has OpenMP, with which torch computes on the CPU:
    ``torch.get_num_threads()`` gives ``threads`` within a call, and elsewhere what
    ``torch.set_num_threads`` said. On a GPU, with JAX (whose threads are its own) and with Apple's
    Accelerate it changes nothing.
    """

    task: ClassVar[str]
    #: What arrays are called in ``return_tensors``.
    framework: ClassVar[str] = "np"
    #: What an input is called in messages.
    noun: ClassVar[str] = "text"
    #: The types of a single input; what else can be iterated over holds several.
    single: ClassVar[tuple[type, ...]] = (str,)
    #: Whether the pipeline itself sees to a text without any token.
    may_be_empty: ClassVar[bool] = False

    @takes({})
    def __init__(
        self,
        model: Model,
        tokenizer: RobertaTokenizer,
        *,
        device: Any = None,
        batch_size: int = 1,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool = False,
        threads: int | None = None,
    ):
        check_tokenizer(tokenizer, model.config)
        self.model = model if device is None else model.to(device_name(device))
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.tokenizer_kwargs = {} if tokenizer_kwargs is None else tokenizer_kwargs
        self.progress_bar = progress_bar
        self.threads = check_threads(threads)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, batch_size={self.batch_size})"

    @property
    def device(self) -> Any:
        """The device that the model is on."""
        return self.model.device

    @property
    def dtype(self) -> str:
        """The name of the dtype of the model's weights."""
        return self.model.dtype

    torch_dtype = dtype

    def predict(self, X: Any) -> Any:  # noqa: N803  # scikit-learn's name
        """Answer inputs, under scikit-learn's name of a call."""
        call: Any = self
        return call(X)

    transform = predict

    def save_pretrained(self, save_directory: str | os.PathLike[str], **options: Any) -> None:
        """Write the model and the tokenizer into a directory, from which `pipeline` reads both.

        Parameters
        ----------
        save_directory : str or path
            Made where it does not exist.
        **options
            Of the model's ``save_pretrained``, whose errors these are.
        """
        self.model.save_pretrained(save_directory, **options)
        self.tokenizer.save_pretrained(save_directory)

    def _run(
        self,
        inputs: Any,
        job: Job[T],
        batch_size: int | None = None,
        progress_bar: bool | None = None,
    ) -> T:
        """Do a job for one input, for a list (checked before it is computed), or for a stream.

        Its type is that for one input: what several give, `typed_calls.one_or_many` tells.
        """
        batch_size = int(check("batch_size", or_else(batch_size, self.batch_size), integer(1)))
        bar = flag("progress_bar", progress_bar, self.progress_bar)
        inputs = opened(inputs, self.noun)
        if isinstance(inputs, self.single):
            (answer,) = self._of_list([inputs], job, batch_size, bar)
            return answer
        if isinstance(inputs, list | tuple):
            return cast("T", self._of_list(inputs, job, batch_size, bar))
        if not isinstance(inputs, Iterable) or isinstance(inputs, str | bytes | Mapping):
            kinds = " or ".join(
                "dict" if kind is Mapping else kind.__name__ for kind in self.single
            )
            cure = ""
            if isinstance(inputs, os.PathLike):
                cure = ": of a file give the lines, as in path.read_text().splitlines()"
            raise TypeError(
                f"inputs is {shown(inputs)}, but must be a {kinds}, or a list of them{cure}"
            )
        answers = _progress(self._of_stream(inputs, job, batch_size), None, bar, self.noun)
        return cast("T", answers)

    def _of_list(self, inputs: Sequence[Any], job: Job[T], batch_size: int, bar: bool) -> list[T]:
        """Answer the inputs of a list, all of which are checked first."""
        encoded = [
            (one, job.encode(one, f"{self.noun} {i}" if len(inputs) > 1 else f"the {self.noun}"))
            for i, one in enumerate(inputs)
        ]
        done = self._answers(encoded, job, batch_size)
        answers = dict(_progress(done, len(inputs), bar, self.noun))
        return [answers[i] for i in range(len(inputs))]

    def _of_stream(self, inputs: Iterable[Any], job: Job[T], batch_size: int) -> Iterator[T]:
        """Answer a few batches at a time; before the error of a wrong input, those before it."""
        size = batch_size * LOOK_AHEAD if batch_size > 1 else 1  # there is nothing to sort for 1
        for window in chunks(self._encoded(inputs, job), size):
            answers = dict(self._answers(window, job, batch_size))
            yield from (answers[i] for i in range(len(window)))

    def _encoded(self, inputs: Iterable[Any], job: Job[T]) -> Iterator[tuple[Any, Sequence[Row]]]:
        for number, one in enumerate(map(own, inputs)):
            try:
                rows = job.encode(one, f"the {self.noun}")
            except Exception as error:
                error.add_note(f"(this was {self.noun} {number} of the stream, counted from 0)")
                raise
            yield one, rows

    def _answers(
        self, encoded: Sequence[tuple[Any, Sequence[Row]]], job: Job[T], batch_size: int
    ) -> Iterator[tuple[int, T]]:
        """Give the number and the answer of each input as soon as its last row is computed."""
        places = [(i, j) for i, (_, rows) in enumerate(encoded) for j in range(len(rows))]
        if batch_size > 1:  # longest first: what does not fit into memory fails at once
            places.sort(key=lambda place: -len(encoded[place[0]][1][place[1]]["input_ids"]))
        outputs: dict[int, dict[int, Any]] = {i: {} for i in range(len(encoded))}
        for start in range(0, len(places), batch_size):
            chunk = places[start : start + batch_size]
            batch = self._padded([encoded[i][1][j] for i, j in chunk])
            with limited(self.threads):
                computed = job.compute(batch)
            for (i, j), output in zip(chunk, computed, strict=True):
                outputs[i][j] = output
                one, rows = encoded[i]
                if len(outputs[i]) == len(rows):
                    found = outputs.pop(i)  # outputs may be large: none is kept longer than needed
                    yield i, job.answer(one, rows, [found[k] for k in range(len(rows))])

    def _padded(self, rows: Sequence[Row]) -> Batch:
        """Pad rows behind their tokens, whatever the tokenizer's side: heads read the first one."""
        names = ("input_ids", "attention_mask")
        columns = [{name: row[name] for name in names if name in row} for row in rows]
        return self.tokenizer.pad(columns, padding_side="right", return_tensors="np")

    def _placed(self, batch: Batch) -> dict[str, Any]:  # Any, or a call would ask for its flags
        """Move a batch to where the model is: ``self.model(**self._placed(batch))``."""
        like = self.model.word_embeddings
        return {name: move_like(column, like) for name, column in batch.items()}

    @property
    def limit(self) -> int:
        """How many tokens a row may have, by the model and by the tokenizer."""
        limit = self.model.config.max_sequence_length
        return min(limit, self.tokenizer.model_max_length or limit)

    def _logits(self, batch: Batch, **options: Any) -> Any:  # [B, S] -> [B, C], of C classes
        """Score the classes of each row, or with ``read`` those of the tokens that are read."""
        model: Any = self.model
        return on_host(model(**self._placed(batch), **options).logits)

    def _options(self, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Choose the options of the tokenizer's call, and check that they are some."""
        return check("tokenizer_kwargs", or_else(given, self.tokenizer_kwargs), OPTIONS, TypeError)

    def _row(
        self,
        name: str,
        text: Any,
        text_pair: Any = None,
        options: Mapping[str, Any] | None = None,
        *,
        is_padded: bool = False,
    ) -> Row:
        """Encode a text, or a pair of texts, as one row, and check that the model can take it.

        Padding that the options ask for is taken away again, unless it is to be read, too.
        """
        options = {**self._options(options), "return_attention_mask": True}  # rows are padded later
        limit = self.model.config.max_sequence_length
        if not options.keys() & {"padding", "truncation", "max_length"}:
            # told a limit, the tokenizer does not warn of long texts: the error below says which
            options = {**options, "truncation": False, "max_length": limit}
        for part in (text,) if text_pair is None else (text, text_pair):
            check_text(name, part)
        row: Row = self.tokenizer(text, text_pair, **options)
        row = row if is_padded else _without_padding(row)
        length = len(row["input_ids"])
        if length > limit:
            options = {"truncation": True, "max_length": limit}
            raise TooLongError(
                f"{name} has {length} tokens, but the model takes at most {limit}: shorten it",
                f", or truncate it with tokenizer_kwargs={options}",
            )
        if not self.may_be_empty:
            check_some_token(name, row)
        return row


class TooLongError(ValueError):
    """A text has more tokens than the model takes; how to truncate it depends on who is told."""

    def __init__(self, sentence: str, how_to_truncate: str):
        super().__init__(f"{sentence}{how_to_truncate}")
        self.sentence = sentence

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.sentence, str(self).removeprefix(self.sentence))


def device_name(device: Any) -> str | None:
    """Name a device that transformers numbers, or that is an object of torch.

    >>> device_name(-1), device_name(1)
    ('cpu', 'cuda:1')
    """
    if device is None:
        return None
    return "cpu" if is_integer(device) and device < 0 else arrays.device_name(device)


def or_else(given: T | None, default: T) -> T:
    """Choose what a call gives, or else what its pipeline was made with."""
    return default if given is None else given


def flag(name: str, given: Any, default: bool) -> bool:
    """Choose in the same way between True and False."""
    chosen: bool = or_else(given, default)
    return check(name, chosen, BOOLEAN, TypeError)


def rows_of(encoding: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Take the columns of a batch apart into rows, such as the windows of a long text.

    >>> rows_of({"input_ids": [[0, 2], [0, 5, 2]], "attention_mask": [[1, 1], [1, 1, 1]]})[1]
    {'input_ids': [0, 5, 2], 'attention_mask': [1, 1, 1]}
    """
    return [
        {name: column[i] for name, column in encoding.items()}
        for i in range(len(encoding["input_ids"]))
    ]


#: What says something of each token of a row, and is read.
OF_TOKENS = ("input_ids", "attention_mask", "offset_mapping")


def _without_padding(row: Row) -> Row:
    """Take the padding of the tokenizer away.

    >>> _without_padding({"input_ids": [1, 0, 5, 2], "attention_mask": [0, 1, 1, 1]})
    {'input_ids': [0, 5, 2], 'attention_mask': [1, 1, 1]}
    """
    is_token = row["attention_mask"]
    if all(is_token):
        return row
    return {name: list(compress(row[name], is_token)) for name in OF_TOKENS if name in row}


def check_some_token(name: str, row: Row) -> None:
    """Refuse a row without any token, which in a batch would be answered from padding."""
    if not any(row["attention_mask"]):
        raise ValueError(
            f"{name} has no token, but the model reads at least one: give it a word, or leave "
            "add_special_tokens at True"
        )


def on_host(scores: Array) -> np.ndarray[Any, Any]:
    """Bring scores to the host; those of 16 bits become float32, in which they are then read."""
    return to_numpy(widened(scores))


def _progress(items: Iterator[T], total: int | None, bar: bool, unit: str) -> Iterator[T]:
    if not bar:
        return items
    from tqdm import tqdm  # 40 ms that most calls do not need

    return iter(tqdm(items, total=total, unit=unit))
