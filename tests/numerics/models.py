"""Models and batches for the numerical checks: drawn, and two that show all mistakes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from minirobert.config_fields import ACTIVATION_NAMES
from tests.equivalence.strategies import CLASSES, CROSS, torch_model

#: One activation in two models is RoBERTa's own.
ACTIVATIONS = (*["gelu"] * len(ACTIVATION_NAMES), *ACTIVATION_NAMES)
POSITIONS = ("absolute", "absolute", "absolute", "relative_key", "relative_key_query")


@dataclass(frozen=True)
class Case:
    """A model in transformers, in float64 with numbers that float32 has, and the arguments."""

    class_name: str
    config: dict[str, Any]
    module: Any
    arguments: dict[str, np.ndarray]

    def in_dtype(self, dtype: torch.dtype) -> Any:
        """Give the module in another dtype, for good."""
        return self.module.to(dtype)


def drawn_model(seed: int, class_name: str | None = None, **fields: Any) -> Case:
    """Draw a model of any class, and a batch with padding, holes, and rows that see nothing.

    Parameters
    ----------
    seed : int
        The same case each time.
    class_name : str, optional
        Or any.
    **fields
        Of the configuration, not to be drawn.
    """
    rng = np.random.default_rng(seed)
    class_name = class_name or str(rng.choice(CLASSES))
    config = {**drawn_config(rng, class_name), **fields}
    scale = float(rng.choice([0.02, 0.1, 0.3, 0.5]))
    module = rounded(torch_model(class_name, config, seed, scale))
    return Case(class_name, config, module, drawn_arguments(rng, class_name, config))


def drawn_config(rng: np.random.Generator, class_name: str) -> dict[str, Any]:
    """Draw the fields of a configuration."""
    heads, size = int(rng.integers(1, 5)), int(rng.integers(1, 9))
    pad = int(rng.choice([0, 1, 1, 5]))
    decoder = class_name == "RobertaForCausalLM" or bool(rng.random() < 0.15)
    return {
        "vocab_size": pad + int(rng.integers(8, 60)),
        "hidden_size": heads * size,
        "num_hidden_layers": int(rng.integers(0, 4)),
        "num_attention_heads": heads,
        "intermediate_size": int(rng.integers(2, 50)),
        "hidden_act": str(rng.choice(ACTIVATIONS)),
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": pad + 1 + int(rng.integers(12, 20)),
        "type_vocab_size": int(rng.integers(1, 4)),
        "layer_norm_eps": float(rng.choice([1e-12, 1e-5, 1e-5, 1e-3])),
        "pad_token_id": pad,
        "position_embedding_type": str(rng.choice(POSITIONS)),
        "tie_word_embeddings": bool(rng.random() < 0.7),
        "is_decoder": decoder,
        "add_cross_attention": decoder and class_name in CROSS and bool(rng.random() < 0.5),
        "use_cache": False,  # with one, transformers takes wrong relative distances
        "chunk_size_feed_forward": 0,  # otherwise it must divide the length
        "num_labels": int(rng.integers(1, 5)) if "Classification" in class_name else 2,
    }


def drawn_arguments(
    rng: np.random.Generator, class_name: str, config: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Draw a batch: in each row padding left, right or nowhere, and a mask with holes."""
    batch, tokens = int(rng.integers(1, 6)), int(rng.integers(2, 11))
    choices = (int(rng.integers(2, 4)),) if class_name == "RobertaForMultipleChoice" else ()
    shape, pad = (batch, *choices, tokens), config["pad_token_id"]
    ids = rng.integers(0, config["vocab_size"], shape)
    for row in ids.reshape(-1, tokens):
        n = int(rng.integers(0, tokens))
        side = rng.choice(["left", "right", "none"])
        row[slice(n) if side == "left" else slice(tokens - n, tokens if side == "right" else 0)] = (
            pad
        )
    mask = np.where(rng.random(shape) < 0.1, 1 - (ids != pad), ids != pad)
    mask[rng.random(shape[:-1]) < 0.15] = 0  # a row that sees nothing
    arguments = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
    if rng.random() < 0.5:
        arguments["token_type_ids"] = rng.integers(0, config["type_vocab_size"], shape)
    if config["add_cross_attention"]:
        text = (batch, int(rng.integers(1, 8)))
        hidden = rng.standard_normal((*text, config["hidden_size"]), np.float32)
        arguments["encoder_hidden_states"] = hidden.astype(np.float64)
        arguments["encoder_attention_mask"] = rng.integers(0, 2, text)
    return arguments


def rounded(module: Any) -> Any:
    """Give the weights of a module numbers that float32 has, whatever its dtype."""
    with torch.no_grad():
        for one in module.parameters():
            one.copy_(one.float())
    return module


# Two models that show every mistake: small, and no two of their sizes are equal


def vector(number: int, class_name: str = "RobertaForMaskedLM") -> Case:
    """Make one of the two: the first has eps 1e-5 and small embeddings, the other neither.

    Its batch has a hidden token that is no padding, padding that is visible, padding on the left of
    a row and on the right of another, and a row that sees nothing.

    Parameters
    ----------
    number : int
        1 or 2.
    class_name : str
        ``"RobertaModel"`` has a pooler.
    """
    eps, pad, embeddings = {1: (1e-5, 1, 0.02), 2: (1e-12, 5, 0.5)}[number]
    config = {
        "hidden_size": 24,
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "intermediate_size": 40,
        "vocab_size": 61,
        "max_position_embeddings": 30,
        "type_vocab_size": 3,
        "layer_norm_eps": eps,
        "pad_token_id": pad,
        "use_cache": False,
    }  # both dropouts are 0.1
    module = torch_model(class_name, config, seed=number, scale=0.3)
    with torch.no_grad():
        for name, one in module.named_parameters():
            if "norm.weight" in name.lower():
                one.copy_(1 + (one - 1) * 2 / 3)  # of scale 0.2
            elif "embeddings." in name and one.ndim == 2:
                one.mul_(embeddings / 0.3)
    return Case(class_name, config, rounded(module), vector_arguments(pad))


def vector_arguments(pad: int) -> dict[str, np.ndarray]:
    """Give the batch of both. int64 [4, 7]."""
    p = pad
    ids = [
        [0, 17, 23, 8, 42, 9, 2],
        [0, 31, p, 44, 12, p, p],
        [p, p, 0, 25, 33, 50, 2],
        [0, 11, 58, 29, 2, p, p],
    ]
    mask = [
        [1, 1, 0, 1, 1, 1, 1],  # 23 is hidden
        [1, 1, 1, 1, 1, 0, 0],  # the padding between 31 and 44 is not
        [0, 0, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    types = [
        [0, 0, 0, 0, 1, 1, 1],
        [0, 0, 1, 1, 2, 0, 0],
        [0, 0, 2, 2, 2, 1, 1],
        [1, 1, 1, 0, 0, 0, 0],
    ]
    names = ("input_ids", "attention_mask", "token_type_ids")
    return {name: np.array(rows) for name, rows in zip(names, (ids, mask, types), strict=True)}
