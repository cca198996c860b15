"""A trace: every tensor of a forward pass by its name, what was computed, and in what arithmetic.

In a file it is one safetensors file, which any language can write: tensors under the names that
`minirobert.intermediates` lists, those that one has; the arguments of the call under their own
names; and in the header's ``__metadata__``, whose values are strings:

- ``minirobert.trace``: the version of the format, ``1``. This alone must be there.
- ``class``: of the model, such as ``RobertaForMaskedLM``.
- ``config``: the text of its ``config.json``.
- ``arithmetic``: in what the port stores its tensors, by default the dtype of most of them.
- ``accumulate``: in what it sums, see `minirobert.numerics.Arithmetic`.
- ``given``: JSON, the names of the arguments that were given; the others are those that the port
  computed. By default what is there of `GIVEN`: position ids are the port's own.
- ``weights``: JSON, for any of its weights the SHA-256 of its bytes in float32.
- ``made_by``: whatever the port says of itself.

A name before which ``call.1.`` or ``step.0.`` stands belongs to another call, see
`minirobert.watch`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import __version__
from ..arrays import Array, array_namespace, dtype_name, library_name, to_numpy
from ..config import RobertaConfig
from ..models.pretrained import RobertaPreTrainedModel
from ..observe import watch
from ..parameters import CheckpointError
from ..sentences import plain, shown, type_name
from .arithmetic import FORMATS, Arithmetic
from .tensor_file import read_tensors, write_tensors

__all__ = ["ARGUMENTS", "GIVEN", "VERSION", "Trace", "digest", "host", "is_bfloat16", "trace"]

Numbers = np.ndarray[Any, Any]

#: Of the format.
VERSION = "1"

#: The arguments of a forward pass that are arrays, labels last.
ARGUMENTS = (
    *("input_ids", "attention_mask", "token_type_ids", "position_ids", "head_mask"),
    *("inputs_embeds", "encoder_hidden_states", "encoder_attention_mask"),
    *("labels", "start_positions", "end_positions"),
)
#: Those that a trace was given where it does not say so: the position ids are the port's own.
GIVEN = tuple(name for name in ARGUMENTS if name != "position_ids")


@dataclass(frozen=True)
class Trace:
    """The tensors of a forward pass, or of several calls.

    Parameters
    ----------
    tensors : dict of str to NumPy array
        NumPy has no bfloat16: such tensors are float32 arrays.
    dtypes : mapping of str to str
        As what each was stored, where this is not the array's own dtype.
    architecture : str, optional
        The model's class.
    config : RobertaConfig, optional
    arithmetic : Arithmetic, optional
        By default it is told from the dtype of most tensors.
    given : sequence of str, optional
        The arguments of the call, by default those of `GIVEN` that are there.
    weights : mapping of str to str
        The digest of each weight, or of some.
    made_by : str
        What made it.
    """

    tensors: dict[str, Numbers]
    dtypes: Mapping[str, str] = field(default_factory=dict)
    architecture: str | None = None
    config: RobertaConfig | None = None
    arithmetic: Arithmetic = field(default=None)  # type: ignore[assignment]  # see __post_init__
    given: tuple[str, ...] | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    made_by: str = ""

    def __post_init__(self) -> None:
        if self.arithmetic is None:
            object.__setattr__(self, "arithmetic", Arithmetic(self._usual_dtype()))
        if self.given is None:
            given = tuple(name for name in GIVEN if name in self.tensors)
            object.__setattr__(self, "given", given)

    def dtype(self, name: str) -> str:
        """Name the dtype that a tensor was stored in."""
        return self.dtypes.get(name, self.tensors[name].dtype.name)

    def _usual_dtype(self) -> str:
        """Find the floating-point dtype of most tensors."""
        names = Counter(self.dtype(name) for name in self.tensors)
        kinds = [(name, n) for name, n in names.most_common() if name in FORMATS]
        return kinds[0][0] if kinds else "float32"

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it into a file, as a whole or not at all."""
        said = {
            "minirobert.trace": VERSION,
            "class": self.architecture,
            "config": None if self.config is None else self.config.to_json_string(),
            "arithmetic": self.arithmetic.store,
            "accumulate": self.arithmetic.accumulate,
            "given": json.dumps(self.given),
            "weights": json.dumps(dict(self.weights)) if self.weights else None,
            "made_by": self.made_by or None,
        }
        metadata = {name: value for name, value in said.items() if value is not None}
        write_tensors(path, self.tensors, self.dtypes, metadata)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Trace:
        """Read the file of a trace.

        Raises
        ------
        OSError
            If it cannot be opened.
        CheckpointError
            If it is no trace, or one of another version.
        """
        file = read_tensors(path)
        said = file.metadata
        version = said.get("minirobert.trace")
        if version != VERSION:
            what = "no trace" if version is None else f"a trace of version {shown(version)}"
            raise CheckpointError(
                f"{plain(path)} is {what}: a trace has the entry minirobert.trace in its "
                f'__metadata__, which is "{VERSION}"'
            )
        try:
            config = json.loads(said.get("config", "null"))
            store = said.get("arithmetic")
            return cls(
                file.tensors,
                {name: dtype for name, dtype in file.dtypes.items() if dtype == "bfloat16"},
                said.get("class"),
                None if config is None else RobertaConfig.from_dict(config),
                Arithmetic(store, said.get("accumulate")) if store else None,  # type: ignore[arg-type]
                _names(said.get("given")),
                _weights(said.get("weights", "{}")),
                said.get("made_by", ""),
            )
        except (ValueError, TypeError) as error:
            raise CheckpointError(
                f"{plain(path)} has metadata that cannot be read: {plain(error)}"
            ) from None


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = json.loads(text)
    if not isinstance(names, list) or not set(map(str, names)) <= set(ARGUMENTS):
        known = ", ".join(ARGUMENTS)
        raise ValueError(f"given is {shown(text)}, but must be a JSON list of some of {known}")
    return tuple(names)


def _weights(text: str) -> dict[str, str]:
    weights = json.loads(text)
    if not isinstance(weights, dict) or not all(isinstance(one, str) for one in weights.values()):
        raise ValueError(
            f"weights is {shown(text)}, but must be a JSON object of a SHA-256 for each name"
        )
    return weights


def trace(
    model: Any, *, keep: str | Iterable[str] = (), weights: bool = True, **arguments: Any
) -> Trace:
    """Call a model, and keep every tensor of the forward pass.

    Parameters
    ----------
    model : RobertaPreTrainedModel
    keep : str or iterable of str
        Patterns of the names to keep, see `minirobert.watch`; by default all.
    weights : bool
        Whether to note the digest of each weight.
    **arguments
        Of the call, arrays by their names.

    Returns
    -------
    Trace

    Raises
    ------
    TypeError
        If the model is of another library.

    >>> from minirobert import RobertaForMaskedLM
    >>> model = RobertaForMaskedLM.from_pretrained()
    >>> t = trace(model, input_ids=[[0, 100, 200, 2]])
    >>> len(t.tensors), t.tensors["lm_head.logits"].shape
    (86, (1, 4, 8192))
    """
    if not isinstance(model, RobertaPreTrainedModel):
        raise TypeError(
            f"model is a {type_name(model)}, but must be one of this package: trace_torch runs a "
            "model of torch"
        )
    with watch(keep=keep) as seen:
        model(**arguments)  # type: ignore[operator]  # every class of model is called
    own = {name: value for name, value in arguments.items() if value is not None}
    arrays = {name: host(own[name]) for name in ARGUMENTS if name in own}
    for name in seen.keys() & arrays.keys():
        if arrays[name].ndim > seen[name].ndim:  # choices, of which the encoder makes rows
            del seen[name]
    return recorded(model, {**arrays, **seen}, tuple(arrays), weights=weights)


def recorded(
    model: Any, seen: Mapping[str, Any], given: tuple[str, ...], *, weights: bool = True
) -> Trace:
    """Make a trace of what was watched of a model.

    Parameters
    ----------
    model : RobertaPreTrainedModel
    seen : mapping of str to Array
        What `minirobert.watch` gave, and the arguments.
    given : tuple of str
        Which of them are arguments.
    weights : bool
        Whether to note the digest of each weight.
    """
    library = library_name(model.word_embeddings)
    return Trace(
        {name: host(array) for name, array in seen.items()},
        {name: "bfloat16" for name, array in seen.items() if is_bfloat16(array)},
        type(model).__name__,
        model.config,
        Arithmetic(model.dtype),
        given,
        {name: digest(one) for name, one in model.named_parameters()} if weights else {},
        f"minirobert {__version__} on {library}",
    )


def is_bfloat16(array: Any) -> bool:
    """Tell whether an array of any library is of a dtype that NumPy does not have."""
    return hasattr(array, "dtype") and dtype_name(array) == "bfloat16"


def host(array: Any) -> Numbers:
    """Copy an array of any library to the host, one of bfloat16 as float32."""
    if not isinstance(array, np.ndarray) and hasattr(array, "detach"):  # a tensor's gradient goes
        array = array.detach()
    if is_bfloat16(array):
        array = array_namespace(array).astype(array, array_namespace(array).float32)
    return np.array(to_numpy(array) if hasattr(array, "dtype") else array)


def digest(array: Array) -> str:
    """Give the SHA-256 of a weight's numbers in float32, in the order of its last axis first."""
    numbers = np.ascontiguousarray(host(array), dtype="<f4")
    return hashlib.sha256(numbers.tobytes()).hexdigest()
