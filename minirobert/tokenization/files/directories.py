"""A tokenizer as a directory of files: which of them are read, and which are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...checks import warn
from ...files import (
    ModelFiles,
    new_directory,
    read_json,
    read_text,
    settings_text,
    write_files,
)
from ...rules import check
from ...sentences import plain, shown
from ..added_tokens import AddedToken, content_of
from ..bpe import Pair
from ..special_tokens import SPECIAL_TOKEN_NAMES
from ..vocabulary import Vocabulary
from .classes import ROBERTA, class_of
from .config_files import (
    ADDED_TOKENS_NAME,
    CONFIG_NAME,
    SPECIAL_TOKENS_NAME,
    config_object,
    read_settings,
    special_tokens_object,
)
from .tokenizer_json import TOKENIZER_NAME, read_tokenizer_json
from .tokenizer_json_text import tokenizer_text
from .vocab_and_merges import (
    MERGES_NAME,
    PATH,
    VOCAB_NAME,
    FilePath,
    merges_text,
    object_text,
    read_merges,
    read_vocab,
    vocab_text,
)

# A file of its own since version 4.52 of transformers, before that an entry of the configuration.
TEMPLATE_NAME = "chat_template.jinja"

_NAMES = (
    *(CONFIG_NAME, SPECIAL_TOKENS_NAME, ADDED_TOKENS_NAME, TEMPLATE_NAME),
    *(TOKENIZER_NAME, VOCAB_NAME, MERGES_NAME),
)

#: Their names, as a regular expression.
TOKENIZER_FILES = "|".join(map(re.escape, _NAMES))

# In bytes: the names of files have at most 255.
_LONGEST_PREFIX = 200

__all__ = ["TOKENIZER_FILES", "read_directory", "read_model", "write_directory", "write_model"]


def read_directory(files: ModelFiles, tokenizer_class: str = ROBERTA) -> dict[str, Any]:
    """Read the arguments that make the tokenizer of a directory, or of a model on the hub.

    Where the files name no special tokens, and say nothing else, it is as a class has it.
    """
    for name in (CONFIG_NAME, SPECIAL_TOKENS_NAME, ADDED_TOKENS_NAME, TEMPLATE_NAME):
        files.fetch(name)  # before those that must be there: see ModelFiles.fetch
    directory = files.require(TOKENIZER_NAME, (VOCAB_NAME, MERGES_NAME))
    of_class = class_of(tokenizer_class)
    arguments = _read_model(directory, tokenizer_class)
    vocab, declared = arguments["vocab_file"], arguments.get("added_tokens_decoder", {})
    settings = read_settings(directory, vocab, declared, tokenizer_class)
    others = settings.get("other_settings", {}) | _read_template(directory)
    if tokenizer_class != ROBERTA:
        others["tokenizer_class"] = tokenizer_class
    _follow_post_processor(arguments, settings, directory)
    named = {**arguments, **settings}
    if not of_class.is_known:
        _tell_of_unknown_class(tokenizer_class, named, directory)
    if tokenizer_class == ROBERTA:
        _tell_of_other_class(named, directory)
    roles = dict.fromkeys(SPECIAL_TOKEN_NAMES) | dict(of_class.special_tokens)
    return {**roles, **of_class.settings, **named, "other_settings": others}


def _follow_post_processor(
    arguments: Mapping[str, Any], settings: dict[str, Any], directory: Path
) -> None:
    """Frame rows as tokenizer.json says, even if other tokens are named in the settings."""
    for role in ("cls_token", "sep_token"):
        if role not in arguments or role not in settings:
            continue
        framing, named = arguments[role], settings[role]
        if named is not None and content_of(named) != framing:
            warn(
                f"{plain(directory)}: {role} is {shown(content_of(named), 60)} beside"
                f" {TOKENIZER_NAME}, whose post_processor frames texts with {shown(framing, 60)}:"
                f" that counts; to change it, set {role} of the tokenizer"
            )
        settings[role] = framing


def _read_template(directory: Path) -> dict[str, str]:
    """Read the chat template, which means nothing here, from where newer versions keep it."""
    path = directory / TEMPLATE_NAME
    return {"chat_template": read_text(path)} if path.is_file() else {}


def _tell_of_unknown_class(name: str, named: Mapping[str, Any], directory: Path) -> None:
    absent = [role for role in SPECIAL_TOKEN_NAMES if role not in named]
    if absent:
        warn(
            f"{plain(directory)}: the tokenizer is a {plain(name, 60)}, which is not known here,"
            f" and what it has as {', '.join(absent)} no file tells: there is none; give those that"
            " there are, as arguments"
        )


def read_model(
    vocab_file: FilePath | Mapping[str, int] | None,
    merges_file: FilePath | Iterable[Pair | str] | None,
    tokenizer_file: FilePath | None,
) -> tuple[dict[str, int], list[Pair], dict[int, AddedToken], dict[str, Any]]:
    """Read the vocabulary, merges, added tokens and unusual parts that a tokenizer is made of."""
    if tokenizer_file is not None and vocab_file is None and merges_file is None:
        check("tokenizer_file", tokenizer_file, PATH, TypeError)
        content = read_tokenizer_json(tokenizer_file)
        parts = content.settings.get("parts", {})
        return content.vocab, content.merges, content.added_tokens, parts
    if tokenizer_file is not None or vocab_file is None or merges_file is None:
        raise ValueError("a tokenizer needs vocab_file and merges_file, or tokenizer_file alone")
    vocab = read_vocab(vocab_file)
    return vocab, read_merges(merges_file, vocab), {}, {}


def _tell_of_other_class(named: Mapping[str, Any], directory: Path) -> None:
    path = directory / CONFIG_NAME
    said = read_json(path, tell=False).get("tokenizer_class") if path.is_file() else None
    absent = [role for role in SPECIAL_TOKEN_NAMES if role not in named]
    if not isinstance(said, str) or not absent:
        return
    if class_of(said).special_tokens != class_of(ROBERTA).special_tokens:
        warn(
            f"{plain(path)}: the tokenizer is a {plain(said, 60)}, but is read as one of RoBERTa,"
            f" whose {', '.join(absent)} it gets: AutoTokenizer.from_pretrained reads it as what it"
            " is"
        )


def _read_model(directory: Path, tokenizer_class: str) -> dict[str, Any]:
    if (directory / TOKENIZER_NAME).is_file():
        content = read_tokenizer_json(directory / TOKENIZER_NAME)
        return {
            **content.settings,
            "vocab_file": content.vocab,
            "merges_file": content.merges,
            "added_tokens_decoder": content.added_tokens,
        }
    if not all((directory / name).is_file() for name in (VOCAB_NAME, MERGES_NAME)):
        raise FileNotFoundError(
            f"there is no tokenizer in {plain(directory)}: it needs {TOKENIZER_NAME}, or"
            f" {VOCAB_NAME} and {MERGES_NAME}"
        )
    if not class_of(tokenizer_class).reads_vocab:
        raise ValueError(
            f"{plain(directory)}: the tokenizer is a {plain(tokenizer_class, 60)}, whose"
            f" {VOCAB_NAME} and {MERGES_NAME} do not say all: it needs {TOKENIZER_NAME}, which"
            " transformers' AutoTokenizer.from_pretrained(…).save_pretrained(…) writes; if it is a"
            " RoBERTa's, RobertaTokenizer.from_pretrained reads it"
        )
    return {
        "vocab_file": read_vocab(directory / VOCAB_NAME),
        "merges_file": directory / MERGES_NAME,
    }


def write_directory(
    directory: FilePath,
    vocabulary: Vocabulary,
    merges: Sequence[Pair],
    special_tokens: Sequence[tuple[str, AddedToken]],
    settings: Mapping[str, Any],
    legacy_format: bool | None = None,
    prefix: str = "",
    parts: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Write all files of a tokenizer over those of the one that was there before; name them.

    With the legacy format that is all but tokenizer.json, and where it is False, nothing that
    tokenizer.json says already. All of the old files are exchanged at once, see
    `minirobert.files.exchange`; files that are none of a tokenizer's are left alone.
    """
    _check_prefix(prefix)
    directory = new_directory(directory)
    added = {vocabulary.ids[content]: token for content, token in vocabulary.added.items()}
    beyond = {token: i for token, i in vocabulary.ids.items() if token not in vocabulary.base}
    texts = {
        CONFIG_NAME: settings_text(config_object(settings, added), CONFIG_NAME),
        SPECIAL_TOKENS_NAME: object_text(special_tokens_object(special_tokens)),
    }
    if beyond and legacy_format is not False:
        texts[ADDED_TOKENS_NAME] = object_text(beyond)
    if legacy_format is not True:
        texts[TOKENIZER_NAME] = tokenizer_text(vocabulary, merges, settings, parts)
    if legacy_format is not False:
        texts |= _model_texts(vocabulary, merges)
    # What was there before, and would be read beside the new files, goes.
    old = {f"{prefix}{name}" for name in _NAMES}
    return write_files(directory, {f"{prefix}{n}": t for n, t in texts.items()}, old.__contains__)


def write_model(
    directory: FilePath, vocabulary: Vocabulary, merges: Sequence[Pair], prefix: str = ""
) -> tuple[str, str]:
    """Write vocab.json and merges.txt alone, with a prefix to their names."""
    _check_prefix(prefix)
    directory = new_directory(directory)
    vocab_path, merges_path = write_files(directory, _model_texts(vocabulary, merges, prefix))
    return vocab_path, merges_path


def _check_prefix(prefix: str) -> None:
    if prefix and (
        Path(prefix).name != prefix or len(prefix.encode("utf-8", "replace")) > _LONGEST_PREFIX
    ):
        raise ValueError(
            f"filename_prefix is {shown(prefix)}: it must be part of a name, not a path, and have"
            f" at most {_LONGEST_PREFIX} bytes"
        )


def _model_texts(
    vocabulary: Vocabulary, merges: Sequence[Pair], prefix: str = ""
) -> dict[str, str]:
    return {
        f"{prefix}{VOCAB_NAME}": vocab_text(vocabulary.base),
        f"{prefix}{MERGES_NAME}": merges_text(merges),
    }
