"""The parts of a name: the call, what wraps the model, and the path of a module in it."""

from __future__ import annotations

import re

__all__ = ["divided", "own_path"]

#: What may stand before a name: the call, or the step of generation.
_CALL = re.compile(r"(?:(?:call|step)\.\d+\.)*")

#: The modules at the top of a model. What stands before them is a wrapper.
_TOP = ("roberta", "embeddings", "encoder", "pooler", "lm_head", "classifier", "qa_outputs")

#: What our names of a model with a head have before these.
_BASE = ("embeddings", "encoder", "pooler")


def own_path(path: str, architecture: str | None) -> str:
    """Give the path that a module has in transformers' model of this class.

    >>> own_path("module.roberta.encoder.layer.0", "RobertaForMaskedLM")
    'roberta.encoder.layer.0'
    >>> own_path("encoder.layer.0", "RobertaForMaskedLM"), own_path("encoder.layer.0", None)
    ('roberta.encoder.layer.0', 'encoder.layer.0')
    """
    parts = path.split(".")
    tops = [i for i, part in enumerate(parts) if part in _TOP]
    if not tops:
        return path
    parts = parts[tops[0] :]
    if architecture == "RobertaModel" and parts[0] == "roberta":
        parts = parts[1:]
    elif architecture not in (None, "RobertaModel") and parts[0] in _BASE:
        parts = ["roberta", *parts]
    return ".".join(parts)


def divided(name: str) -> tuple[str, str]:
    """Divide a name into what says which call or step it is of, and the rest.

    >>> divided("call.1.embeddings"), divided("embeddings")
    (('call.1.', 'embeddings'), ('', 'embeddings'))
    """
    rest = _CALL.sub("", name, count=1)
    return name.removesuffix(rest), rest
