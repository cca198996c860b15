"""What ``config.json`` says: in the words of older and newer transformers, or of a person.

A value is read as it was meant (``768.0`` is 768, ``null`` is the default). Keys without a meaning
for RoBERTa are kept; of those that ask for what is not here, a warning says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .checks import warn
from .class_names import LABEL_FIELDS, check_labels_agree
from .config_fields import FIELDS, MODEL_TYPES
from .rules import STRING, Rule, check, near_miss
from .sentences import shown

__all__ = [
    "ALIASES",
    "INHERITED",
    "OF_GENERATION",
    "meant_by",
    "merged_fields",
    "read_fields",
    "warn_of_what_is_not_here",
]

#: Other names of a field, or of a key that is kept.
ALIASES = {"torch_dtype": "dtype", "name_or_path": "_name_or_path"}

#: What every configuration of transformers has, beside the fields that matter to RoBERTa.
INHERITED: dict[str, Any] = {
    "is_encoder_decoder": False,
    "tie_encoder_decoder": False,
    "cross_attention_hidden_size": None,
    "torchscript": False,
    "finetuning_task": None,
    "task_specific_params": None,
    "tokenizer_class": None,
    "prefix": None,
    "sep_token_id": None,
    "decoder_start_token_id": None,
    "tf_legacy_loss": False,
    "use_bfloat16": False,
    "transformers_version": None,
    "_name_or_path": "",
    "_commit_hash": None,
    "_attn_implementation": None,
}

#: Options of generation, which stood in this file before they had one of their own.
OF_GENERATION = (
    *("max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups"),
    *("diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty"),
    *("length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids"),
    *("num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id"),
    *("forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty"),
    *("suppress_tokens", "begin_suppress_tokens"),
)

#: Names that only look like a misspelled field.
_OLDER = ("eos_token_ids", "use_return_dict")

#: The default ``vocab_size`` of model types whose own is not RoBERTa's.
_DEFAULT_VOCAB_SIZES = {"xlm-roberta": 30522, "camembert": 30522}

_NOT_HERE = {
    "is_encoder_decoder": "here are encoders and decoders alone, as is_decoder says",
    "quantization_config": "here are no quantized weights, so use those from before",
}


def merged_fields(config_dict: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Read the fields that a file has, and put in their place what the caller gives."""
    values = read_fields(config_dict, FIELDS)
    warn_of_what_is_not_here(values, FIELDS)
    overrides = {
        ALIASES.get(name, name): value
        for name, value in overrides.items()
        if value is not None or name not in FIELDS or FIELDS[name].allows(None)
    }
    check_labels_agree(overrides)
    if any(overrides.get(name) is not None for name in ("id2label", "label2id")):
        # names that are given replace all that the file says about labels
        values = {n: v for n, v in values.items() if n not in LABEL_FIELDS}
    values |= overrides
    kind = check("model_type", values.get("model_type", "roberta"), STRING)
    if kind not in MODEL_TYPES:
        warn(f"this configuration is for model_type {shown(kind)}; it is read as 'roberta'")
        del values["model_type"]
    if kind in _DEFAULT_VOCAB_SIZES:
        values.setdefault("vocab_size", _DEFAULT_VOCAB_SIZES[kind])
    count = overrides.get("num_labels")
    if count not in (None, _named(values)):
        values.update(id2label=None, label2id=None)
    return values


def _named(values: Mapping[str, Any]) -> int:
    """Count the classes that have names; these are checked, though they may not be kept."""
    for name in ("id2label", "label2id"):
        check(name, values.get(name), FIELDS[name])
    return len(values.get("id2label") or values.get("label2id") or {})


def read_fields(values: Mapping[str, Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Read the keys that are fields, each with its rule, as they were meant, and keep the others.

    >>> from minirobert.rules import INTEGER
    >>> rules = {"size": INTEGER, "count": INTEGER}
    >>> read_fields({"size": 768.0, "count": None, "mine": 1.0}, rules)
    {'size': 768, 'mine': 1.0}
    """
    read = dict(values)
    if read.get("torch_dtype") is not None and read.get("dtype") is None:
        read["dtype"] = read["torch_dtype"]  # the field's name before transformers 4.56
    read.pop("torch_dtype", None)
    for name in [name for name in read if name in rules]:
        read[name] = as_meant(read[name], rules[name])
        if read[name] is None and not rules[name].allows(None):
            del read[name]
    return read


def as_meant(value: Any, rule: Rule) -> Any:
    """Find the reading of a value that a rule allows, or leave it to the rule to complain.

    >>> from minirobert.rules import INTEGER
    >>> as_meant("3", INTEGER), as_meant(3.0, INTEGER), as_meant("three", INTEGER)
    (3, 3, 'three')
    """
    return next((meant for meant in _readings(value) if rule.allows(meant)), value)


def _readings(value: Any) -> Iterator[Any]:
    """List what a value may mean, the nearest first."""
    yield value
    if isinstance(value, dict):
        yield {_number(key): one for key, one in value.items()}
        yield {key: _number(one) for key, one in value.items()}
        yield {_number(key): _number(one) for key, one in value.items()}
    else:
        number = _number(value)
        yield number
        if isinstance(number, int | float) and number in (0, 1):
            yield bool(number)


def _number(value: Any) -> Any:
    """Read a number in a string, and one without a fraction as an integer; or a list of them."""
    if isinstance(value, list):
        return [_number(one) for one in value]
    try:
        number = float(value) if isinstance(value, str) else value
        return int(number) if isinstance(number, float) and number == int(number) else number
    except (ValueError, OverflowError):  # no number, or not a finite one
        return value


def meant_by(name: str, fields: Collection[str]) -> str | None:
    """Tell which field an unknown name is a slip of the pen for, if it is one."""
    return None if name in INHERITED or name in _OLDER else near_miss(name, fields)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, int | str | list | dict) and not value)


def warn_of_what_is_not_here(values: Mapping[str, Any], fields: Collection[str]) -> None:
    """Warn of the keys that would change something in transformers, and of slips of the pen."""
    for name, cure in _NOT_HERE.items():
        if not _is_nothing(values.get(name)):
            warn(f"the configuration has {name}, which is kept, but changes nothing: {cure}")
    for name in sorted(values.keys() - fields):
        meant = meant_by(name, fields)
        if meant:
            warn(
                f"the configuration has {shown(name)}, which is kept, but changes nothing: did you "
                f"mean {meant!r}?"
            )
