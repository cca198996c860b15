"""Writing tokenizer.json, to the byte as transformers does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..bpe import Pair
from ..vocabulary import Vocabulary
from .tokenizer_json import VERSION, has_whole_alphabet
from .tokenizer_json_parts import MEMBERS, Part

__all__ = ["tokenizer_text"]


def tokenizer_text(
    vocabulary: Vocabulary,
    merges: Sequence[Pair],
    settings: Mapping[str, Any],
    parts: Mapping[str, Any] | None = None,
) -> str:
    """Give the text of tokenizer.json, to the byte that of transformers.

    The Rust tokenizers drop a symbol that the vocabulary lacks unless the file names a token for
    it, and transformers names none. Here ``<unk>`` is named if it can be of use and the vocabulary
    has it, so that they give the same ids as this class.
    """
    content = _tokenizer_object(vocabulary, merges, settings)
    for name, part in (parts or {}).items():
        if name in MEMBERS:
            content[name] = _section(name, part, settings)
        else:
            content["model"][name] = part
    return json.dumps(content, ensure_ascii=False, indent=2)


def _tokenizer_object(
    vocabulary: Vocabulary, merges: Sequence[Pair], settings: Mapping[str, Any]
) -> dict[str, Any]:
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": settings["add_prefix_space"],
        "trim_offsets": True,  # only that of the post-processor counts
        "use_regex": True,
    }
    unknown = settings.get("unk_token")
    names_unknown = unknown in vocabulary.base and not has_whole_alphabet(vocabulary.base)
    return {
        "version": VERSION,
        "truncation": None,
        "padding": None,
        "added_tokens": _added_tokens_array(vocabulary),
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": _post_processor(vocabulary, settings, byte_level),
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": unknown if names_unknown else None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary.base,
            "merges": list(merges),
        },
    }


def _post_processor(
    vocabulary: Vocabulary, settings: Mapping[str, Any], byte_level: Mapping[str, Any]
) -> dict[str, Any]:
    offsets = {name: settings[name] for name in ("trim_offsets", "add_prefix_space")}
    cls, sep = settings.get("cls_token"), settings.get("sep_token")
    if cls is None or sep is None:  # nothing frames a text
        return {**byte_level, **offsets}
    return {
        "type": "RobertaProcessing",
        "sep": [sep, vocabulary.ids[sep]],
        "cls": [cls, vocabulary.ids[cls]],
        **offsets,
    }


def _section(name: str, steps: Sequence[Part], settings: Mapping[str, Any]) -> Part | None:
    """Write parts as they were read, with the settings that may have changed since."""
    obeyed = ["add_prefix_space"] if name == "pre_tokenizer" else ["trim_offsets"]
    written = [
        step
        if step["type"] not in ("ByteLevel", "RobertaProcessing")
        else {**step, **{setting: settings[setting] for setting in obeyed}}
        for step in steps
    ]
    if len(written) == 1:
        return written[0]
    return {"type": "Sequence", MEMBERS[name]: written} if written else None


def _added_tokens_array(vocabulary: Vocabulary) -> list[dict[str, Any]]:
    by_id = sorted((vocabulary.ids[content], token) for content, token in vocabulary.added.items())
    return [{"id": index, **asdict(token)} for index, token in by_id]
