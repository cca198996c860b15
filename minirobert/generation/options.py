"""What each option of generation may be, and with which value it does nothing."""

from __future__ import annotations

import math
import re
from typing import Any

from ..rules import (
    BOOLEAN,
    INT64,
    NUMBER,
    POSITIVE,
    PROBABILITY,
    STRING,
    Rule,
    count,
    dictionary_of,
    either,
    integer,
    is_among,
    list_of,
    number,
    optional,
)

__all__ = ["OFF", "RULES"]


def _pair(first: Rule, second: Rule) -> Rule:
    """Allow two values that each follow a rule."""

    def allows(value: Any) -> bool:
        is_pair = isinstance(value, list | tuple) and len(value) == 2
        return is_pair and first.allows(value[0]) and second.allows(value[1])

    return Rule(allows, f"{first.sentence} and {second.sentence}")


_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKENS = optional(either(INT64, list_of(INT64, "a list of them")))
_IDS = list_of(count(0), "a list of token ids")
_WORD = Rule(lambda value: _IDS.allows(value) and len(value) > 0, "at least one token id")
_WORDS = list_of(_WORD, "a list of words, each a list of at least one token id")
_BIAS = either(NUMBER, Rule(lambda value: is_among(value, -math.inf), "-inf"))
_BIASES = either(
    dictionary_of(_WORD, _BIAS, "a dictionary of tuples of token ids to numbers"),
    list_of(_pair(_WORD, _BIAS), "a list of token ids and numbers, such as [[[5, 6], -2.0]]"),
)
_STRING = Rule(
    lambda value: STRING.allows(value) and value != "" and not _SURROGATE.search(value),
    "a string that is not empty, and has no half of a character",
)
_CUTOFF = Rule(lambda v: number(0).allows(v) and v < 1, "a number from 0, below 1")
_START_AND_FACTOR = _pair(count(0), POSITIVE)._replace(
    sentence="an integer and a number above 0, such as (10, 1.05)"
)

RULES: dict[str, Rule] = {
    "max_new_tokens": optional(count(1)),
    "max_length": optional(count(1)),
    "min_new_tokens": optional(count(0)),
    "min_length": count(0),
    "max_time": optional(POSITIVE),
    "stop_strings": optional(either(_STRING, list_of(_STRING, "a list of them"))),
    "encoder_repetition_penalty": POSITIVE,
    "encoder_no_repeat_ngram_size": count(0),
    "bad_words_ids": optional(_WORDS),
    "sequence_bias": optional(_BIASES),
    "suppress_tokens": optional(list_of(INT64, "a list of token ids")),
    "begin_suppress_tokens": optional(list_of(INT64, "a list of token ids")),
    "forced_bos_token_id": optional(count(0)),
    "forced_eos_token_id": _TOKENS,
    "exponential_decay_length_penalty": optional(_START_AND_FACTOR),
    "remove_invalid_values": BOOLEAN,
    "renormalize_logits": BOOLEAN,
    "min_p": optional(PROBABILITY),
    "typical_p": Rule(lambda v: POSITIVE.allows(v) and v <= 1, "a number above 0, up to 1"),
    "epsilon_cutoff": _CUTOFF,
    "eta_cutoff": _CUTOFF,
    "eos_token_id": _TOKENS,
    "pad_token_id": optional(count(0)),
    "bos_token_id": _TOKENS,
    "repetition_penalty": POSITIVE.but(" (1 is no penalty)"),
    "no_repeat_ngram_size": count(0),
    "do_sample": BOOLEAN,
    "temperature": POSITIVE.but(": for the likeliest words, leave do_sample at False"),
    "top_k": count(0),
    "top_p": PROBABILITY,
    "num_beams": count(1),
    "length_penalty": number(-50, 50),  # it is an exponent
    "early_stopping": either(BOOLEAN, Rule(lambda value: is_among(value, "never"), '"never"')),
    "num_return_sequences": integer(1, 2**20),
    "use_cache": BOOLEAN,
    "output_scores": BOOLEAN,
    "output_logits": BOOLEAN,
    "return_dict_in_generate": BOOLEAN,
}

#: The values with which an option does nothing; None means them, too.
OFF = {
    "min_length": 0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "remove_invalid_values": False,
    "renormalize_logits": False,
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "output_logits": False,
}
