"""What a model has in place of safetensors, and how it is converted."""

from __future__ import annotations

import re
from pathlib import Path

from ..files import ModelFiles, elsewhere, read_json
from ..sentences import listed, plain, shown

__all__ = ["no_weights", "only_others"]

_CONVERT = (
    'python -c "from transformers import {kind} as M; '
    'M.from_pretrained({source!r}{option}).save_pretrained({target!r})"'
)
_UNDER_PICKLE = (
    "a pickle, which can run any code when it is opened, so this package never does. Convert it "
    f"where you trust it: {_CONVERT}"
)
_BY_TENSORFLOW = f"which only TensorFlow reads. Convert it where that is installed: {_CONVERT}"
_BY_FLAX = f"which only Flax reads. Convert it where that is installed: {_CONVERT}"
_EXPORTED = "which holds no weights by their names. Take safetensors of what it was made from"
_FAIRSEQ = (
    "a pickle of PyTorch's without transformers' names, and never opened here. Take the model that "
    "was converted (such as FacebookAI/roberta-base), or save it again with save_pretrained"
)

_ANY_CLASS = "AutoModelForMaskedLM"

#: Files that are found where there is no model.safetensors: how they are named, what is said of
#: them, and what from_pretrained of transformers needs to be told.
_OTHERS = (
    ("pytorch_model*.bin", _UNDER_PICKLE, ""),
    ("tf_model.h5", _BY_TENSORFLOW, ", from_tf=True"),
    ("flax_model.msgpack", _BY_FLAX, ", from_flax=True"),
    ("*.onnx", _EXPORTED, ""),
    ("onnx/*.onnx", _EXPORTED, ""),
    ("*.gguf", _EXPORTED, ""),
    ("rust_model.ot", "which only rust-bert reads. Take safetensors of the same model", ""),
    ("*.ckpt*", _FAIRSEQ, ""),
    ("*.pt", _FAIRSEQ, ""),
    ("*.pth", _FAIRSEQ, ""),
)


def no_weights(directory: Path, wanted: tuple[str, ...]) -> str:
    """Say that none of the files wanted is in a directory, and what is there instead."""
    if (directory / "adapter_config.json").is_file():
        return f"{shown(str(directory))} has no weights of its own{elsewhere(directory)}"
    others = sorted(path.name for path in directory.glob("*.safetensors") if path.is_file())
    if others:
        return (
            f"{shown(str(directory))} has no {plain(wanted[0], 60)}, but {plain(others[0], 60)}: "
            f"{_cure(others[0], *wanted)}"
        )
    for pattern, sentence, option in _OTHERS:
        found = sorted(directory.glob(pattern))
        if found:
            kind, name = _saved_class(directory), str(directory)
            return _told(kind, name, name, found[0].name, sentence, option)
    return (
        f"{shown(str(directory))} has no weights: neither {listed(wanted, 120, ' nor ')} is there"
        f"{elsewhere(directory, *wanted)}"
    )


def _cure(found: str, whole: str, index: str) -> str:
    """Say how to load a safetensors file of another name than the one wanted."""
    if found == "model.safetensors":
        return "leave out variant="
    if re.fullmatch(r"model-\d+-of-\d+\.safetensors", found):
        return (
            f"it is one of several shards, whose index {plain(index, 60)} is missing: download it "
            "too"
        )
    variant = re.fullmatch(r"model\.([^.-]+)(-\d+-of-\d+)?\.safetensors", found)
    return (
        f"give variant={shown(variant[1], 40)}" if variant else f"rename it to {plain(whole, 60)}"
    )


def only_others(files: ModelFiles) -> str | None:
    """Say which other file a model of the hub has, of those that are found at their name."""
    for pattern, sentence, option in _OTHERS:
        name = pattern.replace("model*", "model")
        if "*" not in name and files.offers(name):
            kind = _saved_class(files.directory) if files.fetch("config.json") else _ANY_CLASS
            return _told(kind, files.name, Path(files.name).name, name, sentence, option)
    return None


def _told(kind: str, source: str, target: str, file: str, sentence: str, option: str) -> str:
    file = "pytorch_model.bin" if file.startswith("pytorch_model") else file
    text = sentence.format(kind=kind, source=source, target=target, option=option)
    return f"{source!r} has its weights only as {file}, {text}"


def _saved_class(directory: Path) -> str:
    """Name the class of transformers that reads a model with its head."""
    try:
        kind = read_json(directory / "config.json", tell=False)["architectures"][0]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return _ANY_CLASS
    known = isinstance(kind, str) and re.fullmatch(r"(Roberta|XLMRoberta|Camembert)\w+", kind)
    return kind if known else _ANY_CLASS
