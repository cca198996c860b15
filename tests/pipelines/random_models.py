"""Random models with heads, in this package and in transformers, for the tests of pipelines."""

import tempfile
from functools import cache
from typing import Any

import numpy as np
import torch
import transformers

from minirobert import TINY, RobertaConfig
from minirobert.parameters import build_tree, flatten
from minirobert.tokenization import RobertaTokenizer

transformers.logging.set_verbosity_error()

#: Tokens of the longest row; so few that many texts need several windows.
LONGEST = 48


def random_model(
    kind: type, head: str, seed: int = 0, dtype: str = "float64", **fields: Any
) -> Any:
    """Draw a model whose head gives many labels, some with confidence and some without."""
    config = RobertaConfig(
        vocab_size=8192,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=LONGEST + 2,
        type_vocab_size=1,
        **fields,
    )
    flat = flatten(kind(config, seed=seed).params)
    scale = {"weight": 0.8, "bias": 0.5}
    rng = np.random.default_rng(seed)
    for name in flat:
        if name.startswith(head):
            flat[name] = rng.normal(size=flat[name].shape) * scale[name.rpartition(".")[2]]
        else:
            flat[name] = flat[name] * (5.0 if name.endswith("weight") and "Norm" not in name else 1)
        flat[name] = flat[name].astype(dtype)
    return kind(config, build_tree(flat))


def in_transformers(model: Any) -> Any:
    """Load the same weights in transformers."""
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        kind = getattr(transformers, type(model).__name__)
        return kind.from_pretrained(directory, dtype=getattr(torch, model.dtype))


@cache
def our_tokenizer(**options: Any) -> RobertaTokenizer:
    return RobertaTokenizer.from_pretrained(TINY, model_max_length=LONGEST, **options)


@cache
def their_tokenizer(**options: Any) -> Any:
    return transformers.RobertaTokenizerFast.from_pretrained(
        TINY, model_max_length=LONGEST, **options
    )
