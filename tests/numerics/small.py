"""A small model, a batch that shows much, and mistakes made in the model itself."""

from dataclasses import replace

import numpy as np

from minirobert import RobertaConfig, RobertaForMaskedLM, watch
from minirobert.numerics import trace

FIELDS = {
    "vocab_size": 31, "hidden_size": 12, "num_hidden_layers": 3, "num_attention_heads": 3,
    "intermediate_size": 20, "max_position_embeddings": 14, "type_vocab_size": 2,
    "initializer_range": 0.3,
}  # fmt: skip
#: Padding on the right and on the left, and a token that is hidden.
BATCH = {
    "input_ids": np.array([[0, 5, 6, 7, 2, 1, 1], [1, 8, 9, 10, 11, 12, 2]]),
    "attention_mask": np.array([[1, 1, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, 1, 1]]),
}
LAYER = "roberta.encoder.layer"


def small_model(model_class=RobertaForMaskedLM, **fields):
    return model_class(RobertaConfig(**{**FIELDS, **fields}), seed=1)


def traced(model, changes=(), **arguments):
    """Trace a model that makes mistakes: functions by the ends of the names that they change."""

    def change(name, array):
        for end, function in dict(changes).items():
            if name.endswith(end):
                return function(array).astype(array.dtype)
        return None

    with watch(change):
        return trace(model, weights=False, **(arguments or BATCH))


def only(port, *names):
    """Leave of a trace what it was given, and tensors of these names."""
    kept = {*port.given, *names}
    return replace(
        port, tensors={name: port.tensors[name] for name in port.tensors if name in kept}
    )
