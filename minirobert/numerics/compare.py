"""Comparing a port with the reference: the port's trace, its replay, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import Array
from ..models.pretrained import RobertaPreTrainedModel
from ..observe import watch
from ..sentences import plain, shown, type_name
from .arithmetic import FORMATS, Arithmetic
from .bounded import Numbers
from .comparison import Comparison, OutputRow, Row, as_rows
from .ports import as_trace, own_names
from .replay import Call, Change, Step, exact_model, of_port, replay, round_to
from .suspects import explained
from .traces import ARGUMENTS, Trace, digest, host

__all__ = ["compare", "departures", "end_to_end", "replayed"]

#: What may stand before a name: the call, or the step of generation.
_CALL = re.compile(r"(?:(?:call|step)\.\d+\.)+")


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
        a dictionary. Or what is run to have them: another model of this package, of any library
        and dtype, a module of torch that is named like transformers', or the path of an ONNX file.
    inputs : mapping of str to array, optional
        The arguments of the call, where the port does not have them itself. Where it does, they
        must be the same.
    names : str, path, NameMap or list, optional
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
    ('rounding', 74, True)
    """
    _check_reference(reference)
    given = _with_arithmetic(as_trace(reference, port, inputs), arithmetic)
    if names is not None:
        given = own_names(reference, given, names)
    exact, calls, dtypes = _prepared(reference, given, inputs)
    rows = _compared(exact, calls, given.arithmetic, dtypes, inputs)
    if explain:
        rows = explained(rows, reference, exact, calls, given.arithmetic, inputs)
    known = {*(row.name for row in rows), *ARGUMENTS}
    ends = _Ends(reference, exact, calls[0], given.arithmetic)
    return Comparison(
        ends.with_inherited(rows),
        given.arithmetic,
        type(reference).__name__,
        reference.config.num_hidden_layers,
        tuple(name for name in dtypes if name not in known),
        _notes(reference, given),
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
    calls, dtypes = _calls(reference, port, inputs)
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


def _check_reference(reference: Any) -> None:
    if not isinstance(reference, RobertaPreTrainedModel):
        raise TypeError(
            f"reference is a {type_name(reference)}, but must be a model of this package: its "
            "weights are needed to compute each step, as of RobertaForMaskedLM.from_pretrained"
        )


def _calls(
    reference: RobertaPreTrainedModel, port: Trace, inputs: Mapping[str, Any] | None
) -> tuple[list[Call], dict[str, str]]:
    """Divide a trace into its calls, under our names; and give the dtype of each tensor."""
    groups: dict[str, dict[str, Numbers]] = {}
    dtypes: dict[str, str] = {}
    for name, array in port.tensors.items():
        found = _CALL.match(name)
        prefix = found[0] if found else ""
        own = _own_name(name[len(prefix) :], type(reference)._prefix)
        if prefix + own in dtypes:
            raise ValueError(f"the port's trace has {plain(own)} twice, once as {plain(name)}")
        groups.setdefault(prefix, {})[own] = array
        dtypes[prefix + own] = port.dtype(name)
    if len(groups) > 1 and not groups.get("", {}).keys() - ARGUMENTS:
        groups.pop("", None)  # what generation was given: no call of the model
    calls: list[Call] = []
    for prefix, tensors in groups.items():
        asked = {} if calls else inputs or {}
        arguments = _arguments(tensors, () if prefix else port.given or (), asked)
        if getattr(getattr(reference, "head", None), "choices", False):
            arguments = _with_choices(arguments, tensors)
        extends = bool(calls) and _looks_back(tensors)
        calls.append(Call(arguments, _joined(tensors), extends, prefix))
    return calls, dtypes


def _looks_back(tensors: Mapping[str, Numbers]) -> bool:
    """Tell whether there are more keys than queries: those of a cache."""
    for name, array in tensors.items():
        if name == "attend" or name.endswith(".attention.self.scores"):
            return bool(array.shape[-1] > tensors["input_ids"].shape[-1])
    return False


def _own_name(name: str, prefix: str) -> str:
    """Put the class's own prefix before names that need it, and leave it out where it has none."""
    bare = name.removeprefix("roberta.")
    is_base = bare.startswith(("embeddings", "encoder.", "pooler"))
    return f"{prefix}.{bare}" if is_base and prefix else bare


def _arguments(
    tensors: Mapping[str, Numbers], given: tuple[str, ...], inputs: Mapping[str, Any]
) -> dict[str, Numbers]:
    """Find what a call was given: by the trace, or else by the caller."""
    arguments = {name: tensors[name] for name in (*given, "input_ids") if name in tensors}
    if "inputs_embeds" in arguments:
        arguments.pop("input_ids", None)
    if "attention_mask" not in arguments and "attend" in tensors:
        rows = tensors["attend"][:, 0]  # [B, 1 or S, T]
        arguments["attention_mask"] = rows[:, 0] if rows.shape[1] == 1 else rows
    for name, value in inputs.items():
        if value is not None:
            arguments.setdefault(name, host(value))
    if not {"input_ids", "inputs_embeds"} & arguments.keys():
        raise ValueError(
            "the port's trace has neither input_ids nor inputs_embeds, so nothing can be computed: "
            "write them into the trace, or give inputs"
        )
    return arguments


def _with_choices(
    arguments: dict[str, Numbers], tensors: Mapping[str, Numbers]
) -> dict[str, Numbers]:
    """Put the choices of a text on an axis of their own, where the port has them as rows."""
    logits = tensors.get("classifier.logits")
    if logits is None or logits.ndim != 2:
        return arguments
    rows = {"input_ids", "attention_mask", "token_type_ids", "position_ids"}
    return {
        name: array.reshape(*logits.shape, -1) if name in rows and array.ndim == 2 else array
        for name, array in arguments.items()
    }


def _joined(tensors: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Join the chunks that ``chunk_size_feed_forward`` makes of a tensor, along the sequence."""
    whole: dict[str, Numbers] = {}
    chunks: dict[str, dict[int, Numbers]] = {}
    for name, array in tensors.items():
        found = re.search(r"\.chunk\.(\d+)\.", name)
        if found:
            joined = name.replace(found[0], ".")
            chunks.setdefault(joined, {})[int(found[1])] = array
        else:
            whole[name] = array
    parts = {name: [one[k] for k in sorted(one)] for name, one in chunks.items()}
    return {**whole, **{name: np.concatenate(one, axis=1) for name, one in parts.items()}}


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


def _notes(reference: RobertaPreTrainedModel, port: Trace) -> tuple[str, ...]:
    """Tell what the trace says of itself that is not so of the reference."""
    notes = []
    name = type(reference).__name__
    if port.architecture not in (None, name):
        notes.append(f"class: the port is a {plain(port.architecture)}, the reference a {name}")
    if port.config is not None:
        own, its = reference.config.to_dict(), port.config.to_dict()
        for key in own:
            if key not in _NO_MATTER and own[key] != its.get(key):
                notes.append(
                    f"config: {plain(key)} is {shown(its.get(key))} in the port, and "
                    f"{shown(own[key])} here"
                )
    return (*notes, *_notes_on_weights(reference, port))


def _notes_on_weights(reference: RobertaPreTrainedModel, port: Trace) -> Iterator[str]:
    """Tell which weights are not the reference's, nor these rounded as the port stores them."""
    own_weights = dict(reference.named_parameters()) if port.weights else {}
    for key, value in own_weights.items():
        said, own = port.weights.get(key), host(value)
        stored = round_to(own.astype(np.float64), port.arithmetic.store)
        if said not in (None, digest(own), digest(stored)):
            turned = [digest(one.T) for one in (own, stored) if own.ndim == 2]
            yield f"weights: {plain(key)} {'is the transpose' if said in turned else 'differs'}"


#: Fields of a configuration that do not change what is computed.
_NO_MATTER = frozenset(
    {
        *("architectures", "transformers_version", "dtype", "torch_dtype", "use_cache"),
        *("_name_or_path", "return_dict", "output_attentions", "output_hidden_states"),
        *("chunk_size_feed_forward", "id2label", "label2id", "initializer_range"),
        *("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"),
    }
)


class _Ends:
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
