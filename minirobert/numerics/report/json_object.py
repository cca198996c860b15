"""A comparison as an object of JSON, for programs.

Numbers that JSON does not have are the strings ``"Infinity"``, ``"-Infinity"`` and ``"NaN"``, which
most languages read as numbers. The keys of the object, version 1:

- ``version``: ``1``; other keys may come, but none will change its meaning without another version.
- ``verdict``: ``"exact"``, ``"rounding"``, ``"departs"``, or ``"nothing"`` where nothing could be
  compared.
- ``architecture``, ``layers``, ``made_by``: the class of the model, the number of its layers, and
  what made the port's trace.
- ``config_sha256``: of the reference's configuration, its keys sorted.
- ``arithmetic``: ``{"store": …, "accumulate": …}``, formats.
- ``tensors``: in the order of the computation, objects with ``name``, ``shape``, ``dtype``;
  ``status``: ``"exact"``, ``"rounding"``, ``"departs"``, or ``"missing"``, where only name and
  shape follow; ``reason``: of a departure ``""``, ``"range"`` or ``"shape"``; the numbers of
  `minirobert.numerics.Row`: ``ratio``, ``rms_ratio``, ``max_abs``, ``mean_abs``, ``rel_to_scale``,
  ``ulp``, ``cosine``, ``bits``, ``at``, ``port``, ``expected``, ``budget``; ``axes``: what each
  index of ``shape`` and ``at`` counts; ``formula``: the function of this package that computes it;
  ``inputs``: the tensors it is computed from; ``local``: whether the port shows all of these, so
  that the error is that of this step alone; ``inherited``: whether the step is right, but what it
  was given is not; ``explanations``: ``[{"text": …, "ratio": …, "coarse": …}]``, the best first.
- ``first``: the name of the first tensor that departs, or null.
- ``groups``: departures of one kind, ``{"kind": …, "layers": …, "names": …, "explanation": …}``.
- ``missing``, ``unknown``: names that the port does not show, and such that mean nothing here.
- ``notes``: sentences on what else differs: the configuration, weights.
- ``outputs``: ``{"name": …, "port_vs_exact_u": …, "own_vs_exact_u": …, "rounding_allows_u": …}``,
  in unit roundoffs; ``own_vs_exact_u`` is null where NumPy cannot compute in the arithmetic.
- ``next``: the name of the tensor to show next, which halves the search, or null.
- ``advice``: the paragraph below the printed table.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from ..steps import formulas, kind, layer, sources
from .advice import advice, hidden_steps, next_to_show

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..rows import Row

__all__ = ["VERSION", "as_json"]

#: Of the object.
VERSION = 1

_NUMBERS = (
    *("ratio", "rms_ratio", "max_abs", "mean_abs", "rel_to_scale", "ulp", "cosine", "bits"),
    *("port", "expected", "budget"),
)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as values that strict JSON has.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
    """
    first = comparison.first
    hidden = hidden_steps(comparison)
    return {
        "version": VERSION,
        "verdict": comparison.verdict,
        "architecture": comparison.architecture,
        "layers": comparison.n_layers,
        "made_by": comparison.made_by,
        "config_sha256": _digest(comparison),
        "arithmetic": {
            "store": comparison.arithmetic.store,
            "accumulate": comparison.arithmetic.accumulate,
        },
        "tensors": _tensors(comparison),
        "first": None if first is None else first.name,
        "groups": _groups(comparison),
        "missing": list(comparison.missing),
        "unknown": list(comparison.unknown),
        "notes": list(comparison.notes),
        "outputs": [
            {
                "name": one.name,
                "port_vs_exact_u": _number(one.port),
                "own_vs_exact_u": None if math.isnan(one.own) else _number(one.own),
                "rounding_allows_u": _number(one.allowed),
            }
            for one in comparison.outputs
        ],
        "next": next_to_show(hidden) if hidden else None,
        "advice": advice(comparison),
    }


def _digest(comparison: Comparison) -> str | None:
    if comparison.config is None:
        return None
    text = json.dumps(comparison.config.to_dict(), sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _tensors(comparison: Comparison) -> list[dict[str, Any]]:
    table = formulas(comparison.config, comparison.architecture)
    made = sources(row.name for row in comparison.rows)
    missing = set(comparison.missing)
    tensors = []
    for row in comparison.rows:
        found = table.get(kind(row.name))
        about = {
            "axes": found and found.axes,
            "formula": found and found.formula,
            "inputs": list(made[row.name]),
            "local": not missing & set(made[row.name]),
        }
        tensors.append({**_row(row), **about})
    return tensors


def _row(row: Row) -> dict[str, Any]:
    one = {"name": row.name, "shape": list(row.shape), "status": row.verdict}
    if row.verdict == "missing":
        return one
    return {
        **one,
        "dtype": row.dtype,
        "reason": row.reason,
        "at": list(row.at),
        **{name: _number(getattr(row, name)) for name in _NUMBERS},
        "inherited": row.inherited,
        "explanations": [
            {"text": one.text, "ratio": _number(one.ratio), "coarse": one.is_coarse}
            for one in row.explanations
        ],
    }


def _groups(comparison: Comparison) -> list[dict[str, Any]]:
    groups: dict[str, list[Row]] = {}
    for row in comparison.departing:
        groups.setdefault(kind(row.name), []).append(row)
    return [
        {
            "kind": name,
            "layers": sorted({n for row in rows if (n := layer(row.name)) is not None}),
            "names": [row.name for row in rows],
            "explanation": next((one.text for row in rows for one in row.explanations), None),
        }
        for name, rows in groups.items()
    ]


def _number(x: float) -> float | str:
    """Give a number, or a string for one that JSON does not have.

    >>> _number(0.5), _number(float("-inf")), _number(float("nan"))
    (0.5, '-Infinity', 'NaN')
    """
    if math.isfinite(x):
        return float(x)
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
