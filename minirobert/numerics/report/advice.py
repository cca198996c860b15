"""What a comparison means, and what to do next, in one paragraph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...sentences import listed, plain
from ..arithmetic import FORMATS
from ..steps import formulas, kind, layer, short, sources, unseen

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..rows import Row

__all__ = ["advice", "hidden_steps", "next_to_show"]

#: So many steps may well be hidden in a row: fused attention has no scores and probabilities.
FUSED = 5
#: Arguments, which the port is given and does not compute.
_GIVEN = ("input_ids", "attention_mask", "token_type_ids", "inputs_embeds", "labels")


def advice(comparison: Comparison) -> str:
    """Say in plain words what came out.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
        One paragraph on one line.
    """
    if comparison.first is not None:
        return " ".join(_departure(comparison, comparison.first))
    if comparison.verdict == "nothing":
        return (
            "Nothing could be compared: the port shows no tensor under a name that is known here. "
            "minirobert inspect --computed prints the names; give a map from yours to them."
        )
    return " ".join(_agreement(comparison))


def _departure(comparison: Comparison, first: Row) -> Iterator[str]:
    """Say which step is wrong, where its formula stands, and what follows from it."""
    name = short(first.name)
    if first.name in _GIVEN or first.name.endswith(("_mask", "_positions")):
        yield (
            f"The port has other {name} than the reference, so nothing behind says anything: give "
            "both the same."
        )
        return
    if first.reason == "shape":
        yield f"{name} has another shape than here, so it could not be compared: transpose it."
    else:
        yield f"The first step that departs is {name}."
    formula = formulas(comparison.config, comparison.architecture).get(kind(first.name))
    if formula:
        yield f"Its formula is minirobert.{formula.formula}."
    yield from _cause(first)
    for start, what in (("config:", "configurations"), ("weights:", "weights")):
        if any(note.startswith(start) for note in comparison.notes):
            yield f"The {what} differ, as is told above: make them the same first."
    hidden = hidden_steps(comparison)
    if hidden:
        yield (
            f"{_steps(len(hidden))} before it {_is(len(hidden))} not shown, so the mistake may be "
            f"there, too: write {short(next_to_show(hidden))} into the trace next, which halves "
            "the search."
        )
    elif first.reason != "shape":
        yield "The port's own inputs of this step were used, so the error is made in it."
    yield from _others(comparison, first)


def _cause(first: Row) -> Iterator[str]:
    if first.reason == "range":
        yield (
            "It has an infinite number or a NaN where there must be none: look for an overflow "
            "(float16 ends at 65504), or a division by 0."
        )
    if first.explanations:
        best = first.explanations[0]
        texts = "; or ".join(
            plain(one.text, 300)
            for one in first.explanations[:2]
            if one.is_coarse == best.is_coarse
        )
        what = "No mistake, but a loss of digits" if best.is_coarse else "A known mistake"
        yield f"{what} explains it: {texts}."


def _others(comparison: Comparison, first: Row) -> Iterator[str]:
    """Tell of the other departures, and of what only inherits the error."""
    kinds = {kind(row.name): short(row.name) for row in reversed(comparison.departing)}
    again = sum(kind(row.name) == kind(first.name) for row in comparison.departing) - 1
    if again:
        where = "layer" if layer(first.name) is not None else "call"
        yield f"The same step departs in {again} other {where}{'s' * (again > 1)}."
    others = [name for one, name in reversed(kinds.items()) if one != kind(first.name)]
    if others:
        yield f"Wrong by {'itself' if len(others) == 1 else 'themselves'}, too: {listed(others)}."
    inherited = sum(row.inherited for row in comparison.rows)
    if inherited:
        what = "1 tensor" if inherited == 1 else f"{inherited} tensors"
        yield f"{what} behind it inherit{'s' * (inherited == 1)} the error: these steps are right."


def _agreement(comparison: Comparison) -> Iterator[str]:
    """Say how sure it is that nothing is wrong."""
    if comparison.verdict == "exact":
        yield "All that is shown is the very same, number for number."
    else:
        worst = max(comparison.compared, key=lambda row: row.ratio)
        yield (
            f"Rounding in {comparison.arithmetic} explains all that is shown: no error is over "
            f"{worst.ratio:.3g} of its budget ({short(worst.name)})."
        )
    missing = [row.name for row in comparison.rows if row.verdict == "missing"]
    hidden = hidden_steps(comparison)
    if len(hidden) > FUSED:
        yield (
            f"But {_steps(len(missing)).lower()} {_is(len(missing))} not shown, up to {len(hidden)}"
            " in a row, whose errors are judged together: a small mistake may hide there. Write "
            f"{short(next_to_show(hidden))} into the trace to look closer."
        )
    elif missing:
        yield (
            f"{_steps(len(missing))} {_is(len(missing))} not shown, and judged with what is made "
            "of them."
        )
    far = [one for one in comparison.outputs if one.port > one.allowed]
    for one in far[:1]:
        yield (
            f"All the same {short(one.name)} is further from exact than rounding explains, so "
            "small mistakes add up that cannot be told from rounding one by one."
        )
    yield from _finer(comparison)


def _finer(comparison: Comparison) -> Iterator[str]:
    """Advise a finer arithmetic, in which more can be told."""
    store = FORMATS[comparison.arithmetic.store]
    if store.is_half:
        yield (
            f"In {store} mistakes as small as GELU's approximation by tanh look like rounding: to "
            "find them, run the port in float64, or in float32."
        )
    elif store.name != "float64":
        yield (
            f"What is less than rounding cannot be told in {store}, as another epsilon where "
            "variances are large: to be sure of that, run the port in float64."
        )


def hidden_steps(comparison: Comparison) -> list[str]:
    """List the steps among which to look closer: on the way to the first departure, or the most.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    list of str
        Names of what the port does not show, in the order of the computation.
    """
    made, missing = sources(row.name for row in comparison.rows), set(comparison.missing)
    ends = comparison.compared if comparison.first is None else (comparison.first,)
    return max((unseen(row.name, made, missing) for row in ends), key=len, default=[])


def next_to_show(hidden: list[str]) -> str:
    """Choose the step that halves the search: the middle one, if possible between two blocks.

    Parameters
    ----------
    hidden : list of str
        In the order of the computation.

    >>> next_to_show(["layer.0.output.LayerNorm", "layer.1.attention.self.query", "lm_head.dense"])
    'layer.0.output.LayerNorm'
    """
    blocks = [name for name in hidden if name.endswith(("LayerNorm", "embeddings"))]
    choice = blocks or hidden
    middle = len(hidden) / 2
    return min(choice, key=lambda name: abs(hidden.index(name) + 1 - middle))


def _steps(n: int) -> str:
    return "One step" if n == 1 else f"{n} steps"


def _is(n: int) -> str:
    return "is" if n == 1 else "are"
