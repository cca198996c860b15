"""Classes that choose: what ``config.json`` says a directory or a model of the hub holds.

Each has ``from_pretrained``, and all but `AutoTokenizer` and `AutoConfig` have ``from_config``;
what they give is a model of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from ..config import RobertaConfig
from ..config_fields import MODEL_TYPES
from ..files import MODEL_FILES, TINY, ModelFiles, ModelName, read_json
from ..keywords import OF_MODELS, OF_TOKENIZERS, settle
from ..rules import STRING, check, one_of, optional
from ..sentences import shown
from ..tokenization import RobertaTokenizer
from ..tokenization.files.classes import tokenizer_class_of
from ..tokenization.files.directories import TOKENIZER_FILES
from .base import RobertaModel
from .classifiers import (
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)
from .language_models import RobertaForCausalLM, RobertaForMaskedLM
from .pretrained import RobertaPreTrainedModel

__all__ = [
    "AutoConfig",
    "AutoModel",
    "AutoModelForCausalLM",
    "AutoModelForMaskedLM",
    "AutoModelForMultipleChoice",
    "AutoModelForQuestionAnswering",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoTokenizer",
]

Model = TypeVar("Model", bound=RobertaPreTrainedModel)

_CONFIG_FILE, _TOKENIZER_CONFIG_FILE = "config.json", "tokenizer_config.json"


class _Chooser:
    """A class with nothing but class methods."""

    def __init__(self, *args: Any, **kwargs: Any):
        raise TypeError(
            f"{type(self).__name__} only chooses among classes: make an object with "
            f"{type(self).__name__}.from_pretrained"
        )


class AutoConfig(_Chooser):
    """The configuration of whatever model a directory, or the hub, holds."""

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: ModelName, **overrides: Any
    ) -> RobertaConfig:
        """Read a configuration; unlike that of `RobertaConfig`, only of a RoBERTa.

        Parameters
        ----------
        pretrained_model_name_or_path : str or path
            Or the name of a model on the Hugging Face hub.
        **overrides
            See `RobertaConfig.from_pretrained`.

        Returns
        -------
        RobertaConfig
            Or a tuple: see `RobertaConfig.from_dict`.

        Raises
        ------
        FileNotFoundError
            If there is no such directory or model, or it has no ``config.json``.
        ValueError
            If its ``model_type`` is missing or not one of a RoBERTa, or the file is broken.
        """
        name = pretrained_model_name_or_path
        path, values, overrides = RobertaConfig._read(name, overrides)
        _check_model_type(getattr(name, "name", name), values)
        return RobertaConfig._of_file(path, values, overrides)

    @classmethod
    def for_model(cls, model_type: str, **fields: Any) -> RobertaConfig:
        """Make a configuration of a kind of model.

        Parameters
        ----------
        model_type : str
            ``"roberta"``, or another of its names.
        **fields
            See `RobertaConfig`.

        Returns
        -------
        RobertaConfig

        Raises
        ------
        ValueError
            If it is not one of a RoBERTa.

        >>> AutoConfig.for_model("roberta", num_labels=3).num_labels
        3
        """
        check("model_type", model_type, one_of(*MODEL_TYPES))
        return RobertaConfig.from_dict({"model_type": model_type, **fields})


class AutoTokenizer(_Chooser):
    """The tokenizer of whatever model a directory, or the hub, holds."""

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: ModelName = TINY, **overrides: Any
    ) -> RobertaTokenizer:
        """Load a tokenizer, if it is a byte-level BPE; with the special tokens of its class.

        The class counts where no file names the special tokens. It is ``tokenizer_class`` in
        ``tokenizer_config.json`` or ``config.json``, or else that of ``model_type`` in
        ``config.json``, or that of RoBERTa.

        Parameters
        ----------
        pretrained_model_name_or_path : str or path
            Or the name of a model on the Hugging Face hub; the bundled model by default.
        **overrides
            See `RobertaTokenizer.from_pretrained`. ``tokenizer_type`` is a type of model whose
            class to take, whatever the files say.

        Returns
        -------
        RobertaTokenizer

        Raises
        ------
        FileNotFoundError
            If there is no such directory or model, or no tokenizer in it.
        ValueError
            If the tokenizer is no byte-level BPE, or a file is broken.

        >>> AutoTokenizer.from_pretrained().tokenize(" world")
        ['Ġworld']
        """
        model_type = overrides.pop("tokenizer_type", None)
        settle(overrides, OF_TOKENIZERS)
        files = ModelFiles.of(pretrained_model_name_or_path, overrides)
        named = None if model_type is None else tokenizer_class_of(model_type)

        def read() -> RobertaTokenizer:
            kind = named or _tokenizer_class(files)
            return RobertaTokenizer.from_pretrained(files, tokenizer_class=kind, **overrides)

        return files.together(TOKENIZER_FILES, read)


def _tokenizer_class(files: ModelFiles) -> str:
    names = (_TOKENIZER_CONFIG_FILE, _CONFIG_FILE)
    paths = {name: files.directory / name for name in names if files.fetch(name)}
    found = {name: read_json(path, tell=False) for name, path in paths.items()}
    if not found:
        files.require(*names, "tokenizer.json", "vocab.json")  # where the hub does not answer
    for name, content in found.items():
        said = content.get("tokenizer_class")
        kind = check(f"{paths[name]}: tokenizer_class", said, optional(STRING))
        if kind is not None:
            return RobertaTokenizer.__name__ if kind == "RobertaTokenizerFast" else kind
    model_type = found.get(_CONFIG_FILE, {}).get("model_type")
    where = f"{paths.get(_CONFIG_FILE)}: model_type"
    return tokenizer_class_of(check(where, model_type, optional(STRING)) or "roberta")


def _check_model_type(name: Any, content: Mapping[str, Any]) -> None:
    kind = content.get("model_type")
    known = ", ".join(map(repr, MODEL_TYPES))
    if kind is None:
        raise ValueError(
            f"config.json of {shown(name)} does not say its model_type (here are {known}): add it, "
            "or use the class itself, such as RobertaModel.from_pretrained"
        )
    if kind not in MODEL_TYPES:
        raise ValueError(
            f"config.json of {shown(name)} says that model_type is {shown(kind)}, but here are "
            f"only {known}, one architecture under three names"
        )


class AutoModelBase(_Chooser, Generic[Model]):
    """The base of the classes that choose a model: ``class …(AutoModelBase[…], model=…)``."""

    _model_class: ClassVar[Any]  # type[Model], which a ClassVar cannot say

    def __init_subclass__(cls, model: type[RobertaPreTrainedModel]) -> None:
        super().__init_subclass__()
        cls._model_class = model

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: ModelName = TINY, **options: Any
    ) -> Model:
        """Read a model from a directory or the Hugging Face hub, if it is a RoBERTa.

        Parameters
        ----------
        pretrained_model_name_or_path : str or path
            Or the name of a model on the hub; the bundled model by default.
        **options
            See `RobertaPreTrainedModel.from_pretrained`.

        Returns
        -------
        RobertaPreTrainedModel
            Of the class for the task.

        Raises
        ------
        FileNotFoundError
            If there is no such directory or model, or a file of it is missing.
        ValueError
            If ``model_type`` in ``config.json`` is missing or not one of a RoBERTa, a file is
            broken, or the weights do not fit the configuration.
        """
        settle(options, OF_MODELS)
        files = ModelFiles.of(pretrained_model_name_or_path, options)

        def read() -> Model:
            files.require(_CONFIG_FILE)
            _check_model_type(files.name, read_json(files.directory / _CONFIG_FILE, tell=False))
            model: Model = cls._model_class.from_pretrained(files, **options)
            return model

        return files.together(MODEL_FILES, read)

    @classmethod
    def from_config(cls, config: RobertaConfig, *, seed: int = 0, **options: Any) -> Model:
        """Make a model with newly drawn weights.

        Parameters
        ----------
        config : RobertaConfig
        seed : int
            Of the weights.
        **options
            Of the class, such as ``add_pooling_layer``; and ``dtype``, by default that of the
            configuration or else float32, ``device``, and others that `from_pretrained` takes.

        Returns
        -------
        RobertaPreTrainedModel
            Of the class for the task.

        Raises
        ------
        TypeError
            If the configuration is none of this package.
        """
        model: Model = cls._model_class._from_config(config, seed=seed, **options)
        return model


class AutoModel(AutoModelBase[RobertaModel], model=RobertaModel):
    """The encoder, without a head: see `RobertaModel`."""


class AutoModelForMaskedLM(AutoModelBase[RobertaForMaskedLM], model=RobertaForMaskedLM):
    """The model that tells the word behind a ``<mask>``: see `RobertaForMaskedLM`."""


class AutoModelForCausalLM(AutoModelBase[RobertaForCausalLM], model=RobertaForCausalLM):
    """The model that tells the next word: see `RobertaForCausalLM`."""


class AutoModelForSequenceClassification(
    AutoModelBase[RobertaForSequenceClassification], model=RobertaForSequenceClassification
):
    """The classifier of whole texts: see `RobertaForSequenceClassification`."""


class AutoModelForTokenClassification(
    AutoModelBase[RobertaForTokenClassification], model=RobertaForTokenClassification
):
    """The classifier of tokens: see `RobertaForTokenClassification`."""


class AutoModelForQuestionAnswering(
    AutoModelBase[RobertaForQuestionAnswering], model=RobertaForQuestionAnswering
):
    """The model that finds answers in a text: see `RobertaForQuestionAnswering`."""


class AutoModelForMultipleChoice(
    AutoModelBase[RobertaForMultipleChoice], model=RobertaForMultipleChoice
):
    """The model that chooses among texts: see `RobertaForMultipleChoice`."""
