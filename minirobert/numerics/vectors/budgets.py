"""How far rounding may bring a port in float32 from what is expected, from inputs to outputs.

The reference replays a port that shows nothing, so that each bound is carried on from one step to
the next: see `minirobert.numerics.replay`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Array
from ...cache import KeyValueCache
from ...config import RobertaConfig
from ..arithmetic import Arithmetic
from ..replay import Call, exact_model, is_masked, replay
from .cases import Case
from .expected import call
from .portable import portable

__all__ = ["budgets"]

Numbers = np.ndarray[Any, Any]

#: Of generation, whose steps are chosen in between: of the largest number of a tensor.
_OF_LARGEST = 2.0**-16


def budgets(case: Case, expected: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Bound the error of each tensor that a port may round.

    Parameters
    ----------
    case : Case
    expected : mapping of str to NumPy array
        Its tensors.

    Returns
    -------
    dict of str to float32 NumPy array
        Of the shape of the tensor. Infinite where a score is masked, as a port may have anything
        there. What nobody rounds has none: integers, booleans, rows of tables.
    """
    if case.generate is not None:
        real = {name: array for name, array in expected.items() if array.dtype.kind == "f"}
        bounds = {n: np.full(x.shape, _OF_LARGEST * np.max(abs(x))) for n, x in real.items()}
    else:
        bounds = _replayed(case)
        for name, array in expected.items():
            if name.endswith(".scores.masked"):
                for one in (name, name.removesuffix(".masked")):
                    bounds[one] = np.where(is_masked(array), np.inf, bounds[one])
    return {n: _rounded_up(bounds[n]) for n in expected if n in bounds and np.any(bounds[n] > 0)}


def _replayed(case: Case) -> dict[str, Numbers]:
    arithmetic = Arithmetic("float32")
    exact = exact_model(case.model(lambda weight: weight), arithmetic.store)
    numbers = range(len(case.calls))
    calls = [Call({"number": np.array(k)}, {}, extends=k > 0) for k in numbers]
    steps = replay(_Caller(case, exact._with_weights(portable), exact), calls, arithmetic)
    return {
        f"call.{k}.{name}" if k else name: step.bound
        for k, one in enumerate(steps)
        for name, step in one.items()
        if step.bound is not None
    }


@dataclass(frozen=True)
class _Caller:
    """A model that is called by the number of a call of the case.

    Where it runs without bounds, its numbers are those of every machine: what noise does to the
    last digits of a result would not be.
    """

    case: Case
    model: Any
    exact: Any  # the same on NumPy

    @property
    def config(self) -> RobertaConfig:
        config: RobertaConfig = self.exact.config
        return config

    def __call__(self, number: Any, past_key_values: KeyValueCache | None = None) -> None:
        call(self.case, int(number), self.model, past_key_values)

    def _with_weights(self, function: Callable[[Array], Array]) -> _Caller:
        return replace(self, model=self.exact._with_weights(function))


def _rounded_up(bound: Numbers) -> Numbers:
    """Keep eight binary digits, which rounding of the bounds themselves does not reach."""
    mantissa, exponent = np.frexp(np.nan_to_num(bound, posinf=np.inf))
    rounded: Numbers = np.ldexp(np.ceil(mantissa * 256) / 256, exponent).astype(np.float32)
    return rounded
