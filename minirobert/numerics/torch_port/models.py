"""Models of torch that are to be traced: read by transformers, or given; their class and config."""

from __future__ import annotations

import copy
from importlib import import_module
from pathlib import Path
from typing import Any

from ...config import RobertaConfig
from ...files import ModelFiles
from ...parameters import architectures
from ...rules import check, one_of, optional
from ...sentences import listed, plain, shown, type_name

__all__ = [
    "architecture_of",
    "config_of",
    "dtype_of",
    "first_weight",
    "library",
    "load_torch",
    "taken_to",
]


def library(name: str) -> Any:
    """Import torch or transformers, which this package does not need otherwise."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"to trace a model of torch, {plain(error.name)} is needed: pip install {plain(name)}"
        ) from error


def load_torch(
    model: Any, architecture: str | None = None, *, attn_implementation: str = "eager"
) -> Any:
    """Let transformers read a model, in float32 and ready to be called; nothing is unpickled.

    Parameters
    ----------
    model : str or path
        A directory, or the name of a model of the hub.
    architecture : str, optional
        Its class; by default what its ``config.json`` says.
    attn_implementation : str
        ``"eager"`` or ``"sdpa"``.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    ModuleNotFoundError
        If transformers is not installed.
    TypeError
        If it is no name at all.
    OSError
        If there is no such directory or model, or it has no weights in safetensors.
    ValueError
        If its class is not one of those here.
    """
    if not isinstance(model, str | Path):
        raise TypeError(
            f"a model of torch is a torch.nn.Module, or the name of what transformers reads, not "
            f"a {type_name(model)}"
        )
    check("attn_implementation", attn_implementation, one_of("eager", "sdpa"))
    transformers = library("transformers")
    ModelFiles(model)  # says what is wrong with a directory that is not there
    try:
        config = transformers.AutoConfig.from_pretrained(model)
        name = architecture or next(iter(config.architectures or ()), "")
        if _roberta_class(name) not in architectures():
            raise ValueError(
                f"{plain(model)} is a model of class {shown(name)}: give architecture=, one of "
                f"{listed(architectures(), 300)}"
            )
        read = getattr(transformers, name).from_pretrained
        return read(
            model,
            config=config,
            dtype="float32",
            use_safetensors=True,
            attn_implementation=attn_implementation,
        ).eval()
    except OSError as error:
        raise OSError(f"transformers does not read {plain(model)}: {plain(error)}") from error


def _roberta_class(name: str) -> str:
    """Give a class of transformers the name of the same class here."""
    return name.replace("XLMRoberta", "Roberta").replace("Camembert", "Roberta")


def architecture_of(module: Any, given: str | None = None) -> str | None:
    """Name the class of ours that a module is: the first of its bases that is one."""
    if given is not None:
        return check("architecture", given, one_of(*architectures()))
    names = (_roberta_class(one.__name__) for one in type(module).__mro__)
    return next((name for name in names if name in architectures()), None)


def config_of(module: Any) -> RobertaConfig | None:
    """Read the configuration of a module, if it has one."""
    theirs = getattr(module, "config", None)
    # The fields that are not what they are by default: those are the same here.
    values = getattr(theirs, "to_diff_dict", getattr(theirs, "to_dict", None))
    if values is None:
        return None
    try:
        return RobertaConfig.from_dict(values())
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"the config of {type_name(module)} is none of a RoBERTa: {plain(error)}; give config="
        ) from None


def taken_to(module: Any, dtype: str | None, device: str | None) -> Any:
    """Give the module, or a copy in another dtype or on another device."""
    check("dtype", dtype, optional(one_of("float64", "float32", "float16", "bfloat16")))
    here = dtype in (None, dtype_of(module)) and device in (None, str(first_weight(module).device))
    if here:
        return module
    kind = None if dtype is None else getattr(import_module("torch"), dtype)
    return copy.deepcopy(module).to(dtype=kind, device=device)


def first_weight(module: Any) -> Any:
    """Give the first parameter of floating-point numbers, which stands for all."""
    for one in module.parameters():
        if one.dtype.is_floating_point:
            return one
    raise ValueError(f"{type_name(module)} has no parameters of floating-point numbers")


def dtype_of(module: Any) -> str:
    """Name the dtype of a module's weights."""
    return str(first_weight(module).dtype).removeprefix("torch.")
