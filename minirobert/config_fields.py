"""The fields of ``config.json``: what the value of each may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from .class_names import ID2LABEL, LABEL2ID
from .rules import (
    BOOLEAN,
    INT64,
    PROBABILITY,
    STRING,
    Rule,
    count,
    dictionary_of,
    either,
    list_of,
    number,
    one_of,
    optional,
)

__all__ = ["ACTIVATION_NAMES", "FIELDS", "MODEL_TYPES", "PROBLEM_TYPES", "RULES", "dtype_text"]

#: The names that ``hidden_act`` may have; `minirobert.functional.ACTIVATIONS` has their formulas.
ACTIVATION_NAMES = (
    *("gelu", "gelu_python", "gelu_new", "gelu_accurate", "gelu_pytorch_tanh", "gelu_fast"),
    *("gelu_10", "quick_gelu", "relu", "relu2", "relu6", "leaky_relu", "silu", "swish", "mish"),
    *("tanh", "sigmoid", "laplace", "linear"),
)
POSITION_EMBEDDING_TYPES = ("absolute", "relative_key", "relative_key_query")
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
MODEL_TYPES = ("roberta", "xlm-roberta", "camembert")  # one architecture under three names

_TOKEN_ID = either(INT64, list_of(INT64, "a list of them", list))

#: With ``extra``, which holds what is no field.
RULES: dict[str, Rule] = {
    "vocab_size": count(1),
    "hidden_size": count(1),
    "num_hidden_layers": count(0),
    "num_attention_heads": count(1),
    "intermediate_size": count(1),
    "hidden_act": Rule(
        lambda value: callable(value) or (isinstance(value, str) and value in ACTIVATION_NAMES),
        f"a function or one of {', '.join(ACTIVATION_NAMES)}",
    ),
    "hidden_dropout_prob": PROBABILITY,
    "attention_probs_dropout_prob": PROBABILITY,
    "max_position_embeddings": count(1),
    "type_vocab_size": count(1),
    "initializer_range": number(0),
    "layer_norm_eps": number(0),
    "pad_token_id": count(0),
    "position_embedding_type": one_of(*POSITION_EMBEDDING_TYPES),
    "use_cache": BOOLEAN,
    "classifier_dropout": optional(PROBABILITY),
    "is_decoder": BOOLEAN,
    "add_cross_attention": BOOLEAN,
    "chunk_size_feed_forward": count(0),
    "tie_word_embeddings": BOOLEAN,
    "pruned_heads": dictionary_of(
        count(0),
        list_of(count(0), "a list of heads"),
        "a dictionary from layers to lists of heads, both counted from 0",
    ),
    "output_attentions": BOOLEAN,
    "output_hidden_states": BOOLEAN,
    "return_dict": BOOLEAN,
    "bos_token_id": optional(_TOKEN_ID),
    "eos_token_id": optional(_TOKEN_ID),
    "architectures": optional(list_of(STRING, "a list of strings", list)),
    "dtype": optional(STRING),
    "problem_type": one_of(None, *PROBLEM_TYPES),
    "id2label": optional(ID2LABEL),
    "label2id": optional(LABEL2ID),
    "num_labels": optional(count(0)),
    "model_type": one_of(*MODEL_TYPES),
    "extra": Rule(
        lambda value: isinstance(value, dict) and not value.keys() & FIELDS.keys(),
        "a dictionary without the names of fields",
    ),
}
#: What ``config.json`` may say of itself.
FIELDS: dict[str, Rule] = {name: rule for name, rule in RULES.items() if name != "extra"}


def dtype_text(value: Any) -> Any:
    """Name a dtype of NumPy or torch as ``config.json`` does."""
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    text = str(value) if type(value).__module__ == "torch" else value
    return text.removeprefix("torch.") if isinstance(text, str) else value
