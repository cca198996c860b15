"""From a model to its graph, and to the file."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...arrays import to_numpy
from ...config import RobertaConfig
from ...files import exchanging
from ...models.pretrained import RobertaPreTrainedModel
from ...observe import watch
from ...parameters import build_tree, flatten
from ...rules import BOOLEAN, check
from ...sentences import plain
from .graph import Value
from .lengths import AnyShape, Length
from .recorded import Recorded
from .recorder import Recorder

__all__ = ["export_onnx", "onnx_model"]

#: A file of protobuf holds at most 2 GiB; what is not weights takes less than the rest.
LIMIT = 2**31 - 2**26

_DTYPES = ("float16", "float32", "float64")


def export_onnx(
    model: RobertaPreTrainedModel,
    path: str | os.PathLike[str],
    *,
    intermediates: bool = False,
    token_type_ids: bool = False,
) -> tuple[str, ...]:
    """Write a model as an ONNX file, as a whole or not at all.

    Parameters
    ----------
    model : RobertaPreTrainedModel
        Of any class, in float16, float32 or float64.
    path : str or path
        Of the file. Weights of 2 GB and more are written into a second one beside it, whose name is
        that of the first with ``.data`` behind it, and which must stay beside it.
    intermediates, token_type_ids : bool
        See `onnx_model`.

    Returns
    -------
    tuple of str
        The paths of the files.

    Raises
    ------
    ModuleNotFoundError
        If onnx is not installed.
    TypeError, ValueError
        See `onnx_model`.
    OSError
        If the files cannot be written.
    """
    graph = onnx_model(model, intermediates=intermediates, token_type_ids=token_type_ids)
    path = Path(path)
    beside = f"{path.name}.data"
    is_large = sum(len(one.raw_data) for one in graph.graph.initializer) > LIMIT
    with exchanging(path.parent, lambda name: name == beside) as new:
        import onnx

        onnx.save_model(graph, new / path.name, save_as_external_data=is_large, location=beside)
    return tuple(str(path.parent / name) for name in (path.name, *([beside] if is_large else [])))


def onnx_model(
    model: RobertaPreTrainedModel, *, intermediates: bool = False, token_type_ids: bool = False
) -> Any:
    """Record a model's forward pass as an ONNX graph.

    Parameters
    ----------
    model : RobertaPreTrainedModel
        A decoder is exported without its cache.
    intermediates : bool
        Whether all tensors of `minirobert.intermediates` are outputs, too.
    token_type_ids : bool
        Whether they are an input; otherwise they are 0.

    Returns
    -------
    onnx.ModelProto
        Its inputs are ``input_ids`` and ``attention_mask``, int64 of shape [batch, sequence], of
        multiple choice [batch, choices, sequence].

    Raises
    ------
    ModuleNotFoundError
        If onnx is not installed.
    ValueError
        If the model computes in a dtype that is not exported.
    TypeError
        If an option is neither True nor False.
    """
    check("intermediates", intermediates, BOOLEAN, TypeError)
    check("token_type_ids", token_type_ids, BOOLEAN, TypeError)
    _check_dtype(model)
    try:
        from onnx import helper
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("the export to ONNX needs onnx: pip install onnx") from error
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if token_type_ids else [])]
    recorder = Recorder()
    inputs = {name: recorder.argument(name, _shape(model), "int64") for name in names}
    outputs, seen = _recorded(model, recorder, inputs)
    known = [_value(array) for name, array in seen.items() if name not in inputs]
    wanted = [_value(_named(recorder, name, array)) for name, array in outputs.items()]
    weights = {name: to_numpy(array) for name, array in flatten(model.params).items()}
    graph = recorder.graph.model(
        [_value(array) for array in inputs.values()],
        [*wanted, *(known if intermediates else ())],
        weights,
        known,
    )
    graph.producer_name, graph.producer_version = "minirobert", __version__
    helper.set_model_props(graph, _metadata(model))
    return graph


def _check_dtype(model: RobertaPreTrainedModel) -> None:
    if model.dtype not in _DTYPES:
        raise ValueError(
            f"a model in {plain(model.dtype)} is not exported: convert it with astype to one of "
            f"{', '.join(_DTYPES)}"
        )


def _shape(model: RobertaPreTrainedModel) -> AnyShape:
    head = getattr(model, "head", None)
    choices = (Length("choices"),) if head is not None and head.choices else ()
    return (Length("batch"), *choices, Length("sequence"))


def _recorded(
    model: RobertaPreTrainedModel, recorder: Recorder, inputs: Mapping[str, Recorded]
) -> tuple[dict[str, Recorded], dict[str, Recorded]]:
    """Run the model on arrays that record: give its outputs, and what was observed, by name."""
    weights: dict[str, Any] = {
        name: recorder.argument(name, tuple(array.shape), model.dtype)
        for name, array in flatten(model.params).items()
    }
    copied = model._with(config=_whole(model.config), params=build_tree(weights))
    seen: dict[str, Recorded] = {}

    def name_it(name: str, array: Any) -> None:
        seen[name] = array if name in inputs else _named(recorder, name, array)

    with watch(name_it):
        output = copied.forward(**inputs, return_dict=True)
    return dict(_flat(output.items())), seen


def _whole(config: RobertaConfig) -> RobertaConfig:
    """Ask for a pass that keeps nothing, and whose number of steps depends on no length."""
    config = copy.copy(config)
    config.use_cache, config.chunk_size_feed_forward = False, 0
    return config


def _flat(items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Recorded]]:
    """Give numbers to the arrays of a tuple, such as the hidden states: ``hidden_states.0``."""
    for name, value in items:
        if isinstance(value, tuple):
            yield from ((f"{name}.{i}", one) for i, one in enumerate(value))
        else:
            yield name, value


def _named(recorder: Recorder, name: str, array: Recorded) -> Recorded:
    """Give a value its name in the file."""
    own = recorder.graph.rename(array.name, name)
    return Recorded(own, array.shape, array.dtype, recorder)


def _value(array: Recorded) -> Value:
    return Value(array.name, array.shape, np.dtype(array.dtype))


def _metadata(model: RobertaPreTrainedModel) -> dict[str, str]:
    return {
        "class": type(model).__name__,
        "config": model.config.to_json_string(),
        "made_by": f"minirobert {__version__}",
    }
