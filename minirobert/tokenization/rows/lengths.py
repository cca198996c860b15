"""What `padding`, `truncation` and `max_length` mean together."""

from __future__ import annotations

from typing import NamedTuple

from ...checks import warn
from .options import CallOptions, padding_strategy, truncation_strategy

__all__ = ["NOTHING_TO_DO", "LengthPlan", "plan_lengths"]


class LengthPlan(NamedTuple):
    """How rows are cut and padded.

    `stride` is None where what truncation cuts off is not returned.
    """

    padding: str
    truncation: str
    max_length: int | None
    pad_to_multiple_of: int | None
    stride: int | None = None


# The options of a plain call, and their plan.
NOTHING_ASKED = (False, None, None, None, False)
NOTHING_TO_DO = LengthPlan("do_not_pad", "do_not_truncate", None, None)


def plan_lengths(options: CallOptions, model_max_length: int | None) -> LengthPlan:
    """Resolve the options of lengths, with a warning for one that has no effect.

    A truncation of None allows for truncation to `max_length` where nothing is padded.
    `model_max_length` is the length to fall back on where `max_length` is needed and not given.
    """
    padding, truncation, max_length = options.padding, options.truncation, options.max_length
    multiple, overflows = options.pad_to_multiple_of, options.return_overflowing_tokens
    if (padding, truncation, max_length, multiple, overflows) == NOTHING_ASKED:
        return NOTHING_TO_DO  # the rest takes longer than a short text
    pads = padding_strategy(padding)
    if truncation is None and max_length is not None and pads == "do_not_pad":
        _warn(
            options,
            f"max_length={max_length} is given without truncation: longer texts are truncated as"
            " with truncation=True; pass that, or truncation=False",
        )
        truncation = True
    cuts = truncation_strategy(False if truncation is None else truncation)
    if pads == "longest" and cuts == "do_not_truncate" and max_length is not None:
        _warn(
            options,
            f"max_length={max_length} has no effect with padding={padding!r} and no truncation:"
            " pass padding='max_length' to pad to it, or truncation=True to truncate to it",
        )
    max_length = model_max_length if max_length is None else max_length
    if max_length is None:
        pads, cuts = _without_limit(options, pads, cuts)
    elif multiple is not None and pads != "do_not_pad" and cuts != "do_not_truncate":
        _check_multiple(max_length, multiple)
    return LengthPlan(pads, cuts, max_length, multiple, options.stride if overflows else None)


def _without_limit(options: CallOptions, pads: str, cuts: str) -> tuple[str, str]:
    nothing = "has no effect: neither max_length nor the tokenizer's model_max_length is given"
    if pads == "max_length":
        _warn(options, f"padding='max_length' {nothing}")
        pads = "do_not_pad"
    if cuts != "do_not_truncate":
        _warn(options, f"truncation={cuts!r} {nothing}")
        cuts = "do_not_truncate"
    return pads, cuts


def _warn(options: CallOptions, message: str) -> None:
    if options.verbose:
        warn(message)


def _check_multiple(max_length: int, multiple: int) -> None:
    if max_length % multiple:
        raise ValueError(
            f"rows truncated to {max_length} tokens cannot be padded to a multiple of {multiple}:"
            f" pass max_length={max_length // multiple * multiple or multiple}, or leave out"
            " pad_to_multiple_of"
        )
