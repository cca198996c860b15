"""The axes of the tensors here, and how another order of them becomes ours."""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from ...config import RobertaConfig
from ...intermediates import Pass, intermediates
from ...parameters import architectures
from ...sentences import plain, shown
from ..traces import ARGUMENTS
from .paths import divided, own_path

__all__ = ["is_layout", "is_ours", "laid_out", "with_prefix"]

Numbers = np.ndarray[Any, Any]

_NAMED = ("split", "merge", "transpose")
_AXES = re.compile(r"\[[A-Z](,[A-Z])*\]")

_NUMBERS = re.compile(r"(?<![^.])layer\.\d+\.")
_CHUNK = re.compile(r"\.chunk\.\d+\.")


def is_layout(text: str) -> bool:
    """Tell whether a text is one of the layouts with a name, or axes as ``[S,B,H]``."""
    return text in _NAMED or _AXES.fullmatch(text) is not None


def is_ours(name: str) -> bool:
    """Tell whether a name is that of a tensor here, with the prefix ``roberta.`` or without.

    >>> is_ours("encoder.layer.3.attention.self.query"), is_ours("encoder.layer.3.attn.q")
    (True, False)
    """
    return name in ARGUMENTS or _bare(name) in _axes()


def with_prefix(name: str, architecture: str | None) -> str:
    """Put ``roberta.`` before a name of ours where the model's class has it.

    >>> with_prefix("call.1.embeddings.sum", "RobertaForMaskedLM")
    'call.1.roberta.embeddings.sum'
    """
    call, own = divided(name)
    return call + own_path(own, architecture)


def _bare(name: str) -> str:
    """Take from a name what says which call, layer or chunk it is of."""
    name = _CHUNK.sub(".", divided(name)[1]).removeprefix("roberta.")
    return _NUMBERS.sub("layer.0.", name)


@cache
def _axes() -> MappingProxyType[str, tuple[str, ...]]:
    """List the axes of every tensor that a model of any class has, by its bare name."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in (Pass(), Pass(train=True, head_mask=True, labels=True, cross=True)):
        for positions in ("absolute", "relative_key"):
            config = RobertaConfig(
                num_hidden_layers=1,
                classifier_dropout=0.1,
                is_decoder=True,
                add_cross_attention=True,
                position_embedding_type=positions,
            )
            for head in architectures():
                for name, one in intermediates(config, head, kind=kind).items():
                    found.setdefault(_bare(name), _letters(one.axes))
    return MappingProxyType(found)


def _letters(axes: str) -> tuple[str, ...]:
    """Give a letter to each axis: the keys of another text count as of the own."""
    names = [one for one in axes[1:-1].split(", ") if one]
    letters = [{"N D": "H", "B C": "B"}.get(one, one.rpartition(" ")[2]) for one in names]
    other = "T" if "S" in letters else "S"
    return tuple(other if one == "E" else one for one in letters)


def laid_out(
    name: str, array: Numbers, layout: str | None, config: RobertaConfig | None = None
) -> Numbers:
    """Put the axes of a tensor into our order.

    Parameters
    ----------
    name : str
        Ours.
    array : NumPy array
    layout : str, optional
        See `minirobert.numerics.names`.
    config : RobertaConfig, optional
        Knows the size of a head.

    Raises
    ------
    ValueError
        If it does not have the axes of the layout.

    >>> laid_out("encoder.layer.0.intermediate", np.zeros((7, 2, 40)), "[S,B,I]").shape
    (2, 7, 40)
    """
    if layout is None:
        return array
    if layout == "transpose":
        return np.swapaxes(array, -1, -2) if array.ndim > 1 else _refuse(name, array, layout)
    if layout == "split":
        return _split(array, config)
    if layout == "merge":
        if array.ndim != 4:
            _refuse(name, array, layout)
        heads = array.transpose(0, 2, 1, 3)  # [B, S, N, D]
        return heads.reshape(*heads.shape[:2], -1)  # [B, S, H]
    array = _reordered(name, array, layout)
    return _split(array, config) if _is_split(name) else array


def _is_split(name: str) -> bool:
    """Tell whether a tensor is one of queries, keys or values."""
    return _axes().get(_bare(name)) == ("B", "N", "S", "D")


def _split(array: Numbers, config: RobertaConfig | None) -> Numbers:
    """Split the heads where they are not, which the axes tell, and their size is known and fits."""
    if array.ndim != 3 or config is None or array.shape[-1] % config.head_size:
        return array
    heads = array.reshape(*array.shape[:2], -1, config.head_size)  # [B, S, N, D]
    return heads.transpose(0, 2, 1, 3)  # [B, N, S, D]


def _reordered(name: str, array: Numbers, layout: str) -> Numbers:
    """Put axes with letters into our order, and that of the batch before them."""
    letters = layout[1:-1].split(",")
    while array.ndim > len(letters) and array.shape[0] == 1:
        array = array[0]
    ours = [one for one in _target(name, letters) if one in letters or one == "B"]
    if array.ndim != len(letters) or sorted({*letters, "B"}) != sorted(ours):
        _refuse(name, array, layout)
    if "B" not in letters:
        letters, array = ["B", *letters], array[None]
    return array.transpose([letters.index(one) for one in ours])


def _target(name: str, letters: list[str]) -> tuple[str, ...]:
    """Give our axes, those before the heads are split where these are not."""
    if _is_split(name) and "H" in letters:
        return ("B", "S", "H")
    return _axes().get(_bare(name), ())


def _refuse(name: str, array: Numbers, layout: str) -> NoReturn:
    raise ValueError(
        f"{plain(name)} has the shape {shown(list(array.shape))}, to which the layout "
        f"{plain(layout)} does not apply"
    )
