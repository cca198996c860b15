"""Suspects of what is read: the ids, the positions, the mask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np

from ...arrays import Array
from ..bounded import Numbers
from .place import Place, numbers_in
from .table import Guess, Makes, among, suspect

__all__ = ["positions", "types"]


@suspect("position_ids", "token_type_ids")
def _counted_otherwise(place: Place) -> Iterable[Guess]:
    others = positions if place.bare == "position_ids" else types
    found = others(place, numbers_in(place.own))
    makes = {text: partial(place.world.convert, ids) for text, ids in found}
    return among(makes, is_far_fetched=True)  # it is the rows that count for what follows


@suspect("input_ids")
def _ids(place: Place) -> Makes:
    ids, convert = numbers_in(place.own), place.world.convert
    return {
        "each id stands one place later": lambda: _rolled(place, ids, 1),
        "each id stands one place earlier": lambda: _rolled(place, ids, -1),
        "each id is one more": lambda: convert(ids + 1),
        "each id is one less": lambda: convert(ids - 1),
    }


def _rolled(place: Place, ids: Numbers, steps: int) -> Array:
    """Compare where the shift leaves something, and take the port's numbers elsewhere."""
    rolled = np.roll(ids, steps, axis=-1)
    if place.port is not None:
        edge = 0 if steps == 1 else -1
        rolled[..., edge] = place.port[..., edge]
    return place.world.convert(rolled)


@suspect("attend")
def _attend(place: Place) -> Makes:
    attend, convert = numbers_in(place.own), place.world.convert
    length, n_keys = attend.shape[-2:]
    back = np.tri(length, n_keys, n_keys - length, dtype=bool)
    ahead = np.tri(length, n_keys, n_keys - length - 1, dtype=bool)
    mask = place.numbers("attention_mask")
    seen = np.bool_(True) if mask is None or mask.ndim != 2 else mask[:, None, None, :] != 0
    makes = {
        "nothing is masked": np.ones_like(attend),
        "the mask is inverted": ~attend,
        "the mask is transposed": attend.swapaxes(-1, -2),
        "the causal mask is left out": np.broadcast_to(seen, attend.shape),
        "padding is not masked, ahead is": np.broadcast_to(back, attend.shape),
        "the causal mask hides a token from itself": attend & ahead,
    }
    few = list(makes)[: None if length > 1 else 2]  # of a mask that is the same for all queries
    return {text: partial(convert, makes[text]) for text in few}


def positions(place: Place, own: Numbers) -> Iterator[tuple[str, Numbers]]:
    """Give the positions that a port may count in the wrong way."""
    rows = place.config.max_position_embeddings
    for text, counted in (_counted(place, own) | _of_attention_mask(place, own)).items():
        ids = np.broadcast_to(counted, own.shape)
        if ids.min() >= 0 and ids.max() < rows and not np.array_equal(ids, own):
            yield f"positions are {text}", ids.astype(own.dtype)


def _counted(place: Place, own: Numbers) -> dict[str, Numbers]:
    pad, row = place.config.pad_token_id, np.arange(own.shape[-1])
    read = place.numbers("input_ids")
    tokens = own != pad if read is None else (read != pad)
    count = np.cumsum(tokens, axis=1)
    before = np.max(np.where(tokens, own - count - pad, 0), axis=1, keepdims=True)
    behind = f"not behind padding_idx {pad}"
    counted = {
        "one more": own + 1,
        "one more, but of padding": own + tokens,
        "one less": own - 1,
        "one less, but of padding": own - tokens,
        "counted through padding": row + before + pad + 1,
        f"counted from 0, {behind}": row + before,
        f"counted from 1, {behind}": row + before + 1,
        "counted from 0, over tokens alone": np.maximum(count + before - 1, 0),
        "those of tokens without padding_idx added": (count + before) * tokens,
        "counted over tokens, but padding has that of the token before": count + before + pad,
        "not advanced by the tokens before": np.where(tokens, own - before, own),
    }
    for other in {0, 1, 2, 3} - {pad} if read is not None else ():
        is_token = read != other
        text = f"counted with padding_idx {other}, not {pad}"
        counted[text] = np.cumsum(is_token, axis=1) * is_token + other + before * is_token
    return counted


def _of_attention_mask(place: Place, own: Numbers) -> dict[str, Numbers]:
    pad, mask = place.config.pad_token_id, place.numbers("attention_mask")
    if mask is None or mask.ndim != 2:
        return {}
    new = slice(mask.shape[1] - own.shape[1], None)
    count, mask = np.cumsum(mask != 0, axis=1)[:, new], (mask != 0)[:, new]
    counted = "counted from the attention mask"
    return {
        counted: count * mask + pad,
        f"{counted}, padding going on": count + pad,
        f"{counted}, from 0": np.maximum(count - 1, 0),
        f"{counted}, from 0, those masked being 1": np.where(mask, count - 1, 1),
        f"{counted}, without padding_idx added": count * mask,
    }


def types(place: Place, own: Numbers) -> Iterator[tuple[str, Numbers]]:
    """Give the token types that a port may have in place of its own."""
    kinds = place.config.type_vocab_size
    changed = {
        "token types are one more": own + 1,
        "token types are one less": own - 1,
        "token types are one more, the last becoming the first": (own + 1) % kinds,
        "token types are one more, but for the last": np.minimum(own + 1, kinds - 1),
        "token types are ignored: all are 0": np.zeros_like(own),
        "all token types are 1": np.ones_like(own),
        "token types 0 and 1 are exchanged": np.where(own < 2, 1 - own, own),
    }
    for text, ids in changed.items():
        if ids.min() >= 0 and ids.max() < kinds and not np.array_equal(ids, own):
            yield text, ids
