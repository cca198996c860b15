"""In which order the options change the scores of the next word: that of transformers."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import Any, NamedTuple, TypeAlias

from ..arrays import Array, array_namespace, astype, dtype_name, index_dtype, is_floating
from ..checks import check_shape, place
from ..functional import log_softmax
from ..sentences import shown
from . import filters
from . import scores as change
from .config import GenerationConfig
from .options import OFF
from .steering import Steering

__all__ = ["score_processor"]


class Now(NamedTuple):
    """The texts at a step."""

    input_ids: Array  # [B, T]
    config: GenerationConfig
    #: How many of the T tokens are the prompt's.
    prompt: int
    #: How many new ones come at most.
    at_most: int

    @property
    def n_new(self) -> int:
        """How many new tokens the texts have."""
        return int(self.input_ids.shape[1]) - self.prompt

    @property
    def eos(self) -> tuple[int, ...]:
        """The tokens that end a text."""
        return self.config.eos_token_ids


#: Changes scores, [B, V], as the value of an option says.
Change: TypeAlias = Callable[[Array, Any, Now], Array]


def _by_scores(change: Callable[[Array, Any], Array]) -> Change:
    return lambda scores, value, now: change(scores, value)


def _by_texts(change: Callable[[Array, Array, Any], Array]) -> Change:
    return lambda scores, value, now: change(scores, now.input_ids, value)


def _bad_words(scores: Array, words: Any, now: Now) -> Array:
    """Forbid sequences of tokens; but not the end of a text."""
    ends = {(token,) for token in now.eos}
    biases = {tuple(word): -math.inf for word in words if tuple(word) not in ends}
    return change.sequence_bias(scores, now.input_ids, biases)


def _min_length(scores: Array, least: int, now: Now) -> Array:
    if now.config.min_new_tokens is not None:  # then that counts alone
        return scores
    return change.min_new_tokens(scores, now.n_new, least - now.prompt, now.eos)


def _ids(given: Any) -> list[int]:
    """Read the ids that a function of the caller's gives."""
    try:
        return [index(one) for one in given]
    except TypeError:
        raise TypeError(
            f"prefix_allowed_tokens_fn gives {shown(given)}, but must give a list of token ids"
        ) from None


def _only_allowed(scores: Array, allowed: Any, now: Now) -> Array:
    """Forbid all words but those that the caller's function allows for each row."""
    rows = []
    for row in range(scores.shape[0]):
        ids = _ids(allowed(row // now.config.num_beams, now.input_ids[row, :]))
        if not ids:
            raise ValueError(
                f"prefix_allowed_tokens_fn allows nothing to follow in row {row}: it must give at "
                "least one token, such as that which ends a text"
            )
        rows.append(change.words_among(ids, scores))
    xp = array_namespace(scores)
    return xp.where(xp.stack(rows), scores, -math.inf)


def _force_first(scores: Array, token: int, now: Now) -> Array:
    return change.force_tokens(scores, [token]) if now.input_ids.shape[1] == 1 else scores


def _force_last(scores: Array, tokens: Any, now: Now) -> Array:
    is_last = now.n_new == now.at_most - 1
    return change.force_tokens(scores, now.config.forced_eos_token_ids) if is_last else scores


def _raise_the_end(scores: Array, start_and_factor: Any, now: Now) -> Array:
    start, factor = start_and_factor
    return change.exponential_decay_length_penalty(scores, now.n_new, start, factor, now.eos)


def _suppress_at_begin(scores: Array, tokens: Any, now: Now) -> Array:
    """Forbid words as the first new one, or as the second behind one that is forced."""
    is_forced = now.prompt <= 1 and now.config.forced_bos_token_id is not None
    return change.suppress_tokens(scores, tokens) if now.n_new == is_forced else scores


def _by_the_caller(scores: Array, functions: Any, now: Now) -> Array:
    for function in functions:
        name, shape = "what logits_processor gives", tuple(scores.shape)
        scores = place(name, function(now.input_ids, scores), scores)
        check_shape(name, scores, shape, why=", as the scores")
        if not is_floating(scores):
            raise TypeError(f"{name} has dtype {dtype_name(scores)}, but must be scores: floats")
    return scores


def _check_possible(scores: Array, value: Any, now: Now) -> Array:
    """Refuse scores of which no probabilities can be made."""
    xp = array_namespace(scores)
    if bool(xp.any(xp.isnan(scores))):
        row = int(xp.argmax(astype(xp.any(xp.isnan(scores), axis=1), index_dtype(xp))))
        raise ValueError(
            f"the scores of row {row} hold NaN, so that no word can be drawn: give weights without "
            "it, or remove_invalid_values=True"
        )
    is_possible = xp.any(scores > -math.inf, axis=1)
    if not bool(xp.all(is_possible)):
        row = int(xp.argmin(astype(is_possible, index_dtype(xp))))
        raise ValueError(
            f"no word may follow in row {row}, for each is forbidden: take back one of the options "
            "that forbid or force words"
        )
    return scores


#: By the name of an option, or of what is given besides; what is off is passed over.
CHANGES: dict[str, Change] = {
    "sequence_bias": lambda scores, value, now: change.sequence_bias(
        scores, now.input_ids, now.config.biases
    ),
    "encoder_repetition_penalty": lambda scores, value, now: change.repetition_penalty(
        scores, now.input_ids[:, : now.prompt], 1 / value
    ),
    "repetition_penalty": _by_texts(change.repetition_penalty),
    "no_repeat_ngram_size": _by_texts(change.no_repeat_ngrams),
    "encoder_no_repeat_ngram_size": lambda scores, value, now: change.no_repeat_ngrams(
        scores, now.input_ids, value, now.input_ids[:, : now.prompt]
    ),
    "bad_words_ids": _bad_words,
    "min_length": _min_length,
    "min_new_tokens": lambda scores, value, now: change.min_new_tokens(
        scores, now.n_new, value, now.eos
    ),
    "prefix_allowed_tokens_fn": _only_allowed,
    "forced_bos_token_id": _force_first,
    "forced_eos_token_id": _force_last,
    "remove_invalid_values": lambda scores, value, now: change.remove_invalid_values(scores),
    "exponential_decay_length_penalty": _raise_the_end,
    "suppress_tokens": _by_scores(change.suppress_tokens),
    "begin_suppress_tokens": _suppress_at_begin,
    "logits_processor": _by_the_caller,
}
CHANGES_OF_DRAWING: dict[str, Change] = {
    "temperature": _by_scores(filters.temperature),
    "top_k": _by_scores(filters.top_k),
    "top_p": _by_scores(filters.top_p),
    "min_p": _by_scores(filters.min_p),
    "typical_p": _by_scores(filters.typical_p),
    "epsilon_cutoff": _by_scores(filters.epsilon_cutoff),
    "eta_cutoff": _by_scores(filters.eta_cutoff),
}
LAST_CHANGES: dict[str, Change] = {
    "renormalize_logits": lambda scores, value, now: log_softmax(
        _check_possible(scores, value, now)
    ),
}


def score_processor(
    config: GenerationConfig, steering: Steering, prompt: int, at_most: int
) -> Callable[[Array, Array], Array]:
    """Give the function that does to scores all that the options and the caller say.

    Parameters
    ----------
    config : GenerationConfig
    steering : Steering
    prompt : int
        How many tokens the prompts have, padding included.
    at_most : int
        How many new ones come at most.

    Returns
    -------
    function of (input_ids, scores)
        Of the texts so far, [B, T], and the scores of the next word, [B, V].
    """
    values = {
        **vars(config),
        "prefix_allowed_tokens_fn": steering.prefix_allowed_tokens_fn,
        "logits_processor": steering.processors or None,
    }
    drawing = {"do_sample": _check_possible, **CHANGES_OF_DRAWING} if config.do_sample else {}
    changes = {**CHANGES, **drawing, **LAST_CHANGES}
    is_on = {name: values[name] not in (None, OFF.get(name)) for name in changes}
    steps = [(one, values[name]) for name, one in changes.items() if is_on[name]]

    def process(input_ids: Array, scores: Array) -> Array:
        now = Now(input_ids, config, prompt, at_most)
        for one, value in steps:
            scores = one(scores, value, now)
        return scores

    return process
