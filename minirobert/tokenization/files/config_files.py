"""The settings beside the vocabulary: tokenizer_config.json and its older companions.

tokenizer_config.json holds the arguments of the tokenizer and, since 2023, in
``added_tokens_decoder`` all added tokens with their flags. Before, the flags stood in
special_tokens_map.json and the ids in added_tokens.json; both are still written, but read only
where tokenizer_config.json lacks that entry. Since version 5 of transformers they stand in
tokenizer.json alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...checks import warn
from ...files import is_utf8, read_json
from ...rules import BOOLEAN, check
from ...sentences import listed, plain, shown
from ..added_tokens import FLAGS, AddedToken, content_of
from ..settings import SETTINGS
from ..special_tokens import ADDITIONAL, SPECIAL_TOKEN_NAMES, resolve_special_tokens
from ..vocabulary import MAX_ID, numbered
from .classes import ROBERTA, class_of
from .vocab_and_merges import check_id, check_vocab

__all__ = [
    "ADDED_TOKENS_NAME",
    "CONFIG_NAME",
    "NO_MAX_LENGTH",
    "SPECIAL_TOKENS_NAME",
    "config_object",
    "read_added_token",
    "read_settings",
    "read_special_token",
    "special_tokens_object",
]

CONFIG_NAME = "tokenizer_config.json"
SPECIAL_TOKENS_NAME = "special_tokens_map.json"
ADDED_TOKENS_NAME = "added_tokens.json"

# The entries that are read; the others are kept as they are.
READ = {*SETTINGS, *SPECIAL_TOKEN_NAMES, ADDITIONAL, "added_tokens_decoder", "max_len"}
# What older versions have written of where the files once were; transformers forgets them, too.
PLACES = {
    *("name_or_path", "init_inputs", "device_map", "vocab_file", "merges_file", "tokenizer_file"),
    *("special_tokens_map_file", "added_tokens_file", "tokenizer_config_file"),
}
EXTRA = "extra_special_tokens"

# What transformers writes as `model_max_length` where there is no limit.
NO_MAX_LENGTH = int(1e30)
# transformers writes these only if they are not as usual.
DEFAULT_SETTINGS = {
    "model_input_names": ("input_ids", "attention_mask"),
    "padding_side": "right",
    "truncation_side": "right",
    "split_special_tokens": False,
}


def read_settings(
    directory: Path,
    vocab: Mapping[str, int],
    declared: Mapping[int, AddedToken],
    tokenizer_class: str = ROBERTA,
) -> dict[str, Any]:
    """Read the arguments of a tokenizer from the files of a directory, those that there are.

    `declared` are the added tokens of tokenizer.json, and are returned among the others. Their
    flags win over those of the older files, but not over those of tokenizer_config.json; their ids
    win over all.
    """
    path = directory / CONFIG_NAME
    config = _read_if_there(path)
    settings = _read_plain_settings(config, path)
    settings |= _read_special_tokens(config, path)
    if "added_tokens_decoder" in config:
        added = _read_added_tokens_decoder(config["added_tokens_decoder"], path)
        _tell_of_other_flags(declared, added, path)
        with_flags = {token.content for token in added.values()}
        ids_from = path
    else:
        older = directory / SPECIAL_TOKENS_NAME
        settings |= _read_special_tokens(_read_if_there(older), older, settings)
        ids_from = directory / ADDED_TOKENS_NAME
        added = _read_added_tokens(ids_from, settings, declared)
        with_flags = {token.content for token in declared.values()}
    _take_extra(config.get(EXTRA), settings, path)
    settings |= _without_flags(settings, with_flags)
    known = with_flags | {token.content for token in declared.values()}
    _flag_mask(settings, with_flags, known, tokenizer_class)
    entries = [*declared.items(), *sorted(added.items(), key=lambda entry: entry[0])]
    return {**settings, "added_tokens_decoder": numbered(vocab, entries, plain(ids_from))}


def _read_plain_settings(config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Read what is no special token, and keep what means nothing here."""
    settings = {name: config[name] for name in SETTINGS if config.get(name) is not None}
    if config.get("max_len") is not None:  # an older name
        settings.setdefault("model_max_length", config["max_len"])
    for name, value in settings.items():
        check(f"{plain(path)}: {name}", value, SETTINGS[name].rule)
    other = {name: value for name, value in config.items() if name not in READ | PLACES}
    other.pop("tokenizer_class", None)  # whoever reads the files knows it already
    if isinstance(other.get(EXTRA), list):
        del other[EXTRA]  # they are additional special tokens from here on
    return {**settings, "other_settings": other} if other else settings


def _tell_of_other_flags(
    declared: Mapping[int, AddedToken], added: Mapping[int, AddedToken], path: Path
) -> None:
    in_tokenizer_json = {token.content: token for token in declared.values()}
    others = [t for t in added.values() if in_tokenizer_json.get(t.content, t) != t]
    if others:
        names = listed((token.content for token in others), each=shown)
        warn(
            f"{plain(path)}: added_tokens_decoder has other flags than tokenizer.json for {names}:"
            " its own count, as in transformers"
        )


def _flag_mask(
    settings: dict[str, Any], with_flags: Collection[str], known: Collection[str], kind: str
) -> None:
    """Let the mask token take the white space on its left where the class does so by itself.

    It does so if no file that names the token gives its flags; tokenizer.json does not count.
    """
    of_class = class_of(kind)
    mask = settings.get("mask_token", of_class.special_tokens.get("mask_token"))
    if not isinstance(mask, str) or ("mask_token" in settings and mask in with_flags):
        return
    if of_class.strips_mask or mask not in known:
        settings["mask_token"] = of_class.flagged("mask_token", mask)


def _take_extra(extra: Any, settings: dict[str, Any], path: Path) -> None:
    """Put special tokens that have names of their own, or stand in a list, among the additional."""
    where = f"{plain(path)}: {EXTRA}"
    if extra is not None and not isinstance(extra, dict | list):
        raise ValueError(f"{where} is {shown(extra)}, neither an object nor an array")
    named = dict(enumerate(extra)) if isinstance(extra, list) else extra or {}
    tokens = [
        read_special_token(entry, f"{where}[{shown(name, 40)}]") for name, entry in named.items()
    ]
    others = settings.get(ADDITIONAL, [])
    known = set(map(content_of, others))
    new = {content_of(token): token for token in tokens if content_of(token) not in known}
    if new:
        settings[ADDITIONAL] = [*others, *new.values()]


def _read_if_there(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _without_flags(settings: Mapping[str, Any], contents: Collection[str]) -> dict[str, Any]:
    def plain(token: str | AddedToken) -> str | AddedToken:
        content = content_of(token)
        return content if content in contents else token

    special: dict[str, Any] = {
        name: plain(settings[name]) for name in SPECIAL_TOKEN_NAMES if settings.get(name)
    }
    if ADDITIONAL in settings:
        special[ADDITIONAL] = [plain(token) for token in settings[ADDITIONAL]]
    return special


def _read_special_tokens(
    entries: Mapping[str, Any], path: Path, before: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """Read those that a file names; null is none. Additional ones join those from `before`."""
    tokens: dict[str, Any] = {
        name: None if entry is None else read_special_token(entry, f"{plain(path)}: {name}")
        for name, entry in entries.items()
        if name in SPECIAL_TOKEN_NAMES
    }
    additional = entries.get(ADDITIONAL)
    if additional:
        where = f"{plain(path)}: {ADDITIONAL}"
        if not isinstance(additional, list):
            raise ValueError(f"{where} is {shown(additional)}: it must be an array of tokens")
        others = [read_special_token(entry, where) for entry in additional]
        together = {content_of(token): token for token in [*before.get(ADDITIONAL, []), *others]}
        tokens[ADDITIONAL] = list(together.values())
    return tokens


def read_special_token(entry: Any, where: str) -> str | AddedToken:
    """Read a special token, which is a string or an object with flags."""
    if not isinstance(entry, str):
        return read_added_token(
            {**entry, "special": True} if isinstance(entry, dict) else entry, where
        )
    return read_added_token({"content": entry}, where).content


def read_added_token(entry: Any, where: str) -> AddedToken:
    """Read an added token from a JSON object of its ``content`` and flags."""
    content = entry.get("content") if isinstance(entry, dict) else None
    if not isinstance(content, str):
        raise ValueError(f"{where} is {shown(entry)}: it must be an object with a string `content`")
    if not content or not is_utf8(content):
        raise ValueError(
            f"{where}: the content of a token is {shown(content)}: it must have at least one"
            " character, and valid ones only"
        )
    flags = {flag: entry[flag] for flag in FLAGS if flag in entry}
    for flag, value in flags.items():
        check(f"{where}: {flag}", value, BOOLEAN)
    return AddedToken(content, **flags)


def _read_added_tokens_decoder(entries: Any, path: Path) -> dict[int, AddedToken]:
    where = f"{plain(path)}: added_tokens_decoder"
    if not isinstance(entries, dict) or not all(map(_is_index, entries)):
        raise ValueError(f"{where} must be an object from ids to tokens")
    return {
        check_id(int(index), f"{where}: the id"): read_added_token(entry, f"{where}[{index}]")
        for index, entry in entries.items()
    }


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= len(str(MAX_ID))


def _read_added_tokens(
    path: Path, settings: Mapping[str, Any], declared: Mapping[int, AddedToken]
) -> dict[int, AddedToken]:
    flags = {token.content: token for token in [*_special_tokens(settings), *declared.values()]}
    ids = check_vocab(_read_if_there(path), plain(path))
    return {
        index: flags.get(content) or read_added_token({"content": content}, plain(path))
        for content, index in ids.items()
    }


def _special_tokens(settings: Mapping[str, Any]) -> Iterable[AddedToken]:
    named = [(name, settings[name]) for name in SPECIAL_TOKEN_NAMES if settings.get(name)]
    named += [(ADDITIONAL, token) for token in settings.get(ADDITIONAL, [])]
    return [token for _, token in resolve_special_tokens(named, [])]


def config_object(settings: Mapping[str, Any], added: Mapping[int, AddedToken]) -> dict[str, Any]:
    """Put together what tokenizer_config.json holds."""
    kind = settings.get("tokenizer_class", ROBERTA)
    of_class = class_of(kind)
    usual = {**DEFAULT_SETTINGS, **of_class.settings}
    config = {
        name: value
        for name, value in settings.items()
        if value is not None and usual.get(name) != value
    }
    config.setdefault("model_max_length", NO_MAX_LENGTH)
    config.setdefault(EXTRA, {})
    config["added_tokens_decoder"] = {index: asdict(token) for index, token in added.items()}
    # What the class would add by default, and this tokenizer does not have.
    absent = {name: None for name in of_class.special_tokens if name not in config}
    return {**absent, **config, "tokenizer_class": kind}


def special_tokens_object(special: Iterable[tuple[str, AddedToken]]) -> dict[str, Any]:
    """Put together what special_tokens_map.json holds."""
    entries: dict[str, Any] = {}
    for name, token in special:
        flags = {key: value for key, value in asdict(token).items() if key != "special"}
        if name == ADDITIONAL:
            entries.setdefault(name, []).append(flags)
        else:
            entries[name] = flags
    return entries
