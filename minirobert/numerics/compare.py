"""Comparing a port with the reference: the port's trace, its replay, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..models.pretrained import RobertaPreTrainedModel
from ..sentences import type_name
from .arithmetic import FORMATS, Arithmetic
from .calls import calls_of
from .comparison import Comparison
from .ends import Ends
from .notes import notes_on
from .ports import as_trace, own_names
from .replay import Call, Change, Step, exact_model, replay, round_to
from .rows import Row, as_rows
from .suspects import explained
from .traces import ARGUMENTS, Trace, host

__all__ = ["compare", "departures", "replayed"]


def compare(
    reference: RobertaPreTrainedModel,
    port: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    names: Any = None,
    arithmetic: Arithmetic | str | None = None,
    explain: bool = True,
) -> Comparison:
    """Find which steps of a port depart from the reference by more than rounding.

    Parameters
    ----------
    reference : RobertaPreTrainedModel
        The model that the port computes, with its weights.
    port : Trace, path, mapping of str to array, or model
        Its tensors, under the names of `minirobert.intermediates`: as a trace, the file of one, or
        a dictionary; or the output of a model of this package or transformers', of whose tuples
        each tensor counts. Or what is run to have them: another model of this package, of any
        library and dtype, a module of torch that is named like transformers', or the path of an
        ONNX file.
    inputs : mapping of str to array, optional
        The arguments of the call, where the port does not have them itself. Where it does, they
        must be the same.
    names : str, path, NameMap, list or mapping, optional
        Where the port's names are not ours: what leads from them to ours, a map of
        `minirobert.numerics.names.maps` by its name, the file of one, the map itself, or its lines.
    arithmetic : Arithmetic or str, optional
        In what the port computes; by default as the trace says.
    explain : bool
        Whether to look for known mistakes that explain what departs.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        If there is nothing to compare, or the inputs fit neither each other nor the model.

    >>> from minirobert import RobertaForMaskedLM
    >>> model = RobertaForMaskedLM.from_pretrained()
    >>> result = compare(model, model.astype("float16"), {"input_ids": [[0, 100, 200, 2]]})
    >>> result.verdict, len(result.compared), result["lm_head.logits"].ratio < 1
    ('rounding', 86, True)
    """
    _check_reference(reference)
    given = _with_arithmetic(as_trace(reference, port, inputs), arithmetic)
    given = own_names(reference, given, names, inputs)
    exact, calls, dtypes = _prepared(reference, given, inputs)
    rows = _compared(exact, calls, given.arithmetic, dtypes, inputs)
    if explain:
        rows = explained(rows, reference, exact, calls, given.arithmetic, inputs)
    known = {*(row.name for row in rows), *ARGUMENTS}
    ends = Ends(reference, exact, calls[0], given.arithmetic)
    return Comparison(
        ends.with_inherited(rows),
        given.arithmetic,
        type(reference).__name__,
        reference.config.num_hidden_layers,
        tuple(name for name in dtypes if name not in known),
        notes_on(reference, given),
        ends.outputs(rows),
        given.made_by,
        reference.config,
    )


def departures(
    reference: RobertaPreTrainedModel, port: Trace, inputs: Mapping[str, Any] | None = None
) -> tuple[Row, ...]:
    """Compare a trace with the reference, and nothing more: neither explained nor end to end."""
    exact, calls, dtypes = _prepared(reference, port, inputs)
    return _compared(exact, calls, port.arithmetic, dtypes, inputs)


def _prepared(
    reference: RobertaPreTrainedModel, port: Trace, inputs: Mapping[str, Any] | None
) -> tuple[Any, list[Call], dict[str, str]]:
    calls, dtypes = calls_of(reference, port, inputs)
    return exact_model(reference, port.arithmetic.store), calls, dtypes


def _compared(
    exact: Any,
    calls: list[Call],
    arithmetic: Arithmetic,
    dtypes: Mapping[str, str],
    inputs: Mapping[str, Any] | None,
) -> tuple[Row, ...]:
    rows = replayed(exact, calls, arithmetic, dtypes)
    return _with_inputs(rows, calls[0], inputs or {}, dtypes)


def _with_arithmetic(port: Trace, arithmetic: Arithmetic | str | None) -> Trace:
    """Let the caller say in what a port computes."""
    if arithmetic is None:
        return port
    own = arithmetic if isinstance(arithmetic, Arithmetic) else Arithmetic(arithmetic)
    return replace(port, arithmetic=own)


def replayed(
    exact: Any,
    calls: list[Call],
    arithmetic: Arithmetic,
    dtypes: Mapping[str, str],
    change: Change | None = None,
) -> tuple[Row, ...]:
    """Replay the calls of a port, and compare all tensors.

    Parameters
    ----------
    exact : RobertaPreTrainedModel
        Of `exact_model`.
    calls : list of Call
    arithmetic : Arithmetic
    dtypes : mapping of str to str
        In which the port stores each tensor; a name without a dtype is stored as most are.
    change : callable, optional
        What the reference is to do otherwise, see `minirobert.numerics.replay.replay`.
    """
    rows: list[Row] = []
    for k, steps in enumerate(replay(exact, calls, arithmetic, change)):
        one = as_rows(steps, calls[k].tensors, {**dict.fromkeys(steps, arithmetic.store), **dtypes})
        rows += [replace(row, name=calls[k].prefix + row.name) for row in one]
    return tuple(rows)


def _check_reference(reference: Any) -> None:
    if not isinstance(reference, RobertaPreTrainedModel):
        raise TypeError(
            f"reference is a {type_name(reference)}, but must be a model of this package: its "
            "weights are needed to compute each step, as of RobertaForMaskedLM.from_pretrained"
        )


def _with_inputs(
    rows: tuple[Row, ...], call: Call, inputs: Mapping[str, Any], dtypes: Mapping[str, str]
) -> tuple[Row, ...]:
    """Add what the port was given otherwise than it was to be given."""
    wrong: list[Row] = []
    for name, value in inputs.items():
        own, port = host(value), call.arguments.get(name)
        if port is None:
            continue
        dtype = dtypes.get(name, port.dtype.name)
        if own.dtype.kind == "f" and dtype in FORMATS:  # given, but kept in fewer digits
            own = round_to(own.astype(np.float64), dtype)
        if np.array_equal(own, port):
            continue
        steps = {name: Step(own, None, port if port.shape == own.shape else None)}
        wrong += as_rows(steps, {name: port}, {name: dtype})
    names = {row.name for row in wrong}
    return (*wrong, *(row for row in rows if row.name not in names))
