"""Keywords that callers of transformers type, and that no argument of this package stands for.

Some have another name here, some change nothing whatever their value, and some ask for what is not
here: a value of these is refused, with what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .rules import BOOLEAN, Rule, check, one_of, optional

__all__ = ["OF_MODELS", "OF_TOKENIZERS", "Keyword", "settle"]

ANYTHING = Rule(lambda value: True, "anything")
NOT_TRUE = Rule(lambda value: value is None or value is False, "False")
NOT_GIVEN = Rule(lambda value: value is None, "left out")


class Keyword(NamedTuple):
    """What a keyword means here."""

    #: The values that it may have; its sentence tells the cure for others.
    rule: Rule
    #: The argument of this package that it is another name of; without one it has no effect.
    stands_for: str | None = None


def settle(arguments: dict[str, Any], table: Mapping[str, Keyword]) -> None:
    """Take the keywords of a table out of a call's arguments, or give them the names of here.

    >>> arguments = {"torch_dtype": "float64", "low_cpu_mem_usage": True, "num_labels": 3}
    >>> settle(arguments, OF_MODELS)
    >>> arguments
    {'num_labels': 3, 'dtype': 'float64'}
    >>> settle({"load_in_8bit": True}, OF_MODELS)
    Traceback (most recent call last):
    ValueError: load_in_8bit is True, but must be False: quantized weights are not here, but
    dtype="float16" halves the memory
    """
    for name in [name for name in arguments if name in table]:
        value = check(name, arguments.pop(name), table[name].rule)
        own = table[name].stands_for
        if own is None or value is None:
            continue
        if arguments.get(own) not in (None, value):
            raise ValueError(
                f"{name} is {value!r}, but {own} is {arguments[own]!r}: they mean the same, give "
                f"{own} alone"
            )
        arguments[own] = value


_NO_QUANTIZATION = ': quantized weights are not here, but dtype="float16" halves the memory'

#: Of ``from_pretrained`` of the models, and of `minirobert.pipelines.pipeline`.
OF_MODELS: dict[str, Keyword] = {
    "torch_dtype": Keyword(ANYTHING, "dtype"),
    "low_cpu_mem_usage": Keyword(ANYTHING),
    "load_in_8bit": Keyword(NOT_TRUE.but(_NO_QUANTIZATION)),
    "load_in_4bit": Keyword(NOT_TRUE.but(_NO_QUANTIZATION)),
    "quantization_config": Keyword(NOT_GIVEN.but(_NO_QUANTIZATION)),
    "trust_remote_code": Keyword(optional(BOOLEAN)),
    "attn_implementation": Keyword(
        one_of(None, "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
    ),
}

#: Of ``from_pretrained`` of the tokenizer.
OF_TOKENIZERS: dict[str, Keyword] = {
    "use_fast": Keyword(ANYTHING),
    "legacy": Keyword(ANYTHING),
    "trust_remote_code": Keyword(optional(BOOLEAN)),
}
