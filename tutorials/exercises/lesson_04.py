"""Exercises of lesson 4: one layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from minirobert import RobertaConfig, RobertaModel, observe, watch
from minirobert.attention import dot, merge_heads, split_heads
from minirobert.functional import ACTIVATIONS, gelu, gelu_new, layer_norm, linear, softmax
from minirobert.numerics import Comparison, compare
from minirobert.numerics.steps import formulas, in_words, kind, sources, unseen
from minirobert.observe import scope
from minirobert.parameters import build_tree, flatten, numbers_of, parameter_shapes

from .judging import Exercise, Refused, SameFunction, written

__all__ = ["EXERCISES", "SameLayer"]

LAYER = "encoder.layer.0."


def _rows(rng: np.random.Generator) -> tuple[Any, Any, Any, float]:  # -> [2, 3, 5], [5], [5], eps
    """Draw long and short rows, a constant one, and what layer norm needs besides."""
    x = rng.normal(1, 1, (2, 3, 5)) * 10 ** rng.uniform(-2, 1, (2, 3, 1))
    x[1, 2] = 7
    eps = float(rng.choice([1e-12, 1e-5, 1e-2]))
    return x, rng.normal(1, 0.5, 5), rng.normal(0, 0.5, 5), eps


def _norm(
    x: Any, weight: Any, bias: Any, eps: float, *, ddof: int = 0, axis: int | None = -1
) -> Any:
    """Do layer norm with a mistake."""
    kept = {"axis": axis, "keepdims": True}
    return (x - x.mean(**kept)) / np.sqrt(x.var(ddof=ddof, **kept) + eps) * weight + bias


def _eps_outside(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / (x.std(axis=-1, keepdims=True) + eps) * weight + bias


def _without_eps(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    with np.errstate(invalid="ignore"):
        return _norm(x, weight, bias, 0.0)


def _drawn_curve(rng: np.random.Generator) -> tuple[Any, Any]:  # -> [300], [300]
    """Draw inputs in float32, and what one of four activations makes of them."""
    x = rng.normal(0, rng.uniform(1, 3), 300).astype(np.float32)
    return x, ACTIVATIONS[_CURVES[int(rng.integers(4))]](x)


_CURVES = ("gelu", "gelu_new", "quick_gelu", "relu")


def _nearest_curve(x: Any, y: Any) -> str:
    return min(_CURVES, key=lambda name: np.abs(ACTIVATIONS[name](x) - y).max())


def _first_close_curve(x: Any, y: Any) -> str:
    return next(name for name in _CURVES if np.allclose(ACTIVATIONS[name](x), y, atol=1e-2))


def _size(rng: np.random.Generator) -> tuple[int, ...]:
    """Draw the numbers of words, rows of positions, hidden units, layers and inner units."""
    return tuple(int(rng.integers(low, 50)) for low in (20, 10, 8, 1, 10))


def _model_parameters(words: int, positions: int, hidden: int, layers: int, inner: int) -> int:
    """Count by the package's own table."""
    config = RobertaConfig(
        vocab_size=words,
        max_position_embeddings=positions,
        hidden_size=hidden,
        num_hidden_layers=layers,
        intermediate_size=inner,
        num_attention_heads=1,
        type_vocab_size=1,
    )
    return numbers_of(parameter_shapes(config, "RobertaModel"))


def _more(change: Callable[..., int]) -> Callable[..., int]:
    """Make the mistake to count so many parameters more than there are."""

    def wrong(words: int, positions: int, hidden: int, layers: int, inner: int) -> int:
        right = _model_parameters(words, positions, hidden, layers, inner)
        return right + change(words, hidden, layers, inner)

    return wrong


def _wide(rng: np.random.Generator) -> tuple[int, int]:
    """Draw H and I."""
    return int(rng.integers(1, 50)), int(rng.integers(1, 200))


@dataclass(frozen=True)
class SameLayer:
    """The answer is a layer: a function of (hidden, attend, layer, config) that gives [B, S, H].

    What it observes is judged tensor by tensor, each from the answer's own tensors before it, so
    that the first that is wrong can be named.
    """

    def __call__(self, answer: Any) -> None:
        if not callable(answer):
            raise Refused(
                f"  got: {written(answer)}\n  wanted: a function; give it without calling it"
            )
        model, inputs, seen = _drawn_model()
        arguments = seen["embeddings"].copy(), seen["attend"], *_layer_of(model)
        try:
            with watch() as theirs, scope(LAYER[:-1]):
                hidden = answer(*arguments)
        except Exception as error:
            raise Refused(f"  it raises {type(error).__name__}: {error}") from None
        theirs[f"{LAYER}output.LayerNorm"] = hidden
        for name, array in theirs.items():
            _check_kind(name.removeprefix(LAYER), array, seen.get(name))
        before = {name: array for name, array in seen.items() if not name.startswith("encoder")}
        result = compare(model, {**before, **inputs, **theirs}, arithmetic="float64", explain=False)
        told = _told(result)
        if told:
            raise Refused(told)

    def like(self, wrong: Callable[..., Any]) -> SameFunction:
        """Judge as if a wrong layer were right, by its output alone."""
        model, _, seen = _drawn_model()
        given = seen["embeddings"], seen["attend"], *_layer_of(model)
        return SameFunction(wrong, lambda rng: given, tolerance=1e-9, times=1)


@cache
def _drawn_model() -> tuple[RobertaModel, dict[str, Any], dict[str, Any]]:
    """Draw a model of one layer whose axes all differ, and run it on a text and a padded one."""
    config = RobertaConfig(
        vocab_size=11,
        hidden_size=12,
        num_hidden_layers=1,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=10,
        layer_norm_eps=1e-5,
    )
    rng = np.random.default_rng(3)
    drawn = RobertaModel(config, add_pooling_layer=False).params
    weights = {name: rng.normal(0.2, 0.5, a.shape) for name, a in flatten(drawn).items()}
    model = RobertaModel(config, build_tree(weights), add_pooling_layer=False)
    inputs = {
        "input_ids": np.array([[0, 5, 6, 7, 2], [0, 9, 2, 1, 1]]),
        "attention_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
    }
    with watch() as seen:
        model(**inputs)
    return model, inputs, seen


def _layer_of(model: RobertaModel) -> tuple[Any, RobertaConfig]:
    return model.params.encoder.layer[0], model.config


def _check_kind(name: str, array: Any, wanted: Any) -> None:
    """Refuse a tensor that has no such name here, or is no array of the right shape."""
    if wanted is None:
        raise Refused(f"  no tensor of a layer is named {name!r}: see the list of names")
    if array is None:
        raise Refused(f"  {name} is None: is there a return?")
    if not isinstance(array, np.ndarray) or array.shape != wanted.shape:
        raise Refused(
            f"  {name} has the shape {list(np.shape(array))}, but {list(wanted.shape)} is wanted"
        )


def _told(result: Comparison) -> str | None:
    """Tell which tensor is wrong first, and how far it is from what it was made of."""
    row = result.first
    if row is None:
        return None
    name = row.name.removeprefix(LAYER)
    axes = formulas(result.config)[kind(row.name)].axes
    lines = [
        f"  first wrong: {name}, worst at {in_words(row.at, axes)}",
        f"  got: {row.port:.4f}",
        f"  wanted: {row.expected:.4f}, from your own tensors before it",
        f"  how far: {abs(row.port - row.expected):.3g}",
    ]
    before = unseen(row.name, sources(one.name for one in result.rows), set(result.missing))
    if before:
        names = ", ".join(one.removeprefix(LAYER) for one in before)
        lines.append(f"  not observed, so the mistake may be there: {names}")
    return "\n".join(lines)


def _post(x: Any, residual: Any, norm: Callable[[Any], Any]) -> Any:
    return norm(x + residual)


def _layer(
    hidden: Any,
    attend: Any,
    layer: Any,
    config: RobertaConfig,
    *,
    divisor: str = "head_size",
    masks: bool = True,
    merge: Callable[[Any], Any] = merge_heads,
    join: Callable[..., Any] = _post,
    curve: Callable[[Any], Any] = gelu,
    second_residual: bool = True,
) -> Any:
    """Compute a layer with a mistake."""

    def close(x: Any, residual: Any, block: Any) -> Any:
        norm = partial(layer_norm, **block.LayerNorm, eps=config.layer_norm_eps)
        return join(linear(x, **block.dense), residual, norm)

    maps = layer.attention.self
    query, key, value = (
        split_heads(linear(hidden, **one), config.num_attention_heads)
        for one in (maps.query, maps.key, maps.value)
    )
    scores = dot(query, key) / math.sqrt(getattr(config, divisor, 1))
    scores = observe("attention.self.scores", scores)
    weights = observe(
        "attention.self.probabilities",
        softmax(np.where(attend, scores, -np.inf) if masks else scores),
    )
    context = observe("attention.self.context", merge(weights @ value))
    attended = close(context, hidden, layer.attention.output)
    attended = observe("attention.output.LayerNorm", attended)
    inner = observe("intermediate", curve(linear(attended, **layer.intermediate.dense)))
    return close(inner, attended if second_residual else hidden, layer.output)


def _merged_as_they_lie(context: Any) -> Any:  # [B, N, S, D] -> [B, S, N D]
    batch, heads, length, size = context.shape
    return context.reshape(batch, length, heads * size)


EXERCISES = [
    Exercise(
        number="4.1",
        title="Layer norm in two lines",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(lambda x, weight, bias, eps: _norm(x, weight, bias, eps), _rows),
        right="Each row by itself, the biased variance, and eps inside the root.",
        hint="x.mean(axis=-1, keepdims=True) gives each row its own mean, ready to be subtracted.",
        mistakes={
            "By how many is the sum of squares divided? Look for ddof in np.var's help.": (
                partial(_norm, ddof=1)
            ),
            "Is eps added to the variance, or to the deviation? Try a row of small numbers.": (
                _eps_outside
            ),
            "What is 0 / 0? One of the rows is constant.": _without_eps,
            "One mean for all rows is too few.": partial(_norm, axis=None),
        },
    ),
    Exercise(
        number="4.2",
        title="What eps takes away",
        minutes=5,
        difficulty="medium",
        judge=SameFunction(
            lambda variance, eps: math.sqrt(variance / (variance + eps)),
            lambda rng: (float(10 ** rng.uniform(-6, 1)), float(10 ** rng.uniform(-6, -1))),
        ),
        right="Where the variance is as small as eps, a third is gone: the root of 1/2 is 0.71.",
        hint="Divide a row by sqrt(variance + eps). By what is its deviation divided?",
        mistakes={
            "That is what becomes of the variance. And of the deviation?": (
                lambda variance, eps: variance / (variance + eps)
            ),
            "That would be with eps behind the root.": (
                lambda variance, eps: math.sqrt(variance) / (math.sqrt(variance) + eps)
            ),
        },
    ),
    Exercise(
        number="4.3",
        title="Which activation is it?",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_nearest_curve, _drawn_curve),
        right="Float32 tells the two GELUs apart easily, if nobody asks with a loose tolerance.",
        hint="ACTIVATIONS[name](x) is what each would give. Which comes nearest to y?",
        mistakes={
            "A tolerance of 0.01 takes the first that fits. Which fits best?": _first_close_curve,
        },
    ),
    Exercise(
        number="4.4",
        title="All parameters",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_model_parameters, _size),
        right="For roberta-base that is 124,645,632, pooler and all.",
        hint="Embeddings, L layers, pooler: print the table of one part, and compare with yours.",
        mistakes={
            "Nearly: the pooler is missing, a dense of H to H.": _more(
                lambda words, h, layers, inner: -(h * h + h)
            ),
            "Nearly: there is one row of token types, of H numbers.": _more(
                lambda words, h, layers, inner: -h
            ),
            "Nearly: the embeddings have a layer norm, too.": _more(
                lambda words, h, layers, inner: -2 * h
            ),
            "Without a head there is no decoder, and with one it is the word table again.": _more(
                lambda words, h, layers, inner: words * h
            ),
            "Each dense has a bias, as long as its output. How many of them has a layer?": _more(
                lambda words, h, layers, inner: -layers * (5 * h + inner)
            ),
            "A layer has two layer norms.": _more(lambda words, h, layers, inner: -layers * 2 * h),
        },
    ),
    Exercise(
        number="4.5",
        title="When looking costs more than half",
        minutes=5,
        difficulty="medium",
        judge=SameFunction(lambda hidden, inner: 2 * hidden + inner + 1, _wide),
        right="For roberta-base 4,609 tokens: nine times what its positions allow.",
        hint="Write 2 S² H > 4 S H² + 2 S H I, and divide by what is common.",
        mistakes={
            "That beats the feed-forward alone. The four maps of attention count, too.": (
                lambda hidden, inner: inner + 1
            ),
            "There both are equal. Half is not more than half.": lambda hidden, inner: (
                2 * hidden + inner
            ),
        },
    ),
    Exercise(
        number="4.6",
        title="A layer of your own",
        minutes=15,
        difficulty="hard",
        judge=SameLayer(),
        right="Every tensor that you observed is right, to the last digits of float64.",
        hint="Observe more tensors: the first wrong one tells which line to read again.",
        mistakes={
            "Longer vectors have larger products. What does equation 1 of Vaswani et al. do?": (
                partial(_layer, divisor="")
            ),
            "By the root of which size? Each query is compared within its own head.": (
                partial(_layer, divisor="hidden_size")
            ),
            "The second text is padded. Who keeps its tokens from looking at the padding?": (
                partial(_layer, masks=False)
            ),
            "Heads stand before tokens: [B, N, S, D]. A reshape alone does not exchange them.": (
                partial(_layer, merge=_merged_as_they_lie)
            ),
            "Which comes last in RoBERTa, the sum or the norm?": partial(
                _layer, join=lambda x, residual, norm: norm(x) + residual
            ),
            "Something is added before each norm: what was there before.": partial(
                _layer, join=lambda x, residual, norm: norm(x)
            ),
            "The second sum has a residual of its own: what the feed-forward was given.": partial(
                _layer, second_residual=False
            ),
            "The curve is close, but not near enough. Which GELU is RoBERTa's?": partial(
                _layer, curve=gelu_new
            ),
        },
    ),
]
