"""The settings beside the vocabulary: tokenizer_config.json and its older companions.

tokenizer_config.json holds the arguments of the tokenizer and, since 2023, in
``added_tokens_decoder`` all added tokens with their flags. Before, the flags stood in
special_tokens_map.json and the ids in added_tokens.json; both are still written, but read only
where tokenizer_config.json lacks that entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..files import read_json
from .added_tokens import AddedToken
from .files import check_vocab
from .special_tokens import SPECIAL_TOKEN_NAMES, resolve_special_tokens

CONFIG_NAME = "tokenizer_config.json"
SPECIAL_TOKENS_NAME = "special_tokens_map.json"
ADDED_TOKENS_NAME = "added_tokens.json"

ADDITIONAL = "additional_special_tokens"

# The entries of tokenizer_config.json that are arguments of the tokenizer as they stand. It may
# have many others, which concern transformers only.
SETTINGS = (
    "errors",
    "add_prefix_space",
    "trim_offsets",
    "model_max_length",
    "padding_side",
    "truncation_side",
    "clean_up_tokenization_spaces",
)
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def read_settings(directory: Path) -> dict[str, Any]:
    """Read the arguments of a tokenizer from the files of a directory, those that there are.

    Parameters
    ----------
    directory : Path
        The directory.

    Returns
    -------
    dict
        Arguments of `RobertaTokenizer`.
    """
    config = _read_if_there(directory / CONFIG_NAME)
    settings = {name: config[name] for name in SETTINGS if config.get(name) is not None}
    where = str(directory)
    if "added_tokens_decoder" in config:
        settings |= _read_special_tokens(config, where)
        added = _read_added_tokens_decoder(config["added_tokens_decoder"], where)
    else:
        older = _read_if_there(directory / SPECIAL_TOKENS_NAME)
        settings |= _read_special_tokens({**config, **older}, where)
        added = _read_added_tokens(directory / ADDED_TOKENS_NAME, settings)
    return {**settings, "added_tokens_decoder": added}


def _read_if_there(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _read_special_tokens(entries: Mapping[str, Any], where: str) -> dict[str, Any]:
    tokens: dict[str, Any] = {
        name: read_special_token(entries[name], f"{where}: {name}")
        for name in SPECIAL_TOKEN_NAMES
        if entries.get(name) is not None
    }
    additional = entries.get(ADDITIONAL)
    if additional:
        where = f"{where}: {ADDITIONAL}"
        if not isinstance(additional, list):
            raise ValueError(f"{where} is {additional!r}: it must be an array of tokens")
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
    if isinstance(entry, str):
        return entry
    if isinstance(entry, dict):
        entry = {**entry, "special": True}
    return read_added_token(entry, where)


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
    if not isinstance(entry, dict) or not isinstance(entry.get("content"), str):
        raise ValueError(f"{where} is {entry!r}: it must be an object with a string `content`")
    flags = {flag: entry[flag] for flag in FLAGS if flag in entry}
    for flag, value in flags.items():
        if not isinstance(value, bool):
            raise ValueError(f"{where}: {flag} is {value!r}, not true or false")
    return AddedToken(entry["content"], **flags)


def _read_added_tokens_decoder(entries: Any, where: str) -> dict[int, AddedToken]:
    where = f"{where}: added_tokens_decoder"
    if not isinstance(entries, dict) or not all(index.isdecimal() for index in entries):
        raise ValueError(f"{where} must be an object from ids to tokens")
    return {
        int(index): read_added_token(entry, f"{where}[{index}]") for index, entry in entries.items()
    }


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
        The entries of `SETTINGS` and the special tokens by their names; None is left out.
    added : mapping of int to AddedToken
        All added tokens by their ids.

    Returns
    -------
    dict
        The object.
    """
    decoder = {str(index): asdict(token) for index, token in sorted(added.items())}
    given = {name: value for name, value in settings.items() if value is not None}
    config = {**given, "added_tokens_decoder": decoder}
    return {**dict(sorted(config.items())), "tokenizer_class": "RobertaTokenizer"}


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
