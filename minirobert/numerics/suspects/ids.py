"""Suspects of what is read: the ids, the positions, the mask."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arrays import Array
from ..bounded import Numbers
from .place import Place, numbers_in
from .table import Guess, suspect

__all__ = ["positions", "types"]


@suspect("position_ids")
def _positions(place: Place) -> Iterator[Guess]:
    for text, ids in positions(place, numbers_in(place.own)):
        yield Guess(text, lambda ids=ids: place.world.convert(ids))


@suspect("token_type_ids")
def _types(place: Place) -> Iterator[Guess]:
    for text, ids in types(place, numbers_in(place.own)):
        yield Guess(text, lambda ids=ids: place.world.convert(ids))


@suspect("input_ids")
def _ids(place: Place) -> Iterator[Guess]:
    ids = numbers_in(place.own)
    for steps in (1, -1):
        way = "later" if steps == 1 else "earlier"
        yield Guess(f"each id stands one place {way}", lambda k=steps: _rolled(place, ids, k))
        more = "more" if steps == 1 else "less"
        yield Guess(f"each id is one {more}", lambda k=steps: place.world.convert(ids + k))


def _rolled(place: Place, ids: Numbers, steps: int) -> Array:
    """Compare where the shift leaves something, and take the port's numbers elsewhere."""
    rolled = np.roll(ids, steps, axis=-1)
    if place.port is not None:
        edge = 0 if steps == 1 else -1
        rolled[..., edge] = place.port[..., edge]
    return place.world.convert(rolled)


@suspect("attend")
def _attend(place: Place) -> Iterator[Guess]:
    attend = numbers_in(place.own)
    length = attend.shape[-1]
    convert = place.world.convert
    yield Guess("nothing is masked", lambda: convert(np.ones_like(attend)))
    yield Guess("the mask is inverted", lambda: convert(~attend))
    if attend.shape[-2] > 1:
        yield Guess("the mask is transposed", lambda: convert(attend.swapaxes(-1, -2)))
        back = np.tri(attend.shape[-2], length, length - attend.shape[-2], dtype=bool)
        yield Guess(
            "the causal mask is left out", lambda: convert(_of_mask(place, np.ones_like(back)))
        )
        yield Guess(
            "padding is not masked, ahead is", lambda: convert(np.broadcast_to(back, attend.shape))
        )
        ahead = np.tri(*back.shape, length - attend.shape[-2] - 1, dtype=bool)
        yield Guess("the causal mask hides a token from itself", lambda: convert(attend & ahead))


def _of_mask(place: Place, base: Numbers) -> Numbers:
    mask = place.numbers("attention_mask")
    if mask is None or mask.ndim != 2:
        return np.broadcast_to(base, place.own.shape)
    return np.broadcast_to(base & (mask[:, None, None, :] != 0), place.own.shape)


def positions(place: Place, own: Numbers) -> Iterator[tuple[str, Numbers]]:
    """Give the positions that a port may count in the wrong way.

    Parameters
    ----------
    place : Place
    own : NumPy array of shape [B, S]
        The right ones.

    Yields
    ------
    text : str
    ids : NumPy array of shape [B, S]
    """
    rows = place.config.max_position_embeddings
    for text, ids in _counted(place, own):
        ids = np.broadcast_to(ids, own.shape)
        if ids.min() >= 0 and ids.max() < rows and not np.array_equal(ids, own):
            yield f"positions are {text}", ids.astype(own.dtype)


def _counted(place: Place, own: Numbers) -> Iterator[tuple[str, Numbers]]:
    pad, row = place.config.pad_token_id, np.arange(own.shape[-1])
    read = place.numbers("input_ids")
    tokens = own != pad if read is None else (read != pad)
    count = np.cumsum(tokens, axis=1)
    before = np.max(np.where(tokens, own - count - pad, 0), axis=1, keepdims=True)
    behind = f"not behind padding_idx {pad}"
    yield "one more", own + 1
    yield "one more, but of padding", own + tokens
    yield "one less", own - 1
    yield "one less, but of padding", own - tokens
    yield "counted through padding", row + before + pad + 1
    yield f"counted from 0, {behind}", row + before
    yield f"counted from 1, {behind}", row + before + 1
    yield "counted from 0, over tokens alone", np.maximum(count + before - 1, 0)
    yield "those of tokens without padding_idx added", (count + before) * tokens
    yield "counted over tokens, but padding has that of the token before", count + before + pad
    yield "not advanced by the tokens before", np.where(tokens, own - before, own)
    yield "counted from the end", np.flip(row) + pad + 1
    yield "all the same", np.full_like(own, own[0, 0])
    yield from _of_attention_mask(place, own, pad)
    for other in {0, 1, 2, 3} - {pad}:
        if read is not None:
            is_token = read != other
            counted = np.cumsum(is_token, axis=1) * is_token + other
            yield f"counted with padding_idx {other}, not {pad}", counted + before * is_token


def _of_attention_mask(place: Place, own: Numbers, pad: int) -> Iterator[tuple[str, Numbers]]:
    mask = place.numbers("attention_mask")
    if mask is None or mask.ndim != 2:
        return
    mask = (mask != 0).astype(np.int64)
    new = slice(mask.shape[1] - own.shape[1], None)
    count, mask = np.cumsum(mask, axis=1)[:, new], mask[:, new]
    yield "counted from the attention mask", count * mask + pad
    yield "counted from the attention mask, padding going on", count + pad
    yield "counted from the attention mask, from 0", np.maximum(count - 1, 0)
    yield (
        "counted from the attention mask, from 0, those masked being 1",
        (count - 1) * mask + 1 - mask,
    )
    yield "counted from the attention mask, without padding_idx added", count * mask


def types(place: Place, own: Numbers) -> Iterator[tuple[str, Numbers]]:
    """Give the token types that a port may have in place of its own.

    Parameters
    ----------
    place : Place
    own : NumPy array of shape [B, S]

    Yields
    ------
    text : str
    ids : NumPy array of shape [B, S]
    """
    kinds = place.config.type_vocab_size
    changed = {
        "token types are one more": own + 1,
        "token types are one less": own - 1,
        "token types are one more, the last becoming the first": (own + 1) % kinds,
        "token types are ignored: all are 0": np.zeros_like(own),
        "all token types are 1": np.ones_like(own),
        "token types 0 and 1 are exchanged": np.where(own < 2, 1 - own, own),
    }
    for text, ids in changed.items():
        if ids.min() >= 0 and ids.max() < kinds and not np.array_equal(ids, own):
            yield text, ids
    clipped = np.minimum(own + 1, kinds - 1)
    if own.max() + 1 >= kinds and not np.array_equal(clipped, own):
        yield "token types are one more, but for the last", clipped
