"""From the tensors of a file to the parameters of a model, or a sentence that says why not.

What a model does not need is left in the file, and what the file lacks is drawn, where the caller
asked for a model that differs from the one in the file; a warning names all of it. Any other
difference is an error, but for heads: a new one is drawn, and those of others are left.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array, Shape, astype, float_dtype
from ..checks import warn
from ..config import RobertaConfig
from ..memory import memory_for
from ..parameters import CheckpointError, initialise, misfit, numbers_of
from ..sentences import Piece, fitted, listed, shown
from ..tensor_names import group_names
from ..threads import map_in_threads
from .matching import Match, match
from .pieces import side_by_side
from .reading import INDEX_FILE, WEIGHTS_FILE, stored_tensors
from .stored import StoredTensor

__all__ = ["LoadOptions", "load_parameters"]

# A table that no older file spells differently, and that is never stored under another name.
_LANDMARK = "embeddings.position_embeddings.weight"

#: Bytes of which two threads read half each; more would wait for the memory.
_LARGE = 32 << 20


@dataclass(frozen=True)
class LoadOptions:
    """How far a file may differ from the model that is made of it; see ``from_pretrained``."""

    dtype: str = "float32"
    seed: int = 0
    strict: bool | None = None
    ignore_mismatched_sizes: bool = False
    strip_prefix: str = ""


def load_parameters(
    path: str | os.PathLike[str],
    shapes: Mapping[str, Shape],
    config: RobertaConfig,
    options: LoadOptions = LoadOptions(),
    described: Mapping[str, Shape] | None = None,
) -> tuple[dict[str, Array], Match]:
    """Read the tensors of a parameter table, as NumPy arrays.

    Parameters
    ----------
    path : str or path
        See `minirobert.checkpoints.reading.stored_tensors`.
    shapes : mapping of str to tuple of int
        The table.
    config : RobertaConfig
    options : LoadOptions
    described : mapping of str to tuple of int, optional
        The table of the model as its own ``config.json`` describes it, where the caller asked for
        another one: what is only in one of the two is drawn, or left out.

    Returns
    -------
    dict of str to array
        By the names of the table. What is not in the file is drawn from the seed.
    Match
        How the file and the table fit.

    Raises
    ------
    CheckpointError
        One error that tells all that does not fit, and what to do.
    """
    path = Path(path)
    source = str(path.parent if path.name in (WEIGHTS_FILE, INDEX_FILE) else path)
    with stored_tensors(path) as in_file:
        stored = _stripped(source, in_file, options.strip_prefix)
        matched = match(stored, shapes, tied=config.tie_word_embeddings)
        _check(source, stored, shapes, matched, options, described or shapes)
        kept = {n: t for n, t in matched.found.items() if n not in matched.misfits}
        for name, tensor in kept.items():
            tensor.check_readable(name)
        dtype = _common_dtype(kept.values()) if options.dtype == "auto" else options.dtype
        target = np.dtype(float_dtype(np, dtype))
        wanted = numbers_of(shapes) * target.itemsize
        with memory_for(f"the model in {shown(source)}", wanted, CheckpointError):
            hidden = _hidden(in_file, options.strip_prefix)
            matched.contradictions.update(_contradictions(stored, matched.twins, kept))
            matched.contradictions.update(_contradictions(in_file, hidden, kept))
            _warn_of_differences(source, stored, shapes, matched, options)
            new = {name: tuple(shape) for name, shape in shapes.items() if name not in kept}
            drawn = initialise(new, config, options.seed)
            read, odd = _read(kept, target)
            flat = {n: read[n] if n in kept else astype(drawn[n], target) for n in shapes}
    _warn_of_odd_numbers(source, odd, target)
    return flat, matched


def _read(tensors: Mapping[str, StoredTensor], dtype: Any) -> tuple[Mapping[str, Array], list[str]]:
    """Read tensors, and name those that have numbers that are not finite."""
    arrays = side_by_side({name: tensor.shape for name, tensor in tensors.items()}, dtype)
    is_large = sum(array.nbytes for array in arrays.values()) >= _LARGE
    are_finite = map_in_threads(
        lambda name: tensors[name].read_into(arrays[name]), list(tensors), 2 if is_large else 1
    )
    return arrays, [name for name, finite in zip(tensors, are_finite, strict=True) if not finite]


def _stripped(
    source: str, stored: Mapping[str, StoredTensor], prefix: str
) -> dict[str, StoredTensor]:
    """Take a prefix off the names that begin with it, which count more than others."""
    if not prefix:
        return dict(stored)
    begun = {n.removeprefix(prefix): t for n, t in stored.items() if n.startswith(prefix)}
    if not begun:
        names = group_names(dict.fromkeys(stored, ""))
        raise ValueError(
            f"strip_prefix is {shown(prefix)}, but no tensor in {shown(source)} begins with it; "
            f"there are {listed(names, 160)}"
        )
    return {**{n: t for n, t in stored.items() if not n.startswith(prefix)}, **begun}


def _hidden(stored: Mapping[str, StoredTensor], prefix: str) -> dict[str, str]:
    """Name the tensors whose names others have, once their prefix is off."""
    return {name: prefix + name for name in stored if prefix and prefix + name in stored}


def _contradictions(
    stored: Mapping[str, StoredTensor], twins: Mapping[str, str], kept: Mapping[str, StoredTensor]
) -> dict[str, str]:
    """Find those that hold other numbers than what is read in their place."""
    read = {id(tensor) for tensor in kept.values()}
    return {
        name: other
        for name, other in twins.items()
        if id(stored[other]) in read and not stored[name].equals(stored[other])
    }


def _check(
    source: str,
    stored: Mapping[str, StoredTensor],
    shapes: Mapping[str, Shape],
    matched: Match,
    options: LoadOptions,
    described: Mapping[str, Shape],
) -> None:
    """Refuse what nobody asked for."""
    missing = set(matched.missing)
    unexpected = [name for name in matched.unexpected if name not in described]
    if options.strict is False:
        missing, unexpected = set(), []
    elif options.strict is None:
        missing -= matched.absent_heads() | (shapes.keys() - described.keys())
    misfits = {} if options.ignore_mismatched_sizes else matched.misfits
    if not (missing or unexpected or misfits):
        return
    found = {**matched.unexpected, **matched.foreign, **matched.found}
    raise misfit(
        f"in {shown(source)}",
        {name: tuple(shape) for name, shape in shapes.items()},
        {name: tensor.shape for name, tensor in found.items()},
        [name for name in shapes if name in missing],
        [*(matched.foreign if missing or unexpected else ()), *unexpected],
        misfits,
        _cures(stored, shapes, bool(missing or unexpected), misfits),
    )


def _cures(
    stored: Mapping[str, StoredTensor],
    shapes: Mapping[str, Shape],
    by_name: bool,
    misfits: Mapping[str, Shape],
) -> Iterable[str]:
    """Say what to do about tensors that do not fit."""
    if not stored:
        yield "the file holds no tensors at all"
    hint = _prefix_hint(stored)
    if hint:
        yield hint
    elif any(".lora_" in name for name in stored):
        yield "lora is part of an adapter: save the model after merge_and_unload() of peft"
    elif by_name and stored:
        yield "strict=False draws what is missing, and leaves out what is unexpected"
    if misfits:
        yield "ignore_mismatched_sizes=True initialises what has another shape"
    tables = [name for name in misfits if name.endswith("word_embeddings.weight")]
    if any(misfits[name][1:] == tuple(shapes[name][1:]) for name in tables):
        yield "for another number of tokens, load first, then call resize_token_embeddings"


def _prefix_hint(names: Iterable[str]) -> str:
    """Say that names begin with something that does not belong to them, such as ``module.``."""
    names = list(names)
    prefixes = sorted(
        {n.removesuffix(_LANDMARK).removesuffix("roberta.") for n in names if n.endswith(_LANDMARK)}
    )
    if not any(prefixes):
        return ""
    shared = all(name.startswith(prefixes[0]) for name in names)
    whose = "all names in the file" if shared else "names of an encoder in the file"
    begun = listed(filter(None, prefixes), 60, " or ", shown)
    cure = listed(filter(None, prefixes), 60, " or strip_prefix=", shown)
    return f"{whose} begin with {begun}: give strip_prefix={cure}"


def _warn_of_differences(
    source: str,
    stored: Mapping[str, StoredTensor],
    shapes: Mapping[str, Shape],
    matched: Match,
    options: LoadOptions,
) -> None:
    """Name what is drawn, and what of the file is not read, in one warning."""
    parts = [*_drawn(shapes, matched, options.seed), *_left(matched)]
    if parts:
        between: list[Piece] = ["; and it has "]
        said = [piece for part in parts for piece in (*between, *part)][1:]
        hint = _prefix_hint(stored) if matched.missing else ""
        warn(fitted(f"{shown(source)} has ", *said, f" ({hint})" if hint else ""))


def _drawn(shapes: Mapping[str, Shape], matched: Match, seed: int) -> Iterable[list[Piece]]:
    said: list[Piece] = []
    if matched.missing:
        said += ["no weights for ", group_names(dict.fromkeys(matched.missing, ""), shapes)]
    if matched.misfits:
        wrong = {n: f"({list(s)}, not {list(shapes[n])})" for n, s in matched.misfits.items()}
        said += [", and " if said else "", "weights of another shape for "]
        said += [group_names(wrong, stars=False)]
    if said:
        yield [
            *said,
            f": they are initialised from seed {shown(seed)}, and must be trained before their "
            "output means anything",
        ]


def _left(matched: Match) -> Iterable[list[Piece]]:
    left = [*matched.unexpected, *matched.foreign]
    if left:
        names = group_names(dict.fromkeys(left, ""), [*left, *matched.found])
        yield ["tensors that this model does not use, and that are left out: ", names]
    if matched.contradictions:
        unread, read = (
            group_names(dict.fromkeys(names, ""), stars=len(matched.contradictions) > 4)
            for names in (matched.contradictions, matched.contradictions.values())
        )
        yield [
            "other numbers in ",
            unread,
            " than in ",
            read,
            ", which mean the same: the latter is read",
        ]


def _warn_of_odd_numbers(source: str, names: list[str], dtype: Any) -> None:
    """Name the weights with which no result can be right, in one warning."""
    if names:
        warn(
            fitted(
                f"{shown(source)} has weights that are NaN or infinite in {dtype}: ",
                group_names(dict.fromkeys(names, ""), stars=False),
                "; so will be what the model computes: take another dtype, or other weights",
            )
        )


def _common_dtype(tensors: Iterable[StoredTensor]) -> str:
    """Choose the narrowest dtype that holds every tensor exactly; bfloat16 needs float32."""
    names = {_HELD_IN.get(tensor.dtype_name, tensor.dtype_name) for tensor in tensors}
    return max(names, key=lambda name: np.dtype(name).itemsize, default="float32")


_HELD_IN = {"bfloat16": "float32", "float8_e4m3fn": "float16", "float8_e5m2": "float16"}
