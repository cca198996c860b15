"""The mistakes that ports make, which the vectors must show: how the reference makes each of them.

Most are *suspects* of `minirobert.numerics.suspects`, and so are named by ``compare``, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from random import Random
from typing import NamedTuple

import numpy as np

from ...arrays import Array
from ...attention import merge_heads
from ...functional import embedding, linear
from ..replay import round_to
from ..suspects.fits import made
from ..suspects.maps import map_of
from ..suspects.place import Place, as_split, numbers_in
from ..suspects.states import normed_first
from ..suspects.table import families, of_family

__all__ = ["MISTAKES", "Mistake"]

_PROJECTIONS = ("self.query", "self.key", "self.value")
#: The cases that show nearly every mistake.
_EVERY_STEP = ("every-step", "every-step-again")
_SMALL_EPS = (*_EVERY_STEP, "eps-small")
_NO_LAYER = (*_EVERY_STEP, "no-layer")


class Mistake(NamedTuple):
    """A mistake, made wherever a port that makes it does.

    Parameters
    ----------
    name : str
    changes : mapping of str to str or callable
        By patterns of the names of tensors what takes their places: the suspect whose text begins
        so, or what a function makes of the `Place`.
    cases : tuple of str
        Those that it is tried on.
    remark : str
        Why no output shows it, if none can.
    """

    name: str
    changes: Mapping[str, str | Callable[[Place], Array]]
    cases: tuple[str, ...] = _EVERY_STEP
    remark: str = ""

    def made(self, place: Place) -> Array | None:
        """Give what a port with this mistake has at a place; None where it has what is right."""
        for pattern, change in self.changes.items():
            if fnmatchcase(f".{place.name}", f"*.{pattern}"):
                return _changed(place, change)
        return None


def _changed(place: Place, change: str | Callable[[Place], Array]) -> Array | None:
    split = as_split(place)
    if split is not place:  # the same, heads side by side
        new = _changed(split, change)
        return None if new is None else merge_heads(new)
    return _suspected(place, change) if isinstance(change, str) else change(place)


def _suspected(place: Place, text: str) -> Array | None:
    guesses = (guess for family in families(place) for guess in of_family(family, place))
    found = (made(guess, place.own) for guess in guesses if guess.text.startswith(text))
    return next(found, None)


# What no suspect makes: of some it takes a port's numbers to guess them


def _other_ids(place: Place) -> Array:  # [B, S]
    ids = numbers_in(place.own)
    return place.world.convert(np.where(ids == ids[0, 1], ids - 1, ids))


def _other_rows(place: Place) -> Array:  # [B, S, H]
    ids = numbers_in(place.world.seen["input_ids"])
    rows = place.world.convert(np.where(ids == 0, 2, ids))
    return embedding(place.weight(f"{place.bare}.weight"), rows)


def _normed_first(place: Place) -> Array:
    own = map_of(place)
    return own.made(x=normed_first(place, own.x))


def _summed(place: Place) -> Array:  # [B, S, H]
    return place.at(place.bare.replace("LayerNorm", "sum"))


def _skipped(place: Place) -> Array:  # [B, S, H]
    return place.state() if place.layer == place.n_layers - 1 else place.own


def _of_first_layer(place: Place) -> Array:  # [B, N, S, T]
    factors = place.world.arguments["head_mask"][0]
    return place.at("attention.self.probabilities") * place.world.convert(factors[:, None, None])


def _other_decoder(place: Place) -> Array:
    own = map_of(place)
    return own.made(weight=-own.weight)


def _summed_in_float16(place: Place) -> Array:
    own = map_of(place)
    sums = round_to(numbers_in(linear(own.x, own.weight)), "float16")
    return own.shaped(place.world.convert(sums) + own.bias)


def _with_dropout(place: Place) -> Array:
    x, random = numbers_in(place.own), Random(place.name)
    drawn = np.array([random.random() for _ in range(x.size)]).reshape(x.shape)
    return place.world.convert(np.where(drawn < 0.1, 0.0, x / 0.9))


def _with_nan(place: Place) -> Array:
    x = numbers_in(place.own).copy()
    x[0, 1, 2] = np.nan
    return place.world.convert(x)


_HEADS, _NORMS, _MAPS = "self.[qkv]*", "*ayer*[nN]orm", ("self.[qkv]*", "*dense", "lm_head.logits")
_POSITIONS, _FINAL = "position_ids", "encoder.layer.*.output.LayerNorm"

MISTAKES = (
    Mistake("tanh GELU for erf", {"intermediate": "the activation is gelu_new"}, _SMALL_EPS),
    Mistake("quick GELU", {"intermediate": "the activation is quick_gelu"}),
    Mistake("tanh GELU in the head", {"lm_head.gelu": "the activation is gelu_new"}, _NO_LAYER),
    Mistake("eps 1e-12", {_NORMS: "layer_norm_eps is 1e-12,"}),
    Mistake("eps 1e-6", {_NORMS: "layer_norm_eps is 1e-06,"}),
    Mistake("eps 1e-5", {_NORMS: "layer_norm_eps is 1e-05,"}, _SMALL_EPS),
    Mistake("eps outside of the root", {_NORMS: "eps is added outside the root"}),
    Mistake("unbiased variance", {_NORMS: "the variance is divided by H - 1"}),
    Mistake("positions from 0", {_POSITIONS: "positions are counted from 0, not behind"}),
    Mistake("positions by one more", {_POSITIONS: "positions are one more, but of padding"}),
    Mistake("positions by one less", {_POSITIONS: "positions are one less, but of padding"}),
    Mistake("positions through padding", {_POSITIONS: "positions are counted through padding"}),
    Mistake("positions of the mask", {_POSITIONS: "positions are counted from the attention mask"}),
    Mistake("token types by one", {"token_type_ids": "token types are one more, the last"}),
    Mistake(
        "embeddings times sqrt(H)",
        {"word_embeddings": "embeddings are multiplied by sqrt(H)"},
    ),
    Mistake("rows of the vocabulary exchanged", {"word_embeddings": _other_rows}),
    Mistake("ids without the prefix space", {"input_ids": _other_ids}),
    Mistake("mask of -10000 added", {"probabilities": "masked scores have -10000 added"}),
    Mistake("padding attended to", {"probabilities": "the mask is not applied"}),
    Mistake("no scale", {"scores": "scores are not divided by sqrt(D)"}),
    Mistake("scale twice", {"scores": "scores are divided by D"}),
    Mistake("key and value exchanged", {_HEADS: "key and value are exchanged"}),
    Mistake(
        "heads not transposed",
        dict.fromkeys(_PROJECTIONS, "its heads are split without transpose"),
    ),
    Mistake("softmax over queries", {"probabilities": "softmax is over the queries"}),
    Mistake("value without its bias", {"self.value*": "the bias is left out"}),
    Mistake(
        "key without its bias",
        {"self.key*": "the bias is left out"},
        remark="softmax does not change with what is added to all scores of a query: no output "
        "shows it, but the keys themselves do",
    ),
    Mistake("a transposed weight", {"self.query*": "the weight is transposed"}),
    Mistake("residual forgotten", {"output.sum": "the residual is left out"}),
    Mistake("residual behind the norm", {"output.LayerNorm": "the residual is added after"}),
    Mistake("norm before the attention", {_HEADS: _normed_first}),
    Mistake(
        "pre-LN",
        {_HEADS: _normed_first, "intermediate.dense": _normed_first, "output.LayerNorm": _summed},
    ),
    Mistake("dropout left on", {"output.dense": _with_dropout}),
    Mistake("a layer skipped", {_FINAL: _skipped}),
    Mistake(
        "two layers exchanged",
        {
            "layer.0.*": "the weights are those of layer 1",
            "layer.1.*": "the weights are those of layer 0",
        },
    ),
    Mistake("head without norm", {"lm_head.layer_norm": "there is no layer norm"}),
    Mistake("head with relu", {"lm_head.gelu": "the activation is relu,"}),
    Mistake("head without bias", {"lm_head.logits": "the bias is left out"}),
    Mistake("decoder not tied", {"lm_head.logits": _other_decoder}),
    Mistake("sums in float16", dict.fromkeys(_MAPS, _summed_in_float16)),
    Mistake("products in TF32", dict.fromkeys(_MAPS, "products are of factors rounded to tf32")),
    Mistake("one NaN", {"layer.*.dense": _with_nan}),
    Mistake("pooler on the last token", {"pooler.dense": "it is of the last token"}, ("base",)),
    Mistake(
        "distances turned",
        {"distance_embedding": "distances have the wrong sign"},
        ("relative-key", "relative-key-query"),
    ),
    Mistake(
        "distances of keys forgotten",
        {"scores": "distances are those of relative_key,"},
        ("relative-key-query",),
    ),
    Mistake(
        "a head mask of the wrong layer",
        {"probabilities.head_mask": _of_first_layer},
        ("head-mask-of-layers",),
    ),
)
