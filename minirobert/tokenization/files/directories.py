"""A tokenizer as a directory of files: which of them are read, and which are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...files import ModelFiles, new_directory
from ..added_tokens import AddedToken
from ..bpe import Pair
from ..vocabulary import Vocabulary
from .config_files import (
    ADDED_TOKENS_NAME,
    CONFIG_NAME,
    SPECIAL_TOKENS_NAME,
    check_added_tokens,
    config_object,
    read_settings,
    special_tokens_object,
)
from .tokenizer_json import TOKENIZER_NAME, read_tokenizer_json, tokenizer_text
from .vocab_and_merges import (
    MERGES_NAME,
    VOCAB_NAME,
    FilePath,
    merges_text,
    object_text,
    read_merges,
    read_vocab,
    vocab_text,
    write_files,
)

__all__ = ["read_directory", "read_model", "write_directory", "write_model"]


def read_directory(files: ModelFiles) -> dict[str, Any]:
    """Read the arguments that make the tokenizer of a directory, or of a model on the hub."""
    for name in (CONFIG_NAME, SPECIAL_TOKENS_NAME, ADDED_TOKENS_NAME):
        files.fetch(name)  # before those that must be there: see ModelFiles.fetch
    directory = files.require(TOKENIZER_NAME, (VOCAB_NAME, MERGES_NAME))
    arguments = _read_model(directory)
    declared = arguments.get("added_tokens_decoder", {})
    settings = read_settings(directory, declared)
    vocab_name = TOKENIZER_NAME if (directory / TOKENIZER_NAME).is_file() else VOCAB_NAME
    where = f"{directory}: the tokens of {vocab_name}, {CONFIG_NAME} and {ADDED_TOKENS_NAME}"
    check_added_tokens(settings["added_tokens_decoder"], arguments["vocab_file"], where)
    return {**arguments, **settings}


def read_model(
    vocab_file: FilePath | Mapping[str, int] | None,
    merges_file: FilePath | Iterable[Pair | str] | None,
    tokenizer_file: FilePath | None,
) -> tuple[dict[str, int], list[Pair], dict[int, AddedToken], dict[str, Any]]:
    """Read the vocabulary, merges, added tokens and unusual parts that a tokenizer is made of."""
    if tokenizer_file is not None and vocab_file is None and merges_file is None:
        content = read_tokenizer_json(tokenizer_file)
        parts = content.settings.get("parts", {})
        return content.vocab, content.merges, content.added_tokens, parts
    if tokenizer_file is not None or vocab_file is None or merges_file is None:
        raise ValueError("a tokenizer needs vocab_file and merges_file, or tokenizer_file alone")
    vocab = read_vocab(vocab_file)
    return vocab, read_merges(merges_file, vocab), {}, {}


def _read_model(directory: Path) -> dict[str, Any]:
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
            f"there is no tokenizer in {directory}: it needs {TOKENIZER_NAME}, or {VOCAB_NAME} and"
            f" {MERGES_NAME}"
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
    parts: Mapping[str, Any],
) -> tuple[str, ...]:
    """Write all files of a tokenizer over those of the one that was there before; name them.

    Nothing is changed before all are on the disk under other names, so that a failure leaves the
    old tokenizer. Files that are none of a tokenizer's are left alone.
    """
    directory = new_directory(directory)
    added = {vocabulary.ids[content]: token for content, token in vocabulary.added.items()}
    beyond = {token: i for token, i in vocabulary.ids.items() if token not in vocabulary.base}
    texts = {
        CONFIG_NAME: object_text(config_object(settings, added)),
        SPECIAL_TOKENS_NAME: object_text(special_tokens_object(special_tokens)),
        **({ADDED_TOKENS_NAME: object_text(beyond)} if beyond else {}),
        TOKENIZER_NAME: tokenizer_text(vocabulary, merges, settings, parts),
        **_model_texts(vocabulary, merges),
    }
    written = write_files(directory, texts)
    if not beyond:
        (directory / ADDED_TOKENS_NAME).unlink(missing_ok=True)
    return written


def write_model(
    directory: FilePath, vocabulary: Vocabulary, merges: Sequence[Pair], prefix: str = ""
) -> tuple[str, str]:
    """Write vocab.json and merges.txt alone, with a prefix to their names."""
    if Path(prefix).name != prefix and prefix:
        raise ValueError(f"filename_prefix is {prefix!r}: it must be part of a name, not a path")
    directory = new_directory(directory)
    vocab_path, merges_path = write_files(directory, _model_texts(vocabulary, merges, prefix))
    return vocab_path, merges_path


def _model_texts(
    vocabulary: Vocabulary, merges: Sequence[Pair], prefix: str = ""
) -> dict[str, str]:
    return {
        f"{prefix}{VOCAB_NAME}": vocab_text(vocabulary.base),
        f"{prefix}{MERGES_NAME}": merges_text(merges),
    }
