"""The models: a configuration, its parameters, and the forward pass."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
from .heads import lm_head, pooler
from .inputs import Inputs, check_inputs, check_labels
from .losses import cross_entropy
from .observe import observe, scope
from .outputs import BaseModelOutputWithPoolingAndCrossAttentions, MaskedLMOutput
from .parameters import (
    ParameterTree,
    build_tree,
    check_shapes,
    flatten,
    initialise,
    map_tree,
    parameter_shapes,
)

__all__ = ["RobertaForMaskedLM", "RobertaModel", "RobertaPreTrainedModel"]

Model = TypeVar("Model", bound="RobertaPreTrainedModel")


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
        _check_supported(self.config)
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
        base = self.params.roberta if "roberta" in self.params else self.params
        return base.embeddings.word_embeddings.weight

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

        >>> RobertaForMaskedLM.from_pretrained()
        RobertaForMaskedLM(5,364,736 parameters, float32, device cpu)
        """
        options = {name: overrides.pop(name) for name in cls._options() if name in overrides}
        config = RobertaConfig.from_pretrained(directory, **overrides)
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

    def _choice(self, name: str, asked: bool | None) -> bool:
        """Decide on what to return: as the call says, or else the configuration."""
        return bool(getattr(self.config, name)) if asked is None else asked

    def _encode(
        self,
        params: Any,
        inputs: Inputs,
        output_hidden_states: bool | None,
        output_attentions: bool | None,
    ) -> EncoderOutput:
        """Embed a batch, and run it through the layers."""
        words = inputs.inputs_embeds
        if words is None:
            words = embedding(params.embeddings.word_embeddings.weight, inputs.input_ids)
        eps = self.config.layer_norm_eps
        hidden = embed(
            params.embeddings, words, inputs.token_type_ids, inputs.position_ids, eps
        )  # [B, S, H]
        return encoder(
            hidden,
            inputs.attend,
            params.encoder.layer if self.config.num_hidden_layers else (),
            self.config,
            inputs.head_mask,
            output_hidden_states=self._choice("output_hidden_states", output_hidden_states),
            output_attentions=self._choice("output_attentions", output_attentions),
        )


def _check_supported(config: RobertaConfig) -> None:
    here: Mapping[str, Any] = {
        "is_decoder": False,
        "pruned_heads": {},
    }
    for name, value in here.items():
        if getattr(config, name) != value:
            raise ValueError(
                f"{name} is {getattr(config, name)!r}, but this version of minirobert computes "
                f"only {value!r}"
            )


@dataclass(frozen=True, repr=False, eq=False)
class RobertaModel(RobertaPreTrainedModel):
    """The encoder, without a head: hidden states for every token.

    Parameters
    ----------
    config : RobertaConfig
    params : ParameterTree, optional
        Drawn from ``seed`` where it is not given.
    seed : int
    add_pooling_layer : bool
        Whether the model has a pooler, which summarises a text by its first token.

    >>> model = RobertaModel.from_pretrained(add_pooling_layer=False)
    >>> model([[0, 100, 200, 2]]).last_hidden_state.shape
    (1, 4, 256)
    """

    add_pooling_layer: bool = True

    def parameter_shapes(self) -> dict[str, Shape]:
        """Give the name and shape of every tensor of the model."""
        return parameter_shapes(
            self.config, "RobertaModel", add_pooling_layer=self.add_pooling_layer
        )

    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        *,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Compute the hidden states of a batch of texts.

        Parameters
        ----------
        input_ids : integers of shape [B, S]
            Or nested lists of them.
        attention_mask : 0 and 1 of shape [B, S] or [B, S, S], optional
            1 where a token may be looked at. Without it, padding is looked at too.
        token_type_ids : integers of shape [B, S], optional
        position_ids : integers of shape [S] or [B, S], optional
            Counted from ``pad_token_id + 1`` by default, see `minirobert.embeddings`.
        head_mask : numbers of shape [N] or [L, N], optional
            A factor for the probabilities of each head.
        inputs_embeds : floats of shape [B, S, H], optional
            Word embeddings, in place of ``input_ids``.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.

        Returns
        -------
        BaseModelOutputWithPoolingAndCrossAttentions
            Or with ``return_dict=False`` a tuple: last hidden state, pooled output (None without
            a pooler), then the hidden states and the attentions where they were asked for.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others; see `minirobert.inputs`.
        """
        inputs = check_inputs(
            self.config,
            self.word_embeddings,
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
        )
        last, states, attentions = self._encode(
            self.params, inputs, output_hidden_states, output_attentions
        )
        pooled = pooler(last, self.params.pooler) if self.add_pooling_layer else None
        output = BaseModelOutputWithPoolingAndCrossAttentions(last, pooled, states, attentions)
        if self._choice("return_dict", return_dict):
            return output
        extras = (extra for extra in (states, attentions) if extra is not None)
        # Only return_dict=False gives a tuple; declaring it would blur the type of all other calls.
        return (last, pooled, *extras)  # type: ignore[return-value]


@dataclass(frozen=True, repr=False, eq=False)
class RobertaForMaskedLM(RobertaPreTrainedModel):
    """The encoder with the language-model head, which tells the word behind a ``<mask>``.

    >>> model = RobertaForMaskedLM.from_pretrained()
    >>> model([[0, 100, 200, 2]]).logits.shape
    (1, 4, 8192)
    """

    @property
    def roberta(self) -> RobertaModel:
        """The encoder, on the same weights."""
        return RobertaModel(self.config, self.params.roberta, add_pooling_layer=False)

    def lm_head(self, hidden: Array) -> Array:  # [..., H] -> [..., V]
        """Score every word of the vocabulary for hidden states of any positions."""
        tied = self.config.tie_word_embeddings
        decoder = self.word_embeddings if tied else self.params.lm_head.decoder.weight
        return lm_head(hidden, self.params.lm_head, decoder, self.config.layer_norm_eps)

    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        *,
        labels: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> MaskedLMOutput:
        """Score every word of the vocabulary at every position, and with labels the loss.

        Parameters
        ----------
        input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
            See `RobertaModel.__call__`.
        labels : integers of shape [B, S], optional
            The right word of each position in [0, V), or -100 where it does not count.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.

        Returns
        -------
        MaskedLMOutput
            Or with ``return_dict=False`` a tuple: the loss where there are labels, the logits, then
            the hidden states and the attentions where they were asked for.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        table = self.word_embeddings
        inputs = check_inputs(
            self.config,
            table,
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
        )
        if labels is not None:
            labels = check_labels(labels, table, self.config.vocab_size, *inputs.shape)
        with scope("roberta"):
            last, states, attentions = self._encode(
                self.params.roberta, inputs, output_hidden_states, output_attentions
            )
        logits = self.lm_head(last)  # [B, S, V]
        loss = None
        if labels is not None:
            xp = array_namespace(logits)
            rows = xp.reshape(logits, (-1, logits.shape[-1]))  # [B S, V]
            loss = observe("loss", cross_entropy(rows, xp.reshape(labels, (-1,))))
        output = MaskedLMOutput(loss, logits, states, attentions)
        if self._choice("return_dict", return_dict):
            return output
        return output.to_tuple()  # type: ignore[return-value]  # as in RobertaModel
