"""The token-classification pipeline: the names of people and places, or any other labels of tokens.

The model gives each token probabilities of the labels. Reading entities from them takes four
steps, each a function here, which `read_entities` puts together: `read_tokens` leads the tokens of
a row back to the text, `words_of` glues tokens to words, `label_of` gives a word one label, and
`groups_of` joins neighbours that belong to one entity. Where a long text is cut into windows that
overlap, `without_overlap` chooses among the entities that both windows have found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from ..checks import warn
from ..functional import softmax
from ..models.classifiers import RobertaForTokenClassification
from ..tokenization import BatchEncoding, RobertaTokenizer
from .base import Batch, Job, Pipeline, Row, on_host, rows_of

__all__ = [
    "Labelled",
    "Token",
    "TokenClassificationPipeline",
    "groups_of",
    "label_of",
    "read_entities",
    "read_tokens",
    "without_overlap",
    "words_of",
]

STRATEGIES = ("none", "simple", "first", "average", "max")
#: Those that give all tokens of a word one label.
WORD_STRATEGIES = ("first", "average", "max")


class Token(NamedTuple):
    """A token of a text, and what the model says of it."""

    text: str  # in the byte alphabet, as the vocabulary has it
    position: int  # in the row, where `<s>` is 0
    start: int  # its characters in the text
    end: int
    continues: bool  # whether it belongs to the word of the token before it
    probabilities: np.ndarray[Any, Any]  # of each label, [C]


class Labelled(NamedTuple):
    """A token or a word with its label."""

    label: str
    score: Any  # the probability of the label, a NumPy number
    tokens: Sequence[Token]


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
    batch_size, progress_bar
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
        batch_size: int = 1,
        progress_bar: bool = False,
    ):
        super().__init__(model, tokenizer, batch_size=batch_size, progress_bar=progress_bar)
        aggregation_strategy = _strategy(aggregation_strategy, grouped_entities, ignore_subwords)
        self._check(aggregation_strategy, ignore_labels, stride)
        self.aggregation_strategy = aggregation_strategy or "none"
        self.ignore_labels = ["O"] if ignore_labels is None else ignore_labels
        self.stride = stride
        self.is_split_into_words = is_split_into_words
        self.delimiter = delimiter

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
    ) -> Any:
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
        batch_size : int, optional
            How many texts, or windows of them, to compute at once; 1 by default.
        progress_bar : bool, optional
            Show how many texts are done, on stderr.

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
        split = self.is_split_into_words if is_split_into_words is None else is_split_into_words
        delimiter = self.delimiter if delimiter is None else delimiter
        encode = partial(self._rows_of_words, delimiter=delimiter) if split else self._rows_of_text
        answer = partial(
            self._entities,
            join=delimiter.join if split else str,
            strategy=(aggregation_strategy or self.aggregation_strategy).lower(),
            ignored=self.ignore_labels if ignore_labels is None else ignore_labels,
        )
        stride = self.stride if stride is None else stride
        job = Job(partial(encode, stride=stride), self._probabilities, answer)
        if isinstance(inputs, list | tuple):
            if not inputs:
                raise ValueError("inputs is empty, but must have at least one text")
            if split and all(isinstance(word, str) for word in inputs):
                inputs = [inputs]
        return self._run(inputs, job, batch_size, progress_bar)

    def _rows_of_text(self, text: Any, name: str, stride: int | None) -> Sequence[Row]:
        if not isinstance(text, str):
            raise TypeError(f"{name} is {text!r:.80}, but must be a str")
        return self._windows(text, name, stride)[0]

    def _rows_of_words(
        self, words: Any, name: str, stride: int | None, delimiter: str
    ) -> Sequence[Row]:
        """Encode words, and lead their tokens to where they are in the joined text."""
        if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            raise TypeError(
                f"{name} is {words!r:.80}, but must be a list of words (str): is_split_into_words "
                "is true"
            )
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
            max_length=self._limit,
            stride=stride or 0,
            is_split_into_words=not isinstance(text, str),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        rows = rows_of(encoding)
        if stride is None and len(rows) > 1:
            warn(
                f"{name} has more than the {self._limit} tokens that the model takes, and the rest "
                "is not labelled: give stride= to read it in windows, or split the text"
            )
            rows = rows[:1]
        for row in rows:
            row["tokens"] = self.tokenizer.convert_ids_to_tokens(row["input_ids"])
        return rows, encoding

    @property
    def _limit(self) -> int:
        """How many tokens a row may have."""
        limit = self.model.config.max_sequence_length
        return min(limit, self.tokenizer.model_max_length or limit)

    def _probabilities(self, batch: Batch) -> list[np.ndarray[Any, Any]]:  # B times [S, C]
        """Give the probabilities of the labels of each row's tokens, without the padding."""
        logits = on_host(self.model(**self._placed(batch)).logits)  # [B, S, C]
        is_token = batch["attention_mask"] == 1
        return [row[real] for row, real in zip(softmax(logits), is_token, strict=True)]

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
        if strategy is not None and (
            not isinstance(strategy, str) or strategy.lower() not in STRATEGIES
        ):
            raise ValueError(
                f"aggregation_strategy is {strategy!r}, but must be one of {', '.join(STRATEGIES)}"
            )
        if isinstance(ignore_labels, str):
            raise TypeError(
                f"ignore_labels is {ignore_labels!r}, but must be a list: [{ignore_labels!r}]"
            )
        if stride is None:
            return
        room = self._limit - 2  # beside <s> and </s>
        if not isinstance(stride, Integral) or not 0 <= stride < room:
            raise ValueError(
                f"stride is {stride!r}, but must be from 0 to {room - 1}: windows have {room} "
                "tokens beside <s> and </s>"
            )
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


def read_tokens(
    row: Mapping[str, Any],
    probabilities: np.ndarray[Any, Any],  # [S, C]
    text: str,
    unk_token: str,
) -> list[Token]:
    """Lead the tokens of a row back to the text, without those that frame it.

    Parameters
    ----------
    row : dict
        ``tokens``, ``offset_mapping`` and ``special_tokens_mask``, each a list of length S.
    probabilities : NumPy array of shape [S, C]
        Of each label for each token.
    text : str
        Where the offsets point to.
    unk_token : str
        The token of unknown characters, in place of which the characters themselves are shown.

    Returns
    -------
    list of Token

    Notes
    -----
    A token continues a word unless there is a space before it, or it begins with one. So words are
    what spaces separate: ``"(Paris),"`` is one. This is the heuristic of transformers for every
    tokenizer whose tokens do not say themselves whether they continue a word.
    """
    columns = (row["tokens"], row["offset_mapping"], row["special_tokens_mask"], probabilities)
    tokens = []
    for position, (token, (start, end), is_special, of_labels) in enumerate(
        zip(*columns, strict=True)
    ):
        if is_special:
            continue
        continues = start > 0 and " " not in text[start - 1 : start + 1]
        if token == unk_token:
            token, continues = text[start:end], False
        tokens.append(Token(token, position, start, end, continues, of_labels))
    return tokens


def words_of(tokens: Sequence[Token]) -> list[list[Token]]:
    """Glue tokens to words.

    Parameters
    ----------
    tokens : list of Token

    Returns
    -------
    list of list of Token
        The tokens of each word.
    """
    words: list[list[Token]] = []
    for token in tokens:
        if words and token.continues:
            words[-1].append(token)
        else:
            words.append([token])
    return words


def label_of(word: Sequence[Token], strategy: str, labels: Mapping[int, str]) -> Labelled:
    """Give a word one label.

    Parameters
    ----------
    word : list of Token
        At least one.
    strategy : str
        Whose probabilities count: ``"first"``, those of the first token; ``"max"``, of the token
        with the highest; ``"average"``, the mean of all. For a single token it does not matter.
    labels : dict of int to str
        The names of the C labels.

    Returns
    -------
    Labelled
        With the most probable label and its probability.
    """
    if strategy == "average":
        probabilities = np.mean(np.stack([token.probabilities for token in word]), axis=0)
    elif strategy == "max":
        probabilities = max(word, key=lambda token: token.probabilities.max()).probabilities
    else:
        probabilities = word[0].probabilities
    best = int(np.argmax(probabilities))
    return Labelled(labels[best], probabilities[best], word)


def groups_of(words: Sequence[Labelled]) -> list[list[Labelled]]:
    """Join neighbours that belong to one entity.

    A neighbour belongs to it if it has the same label apart from ``B-`` and ``I-``, and does not
    begin an entity of its own, as ``B-`` says. A label without either counts as ``I-``.

    Parameters
    ----------
    words : list of Labelled
        Words, or tokens, in the order of the text.

    Returns
    -------
    list of list of Labelled

    >>> labels = ["B-PER", "I-PER", "B-PER", "LOC", "I-LOC"]
    >>> groups = groups_of([Labelled(label, 1.0, []) for label in labels])
    >>> [[word.label for word in group] for group in groups]
    [['B-PER', 'I-PER'], ['B-PER'], ['LOC', 'I-LOC']]
    """
    groups: list[list[Labelled]] = []
    for word in words:
        begins, tag = _begins_and_tag(word.label)
        if groups and not begins and tag == _begins_and_tag(groups[-1][-1].label)[1]:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _begins_and_tag(label: str) -> tuple[bool, str]:
    if label.startswith(("B-", "I-")):
        return label.startswith("B-"), label[2:]
    return False, label


def read_entities(
    tokens: Sequence[Token],
    strategy: str,
    labels: Mapping[int, str],
    to_text: Callable[[list[str]], str],
) -> list[dict[str, Any]]:
    """Read the entities of a row, those with a label of no interest among them.

    Parameters
    ----------
    tokens : list of Token
    strategy : str
        ``"none"``: each token is one. ``"simple"``: tokens next to each other with one label are
        one. ``"first"``, ``"average"``, ``"max"``: words next to each other with one label are
        one, and `label_of` gives the words their labels.
    labels : dict of int to str
        The names of the labels.
    to_text : callable
        Gives the text of a list of tokens.

    Returns
    -------
    list of dict
        As of `TokenClassificationPipeline.__call__`.
    """
    words = words_of(tokens) if strategy in WORD_STRATEGIES else [[token] for token in tokens]
    labelled = [label_of(word, strategy, labels) for word in words]
    if strategy == "none":
        return [_token_entity(token) for token in labelled]
    return [_group_entity(group, to_text) for group in groups_of(labelled)]


def _token_entity(labelled: Labelled) -> dict[str, Any]:
    (token,) = labelled.tokens
    return {
        "entity": labelled.label,
        "score": float(labelled.score),
        "index": token.position,
        "word": token.text,
        "start": token.start,
        "end": token.end,
    }


def _group_entity(group: Sequence[Labelled], to_text: Callable[[list[str]], str]) -> dict[str, Any]:
    tokens = [token for word in group for token in word.tokens]
    return {
        "entity_group": group[0].label.split("-", 1)[-1],
        "score": float(np.mean([word.score for word in group])),
        "word": to_text([token.text for token in tokens]),
        "start": tokens[0].start,
        "end": tokens[-1].end,
    }


def without_overlap(entities: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose among entities that overlap: the longer one, or of equally long ones the likelier.

    Parameters
    ----------
    entities : list of dict
        With ``start``, ``end`` and ``score``, found in several windows of a text.

    Returns
    -------
    list of dict
        In the order of the text.

    >>> found = [(0, 4, 0.9), (5, 9, 0.5), (5, 12, 0.4), (20, 22, 0.3), (20, 22, 0.4)]
    >>> entities = [{"start": start, "end": end, "score": score} for start, end, score in found]
    >>> [tuple(entity.values()) for entity in without_overlap(entities)]
    [(0, 4, 0.9), (5, 12, 0.4), (20, 22, 0.4)]
    """
    chosen: list[dict[str, Any]] = []
    for entity in sorted(entities, key=lambda entity: entity["start"]):
        if not chosen or entity["start"] >= chosen[-1]["end"]:
            chosen.append(entity)
        elif _length_and_score(entity) > _length_and_score(chosen[-1]):
            chosen[-1] = entity
    return chosen


def _length_and_score(entity: Mapping[str, Any]) -> tuple[int, float]:
    return entity["end"] - entity["start"], entity["score"]
