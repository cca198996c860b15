"""Suspects of the linear maps: other weights, another input, fewer digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...arrays import Array, array_namespace
from ...attention import split_heads
from ...functional import linear
from ..bounded import BoundedArray, Numbers
from ..replay import round_to
from .place import Place
from .states import PRE_NORM, normed_first, other_states, residual_of
from .table import Guess, suspect

__all__ = ["Map", "as_rows", "map_of"]

_MAPS = (
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
        if is_choice:  # [B C, 1] -> [B, C]
            return lambda y: array_namespace(y).reshape(y, tuple(place.own.shape))
    return _as_is


@suspect(*_MAPS)
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
            yield Guess(
                f"it is the {other}: the weights are those of {other}",
                lambda weight=weight, bias=bias: own.made(weight=weight, bias=bias),
            )
    batch, n_heads, length, size = place.own.shape
    projected = linear(own.x, own.weight, own.bias)  # [B, S, N D]
    xp = array_namespace(projected)
    yield Guess(
        "heads are split without transpose",
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
            yield Guess(_said_of_input(place, name), lambda x=x: own.made(x=x))
    if place.bare == "attention.output.dense":
        value = place.at("attention.self.value")
        batch, n_heads, length, size = value.shape
        merged = array_namespace(value).reshape(value, (batch, length, n_heads * size))
        yield Guess(
            "its input is the values, heads merged without transpose", lambda: own.made(x=merged)
        )


def _said_of_input(place: Place, name: str) -> str:
    last = place.n_layers if place.layer is None else place.layer
    for layer in range(last):
        if name == place.state_name(layer):
            skipped = last - layer
            words = "a layer is" if skipped == 1 else f"{skipped} layers are"
            return f"{words} skipped: its input is what that was given"
    return f"its input is {place.told(name)}"


@suspect("classifier.input")
def _other_input(place: Place) -> Iterator[Guess]:
    is_first = place.own.ndim == 2
    for text, hidden in other_states(place):
        yield Guess(text, lambda x=hidden: x[:, 0, :] if is_first else x)
    for text, hidden in _tokens(place) if is_first else ():
        yield Guess(text, lambda make=hidden: make())


@suspect("pooler.dense")
def _other_tokens(place: Place) -> Iterator[Guess]:
    own = map_of(place)
    for text, make in _tokens(place):
        yield Guess(text, lambda make=make: own.made(x=make()))


def _tokens(place: Place) -> Iterator[tuple[str, Callable[[], Array]]]:
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
    """Find which words' scores are exchanged, if they are few."""
    if place.port is None or not isinstance(place.own, BoundedArray):
        return
    own, bound = place.own.value, place.own.bound
    assert bound is not None
    off = (abs(place.port - own) > bound).reshape(-1, own.shape[-1])
    (wrong,) = np.nonzero(off.any(axis=0))
    if not 0 < len(wrong) <= 32:
        return
    found = dict(_whose(place.port, own, bound, wrong))
    if not found:
        return
    told = ", ".join(f"{i} has that of {j}" for i, j in sorted(found.items())[:6])
    order = np.array([found.get(k, k) for k in range(own.shape[-1])])
    yield Guess(f"rows of the vocabulary are permuted: id {told}", lambda: place.own[..., order])


def _whose(
    port: Numbers, own: Numbers, bound: Numbers, wrong: Numbers
) -> Iterator[tuple[int, int]]:
    axes = tuple(range(own.ndim - 1))
    for i in wrong:
        fits = (abs(port[..., i, None] - own) <= bound).all(axis=axes)
        (same,) = np.nonzero(fits)
        if len(same):
            yield int(i), int(same[0])


@suspect(*_MAPS)
def _rounded_factors(place: Place) -> Iterator[Guess]:
    """Round what is multiplied, as hardware and files of fewer digits do."""
    own = map_of(place)
    convert = place.world.convert
    x, weight, bias = (_numbers(one) for one in (own.x, own.weight, own.bias))
    for name in ("tf32", "float16", "bfloat16"):
        narrow = convert(round_to(weight, name))
        yield Guess(f"the weight is rounded to {name}", lambda w=narrow: own.made(weight=w), True)
        if name != "tf32":
            b = convert(round_to(bias, name))
            yield Guess(
                f"weight and bias are rounded to {name}",
                lambda w=narrow, b=b: own.made(weight=w, bias=b),
                True,
            )
        factor = _like(own.x, round_to(x, name))
        yield Guess(
            f"products are of factors rounded to {name}",
            lambda w=narrow, x=factor: own.made(x=x, weight=w),
            True,
        )
    cut_x, cut_weight = _like(own.x, _cut(x)), convert(_cut(weight))
    yield Guess(
        "products are of factors cut to tf32", lambda: own.made(x=cut_x, weight=cut_weight), True
    )


def _numbers(array: Array) -> Numbers:
    return array.value if isinstance(array, BoundedArray) else np.asarray(array)


def _like(old: Array, new: Numbers) -> Array:
    """Give rounded numbers the bound of what was rounded."""
    if isinstance(old, BoundedArray):
        return BoundedArray(new, old.bound, old.dtype, old.xp, old.maps)
    return new


def _cut(x: Numbers) -> Numbers:
    """Leave out the last 13 bits of float32, without rounding."""
    bits = x.astype(np.float32).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32).astype(np.float64)


@suspect(*_MAPS)
def _eight_bits(place: Place) -> Iterator[Guess]:
    """Quantise the weight, symmetrically, for the whole of it or each row of outputs."""
    own = map_of(place)
    weight = _numbers(own.weight)
    for axis, which in ((None, "the whole"), (1, "each output")):
        largest = abs(weight).max(axis=axis, keepdims=True)
        step = np.where(largest == 0, 1.0, largest) / 127
        narrow = place.world.convert(np.rint(weight / step) * step)
        yield Guess(
            f"the weight is quantised to 8 bits, of {which}",
            lambda w=narrow: own.made(weight=w),
            True,
        )
