"""The token-classification pipeline: the names of people and places, or any other labels of tokens.

The model gives each token probabilities of the labels; `entities` reads the entities from them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..checks import warn
from ..functional import softmax
from ..keywords import takes
from ..models.classifiers import RobertaForTokenClassification
from ..rules import STRING, Rule, check, integer, list_of, optional
from ..sentences import shown
from ..tokenization import BatchEncoding, RobertaTokenizer
from .base import Batch, Job, Pipeline, Row, check_some_token, flag, or_else, rows_of
from .entities import STRATEGIES, read_entities, read_tokens, without_overlap
from .inputs import check_text, opened
from .keywords import OF_CALLS, OF_OBJECTS, OF_TOKENS
from .typed_calls import one_or_many

__all__ = ["TokenClassificationPipeline"]

STRATEGY = Rule(
    lambda value: value is None or (isinstance(value, str) and value.lower() in STRATEGIES),
    f"one of {', '.join(STRATEGIES)}",
)
LABELS = list_of(STRING, "a list of labels", (list, tuple, set, frozenset, dict))
WORDS = list_of(STRING, "a list of words (str): is_split_into_words is true")


class TokenClassificationPipeline(Pipeline[RobertaForTokenClassification]):
    """Label the tokens of a text, or the entities that they make up, such as names.

    Parameters
    ----------
    model : RobertaForTokenClassification
    tokenizer : RobertaTokenizer
    aggregation_strategy, ignore_labels, stride
        Defaults of the call, see `__call__`.
    is_split_into_words, delimiter, grouped_entities, ignore_subwords
        Defaults of the call, see `__call__`.
    device, batch_size, progress_bar, threads
        As of `Pipeline`.

    Notes
    -----
    As in transformers, of a text that is too long for the model only the beginning is labelled,
    unless ``stride`` is given; here with a warning. The limit is the tokenizer's
    ``model_max_length`` or, where that is missing or too large, the model's own.

    As in transformers, one text that is given as words gets its result in a list: it is read as a
    list of one text. Labels are ignored after entities are put together, so ``"B-PER"`` among
    `ignore_labels` ignores nothing but with the strategy ``"none"``. ``stride`` and the strategy
    ``"none"`` exclude each other where they are given together; by default, tokens that are in two
    windows are given once.

    Where transformers goes wrong, this pipeline does not follow:

    - ``word`` is the text of all tokens of an entity. There, with the strategies ``"first"``,
      ``"average"`` and ``"max"`` it is decoded word by word, and then the result once more, which
      turns ``"Zoë"`` into ``"Zo�"``.
    - Of overlapping windows, each entity is given once. There, the first is given twice if it has
      no characters of its own, such as a label of one of two spaces.
    - ``score`` is a ``float``; there, a NumPy number, which `json` refuses.

    >>> from minirobert import RobertaConfig, RobertaTokenizer
    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=8192, id2label={0: "B-X"})
    >>> model = RobertaForTokenClassification(config)  # drawn weights, but it knows only one label
    >>> label = TokenClassificationPipeline(model, RobertaTokenizer.from_pretrained())
    >>> [(entity["entity"], entity["word"]) for entity in label("Who, Anna?")]
    [('B-X', 'Who'), ('B-X', ','), ('B-X', 'ĠAnna'), ('B-X', '?')]
    >>> label("Who, Anna?", aggregation_strategy="first")[1]
    {'entity_group': 'X', 'score': 1.0, 'word': ' Anna?', 'start': 5, 'end': 10}
    """

    task = "token-classification"

    @takes(OF_OBJECTS | OF_TOKENS)
    def __init__(
        self,
        model: RobertaForTokenClassification,
        tokenizer: RobertaTokenizer,
        *,
        aggregation_strategy: str | None = None,
        ignore_labels: Collection[str] | None = None,
        stride: int | None = None,
        is_split_into_words: bool = False,
        delimiter: str = " ",
        grouped_entities: bool | None = None,
        ignore_subwords: bool | None = None,
        device: Any = None,
        batch_size: int = 1,
        progress_bar: bool = False,
        threads: int | None = None,
    ):
        super().__init__(
            model,
            tokenizer,
            device=device,
            batch_size=batch_size,
            progress_bar=progress_bar,
            threads=threads,
        )
        aggregation_strategy = _strategy(aggregation_strategy, grouped_entities, ignore_subwords)
        self._check(aggregation_strategy, ignore_labels, stride)
        self.aggregation_strategy = aggregation_strategy or "none"
        self.ignore_labels = ["O"] if ignore_labels is None else ignore_labels
        self.stride = stride
        self.is_split_into_words = is_split_into_words
        self.delimiter = delimiter

    @one_or_many(str)
    @takes(OF_CALLS | OF_TOKENS)
    def __call__(
        self,
        inputs: str | Iterable[Any],
        *,
        aggregation_strategy: str | None = None,
        ignore_labels: Collection[str] | None = None,
        stride: int | None = None,
        is_split_into_words: bool | None = None,
        delimiter: str | None = None,
        grouped_entities: bool | None = None,
        ignore_subwords: bool | None = None,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
    ) -> list[Any]:
        """Label one text, or several.

        Parameters
        ----------
        inputs : str, list of str, or any iterable of str
            The text or texts; with `is_split_into_words` each a list of words.
        aggregation_strategy : str, optional
            What makes up an entity: ``"none"`` (the default), each token is one; ``"simple"``,
            neighbouring tokens with one label; ``"first"``, ``"average"``, ``"max"``, neighbouring
            words with one label, and a word has the label of its first token, of the mean of its
            tokens' probabilities, or of the token that is surest. Words are what spaces separate.
            A label ``B-...`` begins a new entity.
        ignore_labels : list of str, optional
            Leave out entities with these labels; ``["O"]`` by default.
        stride : int, optional
            Read a text that is too long for the model in windows that share so many tokens, and
            of entities that overlap keep the longest, then the likeliest.
        is_split_into_words : bool, optional
            Whether each text is a list of words; they are joined by `delimiter`.
        delimiter : str, optional
            ``" "`` by default.
        grouped_entities, ignore_subwords : bool, optional
            Transformers' older spelling, in place of `aggregation_strategy`: with the first it is
            ``"simple"``, with both ``"first"``, and otherwise ``"none"``.
        batch_size, progress_bar : optional
            See `Pipeline`: how many texts, or windows of them, to compute at once (1 by default),
            and whether to show how many texts are done.

        Returns
        -------
        list of dict
            For one text, of each entity: ``entity`` (its label; ``entity_group``, the label without
            ``B-`` or ``I-``, unless the strategy is ``"none"``), ``score`` (of several tokens or
            words the mean), ``word``, ``start`` and ``end`` (its characters: ``text[start:end]``).
            With the strategy ``"none"`` also ``index``, its place in the row of tokens, and
            ``word`` is the token as the vocabulary has it. A list of texts gives a list of such
            lists, and another iterable an iterator of them.

        Raises
        ------
        ValueError
            If there is no text, a text has too many tokens, or an option is none of those above.
        TypeError
            If a text is not a string, or not a list of strings with `is_split_into_words`.
        """
        aggregation_strategy = _strategy(aggregation_strategy, grouped_entities, ignore_subwords)
        self._check(aggregation_strategy, ignore_labels, stride)
        split = flag("is_split_into_words", is_split_into_words, self.is_split_into_words)
        delimiter = check("delimiter", or_else(delimiter, self.delimiter), STRING, TypeError)
        encode: Any = self._rows_of_text
        if split:
            encode = partial(self._rows_of_words, delimiter=delimiter)
        answer = partial(
            self._entities,
            join=delimiter.join if split else str,
            strategy=(aggregation_strategy or self.aggregation_strategy).lower(),
            ignored=or_else(ignore_labels, self.ignore_labels),
        )
        encode = partial(encode, stride=or_else(stride, self.stride))
        job = Job(encode, self._probabilities, answer)
        inputs = opened(inputs)
        if isinstance(inputs, list | tuple):
            if not inputs:
                raise ValueError("inputs is empty, but must have at least one text")
            if split and all(isinstance(word, str) for word in inputs):
                inputs = [inputs]
        return self._run(inputs, job, batch_size, progress_bar)

    def _rows_of_text(self, text: Any, name: str, stride: int | None) -> Sequence[Row]:
        check_text(name, text)
        return self._windows(text, name, stride)[0]

    def _rows_of_words(
        self, words: Any, name: str, stride: int | None, delimiter: str
    ) -> Sequence[Row]:
        """Encode words, and lead their tokens to where they are in the joined text."""
        check(name, words, WORDS, TypeError)
        starts = [0]
        for word in words:
            starts.append(starts[-1] + len(word) + len(delimiter))
        rows, encoding = self._windows(list(words), name, stride)
        for i, row in enumerate(rows):
            row["offset_mapping"] = _moved(row["offset_mapping"], encoding.word_ids(i), starts)
        return rows

    def _windows(
        self, text: str | list[str], name: str, stride: int | None
    ) -> tuple[list[dict[str, Any]], BatchEncoding]:
        """Encode a text, and give the rows to compute, and the encoding of all."""
        encoding = self.tokenizer(
            text,
            truncation=True,
            max_length=self.limit,
            stride=stride or 0,
            is_split_into_words=not isinstance(text, str),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_attention_mask=True,
        )
        rows = rows_of(encoding)
        check_some_token(name, rows[0])
        if stride is None and len(rows) > 1:
            warn(
                f"{name} has more than the {self.limit} tokens that the model takes, and the rest "
                "is not labelled: give stride= to read it in windows, or split the text"
            )
            rows = rows[:1]
        for row in rows:
            row["tokens"] = self.tokenizer.convert_ids_to_tokens(row["input_ids"])
        return rows, encoding

    def _probabilities(self, batch: Batch) -> list[np.ndarray[Any, Any]]:  # B times [S, C]
        """Give the probabilities of the labels of each row's tokens, without the padding."""
        probabilities = to_numpy(softmax(self._logits(batch, read="tokens")))  # [B, S, C]
        is_token = batch["attention_mask"] == 1
        return [row[real] for row, real in zip(probabilities, is_token, strict=True)]

    def _entities(
        self,
        text: Any,
        rows: Sequence[Row],
        outputs: Sequence[np.ndarray[Any, Any]],
        *,
        join: Callable[[Any], str],
        strategy: str,
        ignored: Collection[str],
    ) -> list[dict[str, Any]]:
        text, labels = join(text), self.model.config.id2label or {}
        unk_token, to_text = self.tokenizer.unk_token, self.tokenizer.convert_tokens_to_string
        found = []
        for row, probabilities in zip(rows, outputs, strict=True):
            tokens = read_tokens(row, probabilities, text, unk_token)
            found += [
                entity
                for entity in read_entities(tokens, strategy, labels, to_text)
                if entity.get("entity_group", entity.get("entity")) not in ignored
            ]
        return without_overlap(found) if len(rows) > 1 else found

    def _check(
        self, strategy: str | None, ignore_labels: Collection[str] | None, stride: int | None
    ) -> None:
        """Check options as given, to the pipeline or to a call."""
        check("aggregation_strategy", strategy, STRATEGY)
        if isinstance(ignore_labels, str):
            raise TypeError(
                f"ignore_labels is {shown(ignore_labels)}, but must be a list: "
                f"[{shown(ignore_labels)}]"
            )
        check("ignore_labels", ignore_labels, optional(LABELS), TypeError)
        room = self.limit - 2
        why = f": windows have {room} tokens beside <s> and </s>"
        check("stride", stride, optional(integer(0, room - 1).but(why)))
        if stride is None:
            return
        if strategy is not None and strategy.lower() == "none":
            raise ValueError(
                "stride is given, but aggregation_strategy is 'none': windows overlap, and their "
                f"entities must be put together; choose one of {', '.join(STRATEGIES[1:])}"
            )


def _strategy(
    strategy: str | None, grouped_entities: bool | None, ignore_subwords: bool | None
) -> str | None:
    """Read the older spelling of a strategy; where it is given, it overrides the other."""
    if grouped_entities is None and ignore_subwords is None:
        return strategy
    if not grouped_entities:
        return "none"
    return "first" if ignore_subwords else "simple"


def _moved(
    offsets: Sequence[tuple[int, int]], words: Sequence[int | None], starts: Sequence[int]
) -> list[tuple[int, int]]:
    """Lead offsets in each word to the text in which the words start there."""
    shifts = [0 if word is None else starts[word] for word in words]
    return [(start + by, end + by) for (start, end), by in zip(offsets, shifts, strict=True)]
