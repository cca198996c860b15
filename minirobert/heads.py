"""What stands on top of the encoder: the pooler, and the language-model head."""

from __future__ import annotations

from typing import Any

from .arrays import Array
from .functional import gelu, layer_norm, linear, tanh
from .observe import observe, scope

__all__ = ["lm_head", "pooler"]


def pooler(hidden: Array, params: Any) -> Array:  # [B, S, H] -> [B, H]
    """Summarise a text by its first token, ``<s>``: ``tanh(dense(h_0))``.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The last hidden states.
    params : ParameterTree
        ``dense``: a weight [H, H] and a bias [H].

    Returns
    -------
    Array of shape [B, H]
    """
    return observe("pooler", tanh(linear(hidden[:, 0, :], **params.dense)))


def lm_head(
    hidden: Array, params: Any, decoder: Array, eps: float
) -> Array:  # [..., H] -> [..., V]
    """Score every word of the vocabulary: ``LayerNorm(gelu(dense(h))) W^T + b``.

    Parameters
    ----------
    hidden : Array of shape [..., H]
        The last hidden states, of all positions or of those that matter.
    params : ParameterTree
        ``dense``, ``layer_norm`` and ``bias``. The activation is always the exact `gelu`,
        whatever ``config.hidden_act`` says.
    decoder : Array of shape [V, H]
        The word embedding table itself where the two are tied.
    eps : float

    Returns
    -------
    Array of shape [..., V]
        Logits.
    """
    with scope("lm_head"):
        transformed = observe("dense", linear(hidden, **params.dense))
        transformed = observe("gelu", gelu(transformed))
        transformed = observe("layer_norm", layer_norm(transformed, **params.layer_norm, eps=eps))
        return observe("logits", linear(transformed, decoder, params.bias))
