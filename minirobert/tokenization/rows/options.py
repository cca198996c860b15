"""What a call of the tokenizer can be told: each option, its rule, and what it means."""

from __future__ import annotations

import importlib.util
import textwrap
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from ...documentation import entries
from ...rules import BOOLEAN, INTEGER, Rule, check, integer, optional
from ..settings import SIDE

__all__ = [
    "LIBRARIES",
    "OPTIONS",
    "CallOptions",
    "are_equal",
    "check_tensor_type",
    "other_options",
    "padding_strategy",
    "truncation_strategy",
]

LIBRARIES = {"np": "numpy", "cp": "cupy", "pt": "torch"}
PADDING_STRATEGIES = ("longest", "max_length", "do_not_pad")
TRUNCATION_STRATEGIES = ("longest_first", "only_first", "only_second", "do_not_truncate")


def _flag_or(*names: str) -> Rule:
    # Not `value in (True, ...)`, which 1 would pass.
    return Rule(
        lambda value: isinstance(value, bool) or (isinstance(value, str) and value in names),
        f"True, False or one of {', '.join(map(repr, names))}",
    )


PADDING, TRUNCATION = _flag_or(*PADDING_STRATEGIES), _flag_or(*TRUNCATION_STRATEGIES)
TENSORS = Rule(
    lambda value: value is None or (isinstance(value, str) and value in LIBRARIES),
    "None, for lists, or 'np', 'cp' or 'pt', for arrays of NumPy, CuPy or PyTorch",
)


def _count(least: int) -> list[tuple[Rule, type[Exception]]]:
    return [(optional(INTEGER), TypeError), (optional(integer(least)), ValueError)]


FLAGS = (
    *("add_special_tokens", "return_token_type_ids", "return_attention_mask"),
    *("return_overflowing_tokens", "return_special_tokens_mask", "return_offsets_mapping"),
    *("return_length", "verbose", "add_prefix_space", "split_special_tokens"),
)

#: The rules of each option.
RULES: dict[str, list[tuple[Rule, type[Exception]]]] = {
    "padding": [(PADDING, ValueError)],
    "truncation": [(optional(TRUNCATION), ValueError)],
    "max_length": _count(0),
    "stride": _count(0),
    "pad_to_multiple_of": _count(1),
    "padding_side": [(optional(SIDE), ValueError)],
    "return_tensors": [(TENSORS, ValueError)],
    **{name: [(optional(BOOLEAN), TypeError)] for name in FLAGS},
}


# No dataclass: to make a frozen one of as many fields takes as long as to encode a short text.
class CallOptions(NamedTuple):
    """The options of a call.

    Parameters
    ----------
    add_special_tokens : bool
        Whether to frame the sequences: ``<s> A </s>`` or ``<s> A </s></s> B </s>``.
    padding : bool or str
        True or ``"longest"``: pad to the longest row. ``"max_length"``: pad to `max_length`.
    truncation : bool or str, optional
        True or ``"longest_first"``: shorten the longer text of a pair first. ``"only_first"``,
        ``"only_second"``: shorten that text. None, the default, truncates if `max_length` is
        given and nothing is padded, with a warning.
    max_length : int, optional
        The most tokens of a row, special tokens included; by default `model_max_length`.
    stride : int
        How many tokens a row shares with the next one, where `return_overflowing_tokens` asks
        for the next one.
    pad_to_multiple_of : int, optional
        Pad to a multiple of this number.
    padding_side : str, optional
        ``"right"`` or ``"left"``, by default the attribute of this name.
    return_tensors : str, optional
        ``"np"``, ``"cp"`` or ``"pt"`` for arrays of NumPy, CuPy or PyTorch with int64, by
        default lists.
    return_token_type_ids, return_attention_mask, return_special_tokens_mask : bool
        Whether to return these columns; by default those of the first two that are among
        `model_input_names`, which is only the attention mask. Token type ids are always 0. The
        attention mask is 0 for padding. The special tokens mask is 1 for padding and for the
        special tokens that frame the sequences, 0 for special tokens in the text.
    return_overflowing_tokens : bool
        Whether what truncation cuts off is returned too, as more rows of the same format. The
        column ``overflow_to_sample_mapping`` has for each row the number of its text.
    return_offsets_mapping : bool
        Whether to return for each token the characters ``(start, end)`` that it stands for.
    return_length : bool
        Whether to return the lengths of the rows.
    verbose : bool
        Whether to warn of arguments that have no effect and of rows that are too long.
    add_prefix_space, split_special_tokens : bool, optional
        As for the class, for this call only.
    """

    add_special_tokens: bool = True
    padding: bool | str = False
    truncation: bool | str | None = None
    max_length: int | None = None
    stride: int = 0
    pad_to_multiple_of: int | None = None
    padding_side: str | None = None
    return_tensors: str | None = None
    return_token_type_ids: bool | None = None
    return_attention_mask: bool | None = None
    return_overflowing_tokens: bool = False
    return_special_tokens_mask: bool = False
    return_offsets_mapping: bool = False
    return_length: bool = False
    verbose: bool = True
    add_prefix_space: bool | None = None
    split_special_tokens: bool | None = None

    def checked(self) -> CallOptions:
        """Give these options, or the error of the first that breaks its rule."""
        values = _values_with_rules(self)
        if not are_equal(values, DEFAULTS):  # which most calls tell
            for (name, rules), value, usual in zip(RULES.items(), values, DEFAULTS, strict=True):
                if value is not usual:
                    for rule, error in rules:
                        check(name, value, rule, error)
            check_library(self.return_tensors)
        return self

    def columns(self, usual: Collection[str]) -> list[str]:
        """Name the columns to return besides the ids; `usual` are the tokenizer's own."""
        asked = {
            "token_type_ids": self.return_token_type_ids,
            "attention_mask": self.return_attention_mask,
            "special_tokens_mask": self.return_special_tokens_mask,
            "offset_mapping": self.return_offsets_mapping,
        }
        return [name for name, yes in asked.items() if (name in usual if yes is None else yes)]


def are_equal(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Compare options; what cannot be compared (an array) counts as different."""
    try:
        return some == others
    except Exception:
        return False


_values_with_rules: Callable[[CallOptions], tuple[Any, ...]] = attrgetter(*RULES)
DEFAULTS = _values_with_rules(CallOptions())

#: The documentation of each option, for the methods that have it.
OPTIONS = entries(CallOptions)


def other_options(*described: str) -> dict[str, str]:
    """Document ``**options`` by all options but those that a method describes itself."""
    texts = dict.fromkeys(
        OPTIONS.get(name, "") for name in CallOptions._fields if name not in described
    )
    indented = textwrap.indent("\n".join(texts), " " * 4)
    return {"**options": f"**options\n    As for a call of the tokenizer:\n\n{indented}"}


def check_tensor_type(tensor_type: Any) -> None:
    """Check what arrays are asked for."""
    check("return_tensors", tensor_type, TENSORS)
    check_library(tensor_type)


def check_library(tensor_type: str | None) -> None:
    """Check that the library of the arrays is installed."""
    library = None if tensor_type is None else LIBRARIES[tensor_type]
    if library is not None and importlib.util.find_spec(library) is None:
        raise ModuleNotFoundError(
            f"return_tensors={tensor_type!r} needs {library}, which is not installed: install"
            " it, or pass 'np' for NumPy arrays"
        )


def padding_strategy(padding: Any) -> str:
    """Read the option `padding`."""
    check("padding", padding, PADDING)
    return _strategy(padding, PADDING_STRATEGIES, "longest", "do_not_pad")


def truncation_strategy(truncation: Any) -> str:
    """Read the option `truncation`, but for None."""
    check("truncation", truncation, TRUNCATION)
    return _strategy(truncation, TRUNCATION_STRATEGIES, "longest_first", "do_not_truncate")


def _strategy(given: bool | str, known: Sequence[str], if_true: str, if_false: str) -> str:
    if isinstance(given, bool):
        return if_true if given else if_false
    return known[known.index(given)]  # a plain string, also for an enum
