"""Suspects of the embeddings: rows of other ids, sums of other parts, other scales."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...functional import embedding
from ..bounded import Numbers
from .ids import positions, types
from .place import Place
from .table import Guess, suspect

_MOST_IDS = 64  # of the vocabulary, whose rows are looked for


@suspect("embeddings.word_embeddings")
def _words(place: Place) -> Iterator[Guess]:
    table, ids = place.weight("embeddings.word_embeddings.weight"), place.numbers("input_ids")
    root = math.sqrt(place.config.hidden_size)
    yield Guess("embeddings are multiplied by sqrt(H)", lambda: place.own * root)
    if ids is None:
        return
    pad, n = place.config.pad_token_id, place.config.vocab_size
    for text, other in (("one more", ids + 1), ("one less", ids - 1)):
        if other.min() >= 0 and other.max() < n:
            yield Guess(
                f"rows are those of the ids {text}",
                lambda other=other: embedding(table, place.world.convert(other)),
            )
    yield Guess(
        "the row of padding is 0",
        lambda: place.own * place.world.convert((ids != pad)[..., None].astype(np.float64)),
    )
    yield from _other_rows(place, ids)


def _other_rows(place: Place, ids: Numbers) -> Iterator[Guess]:
    """Find out whose rows the port has, where it has those of other ids."""
    if place.port is None:
        return
    table = place.world.weights[place.name + ".weight"]
    own = table[ids]
    if place.port.shape != own.shape:
        return
    wrong = np.unique(ids[(place.port != own).any(axis=-1)])
    yield from _mixed_rows(place, ids, wrong)
    found = dict(_whose(place.port, ids, wrong[:_MOST_IDS], table))
    if not found or len(wrong) > _MOST_IDS:
        return
    told = ", ".join(f"{i} has that of {j}" for i, j in sorted(found.items())[:6])
    swapped = np.array([found.get(int(i), int(i)) for i in ids.ravel()]).reshape(ids.shape)
    yield Guess(
        f"rows of the vocabulary are permuted: id {told}",
        lambda: place.world.convert(table[swapped]),
    )


def _mixed_rows(place: Place, ids: Numbers, wrong: Numbers) -> Iterator[Guess]:
    """Find rows whose numbers are all there, but in another order."""
    port, table = place.port, place.world.weights[place.name + ".weight"]
    assert port is not None
    rows = table[ids]
    is_wrong = np.isin(ids, wrong)
    if not np.array_equal(np.sort(port[is_wrong]), np.sort(rows[is_wrong])):
        return
    told = ", ".join(str(i) for i in wrong[:6])
    text = f"rows of the vocabulary have their numbers permuted: of id {told}"
    yield Guess(text, lambda: place.world.convert(np.where(is_wrong[..., None], port, rows)))


def _whose(
    port: Numbers, ids: Numbers, wrong: Numbers, table: Numbers
) -> Iterator[tuple[int, int]]:
    for i in wrong:
        row = port[ids == i][0]
        (same,) = np.nonzero((table == row).all(axis=-1))
        if len(same):
            yield int(i), int(same[0])


@suspect("embeddings.position_embeddings")
def _position_rows(place: Place) -> Iterator[Guess]:
    table, own = (
        place.weight("embeddings.position_embeddings.weight"),
        place.numbers("position_ids"),
    )
    if own is None:
        return
    for text, ids in positions(place, own):
        yield Guess(text, lambda ids=ids: embedding(table, place.world.convert(ids)))


@suspect("embeddings.token_type_embeddings")
def _type_rows(place: Place) -> Iterator[Guess]:
    table = place.weight("embeddings.token_type_embeddings.weight")
    own = place.numbers("token_type_ids")
    if own is None:
        return
    for text, ids in types(place, own):
        yield Guess(text, lambda ids=ids: embedding(table, place.world.convert(ids)))


@suspect("embeddings.sum")
def _sum(place: Place) -> Iterator[Guess]:
    parts = {
        name: place.at(f"embeddings.{name}_embeddings")
        for name in ("word", "token_type", "position")
        if place.has(f"embeddings.{name}_embeddings")
    }
    root = math.sqrt(place.config.hidden_size)
    word = parts["word"]
    yield Guess("embeddings are multiplied by sqrt(H)", lambda: place.own + (root - 1) * word)
    yield Guess("the sum of embeddings is multiplied by sqrt(H)", lambda: place.own * root)
    for name in parts:
        rest = [part for other, part in parts.items() if other != name]
        words = f"the {name.replace('_', ' ')} embeddings are"
        yield Guess(f"{words} left out", lambda rest=rest: sum(rest[1:], start=rest[0]))
        yield Guess(f"{words} added twice", lambda name=name: place.own + parts[name])


@suspect("embeddings")
def _embeddings(place: Place) -> Iterator[Guess]:
    yield Guess("there is no layer norm", lambda: place.at("embeddings.sum"))
    root = math.sqrt(place.config.hidden_size)
    yield Guess("embeddings are multiplied by sqrt(H)", lambda: place.own * root)
