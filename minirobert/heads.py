"""What stands on top of the encoder: the pooler, and one head for each task.

C is the number of classes (``config.num_labels``), or of choices. Each head ends in logits, scores
before softmax.
"""

from __future__ import annotations

from typing import Any

from .arrays import Array, array_namespace
from .dropout import dropped
from .functional import gelu, layer_norm, linear, tanh
from .observe import observe, scope
from .parameters import ParameterTree

__all__ = [
    "choice_classifier",
    "lm_head",
    "pooler",
    "sequence_classifier",
    "span_classifier",
    "token_classifier",
]


def pooler(
    hidden: Array, params: ParameterTree, p: float = 0.0, rng: Any = None
) -> Array:  # [B, S, H] -> [B, H]
    """Summarise a text by its first token, ``<s>``: ``tanh(dense(h_0))``.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The last hidden states.
    params : ParameterTree
        ``dense``: a weight [H, H] and a bias [H].
    p : float
        How much of the result is dropped in training: ``config.hidden_dropout_prob`` for choices,
        else nothing.
    rng : random generator, optional
        Given in training.

    Returns
    -------
    Array of shape [B, H]
    """
    dense = observe("pooler.dense", linear(hidden[:, 0, :], **params.dense))  # [B, H]
    return dropped("pooler", tanh(dense), p, rng)


def lm_head(
    hidden: Array, params: ParameterTree, decoder: Array, eps: float
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
        ``config.layer_norm_eps``.

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


def sequence_classifier(
    hidden: Array, params: ParameterTree, p: float = 0.0, rng: Any = None
) -> Array:  # [B, S, H] -> [B, C]
    """Score the classes of a text by its first token: ``out_proj(tanh(dense(h_0)))``.

    The first map is a pooler in all but its name and its weights, which are trained with the head.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The last hidden states.
    params : ParameterTree
        ``dense`` [H, H] and ``out_proj`` [C, H], each with its bias.
    p : float
        How much of the input of each of the two maps is dropped in training:
        ``config.classifier_dropout``, or ``hidden_dropout_prob`` where that is None.
    rng : random generator, optional
        Given in training.

    Returns
    -------
    Array of shape [B, C]
        Logits; for regression, the predicted numbers.

    Notes
    -----
    Source: Devlin et al. 2018 (arXiv:1810.04805), section 4.1, where the first token stands for
    the text.
    """
    with scope("classifier"):
        first = dropped("input", hidden[:, 0, :], p, rng)  # [B, H]
        dense = observe("dense", linear(first, **params.dense))  # [B, H]
        summary = dropped("tanh", tanh(dense), p, rng)  # [B, H]
        return observe("logits", linear(summary, **params.out_proj))


def token_classifier(
    hidden: Array, params: ParameterTree, p: float = 0.0, rng: Any = None
) -> Array:  # [B, S, H] -> [B, S, C]
    """Score the classes of each token: ``W h + b``.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The last hidden states.
    params : ParameterTree
        A weight [C, H] and a bias [C].
    p : float
        How much of the hidden states is dropped in training, as in `sequence_classifier`.
    rng : random generator, optional
        Given in training.

    Returns
    -------
    Array of shape [B, S, C]
        Logits.

    Notes
    -----
    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3 and figure 4 (d).
    """
    with scope("classifier"):
        return observe("logits", linear(dropped("input", hidden, p, rng), **params))


def span_classifier(
    hidden: Array, params: ParameterTree
) -> tuple[Array, Array]:  # [B, S, H] -> [B, S], [B, S]
    """Score each token as the first, and as the last, of the answer: ``W h + b``.

    Parameters
    ----------
    hidden : Array of shape [B, S, H]
        The last hidden states.
    params : ParameterTree
        A weight [2, H] and a bias [2]: row 0 is for the start, row 1 for the end.

    Returns
    -------
    start_logits, end_logits : Array of shape [B, S]

    Notes
    -----
    Source: Devlin et al. 2018 (arXiv:1810.04805), section 4.2, where S and E are the two rows.
    """
    with scope("qa_outputs"):
        logits = observe("logits", linear(hidden, **params))  # [B, S, 2]
        start = observe("start_logits", logits[:, :, 0])
        return start, observe("end_logits", logits[:, :, 1])


def choice_classifier(
    pooled: Array, params: ParameterTree, n_choices: int
) -> Array:  # [B C, H] -> [B, C]
    """Score each choice by its pooled text, and set the choices of one text side by side.

    Parameters
    ----------
    pooled : Array of shape [B C, H]
        Of `pooler`: all choices of the first text, then of the second …
    params : ParameterTree
        A weight [1, H] and a bias [1], the same for all choices.
    n_choices : int
        C.

    Returns
    -------
    Array of shape [B, C]
        Logits: softmax over them gives the probability of each choice.

    Notes
    -----
    Source: Devlin et al. 2018 (arXiv:1810.04805), section 4.4.
    """
    with scope("classifier"):
        scores = linear(pooled, **params)  # [B C, 1]
        xp = array_namespace(scores)
        return observe("logits", xp.reshape(scores, (-1, n_choices)))
