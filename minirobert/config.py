"""RobertaConfig: every field of ``config.json``, with its default.

What the value of a field may be stands in `config_fields`, what files say in `config_file`.
"""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from .class_names import LABEL_FIELDS, ClassNames, Labels, agrees, relabelled, settled_labels
from .config_fields import ACTIVATION_NAMES, FIELDS, RULES, dtype_text
from .config_file import ALIASES, INHERITED, OF_GENERATION, meant_by, merged_fields
from .files import (
    ModelFiles,
    ModelName,
    json_text,
    naming,
    new_directory,
    not_to_be_kept,
    read_json,
    settings_text,
    write_text,
)
from .keywords import ANYTHING, OF_CONFIGS, OF_SAVING, settle, settle_all
from .rules import STRING, check, dictionary_of
from .sentences import plain, shown

__all__ = ["RobertaConfig", "check_kept"]

Config = TypeVar("Config")


def _keeps_unknown_keywords(cls: type[Config]) -> type[Config]:
    """Let the constructor of a dataclass put into ``extra`` what is no field, nor nearly one."""
    made = cls.__init__
    own = {one.name for one in fields(cls)}  # type: ignore[arg-type]  # it is a dataclass

    @functools.wraps(made)
    def init(self: Config, *values: Any, **keywords: Any) -> None:
        settle(keywords, OF_CONFIGS)
        unknown = {name: keywords.pop(name) for name in list(keywords) if name not in own}
        for name in unknown:
            _refuse_near_miss(name, TypeError)
        unknown = {ALIASES.get(name, name): value for name, value in unknown.items()}
        if unknown:
            keywords["extra"] = {**keywords.get("extra", {}), **unknown}
        made(self, *values, **keywords)

    cls.__init__ = init  # type: ignore[assignment, method-assign]  # the same, with more keywords
    return cls


def _refuse_near_miss(name: str, error: type[Exception]) -> None:
    meant = meant_by(name, FIELDS)
    if meant:
        raise error(
            f"RobertaConfig has no field {shown(name)}: did you mean {meant!r}? (a key of your own "
            "with such a name can stand in extra)"
        )


@_keeps_unknown_keywords
@dataclass(repr=False)
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
        The number of classes, 2 by default. Assigning another number renames the classes; at most
        1,000,000 are named so.
    architectures : list of str, optional
    dtype : str, optional
        The dtype of the weights that were saved with this configuration.
    model_type : str
        ``"roberta"``, or one of its other names, ``"xlm-roberta"`` and ``"camembert"``.
    extra : dict
        Keys of a ``config.json`` that this package does not know. They are written back, and can
        be read and set as attributes. Lists and dictionaries stand at most 100 deep in each other.
    **unknown
        More of ``extra``, unless the name is nearly that of a field.

    Raises
    ------
    ValueError
        Naming the field, its value and the rule that it breaks.
    TypeError
        If a keyword is nearly the name of a field: a misspelled one would silently leave the
        default in force.

    Notes
    -----
    Source: Liu et al. 2019 (arXiv:1907.11692), section 3 and appendix table 9.

    >>> config = RobertaConfig(hidden_size=64, num_attention_heads=4)
    >>> config.hidden_size // config.num_attention_heads
    16
    >>> RobertaConfig(hidden_size=18, num_attention_heads=4)
    Traceback (most recent call last):
    ValueError: hidden_size is 18, but must be a multiple of num_attention_heads, which is 4
    >>> RobertaConfig(hiden_size=64)
    Traceback (most recent call last):
    TypeError: RobertaConfig has no field 'hiden_size': did you mean 'hidden_size'? (a key of your
    own with such a name can stand in extra)
    """

    #: Other names of fields: none, as in transformers' class.
    attribute_map: ClassVar[dict[str, str]] = {}

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
    model_type: str = "roberta"
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._take_labels(settled_labels(self.num_labels, self.id2label, self.label2id))
        self.validate()

    def __setattr__(self, name: str, value: Any) -> None:
        name = ALIASES.get(name, name)
        if isinstance(value, Real) and not isinstance(value, bool | int | float):
            value = int(value) if isinstance(value, Integral) else float(value)  # NumPy's numbers
        if name in RULES:
            value = dtype_text(value) if name == "dtype" else value
            super().__setattr__(name, check(name, value, RULES[name]))
            if name == "extra":
                check_kept(value)
            if name in LABEL_FIELDS and "extra" in self.__dict__:  # the constructor is done
                self._take_labels(relabelled(ClassNames(self.id2label or {}), name, value))
        elif hasattr(type(self), name):
            super().__setattr__(name, value)
        else:
            _refuse_near_miss(name, AttributeError)
            check_kept({name: value})
            self.extra[name] = value

    def __getattr__(self, name: str) -> Any:
        own = ALIASES.get(name, name)
        if name == "num_labels" and "id2label" in self.__dict__:
            return len(self.id2label or {})
        for known in (self.__dict__, self.__dict__.get("extra", {}), INHERITED):
            if own in known:
                return known[own]
        if name == "push_to_hub":
            raise AttributeError("push_to_hub" + _NO_UPLOAD)
        raise AttributeError(f"RobertaConfig has no field {shown(name)}")

    def __repr__(self) -> str:
        values = self.to_diff_dict()
        try:
            text = json_text(values, indent=2, sort_keys=True, default=repr)
        except TypeError:  # keys of a dictionary in extra that JSON does not have
            text = repr(values)
        return f"RobertaConfig {text}\n"

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

    @property
    def use_return_dict(self) -> bool:
        """Whether models return outputs with names: ``return_dict``, but for ``torchscript``."""
        return self.return_dict and not self.torchscript

    def _take_labels(self, labels: Labels) -> None:
        self.__dict__.update(labels._asdict())
        self.__dict__.pop("num_labels", None)  # which __getattr__ counts

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
        names, ids = dict(self.id2label or {}), self.label2id or {}
        if not agrees(ids, names):  # a name was exchanged in place
            ids = {label: index for index, label in names.items()}
        return copy.deepcopy({**self.extra, **values, "id2label": names, "label2id": ids})

    def to_diff_dict(self) -> dict[str, Any]:
        """Give what ``config.json`` holds, as plain data.

        Returns
        -------
        dict
            The model's own fields are always there, the inherited ones only where they differ from
            their default.
        """
        default = RobertaConfig().to_dict()
        return {
            name: value
            for name, value in self.to_dict().items()
            if name in _ALWAYS_WRITTEN or name not in default or value != default[name]
        }

    def update(self, config_dict: Mapping[str, Any]) -> None:
        """Set several attributes: all of them, or none if they do not go together.

        Parameters
        ----------
        config_dict : dict

        Raises
        ------
        ValueError
            If a field breaks its rule, or the fields do not go together.
        AttributeError
            If a name is nearly that of a field.
        """
        changed = copy.deepcopy(self)
        for name, value in config_dict.items():
            setattr(changed, name, value)
        changed.validate()
        self.__dict__.update(changed.__dict__)

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **overrides: Any) -> RobertaConfig:
        """Build a configuration from the contents of a ``config.json``.

        Parameters
        ----------
        config_dict : dict
            Unknown keys are kept in ``extra``. A value that is None where a field has a default
            means the default; numbers may be floats without a fraction, or in strings.
        **overrides
            Fields that replace those of ``config_dict``. With ``return_unused_kwargs=True``, those
            that are none are returned.

        Returns
        -------
        RobertaConfig
            Or with ``return_unused_kwargs=True`` a tuple: that, and the overrides that are no
            fields, as a dictionary (and ``dtype``, as in transformers).

        Raises
        ------
        ValueError
            If a field breaks its rule, or overrides disagree about the labels.
        TypeError
            If an override is no field, neither of this class nor of ``config_dict``.

        >>> RobertaConfig.from_dict({"vocab_size": 99, "adapter": "x"}).adapter
        'x'
        """
        check_kept(check("config_dict", config_dict, _CONFIG_DICT, TypeError))
        returns_unused = overrides.pop("return_unused_kwargs", False)
        settle(overrides, OF_CONFIGS)
        unused = {n: v for n, v in overrides.items() if n not in _known(config_dict)}
        if unused and not returns_unused:
            _refuse_overrides(unused)
        known = {n: v for n, v in overrides.items() if n not in unused}
        values = merged_fields(config_dict, known)
        own = {name: values.pop(name) for name in FIELDS if name in values}
        config = cls(**own, extra=values)
        if not returns_unused:
            return config
        if "dtype" in overrides:
            unused["dtype"] = overrides["dtype"]
        return cast(RobertaConfig, (config, unused))  # typed as what it nearly always gives

    @classmethod
    def from_json_file(cls, path: str | os.PathLike[str], **overrides: Any) -> RobertaConfig:
        """Read a configuration from a JSON file; see `from_dict` for the overrides."""
        return cls._of_file(Path(path), read_json(path), overrides)

    @classmethod
    def _of_file(
        cls, path: Path, values: Mapping[str, Any], overrides: Mapping[str, Any]
    ) -> RobertaConfig:
        """Build a configuration so that its errors name the file where this has what is wrong."""
        with naming(path, given=overrides.keys()):
            return cls.from_dict(values, **overrides)

    @classmethod
    def get_config_dict(
        cls, pretrained_model_name_or_path: ModelName, **overrides: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read a ``config.json`` as it stands; see `from_pretrained` for the arguments.

        Returns
        -------
        tuple of dict
            What the file says, and the overrides without the options of the hub.
        """
        _, values, overrides = cls._read(pretrained_model_name_or_path, overrides)
        return values, overrides

    @staticmethod
    def _read(
        name: ModelName, overrides: dict[str, Any]
    ) -> tuple[Path, dict[str, Any], dict[str, Any]]:
        """Read the file of a model, or the one that is named itself; see `get_config_dict`."""
        settle(overrides, OF_CONFIGS)
        if isinstance(name, str | os.PathLike) and os.path.isfile(name):
            return Path(name), read_json(name), overrides
        files = ModelFiles.of(name, overrides)

        def read() -> tuple[Path, dict[str, Any]]:
            path = files.require("config.json") / "config.json"
            return path, read_json(path)

        return *files.together(r"config\.json", read), overrides

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: ModelName, **overrides: Any
    ) -> RobertaConfig:
        """Read the ``config.json`` of a model directory, or of a model on the hub.

        Parameters
        ----------
        pretrained_model_name_or_path : str or path
            Or the name of a model on the Hugging Face hub, or the path of a JSON file.
        **overrides
            Fields that replace those of the file, and the options of `minirobert.files.HubOptions`;
            see `from_dict`.

        Returns
        -------
        RobertaConfig

        Raises
        ------
        FileNotFoundError
            If the directory, or the file in it, does not exist, or the hub does not give it.
        ValueError
            If the file is no JSON object, a field breaks its rule, or ``num_labels``, ``id2label``
            and ``label2id`` do not fit each other.
        """
        path, values, overrides = cls._read(pretrained_model_name_or_path, overrides)
        return cls._of_file(path, values, overrides)

    def to_json_string(self, use_diff: bool = True) -> str:
        """Write the configuration as transformers writes ``config.json``, its keys sorted.

        Parameters
        ----------
        use_diff : bool
            Leave out what `to_diff_dict` leaves out.

        Raises
        ------
        ValueError
            If a value is none that JSON can hold.
        """
        if callable(self.hidden_act):
            raise ValueError(
                "hidden_act is a function, which config.json cannot hold: "
                f"set it to one of {', '.join(ACTIVATION_NAMES)} before saving"
            )
        return settings_text(self.to_diff_dict() if use_diff else self.to_dict(), "config.json")

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write the configuration into a file; see `to_json_string`."""
        write_text(Path(json_file_path), self.to_json_string(use_diff))

    def save_pretrained(self, save_directory: str | os.PathLike[str], **options: Any) -> None:
        """Write ``config.json`` into a directory, which is made where it does not exist.

        Parameters
        ----------
        save_directory : str or path
        **options
            Of transformers' other arguments, `minirobert.keywords.OF_SAVING` says what they come
            to.

        Raises
        ------
        ValueError
            If a value is none that JSON can hold, or an option asks for what is not here.
        TypeError
            If there is no such option.
        """
        settle_all(options, OF_SAVING, "save_pretrained")
        text = self.to_json_string()
        write_text(new_directory(save_directory) / "config.json", text)


del RobertaConfig.num_labels  # its default: where it is asked for, __getattr__ counts the names


_NO_UPLOAD = ": nothing is uploaded from here, but hf upload NAME DIRECTORY does it"


def check_kept(values: Mapping[str, Any]) -> None:
    """Refuse what could not be saved again, nor copied, compared or printed."""
    for name, value in values.items():
        if why := not_to_be_kept(value):
            raise ValueError(f"{plain(name)} {why}, so that it could not be saved: make it smaller")


def _known(config_dict: Mapping[str, Any]) -> set[str]:
    """Name what can be overridden: all that a configuration of these values has."""
    return {*FIELDS, *INHERITED, *OF_GENERATION, *ALIASES, *config_dict}


def _refuse_overrides(unknown: Mapping[str, Any]) -> None:
    for name in unknown:
        _refuse_near_miss(name, TypeError)
        raise TypeError(
            f"RobertaConfig has no field {shown(name)} to override; put a key of your own into the "
            "dictionary or file itself"
        )


_CONFIG_DICT = dictionary_of(STRING, ANYTHING, "a dictionary with strings for keys")
# The fields of transformers' own RobertaConfig, which its files always have.
_NAMES = [one.name for one in fields(RobertaConfig)]
_ALWAYS_WRITTEN = {*_NAMES[: _NAMES.index("classifier_dropout") + 1], "model_type"}
