"""The embedding sum, and the positions that RoBERTa counts from behind the padding id.

RoBERTa's position table is two rows longer than its longest text. Positions do not start at 0: the
first token is at ``padding_idx + 1`` and every padding token at ``padding_idx``, whose row the
table therefore keeps for padding. With ``padding_idx`` 1, rows 0 and 1 hold no token, and a table
of 514 rows serves texts of 512 tokens.
"""

from __future__ import annotations

from typing import Any

from .arrays import Array, array_namespace, astype, device_of, index_dtype
from .config import RobertaConfig
from .dropout import dropped
from .functional import embedding, layer_norm
from .observe import observe, scope
from .parameters import ParameterTree

__all__ = [
    "create_position_ids_from_input_ids",
    "create_position_ids_from_inputs_embeds",
    "embed",
]


def create_position_ids_from_input_ids(
    input_ids: Array, padding_idx: int, n_tokens: Array | int = 0
) -> Array:
    """Give the tokens positions from ``padding_idx + 1`` on, and padding ``padding_idx``.

    Padding is told by its id, never by the attention mask, and does not advance the count
    wherever it stands.

    Parameters
    ----------
    input_ids : integer Array of shape [B, S]
    padding_idx : int
        ``config.pad_token_id``.
    n_tokens : int, or integer Array of shape [B, 1]
        How many tokens of each text were read before; padding is not counted.

    Returns
    -------
    int64 Array of shape [B, S]

    >>> import numpy as np
    >>> create_position_ids_from_input_ids(np.array([[0, 9, 1, 9, 2, 1, 1]]), padding_idx=1)
    array([[2, 3, 1, 4, 5, 1, 1]])
    """
    xp = array_namespace(input_ids)
    is_token = astype(input_ids != padding_idx, index_dtype(xp))
    return (xp.cumulative_sum(is_token, axis=1) + n_tokens) * is_token + padding_idx


def create_position_ids_from_inputs_embeds(
    inputs_embeds: Array, padding_idx: int, n_tokens: Array | int = 0
) -> Array:
    """Give every row positions from ``padding_idx + 1`` on.

    Embeddings do not show which tokens are padding, so all count.

    Parameters
    ----------
    inputs_embeds : Array of shape [B, S, H]
    padding_idx : int
        ``config.pad_token_id``.
    n_tokens : int, or integer Array of shape [B, 1]
        How many tokens of each text were read before.

    Returns
    -------
    int64 Array of shape [B, S]
    """
    xp = array_namespace(inputs_embeds)
    batch, length, _ = inputs_embeds.shape
    first = padding_idx + 1
    row = xp.arange(first, first + length, dtype=index_dtype(xp), device=device_of(inputs_embeds))
    return xp.broadcast_to(row + n_tokens, (batch, length))


def embed(
    params: ParameterTree,
    word_embeddings: Array,
    token_type_ids: Array,
    position_ids: Array | None,
    config: RobertaConfig,
    rng: Any = None,
) -> Array:  # [B, S, H], [B, S], [B, S] -> [B, S, H]
    """Add up the embeddings of word, token type and position, and normalise the sum.

    Parameters
    ----------
    params : ParameterTree
        The tables, and the layer norm.
    word_embeddings : Array of shape [B, S, H]
        Rows of ``params.word_embeddings`` (or whatever stands in for them).
    token_type_ids : integer Array of shape [B, S]
    position_ids : integer Array of shape [B, S], optional
        None where positions are relative, and play their part in the attention alone.
    config : RobertaConfig
    rng : random generator, optional
        Given in training: ``hidden_dropout_prob`` of the normalised sum is dropped.

    Returns
    -------
    Array of shape [B, S, H]
        The first hidden states.

    Notes
    -----
    Source: Devlin et al. 2018 (arXiv:1810.04805), figure 2; Liu et al. 2019 (arXiv:1907.11692)
    keep the token types but train with only one.
    """
    with scope("embeddings"):
        token_type = embedding(params.token_type_embeddings.weight, token_type_ids)
        total = observe("word_embeddings", word_embeddings)
        total = total + observe("token_type_embeddings", token_type)
        if position_ids is not None:
            position = embedding(params.position_embeddings.weight, position_ids)
            total = total + observe("position_embeddings", position)
        total = observe("sum", total)
        normed = layer_norm(total, **params.LayerNorm, eps=config.layer_norm_eps)
        return dropped("LayerNorm", normed, config.hidden_dropout_prob, rng)
