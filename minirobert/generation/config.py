"""The options of generation, under transformers' names and with its defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..config import RobertaConfig
from ..rules import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    POSITIVE,
    PROBABILITY,
    Rule,
    check,
    either,
    integer,
    list_of,
    optional,
)

__all__ = ["GenerationConfig"]


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
    min_new_tokens : int
        How many come at least, before a text may end.
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
    do_sample : bool
        Draw the words, in place of taking the likeliest.
    temperature : float
        For drawing: the scores are divided by it.
    top_k : int
        For drawing: only from so many words; 0 is all.
    top_p : float
        For drawing: only from the likeliest words that together have this probability.
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
    output_scores, return_dict_in_generate : bool
        Give a `minirobert.GenerateOutput`, in the first case with the scores of each step.

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
    min_new_tokens: int = 0
    eos_token_id: int | list[int] | None = None
    pad_token_id: int | None = None
    bos_token_id: int | list[int] | None = None
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    num_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | str = False
    num_return_sequences: int = 1
    use_cache: bool = True
    output_scores: bool = False
    return_dict_in_generate: bool = False

    def __post_init__(self) -> None:
        for name, off in _NONE_MEANS.items():
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
        if self.eos_token_id is None:
            return ()
        eos = self.eos_token_id
        return tuple(dict.fromkeys(eos if isinstance(eos, list | tuple) else (eos,)))

    @property
    def padding(self) -> int:
        """What follows the end of a text."""
        if self.pad_token_id is not None:
            return self.pad_token_id
        return self.eos_token_ids[0] if self.eos_token_ids else 0


_TOKENS = optional(either(INTEGER, list_of(INTEGER, "a list of them")))

_RULES: dict[str, Rule] = {
    "max_new_tokens": optional(integer(1)),
    "max_length": optional(integer(1)),
    "min_new_tokens": integer(0),
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
    "return_dict_in_generate": BOOLEAN,
}
_NONE_MEANS = {
    "min_new_tokens": 0,
    "no_repeat_ngram_size": 0,
    "top_k": 0,
    "top_p": 1.0,
    "temperature": 1.0,
    "repetition_penalty": 1.0,
}
