"""What all models share: configuration and parameters, loading and saving, the encoder's run."""

from __future__ import annotations

import os
from dataclasses import InitVar, dataclass, replace
from math import prod
from typing import Any, TypeVar

from .arrays import (
    Array,
    Shape,
    array_namespace,
    astype,
    device_of,
    dtype_name,
    float_dtype,
    to_device,
)
from .checkpoint import load_parameters, save_parameters
from .config import RobertaConfig
from .embeddings import embed
from .encoder import EncoderOutput, encoder
from .files import TINY
from .functional import embedding
from .inputs import Inputs, check_inputs
from .outputs import ModelOutput
from .parameters import (
    ParameterTree,
    build_tree,
    check_shapes,
    flatten,
    initialise,
    map_tree,
    parameter_shapes,
)

__all__ = ["RobertaPreTrainedModel"]

Model = TypeVar("Model", bound="RobertaPreTrainedModel")
Output = TypeVar("Output", bound=ModelOutput)


@dataclass(frozen=True, repr=False, eq=False)
class RobertaPreTrainedModel:
    """What every model has: a configuration, parameters, and ways to load, save and move them.

    The weights never change: `to` and `astype` return a new model, with the same configuration.

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

    def __post_init__(self, seed: int) -> None:
        self.config.validate()
        self._check_config(self.config)
        shapes = self.parameter_shapes()
        if self.params is None:
            flat = initialise(shapes, self.config, seed)
            object.__setattr__(self, "params", build_tree(flat))
        found = {name: tuple(array.shape) for name, array in flatten(self.params).items()}
        check_shapes(shapes, found, "given")

    def parameter_shapes(self) -> dict[str, Shape]:
        """Give the name and shape of every tensor of the model."""
        return parameter_shapes(self.config, type(self).__name__)

    @property
    def word_embeddings(self) -> Array:
        """The word embedding table, of shape [V, H]."""
        return self._body.embeddings.word_embeddings.weight

    @property
    def _body(self) -> Any:
        """The encoder's weights, which a model with a head has under ``roberta``."""
        return self.params.roberta if "roberta" in self.params else self.params

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
        return replace(
            self, params=map_tree(lambda array: to_device(array, device, xp), self.params)
        )

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
        return replace(self, params=map_tree(lambda array: astype(array, target), self.params))

    @classmethod
    def from_pretrained(
        cls: type[Model],
        directory: str | os.PathLike[str] = TINY,
        *,
        dtype: Any = "float32",
        device: Any = "cpu",
        seed: int = 0,
        strict: bool = False,
        **overrides: Any,
    ) -> Model:
        """Read a model from a directory in transformers' format.

        Parameters
        ----------
        directory : str or path
            With ``config.json`` and ``model.safetensors`` (or its shards); the bundled model by
            default.
        dtype : str or NumPy dtype
            Of the weights in memory, whatever the file holds: ``"float16"``, ``"float32"``,
            ``"float64"``, or ``"auto"`` for that of the file. None is the default.
        device : str or device object
            See `to`.
        seed : int
            A head of which the file has nothing is initialised from it, with a warning.
        strict : bool
            Make a missing head an error.
        **overrides
            Options of the class (``add_pooling_layer``) and fields of the configuration.

        Returns
        -------
        RobertaPreTrainedModel

        Raises
        ------
        FileNotFoundError
            If the directory or a file in it is missing.
        ValueError
            If a file is broken, or the weights do not fit the configuration.

        >>> import minirobert
        >>> minirobert.RobertaForMaskedLM.from_pretrained()
        RobertaForMaskedLM(5,364,736 parameters, float32, device cpu)
        """
        options = {name: overrides.pop(name) for name in cls._options() if name in overrides}
        config = RobertaConfig.from_pretrained(directory, **overrides)
        cls._check_config(config)
        shapes = parameter_shapes(config, cls.__name__, **options)
        flat = load_parameters(
            directory, shapes, config, dtype=dtype or "float32", seed=seed, strict=strict
        )
        return cls(config, build_tree(flat), **options).to(device)

    @classmethod
    def _options(cls) -> tuple[str, ...]:
        """Name the fields of a class beyond those that every model has."""
        return tuple(
            name for name in cls.__dataclass_fields__ if name not in ("config", "params", "seed")
        )

    def save_pretrained(self, directory: str | os.PathLike[str]) -> None:
        """Write ``config.json`` and ``model.safetensors``, as transformers reads them.

        Parameters
        ----------
        directory : str or path
            Made where it does not exist.
        """
        config = RobertaConfig.from_dict(
            self.config.to_dict(), architectures=[type(self).__name__], dtype=self.dtype
        )
        config.save_pretrained(directory)
        save_parameters(directory, flatten(self.params))

    @classmethod
    def _check_config(cls, config: RobertaConfig) -> None:
        """Refuse a configuration that asks for what the class cannot compute."""
        if config.pruned_heads:
            raise ValueError(
                f"pruned_heads is {config.pruned_heads!r}, but this version of minirobert computes "
                "only {}"
            )

    def _choice(self, name: str, asked: bool | None) -> bool:
        """Decide on what to return: as the call says, or else the configuration."""
        return bool(getattr(self.config, name)) if asked is None else asked

    def _inputs(
        self,
        input_ids: Any,
        attention_mask: Any,
        token_type_ids: Any,
        position_ids: Any,
        head_mask: Any,
        inputs_embeds: Any,
        **others: Any,
    ) -> Inputs:
        """Check the arguments of a call."""
        return check_inputs(
            self.config,
            self.word_embeddings,
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            **others,
        )

    def _use_cache(self, asked: bool | None) -> bool:
        """Decide on a cache, which only a decoder makes."""
        return self.config.is_decoder and self._choice("use_cache", asked)

    def _encode(
        self,
        inputs: Inputs,
        output_hidden_states: bool | None,
        output_attentions: bool | None,
        rng: Any,
    ) -> EncoderOutput:
        """Embed a batch, and run it through the layers."""
        params, config, cache = self._body, self.config, inputs.cache
        words = inputs.inputs_embeds
        if words is None:
            words = embedding(params.embeddings.word_embeddings.weight, inputs.input_ids)
        hidden = embed(
            params.embeddings, words, inputs.token_type_ids, inputs.position_ids, config, rng
        )  # [B, S, H]
        output = encoder(
            hidden,
            inputs.attend,
            params.encoder.layer if config.num_hidden_layers else (),
            config,
            inputs.head_mask,
            cross=inputs.cross,
            caches=None if cache is None else cache.open(config.num_hidden_layers),
            past=inputs.past,
            rng=rng,
            output_hidden_states=self._choice("output_hidden_states", output_hidden_states),
            output_attentions=self._choice("output_attentions", output_attentions),
        )
        if cache is not None:
            cache.advance(inputs.is_token)
        return output

    def _returned(self, output: Output, return_dict: bool | None, *more: Any) -> Output:
        """Give an output as it is, or as the tuple of what it holds and what only tuples have."""
        if self._choice("return_dict", return_dict):
            return output
        # Only return_dict=False gives a tuple; declaring it would blur the type of all other calls.
        more = tuple(extra for extra in more if extra is not None)
        return (*output.to_tuple(), *more)  # type: ignore[return-value]  # for this reason
