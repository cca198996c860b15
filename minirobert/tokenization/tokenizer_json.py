"""Reading tokenizer.json, the one file in which fast tokenizers of transformers are stored.

It describes a whole pipeline: normalizer, pre-tokenizer, model, post-processor, decoder. RoBERTa's
is always the same but for a few settings, so reading it means to check that it is RoBERTa's and to
take out the vocabulary, the merges, the added tokens and the settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..files import read_json
from .added_tokens import AddedToken
from .bpe import Pair
from .config_files import read_added_token
from .files import FilePath, check_merges, check_vocab

TOKENIZER_NAME = "tokenizer.json"


class TokenizerJson(NamedTuple):
    """What tokenizer.json holds; `settings` are arguments of `RobertaTokenizer`."""

    vocab: dict[str, int]
    merges: list[Pair]
    added_tokens: dict[int, AddedToken]
    settings: dict[str, Any]


def read_tokenizer_json(path: FilePath) -> TokenizerJson:
    """Read a tokenizer.json.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    TokenizerJson
        Its content.

    Raises
    ------
    ValueError
        If the file describes a tokenizer that is not RoBERTa's, or is broken.
    """
    where = os.fspath(path)
    content = read_json(path)
    _check_pipeline(content, where)
    model = content["model"]
    vocab = check_vocab(model["vocab"], where)
    merges = check_merges(model["merges"], vocab, f"{where}, merge", first=0)
    added = _read_added_tokens(content.get("added_tokens") or [], where)
    return TokenizerJson(vocab, merges, added, _read_settings(content, where))


def _check_pipeline(content: Mapping[str, Any], where: str) -> None:
    expected = {
        "model": "BPE",
        "pre_tokenizer": "ByteLevel",
        "post_processor": "RobertaProcessing",
        "normalizer": None,
    }
    for part, kind in expected.items():
        found = _part(content, part).get("type")
        if found != kind and not (part == "model" and found is None):
            raise ValueError(
                f"{where}: the {part} is {found or 'missing'}, where RoBERTa has {kind or 'none'};"
                " this is another model's tokenizer"
            )
    model = _part(content, "model")
    if not isinstance(model.get("vocab"), dict) or not isinstance(model.get("merges"), list):
        raise ValueError(f"{where}: the model needs an object `vocab` and an array `merges`")
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"):
        if model.get(option):
            raise ValueError(
                f"{where}: the model has {option} = {model[option]!r}, which RoBERTa's does not use"
            )


def _part(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = content.get(name)
    return part if isinstance(part, dict) else {}


def _read_added_tokens(tokens: Any, where: str) -> dict[int, AddedToken]:
    if not isinstance(tokens, list):
        raise ValueError(f"{where}: added_tokens is {tokens!r}: it must be an array of tokens")
    added = {}
    for number, token in enumerate(tokens):
        if not isinstance(token, dict) or not isinstance(token.get("id"), int):
            raise ValueError(f"{where}: added token {number} is {token!r}, without an integer id")
        added[token["id"]] = read_added_token(token, f"{where}: added token {number}")
    return added


def _read_settings(content: Mapping[str, Any], where: str) -> dict[str, Any]:
    processor = _part(content, "post_processor")
    settings = {
        "add_prefix_space": _part(content, "pre_tokenizer").get("add_prefix_space"),
        "trim_offsets": processor.get("trim_offsets"),
        "cls_token": _framing_token(processor, "cls", where),
        "sep_token": _framing_token(processor, "sep", where),
        "padding_side": _part(content, "padding").get("direction"),
        "truncation_side": _part(content, "truncation").get("direction"),
    }
    for side in ("padding_side", "truncation_side"):
        settings[side] = settings[side] and str(settings[side]).lower()  # "Right", "Left"
    return {name: value for name, value in settings.items() if value is not None}


def _framing_token(processor: Mapping[str, Any], name: str, where: str) -> str | None:
    match processor.get(name):
        case None:
            return None
        case [str(token), int()]:
            return token
        case other:
            raise ValueError(
                f"{where}: the post_processor has {name} = {other!r}, not a token and its id"
            )
