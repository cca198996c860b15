"""Suspects of the heads: what they are made of, and the decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ...arrays import Array, array_namespace
from ..bounded import BoundedArray, Numbers
from .maps import map_of
from .place import Place, numbers_in
from .states import other_states
from .table import Guess, suspect


@suspect("classifier.input")
def _other_input(place: Place) -> Iterator[Guess]:
    is_first = place.own.ndim == 2
    for text, hidden in other_states(place):
        yield Guess(text, lambda x=hidden: x[:, 0, :] if is_first else x)
    for text, make in _tokens(place) if is_first else ():
        yield Guess(text, make)


@suspect("pooler.dense")
def _other_tokens(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    for text, make in _tokens(place):
        yield Guess(text, lambda make=make: own.made(x=make()))


def _tokens(place: Place) -> Iterator[tuple[str, Callable[..., Array]]]:
    """Give what a summary of a text may be made of in place of its first token. [B, H]."""
    hidden = place.state()
    xp = array_namespace(hidden)
    yield "it is of the last token, not the first", lambda: hidden[:, -1, :]
    yield "it is of the mean of all tokens", lambda: xp.mean(hidden, axis=1)
    yield "it is of the largest of all tokens", lambda: xp.max(hidden, axis=1)
    yield "it is of the second token", lambda: hidden[:, 1, :]
    for text, visible in _visible(place):
        visible = np.broadcast_to(visible, hidden.shape[:2])
        first, last = np.argmax(visible, 1), visible.shape[1] - 1 - np.argmax(visible[:, ::-1], 1)
        for which, at in (("first", first), ("last", last)):
            yield f"it is of the {which} token that is not {text}", lambda at=at: _rows(hidden, at)
        share = visible / np.maximum(visible.sum(axis=1, keepdims=True), 1)
        yield (
            f"it is of the mean of the tokens that are not {text}",
            lambda share=share: xp.sum(hidden * place.world.convert(share[..., None]), axis=1),
        )


def _visible(place: Place) -> Iterator[tuple[str, Numbers]]:
    ids, mask = place.numbers("input_ids"), place.numbers("attention_mask")
    if mask is not None and mask.ndim == 2:
        yield "masked", mask != 0
    if ids is not None:
        yield "padding", ids != place.config.pad_token_id


def _rows(hidden: Array, at: Numbers) -> Array:
    """Take one token of each text."""
    xp = array_namespace(hidden)
    return xp.stack([hidden[b, int(at[b]), :] for b in range(hidden.shape[0])], axis=0)


@suspect("lm_head.logits")
def _other_heads(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    words = f"{place.world.prefix}embeddings.word_embeddings.weight"
    if not place.config.tie_word_embeddings:
        table = place.world.weight(words)
        yield Guess(
            "the decoder is tied to the word embeddings, and has not its own weights",
            lambda: own.made(weight=table),
        )
    yield Guess(
        "the layer norm of the head is left out", lambda: own.made(x=place.at("lm_head.gelu"))
    )
    yield Guess(
        "the head is left out: scores are of the hidden states", lambda: own.made(x=place.state())
    )
    yield from _permuted(place)


def _permuted(place: Place) -> Iterator[Guess]:
    """Find which words' scores are exchanged, if they are few: with their biases, or without."""
    own = place.own
    if place.port is None or not isinstance(own, BoundedArray):
        return
    bias = numbers_in(map_of(place).bias)
    budget = np.zeros(()) if own.bound is None else own.bound
    off = (abs(place.port - own.value) > budget).reshape(-1, own.shape[-1])
    (wrong,) = np.nonzero(off.any(axis=0))
    if not 0 < len(wrong) <= _MOST_WORDS:
        return
    for own_bias in (bias, np.zeros(bias.shape)):
        products = own.value - own_bias
        found = dict(_whose(place.port - own_bias, products, budget, wrong))
        told = ", ".join(f"{i} has that of {j}" for i, j in sorted(found.items())[:6])
        order = np.array([found.get(k, k) for k in range(products.shape[-1])])
        value = products[..., order] + own_bias
        if found:
            yield Guess(
                f"rows of the vocabulary are permuted: id {told}",
                lambda value=value: BoundedArray(value, budget, own.dtype, own.xp),
            )


_MOST_WORDS = 32  # whose scores are looked for among those of others


def _whose(
    port: Numbers, own: Numbers, budget: Numbers, wrong: Numbers
) -> Iterator[tuple[int, int]]:
    axes = tuple(range(own.ndim - 1))
    for i in wrong:
        fits = (abs(port[..., i, None] - own) <= 2 * budget).all(axis=axes)
        (same,) = np.nonzero(fits)
        if len(same):
            yield int(i), int(same[0])
