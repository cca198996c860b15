"""What the post-processor of a tokenizer.json says: the tokens around a text, and its offsets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ...rules import BOOLEAN, check
from ...sentences import listed, shown
from ..layout import read_layout
from ..vocabulary import ID
from .tokenizer_json_parts import Part, check_steps, flag, found, kinds_of, steps_of

__all__ = [
    "POST_PROCESSORS",
    "PostProcessor",
    "check_framing",
    "read_framing",
    "read_post_processor",
]


class PostProcessor(NamedTuple):
    """What a post-processor says: the tokens around a text with their ids, if any; the offsets.

    `others` are tokens that are neither `cls` nor `sep`.
    """

    cls: tuple[str, int] | None
    sep: tuple[str, int] | None
    trim_offsets: bool
    others: Sequence[tuple[str, int]] = ()


def read_post_processor(
    content: Mapping[str, Any], add_prefix_space: bool, where: str
) -> tuple[PostProcessor, list[Part] | None]:
    """Give what RoBERTa's says, and the steps if they are others than RoBERTa's."""
    steps = steps_of(content, "post_processor", where)
    kinds, place = kinds_of(steps), f"{where}: post_processor"
    check_steps(steps, POST_PROCESSORS, place)
    byte_levels = [step for step in steps if step["type"] == "ByteLevel"]
    framing = [step for step in steps if step["type"] != "ByteLevel"]
    if len(framing) > 1 or len(byte_levels) + ("RobertaProcessing" in kinds) > 1:
        raise ValueError(
            f"{place}: {listed(kinds, 120, ' then ')} frames or trims what is framed or trimmed"
            " already: leave one of them"
        )
    trim_offsets = any(flag(step, "trim_offsets", True, place) for step in byte_levels)
    trims_alike = not trim_offsets or add_prefix_space == flag(
        byte_levels[0], "add_prefix_space", True, place
    )
    if not framing:
        return PostProcessor(None, None, trim_offsets), steps
    said = read_framing(framing[0], trim_offsets, place)
    is_usual = said.cls and "BertProcessing" not in kinds and trims_alike
    return said, None if is_usual else steps


def read_framing(step: Part, trim_offsets: bool, place: str) -> PostProcessor:
    """Read the step that frames a text."""
    if step["type"] == "TemplateProcessing":
        layout = read_layout(step)
        cls, sep = layout.usual() or (None, None)
        return PostProcessor(cls, sep, trim_offsets, () if cls else layout.special_tokens())
    if step["type"] == "RobertaProcessing":
        trim_offsets = flag(step, "trim_offsets", True, place)
    cls, sep = (_token_and_id(step, name, place) for name in ("cls", "sep"))
    return PostProcessor(cls, sep, trim_offsets)


def _check_layout(step: Part) -> None:
    """RoBERTa's and BERT's are checked with what they say; a template and flags here."""
    if step["type"] == "TemplateProcessing":
        read_layout(step)
    for name in ("add_prefix_space", "trim_offsets", "use_regex"):
        check(name, step.get(name, True), BOOLEAN)


POST_PROCESSORS: Mapping[str, Callable[[Part], Any]] = dict.fromkeys(
    ("ByteLevel", "RobertaProcessing", "BertProcessing", "TemplateProcessing"), _check_layout
)


def _token_and_id(step: Mapping[str, Any], name: str, place: str) -> tuple[str, int]:
    match step.get(name):
        case [str(token), index] if ID.allows(index):
            return token, index
        case other:
            raise ValueError(f"{place}: {name} is {found(other)}, not a token and its id")


def check_framing(framing: PostProcessor, ids: Mapping[str, int], where: str) -> None:
    """Refuse tokens with other ids than they have."""
    named = [token for token in (framing.cls, framing.sep) if token]
    for token, index in (*named, *framing.others):
        if ids.get(token) != index:
            has = f"the id {ids[token]}" if token in ids else "no id"
            raise ValueError(
                f"{where}: the post_processor gives {shown(token)} the id {shown(index)}, but among"
                f" the tokens it has {has}"
            )
