r"""Tensors under other names than ours: maps from one spelling to the other.

A map is a list of ``[regex, replacement, layout]``, in a file a JSON list; or a dictionary of whole
names, ``{name: replacement}`` or ``{name: [replacement, layout]}``, in a file a JSON object. The
first regular expression that fits a name as a whole gives it the replacement, in which ``\1`` is a
group; None (in JSON ``null``) leaves out what is known, but no tensor of ours. A name that none
fits may be one of ours already, without the prefix ``roberta.`` too. What is left is unknown, and
told. In a replacement ``{last}`` is the last layer, and ``{head}`` the head of the model's class.
What stands before a name for its call, as ``call.1.``, stays there.

The layout says what else is to be done:

- None or nothing: it is as ours; queries, keys and values may be [B, S, H];
- ``"split"``: [B, S, H] becomes [B, N, S, D], where the size of a head is known;
- ``"merge"``: [B, N, S, D] becomes [B, S, H];
- ``"transpose"``: the last two axes are exchanged;
- axes, as ``"[S,B,H]"`` where the sequence comes first, or ``"[S,N,D]"`` of a single text: they are
  put into our order. Axes of length 1 before them do not count.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...config import RobertaConfig
from ...files import naming, read_text
from ...parameters import HEADS
from ...sentences import listed, plain
from ..traces import Trace
from .layouts import Numbers, is_ours, laid_out, with_prefix
from .lines import NameMap, name_map
from .maps import MAPS, built_in
from .paths import divided

__all__ = ["Renamed", "read_map", "renamed"]

_LAYER = re.compile(r"(?:^|\.)layer\.(\d+)\.")

#: Enough for whatever has been made of RoBERTa.
_MOST_LAYERS = 100
#: The results of transformers' models, under whatever map. The first hidden states are what the
#: first layer is given.
_RESULTS = name_map(
    [
        ["logits", "{head}.logits"],
        ["(start|end)_logits", r"qa_outputs.\1_logits"],
        ["last_hidden_state", "encoder.layer.{last}.output.LayerNorm"],
        ["pooler_output", "pooler"],
        ["hidden_states[._]0", "embeddings"],
        *(
            [rf"hidden_states[._]{i + 1}", f"encoder.layer.{i}.output.LayerNorm"]
            for i in range(_MOST_LAYERS)
        ),
        *(
            [rf"{theirs}[._](\d+)", rf"encoder.layer.\1.{ours}.self.probabilities{{masked}}"]
            for theirs, ours in (
                ("attentions", "attention"),
                ("cross_attentions", "crossattention"),
            )
        ),
    ]
)


class Renamed(NamedTuple):
    """What `renamed` gives."""

    port: Any  # what it was given: a trace, or a dictionary
    unknown: tuple[str, ...]  # names that mean nothing here; their tensors keep them


def read_map(name: str | os.PathLike[str]) -> NameMap:
    """Read the file of a map, or find one of those in `minirobert.numerics.names.maps`.

    Parameters
    ----------
    name : str or path
        As ``"map.json"`` or ``"fairseq"``.

    Returns
    -------
    NameMap

    Raises
    ------
    FileNotFoundError
        If it is neither.
    ValueError
        If the file is no JSON list of lines that can be used, nor an object of names.

    >>> read_map("fairseq")[0].replacement
    'embeddings.word_embeddings'
    """
    if isinstance(name, str) and name in MAPS:
        return built_in(name)
    path = Path(name)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{plain(path)} is neither a file nor one of the maps here: {listed(MAPS, 300)}"
        )
    with naming(path):
        try:
            lines = json.loads(read_text(path))
        except RecursionError:
            lines = None
        if not isinstance(lines, list | dict):
            raise ValueError(
                "it must hold a JSON list of [regex, replacement, layout], or an object of names"
            )
        return name_map(lines)


def renamed(
    port: Trace | Mapping[str, Any],
    names: NameMap,
    *,
    architecture: str | None = None,
    config: RobertaConfig | None = None,
    has_head_mask: bool = False,
) -> Renamed:
    r"""Give tensors our names and layouts.

    Parameters
    ----------
    port : Trace or mapping of str to array
    names : NameMap
        Of `read_map`.
    architecture : str, optional
        The model's class, which says what ``logits`` are; by default as the trace says.
    config : RobertaConfig, optional
        By default as the trace says.
    has_head_mask : bool
        Whether the call was given one, which ``attentions`` are multiplied by.

    Returns
    -------
    Renamed

    Raises
    ------
    ValueError
        If two tensors that differ become one, a replacement is no name of ours, or a tensor does
        not have the axes of its layout.

    >>> names = name_map([[r"h\.(\d+)\.q", r"encoder.layer.\1.attention.self.query"]])
    >>> port, unknown = renamed({"h.0.q": np.zeros((2, 5, 6)), "rope": np.zeros(3)}, names)
    >>> list(port), unknown
    (['encoder.layer.0.attention.self.query', 'rope'], ('rope',))
    """
    if not isinstance(port, Trace):
        tensors, _, unknown = _renamed(port, names, architecture, config, has_head_mask)
        return Renamed(tensors, unknown)
    kind, config = architecture or port.architecture, config or port.config
    tensors, sources, unknown = _renamed(port.tensors, names, kind, config, has_head_mask)
    dtypes = {new: port.dtypes[old] for new, old in sources.items() if old in port.dtypes}
    given = port.given or None  # what was called otherwise is found now
    return Renamed(replace(port, tensors=tensors, dtypes=dtypes, given=given), unknown)


def _renamed(
    port: Mapping[str, Any],
    names: NameMap,
    architecture: str | None,
    config: RobertaConfig | None,
    has_head_mask: bool,
) -> tuple[dict[str, Numbers], dict[str, str], tuple[str, ...]]:
    """Rename tensors, and give the old name of each and what is unknown, too."""
    targets = {name: _target(name, names) for name in port}
    words = {
        "{head}": _head(architecture),
        "{last}": _last(targets, config),
        "{masked}": ".head_mask" if has_head_mask or "head_mask" in port else "",
    }
    tensors: dict[str, Numbers] = {}
    sources: dict[str, str] = {}
    unknown: list[str] = []
    for name, (new, layout) in targets.items():
        if new is None:
            continue
        for word, meaning in words.items():
            new = new if meaning is None else new.replace(word, meaning)
        if is_ours(new):
            new = with_prefix(new, architecture)
        else:
            unknown.append(name)
            new, layout = name, None
        array = laid_out(new, np.asarray(port[name]), layout, config)
        if new in tensors and not _are_same(tensors[new], array):
            raise ValueError(
                f"{plain(sources[new])} and {plain(name)} both become {plain(new)}, but differ: "
                "leave one of them out of the trace, or out of the map by null"
            )
        tensors[new], sources[new] = array, name
    return tensors, sources, tuple(unknown)


def _target(name: str, names: NameMap) -> tuple[str | None, str | None]:
    """Find what a name becomes, itself where no line of the map fits; and its layout."""
    call, own = divided(name)
    for line in (*names, *_RESULTS):
        found = re.fullmatch(line.regex, own)
        if found:
            new = line.expanded(found)
            return (None if new is None else call + new), line.layout
    return name, None


def _head(architecture: str | None) -> str | None:
    head = HEADS.get(architecture or "")
    return None if head is None else head.name


def _last(
    targets: Mapping[str, tuple[str | None, str | None]], config: RobertaConfig | None
) -> str | None:
    """Find the number of the last layer: as the configuration says, or the last there is."""
    if config is not None:
        return str(config.num_hidden_layers - 1)
    found = [int(one) for name, _ in targets.values() for one in _LAYER.findall(name or "")]
    return str(max(found)) if found else None


def _are_same(one: Numbers, other: Numbers) -> bool:
    floats = one.dtype.kind == other.dtype.kind == "f"
    return bool(np.array_equal(one, other, equal_nan=floats))
