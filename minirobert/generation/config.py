"""The options of generation, under transformers' names and with its defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from ..config import RobertaConfig
from ..rules import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    POSITIVE,
    PROBABILITY,
    STRING,
    Rule,
    check,
    dictionary_of,
    either,
    integer,
    list_of,
    number,
    optional,
)

__all__ = ["OFF", "GenerationConfig"]


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    """How to choose the words of a text.

    Parameters
    ----------
    max_new_tokens : int, optional
        How many tokens to add at most.
    max_length : int, optional
        How many tokens a text may have, the prompt and its padding included; not looked at where
        ``max_new_tokens`` is given. Without either, 20 are added, or as many as the position table
        has room for.
    min_new_tokens : int, optional
        How many come at least, before a text may end.
    min_length : int
        How many tokens a text has at least, the prompt and its padding included; not looked at
        where ``min_new_tokens`` is given.
    max_time : float, optional
        For how many seconds to go on, at most and by a step more.
    stop_strings : str or list of str, optional
        Each of them ends a text, with the token that completes it; needs a tokenizer.
    eos_token_id : int or list of int, optional
        Each of them ends a text. None goes on to the largest length.
    pad_token_id : int, optional
        What follows the end of a text, where others of the batch are longer. The padding before a
        prompt is always that of the model.
    bos_token_id : int, optional
        What a text begins with where there is no prompt.
    repetition_penalty : float
        See `minirobert.generation.repetition_penalty`; 1 is none.
    no_repeat_ngram_size : int
        See `minirobert.generation.no_repeat_ngrams`; 0 allows all.
    encoder_repetition_penalty : float
        More than 1 makes the words of the prompt likelier, less than 1 less likely.
    encoder_no_repeat_ngram_size : int
        Of so many tokens, no run of the prompt comes again; 0 allows all.
    bad_words_ids : list of list of int, optional
        Sequences of tokens that do not come, as in ``tokenizer(words,
        add_special_tokens=False).input_ids``; a word with a space before it is another.
    sequence_bias : dict of tuple of int to float, or list of [list of int, float], optional
        See `minirobert.generation.sequence_bias`.
    suppress_tokens, begin_suppress_tokens : list of int, optional
        Tokens that do not come, at all or as the first.
    forced_bos_token_id : int, optional
        What follows a prompt of a single token.
    forced_eos_token_id : int or list of int, optional
        What the last token is, where a text comes to the largest length.
    exponential_decay_length_penalty : (int, float), optional
        The start and the factor of `minirobert.generation.exponential_decay_length_penalty`.
    remove_invalid_values : bool
        See `minirobert.generation.remove_invalid_values`.
    renormalize_logits : bool
        Make the scores logarithms of probabilities again, after all that is done to them.
    do_sample : bool
        Draw the words, in place of taking the likeliest.
    temperature : float
        For drawing: the scores are divided by it.
    top_k : int
        For drawing: only from so many words; 0 is all.
    top_p : float
        For drawing: only from the likeliest words that together have this probability.
    min_p : float, optional
    typical_p, epsilon_cutoff, eta_cutoff : float
        For drawing: see the functions of these names in `minirobert.generation`. 1 is off for
        ``typical_p``, and 0 for the two others.
    num_beams : int
        With more than 1, keep so many continuations of each text: beam search.
    length_penalty : float
        For beam search: the score of a text is the sum of the logarithms of its probabilities,
        divided by the number of its new tokens to this power. 0 favours short texts, 1 compares the
        means, and more favours long texts.
    early_stopping : bool or "never"
        When the beam search of a text stops that has ``num_beams`` ended continuations. True: at
        once. False: when the best of those that go on would have too low a score if it ended now.
        ``"never"``: when it would even at the length that suits it best.
    num_return_sequences : int
        How many continuations to give of each text.
    use_cache : bool
        Whether to keep keys and values, see `minirobert.KeyValueCache`. The result is the same, but
        for rounding, and comes sooner.
    output_scores, output_logits, return_dict_in_generate : bool
        Give a `minirobert.GenerateOutput`, with the scores of each step, or with the logits as the
        model gives them.

    Raises
    ------
    ValueError
        Naming the option, its value and the rule that it breaks.

    >>> GenerationConfig(temperature=0)
    Traceback (most recent call last):
    ValueError: temperature is 0, but must be a number above 0: for the likeliest words, leave
    do_sample at False
    """

    max_new_tokens: int | None = None
    max_length: int | None = None
    min_new_tokens: int | None = None
    min_length: int = 0
    max_time: float | None = None
    stop_strings: str | list[str] | None = None
    eos_token_id: int | list[int] | None = None
    pad_token_id: int | None = None
    bos_token_id: int | list[int] | None = None
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    encoder_repetition_penalty: float = 1.0
    encoder_no_repeat_ngram_size: int = 0
    bad_words_ids: list[list[int]] | None = None
    sequence_bias: Any = None
    suppress_tokens: list[int] | None = None
    begin_suppress_tokens: list[int] | None = None
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | list[int] | None = None
    exponential_decay_length_penalty: tuple[int, float] | None = None
    remove_invalid_values: bool = False
    renormalize_logits: bool = False
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    min_p: float | None = None
    typical_p: float = 1.0
    epsilon_cutoff: float = 0.0
    eta_cutoff: float = 0.0
    num_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | str = False
    num_return_sequences: int = 1
    use_cache: bool = True
    output_scores: bool = False
    output_logits: bool = False
    return_dict_in_generate: bool = False

    def __post_init__(self) -> None:
        for name, off in OFF.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, off)
        for name, rule in _RULES.items():
            check(name, getattr(self, name), rule)
        if self.do_sample and self.num_beams > 1:
            raise ValueError(
                f"do_sample is True and num_beams {self.num_beams}, but beam search finds the most "
                "likely text and draws nothing: leave one of them out"
            )
        n = self.num_return_sequences
        if not self.do_sample and n > self.num_beams:
            raise ValueError(
                f"num_return_sequences is {n}, but there is only "
                + (
                    "one likeliest text: set do_sample=True, or num_beams to as many"
                    if self.num_beams == 1
                    else f"a choice of {self.num_beams} beams: set num_beams to as many"
                )
            )

    @classmethod
    def from_model_config(cls, config: RobertaConfig, **options: Any) -> GenerationConfig:
        """Take the defaults from a model's configuration, where it has an option's name.

        Parameters
        ----------
        config : RobertaConfig
        **options
            Those that replace the defaults.

        Returns
        -------
        GenerationConfig

        Raises
        ------
        TypeError
            If an option is not one of those here.
        ValueError
            If an option breaks its rule.

        >>> GenerationConfig.from_model_config(RobertaConfig(), num_beams=4).eos_token_ids
        (2,)
        """
        names = [one.name for one in fields(cls)]
        for name in options:
            if name not in names:
                raise TypeError(
                    f"generation has no option {name!r}: those here are {', '.join(names)}"
                )
        known = {**config.extra, **vars(config)}
        if known.get("max_length") == 20:  # transformers' default, which means 20 new tokens
            del known["max_length"]
        return cls(**{**{name: known[name] for name in names if name in known}, **options})

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        """All tokens that end a text."""
        return _several(self.eos_token_id)

    @property
    def forced_eos_token_ids(self) -> tuple[int, ...]:
        """All tokens that are forced to be the last."""
        return _several(self.forced_eos_token_id)

    @property
    def all_stop_strings(self) -> tuple[str, ...]:
        """All strings that end a text."""
        strings = self.stop_strings or ()
        return (strings,) if isinstance(strings, str) else tuple(strings)

    @property
    def biases(self) -> dict[tuple[int, ...], float]:
        """What to add to scores, by the sequence of tokens that is completed."""
        given = self.sequence_bias or ()
        pairs = given.items() if isinstance(given, dict) else given
        return {tuple(tokens): bias for tokens, bias in pairs}

    @property
    def padding(self) -> int:
        """What follows the end of a text."""
        if self.pad_token_id is not None:
            return self.pad_token_id
        return self.eos_token_ids[0] if self.eos_token_ids else 0


def _several(tokens: int | list[int] | None) -> tuple[int, ...]:
    """Give a few tokens, each once."""
    if tokens is None:
        return ()
    return tuple(dict.fromkeys(tokens if isinstance(tokens, list | tuple) else (tokens,)))


def _pair(first: Rule, second: Rule) -> Rule:
    """Allow two values that each follow a rule."""

    def allows(value: Any) -> bool:
        is_pair = isinstance(value, list | tuple) and len(value) == 2
        return is_pair and first.allows(value[0]) and second.allows(value[1])

    return Rule(allows, f"{first.sentence} and {second.sentence}")


_TOKENS = optional(either(INTEGER, list_of(INTEGER, "a list of them")))
_IDS = list_of(integer(0), "a list of token ids")
_WORD = Rule(lambda value: _IDS.allows(value) and len(value) > 0, "at least one token id")
_WORDS = list_of(_WORD, "a list of words, each a list of at least one token id")
_BIAS = either(NUMBER, Rule(lambda value: value == -math.inf, "-inf"))
_BIASES = either(
    dictionary_of(_WORD, _BIAS, "a dictionary of tuples of token ids to numbers"),
    list_of(_pair(_WORD, _BIAS), "a list of token ids and numbers, such as [[[5, 6], -2.0]]"),
)
_STRING = Rule(lambda value: STRING.allows(value) and value != "", "a string that is not empty")
_CUTOFF = Rule(lambda v: number(0).allows(v) and v < 1, "a number from 0, below 1")
_START_AND_FACTOR = _pair(integer(0), POSITIVE)._replace(
    sentence="an integer and a number above 0, such as (10, 1.05)"
)

_RULES: dict[str, Rule] = {
    "max_new_tokens": optional(integer(1)),
    "max_length": optional(integer(1)),
    "min_new_tokens": optional(integer(0)),
    "min_length": integer(0),
    "max_time": optional(POSITIVE),
    "stop_strings": optional(either(_STRING, list_of(_STRING, "a list of them"))),
    "encoder_repetition_penalty": POSITIVE,
    "encoder_no_repeat_ngram_size": integer(0),
    "bad_words_ids": optional(_WORDS),
    "sequence_bias": optional(_BIASES),
    "suppress_tokens": optional(list_of(INTEGER, "a list of token ids")),
    "begin_suppress_tokens": optional(list_of(INTEGER, "a list of token ids")),
    "forced_bos_token_id": optional(integer(0)),
    "forced_eos_token_id": _TOKENS,
    "exponential_decay_length_penalty": optional(_START_AND_FACTOR),
    "remove_invalid_values": BOOLEAN,
    "renormalize_logits": BOOLEAN,
    "min_p": optional(PROBABILITY),
    "typical_p": Rule(lambda v: POSITIVE.allows(v) and v <= 1, "a number above 0, up to 1"),
    "epsilon_cutoff": _CUTOFF,
    "eta_cutoff": _CUTOFF,
    "eos_token_id": _TOKENS,
    "pad_token_id": optional(integer(0)),
    "bos_token_id": _TOKENS,
    "repetition_penalty": POSITIVE.but(" (1 is no penalty)"),
    "no_repeat_ngram_size": integer(0),
    "do_sample": BOOLEAN,
    "temperature": POSITIVE.but(": for the likeliest words, leave do_sample at False"),
    "top_k": integer(0),
    "top_p": PROBABILITY,
    "num_beams": integer(1),
    "length_penalty": NUMBER,
    "early_stopping": either(BOOLEAN, Rule(lambda value: value == "never", '"never"')),
    "num_return_sequences": integer(1),
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
