"""Suspects of the heads: what they are made of, and the decoder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ...arrays import Array, array_namespace
from ...functional import log_softmax, softmax
from ..bounded import BoundedArray, Numbers
from .maps import map_of
from .place import Place, numbers_in, told_pairs
from .states import other_states
from .table import Guess, Make, Makes, among, suspect

_FEW = 4  # of so many numbers there is little doubt that they are integers
_MOST_WORDS = 32  # whose scores are looked for among those of others


@suspect("classifier.input")
def _other_input(place: Place) -> Iterator[Guess]:
    is_first = place.own.ndim == 2
    for text, hidden in other_states(place):
        yield Guess(text, lambda x=hidden: x[:, 0, :] if is_first else x)
    yield from among(_tokens(place) if is_first else {})


@suspect("pooler.dense")
def _other_tokens(place: Place) -> Makes:
    own = map_of(place)
    tokens = _tokens(place).items()
    return {text: lambda make=make: own.made(make()) for text, make in tokens}


def _tokens(place: Place) -> dict[str, Make]:
    """Give what a summary of a text may be made of in place of its first token. [B, H]."""
    hidden, ids, mask = place.state(), place.numbers("input_ids"), place.numbers("attention_mask")
    xp = array_namespace(hidden)
    makes: dict[str, Make] = {
        "it is of the last token, not the first": lambda: hidden[:, -1, :],
        "it is of the mean of all tokens": lambda: xp.mean(hidden, axis=1),
        "it is of the largest of all tokens": lambda: xp.max(hidden, axis=1),
        "it is of the second token": lambda: hidden[:, 1, :],
    }
    visible: dict[str, Numbers] = {}
    if mask is not None and mask.ndim == 2:
        visible["masked"] = np.broadcast_to(mask != 0, hidden.shape[:2])
    if ids is not None:
        visible["padding"] = ids != place.config.pad_token_id
    for what, seen in visible.items():
        last = seen.shape[1] - 1 - np.argmax(seen[:, ::-1], 1)
        share = (seen / np.maximum(seen.sum(axis=1, keepdims=True), 1))[..., None]
        weighed = partial(lambda x: xp.sum(hidden * place.world.convert(x), axis=1), share)
        makes |= {
            f"it is of the first token that is not {what}": partial(_rows, hidden, seen.argmax(1)),
            f"it is of the last token that is not {what}": partial(_rows, hidden, last),
            f"it is of the mean of the tokens that are not {what}": weighed,
        }
    return makes


def _rows(hidden: Array, at: Numbers) -> Array:
    """Take one token of each text."""
    xp = array_namespace(hidden)
    return xp.stack([hidden[b, int(at[b]), :] for b in range(hidden.shape[0])], axis=0)


@suspect("lm_head.logits")
def _other_heads(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    if not place.config.tie_word_embeddings:
        table = place.weight(f"{place.world.prefix}embeddings.word_embeddings.weight")
        yield Guess(
            "the decoder is tied to the word embeddings, and has not its own weights",
            lambda: own.made(weight=table),
        )
    yield Guess(
        "the head is left out: scores are of the hidden states", lambda: own.made(place.state())
    )
    yield from _permuted(place, numbers_in(own.bias))


@suspect("lm_head.logits", "classifier.logits", "qa_outputs.logits")
def _no_logits(place: Place) -> Makes:
    own = place.own
    return {
        "these are no logits: log_softmax was applied to them": lambda: log_softmax(own),
        "these are no logits: softmax was applied to them": lambda: softmax(own),
        "these are integers: the logits were cast or rounded": partial(_whole, place),
    }


def _whole(place: Place) -> Array:
    """Give what the port has, if that is next to what it must be, in integers."""
    port, own = place.port, numbers_in(place.own)
    if port is None or len(np.unique(port)) < _FEW:
        raise LookupError
    is_near = bool((port == np.rint(port)).all() and (abs(port - own) <= 1).all())
    return place.world.convert(port.astype(own.dtype) if is_near else own)


def _permuted(place: Place, bias: Numbers) -> Iterator[Guess]:
    """Find which words' scores are exchanged, if they are few: with their biases, or without."""
    own, port = place.own, place.port
    if port is None or not isinstance(own, BoundedArray):
        return
    budget = np.zeros(()) if own.bound is None else own.bound
    axes = tuple(range(own.ndim - 1))
    wrong = np.flatnonzero((abs(port - own.value) > budget).any(axis=axes))
    if not 0 < len(wrong) <= _MOST_WORDS:
        return
    for own_bias in (bias, np.zeros(bias.shape)):
        products, order = own.value - own_bias, np.arange(own.shape[-1])
        for i in wrong:
            off = abs((port - own_bias)[..., i, None] - products)
            (same,) = np.nonzero((off <= 2 * budget).all(axis=axes))
            order[i] = same[0] if len(same) else i
        value = products[..., order] + own_bias
        found = {int(i): int(order[i]) for i in wrong if order[i] != i}
        if found:
            yield Guess(
                f"rows of the vocabulary are permuted: id {told_pairs(found)}",
                lambda value=value: BoundedArray(value, budget, own.dtype, own.xp),
            )
