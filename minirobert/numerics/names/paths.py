"""The path of a module, without what wraps the model."""

from __future__ import annotations

__all__ = ["own_path"]

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
