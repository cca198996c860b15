"""All steps of a call together, from its arguments alone: how far its results may be off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import Array
from ..models.pretrained import RobertaPreTrainedModel
from ..observe import watch
from .arithmetic import FORMATS, Arithmetic
from .bounded import Numbers
from .comparison import OutputRow
from .replay import Call, of_port, replay
from .rows import Row
from .traces import host

__all__ = ["Ends", "end_to_end"]


def end_to_end(
    exact: Any, arguments: Mapping[str, Any], arithmetic: Arithmetic
) -> dict[str, tuple[Numbers, Numbers | None]]:
    """Compute every tensor, and how far rounding may bring a port from it, all steps together.

    Parameters
    ----------
    exact : RobertaPreTrainedModel
        Of `exact_model`.
    arguments : mapping of str to array
        Of the call.
    arithmetic : Arithmetic
        Of the port.

    Returns
    -------
    dict of str to (array, array or None)
        The value in float64, or integers or booleans, and its budget; None where it must be exact.
    """
    given = {name: host(value) for name, value in arguments.items() if value is not None}
    (steps,) = replay(exact, [Call(given, {})], arithmetic)
    return {name: (step.value, step.bound) for name, step in steps.items()}


class Ends:
    """The first call from its arguments alone: what comes of all its steps together."""

    def __init__(
        self, reference: RobertaPreTrainedModel, exact: Any, call: Call, arithmetic: Arithmetic
    ) -> None:
        self._reference = reference
        self._exact = exact
        self._call = call
        self._arithmetic = arithmetic

    @cached_property
    def _tensors(self) -> dict[str, tuple[Numbers, Numbers | None]]:
        return end_to_end(self._exact, self._call.arguments, self._arithmetic)

    def with_inherited(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """Mark the tensors that are wrong only because of those before them."""
        if not any(row.departs for row in rows):
            return rows
        return tuple(
            replace(row, inherited=row.verdict in ("exact", "rounding") and self._is_off(row.name))
            for row in rows
        )

    def _is_off(self, name: str) -> bool:
        if name not in self._tensors:
            return False  # of a later call
        value, bound = self._tensors[name]
        port = of_port(name, self._call, value)
        if port is None or name.endswith((".scores", ".scores.masked")):
            return False
        off = abs(port.astype(np.float64) - value.astype(np.float64))
        return bool(np.any(~(off <= (0.0 if bound is None else bound))))

    def outputs(self, rows: tuple[Row, ...]) -> tuple[OutputRow, ...]:
        """Tell how far the port's results are from exact, and how far they may be."""
        compared = [row.name for row in rows if row.verdict != "missing" and row.reason != "shape"]
        names = [name for name in compared if name.endswith("logits")]
        last = f"encoder.layer.{self._reference.config.num_hidden_layers - 1}.output.LayerNorm"
        names += [name for name in compared if not names and name in (last, "pooler")]
        if not names:
            return ()
        own = self._own()
        return tuple(self._output(name, own.get(name)) for name in names if name in self._tensors)

    def _own(self) -> dict[str, Array]:
        """Run the reference itself in the port's arithmetic, if NumPy can compute in it."""
        store = self._arithmetic.store
        try:
            model = self._reference.to("cpu").astype(store)
        except ValueError:
            return {}
        floats = {
            name: array.astype(store) if array.dtype.kind == "f" else array
            for name, array in self._call.arguments.items()
        }
        with watch() as seen, np.errstate(all="ignore"):
            model(**floats)  # type: ignore[operator]  # every class of model is called
        return seen

    def _output(self, name: str, own: Array | None) -> OutputRow:
        value, bound = self._tensors[name]
        scale = _rms(value) * FORMATS[self._arithmetic.store].unit or 1.0
        port = of_port(name, self._call, value)
        assert port is not None  # for its shape is ours
        return OutputRow(
            name,
            _rms(port - value) / scale,
            float("nan") if own is None else _rms(host(own) - value) / scale,
            0.0 if bound is None else _rms(bound) / scale,
        )


def _rms(x: Numbers) -> float:
    return float(np.sqrt(np.mean(np.square(x.astype(np.float64)))))
