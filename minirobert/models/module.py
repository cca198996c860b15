"""Configuration and weights as one object that never changes: to look at, move and convert."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import InitVar, dataclass, fields
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..arrays import (
    Array,
    Shape,
    array_namespace,
    astype,
    device_of,
    dtype_name,
    float_dtype,
    library_name,
)
from ..checks import check_weight, place
from ..config import RobertaConfig
from ..memory import memory_for
from ..parameters import (
    ParameterTree,
    build_tree,
    check_shapes,
    flatten,
    initialise,
    map_tree,
    numbers_of,
    parameter_shapes,
)
from ..sentences import shown, type_name
from ..torch_callers import torch_readable
from .destination import Destination
from .not_here import NO_GRADIENTS, NO_MODE, NOT_HERE
from .tracing import let_trace

__all__ = ["RobertaModule", "checked_kind"]

Model = TypeVar("Model", bound="RobertaModule")


@dataclass(frozen=True, repr=False, eq=False)
class RobertaModule:
    """The base of `RobertaPreTrainedModel`, with the methods that callers of torch's modules type.

    What would change a module in place gives a new model, or the same where nothing changes.
    """

    config: RobertaConfig
    params: ParameterTree = None  # type: ignore[assignment]  # never None once it is made
    seed: InitVar[int] = 0

    #: Dropout is asked for in a call, so that a model has no mode.
    training: ClassVar[bool] = False
    is_gradient_checkpointing: ClassVar[bool] = False
    config_class: ClassVar[type[RobertaConfig]] = RobertaConfig
    base_model_prefix: ClassVar[str] = "roberta"
    main_input_name: ClassVar[str] = "input_ids"
    #: The directory or the name that the model was read from.
    name_or_path: ClassVar[str] = ""

    def __post_init__(self, seed: int) -> None:
        self._check_config(self.config)
        shapes = self.parameter_shapes()
        if self.params is None:
            with memory_for("a model of this configuration", 4 * numbers_of(shapes)):
                flat = initialise(shapes, self.config, seed)
            object.__setattr__(self, "params", build_tree(flat))
        if not isinstance(self.params, ParameterTree):
            raise TypeError(
                f"params is a {type_name(self.params)}, but must be a ParameterTree, which "
                "minirobert.parameters.build_tree makes of arrays by their names; other options, "
                "such as add_pooling_layer, are given by name"
            )
        flat = flatten(self.params)
        for name, array in flat.items():
            check_weight(name, array)
        check_shapes(shapes, {name: tuple(array.shape) for name, array in flat.items()}, "given")
        let_trace(self.word_embeddings)

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

    @classmethod
    def _options(cls) -> tuple[str, ...]:
        """Name the fields of a class beyond those that every model has."""
        return tuple(one.name for one in fields(cls) if one.name not in ("config", "params"))

    @classmethod
    def _check_config(cls, config: RobertaConfig) -> None:
        """Refuse a configuration that asks for what the class cannot compute."""
        checked_kind(config).validate()

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

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.num_parameters():,} parameters, {self.dtype}, "
            f"device {self.device})"
        )

    if not TYPE_CHECKING:  # else no attribute would be a mistake to the checker

        def __getattr__(self, name: str) -> Any:
            what = f"{type(self).__name__!r} object has no attribute {shown(name)}"
            cure = NOT_HERE.get(name)
            raise AttributeError(f"{what}: {cure}" if cure else what)

    @property
    def base_model(self) -> Any:
        """The encoder of a model with a head, or the model itself."""
        return getattr(self, self.base_model_prefix, self)

    @property
    def framework(self) -> str:
        """The tokenizer's ``return_tensors`` for this model: ``"np"``, ``"cp"`` or ``"pt"``."""
        return {"cupy": "cp", "torch": "pt"}.get(library_name(self.word_embeddings), "np")

    @classmethod
    def can_generate(cls) -> bool:
        """Tell whether the class has a method ``generate``."""
        return hasattr(cls, "generate")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model."""
        return self(*args, **kwargs)  # type: ignore[operator]  # what is called has __call__

    def named_parameters(self) -> Iterator[tuple[str, Array]]:
        """Give name and array of each weight; one that is tied to another comes once."""
        return ((name, torch_readable(array)) for name, array in flatten(self.params).items())

    def parameters(self) -> Iterator[Array]:
        """Give the array of each weight; one that is tied to another comes once."""
        return (array for _, array in self.named_parameters())

    def state_dict(self) -> dict[str, Array]:
        """Give the arrays by name, those that are tied under each of their names.

        Returns
        -------
        dict of str to Array
            The arrays of the model, not copies: do not write into them.
        """
        flat = dict(self.named_parameters())
        if "lm_head.bias" in flat:
            table = flat["roberta.embeddings.word_embeddings.weight"]
            flat.setdefault("lm_head.decoder.weight", table)
            flat.setdefault("lm_head.decoder.bias", flat["lm_head.bias"])
        return flat

    def _with_state(self: Model, state_dict: Mapping[str, Any]) -> Model:
        """Make the same model of other weights, which are named as `state_dict` names them."""
        tied = self.state_dict().keys() - self.parameter_shapes().keys()
        flat = {
            name: place(name, array, self.word_embeddings)
            for name, array in state_dict.items()
            if name not in tied
        }
        options = {name: getattr(self, name) for name in self._options()}
        return type(self)(self.config, build_tree(flat), **options)

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """Count the numbers that the model has learned.

        Parameters
        ----------
        only_trainable : bool
            Changes nothing: all are.
        exclude_embeddings : bool
            Leave out the tables of words, positions, token types and distances.
        """
        return sum(
            prod(array.shape)
            for name, array in self.named_parameters()
            if not (
                exclude_embeddings and name.endswith(("_embeddings.weight", "_embedding.weight"))
            )
        )

    def eval(self: Model) -> Model:
        """Give the model itself: without ``train=True``, a call drops nothing."""
        return self

    def train(self: Model, mode: bool = True) -> Model:
        """Give the model itself where ``mode`` is False.

        Raises
        ------
        ValueError
            If it is True: dropout is asked for in a call.
        """
        if mode:
            raise ValueError(f"a model has no training mode: {NO_MODE}")
        return self

    def requires_grad_(self: Model, requires_grad: bool = True) -> Model:
        """Give the model itself where ``requires_grad`` is False.

        Raises
        ------
        ValueError
            If it is True: there are no gradients.
        """
        if requires_grad:
            raise ValueError(f"requires_grad is True, but {NO_GRADIENTS}")
        return self

    def gradient_checkpointing_disable(self) -> None:
        """Do nothing: there are no gradients."""

    def tie_weights(self) -> None:
        """Do nothing: what ``config.tie_word_embeddings`` ties is one array from the start."""

    def to(
        self: Model,
        device: Any = None,
        xp: Any = None,
        *,
        dtype: Any = None,
        non_blocking: bool = False,
    ) -> Model:
        """Put the weights on a device, or convert them, or both.

        Parameters
        ----------
        device : str, int, device object or dtype, optional
            ``"cpu"`` (NumPy), ``"cuda"`` or ``"cuda:N"`` (CuPy), or with ``xp`` a device of that
            library, or the name of one. Where they are by default, or with ``xp`` that library's
            first choice. A dtype stands for ``dtype``.
        xp : array namespace or dtype, optional
            Another library that follows the array API standard, such as ``torch`` or ``jax.numpy``.
            A dtype stands for ``dtype``.
        dtype : str or dtype, optional
            See `astype`.
        non_blocking : bool
            Has no effect.

        Returns
        -------
        RobertaPreTrainedModel
            A new model of the same class; see `minirobert.to_device` for the errors. What it is
            called with may be of NumPy, where it is in memory of the host; what it returns is of
            its library.

        >>> import minirobert
        >>> minirobert.RobertaForMaskedLM.from_pretrained().to("cpu", dtype="float64")
        RobertaForMaskedLM(5,364,736 parameters, float64, device cpu)
        """
        if _is_dtype(device):
            device, dtype = None, device
        if _is_dtype(xp):
            xp, dtype = None, xp
        if device is None and xp is None and dtype is None:
            return self
        return self._with_weights(Destination(device, xp, dtype).placed)

    def astype(self: Model, dtype: Any) -> Model:
        """Convert the weights to ``"bfloat16"``, ``"float16"``, ``"float32"`` or ``"float64"``.

        Sums are float32 where the weights are of 16 bits. NumPy has bfloat16 through ml_dtypes.

        Returns
        -------
        RobertaPreTrainedModel
            A new model of the same class.

        Raises
        ------
        ValueError
            If the array library has no such dtype.
        ModuleNotFoundError
            If it is NumPy's bfloat16, and ml_dtypes is not installed.
        """
        target = float_dtype(array_namespace(self.word_embeddings), dtype)
        return self._with_weights(lambda array: astype(array, target))

    def _with_weights(self: Model, function: Callable[[Array], Array]) -> Model:
        """Copy the model with what a function makes of each array."""
        model = self._with(params=map_tree(function, self.params))
        let_trace(model.word_embeddings)
        return model

    def half(self: Model) -> Model:
        """Convert the weights to float16, in a new model."""
        return self.astype("float16")

    def float(self: Model) -> Model:
        """Convert the weights to float32, in a new model."""
        return self.astype("float32")

    def double(self: Model) -> Model:
        """Convert the weights to float64, in a new model."""
        return self.astype("float64")

    def bfloat16(self: Model) -> Model:
        """Convert the weights to bfloat16, in a new model, where the library has it."""
        return self.astype("bfloat16")

    def cpu(self: Model) -> Model:
        """Give a new model of NumPy's arrays."""
        return self.to("cpu")

    def cuda(self: Model, device: Any = None) -> Model:
        """Give a new model of CuPy's arrays, on a CUDA device that may be given by its number."""
        return self.to("cuda" if device is None else device)


def checked_kind(config: Any) -> RobertaConfig:
    """Refuse what is no configuration of this package, such as one of transformers."""
    if not isinstance(config, RobertaConfig):
        raise TypeError(
            f"config is a {type_name(config)}, but must be a RobertaConfig of this package: "
            "RobertaConfig.from_pretrained reads that of a directory, RobertaConfig.from_dict a "
            "dictionary"
        )
    return config


def _is_dtype(value: Any) -> bool:
    """Tell a dtype, by its name or as an object of any library, from a device or a library."""
    if isinstance(value, str):
        return "float" in value
    return isinstance(value, type) or "dtype" in type(value).__name__.lower()
