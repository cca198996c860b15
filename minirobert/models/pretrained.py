"""What all models share: configuration and parameters, loading and saving, the encoder's run."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, fields
from math import prod
from typing import Any, ClassVar, TypeVar

from ..arrays import (
    Array,
    Shape,
    array_namespace,
    astype,
    device_of,
    dtype_name,
    float_dtype,
    to_device,
)
from ..checkpoints.pruning import all_pruned, prune
from ..checkpoints.reading import fetch_weights, load_parameters
from ..checkpoints.resizing import padded_count, resize_tokens
from ..checkpoints.writing import save_model
from ..checks import check_shape, place
from ..config import RobertaConfig
from ..documentation import documented
from ..encoder import EncoderOutput, Inputs, roberta
from ..files import TINY, ModelFiles, ModelName
from ..observe import scope
from ..parameters import (
    ParameterTree,
    build_tree,
    check_shapes,
    flatten,
    initialise,
    map_tree,
    parameter_shapes,
)
from .arguments import SHARED, Arguments, Wanted
from .inputs import check_inputs

__all__ = ["RobertaPreTrainedModel"]

Model = TypeVar("Model", bound="RobertaPreTrainedModel")


@dataclass(frozen=True, repr=False, eq=False)
class RobertaPreTrainedModel:
    """What every model has: a configuration, parameters, and ways to load, save and move them.

    The weights never change: what changes a model returns a new one. `to` and `astype` keep the
    configuration; `resize_token_embeddings` and `prune_heads` give the new model one of its own.

    Parameters
    ----------
    config : RobertaConfig
    params : ParameterTree, optional
        The tree of weights; drawn from ``seed`` where it is not given.
    seed : int
        Of newly drawn weights.

    Raises
    ------
    ValueError
        If the parameters do not fit the configuration, or the configuration asks for something
        that is not here.
    """

    config: RobertaConfig
    params: ParameterTree = None  # type: ignore[assignment]  # never None once it is made
    seed: InitVar[int] = 0

    #: What the names of the encoder's intermediate tensors begin with.
    _prefix: ClassVar[str] = ""

    def __post_init__(self, seed: int) -> None:
        self._check_config(self.config)
        shapes = self.parameter_shapes()
        if self.params is None:
            flat = initialise(shapes, self.config, seed)
            object.__setattr__(self, "params", build_tree(flat))
        found = {name: tuple(array.shape) for name, array in flatten(self.params).items()}
        check_shapes(shapes, found, "given")

    def parameter_shapes(self) -> dict[str, Shape]:
        """Give the name and shape of every tensor of the model."""
        return self._shapes(self.config, **{name: getattr(self, name) for name in self._options()})

    @classmethod
    def _shapes(cls, config: RobertaConfig, **options: Any) -> dict[str, Shape]:
        """List the tensors of a model of this class with these options."""
        return parameter_shapes(config, cls.__name__)  # an error, but for the classes that say more

    @classmethod
    def _view(cls: type[Model], **attributes: Any) -> Model:
        """Make a model of what is known to fit, without checking it again."""
        model = object.__new__(cls)
        vars(model).update(attributes)
        return model

    def _with(self: Model, **changes: Any) -> Model:
        """Copy the model with other parameters, and perhaps their configuration."""
        return self._view(**{**vars(self), **changes})

    @property
    def word_embeddings(self) -> Array:
        """The word embedding table, of shape [V, H]."""
        table: Array = self._body.embeddings.word_embeddings.weight
        return table

    @property
    def _body(self) -> ParameterTree:
        """The encoder's weights, which a model with a head has under ``roberta``."""
        body: ParameterTree = self.params.roberta if "roberta" in self.params else self.params
        return body

    @property
    def device(self) -> Any:
        """The device that the weights are on."""
        return device_of(self.word_embeddings)

    @property
    def dtype(self) -> str:
        """The name of the weights' dtype."""
        return dtype_name(self.word_embeddings)

    def num_parameters(self) -> int:
        """Count the numbers that the model has learned."""
        return sum(prod(shape) for shape in self.parameter_shapes().values())

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.num_parameters():,} parameters, {self.dtype}, "
            f"device {self.device})"
        )

    def to(self: Model, device: Any = "cpu", xp: Any = None) -> Model:
        """Put the weights on a device.

        Parameters
        ----------
        device : str or device object
            ``"cpu"`` (NumPy), ``"cuda"`` or ``"cuda:N"`` (CuPy), or with ``xp`` a device of that
            library.
        xp : array namespace, optional
            Another library that follows the array API standard.

        Returns
        -------
        RobertaPreTrainedModel
            A new model of the same class; see `minirobert.to_device` for the errors.
        """
        return self._with(params=map_tree(lambda array: to_device(array, device, xp), self.params))

    def astype(self: Model, dtype: Any) -> Model:
        """Convert the weights to ``"float16"``, ``"float32"`` or ``"float64"``.

        Returns
        -------
        RobertaPreTrainedModel
            A new model of the same class.

        Raises
        ------
        ValueError
            If the array library has no such dtype.
        """
        target = float_dtype(array_namespace(self.word_embeddings), dtype)
        return self._with(params=map_tree(lambda array: astype(array, target), self.params))

    @classmethod
    def from_pretrained(
        cls: type[Model],
        pretrained_model_name_or_path: ModelName = TINY,
        *,
        config: RobertaConfig | None = None,
        dtype: Any = "float32",
        device: Any = "cpu",
        seed: int = 0,
        strict: bool = False,
        ignore_mismatched_sizes: bool = False,
        **overrides: Any,
    ) -> Model:
        """Read a model in transformers' format, from a directory or the Hugging Face hub.

        Parameters
        ----------
        pretrained_model_name_or_path : str or path
            With ``config.json`` and ``model.safetensors`` (or its shards), or the name of a model
            on the hub; the bundled model by default.
        config : RobertaConfig, optional
            In place of the one that comes with the weights.
        dtype : str or NumPy dtype
            Of the weights in memory, whatever the file holds: ``"float16"``, ``"float32"``,
            ``"float64"``, or ``"auto"`` for that of the file. None is the default.
        device : str or device object
            See `to`.
        seed : int
            A head of which the file has nothing is initialised from it, with a warning.
        strict : bool
            Make a missing head an error.
        ignore_mismatched_sizes : bool
            Initialise tensors of which the file has another shape, with a warning: for instance
            the classifier where ``num_labels`` is another.
        **overrides
            Options of the class (``add_pooling_layer``) and of the hub (``revision``, …: see
            `minirobert.files.HubOptions`), and fields of the configuration (``num_labels``,
            ``id2label``, …).

        Returns
        -------
        RobertaPreTrainedModel

        Raises
        ------
        FileNotFoundError
            If the directory or a file in it is missing, or the hub does not give it.
        ValueError
            If a file is broken, the weights do not fit the configuration, or overrides disagree.
        TypeError
            If the configuration is none of this package.

        >>> import minirobert
        >>> minirobert.RobertaForMaskedLM.from_pretrained()
        RobertaForMaskedLM(5,364,736 parameters, float32, device cpu)
        """
        files = ModelFiles.of(pretrained_model_name_or_path, overrides)
        options = {name: overrides.pop(name) for name in cls._options() if name in overrides}
        if config is None:
            config = RobertaConfig.from_pretrained(files, **overrides)
        elif overrides:
            config = RobertaConfig.from_dict(_checked_kind(config).to_dict(), **overrides)
        cls._check_config(config)
        flat = load_parameters(
            fetch_weights(files),
            cls._shapes(config, **options),
            config,
            dtype=dtype or "float32",
            seed=seed,
            strict=strict,
            ignore_mismatched_sizes=ignore_mismatched_sizes,
        )
        placed = {name: to_device(array, device) for name, array in flat.items()}
        return cls(config, build_tree(placed), **options)

    @classmethod
    def _options(cls) -> tuple[str, ...]:
        """Name the fields of a class beyond those that every model has."""
        return tuple(one.name for one in fields(cls) if one.name not in ("config", "params"))

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], *, max_shard_size: int | str = "5GB"
    ) -> None:
        """Write ``config.json`` and the weights, as transformers reads them.

        A failure leaves the model that was in the directory before; see
        `minirobert.checkpoints.writing`.

        Parameters
        ----------
        save_directory : str or path
            Made where it does not exist.
        max_shard_size : int or str
            In bytes, or with a unit such as ``"200MB"``: weights above it are divided among
            several files with an index.

        Raises
        ------
        ValueError
            If the size is none, or ``hidden_act`` is a function, which no file can hold.
        """
        config = copy.deepcopy(self.config)
        config.architectures, config.dtype = [type(self).__name__], self.dtype
        save_model(save_directory, config, flatten(self.params), max_shard_size)

    def get_input_embeddings(self) -> Array:
        """Give the word embedding table, of shape [V, H]."""
        return self.word_embeddings

    def get_output_embeddings(self) -> Array | None:
        """Give the table that scores words, of shape [V, H], or None for a model without one.

        Unless ``config.tie_word_embeddings`` is False, it is the word embedding table.
        """
        if "lm_head" not in self.params:
            return None
        if self.config.tie_word_embeddings:
            return self.word_embeddings
        decoder: Array = self.params.lm_head.decoder.weight
        return decoder

    def set_input_embeddings(self: Model, value: Any) -> Model:
        """Exchange the word embedding table, and with it a decoder that is tied to it.

        Parameters
        ----------
        value : floats of shape [V, H]
            On the model's device. They are converted to the model's dtype.

        Returns
        -------
        RobertaPreTrainedModel
            A new model (transformers changes the model in place).

        Raises
        ------
        ValueError
            If the shape is another: `resize_token_embeddings` changes the number of tokens.
        """
        old = self.word_embeddings
        table = place("value", value, old)
        check_shape("value", table, tuple(old.shape))
        flat = {
            name: astype(table, old.dtype) if array is old else array
            for name, array in flatten(self.params).items()
        }
        return self._with(params=build_tree(flat))

    def resize_token_embeddings(
        self: Model,
        new_num_tokens: int | None = None,
        pad_to_multiple_of: int | None = None,
        mean_resizing: bool = True,
        *,
        seed: int = 0,
    ) -> Model:
        """Give the model another number of tokens.

        The first tokens keep their embeddings and logits; others are cut off, or drawn anew.

        Parameters
        ----------
        new_num_tokens : int, optional
            That of now where it is not given.
        pad_to_multiple_of : int, optional
            Round the number up to a multiple.
        mean_resizing : bool
            Draw new rows close to the mean of the old ones, see
            `minirobert.checkpoints.resizing.new_rows`. Otherwise around 0, with standard deviation
            ``config.initializer_range``.
        seed : int
            Of the new rows.

        Returns
        -------
        RobertaPreTrainedModel
            A new model, with a configuration of its own (transformers changes the model in place,
            and returns its embeddings).

        Raises
        ------
        ValueError
            If a number is not at least 1, or the padding token would be cut off.

        >>> import minirobert
        >>> model = minirobert.RobertaForMaskedLM.from_pretrained()
        >>> model.resize_token_embeddings(8200).config.vocab_size, model.config.vocab_size
        (8200, 8192)
        """
        config = copy.deepcopy(self.config)
        config.vocab_size = padded_count(new_num_tokens, config.vocab_size, pad_to_multiple_of)
        config.validate()
        flat = resize_tokens(
            flatten(self.params),
            config.vocab_size,
            config.initializer_range,
            mean_resizing=mean_resizing,
            seed=seed,
        )
        return self._with(config=config, params=build_tree(flat))

    def prune_heads(self: Model, heads_to_prune: Mapping[int, Iterable[int]]) -> Model:
        """Take attention heads out of the model, as if ``head_mask`` were 0 for them.

        Parameters
        ----------
        heads_to_prune : mapping of int to iterable of int
            For a layer, its heads, both counted from 0. Numbers count the original heads, also
            where some have been pruned before; to prune a head again changes nothing.

        Returns
        -------
        RobertaPreTrainedModel
            A new model, with a configuration of its own that lists ``pruned_heads`` (transformers
            changes the model in place).

        Raises
        ------
        ValueError
            If a layer or head does not exist, or a layer would have no head left.
        TypeError
            If it is no mapping from integers to lists.

        >>> import minirobert
        >>> model = minirobert.RobertaForMaskedLM.from_pretrained().prune_heads({0: [1, 3]})
        >>> model.params.roberta.encoder.layer[0].attention.self.query.weight.shape
        (128, 256)
        """
        config = copy.deepcopy(self.config)
        config.pruned_heads = all_pruned(config, heads_to_prune)
        config.validate()
        flat = prune(flatten(self.params), self.config, config)
        return self._with(config=config, params=build_tree(flat))

    @classmethod
    def _check_config(cls, config: RobertaConfig) -> None:
        """Refuse a configuration that asks for what the class cannot compute."""
        _checked_kind(config).validate()

    def _choice(self, name: str, asked: bool | None) -> bool:
        """Decide on what to return: as the call says, or else the configuration."""
        return bool(getattr(self.config, name)) if asked is None else asked

    def _use_cache(self, asked: bool | None) -> bool:
        """Decide on a cache, which only a decoder makes."""
        return self.config.is_decoder and self._choice("use_cache", asked)

    @documented(SHARED)
    def hidden_states(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
    ) -> Array:
        """Compute the last hidden states of a batch of texts, without a head.

        Returns
        -------
        Array of shape [B, S, H]

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.

        >>> import minirobert
        >>> model = minirobert.RobertaForMaskedLM.from_pretrained()
        >>> model.hidden_states([[0, 100, 200, 2]]).shape
        (1, 4, 256)
        """
        arguments = Arguments(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        inputs, _ = check_inputs(self.config, self.word_embeddings, arguments)
        return self._encode(inputs, Wanted(False, False)).last_hidden_state

    def _encode(self, inputs: Inputs, wanted: Wanted, rng: Any = None) -> EncoderOutput:
        """Run the encoder under the names that its tensors have in this model."""
        inputs = inputs.observed()
        with scope(self._prefix):
            return roberta(
                self._body,
                inputs,
                self.config,
                rng,
                output_hidden_states=self._choice(
                    "output_hidden_states", wanted.output_hidden_states
                ),
                output_attentions=self._choice("output_attentions", wanted.output_attentions),
            )


def _checked_kind(config: Any) -> RobertaConfig:
    if not isinstance(config, RobertaConfig):
        raise TypeError(
            f"config is a {type(config).__name__}, but must be a RobertaConfig of this package: "
            "RobertaConfig.from_pretrained reads that of a directory, RobertaConfig.from_dict a "
            "dictionary"
        )
    return config
