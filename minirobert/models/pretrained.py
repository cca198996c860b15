"""What all models share: configuration and parameters, loading and saving, the encoder's run."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from ..arrays import Array, astype
from ..checkpoints.loading import LoadOptions, load_parameters
from ..checkpoints.matching import Match
from ..checkpoints.pruning import all_pruned, prune
from ..checkpoints.reading import fetch_weights
from ..checkpoints.resizing import padded_count, resize_tokens
from ..checkpoints.writing import save_model
from ..checks import check_shape, place
from ..config import RobertaConfig
from ..documentation import documented
from ..encoder import EncoderOutput, Inputs, roberta
from ..files import MODEL_FILES, TINY, ModelFiles, ModelName, naming
from ..keywords import OF_MODELS, OF_SAVING, settle, settle_all
from ..observe import scope
from ..parameters import build_tree, check_layers, flatten
from ..rules import check
from .arguments import FLAG, SHARED, Arguments, Wanted
from .destination import Destination
from .inputs import check_inputs
from .module import RobertaModule, checked_kind

__all__ = ["RobertaPreTrainedModel"]

Model = TypeVar("Model", bound="RobertaPreTrainedModel")


@dataclass(frozen=True, repr=False, eq=False)
class RobertaPreTrainedModel(RobertaModule):
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

    #: What the names of the encoder's intermediate tensors begin with.
    _prefix: ClassVar[str] = ""

    @classmethod
    def from_pretrained(
        cls: type[Model],
        pretrained_model_name_or_path: ModelName = TINY,
        *,
        config: RobertaConfig | None = None,
        dtype: Any = None,
        device: Any = None,
        xp: Any = None,
        seed: int = 0,
        strict: bool | None = None,
        ignore_mismatched_sizes: bool = False,
        strip_prefix: str = "",
        variant: str | None = None,
        output_loading_info: bool = False,
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
        dtype : str or dtype, optional
            Of the weights in memory, whatever the file holds: ``"bfloat16"``, ``"float16"``,
            ``"float32"`` (the default), ``"float64"``, or ``"auto"`` for what ``config.dtype``
            says, and where it says nothing, or what cannot be had, for the narrowest of them that
            holds all the file has (float32 for bfloat16). ``config.dtype`` of the model says which.
        device : str or device object, optional
            See `to`; the CPU by default.
        xp : array namespace, optional
            The array library to compute with, in place of NumPy or CuPy: ``torch``, ``jax.numpy``
            or another that follows the array API standard.
        seed : int
            What the file does not have is initialised from it, with a warning.
        strict : bool, optional
            How far the file may differ from the model. By default, a head of which it has nothing
            is initialised, and what only a configuration of the call adds or takes away
            (``num_hidden_layers``, ``add_cross_attention``, …) is initialised or left out; any
            other difference in the encoder is an error. False allows all that is missing or
            unexpected. True allows nothing to be missing.
        ignore_mismatched_sizes : bool
            Initialise tensors of which the file has another shape, with a warning: for instance
            the classifier where ``num_labels`` is another.
        strip_prefix : str
            Taken off the names of the tensors that begin with it: ``"module."`` for weights that
            were saved from inside another module.
        variant : str, optional
            ``"fp16"`` reads ``model.fp16.safetensors``.
        output_loading_info : bool
            Return a pair: the model, and a dictionary of ``missing_keys``, ``unexpected_keys``,
            ``mismatched_keys`` and ``error_msgs``, as in transformers.
        **overrides
            Options of the class (``add_pooling_layer``) and of the hub (``revision``, …: see
            `minirobert.files.HubOptions`), and fields of the configuration (``num_labels``,
            ``id2label``, …). Other arguments of transformers are told what to do instead, or have
            no effect: see `minirobert.keywords.OF_MODELS`.

        Returns
        -------
        RobertaPreTrainedModel

        Raises
        ------
        FileNotFoundError
            If the directory or a file in it is missing, or the hub does not give it.
        ValueError
            If a file is broken, or written to meanwhile, the weights do not fit the configuration
            or the memory, or overrides disagree.
        TypeError
            If the configuration is none of this package.

        >>> import minirobert
        >>> minirobert.RobertaForMaskedLM.from_pretrained()
        RobertaForMaskedLM(5,364,736 parameters, float32, device cpu)

        With another array library, here PyTorch; what is given may be of NumPy, and what comes back
        is of the library:

        >>> import torch
        >>> model = minirobert.RobertaForMaskedLM.from_pretrained(xp=torch)
        >>> model([[0, 100, 200, 2]]).logits.softmax(-1).sum()
        tensor(4.0000)
        """
        overrides = {**overrides, "dtype": dtype, "device": device}
        settle(overrides, OF_MODELS)
        dtype, device = overrides.pop("dtype"), overrides.pop("device")
        files = ModelFiles.of(pretrained_model_name_or_path, overrides)
        where = Destination(device, xp, dtype or "float32")
        how = LoadOptions("", seed, strict, ignore_mismatched_sizes, strip_prefix)
        model, matched = files.together(
            MODEL_FILES, lambda: cls._read(files, config, how, variant, where, dict(overrides))
        )
        if output_loading_info:
            return model, matched.loading_info()  # type: ignore[return-value]  # only where asked
        return model

    @classmethod
    def _read(
        cls: type[Model],
        files: ModelFiles,
        config: RobertaConfig | None,
        how: LoadOptions,
        variant: str | None,
        where: Destination,
        overrides: dict[str, Any],
    ) -> tuple[Model, Match]:
        """Read all files of a model; see `from_pretrained`."""
        options = {name: overrides.pop(name) for name in cls._options() if name in overrides}
        beside = cls._read_beside(files, overrides)
        is_asked = config is not None or bool(overrides)
        if config is None:
            config = RobertaConfig.from_pretrained(files, **overrides)
            with naming(files.directory / "config.json", given=overrides.keys()):
                cls._check_config(config)
        elif overrides:
            config = RobertaConfig.from_dict(checked_kind(config).to_dict(), **overrides)
        cls._check_config(config)
        shapes = cls._shapes(config, **options)
        where = where.settled(config.dtype)
        flat, matched = load_parameters(
            fetch_weights(files, variant),
            shapes,
            config,
            replace(how, dtype=where.read_as),
            cls._shapes(_config_of_file(files) or config, **options) if is_asked else shapes,
        )
        placed = {name: where.placed(array) for name, array in flat.items()}
        model = cls(copy.copy(config), build_tree(placed), **options)
        model.config.dtype = model.dtype
        return model._with(name_or_path=files.name, **beside), matched

    @classmethod
    def _read_beside(cls, files: ModelFiles, arguments: dict[str, Any]) -> dict[str, Any]:
        """Read what a class has besides configuration and weights, as attributes."""
        return {}

    def _written_beside(self) -> dict[str, str]:
        """Give the texts of the files that hold it, by their names."""
        return {}

    @classmethod
    def _from_config(
        cls: type[Model], config: RobertaConfig, *, seed: int = 0, **options: Any
    ) -> Model:
        """Make a model with newly drawn weights, as ``from_config`` of the Auto classes does."""
        settle(options, OF_MODELS)
        dtype, device, xp = (options.pop(name, None) for name in ("dtype", "device", "xp"))
        where = Destination(device, xp, dtype or checked_kind(config).dtype or "float32")
        return cls(config, seed=seed, **options)._with_weights(where.placed)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        *,
        state_dict: Mapping[str, Any] | None = None,
        max_shard_size: int | str = "5GB",
        **options: Any,
    ) -> None:
        """Write ``config.json`` and the weights, as transformers reads them.

        All files of the model that was in the directory before are exchanged at once: whatever
        fails, and whenever the process is killed, the directory holds the old model or the new one,
        for this package and for others. `minirobert.files.exchange` says how, and where this
        holds: where the file system has links. It does not hold for a loss of power.

        Parameters
        ----------
        save_directory : str or path
            Made where it does not exist.
        state_dict : mapping of str to array, optional
            Weights to save in place of the model's own, as `state_dict` names them.
        max_shard_size : int or str
            In bytes, or with a unit such as ``"200MB"``: weights above it are divided among
            several files with an index.
        **options
            Other arguments of transformers, such as ``safe_serialization=True``, have no effect, or
            are told what to do instead: see `minirobert.keywords.OF_SAVING`.

        Raises
        ------
        ValueError
            If the size is none, or ``hidden_act`` is a function, which no file can hold, or an
            option asks for what is not here, or the weights do not fit.
        TypeError
            If there is no such option.
        OSError
            If the files cannot be written, as on a full disk.
        """
        settle_all(options, OF_SAVING, "save_pretrained")
        model = self if state_dict is None else self._with_state(state_dict)
        config = copy.deepcopy(model.config)
        config.architectures, config.dtype = [type(model).__name__], model.dtype
        save_model(
            *(save_directory, config, flatten(model.params), max_shard_size, self._written_beside())
        )

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
            If a number is not at least 1, or too large for the memory, or the padding token would
            be cut off.

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

    def _choice(self, name: str, asked: bool | None) -> bool:
        """Decide on what to return: as the call says, or else the configuration."""
        return bool(getattr(self.config, name)) if asked is None else asked

    def _use_cache(self, asked: bool | None) -> bool:
        """Decide on a cache, which only a decoder makes."""
        check("use_cache", asked, FLAG, TypeError)
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
        *,
        read: Any = None,
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
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            read=read,
        )
        inputs, _ = check_inputs(self.config, self.word_embeddings, arguments)
        return self._encode(inputs, Wanted(False, False)).last_hidden_state

    def _encode(self, inputs: Inputs, wanted: Wanted, rng: Any = None) -> EncoderOutput:
        """Run the encoder under the names that its tensors have in this model."""
        inputs, wanted = inputs.observed(), wanted.checked()
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


def _config_of_file(files: ModelFiles) -> RobertaConfig | None:
    """Read what a file says without the call's words; what is odd in it has been told by then."""
    with warnings.catch_warnings(action="ignore"):
        try:
            config = RobertaConfig.from_pretrained(files)
            check_layers(config)
        except (FileNotFoundError, ValueError):
            return None
    return config
