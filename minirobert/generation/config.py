"""The options of generation, under transformers' names and with its defaults."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..config import RobertaConfig, check_kept
from ..files import (
    ModelFiles,
    ModelName,
    naming,
    new_directory,
    read_json,
    settings_text,
    write_text,
)
from ..keywords import OF_CONFIGS, OF_SAVING, settle, settle_all
from ..rules import Rule, check, near_miss
from ..sentences import shown, type_name
from .effects import tell_of_no_effect
from .options import OFF, RULES
from .settings import (
    SETTINGS_NAME,
    check_names,
    options_of_model_config,
    read_settings,
    settled,
    warn_of_what_is_not_here,
)

__all__ = ["GenerationConfig"]


@dataclass(kw_only=True, repr=False)
class GenerationConfig:
    """How to choose the words of a text.

    What is not given, or None, is left to the model: see `minirobert.generation.settings`.

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
        What follows the end of a text, where others of the batch are longer. Before a prompt it is
        padding, too, as that of the model is, unless it ends a text.
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
    extra : dict
        Keys of a ``generation_config.json`` that mean nothing here. They are written back.

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
    extra: dict[str, Any] = field(default_factory=dict)

    def __new__(cls, **options: Any) -> GenerationConfig:
        """Remember which options are given: the others may come from elsewhere."""
        check_names(options.keys() - {"extra"})
        config = super().__new__(cls)
        given = {name for name, value in options.items() if value is not None}
        vars(config)["_given"] = given
        return config

    def __post_init__(self) -> None:
        self.validate()

    def __setattr__(self, name: str, value: Any) -> None:
        is_made = "extra" in vars(self)  # the last field
        if name in RULES:
            if value is None and not RULES[name].allows(None):
                value = OFF.get(name, _DEFAULTS[name])
            check(name, value, RULES[name])
        elif is_made or name != "extra":
            meant = near_miss(name, RULES)
            raise AttributeError(
                f"generation has no option {shown(name)}"
                + (f": is {meant} meant?" if meant else "; extra holds keys that mean nothing here")
            )
        else:
            check_kept(check(name, value, _EXTRA))
        if is_made:
            vars(self)["_given"] = vars(self)["_given"] | {name}  # a copy keeps the old ones
        super().__setattr__(name, value)

    def validate(self) -> None:
        """Refuse options that contradict each other.

        Raises
        ------
        ValueError
            Naming both.
        """
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

    @property
    def given(self) -> dict[str, Any]:
        """The options that were given, by the constructor or by assignment."""
        return {name: getattr(self, name) for name in RULES if name in vars(self)["_given"]}

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
        return cls.settled(options_of_model_config(config), None, options)

    @classmethod
    def settled(
        cls,
        of_model: Mapping[str, Any],
        given: GenerationConfig | None,
        call: Mapping[str, Any],
        new: Mapping[str, Any] | None = None,
    ) -> GenerationConfig:
        """Put the options of a model, of an object and of a call together.

        Parameters
        ----------
        of_model : mapping
            What the model's files say.
        given : GenerationConfig, optional
            In place of that.
        call : mapping
            In place of both.
        new : mapping, optional
            What the caller says here and now, by default the call, and ``rng``: a warning tells
            what of it has no effect.

        Returns
        -------
        GenerationConfig

        Raises
        ------
        TypeError
            If the call has an option that is not known.
        ValueError
            If an option breaks its rule, or they contradict each other.

        >>> GenerationConfig.settled({"num_beams": 3, "eos_token_id": 2}, None, {"num_beams": 4})
        GenerationConfig(eos_token_id=2, num_beams=4)
        """
        said = {} if given is None else cls.checked(given).given
        config = cls(**settled({**of_model, **said}, call))
        tell_of_no_effect(call if new is None else new, config, _DEFAULTS)
        return config

    @staticmethod
    def checked(config: Any) -> GenerationConfig:
        """Refuse what is no configuration of this package, such as one of transformers."""
        if not isinstance(config, GenerationConfig):
            raise TypeError(
                f"generation_config is a {type_name(config)}, but must be a GenerationConfig "
                "of this package: GenerationConfig.from_dict(theirs.to_dict()) reads another"
            )
        return config

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], **overrides: Any) -> GenerationConfig:
        """Make a configuration from the keys of a ``generation_config.json``.

        Parameters
        ----------
        values : mapping
            None is what is not said; keys that mean nothing here are kept in ``extra``.
        **overrides
            Options that replace those of the values.

        Returns
        -------
        GenerationConfig
            It may hold options that contradict each other: `validate` tells.

        >>> config = GenerationConfig.from_dict({"top_k": 5, "num_beams": None, "cache_config": {}})
        >>> config, config.extra
        (GenerationConfig(top_k=5), {'cache_config': {}})
        """
        check_kept(values)
        read = {**read_settings(values), **overrides}
        config = cls(extra={name: value for name, value in read.items() if name not in RULES})
        for name in RULES.keys() & read.keys():
            setattr(config, name, read[name])
        return config

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name: ModelName,
        config_file_name: str = SETTINGS_NAME,
        **overrides: Any,
    ) -> GenerationConfig:
        """Read the ``generation_config.json`` of a directory, or of a model on the hub.

        Parameters
        ----------
        pretrained_model_name : str or path
        config_file_name : str
        **overrides
            Options that replace those of the file, and `minirobert.files.HubOptions`.

        Returns
        -------
        GenerationConfig

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no JSON object, or an option breaks its rule.
        """
        settle(overrides, OF_CONFIGS)
        files = ModelFiles.of(pretrained_model_name, overrides)

        def read() -> tuple[Path, dict[str, Any]]:
            path = files.require(config_file_name) / config_file_name
            return path, read_json(path)

        path, values = files.together(re.escape(config_file_name), read)
        warn_of_what_is_not_here(values, f"{config_file_name} of {shown(files.name)}")
        with naming(path, given=overrides.keys()):
            return cls.from_dict(values, **overrides)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        config_file_name: str = SETTINGS_NAME,
        **options: Any,
    ) -> None:
        """Write ``generation_config.json`` into a directory, made where it does not exist.

        Of other arguments of transformers, `minirobert.keywords.OF_SAVING` says what they come to.
        """
        settle_all(options, OF_SAVING, "save_pretrained")
        write_text(new_directory(save_directory) / config_file_name, self.to_json_string())

    def to_dict(self) -> dict[str, Any]:
        """Give every option, and what is kept, as plain data."""
        values = {name: getattr(self, name) for name in RULES}
        if values["sequence_bias"] is not None:  # a dictionary has tuples for keys
            values["sequence_bias"] = [[list(words), bias] for words, bias in self.biases.items()]
        return copy.deepcopy({**self.extra, **values})

    def to_diff_dict(self) -> dict[str, Any]:
        """Give the options that were given or are not the defaults, and what is kept."""
        return {
            name: value
            for name, value in self.to_dict().items()
            if name not in RULES or name in vars(self)["_given"] or value != _DEFAULTS[name]
        }

    def to_json_string(self, use_diff: bool = True) -> str:
        """Write ``generation_config.json``; with ``use_diff`` what `to_diff_dict` gives."""
        values = self.to_diff_dict() if use_diff else self.to_dict()
        # There it would say that config.json counts in place of this file.
        values.pop("_from_model_config", None)
        return settings_text(values, SETTINGS_NAME)

    def __repr__(self) -> str:
        said = {n: getattr(self, n) for n in RULES if getattr(self, n) != _DEFAULTS[n]}
        return f"GenerationConfig({', '.join(f'{name}={value!r}' for name, value in said.items())})"

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


_EXTRA = Rule(lambda value: isinstance(value, dict), "a dictionary")
_DEFAULTS = {one.name: one.default for one in fields(GenerationConfig)}
