"""Which tensor of a file is which of a model: older names, one tensor under two names, heads."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..arrays import Shape
from ..parameters import HEADS
from .stored import StoredTensor

__all__ = ["Match", "match"]

_BODY = ("embeddings.", "encoder.", "pooler.")
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
_OLDER = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
_WORDS = "embeddings.word_embeddings.weight"
_DECODER, _DECODER_BIAS = "lm_head.decoder.weight", "lm_head.decoder.bias"
_TIED = {_DECODER: "roberta." + _WORDS, _DECODER_BIAS: "lm_head.bias"}


@dataclass(frozen=True)
class Match:
    """The tensors of a file, divided by what a model of some parameter table does with them."""

    #: Of the table, by its names.
    found: dict[str, StoredTensor] = field(default_factory=dict)
    #: Of heads that the model does not have; nobody misses them.
    unused: dict[str, StoredTensor] = field(default_factory=dict)
    #: Of nothing that this package knows: another kind of head, or more of the model's own head.
    foreign: dict[str, StoredTensor] = field(default_factory=dict)
    #: Of the encoder, though the table does not have them.
    unexpected: dict[str, StoredTensor] = field(default_factory=dict)
    #: In the table, but not in the file.
    missing: dict[str, Shape] = field(default_factory=dict)
    #: In the table with another shape.
    misfits: dict[str, Shape] = field(default_factory=dict)
    #: Where two names stand for one tensor: what is not read, and what is read in its place.
    twins: dict[str, str] = field(default_factory=dict)
    #: Those of them with other numbers, which only a look into the file can tell.
    contradictions: dict[str, str] = field(default_factory=dict)
    #: What is not read, and is no other name of what is, by the names that transformers tells.
    left: list[str] = field(default_factory=list)

    def absent_heads(self) -> set[str]:
        """Name the missing tensors of heads (pooler, LM head …) of which the file has nothing."""
        present = {_head(name) for name in self.found}
        return {name for name in self.missing if _head(name) not in {None, *present}}

    def loading_info(self) -> dict[str, list[str]]:
        """Tell the same as transformers does with ``output_loading_info=True``."""
        also = [
            alias for alias, name in _TIED.items() if name in self.missing and self._has_lm_head
        ]
        return {
            "missing_keys": [*self.missing, *(a for a in also if a not in self.missing)],
            "unexpected_keys": self.left,
            "mismatched_keys": [*self.misfits],
            "error_msgs": [],
        }

    @property
    def _has_lm_head(self) -> bool:
        return any(name.startswith("lm_head.") for name in (*self.found, *self.missing))


def match(
    tensors: Mapping[str, StoredTensor], shapes: Mapping[str, Shape], *, tied: bool = True
) -> Match:
    """Find the tensors of a parameter table among those of a file.

    The prefix ``roberta.`` is added or taken off, and names of older versions are read as those of
    now. A tensor may stand in the file under two names (see `_rank`).

    Parameters
    ----------
    tensors : mapping of str to StoredTensor
    shapes : mapping of str to tuple of int
        The table.
    tied : bool
        Whether the decoder of the language model is the word embedding table.
    """
    result = Match()
    prefix = "roberta." if any(name.startswith("roberta.") for name in shapes) else ""
    heads = _heads()
    own_heads = {_head(name, heads) for name in shapes} - {None}
    chosen: dict[str, str] = {}
    for raw in sorted(tensors, key=_rank):
        name = _name_now(raw, prefix, shapes, tied, heads)
        other = chosen.get(name)
        if other and (name not in shapes or _head(other) not in {None, *own_heads}):
            result.unused[other] = tensors[other]
        elif other:
            result.twins[other] = raw
        chosen[name] = raw
    for name, raw in chosen.items():
        inner = name.removeprefix(prefix)
        if not inner.startswith(_BUFFERS):
            head = _head(inner, heads)
            _group(result, name, inner, shapes, head, own_heads)[name] = tensors[raw]
    return replace(
        result,
        missing={n: tuple(s) for n, s in shapes.items() if n not in result.found},
        misfits={
            n: result.found[n].shape
            for n in shapes
            if n in result.found and result.found[n].shape != tuple(shapes[n])
        },
        left=_left(tensors, {chosen[name] for name in result.found}, prefix, shapes),
    )


def _left(
    stored: Iterable[str], read: Container[str], prefix: str, shapes: Mapping[str, Shape]
) -> list[str]:
    """Name what is not read: without the prefix where only the file has it, or else with it."""
    has_prefix = any(name.startswith("roberta.") for name in stored)
    takes_off, adds = has_prefix and not prefix, prefix if not has_prefix else ""
    left = set()
    for raw in stored:
        if raw in read:
            continue
        if takes_off and not raw.startswith("roberta."):  # of a head, which is not renamed at all
            left.add(raw)
        else:
            name = adds + _newer(raw)
            left.add(name.removeprefix("roberta.") if takes_off else name)
    has_lm_head = "lm_head.bias" in shapes
    known = {*shapes, *(_TIED if has_lm_head else ()), *(prefix + one for one in _BUFFERS)}
    return sorted(left - known)


def _newer(name: str) -> str:
    """Give a parameter of a norm the name that it has in newer files."""
    for older, newer in _OLDER.items():
        if name.endswith(older):
            return name.replace(older, newer)
    return name


def _name_now(
    raw: str, prefix: str, shapes: Mapping[str, Shape], tied: bool, heads: tuple[str, ...]
) -> str:
    """Give a tensor of a file the name that it has in a table, if it is there."""
    name = _newer(raw.removeprefix("roberta."))
    if name == _DECODER and tied and name not in shapes:
        name = _WORDS
    if name == _DECODER_BIAS and "lm_head.bias" in shapes:
        name = "lm_head.bias"
    if name.startswith(_BODY):
        return prefix + name
    return name if name in shapes or _head(name, heads) is not None else raw


def _rank(raw: str) -> tuple[bool, bool, bool, bool]:
    """Order the names that may stand for one tensor: the last one counts, as in transformers.

    The word embeddings count more than a decoder that is tied to them, the decoder's bias more than
    the head's, ``roberta.embeddings`` more than ``embeddings``, and ``weight`` more than ``gamma``.
    """
    return (
        raw.endswith(_DECODER_BIAS),
        not raw.endswith(_DECODER),
        raw.startswith("roberta."),
        not raw.endswith(tuple(_OLDER)),
    )


def _group(
    result: Match,
    name: str,
    inner: str,
    shapes: Mapping[str, Shape],
    head: str | None,
    own_heads: Container[Any],
) -> dict[str, StoredTensor]:
    """Decide where a tensor belongs."""
    if name in shapes:
        return result.found
    if head is not None:
        return result.foreign if head in own_heads else result.unused
    return result.unexpected if inner.startswith((*_BODY, "roberta.")) else result.foreign


def _head(name: str, heads: tuple[str, ...] = ()) -> str | None:
    """Name the head that a tensor belongs to: what only some classes of model have."""
    name = name.removeprefix("roberta.")
    return next((one for one in heads or _heads() if name.startswith(one)), None)


def _heads() -> tuple[str, ...]:
    """List what the names of heads' tensors begin with."""
    return ("pooler.", *(f"{head.name}." for head in HEADS.values()))
