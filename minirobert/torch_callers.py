"""For callers of torch: results of a model that was given tensors, which torch's functions take.

A model of NumPy's arrays answers with NumPy's arrays. Where it was given tensors, what comes next
is often a function of torch, such as ``torch.softmax(logits, dim=-1)``; or a method that only
tensors have, such as ``logits.softmax(-1)``. Both see the array as the tensor on its memory, and
give tensors.

>>> import torch
>>> from minirobert import RobertaConfig, RobertaModel
>>> hidden = RobertaModel(RobertaConfig(vocab_size=9))(torch.tensor([[0, 5, 2]])).last_hidden_state
>>> isinstance(hidden, np.ndarray), torch.is_tensor(torch.tanh(hidden)), hidden.argmax(axis=-1).ndim
(True, True, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from .arrays import library_name
from .model_output import ModelOutput
from .sentences import shown

__all__ = ["TensorLike", "tensor_like", "torch_readable"]

Output = TypeVar("Output", bound=ModelOutput)


class TensorLike(np.ndarray[Any, Any]):
    """A NumPy array that functions of torch take as the tensor on the same memory."""

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return function(*_tensors(args), **_tensors(kwargs or {}))

    def __getattr__(self, name: str) -> Any:  # only where NumPy's arrays have none
        if name.startswith("_") or find_spec("torch") is None:
            raise AttributeError(f"an array of NumPy has no attribute {shown(name)}")
        return getattr(_tensors(self), name)

    def __getitem__(self, key: Any) -> Any:
        # NumPy would read a tensor of one element as a number, and drop the axis.
        return super().__getitem__(_mapped(_array, key))

    def view(self, *shape: Any, **options: Any) -> Any:
        """Give a tensor of a shape, or as NumPy does the same memory under another dtype."""
        if shape and all(isinstance(length, int) for length in shape):
            return _tensors(self).view(*shape)
        return super().view(*shape, **options)


def _or_by_dim(name: str) -> Callable[..., Any]:
    """Make a method that both libraries have: torch's where its word for an axis is used."""

    def method(self: TensorLike, *args: Any, **kwargs: Any) -> Any:
        owner = _tensors(self) if {"dim", "keepdim"} & kwargs.keys() else super(TensorLike, self)
        return getattr(owner, name)(*args, **kwargs)

    method.__name__ = name
    return method


for _name in ("argmax", "argmin", "argsort", "max", "mean", "min", "squeeze", "std", "sum"):
    setattr(TensorLike, _name, _or_by_dim(_name))


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply a function to what tuples, lists, dictionaries and slices hold."""
    if isinstance(value, tuple | list):
        return type(value)(_mapped(function, one) for one in value)
    if isinstance(value, dict):
        return {name: _mapped(function, one) for name, one in value.items()}
    if isinstance(value, slice):
        return slice(*(_mapped(function, one) for one in (value.start, value.stop, value.step)))
    return function(value)


def _array(value: Any) -> Any:
    return value.numpy() if library_name(value) == "torch" and hasattr(value, "numpy") else value


def _tensors(value: Any) -> Any:
    """Show arrays to torch as the tensors on their memory."""
    import torch

    def tensor(one: Any) -> Any:
        if not isinstance(one, TensorLike):
            return one
        array = one.view(np.ndarray)
        if array.dtype.name == "bfloat16":  # which torch has, but does not know from ml_dtypes
            return torch.as_tensor(array.view(np.int16)).view(torch.bfloat16)
        return torch.as_tensor(array)

    return _mapped(tensor, value)


def tensor_like(output: Output, given: Iterable[Any], like: Any) -> Output:
    """Make the NumPy arrays of an output `TensorLike` where a tensor was among what was given."""
    if type(like) is not np.ndarray or all(library_name(one) != "torch" for one in given):
        return output
    return replace(output, **{name: _mapped(torch_readable, one) for name, one in output.items()})


def torch_readable(value: Any) -> Any:
    """Make a NumPy array `TensorLike`, and leave all else."""
    is_array = isinstance(value, np.ndarray | np.generic)
    return np.asarray(value).view(TensorLike) if is_array else value
