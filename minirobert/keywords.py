"""Keywords that callers of transformers type, and that no argument of this package stands for.

Some have another name here, some change nothing whatever their value, and some ask for what is not
here: a value of these is refused, with what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .rules import BOOLEAN, Rule, check, one_of, optional

__all__ = ["OF_MODELS", "OF_SAVED_TOKENIZERS", "OF_TOKENIZERS", "Keyword", "settle"]

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

_OF_POST_PROCESSOR = ": what frames a text stands in the post_processor of tokenizer.json"

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

_OF_CALLS = NOT_GIVEN.but(": it has no effect here, so give it with each call of the tokenizer")
_FROM_FILES = NOT_GIVEN.but(
    ": a tokenizer is read from tokenizer.json, or vocab.json and merges.txt"
)

#: Of ``from_pretrained`` of the tokenizer.
OF_TOKENIZERS: dict[str, Keyword] = {
    "max_len": Keyword(ANYTHING, "model_max_length"),
    "use_auth_token": Keyword(ANYTHING, "token"),
    "trust_remote_code": Keyword(optional(BOOLEAN)),
    "do_lower_case": Keyword(
        NOT_TRUE.but(": the vocabulary tells capitals apart; to have none, call text.lower()")
    ),
    **dict.fromkeys(("add_bos_token", "add_eos_token"), Keyword(NOT_TRUE.but(_OF_POST_PROCESSOR))),
    **dict.fromkeys(("padding", "truncation", "max_length", "stride"), Keyword(_OF_CALLS)),
    **dict.fromkeys(("gguf_file", "tokenizer_object"), Keyword(_FROM_FILES)),
    **dict.fromkeys(
        (
            *("use_fast", "legacy", "from_slow", "tokenizer_type", "config", "verbose"),
            *("proxies", "resume_download", "mirror", "code_revision", "name_or_path"),
            *("torch_dtype", "dtype", "device_map", "low_cpu_mem_usage"),
        ),
        Keyword(ANYTHING),
    ),
}

#: Of ``save_pretrained`` of the tokenizer.
OF_SAVED_TOKENIZERS: dict[str, Keyword] = {
    "push_to_hub": Keyword(
        NOT_TRUE.but(": save to a directory, and upload it with huggingface_hub.upload_folder")
    ),
    **dict.fromkeys(
        (
            *("safe_serialization", "max_shard_size", "is_main_process", "save_jinja_files"),
            *("token", "use_auth_token", "repo_id", "commit_message", "private"),
        ),
        Keyword(ANYTHING),
    ),
}
