"""The mathematics of RoBERTa: one formula a function, on arrays of any library.

- `minirobert.functional.basics`: maps, sums and probabilities, what the layers are made of;
- `minirobert.functional.activations`: the curves between two maps, `gelu` first;
- `minirobert.functional.error_function`: `erf`, of which `gelu` is made;
- `minirobert.functional.ordering`: the `largest` numbers of a row.

`minirobert.arrays.AXES` says what the letters of the shapes mean, here and in every file.

Each function computes in the dtype of its input (float16 is computed in float32 and rounded once)
and never changes its arguments. `minirobert.kernels` holds faster versions of a few of them for
NumPy arrays, each tested against the formula here, which stays ``gelu.dispatch(object)``; within
`minirobert.kernels.disabled` the formulas run.
"""

from __future__ import annotations

from .activations import (
    ACTIVATIONS,
    gelu,
    gelu_10,
    gelu_fast,
    gelu_new,
    laplace,
    leaky_relu,
    mish,
    quick_gelu,
    relu,
    relu2,
    relu6,
    sigmoid,
    silu,
    tanh,
)
from .basics import (
    apply_dropout,
    dropout,
    dropout_mask,
    embedding,
    layer_norm,
    linear,
    log_softmax,
    matmul,
    softmax,
)
from .error_function import erf
from .ordering import largest

__all__ = [
    "ACTIVATIONS",
    "apply_dropout",
    "dropout",
    "dropout_mask",
    "embedding",
    "erf",
    "gelu",
    "gelu_10",
    "gelu_fast",
    "gelu_new",
    "laplace",
    "largest",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "matmul",
    "mish",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]
