"""The parts of a tokenizer.json around its model: their steps, and which of them are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import regex

from ...rules import BOOLEAN, check
from ...sentences import plain, shown

__all__ = [
    "FOREIGN",
    "MEMBERS",
    "Part",
    "as_array",
    "as_object",
    "check_steps",
    "flag",
    "found",
    "kinds_of",
    "steps_of",
    "whose",
]

# Where a "Sequence", which is several parts of the pipeline in place of one, has them.
MEMBERS = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}

_SENTENCE_PIECE = "a SentencePiece tokenizer, of XLM-R or CamemBERT"
_WORD_PIECE = "a WordPiece tokenizer, of BERT"
# Parts and models by which the tokenizers of other models are told.
FOREIGN = {
    **dict.fromkeys(("Unigram", "Metaspace", "Precompiled"), _SENTENCE_PIECE),
    **dict.fromkeys(("WordPiece", "BertNormalizer", "BertPreTokenizer"), _WORD_PIECE),
}

# A part of the pipeline as the file describes it.
Part = dict[str, Any]


def check_steps(
    steps: Sequence[Part], known: Mapping[str, Callable[[Part], Any]], place: str
) -> None:
    """Refuse a part that is not known, or that cannot be made from what is said of it."""
    for step, kind in zip(steps, kinds_of(steps), strict=True):
        if kind not in known:
            raise ValueError(
                f"{place}: {plain(kind)} is not known here, only {', '.join(known)}; this is"
                f" {whose([kind])}"
            )
        try:
            known[kind](step)
        except KeyError as error:
            raise ValueError(f"{place}: {kind} cannot be used: {plain(error)} is missing") from None
        except (ValueError, RecursionError, regex.error) as error:
            raise ValueError(f"{place}: {kind} cannot be used: {plain(error)}") from error


def whose(kinds: Sequence[str]) -> str:
    """Say which model's tokenizer has these parts."""
    return next((FOREIGN[kind] for kind in kinds if kind in FOREIGN), "another model's tokenizer")


def steps_of(content: Mapping[str, Any], name: str, where: str) -> list[Part]:
    """Give the parts of a section one after the other, also those of a Sequence in a Sequence."""
    if content.get(name) is None:
        return []
    return _flat(content[name], MEMBERS[name], f"{where}: {name}")


def _flat(part: Any, members: str, place: str) -> list[Part]:
    part = as_object(part, place)
    if part.get("type") != "Sequence":
        return [part]
    place = f"{place}: {members}"
    several = as_array(part.get(members), place)
    return [step for member in several for step in _flat(member, members, place)]


def kinds_of(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the kind of each step."""
    kinds = [step.get("type") for step in steps]
    return [kind if isinstance(kind, str) else shown(kind) for kind in kinds]


def as_object(value: Any, place: str) -> dict[str, Any]:
    """Refuse what is no object."""
    if not isinstance(value, dict):
        raise ValueError(f"{place} is {found(value)}, not an object")
    return value


def as_array(value: Any, place: str) -> list[Any]:
    """Refuse what is no array."""
    if not isinstance(value, list):
        raise ValueError(f"{place} is {found(value)}, not an array")
    return value


def found(value: Any) -> str:
    """Say what stands in a place."""
    return "missing" if value is None else shown(value)


def flag(part: Mapping[str, Any], name: str, default: bool, place: str) -> bool:
    """Read true or false."""
    value = part.get(name, default)
    check(f"{place}: {name}", value, BOOLEAN)
    return bool(value)
