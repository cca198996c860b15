"""Suspects of the linear maps: other weights, another input, fewer digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from ...arrays import Array, array_namespace
from ...attention import split_heads
from ...functional import linear
from ..bounded import Numbers
from .place import Place
from .states import PRE_NORM, normed_first, other_states, residual_of
from .table import Guess, Makes, suspect

__all__ = ["MAPS", "Map", "as_rows", "map_of"]

MAPS = (
    *("*self.query", "*self.key", "*self.value", "*dense", "lm_head.logits"),
    *("classifier.logits", "qa_outputs.logits"),
)
_PROJECTIONS = ("query", "key", "value")
_HEADS = tuple(f"*self.{name}" for name in _PROJECTIONS)


class Map(NamedTuple):
    """A linear map: what it is given, its weights, and what is done with the result."""

    x: Array
    weight: Array
    bias: Array
    shaped: Callable[[Array], Array]

    def made(
        self, x: Array | None = None, weight: Array | None = None, bias: Array | None = None
    ) -> Array:
        """Compute it, with something in place of its own."""
        x, weight = self.x if x is None else x, self.weight if weight is None else weight
        return self.shaped(linear(x, weight, self.bias if bias is None else bias))


def map_of(place: Place) -> Map:
    """Find the map that a step is."""
    if place.bare == "lm_head.logits":
        weight, bias = _decoder(place), place.weight("lm_head.bias")
    else:
        weight, bias = (place.weight(f"{_owner(place)}.{part}") for part in ("weight", "bias"))
    if weight.ndim != 2:  # of a layer norm
        raise KeyError(place.name)
    return Map(_input(place), weight, bias, _shape_of(place))


def as_rows(place: Place, numbers: Numbers) -> Numbers:
    """Give numbers of the shape of a map's result as rows, before heads are split. [..., O]."""
    if place.bare.endswith(_PROJECTIONS):
        batch, n_heads, length, size = numbers.shape
        numbers = numbers.transpose(0, 2, 1, 3).reshape(batch, length, n_heads * size)
    return numbers.reshape(-1, numbers.shape[-1])


def _as_is(y: Array) -> Array:
    return y


def _decoder(place: Place) -> Array:
    tied = place.config.tie_word_embeddings
    words = f"{place.world.prefix}embeddings.word_embeddings.weight"
    return place.world.weight(words if tied else "lm_head.decoder.weight")


def _owner(place: Place) -> str:
    """Name the part of the checkpoint that has the weights."""
    if place.bare == "classifier.logits":
        is_deep = place.has_weight("classifier.out_proj.weight")
        return "classifier.out_proj" if is_deep else "classifier"
    return place.bare.removesuffix(".logits")


def _input(place: Place) -> Array:
    if place.bare in ("crossattention.self.key", "crossattention.self.value"):
        return place.world.convert(place.world.arguments["encoder_hidden_states"])
    for before in _INPUTS.get(place.bare, ()):
        name = place.world.prefix + before if before == "pooler" else before
        if place.has(name):
            return place.at(name)
    hidden = residual_of(place)
    return hidden[:, 0, :] if place.bare == "pooler.dense" else hidden


#: What a map is of, whichever there is; the others are of what their block was given.
_INPUTS = {
    "attention.output.dense": ("attention.self.context",),
    "crossattention.output.dense": ("crossattention.self.context",),
    "output.dense": ("intermediate",),
    "lm_head.logits": ("lm_head.layer_norm",),
    "classifier.dense": ("classifier.input",),
    "classifier.logits": ("classifier.tanh", "classifier.input", "pooler"),
}


def _shape_of(place: Place) -> Callable[[Array], Array]:
    if place.bare.endswith(_PROJECTIONS):
        return lambda y: split_heads(y, place.own.shape[1])
    if place.bare == "classifier.logits" and place.own.shape[-1] > 1:
        is_choice = place.weight(f"{_owner(place)}.weight").shape[0] == 1
        if is_choice:  # one score a choice, side by side
            return lambda y: array_namespace(y).reshape(y, tuple(place.own.shape))
    return _as_is


@suspect(*MAPS)
def _weights(place: Place) -> Makes:
    own = map_of(place)
    xp, (n_out, n_in) = array_namespace(own.weight), own.weight.shape
    turned = xp.matrix_transpose(own.weight)
    misread = xp.matrix_transpose(xp.reshape(own.weight, (n_in, n_out)))
    return {
        "the bias is left out": lambda: own.shaped(linear(own.x, own.weight)),
        "the bias is added twice": lambda: own.made(bias=own.bias + own.bias),
        "the weight is transposed": lambda: own.made(weight=turned),
        "the weight is read as [in, out], but stored as [out, in]": lambda: own.made(
            weight=misread if n_in != n_out else own.weight
        ),
        "there is nothing but the bias": lambda: own.made(x=own.x * 0.0),
    }


@suspect(*_HEADS)
def _projections(place: Place) -> Iterable[Guess]:
    own = map_of(place)
    block, _, name = place.bare.rpartition(".")
    for other in _PROJECTIONS:
        if other != name:
            pair = (place.weight(f"{block}.{other}.{part}") for part in ("weight", "bias"))
            make = partial(own.made, None, *pair)
            first, second = sorted((name, other))
            yield Guess(f"the weights are those of {other}", make)
            yield Guess(f"{first} and {second} are exchanged", make)
    batch, n_heads, length, size = place.own.shape
    projected = linear(own.x, own.weight, own.bias)  # [B, S, N D]
    xp = array_namespace(projected)
    yield Guess(
        "its heads are split without transpose",
        lambda: xp.reshape(projected, (batch, n_heads, length, size)),
    )
    yield Guess(
        "heads are split along the wrong axis: D and N are exchanged",
        lambda: xp.permute_dims(
            xp.reshape(projected, (batch, length, size, n_heads)), (0, 3, 1, 2)
        ),
    )


@suspect(*_HEADS, "*dense")
def _other_layers(place: Place) -> Iterable[Guess]:
    own = map_of(place)
    for text, j in place.other_layers():
        pair = (place.weight(f"{place.bare}.{part}", j) for part in ("weight", "bias"))
        yield Guess(text, partial(own.made, None, *pair))


@suspect("attention.self.*", "crossattention.self.query", "intermediate.dense")
def _normed_first(place: Place) -> Iterable[Guess]:
    own = map_of(place)
    for text, hidden in (*other_states(place), (PRE_NORM, own.x)):
        if text == PRE_NORM:
            yield Guess(text, lambda x=hidden: own.made(normed_first(place, x)))


@suspect(
    *("attention.self.*", "crossattention.self.query", "intermediate.dense", "lm_head.dense"),
    *("pooler.dense", "classifier.logits", "qa_outputs.logits"),
)
def _other_states(place: Place) -> Iterable[Guess]:
    own = map_of(place)
    for text, hidden in other_states(place):
        if text != PRE_NORM or place.layer is None:
            x = hidden[:, 0, :] if place.bare == "pooler.dense" else hidden
            yield Guess(text, partial(own.made, x))


@suspect(*_HEADS, "*dense", "classifier.logits", "lm_head.logits")
def _other_inputs(place: Place) -> Iterable[Guess]:
    own = map_of(place)
    if place.bare in ("pooler.dense", "classifier.dense"):
        return
    for name, x in place.alike(own.x):
        if place.bare != "lm_head.logits" or name.startswith("lm_head."):
            text, is_rare = place.said_of(name, "its input is")
            yield Guess(text, partial(own.made, x), is_far_fetched=is_rare)
