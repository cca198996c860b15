"""The calls of a port: its trace under our names, divided, each with what it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..models.pretrained import RobertaPreTrainedModel
from ..sentences import plain
from .bounded import Numbers
from .names.paths import divided
from .replay import Call
from .traces import ARGUMENTS, Trace, host

__all__ = ["calls_of"]


def calls_of(
    reference: RobertaPreTrainedModel, port: Trace, inputs: Mapping[str, Any] | None
) -> tuple[list[Call], dict[str, str]]:
    """Divide a trace into its calls, under our names.

    Parameters
    ----------
    reference : RobertaPreTrainedModel
    port : Trace
    inputs : mapping of str to array, optional
        The arguments of the first call, where the trace does not have them.

    Returns
    -------
    calls : list of Call
    dtypes : dict of str to str
        Of each tensor, by its whole name.

    Raises
    ------
    ValueError
        If there is no tensor, or one under two names, or a call has nothing to compute from.
    """
    if not port.tensors:
        raise ValueError(
            "the port's trace has no tensors: write them into it, under the names that "
            "minirobert.intermediates lists"
        )
    groups: dict[str, dict[str, Numbers]] = {}
    dtypes: dict[str, str] = {}
    for name, array in port.tensors.items():
        prefix, rest = divided(name)
        own = _own_name(rest, type(reference)._prefix)
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
