"""Suspects of the embeddings: rows of other ids, sums of other parts, other scales."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ...functional import embedding
from ..bounded import Numbers
from .ids import positions, types
from .place import Place, told_pairs
from .table import Guess, Makes, among, suspect

_SCALED = "embeddings are multiplied by sqrt(H)"
_MOST_IDS = 64  # of the vocabulary, whose rows are looked for


@suspect("embeddings.word_embeddings")
def _words(place: Place) -> Iterator[Guess]:
    own, ids, convert = place.own, place.numbers("input_ids"), place.world.convert
    root, table = math.sqrt(place.config.hidden_size), place.weight(f"{place.bare}.weight")
    yield Guess(_SCALED, lambda: own * root)
    if ids is None:
        return
    tokens = convert((ids != place.config.pad_token_id)[..., None].astype(np.float64))
    n = place.config.vocab_size  # the rows of ids beyond it are those at the other end
    yield from among(
        {
            "rows are those of the ids one more": lambda: embedding(table, convert((ids + 1) % n)),
            "rows are those of the ids one less": lambda: embedding(table, convert((ids - 1) % n)),
            "the row of padding is 0": lambda: own * tokens,
        }
    )
    if place.port is not None and place.port.shape == own.shape:
        yield from _other_rows(place, ids, place.port)


def _other_rows(place: Place, ids: Numbers, port: Numbers) -> Iterator[Guess]:
    """Find out whose rows the port has, where it has those of other ids, or in another order."""
    table, convert = place.world.weights[place.name + ".weight"], place.world.convert
    rows = table[ids]
    wrong = np.unique(ids[(port != rows).any(axis=-1)])
    is_wrong = np.isin(ids, wrong)
    if np.array_equal(np.sort(port[is_wrong]), np.sort(rows[is_wrong])):
        told = ", ".join(str(i) for i in wrong[:6])
        text = f"rows of the vocabulary have their numbers permuted: of id {told}"
        yield Guess(text, lambda: convert(np.where(is_wrong[..., None], port, rows)))
    found: dict[int, int] = {}
    for i in wrong[:_MOST_IDS]:
        (same,) = np.nonzero((table == port[ids == i][0]).all(axis=-1))
        found |= {int(i): int(same[0])} if len(same) else {}
    if found and len(wrong) <= _MOST_IDS:
        swapped = np.vectorize(lambda i: found.get(i, i))(ids)
        text = f"rows of the vocabulary are permuted: id {told_pairs(found)}"
        yield Guess(text, lambda: convert(table[swapped]))


@suspect("embeddings.position_embeddings", "embeddings.token_type_embeddings")
def _other_ids(place: Place) -> Iterable[Guess]:
    named: dict[str, Callable[..., Iterable[tuple[str, Numbers]]]] = {
        "position_ids": positions,
        "token_type_ids": types,
    }
    name = "position_ids" if "position" in place.bare else "token_type_ids"
    table, own = place.weight(f"{place.bare}.weight"), place.numbers(name)
    for text, ids in () if own is None else named[name](place, own):
        yield Guess(text, lambda ids=ids: embedding(table, place.world.convert(ids)))


@suspect("embeddings.sum")
def _sum(place: Place) -> Iterator[Guess]:
    own, root = place.own, math.sqrt(place.config.hidden_size)
    names = ("word", "token_type", "position")
    named = {name: f"embeddings.{name}_embeddings" for name in names}
    parts = {name: place.at(full) for name, full in named.items() if place.has(full)}
    yield Guess(_SCALED, lambda: own + (root - 1) * parts["word"])
    yield Guess("the sum of embeddings is multiplied by sqrt(H)", lambda: own * root)
    for name, part in parts.items():
        rest = [one for other, one in parts.items() if other != name]
        words = f"the {name.replace('_', ' ')} embeddings are"
        yield Guess(f"{words} left out", lambda rest=rest: sum(rest[1:], start=rest[0]))
        yield Guess(f"{words} added twice", lambda part=part: own + part)


@suspect("embeddings")
def _embeddings(place: Place) -> Makes:
    own, root = place.own, math.sqrt(place.config.hidden_size)
    return {
        "there is no layer norm": lambda: place.at("embeddings.sum"),
        _SCALED: lambda: own * root,
    }
