"""Traces of models that run on torch: transformers' RoBERTa, or a module that is named like it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ...arrays import to_numpy
from ...config import RobertaConfig
from ...sentences import listed, plain, shown, type_name
from ..arithmetic import Arithmetic
from ..names.layouts import Numbers, laid_out
from ..traces import ARGUMENTS, Trace, digest
from .hooks import Seen, hooked
from .models import (
    architecture_of,
    config_of,
    dtype_of,
    first_weight,
    library,
    load_torch,
    taken_to,
)

__all__ = ["trace_torch"]

#: Modules that are called once for each chunk of the sequence.
_IN_CHUNKS = re.compile(r"(^|\.)layer\.\d+\.(intermediate|output)(\.|$)")


def trace_torch(
    module: Any,
    arguments: Mapping[str, Any],
    *,
    architecture: str | None = None,
    config: RobertaConfig | None = None,
    dtype: str | None = None,
    device: str | None = None,
    attn_implementation: str = "eager",
    accumulate: str | None = None,
    weights: bool = True,
) -> Trace:
    """Call a model of torch, and keep every tensor that it has of those in our table.

    A module stays what it was, and is traced as it is: one that is in training drops what dropout
    drops. Its modules are found by the ends of their paths; what is not there under transformers'
    names is left out, and so are scores and probabilities where attention is fused
    (``attn_implementation="sdpa"``). Chunks of the feed-forward network are joined. Of any other
    module that is called several times, the first call counts.

    Parameters
    ----------
    module : torch.nn.Module, str or path
        Transformers' RoBERTa of any of its classes, or any module whose modules have the same
        names; or a directory, or the name of a model of the hub, which transformers reads.
    arguments : mapping of str to array, tensor or list
        Of the call, by their names. Numbers that are not integers are taken to the module's dtype.
        Anything else, as ``use_cache=False``, is passed on as it is.
    architecture : str, optional
        The class, such as ``"RobertaForMaskedLM"``; by default that of the module.
    config : RobertaConfig, optional
        By default that of the module.
    dtype : str, optional
        ``"float64"``, ``"float32"``, ``"float16"`` or ``"bfloat16"``: of the weights. A module that
        has another is copied.
    device : str, optional
        As ``"cuda"``. A module that is elsewhere is copied.
    attn_implementation : str
        ``"eager"`` or ``"sdpa"``, of a model that is read.
    accumulate : str, optional
        In what it sums, see `minirobert.numerics.Arithmetic`.
    weights : bool
        Whether to note the digest of each weight.

    Returns
    -------
    Trace
        Its position ids and token type ids, where they are not given, are those that torch made.

    Raises
    ------
    ModuleNotFoundError
        If torch, or for a model that is read transformers, is not installed.
    OSError
        If there is no such directory or model, or it has no weights in safetensors.
    ValueError
        If an argument is no array, or nothing is computed that has a name here.

    >>> from minirobert.files import TINY
    >>> seen = trace_torch(TINY, {"input_ids": [[0, 100, 200, 2]]}, dtype="float64")
    >>> seen.architecture, seen.tensors["position_ids"].tolist()
    ('RobertaForMaskedLM', [[2, 3, 4, 5]])
    """
    torch = library("torch")
    if not isinstance(module, torch.nn.Module):
        module = load_torch(module, architecture, attn_implementation=attn_implementation)
    module = taken_to(module, dtype, device)
    architecture = architecture_of(module, architecture)
    config = config_of(module) if config is None else config
    arguments = {name: _argument(module, name, value) for name, value in arguments.items()}
    given = {name: arguments[name] for name in ARGUMENTS if arguments.get(name) is not None}
    with torch.no_grad(), hooked(module, architecture, "head_mask" in given) as seen:
        output = module(**arguments)
    found = {**_joined(seen), **_results(output)}
    if not found:
        names = [name for name, _ in module.named_children()]
        raise ValueError(
            f"{type_name(module)} has no module under a name of transformers' RoBERTa (embeddings, "
            f"encoder.layer.0 …): its modules are {listed(names) or 'none'}"
        )
    tensors = {**found, **given}  # of an argument what was given, whatever became of it
    choices = _choices(given) if architecture == "RobertaForMultipleChoice" else None
    bfloat16 = {name for name, one in tensors.items() if str(one.dtype) == "torch.bfloat16"}
    return Trace(
        {name: _shaped(name, _numbers(one), config, choices) for name, one in tensors.items()},
        dict.fromkeys(bfloat16, "bfloat16"),
        architecture,
        config,
        accumulate and Arithmetic(dtype_of(module), accumulate),  # type: ignore[arg-type]
        tuple(given),
        _digests(module) if weights else {},
        _maker(module),
    )


def _argument(module: Any, name: str, value: Any) -> Any:
    """Make a tensor of an argument that is one, beside the module's weights."""
    if value is None or name not in ARGUMENTS:
        return value
    torch, first = import_module("torch"), first_weight(module)
    if not isinstance(value, torch.Tensor):
        try:
            array = np.asarray(to_numpy(value) if hasattr(value, "dtype") else value)
            value = torch.from_numpy(np.array(array))
        except (ValueError, TypeError):
            raise ValueError(
                f"{plain(name)} is {shown(value)}, but must be an array, or lists of one length"
            ) from None
    if value.dtype.is_floating_point:
        return value.to(device=first.device, dtype=first.dtype)
    return value.to(first.device, None if value.dtype == torch.bool else torch.int64)


def _joined(seen: Seen) -> dict[str, Any]:
    """Put the chunks of a tensor together; of other modules the first call counts."""
    torch = import_module("torch")
    return {
        name: torch.cat(calls, dim=1) if _IN_CHUNKS.search(name) else calls[0]
        for name, calls in seen.tensors.items()
    }


def _results(output: Any) -> dict[str, Any]:
    """Take out of a model's output what no module computes."""
    names = {
        "start_logits": "qa_outputs.start_logits",
        "end_logits": "qa_outputs.end_logits",
        "loss": "loss",
    }
    found = {ours: getattr(output, theirs, None) for theirs, ours in names.items()}
    return {name: one.detach().cpu() for name, one in found.items() if one is not None}


def _numbers(tensor: Any) -> Numbers:
    """Copy a tensor to the host, one of bfloat16 as float32."""
    tensor = tensor.detach().cpu()
    is_bfloat16 = str(tensor.dtype) == "torch.bfloat16"
    return np.array((tensor.float() if is_bfloat16 else tensor).numpy())


def _choices(given: Mapping[str, Any]) -> tuple[int, ...]:
    """Tell how many texts there are, and how many choices each has."""
    first = given["input_ids"] if "input_ids" in given else given["inputs_embeds"]
    return tuple(first.shape[:2])


def _shaped(
    name: str, array: Numbers, config: RobertaConfig | None, choices: tuple[int, ...] | None
) -> Numbers:
    """Split the heads, and set the choices of a text side by side."""
    if name.endswith(("self.query", "self.key", "self.value")):
        return laid_out(name, array, "split", config)
    is_column = name == "classifier.logits" and choices is not None  # [B C, 1]
    return array.reshape(choices) if is_column else array


def _digests(module: Any) -> dict[str, str]:
    """Give the digest of each weight, by its name in a checkpoint, but of those in integers."""
    kind = library("torch").Tensor
    return {
        name: digest(_numbers(one))
        for name, one in module.state_dict().items()
        if isinstance(one, kind) and one.dtype.is_floating_point
    }


def _maker(module: Any) -> str:
    attention = getattr(getattr(module, "config", None), "_attn_implementation", None)
    said = f"torch {library('torch').__version__}, {type(module).__name__}"
    return f"{said}, {attention} attention" if attention else said
