"""How likely a model holds each token of a text, by the text around it or by that before it."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ..arrays import (
    array_namespace,
    is_array_api_obj,
    move_like,
    take_along_last,
    to_numpy,
    widened,
)
from ..checks import booleans, check_shape, integers, place
from ..functional import log_softmax
from ..models.language_models import LanguageModel, RobertaForCausalLM, RobertaForMaskedLM
from ..rules import Rule, check, integer

__all__ = ["log_likelihoods", "pseudo_log_likelihoods"]

HostArray: TypeAlias = np.ndarray[Any, Any]

#: So many logits of a decoder at once: enough for one reading of the [V, H] matrix to be worth it.
ROWS_OF_DECODER = 64


def pseudo_log_likelihoods(
    model: RobertaForMaskedLM,
    input_ids: Any,
    scored: Any,
    mask_token_id: int,
    attention_mask: Any = None,
    batch_size: int = 1,
) -> HostArray:  # [B, S], [B, S] -> [B, S]
    """Take the log-probability of each token where it alone is masked, and all others are seen.

    ``log P(w_t | w_1 … w_{t-1}, <mask>, w_{t+1} … w_S)``. A text is encoded anew for each of its
    tokens, and of each copy only the masked position is read by the head: so [``batch_size``, V]
    logits are made at once, not the [S, S, V] of all positions of all copies.

    Parameters
    ----------
    model : RobertaForMaskedLM
    input_ids : integers of shape [B, S]
    scored : bool of shape [B, S]
        Which tokens to score: mostly all but the special ones. Padding is not.
    mask_token_id : int
        That of the tokenizer.
    attention_mask : 0 and 1 of shape [B, S], optional
        0 is padding; by default there is none.
    batch_size : int
        How many copies to compute at once.

    Returns
    -------
    float64 NumPy array of shape [B, S]
        0 where a token is not scored: the sum of a row is the pseudo-log-likelihood of its text.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit the model or the others.

    Notes
    -----
    Source: Salazar et al. 2020 (arXiv:1910.14659).

    >>> import minirobert
    >>> model = minirobert.RobertaForMaskedLM.from_pretrained()
    >>> tokenizer = minirobert.RobertaTokenizer.from_pretrained()
    >>> ids = np.array([tokenizer("The sky is blue.")["input_ids"]])
    >>> is_word = ~np.isin(ids, tokenizer.all_special_ids)
    >>> scores = pseudo_log_likelihoods(model, ids, is_word, tokenizer.mask_token_id)
    >>> scores.shape, bool((scores[is_word] < 0).all()), float(scores[0, 0])
    ((1, 7), True, 0.0)
    """
    checked = _checked(RobertaForMaskedLM, model, input_ids, scored, attention_mask)
    ids, is_scored, attend = checked
    like, last = model.word_embeddings, model.config.vocab_size - 1
    mask_token_id = int(check("mask_token_id", mask_token_id, integer(0, last)))
    batch_size = int(check("batch_size", batch_size, integer(1)))
    found = np.zeros(ids.shape)
    places = np.argwhere(is_scored)  # [N, 2]
    for start in range(0, len(places), batch_size):
        rows, columns = places[start : start + batch_size].T  # [N], [N]
        length = np.flatnonzero(attend[rows].any(axis=0))[-1] + 1  # the rest is padding of all
        copies, each = ids[rows, :length], np.arange(len(rows))
        copies[each, columns] = mask_token_id
        is_masked = np.zeros(copies.shape, dtype=bool)
        is_masked[each, columns] = True
        inputs = (move_like(array, like) for array in (copies, attend[rows, :length]))
        hidden = model.hidden_states(*inputs, read=move_like(is_masked, like))  # [N, S, H]
        found[rows, columns] = _log_probabilities(
            model, hidden, each * length + columns, ids[rows, columns]
        )
    return found


def log_likelihoods(
    model: RobertaForCausalLM, input_ids: Any, scored: Any, attention_mask: Any = None
) -> HostArray:  # [B, S], [B, S] -> [B, S]
    """Take the log-probability of each token as the next one of those before it.

    ``log P(w_t | w_1 … w_{t-1})``, from one pass over the texts.

    Parameters
    ----------
    model : RobertaForCausalLM
    input_ids : integers of shape [B, S]
        Padded behind the texts.
    scored : bool of shape [B, S]
        Which tokens to score: mostly all but the special ones. Nothing stands before the first
        token of a row, so it cannot be scored.
    attention_mask : 0 and 1 of shape [B, S], optional
        0 is padding; by default there is none.

    Returns
    -------
    float64 NumPy array of shape [B, S]
        0 where a token is not scored: the sum of a row is the log-likelihood of its text.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit the model or the others.

    >>> from minirobert import RobertaConfig
    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9, is_decoder=True)
    >>> scored = [[False, True, True, False]]
    >>> log_likelihoods(RobertaForCausalLM(config), [[0, 5, 6, 2]], scored)[0, [0, 3]]
    array([0., 0.])
    """
    checked = _checked(RobertaForCausalLM, model, input_ids, scored, attention_mask)
    ids, is_scored, attend = checked
    like = model.word_embeddings
    if is_scored[:, 0].any():
        raise ValueError(
            "scored is True for the first token of a row, but there is none before it to tell it: "
            "begin each text with <s>, and do not score that"
        )
    found = np.zeros(ids.shape)
    places = np.flatnonzero(is_scored)  # [N]
    if not len(places):
        return found
    tells = np.roll(is_scored, -1, axis=1)  # each token is told by the one before it
    inputs = (move_like(array, like) for array in (ids, attend))
    hidden = model.hidden_states(*inputs, read=move_like(tells, like))  # [B, S, H]
    for start in range(0, len(places), ROWS_OF_DECODER):
        some = places[start : start + ROWS_OF_DECODER]
        labels = ids.reshape(-1)[some]
        found.reshape(-1)[some] = _log_probabilities(model, hidden, some - 1, labels)
    return found


def _log_probabilities(
    model: LanguageModel, hidden: Any, places: HostArray, labels: HostArray
) -> HostArray:  # [B, S, H], [N], [N] -> [N]
    """Take the log-probability of one word at each of some positions, counted through all rows."""
    xp = array_namespace(hidden)
    rows = xp.reshape(hidden, (-1, hidden.shape[-1]))  # [B S, H]
    logits = model.lm_head(xp.take(rows, move_like(places, hidden), axis=0))  # [N, V]
    words = move_like(labels[:, None], hidden)
    return to_numpy(take_along_last(log_softmax(widened(logits)), words))[:, 0]


def _checked(
    kind: type[LanguageModel], model: LanguageModel, input_ids: Any, scored: Any, mask: Any
) -> tuple[HostArray, HostArray, HostArray]:  # [B, S], bool [B, S], bool [B, S]
    """Check the model, ids and masks, and bring these to the host, where rows are chosen."""
    check("model", model, Rule(lambda v: isinstance(v, kind), f"a {kind.__name__}"), TypeError)
    axes = "[batch, sequence]"
    ids = to_numpy(integers("input_ids", _on_host(input_ids), np.empty(0), axes, 2))
    ids = ids.astype(np.int64)  # the mask's id may be larger than any of them
    is_scored = _mask("scored", scored, ids)
    attend = np.ones(ids.shape, bool) if mask is None else _mask("attention_mask", mask, ids)
    return ids, is_scored & attend, attend


def _mask(name: str, value: Any, ids: HostArray) -> HostArray:
    array = place(name, _on_host(value), ids)
    check_shape(name, array, ids.shape)
    return to_numpy(booleans(name, array))


def _on_host(value: Any) -> Any:
    return to_numpy(value) if is_array_api_obj(value) else value
