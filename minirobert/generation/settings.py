"""Where the options of generation come from, and ``generation_config.json``.

What a call says counts most, then a `GenerationConfig` that it is given, then the model's
``generation_config.json``; without that file its ``config.json``, where the options stood in
earlier times; at last the defaults. What is null, or not said, is left to the next of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..checks import warn
from ..config import RobertaConfig
from ..config_file import read_fields
from ..keywords import ANYTHING, Keyword, settle
from ..rules import Rule, check, is_among, near_miss
from ..sentences import listed, plain, shown
from .options import OFF, RULES

__all__ = [
    "NOT_HERE",
    "OF_PROMPTS",
    "SETTINGS_NAME",
    "check_names",
    "check_options",
    "options_of_model_config",
    "read_settings",
    "settled",
    "tokens_of",
    "warn_of_what_is_not_here",
]

SETTINGS_NAME = "generation_config.json"

#: The tokens that a model's ``config.json`` names for its whole life.
TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id")


def _only(*values: Any, why: str) -> Keyword:
    """Allow the values with which an option does nothing."""
    text = " or ".join(map(repr, values))
    return Keyword(Rule(lambda value: is_among(value, None, *values), f"{text}: {why}"))


_NO_GROUPS = "beams are not searched in groups here"
_NO_CONSTRAINTS = "no words are forced into a text here, but bad_words_ids forbids some"
_ONE_MODEL = "one model alone makes a text here"
_WATCH = "minirobert.observe.watch sees these tensors"
_NO_EFFECT = Keyword(ANYTHING)

#: Options of transformers that are not here, with the values that ask for nothing.
NOT_HERE: dict[str, Keyword] = {
    "num_beam_groups": _only(1, why=_NO_GROUPS),
    "diversity_penalty": _only(0, why=_NO_GROUPS),
    "force_words_ids": _only(None, why=_NO_CONSTRAINTS),
    "constraints": _only(None, why=_NO_CONSTRAINTS),
    "guidance_scale": _only(1, why="there is no guidance here; a logits_processor can do it"),
    "watermarking_config": _only(None, why="texts have no watermarks here"),
    "token_healing": _only(False, why="a prompt is taken as it is here"),
    "penalty_alpha": _only(0, why="there is no contrastive search here"),
    "dola_layers": _only(None, why="only the last layer is read here"),
    "assistant_early_exit": _only(None, why=_ONE_MODEL),
    "assistant_model": _only(None, why=_ONE_MODEL),
    "position_ids": _only(None, why="positions are counted from where a prompt's padding ends"),
    "head_mask": _only(None, why="prune_heads gives a model without some heads"),
    "past_key_values": _only(None, why="a prompt is read from its beginning"),
    "output_attentions": _only(False, why=_WATCH),
    "output_hidden_states": _only(False, why=_WATCH),
    # How to compute the same text.
    **dict.fromkeys(
        (
            *("cache_implementation", "cache_config", "return_legacy_cache", "prefill_chunk_size"),
            *("compile_config", "disable_compile", "low_memory", "is_assistant"),
            *("num_assistant_tokens", "num_assistant_tokens_schedule", "target_lookbehind"),
            *("assistant_confidence_threshold", "assistant_lookbehind", "max_matching_ngram_size"),
            *("prompt_lookup_num_tokens", "decoder_start_token_id", "synced_gpus"),
            *("use_model_defaults", "trust_remote_code"),
        ),
        _NO_EFFECT,
    ),
    "streamer": Keyword(Rule(lambda value: value is None, "None: stream gives each token")),
}


#: What the prompts are called there.
OF_PROMPTS = {"inputs": Keyword(ANYTHING, "input_ids")}


def read_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read the options of a file as they were meant; what is null is not said.

    >>> read_settings({"num_beams": 4.0, "top_k": None, "mine": 1})
    {'num_beams': 4, 'mine': 1}
    """
    return read_fields({n: v for n, v in values.items() if v is not None}, RULES)


def warn_of_what_is_not_here(values: Mapping[str, Any], where: str) -> None:
    """Tell of options in a file that would change its texts, and of misspelled ones."""
    ignored = [
        f"{name}={shown(values[name], 40)}"
        for name, keyword in NOT_HERE.items()
        if name in values and not keyword.rule.allows(values[name])
    ]
    if ignored:
        warn(
            f"{where} asks for {listed(ignored)}, which is not here: texts come without it, and "
            "it is kept"
        )
    for name in values.keys() - RULES.keys() - NOT_HERE.keys():
        if meant := near_miss(name, RULES):
            warn(f"{where} has {plain(name)}, which is kept, but means nothing: is {meant} meant?")


def options_of_model_config(config: RobertaConfig) -> dict[str, Any]:
    """Give the options, and the tokens, that ``config.json`` says.

    >>> from minirobert import RobertaConfig
    >>> options_of_model_config(RobertaConfig(extra={"num_beams": 4, "top_k": None}))
    {'num_beams': 4, 'use_cache': True, 'bos_token_id': 0, 'eos_token_id': 2, 'pad_token_id': 1}
    """
    said = {name: value for name, value in config.extra.items() if name in RULES}
    return read_settings({**said, "use_cache": config.use_cache, **tokens_of(config)})


def check_options(said: Mapping[str, Any]) -> None:
    """Refuse options of a file that break their rules, as they will count where it is read."""
    for name, value in settled(read_settings(said), {}).items():
        check(name, value, RULES[name])


def tokens_of(config: RobertaConfig) -> dict[str, Any]:
    """Give the tokens that a model's configuration names, whatever else is said elsewhere."""
    return {name: getattr(config, name) for name in TOKENS}


def settled(below: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Put the options of a call in the place of others.

    >>> settled({"eos_token_id": 2, "num_beams": 3}, {"num_beams": 4, "eos_token_id": None})
    {'eos_token_id': None, 'num_beams': 4}
    """
    call = dict(call)
    settle(call, NOT_HERE)
    check_names(call)
    options = {name: value for name, value in below.items() if name in RULES}
    if options.get("max_length") == 20:  # transformers' default, which means 20 new tokens
        del options["max_length"]
    said = {name: value for name, value in call.items() if value is not None or _may_be(name)}
    if {**options, **said}.get("do_sample") is not True and options.get("temperature") == 0:
        del options["temperature"]  # written by those who mean the likeliest words
    return {**options, **said}


def check_names(names: Iterable[str]) -> None:
    """Refuse the first name that no option has."""
    for name in names:
        if name not in RULES:
            meant = near_miss(name, RULES)
            raise TypeError(
                f"generation has no option {shown(name)}: "
                + (f"is {meant} meant?" if meant else f"those here are {listed(RULES, 300)}")
            )


def _may_be(name: str) -> bool:
    """Tell whether None is a value of an option: otherwise it says nothing."""
    return name in OFF or RULES[name].allows(None)
