"""The reference, run on a port's own intermediate tensors.

At each name the model computes what comes of the port's own inputs of that step, and goes on with
what the port made of them. So the error of a step is seen by itself: a wrong step does not hide
those behind it, and a right one shows its rounding alone. What the port does not show is carried
on, with the bound of what its rounding may be.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, to_numpy
from ..cache import KeyValueCache
from ..observe import watch
from .arithmetic import FORMATS, Arithmetic
from .bounded import BoundedArray, Numbers
from .bounds import activation
from .operations import Operations

__all__ = [
    *("Call", "Change", "Passes", "Step", "exact_model", "is_masked", "is_split"),
    *("of_port", "passes", "replay", "round_to", "values"),
]

#: How often the exact forward pass is run with noise, to learn what distant rounding may do.
RUNS = 8
#: How many times the root mean square of a row one of its numbers may be off.
_DEVIATIONS = 2


class Call(NamedTuple):
    """One call of the port: what it was given, and what it computed, by our names."""

    arguments: dict[str, Numbers]
    tensors: dict[str, Numbers]
    extends: bool = False  # whether it goes on with the cache of the calls before
    prefix: str = ""  # of its names in the trace, as "step.1."


class Step(NamedTuple):
    """What one tensor must be, and how far from it rounding may bring a port."""

    value: Numbers  # float64, or integers or booleans
    bound: Numbers | None  # None where the port must have it exactly
    port: Numbers | None  # what the port has


#: Changes what the reference computes at a name, before it is compared.
Change = Callable[[str, Array], "Array | None"]


def exact_model(model: Any, store: str) -> Any:
    """Give the model in float64, with its weights rounded as a port's that stores them so."""
    own = model.to("cpu")
    wide = own if own.dtype in ("float32", "float64") else own.astype("float32")

    def exact(array: Any) -> Array:
        wider = array.astype(np.float64)
        return wider if array.dtype == store else np.asarray(round_to(wider, store))

    config = copy.copy(wide.config)
    config.chunk_size_feed_forward = 0  # the same numbers, under the names of whole tensors
    if isinstance(config.hidden_act, str):
        config.hidden_act = activation(config.hidden_act)
    return wide._with(config=config)._with_weights(exact)


def round_to(x: Any, name: str) -> Any:
    """Round float64 numbers to the nearest of a format, ties to even.

    >>> float(round_to(np.float64(1 + 2**-8 + 2**-20), "bfloat16"))
    1.0078125
    """
    if name in ("float16", "float32", "float64"):
        with np.errstate(over="ignore"):
            return np.asarray(x.astype(name), np.float64)
    digits = -np.log2(FORMATS[name].unit)  # of a number in [1/2, 1)
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.rint(np.ldexp(mantissa, int(digits))), exponent - int(digits))


def replay(
    model: Any, calls: list[Call], arithmetic: Arithmetic, change: Change | None = None
) -> list[dict[str, Step]]:
    """Run the reference on the intermediates of a port.

    Parameters
    ----------
    model : RobertaPreTrainedModel
        Of `exact_model`.
    calls : list of Call
    arithmetic : Arithmetic
        Of the port.
    change : callable, optional
        What the reference is to do otherwise: it is called as a watcher, before all is compared.

    Returns
    -------
    list of dict of str to Step
        For each call, in the order of the computation.
    """
    with np.errstate(all="ignore"):  # a port may have infinities and NaN, and bounds may have them
        carried: Passes | None = None
        if any(call.tensors for call in calls):
            carried = _run(model, calls, arithmetic, _carrying, change)
            if not any(array.maps > 1 for call in carried for _, array in call.values()):
                return [{name: step for name, (step, _) in call.items()} for call in carried]
        local = _run(model, calls, arithmetic, _forgetting, change)
        spread = _spread(model, calls, local, change)
        return [
            {name: _nearer(*near[name], own, far.get(name)) for name, (own, _) in one.items()}
            for near, one, far in zip(carried or local, local, spread, strict=True)
        ]


def _nearer(step: Step, array: BoundedArray, local: Step, spread: Numbers | None) -> Step:
    """Take the bound that was learned from noise, where the one that was carried on is far off.

    That is behind more than one product of matrices: each takes all roundoffs to have one sign.
    """
    if spread is None or (step is not local and array.maps < 2):
        return step
    own = 0.0 if local.bound is None else local.bound  # where the step rounds nothing
    return step._replace(bound=own + _DEVIATIONS * spread)


#: For each call, what each tensor must be, and the same as an array with bounds.
Passes = list[dict[str, tuple[Step, BoundedArray]]]


def passes(model: Any, calls: list[Call], arithmetic: Arithmetic) -> Passes:
    """Run the reference once on the intermediates of a port, and keep the arrays with bounds.

    Parameters
    ----------
    model : RobertaPreTrainedModel
        Of `exact_model`.
    calls : list of Call
    arithmetic : Arithmetic
        Of the port.
    """
    with np.errstate(all="ignore"):
        return _run(model, calls, arithmetic, _carrying, None)


def _run(
    model: Any,
    calls: list[Call],
    arithmetic: Arithmetic,
    goes_on: Callable[[BoundedArray, Any], BoundedArray | None],
    change: Change | None,
) -> Passes:
    """Run the model on arrays with bounds, and look at each."""
    xp = Operations(arithmetic)
    model = model._with_weights(xp.asarray)
    runs: Passes = []
    for call, look in _calls(model, calls, xp.asarray, change):
        steps: dict[str, tuple[Step, BoundedArray]] = {}
        runs.append(steps)

        def watcher(name: str, array: Any, call: Call = call, steps: Any = steps) -> Any:
            port = of_port(name, call, array.value)
            steps[name] = Step(array.value, array.bound, port), array
            return goes_on(array, port)

        look(watcher)
    return runs


class _Enough(Exception):  # noqa: N818  # no error: it ends a run
    """What was asked for has been computed."""


def values(
    model: Any, calls: list[Call], change: Change | None, until: tuple[int, str] | None = None
) -> list[dict[str, Numbers]]:
    """Run the reference once on the intermediates of a port, without bounds.

    Parameters
    ----------
    model : RobertaPreTrainedModel
        Of `exact_model`.
    calls : list of Call
    change : callable or None
        See `replay`.
    until : (int, str), optional
        The number of a call and a name there: nothing behind it is computed.

    Returns
    -------
    list of dict of str to NumPy array
        For each call what the reference has.
    """
    runs: list[dict[str, Numbers]] = []
    for call, look in _calls(model, calls, lambda array: array, change):
        own: dict[str, Numbers] = {}
        runs.append(own)

        def watcher(name: str, array: Any, call: Call = call, own: Any = own) -> Any:
            own[name] = array
            if until == (len(runs) - 1, name):
                raise _Enough
            port = of_port(name, call, array)
            return None if port is None else port.astype(array.dtype)

        try:
            look(watcher)
        except _Enough:
            break
    return runs


def _carrying(array: BoundedArray, port: Any) -> BoundedArray | None:
    """Go on with what the port has, or else with our own value and its bound, as far as it goes."""
    if port is not None:
        return _exact(array, port)
    return _exact(array, array.value, array.maps) if array.maps > 1 else None


def _forgetting(array: BoundedArray, port: Any) -> BoundedArray:
    """Go on with what the port has, or else with our own value as if it were exact."""
    return _exact(array, array.value if port is None else port)


def _exact(array: BoundedArray, value: Any, maps: int = 0) -> BoundedArray:
    kind = array.value.dtype
    return BoundedArray(value.astype(kind, copy=False), None, array.dtype, array.xp, maps)


def of_port(name: str, call: Call, own: Numbers) -> Numbers | None:
    """Find what the port has, in our shape; scores that are masked it may mask in its own way."""
    port = call.tensors.get(name)
    if port is not None and name.startswith("lm_head.") and port.ndim == own.ndim - 1 == 2:
        whole = own.copy()  # generation scores the last tokens alone
        whole[:, -1] = port
        return whole
    port = _fitted(name, port, own.shape)
    if port is None or not name.endswith(".scores.masked"):
        return port
    scores = _fitted(name, call.tensors.get(name.removesuffix(".masked")), own.shape)
    is_hidden = is_masked(own)
    if scores is not None:  # what is as it was before is not masked at all
        is_hidden &= (port != scores) | (port < _LOW)
    return np.where(is_hidden, own, port)


def is_masked(scores: Numbers) -> Numbers:
    """Find the scores that stand for minus infinity."""
    return scores < _MASKED


#: Below all scores, and above what masks them in float16 too.
_MASKED = -60000.0
#: Above what ports mask scores by in their own ways, if not in a tensor of its own.
_LOW = -1000.0


def _spread(
    model: Any, calls: list[Call], local: Passes, change: Change | None
) -> list[dict[str, Numbers]]:
    """Learn from runs with noise, of the size of each step's own bound, what it does to the rest.

    Noise is added where the port shows nothing. The result is, for each tensor, the root mean
    square of what its rows are off.

    Source: Parker 1997 (Monte Carlo Arithmetic), here with the bounds of the steps for their last
    digits.
    """
    rng = np.random.default_rng(0)
    silent = values(model, calls, change)  # in the very arithmetic of the runs with noise
    squares: list[dict[str, Any]] = [{} for _ in calls]
    for _ in range(RUNS):
        for k, (call, look) in enumerate(_calls(model, calls, lambda array: array, change)):

            def watcher(name: str, array: Any, call: Call = call, k: int = k) -> Any:
                if array.dtype.kind == "f":
                    off = _finite(to_numpy(array - silent[k][name]))
                    squares[k][name] = squares[k].get(name, 0.0) + off * off
                port = of_port(name, call, array)
                if port is not None:
                    return port.astype(array.dtype)
                bound = local[k][name][0].bound
                if bound is None:
                    return None
                return array + _finite(bound) * rng.standard_normal(array.shape)

            look(watcher)
    return [{name: _row_roots(total) for name, total in one.items()} for one in squares]


def _finite(x: Numbers) -> Numbers:
    """Leave out what is infinite or NaN in the port, or where scores are masked."""
    return np.where(np.isfinite(x), x, 0.0)


def _row_roots(squares: Numbers) -> Numbers:
    mean = np.mean(squares, axis=-1, keepdims=True) if squares.ndim else squares
    return np.broadcast_to(np.sqrt(mean / RUNS), squares.shape)


def _calls(
    model: Any, calls: list[Call], convert: Callable[[Any], Any], change: Change | None
) -> Iterator[tuple[Call, Callable[[Any], None]]]:
    """Give each call, and what makes the model repeat it under the eyes of a watcher."""
    cache = KeyValueCache() if model.config.is_decoder and len(calls) > 1 else None
    for call in calls:
        arguments = {name: convert(_plain(array)) for name, array in call.arguments.items()}
        if cache is not None:
            cache = cache if call.extends else KeyValueCache()
            arguments["past_key_values"] = cache

        def look(watcher: Any, arguments: Mapping[str, Any] = arguments) -> None:
            with watch(change), watch(watcher):
                model(**arguments)

        yield call, look


def is_split(name: str) -> bool:
    """Tell whether a tensor is the one before it in the table, split into heads."""
    return name.endswith((".self.query", ".self.key", ".self.value"))


def _plain(array: Numbers) -> Numbers:
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _fitted(name: str, port: Numbers | None, shape: tuple[int, ...]) -> Numbers | None:
    """Give a port's tensor our shape, or None if it has another."""
    if port is None or port.shape == shape:
        return port
    if is_split(name) and port.ndim == 3 and len(shape) == 4:  # the heads are side by side
        batch, n_heads, length, size = shape
        if port.shape != (batch, length, n_heads * size):
            return None
        return port.reshape(batch, length, n_heads, size).transpose(0, 2, 1, 3)
    if port.ndim != len(shape) and port.shape[-1:] == shape[-1:] and port.size == prod(shape):
        return port.reshape(shape)  # rows of a batch that are one axis, or two
    if name == "attend" and port.ndim == 4 and (port == port[:, :, :1]).all():
        port = port[:, :, :1]  # the same for all queries, as fused attention takes it
    try:
        return np.broadcast_to(port, shape)
    except ValueError:
        return None
