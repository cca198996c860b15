"""The settings of a tokenizer that can be assigned at any time, and how each is checked."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, NamedTuple

from ..rules import BOOLEAN, STRING, Rule, check, one_of, optional

__all__ = ["OTHER_SETTINGS", "SETTINGS", "SIDE", "Setting", "read_setting"]

# What transformers writes as `model_max_length` where there is no limit is beyond this.
NO_LIMIT = 10**20

SIDES = ("right", "left")
SIDE = one_of(*SIDES)

#: The first three are returned where they are named; the others only where they are asked for.
COLUMN_NAMES = (
    *("input_ids", "token_type_ids", "attention_mask"),
    *("special_tokens_mask", "offset_mapping", "length", "labels"),
)


class Setting(NamedTuple):
    """What a setting may be, the error if it is not, and how it is kept."""

    rule: Rule
    error: type[Exception] = ValueError
    keep: Callable[[Any], Any] = lambda value: value


def _is_error_handler(value: Any) -> bool:
    try:
        codecs.lookup_error(value)
    except (LookupError, TypeError, ValueError):  # no handler, no name, no characters of a name
        return False
    return True


def _is_limit(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return value is None or (is_number and value >= 1)  # NaN is refused here, too


def _are_columns(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(name in COLUMN_NAMES for name in value)


_ERRORS = Rule(
    _is_error_handler, "one that bytes.decode knows, such as 'replace', 'ignore' or 'strict'"
)
_LIMIT = Rule(_is_limit, "an integer of at least 1, or None")
_NAMES = Rule(_are_columns, f"a list of some of {', '.join(COLUMN_NAMES)}")

_FLAG = Setting(BOOLEAN, TypeError)
# A plain string, also for an enum.
_SIDE = Setting(SIDE, keep=lambda side: SIDES[SIDES.index(side)])

#: What is kept of tokenizer_config.json without a meaning here.
OTHER_SETTINGS = optional(
    Rule(
        lambda value: isinstance(value, Mapping) and all(map(STRING.allows, value)),
        "a dictionary with strings for keys",
    )
)

SETTINGS = {
    "errors": Setting(_ERRORS, keep=str),
    "add_prefix_space": _FLAG,
    "trim_offsets": _FLAG,
    "model_max_length": Setting(
        _LIMIT, keep=lambda limit: None if limit is None or limit > NO_LIMIT else int(limit)
    ),
    "model_input_names": Setting(_NAMES, keep=tuple),
    "padding_side": _SIDE,
    "truncation_side": _SIDE,
    "clean_up_tokenization_spaces": _FLAG,
    "split_special_tokens": _FLAG,
}


def read_setting(name: str, value: Any) -> Any:
    """Check the value of one of the `SETTINGS`, and give it as it is kept."""
    rule, error, keep = SETTINGS[name]
    check(name, value, rule, error)
    return keep(value)
