"""What `padding`, `truncation` and `max_length` mean together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...checks import warn
from .padding import padding_strategy
from .truncation import truncation_strategy


class LengthPlan(NamedTuple):
    """The arguments of a call after all defaults: what will be done.

    `stride` is None where what truncation cuts off is not returned.
    """

    padding: str
    truncation: str
    max_length: int | None
    pad_to_multiple_of: int | None
    stride: int | None = None


# The arguments of a plain call, and what they come to.
NOTHING_ASKED = (False, None, None, None, None)
NOTHING_TO_DO = LengthPlan("do_not_pad", "do_not_truncate", None, None)


def say_nothing(message: str) -> None:
    """Take the place of `warn` where no warnings are wanted.

    Parameters
    ----------
    message : str
        The warning.
    """


def plan_lengths(
    padding: Any,
    truncation: Any,
    max_length: int | None,
    pad_to_multiple_of: int | None,
    model_max_length: int | None,
    stride: int | None = None,
    warn: Callable[[str], None] = warn,
) -> LengthPlan:
    """Work out what a call asks for, warning where it asks for something that has no effect.

    Parameters
    ----------
    padding, truncation : bool or str
        As given; `truncation` may be None, which allows for truncation to `max_length` where
        nothing is padded.
    max_length, pad_to_multiple_of : int, optional
        As given.
    model_max_length : int, optional
        The length to fall back on where `max_length` is needed and not given.
    stride : int, optional
        How many tokens the windows share into which a text that is too long is cut; None for the
        first window alone.
    warn : callable
        What to do with a warning.

    Returns
    -------
    LengthPlan
        The strategies and lengths.
    """
    if (padding, truncation, max_length, pad_to_multiple_of, stride) == NOTHING_ASKED:
        return NOTHING_TO_DO  # the rest takes longer than a short text
    check_count("max_length", max_length, 0)
    check_count("pad_to_multiple_of", pad_to_multiple_of, 1)
    check_count("stride", stride, 0)
    pads = padding_strategy(padding)
    if truncation is None and max_length is not None and pads == "do_not_pad":
        warn(
            f"max_length={max_length} is given without truncation: longer texts are truncated as"
            " with truncation=True; pass that, or truncation=False"
        )
        truncation = True
    cuts = truncation_strategy(False if truncation is None else truncation)
    if pads == "longest" and cuts == "do_not_truncate" and max_length is not None:
        warn(
            f"max_length={max_length} has no effect with padding={padding!r} and no truncation:"
            " pass padding='max_length' to pad to it, or truncation=True to truncate to it"
        )
    if max_length is None:
        max_length = model_max_length
        if max_length is None:
            pads, cuts = _without_limit(pads, cuts, warn)
    if pads != "do_not_pad" and cuts != "do_not_truncate":
        _check_multiple(max_length, pad_to_multiple_of)
    return LengthPlan(pads, cuts, max_length, pad_to_multiple_of, stride)


def _without_limit(pads: str, cuts: str, warn: Callable[[str], None]) -> tuple[str, str]:
    if pads == "max_length":
        warn(
            "padding='max_length' has no effect: neither max_length nor the tokenizer's"
            " model_max_length is given"
        )
        pads = "do_not_pad"
    if cuts != "do_not_truncate":
        warn(
            f"truncation={cuts!r} has no effect: neither max_length nor the tokenizer's"
            " model_max_length is given"
        )
        cuts = "do_not_truncate"
    return pads, cuts


def _check_multiple(max_length: int | None, multiple: int | None) -> None:
    if max_length is not None and multiple is not None and max_length % multiple:
        raise ValueError(
            f"rows truncated to {max_length} tokens cannot be padded to a multiple of {multiple}:"
            f" pass max_length={max_length // multiple * multiple or multiple}, or leave out"
            " pad_to_multiple_of"
        )


def check_count(name: str, value: Any, least: int) -> None:
    """Check a number of tokens.

    Parameters
    ----------
    name : str
        The argument, for the error.
    value : int or None
        Its value.
    least : int
        The least that it may be.
    """
    if value is None:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {value!r}: it must be an integer or None")
    if value < least:
        raise ValueError(f"{name} is {value}: it must be at least {least}")
