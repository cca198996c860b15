"""Entities from probabilities: the names of people and places, or any other labels of tokens.

The model gives each token probabilities of the labels. Reading entities from them takes four
steps, each a function here, which `read_entities` puts together: `read_tokens` leads the tokens of
a row back to the text, `words_of` glues tokens to words, `label_of` gives a word one label, and
`groups_of` joins neighbours that belong to one entity. Where a long text is cut into windows that
overlap, `without_overlap` chooses among the entities that both windows have found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "STRATEGIES",
    "Labelled",
    "Token",
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


def read_tokens(
    row: Mapping[str, Any],
    probabilities: np.ndarray[Any, Any],  # [S, C]
    text: str,
    unk_token: str,
) -> list[Token]:
    """Lead the tokens of a row back to the text, without those that frame it.

    A token continues a word unless there is a space before it, or it begins with one. So words are
    what spaces separate: ``"(Paris),"`` is one. This is the heuristic of transformers for every
    tokenizer whose tokens do not say themselves whether they continue a word. In place of the
    unknown token, the characters themselves are shown.
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
    """Glue tokens to words."""
    words: list[list[Token]] = []
    for token in tokens:
        if words and token.continues:
            words[-1].append(token)
        else:
            words.append([token])
    return words


def label_of(word: Sequence[Token], strategy: str, labels: Mapping[int, str]) -> Labelled:
    """Give a word its most probable label.

    The probabilities that count are those of the first token, with the strategy ``"max"`` those of
    the token with the highest, and with ``"average"`` the mean of all.
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

    With the strategy ``"none"`` each token is one; with ``"simple"`` tokens next to each other with
    one label are one, and with the others words, which `label_of` gives their labels.
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

    What was found in several windows is put in the order of the text.

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
