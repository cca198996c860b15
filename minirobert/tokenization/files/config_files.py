"""The settings beside the vocabulary: tokenizer_config.json and its older companions.

tokenizer_config.json holds the arguments of the tokenizer and, since 2023, in
``added_tokens_decoder`` all added tokens with their flags. Before, the flags stood in
special_tokens_map.json and the ids in added_tokens.json; both are still written, but read only
where tokenizer_config.json lacks that entry.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...files import read_json
from ...rules import BOOLEAN, check
from ..added_tokens import FLAGS, AddedToken, content_of
from ..settings import SETTINGS
from ..special_tokens import ADDITIONAL, SPECIAL_TOKEN_NAMES, resolve_special_tokens
from .vocab_and_merges import MAX_ID, check_id, check_vocab, is_utf8

CONFIG_NAME = "tokenizer_config.json"
SPECIAL_TOKENS_NAME = "special_tokens_map.json"
ADDED_TOKENS_NAME = "added_tokens.json"

# The entries that are read, or always the same; the others are kept as they are.
KNOWN = {*SETTINGS, *SPECIAL_TOKEN_NAMES, ADDITIONAL, "added_tokens_decoder", "tokenizer_class"}

# What transformers writes as `model_max_length` where there is no limit.
NO_MAX_LENGTH = int(1e30)
# transformers writes these only if they are not as usual.
USUAL = {
    "model_input_names": ("input_ids", "attention_mask"),
    "padding_side": "right",
    "truncation_side": "right",
    "split_special_tokens": False,
}


def read_settings(directory: Path, declared: Mapping[int, AddedToken]) -> dict[str, Any]:
    """Read the arguments of a tokenizer from the files of a directory, those that there are.

    Parameters
    ----------
    directory : Path
        The directory.
    declared : mapping of int to AddedToken
        The added tokens of tokenizer.json. Their flags win over those of the older files, but not
        over those of tokenizer_config.json.

    Returns
    -------
    dict
        Arguments of `RobertaTokenizer`, ``added_tokens_decoder`` with `declared` among them.
    """
    path = directory / CONFIG_NAME
    config = _read_if_there(path)
    settings = {name: config[name] for name in SETTINGS if config.get(name) is not None}
    for name, value in settings.items():
        check(f"{path}: {name}", value, SETTINGS[name].rule)
    other = {name: value for name, value in config.items() if name not in KNOWN}
    if other:
        settings["other_settings"] = other
    settings |= _read_special_tokens(config, path)
    if "added_tokens_decoder" in config:
        added = _read_added_tokens_decoder(config["added_tokens_decoder"], path)
        _take_extra(config.get("extra_special_tokens"), added, settings, path)
        settings |= _without_flags(settings, {token.content for token in added.values()})
        return {**settings, "added_tokens_decoder": {**declared, **added}}
    older = directory / SPECIAL_TOKENS_NAME
    settings |= _read_special_tokens(_read_if_there(older), older)
    _take_extra(config.get("extra_special_tokens"), declared, settings, path)
    added = _read_added_tokens(directory / ADDED_TOKENS_NAME, settings)
    settings |= _without_flags(settings, {token.content for token in declared.values()})
    return {**settings, "added_tokens_decoder": {**added, **declared}}


def _take_extra(
    extra: Any, added: Mapping[int, AddedToken], settings: dict[str, Any], path: Path
) -> None:
    """Put special tokens that have names of their own among the additional ones.

    None may be known by its name alone, since it would have to be added here.
    """
    where = f"{path}: extra_special_tokens"
    if extra is not None and not isinstance(extra, dict):
        raise ValueError(f"{where} is {reprlib.repr(extra)}, not an object")
    known = {token.content for token in added.values()}
    for name, entry in (extra or {}).items():
        token = read_special_token(entry, f"{where}: {name}")
        content = content_of(token)
        if content not in known:
            raise ValueError(
                f"{where}: {name} is {content!r}, which is none of the added tokens: list it in"
                f" {ADDITIONAL}"
            )
        others = settings.get(ADDITIONAL, ())
        if content not in map(content_of, others):
            settings[ADDITIONAL] = [*others, token]


def _read_if_there(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _without_flags(settings: Mapping[str, Any], contents: Collection[str]) -> dict[str, Any]:
    def plain(token: str | AddedToken) -> str | AddedToken:
        content = content_of(token)
        return content if content in contents else token

    special: dict[str, Any] = {
        name: plain(settings[name]) for name in SPECIAL_TOKEN_NAMES if name in settings
    }
    if ADDITIONAL in settings:
        special[ADDITIONAL] = [plain(token) for token in settings[ADDITIONAL]]
    return special


def _read_special_tokens(entries: Mapping[str, Any], path: Path) -> dict[str, Any]:
    tokens: dict[str, Any] = {
        name: read_special_token(entries[name], f"{path}: {name}")
        for name in SPECIAL_TOKEN_NAMES
        if entries.get(name) is not None
    }
    additional = entries.get(ADDITIONAL)
    if additional:
        where = f"{path}: {ADDITIONAL}"
        if not isinstance(additional, list):
            raise ValueError(
                f"{where} is {reprlib.repr(additional)}: it must be an array of tokens"
            )
        tokens[ADDITIONAL] = [read_special_token(entry, where) for entry in additional]
    return tokens


def read_special_token(entry: Any, where: str) -> str | AddedToken:
    """Read a special token, which is a string or an object with flags.

    Parameters
    ----------
    entry : str or dict
        The JSON value.
    where : str
        Where it stands, for the error.

    Returns
    -------
    str or AddedToken
        The token.
    """
    if not isinstance(entry, str):
        return read_added_token(
            {**entry, "special": True} if isinstance(entry, dict) else entry, where
        )
    return read_added_token({"content": entry}, where).content


def read_added_token(entry: Any, where: str) -> AddedToken:
    """Read an added token from a JSON object.

    Parameters
    ----------
    entry : dict
        The object: ``content`` and flags.
    where : str
        Where it stands, for the error.

    Returns
    -------
    AddedToken
        The token.
    """
    content = entry.get("content") if isinstance(entry, dict) else None
    if not isinstance(content, str):
        raise ValueError(
            f"{where} is {reprlib.repr(entry)}: it must be an object with a string `content`"
        )
    if not content or not is_utf8(content):
        raise ValueError(
            f"{where}: the content of a token is {content!r}: it must have at least one character,"
            " and valid ones only"
        )
    flags = {flag: entry[flag] for flag in FLAGS if flag in entry}
    for flag, value in flags.items():
        check(f"{where}: {flag}", value, BOOLEAN)
    return AddedToken(content, **flags)


def check_added_tokens(
    added: Mapping[int, AddedToken], vocab: Mapping[str, int], where: str
) -> None:
    """Check that added tokens and a vocabulary give each token one id, and each id one token.

    Parameters
    ----------
    added : mapping of int to AddedToken
        The added tokens.
    vocab : mapping of str to int
        The vocabulary.
    where : str
        Where the added tokens stand, for the error.
    """
    owner = {index: token for token, index in vocab.items() if index in added}
    ids: dict[str, int] = {}
    for index, token in added.items():
        content = token.content
        known = ids.setdefault(content, vocab.get(content, index))
        if known != index:
            raise ValueError(
                f"{where}: {content!r} has the id {index}, but also the id {known}: use the files"
                " of one tokenizer"
            )
        if owner.get(index, content) != content:
            raise ValueError(
                f"{where}: {content!r} has the id {index}, which belongs to {owner[index]!r}: use"
                " the files of one tokenizer"
            )


def _read_added_tokens_decoder(entries: Any, path: Path) -> dict[int, AddedToken]:
    where = f"{path}: added_tokens_decoder"
    if not isinstance(entries, dict) or not all(map(_is_index, entries)):
        raise ValueError(f"{where} must be an object from ids to tokens")
    return {
        check_id(int(index), f"{where}: the id"): read_added_token(entry, f"{where}[{index}]")
        for index, entry in entries.items()
    }


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= len(str(MAX_ID))


def _read_added_tokens(path: Path, settings: Mapping[str, Any]) -> dict[int, AddedToken]:
    special = {token.content: token for token in _special_tokens(settings)}
    return {
        index: special.get(content) or AddedToken(content)
        for content, index in check_vocab(_read_if_there(path), str(path)).items()
    }


def _special_tokens(settings: Mapping[str, Any]) -> Iterable[AddedToken]:
    named = [(name, settings[name]) for name in SPECIAL_TOKEN_NAMES if name in settings]
    named += [(ADDITIONAL, token) for token in settings.get(ADDITIONAL, [])]
    return [token for _, token in resolve_special_tokens(named, [])]


def config_object(settings: Mapping[str, Any], added: Mapping[int, AddedToken]) -> dict[str, Any]:
    """Put together what tokenizer_config.json holds.

    Parameters
    ----------
    settings : mapping
        The entries of `SETTINGS` and the special tokens by their names.
    added : mapping of int to AddedToken
        All added tokens by their ids.

    Returns
    -------
    dict
        The object.
    """
    config = {
        name: value
        for name, value in settings.items()
        if value is not None and USUAL.get(name) != value
    }
    config.setdefault("model_max_length", NO_MAX_LENGTH)
    config.setdefault("extra_special_tokens", {})
    config["added_tokens_decoder"] = {index: asdict(token) for index, token in added.items()}
    return {**config, "tokenizer_class": "RobertaTokenizer"}


def special_tokens_object(special: Iterable[tuple[str, AddedToken]]) -> dict[str, Any]:
    """Put together what special_tokens_map.json holds.

    Parameters
    ----------
    special : iterable of (str, AddedToken)
        The special tokens with their names.

    Returns
    -------
    dict
        The object.
    """
    entries: dict[str, Any] = {}
    for name, token in special:
        flags = {key: value for key, value in asdict(token).items() if key != "special"}
        if name == ADDITIONAL:
            entries.setdefault(name, []).append(flags)
        else:
            entries[name] = flags
    return entries
