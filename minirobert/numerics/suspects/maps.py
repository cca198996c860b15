"""Suspects of the linear maps: other weights, another input, fewer digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...arrays import Array, array_namespace
from ...attention import split_heads
from ...functional import linear
from ..bounded import Numbers
from .place import Place
from .states import PRE_NORM, normed_first, other_states, residual_of
from .table import Guess, suspect

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

    def without_bias(self) -> Array:
        """Compute it without its bias."""
        return self.shaped(linear(self.x, self.weight))


def map_of(place: Place) -> Map:
    """Find the map that a step is.

    Raises
    ------
    KeyError
        If what it needs is not there.
    """
    if place.bare == "lm_head.logits":
        return Map(
            place.at("lm_head.layer_norm"), _decoder(place), place.weight("lm_head.bias"), _as_is
        )
    weight, bias = (place.weight(f"{_owner(place)}.{part}") for part in ("weight", "bias"))
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
    bare = place.bare
    if bare.startswith("crossattention.self.") and not bare.endswith("query"):
        return place.world.convert(place.world.arguments["encoder_hidden_states"])
    if bare == "crossattention.self.query":
        return place.at("attention.output.LayerNorm")
    if bare.startswith("attention.self."):
        return place.state()
    if bare.endswith("attention.output.dense"):
        return place.at(bare.replace("output.dense", "self.context"))
    if bare == "intermediate.dense":
        return residual_of(place)
    return place.at("intermediate") if bare == "output.dense" else _input_of_head(place)


def _input_of_head(place: Place) -> Array:
    bare = place.bare
    if bare == "classifier.logits":
        for name in ("classifier.tanh", "classifier.input"):
            if place.has(name):
                return place.at(name)
        return place.world.seen[f"{place.world.prefix}pooler"]
    if bare == "classifier.dense":
        return place.at("classifier.input")
    return place.state()[:, 0, :] if bare == "pooler.dense" else place.state()


def _shape_of(place: Place) -> Callable[[Array], Array]:
    if place.bare.endswith(_PROJECTIONS):
        return lambda y: split_heads(y, place.own.shape[1])
    if place.bare == "classifier.logits" and place.own.shape[-1] > 1:
        is_choice = place.weight(f"{_owner(place)}.weight").shape[0] == 1
        if is_choice:  # one score a choice, side by side
            return lambda y: array_namespace(y).reshape(y, tuple(place.own.shape))
    return _as_is


@suspect(*MAPS)
def _bias_and_transpose(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    yield Guess("the bias is left out", own.without_bias)
    yield Guess("the bias is added twice", lambda: own.made(bias=own.bias + own.bias))
    if own.weight.shape[0] == own.weight.shape[1]:
        turned = array_namespace(own.weight).matrix_transpose(own.weight)
        yield Guess("the weight is transposed", lambda: own.made(weight=turned))
    yield Guess("there is nothing but the bias", lambda: own.made(x=own.x * 0.0))


@suspect(*_HEADS)
def _projections(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    block, _, name = place.bare.rpartition(".")
    for other in _PROJECTIONS:
        if other != name:
            weight, bias = (place.weight(f"{block}.{other}.{part}") for part in ("weight", "bias"))
            first, second = sorted((name, other))
            for text in (
                f"the weights are those of {other}",
                f"{first} and {second} are exchanged",
            ):
                yield Guess(text, lambda w=weight, b=bias: own.made(weight=w, bias=b))
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
def _other_layers(place: Place) -> Iterator[Guess]:
    if place.layer is None:
        return
    own = map_of(place)
    for j in range(place.n_layers):
        if j != place.layer:
            weight, bias = (place.weight(f"{place.bare}.{part}", j) for part in ("weight", "bias"))
            if weight.shape == own.weight.shape:
                yield Guess(
                    f"the weights are those of layer {j}",
                    lambda weight=weight, bias=bias: own.made(weight=weight, bias=bias),
                )


@suspect("attention.self.*", "crossattention.self.query", "intermediate.dense")
def _normed_first(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    for text, hidden in other_states(place):
        if text == PRE_NORM:
            yield Guess(text, lambda x=hidden: own.made(x=normed_first(place, x)))
    yield Guess(PRE_NORM, lambda: own.made(x=normed_first(place, own.x)))


@suspect(
    *("attention.self.*", "crossattention.self.query", "intermediate.dense", "lm_head.dense"),
    *("pooler.dense", "classifier.logits", "qa_outputs.logits"),
)
def _other_states(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    for text, hidden in other_states(place):
        if text != PRE_NORM or place.layer is None:
            x = hidden[:, 0, :] if place.bare == "pooler.dense" else hidden
            yield Guess(text, lambda x=x: own.made(x=x))


@suspect(*_HEADS, "*dense", "classifier.logits", "lm_head.logits")
def _other_inputs(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    if place.bare in ("pooler.dense", "classifier.dense"):
        return
    for name, x in place.alike(own.x):
        if place.bare != "lm_head.logits" or name.startswith("lm_head."):
            text, is_rare = _said_of_input(place, name)
            yield Guess(text, lambda x=x: own.made(x=x), is_far_fetched=is_rare)
    if place.bare == "attention.output.dense":
        value = place.at("attention.self.value")
        batch, n_heads, length, size = value.shape
        merged = array_namespace(value).reshape(value, (batch, length, n_heads * size))
        yield Guess(
            "its input is the values, heads merged without transpose", lambda: own.made(x=merged)
        )


def _said_of_input(place: Place, name: str) -> tuple[str, bool]:
    """Tell of another input, and whether there is no reason to think of it."""
    last = place.n_layers if place.layer is None else place.layer
    for layer in range(last):
        if name == place.state_name(layer):
            skipped = last - layer
            words = "a layer is" if skipped == 1 else f"{skipped} layers are"
            return f"{words} skipped: its input is what that was given", False
    return f"its input is {place.told(name)}", True
