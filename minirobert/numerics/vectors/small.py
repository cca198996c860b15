"""The small model of most cases, and what it reads."""

from __future__ import annotations

from typing import Any

from .cases import Case

__all__ = ["DROPOUT", "LOGITS", "READ", "SMALL", "small_case"]

#: Dropout, which nothing may feel that only reads.
DROPOUT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
#: With B 2 and S 5 no two axes have the same length: N 3, D 4, H 12, I 20, V 23, P 17.
SMALL: dict[str, Any] = {
    "vocab_size": 23,
    "hidden_size": 12,
    "num_hidden_layers": 1,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 17,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-5,
    **DROPOUT,
}
#: In the first text a token in the middle is masked, in the second padding is on the right.
IDS = [[0, 7, 21, 11, 2], [0, 5, 2, 1, 1]]
MASK = [[1, 1, 0, 1, 1], [1, 1, 1, 0, 0]]
READ = {"input_ids": IDS, "attention_mask": MASK}

LOGITS = ("lm_head.logits",)


def small_case(name: str, covers: str, *calls: dict[str, Any], **more: Any) -> Case:
    """Give a case of the small model, with some fields of its configuration and of the case."""
    own = ("architecture", "outputs", "scales", "options", "generate")
    settings = {**SMALL, **{field: more[field] for field in more if field not in own}}
    rest = {field: more[field] for field in own if field in more}
    return Case(name, covers, settings, calls or (READ,), **rest)
