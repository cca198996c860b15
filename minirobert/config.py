"""RobertaConfig: every field of ``config.json``, with its default and its rule."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from .checks import warn
from .files import ModelFiles, ModelName, new_directory, read_json, write_text
from .keywords import OF_CONFIGS, OF_SAVING, settle, settle_all
from .rules import (
    BOOLEAN,
    INTEGER,
    PROBABILITY,
    STRING,
    Rule,
    check,
    dictionary_of,
    either,
    integer,
    list_of,
    number,
    one_of,
    optional,
)

__all__ = ["ACTIVATION_NAMES", "RobertaConfig"]

#: The names that ``hidden_act`` may have; `minirobert.functional.ACTIVATIONS` has their formulas.
ACTIVATION_NAMES = (
    *("gelu", "gelu_python", "gelu_new", "gelu_accurate", "gelu_pytorch_tanh", "gelu_fast"),
    *("gelu_10", "quick_gelu", "relu", "relu2", "relu6", "leaky_relu", "silu", "swish", "mish"),
    *("tanh", "sigmoid", "laplace", "linear"),
)
POSITION_EMBEDDING_TYPES = ("absolute", "relative_key", "relative_key_query")
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
MODEL_TYPES = ("roberta", "xlm-roberta", "camembert")  # one architecture under three names


@dataclass
class RobertaConfig:
    """The numbers that define a RoBERTa model, named and defaulted as in transformers.

    Every field is checked when the configuration is made and whenever it is assigned.

    Parameters
    ----------
    vocab_size : int
        V, rows of the word embedding table and of the language-model decoder.
    hidden_size : int
        H, the width of every hidden state; a multiple of ``num_attention_heads``.
    num_hidden_layers : int
        L, may be 0.
    num_attention_heads : int
        N; each head is ``hidden_size // num_attention_heads`` wide.
    intermediate_size : int
        I, the inner width of the feed-forward layers.
    hidden_act : str or callable
        The feed-forward activation, one of `ACTIVATION_NAMES`. RoBERTa's ``"gelu"`` is the exact
        one (with erf); ``"gelu_new"`` is the tanh approximation. It changes neither the
        language-model head (always the exact GELU) nor the pooler (always tanh).
    hidden_dropout_prob, attention_probs_dropout_prob : float
        In [0, 1], used in training only.
    max_position_embeddings : int
        P, rows of the position table. The longest text has ``P - pad_token_id - 1`` tokens,
        because positions start at ``pad_token_id + 1``: real checkpoints have 514 rows for 512.
    type_vocab_size : int
        Rows of the token type table (1 in real checkpoints).
    initializer_range : float
        Standard deviation of newly drawn weights.
    layer_norm_eps : float
        Added to the variance in every layer norm (1e-5 in real checkpoints).
    pad_token_id, bos_token_id, eos_token_id : int
        ``pad_token_id`` is also the offset of the positions.
    position_embedding_type : str
        ``"absolute"``, ``"relative_key"`` or ``"relative_key_query"``.
    use_cache : bool
        Used by decoders only.
    classifier_dropout : float, optional
        Dropout of the classification heads; None means ``hidden_dropout_prob``.
    is_decoder, add_cross_attention, chunk_size_feed_forward, tie_word_embeddings
        As in transformers.
    pruned_heads : dict from int to list of int
        For a layer, the heads that its weights no longer have; numbers count the original heads.
    output_attentions, output_hidden_states, return_dict : bool
        What a model returns where its call does not say.
    problem_type : str, optional
        ``"regression"``, ``"single_label_classification"`` or ``"multi_label_classification"``.
    id2label, label2id : dict, optional
        Names of the classes; either one is derived from the other.
    num_labels : int, optional
        The number of classes, 2 by default. Assigning another number renames the classes.
    architectures : list of str, optional
    dtype : str, optional
        The dtype of the weights that were saved with this configuration.
    extra : dict
        Keys of a ``config.json`` that this package does not know. They are written back, and can
        be read as attributes.

    Raises
    ------
    ValueError
        Naming the field, its value and the rule that it breaks.

    Notes
    -----
    Source: Liu et al. 2019 (arXiv:1907.11692), section 3 and appendix table 9.

    Unlike transformers' class, this one refuses an unknown keyword (a misspelled one would
    silently leave the default in force) unless it is given in ``extra``.

    >>> config = RobertaConfig(hidden_size=64, num_attention_heads=4)
    >>> config.hidden_size // config.num_attention_heads
    16
    >>> RobertaConfig(hidden_size=18, num_attention_heads=4)
    Traceback (most recent call last):
    ValueError: hidden_size is 18, but must be a multiple of num_attention_heads, which is 4
    """

    vocab_size: int = 50265
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str | Callable[..., Any] = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 1
    bos_token_id: int | None = 0
    eos_token_id: int | None = 2
    position_embedding_type: str = "absolute"
    use_cache: bool = True
    classifier_dropout: float | None = None

    # The fields that transformers' base class has and that matter to this model.
    is_decoder: bool = False
    add_cross_attention: bool = False
    chunk_size_feed_forward: int = 0
    tie_word_embeddings: bool = True
    pruned_heads: dict[int, list[int]] = field(default_factory=dict)
    output_attentions: bool = False
    output_hidden_states: bool = False
    return_dict: bool = True
    problem_type: str | None = None
    id2label: dict[int, str] | None = None
    label2id: dict[str, int] | None = None
    num_labels: int = None  # type: ignore[assignment]  # never None once it is made
    architectures: list[str] | None = None
    dtype: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._settle_labels()
        self.validate()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _RULES:
            check(name, value, _RULES[name])
        if isinstance(value, Real) and not isinstance(value, bool | int | float):
            value = int(value) if isinstance(value, Integral) else float(value)  # NumPy's numbers
        super().__setattr__(name, value)
        if "extra" in self.__dict__:  # the last field: the constructor is done
            if name == "id2label":
                self._set_labels(_default_labels(2) if value is None else value)
            elif name == "label2id":
                self._set_labels({index: label for label, index in (value or {}).items()})
            elif name == "num_labels" and value != len(self.id2label or {}):
                self._set_labels(_default_labels(2 if value is None else value))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.__dict__.get("extra", {}):
            return self.extra[name]
        raise AttributeError(f"RobertaConfig has no field {name!r}")

    def validate(self) -> None:
        """Check the rules that tie several fields together.

        Raises
        ------
        ValueError
            If the heads do not divide the hidden size, the padding id has no row in a table,
            pruned heads do not exist, or cross-attention is asked of an encoder.
        """
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size is {self.hidden_size}, but must be a multiple of "
                f"num_attention_heads, which is {self.num_attention_heads}"
            )
        for table in ("vocab_size", "max_position_embeddings"):
            if self.pad_token_id >= getattr(self, table):
                raise ValueError(
                    f"pad_token_id is {self.pad_token_id}, but must be below {table}, "
                    f"which is {getattr(self, table)}"
                )
        self._check_pruned_heads()
        if self.add_cross_attention and not self.is_decoder:
            raise ValueError(
                "add_cross_attention is True, but must be False unless is_decoder is True"
            )

    def _check_pruned_heads(self) -> None:
        layers, heads = self.num_hidden_layers, self.num_attention_heads
        for layer, pruned in self.pruned_heads.items():
            if layer >= layers:
                raise ValueError(
                    f"pruned_heads names layer {layer}, but there are {layers}, counted from 0"
                )
            beyond = [head for head in pruned if head >= heads]
            if beyond:
                raise ValueError(
                    f"pruned_heads names head {beyond[0]} of layer {layer}, but it has {heads}, "
                    "counted from 0"
                )
            if len(set(pruned)) == heads:
                raise ValueError(
                    f"pruned_heads names all {heads} heads of layer {layer}, but one must be left"
                )

    def kept_heads(self, layer: int) -> list[int]:
        """List the heads of a layer that are not pruned, by their original numbers.

        >>> RobertaConfig(num_attention_heads=4, pruned_heads={2: [0, 3]}).kept_heads(2)
        [1, 2]
        """
        pruned = self.pruned_heads.get(layer, ())
        return [head for head in range(self.num_attention_heads) if head not in pruned]

    @property
    def head_size(self) -> int:
        """D, the width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def max_sequence_length(self) -> int:
        """The largest number of tokens that the position table has rows for."""
        return self.max_position_embeddings - self.pad_token_id - 1

    def _settle_labels(self) -> None:
        """Derive each of ``id2label``, ``label2id`` and ``num_labels`` from what was given."""
        asked, id2label, label2id = self.num_labels, self.id2label, self.label2id
        if id2label is None and label2id is None:
            id2label = _default_labels(2 if asked is None else asked)
        elif id2label is None:
            id2label = {index: label for label, index in (label2id or {}).items()}
        self._set_labels(id2label, label2id)
        if asked not in (None, self.num_labels):
            warn(
                f"num_labels is {asked}, but there are {self.num_labels} labels with names: "
                "the names are kept"
            )

    def _set_labels(
        self, id2label: Mapping[Any, str], label2id: Mapping[str, int] | None = None
    ) -> None:
        by_id = {int(index): label for index, label in id2label.items()}
        by_name = {label: index for index, label in by_id.items()}
        # A label may have two ids; which of them it is given back is the file's own choice.
        if label2id is not None and all(by_id.get(i) == name for name, i in label2id.items()):
            by_name |= label2id
        self.__dict__.update(id2label=by_id, label2id=by_name, num_labels=len(by_id))

    def to_dict(self) -> dict[str, Any]:
        """Give every field, and the keys of ``extra``, as plain data.

        Returns
        -------
        dict
            `from_dict` of it is an equal configuration. ``num_labels`` is left out: it is the
            length of ``id2label``.
        """
        values = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in ("num_labels", "extra")
        }
        return copy.deepcopy({**self.extra, **values, "model_type": "roberta"})

    @classmethod
    def from_dict(cls, values: dict[str, Any], **overrides: Any) -> RobertaConfig:
        """Build a configuration from the contents of a ``config.json``.

        Parameters
        ----------
        values : dict
            Unknown keys are kept in ``extra``. ``model_type`` is not: it becomes ``"roberta"``.
        **overrides
            Fields that replace those of ``values``.

        Raises
        ------
        ValueError
            If a field breaks its rule, or overrides disagree about the labels.
        TypeError
            If an override is no field, neither of this class nor of ``values``.

        >>> RobertaConfig.from_dict({"vocab_size": 99, "adapter": "x"}).adapter
        'x'
        """
        names = {one.name for one in fields(cls)} - {"extra"}
        for name in overrides.keys() - names - values.keys():
            raise TypeError(
                f"RobertaConfig has no field {name!r} to override; put a key of your own into the "
                "dictionary or file itself"
            )
        _check_labels_agree(overrides)
        if any(overrides.get(name) is not None for name in ("id2label", "label2id")):
            # names that are given replace all that the file says about labels
            values = {n: v for n, v in values.items() if n not in _LABEL_FIELDS}
        values = {**values, **overrides}
        model_type = values.pop("model_type", "roberta")
        if model_type not in MODEL_TYPES:
            warn(f"this configuration is for model_type {model_type!r}; it is read as 'roberta'")
        if "torch_dtype" in values:  # the field's name before transformers 4.56
            values.setdefault("dtype", values.pop("torch_dtype"))
        if isinstance(values.get("pruned_heads"), dict):
            values["pruned_heads"] = {
                int(k) if isinstance(k, str) and k.isdecimal() else k: v
                for k, v in values["pruned_heads"].items()
            }
        count = overrides.get("num_labels")
        if count not in (None, len(values.get("id2label") or values.get("label2id") or {})):
            values.update(id2label=None, label2id=None)
        known = {name: value for name, value in values.items() if name in names}
        extra = {name: value for name, value in values.items() if name not in names}
        return cls(**known, extra=extra)

    @classmethod
    def from_json_file(cls, path: str | os.PathLike[str], **overrides: Any) -> RobertaConfig:
        """Read a configuration from a JSON file; see `from_dict` for the overrides."""
        return cls.from_dict(read_json(Path(path)), **overrides)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: ModelName, **overrides: Any
    ) -> RobertaConfig:
        """Read the ``config.json`` of a model directory, or of a model on the hub.

        Parameters
        ----------
        pretrained_model_name_or_path : str or path
            Or the name of a model on the Hugging Face hub.
        **overrides
            Fields that replace those of the file, and the options of `minirobert.files.HubOptions`.

        Raises
        ------
        FileNotFoundError
            If the directory, or the file in it, does not exist, or the hub does not give it.
        ValueError
            If the file is no JSON object, a field breaks its rule, or ``num_labels``, ``id2label``
            and ``label2id`` do not fit each other.
        """
        settle(overrides, OF_CONFIGS)
        files = ModelFiles.of(pretrained_model_name_or_path, overrides)
        return cls.from_json_file(files.require("config.json") / "config.json", **overrides)

    def to_json_string(self) -> str:
        """Write the configuration as transformers writes ``config.json``.

        The model's own fields are always there, the inherited ones only where they differ from
        their default; keys are sorted.
        """
        values = self.to_dict()
        default = RobertaConfig().to_dict()
        written = {
            name: value
            for name, value in values.items()
            if name in _ALWAYS_WRITTEN or name not in default or value != default[name]
        }
        if callable(self.hidden_act):
            raise ValueError(
                "hidden_act is a function, which config.json cannot hold: "
                f"set it to one of {', '.join(ACTIVATION_NAMES)} before saving"
            )
        return json.dumps(written, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def save_pretrained(self, save_directory: str | os.PathLike[str], **options: Any) -> None:
        """Write ``config.json`` into a directory, which is made where it does not exist.

        Of other arguments of transformers, `minirobert.keywords.OF_SAVING` says what they come to.
        """
        settle_all(options, OF_SAVING, "save_pretrained")
        text = self.to_json_string()
        write_text(new_directory(save_directory) / "config.json", text)


def _default_labels(count: int) -> dict[int, str]:
    return {index: f"LABEL_{index}" for index in range(count)}


def _check_labels_agree(overrides: Mapping[str, Any]) -> None:
    count, id2label, label2id = (overrides.get(name) for name in _LABEL_FIELDS)
    named = id2label if id2label is not None else label2id
    if count is not None and isinstance(named, dict) and len(named) != count:
        name = "id2label" if named is id2label else "label2id"
        raise ValueError(
            f"num_labels is {count}, but {name} has {len(named)} labels: give one of them, or "
            "make them fit"
        )
    if id2label is None or label2id is None:
        return
    if _ID2LABEL.allows(id2label) and _LABEL2ID.allows(label2id):
        by_id = {int(index): label for index, label in id2label.items()}
        wrong = {label: i for label, i in label2id.items() if by_id.get(i) != label}
        if wrong or set(by_id.values()) != set(label2id):
            raise ValueError(
                f"id2label is {id2label!r}, but label2id is {label2id!r}: give one of them, the "
                "other follows from it"
            )


_LABEL_FIELDS = ("num_labels", "id2label", "label2id")
_DIGITS = Rule(lambda value: isinstance(value, str) and value.isdecimal(), "one in a string")
_ID2LABEL = dictionary_of(either(INTEGER, _DIGITS), STRING, "a dictionary from integers to strings")
_LABEL2ID = dictionary_of(STRING, INTEGER, "a dictionary from strings to integers")
_TOKEN_ID = either(INTEGER, list_of(INTEGER, "a list of them", list))

_RULES: dict[str, Rule] = {
    "vocab_size": integer(1),
    "hidden_size": integer(1),
    "num_hidden_layers": integer(0),
    "num_attention_heads": integer(1),
    "intermediate_size": integer(1),
    "hidden_act": Rule(
        lambda value: callable(value) or (isinstance(value, str) and value in ACTIVATION_NAMES),
        f"a function or one of {', '.join(ACTIVATION_NAMES)}",
    ),
    "hidden_dropout_prob": PROBABILITY,
    "attention_probs_dropout_prob": PROBABILITY,
    "max_position_embeddings": integer(1),
    "type_vocab_size": integer(1),
    "initializer_range": number(0),
    "layer_norm_eps": number(0),
    "pad_token_id": integer(0),
    "position_embedding_type": one_of(*POSITION_EMBEDDING_TYPES),
    "use_cache": BOOLEAN,
    "classifier_dropout": optional(PROBABILITY),
    "is_decoder": BOOLEAN,
    "add_cross_attention": BOOLEAN,
    "chunk_size_feed_forward": integer(0),
    "tie_word_embeddings": BOOLEAN,
    "pruned_heads": dictionary_of(
        integer(0),
        list_of(integer(0), "a list of heads"),
        "a dictionary from layers to lists of heads, both counted from 0",
    ),
    "output_attentions": BOOLEAN,
    "output_hidden_states": BOOLEAN,
    "return_dict": BOOLEAN,
    "bos_token_id": optional(_TOKEN_ID),
    "eos_token_id": optional(_TOKEN_ID),
    "architectures": optional(list_of(STRING, "a list of strings", list)),
    "dtype": optional(STRING),
    "problem_type": one_of(None, *PROBLEM_TYPES),
    "id2label": optional(_ID2LABEL),
    "label2id": optional(_LABEL2ID),
    "num_labels": optional(integer(0)),
    "extra": Rule(lambda value: isinstance(value, dict), "a dictionary"),
}

# The fields of transformers' own RobertaConfig, which its files always have.
_NAMES = [one.name for one in fields(RobertaConfig)]
_ALWAYS_WRITTEN = {*_NAMES[: _NAMES.index("classifier_dropout") + 1], "model_type"}
