"""Keywords that callers of transformers type, and that no argument of this package stands for.

Some have another name here, some change nothing whatever their value, and some ask for what is not
here: a value of these is refused, with what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Any, NamedTuple, TypeVar

from .arrays import device_name, first_device
from .rules import BOOLEAN, Rule, check, did_you_mean, is_among, one_of, optional
from .sentences import fitted, listed, plain, shown

__all__ = [
    "OF_CONFIGS",
    "OF_FILES",
    "OF_MODELS",
    "OF_SAVED_TOKENIZERS",
    "OF_SAVING",
    "OF_TOKENIZERS",
    "Keyword",
    "names_of",
    "refuse",
    "settle",
    "settle_all",
    "takes",
]

Function = TypeVar("Function", bound=Callable[..., Any])

ANYTHING = Rule(lambda value: True, "anything")
NOT_TRUE = Rule(lambda value: value is None or value is False, "False")
NOT_FALSE = Rule(lambda value: value is None or value is True, "True")
NOT_GIVEN = Rule(lambda value: is_among(value, None, {}), "left out")


class Keyword(NamedTuple):
    """What a keyword means here."""

    #: The values that it may have; its sentence tells the cure for others.
    rule: Rule
    #: The argument of this package that it is another name of; without one it has no effect.
    stands_for: str | None = None
    #: What a value of it is called there.
    means: Callable[[Any], Any] = lambda value: value


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
        given, value = arguments.get(own), table[name].means(value)
        if given is not None and table[name].means(given) != value:
            raise ValueError(
                f"{name} is {shown(value)}, but {own} is {shown(given)}: they mean the same, give "
                f"{own} alone"
            )
        arguments[own] = value


def settle_all(arguments: dict[str, Any], table: Mapping[str, Keyword], function: str) -> None:
    """Take the keywords of a table out of a call's arguments, none of which may be left.

    >>> settle_all({"safe_serialisation": True}, OF_SAVING, "save_pretrained")
    Traceback (most recent call last):
    TypeError: save_pretrained has no argument 'safe_serialisation'
    """
    settle(arguments, table)
    refuse(arguments, function, ())


def refuse(names: Collection[str], function: str, known: Collection[str]) -> None:
    """Refuse arguments that a function does not have, if there are any."""
    if names:
        wrong = f"{function} has no argument {listed(names, each=shown)}"
        has = (" (it has ", list(known), ")") if known else ()
        raise TypeError(fitted(wrong, did_you_mean(next(iter(names)), known), *has))


def takes(
    table: Mapping[str, Keyword], shared: Callable[..., Any] | None = None
) -> Callable[[Function], Function]:
    """Make a function take the keywords of a table, too, and refuse others in a short sentence.

    Its own ``**keywords`` are those of the function ``shared``, where one is given.

    >>> @takes({"topk": Keyword(ANYTHING, "top_k"), "num_workers": Keyword(ANYTHING)})
    ... def best(top_k=1):
    ...     return top_k
    >>> best(topk=3, num_workers=2)
    3
    """

    def taking(function: Function) -> Function:
        known, takes_all = names_of(function)
        if shared is not None:
            more, takes_all = names_of(shared)
            known = list(dict.fromkeys([*known, *more]))
        name = function.__qualname__.removesuffix(".__init__")

        @wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            settle(keywords, table)
            if not takes_all:
                refuse([n for n in keywords if n not in known], name, known)
            return function(*arguments, **keywords)

        return call  # type: ignore[return-value]  # wraps keeps the signature

    return taking


def names_of(function: Callable[..., Any]) -> tuple[list[str], bool]:
    """Give the names of a function's arguments, and tell whether it takes any others."""
    of_any = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    arguments = signature(function).parameters.values()
    names = [one.name for one in arguments if one.kind not in of_any and one.name != "self"]
    return names, any(one.kind is Parameter.VAR_KEYWORD for one in arguments)


def _dtype_name(dtype: Any) -> Any:
    """Name a dtype, whoever's it is: only then are two of them the same."""
    if isinstance(dtype, list | tuple | dict | set | int):  # which is none
        return dtype
    return plain(getattr(dtype, "__name__", dtype)).rpartition(".")[2]


def _devices(device_map: Any) -> set[str]:
    """Name the devices that the parts of a model are to be on."""
    devices = device_map.values() if isinstance(device_map, Mapping) else [device_map]
    return {first_device() if one in _ANY_DEVICE else device_name(one) for one in devices}


#: What transformers' ``device_map`` calls whatever devices there are.
_ANY_DEVICE = ("auto", "balanced", "balanced_low_0", "sequential")
_ONE_DEVICE = Rule(
    lambda value: value is None or len(_devices(value)) == 1,
    'the name of one device, as in "cpu", "cuda:0" or {"": 0}: a model is on one device here',
)
_WITHOUT_PICKLES = (
    ": weights are read and written as safetensors alone, since a pickle can run any code when it "
    "is opened; transformers converts others, with from_pretrained and save_pretrained"
)
_NO_QUANTIZATION = ': quantized weights are not here, but dtype="float16" halves the memory'
_ONE_MACHINE = ": a model is on one device here, which device= names"
_OWN_WEIGHTS = (
    ": make a model of your own weights with the class itself, as in RobertaModel(config, "
    "minirobert.parameters.build_tree(weights))"
)
_PROXIES = (
    ": set the environment variables HTTP_PROXY and HTTPS_PROXY, which the hub's client reads"
)
_OF_POST_PROCESSOR = ": what frames a text stands in the post_processor of tokenizer.json"
_UPLOAD = ": write into a directory, and upload that with huggingface_hub: hf upload NAME DIRECTORY"

#: Of every ``from_pretrained``.
OF_FILES: dict[str, Keyword] = {
    "use_auth_token": Keyword(ANYTHING, "token"),
    "proxies": Keyword(NOT_GIVEN.but(_PROXIES)),
    "trust_remote_code": Keyword(optional(BOOLEAN)),
    **dict.fromkeys(
        ("resume_download", "mirror", "code_revision", "_commit_hash"),
        Keyword(ANYTHING),
    ),
    **dict.fromkeys(("_from_auto", "_from_pipeline", "_fast_init"), Keyword(ANYTHING)),
}

#: Of ``from_pretrained`` of the configuration.
OF_CONFIGS: dict[str, Keyword] = {
    **OF_FILES,
    "torch_dtype": Keyword(ANYTHING, "dtype", _dtype_name),
    "attn_implementation": Keyword(
        one_of(None, "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
    ),
}

#: Of ``from_pretrained`` of the models, and of `minirobert.pipelines.pipeline`.
OF_MODELS: dict[str, Keyword] = {
    **OF_CONFIGS,
    "device_map": Keyword(_ONE_DEVICE, "device", lambda value: _devices(value).pop()),
    "use_safetensors": Keyword(NOT_FALSE.but(_WITHOUT_PICKLES)),
    **dict.fromkeys(("from_tf", "from_flax"), Keyword(NOT_TRUE.but(_WITHOUT_PICKLES))),
    **dict.fromkeys(("load_in_8bit", "load_in_4bit"), Keyword(NOT_TRUE.but(_NO_QUANTIZATION))),
    **dict.fromkeys(("quantization_config", "gguf_file"), Keyword(NOT_GIVEN.but(_NO_QUANTIZATION))),
    **dict.fromkeys(
        ("tp_plan", "tp_size", "device_mesh", "distributed_config"),
        Keyword(NOT_GIVEN.but(_ONE_MACHINE)),
    ),
    "state_dict": Keyword(NOT_GIVEN.but(_OWN_WEIGHTS)),
    "key_mapping": Keyword(
        NOT_GIVEN.but(": tensors have transformers' names here, so rename those in the file")
    ),
    "adapter_kwargs": Keyword(
        NOT_GIVEN.but(": adapters are not here; peft merges one into the weights of its model")
    ),
    # How to load, or compute, in less memory or time: the result is the same.
    **dict.fromkeys(
        (
            *("low_cpu_mem_usage", "max_memory", "weights_only", "use_kernels", "adapter_name"),
            *("offload_folder", "offload_state_dict", "offload_buffers", "use_flash_attention_2"),
            "from_pt",
        ),
        Keyword(ANYTHING),
    ),
}

#: Of ``save_pretrained``.
OF_SAVING: dict[str, Keyword] = {
    "safe_serialization": Keyword(NOT_FALSE.but(_WITHOUT_PICKLES)),
    "is_main_process": Keyword(NOT_FALSE.but(": save in the main process alone")),
    "state_dict": Keyword(NOT_GIVEN.but(": weights are saved by a model")),
    "push_to_hub": Keyword(NOT_TRUE.but(_UPLOAD)),
    # How to write pickles or adapters, and where to upload.
    **dict.fromkeys(
        (
            *("save_function", "save_peft_format", "token", "use_auth_token", "repo_id"),
            *("commit_message", "create_pr", "private"),
        ),
        Keyword(ANYTHING),
    ),
}

_OF_CALLS = NOT_GIVEN.but(": it has no effect here, so give it with each call of the tokenizer")
_FROM_FILES = NOT_GIVEN.but(
    ": a tokenizer is read from tokenizer.json, or vocab.json and merges.txt"
)

#: Of ``from_pretrained`` of the tokenizer.
OF_TOKENIZERS: dict[str, Keyword] = {
    **OF_FILES,
    "max_len": Keyword(ANYTHING, "model_max_length"),
    "do_lower_case": Keyword(
        NOT_TRUE.but(": the vocabulary tells capitals apart; to have none, call text.lower()")
    ),
    **dict.fromkeys(("add_bos_token", "add_eos_token"), Keyword(NOT_TRUE.but(_OF_POST_PROCESSOR))),
    **dict.fromkeys(("padding", "truncation", "max_length", "stride"), Keyword(_OF_CALLS)),
    **dict.fromkeys(("gguf_file", "tokenizer_object"), Keyword(_FROM_FILES)),
    **dict.fromkeys(
        (
            *("use_fast", "legacy", "from_slow", "tokenizer_type", "config", "verbose"),
            *("name_or_path", "torch_dtype", "dtype", "device_map", "low_cpu_mem_usage"),
        ),
        Keyword(ANYTHING),
    ),
}

#: Of ``save_pretrained`` of the tokenizer.
OF_SAVED_TOKENIZERS: dict[str, Keyword] = {
    "push_to_hub": OF_SAVING["push_to_hub"],
    **dict.fromkeys(
        (
            *("safe_serialization", "max_shard_size", "is_main_process", "save_jinja_files"),
            *("token", "use_auth_token", "repo_id", "commit_message", "private"),
        ),
        Keyword(ANYTHING),
    ),
}
