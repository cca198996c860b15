"""The settings of a tokenizer that can be assigned at any time, and how each is checked."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from numbers import Real
from typing import Any

# What transformers writes as `model_max_length` where there is no limit is beyond this.
NO_LIMIT = 10**20

SIDES = ("right", "left")

COLUMN_NAMES = ("input_ids", "token_type_ids", "attention_mask")


def check_flag(name: str, value: Any) -> bool:
    """Check that a setting is true or false.

    Parameters
    ----------
    name : str
        The setting, for the error.
    value : bool
        Its value.

    Returns
    -------
    bool
        The value.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}: it must be True or False")
    return value


def check_errors(name: str, value: Any) -> str:
    """Check what is to be done with bytes that are not UTF-8.

    Parameters
    ----------
    name : str
        The setting, for the error.
    value : str
        As for `bytes.decode`.

    Returns
    -------
    str
        The value.
    """
    try:
        codecs.lookup_error(value)
    except (LookupError, TypeError):
        raise ValueError(
            f"{name} is {value!r}: it must be one that bytes.decode knows, such as 'replace',"
            " 'ignore' or 'strict'"
        ) from None
    return str(value)


def check_limit(name: str, value: Any) -> int | None:
    """Check how many tokens the model takes.

    Parameters
    ----------
    name : str
        The setting, for the error.
    value : int or None
        The number; None, or more than 10**20, for no limit.

    Returns
    -------
    int or None
        The number, None for no limit.
    """
    if value is None:
        return None
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not value >= 1:  # NaN is refused here, too
        raise ValueError(f"{name} is {value!r}: it must be an integer of at least 1, or None")
    return None if value > NO_LIMIT else int(value)


def check_side(name: str, side: Any) -> str:
    """Check a side to pad or to truncate on.

    Parameters
    ----------
    name : str
        The argument, for the error.
    side : str
        Its value.

    Returns
    -------
    str
        The side.
    """
    if side not in SIDES:
        raise ValueError(f"{name} is {side!r}: it must be 'right' or 'left'")
    return SIDES[SIDES.index(side)]


def check_names(name: str, value: Any) -> tuple[str, ...]:
    """Check the names of the columns that a call returns unless it is told otherwise.

    Parameters
    ----------
    name : str
        The setting, for the error.
    value : sequence of str
        The names.

    Returns
    -------
    tuple of str
        The names.
    """
    if not isinstance(value, list | tuple) or not set(value) <= set(COLUMN_NAMES):
        raise ValueError(
            f"{name} is {value!r}: it must be a list of some of {', '.join(COLUMN_NAMES)}"
        )
    return tuple(value)


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "errors": check_errors,
    "add_prefix_space": check_flag,
    "trim_offsets": check_flag,
    "model_max_length": check_limit,
    "model_input_names": check_names,
    "padding_side": check_side,
    "truncation_side": check_side,
    "clean_up_tokenization_spaces": check_flag,
    "split_special_tokens": check_flag,
}
