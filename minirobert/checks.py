"""Checks that arguments share: each error is a sentence with the value, the limit and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import rules
from .arrays import (
    Array,
    Shape,
    array_namespace,
    as_array_like,
    astype,
    device_of,
    dtype_name,
    has_values,
    holds,
    index_dtype,
    is_array_api_obj,
    is_floating,
    is_integer,
    library_name,
    namespace_name,
    to_numpy,
)
from .sentences import cut, listed, shown, type_name
from .warning import warn

__all__ = [
    "booleans",
    "check_all",
    "check_dtype",
    "check_integers",
    "check_not_empty",
    "check_range",
    "check_real",
    "check_shape",
    "check_weight",
    "floats",
    "integers",
    "place",
    "random_generator",
    "seeded",
    "warn",
]


def place(name: str, value: Any, like: Array) -> Array:
    """Make lists and arrays in the same memory the model's; refuse those that are elsewhere."""
    xp = array_namespace(like)
    if isinstance(value, Mapping):
        raise ValueError(
            f"{name} is a dictionary, of {listed(value)}: give what it holds by name, as in "
            f"{_call_of(value.get(name))}"
        )
    if _hides_elements(value):
        raise ValueError(
            f"{name} is a masked array, but here all elements count: give its data, or filled() "
            "ones, and say in attention_mask which tokens may be looked at"
        )
    try:
        array = as_array_like(value, like)
        is_numbers = holds(array, ("bool", "numeric"))
    except Exception as error:  # whatever its class does when it is read
        is_foreign = is_array_api_obj(value) and type(value) is not type(like)
        if is_foreign or not isinstance(error, TypeError | ValueError):
            raise _unreadable(name, value, like, error) from None
        is_numbers = False
    if not is_numbers:
        raise ValueError(
            f"{name} is no array of numbers with rows of one length: {_made_an_array(value)}"
        )
    if isinstance(array, np.ndarray) and not (array.dtype.isnative and array.flags.c_contiguous):
        # in the order in which it counts: the last digit of a sum depends on it
        array = np.asarray(array, array.dtype.newbyteorder("="), order="C")
    if array_namespace(array) is xp and _on_one_device(array, like):
        return array
    raise ValueError(
        f"{name} is a {library_name(array)} array on device {device_of(array)}, but the model's "
        f"weights are {library_name(like)} arrays on device {device_of(like)}: move one of them, "
        f"with minirobert.to_device({name}, {_destination(like)}) or model.to"
    )


def _call_of(ids: Any) -> str:
    """Write the call of a model with a tokenization that has these ids, or that should have been.

    >>> _call_of([0, 9, 2]), _call_of([[0, 9, 2], [0, 2]])
    ('model(**tokenizer([text])), a batch of one', 'model(**tokenizer(texts, padding=True))')
    """
    if isinstance(ids, list) and ids and rules.is_integer(ids[0]):
        return "model(**tokenizer([text])), a batch of one"
    return _OF_TEXTS if _is_ragged(ids) else "model(**inputs)"


_OF_TEXTS = "model(**tokenizer(texts, padding=True))"


def _made_an_array(value: Any) -> str:
    """Tell what makes an array of a value that is none."""
    first = value[0] if isinstance(value, list | tuple) and value else value
    if isinstance(first, str):
        return f"tokenize texts first, as in {_OF_TEXTS}"
    if _is_ragged(value):
        return f"pad its rows, as in {_OF_TEXTS}"
    return "give integers of at most 64 bits, or floating-point numbers"


def _is_ragged(value: Any) -> bool:
    """Tell rows of several lengths, as of texts that are not padded yet."""
    rows = value if isinstance(value, list | tuple) else ()
    return len({len(row) for row in rows if isinstance(row, list | tuple)}) > 1


def _on_one_device(array: Array, like: Array) -> bool:
    """Tell whether two arrays can meet; one that is traced by JAX has no device yet."""
    one, other = device_of(array), device_of(like)
    return one is None or other is None or bool(one == other)


def _unreadable(name: str, value: Any, like: Array, error: Exception) -> ValueError:
    """Say why a library does not read what it is given."""
    kind = f"{library_name(value)} array" if is_array_api_obj(value) else type(value).__name__
    return ValueError(
        f"{name} is a {kind} that {library_name(like)} cannot read "
        f"({cut(str(error) or repr(error), 200)}): convert it there first, as with detach() or "
        "float()"
    )


def _destination(like: Array) -> str:
    """Write the arguments of `minirobert.to_device` that bring an array to where another one is.

    >>> _destination(np.zeros(1))
    '"cpu"'
    """
    library = namespace_name(array_namespace(like))
    device = '"cpu"' if str(device_of(like)) == "cpu" else "model.device"
    return device if library in ("numpy", "cupy") else f"{device}, xp={library}"


#: That an array of NumPy can have.
_MOST_AXES = 64


def _hides_elements(value: Any) -> bool:
    """Tell a masked array of NumPy's that masks something, also among the rows of a list."""
    if type(value) is np.ndarray:
        return False
    for _ in range(_MOST_AXES):  # a list may even hold itself
        if not isinstance(value, list | tuple) or not value:
            break
        if any(map(_hides_elements, filter(_is_masked, value))):
            return True
        value = value[0]
    return _is_masked(value) and bool(np.ma.is_masked(value))


def _is_masked(value: Any) -> bool:
    return isinstance(value, np.ma.MaskedArray)


def integers(name: str, value: Any, like: Array, axes: str, rank: int) -> Array:
    """Check that an array holds integers, and has ``rank`` axes."""
    array = place(name, value, like)
    if array.ndim != rank:
        raise ValueError(
            f"{name} has {array.ndim} axes (shape {shown(list(array.shape))}), but must be {axes}"
            + (_batch_of_one(name, value) if array.ndim == rank - 1 else "")
        )
    check_not_empty(name, array)
    check_integers(name, array)
    if holds(array, "unsigned integer"):  # with which not all libraries index
        return astype(array, index_dtype(array_namespace(array)))
    return array


def _batch_of_one(name: str, value: Any) -> str:
    """Tell how the axis of the batch is added to an array, or to a list of a tokenizer."""
    if isinstance(value, list | tuple):
        is_nested = any(isinstance(row, list | tuple) for row in value)
        tokenizer = "" if is_nested else ", as tokenizer([text]) does"
        return f": give [{name}] for a batch of one{tokenizer}"
    return f": write {name}[None, :] for a batch of one"


def floats(name: str, value: Any, like: Array) -> Array:
    """Check that an array holds numbers of the model's dtype; those in lists are given it."""
    array = place(name, value, like)
    if not is_floating(array):
        raise TypeError(
            f"{name} has dtype {dtype_name(array)}, but must hold floating-point numbers"
        )
    if not is_array_api_obj(value):  # numbers in a list have no dtype of their own yet
        array = astype(array, like.dtype)
    check_dtype(name, array, like)
    return array


def check_dtype(name: str, array: Array, like: Array) -> None:
    """Refuse an array of another dtype than the model's."""
    if array.dtype != like.dtype:
        raise TypeError(
            f"{name} has dtype {dtype_name(array)}, but the model computes in "
            f"{dtype_name(like)}: convert one of them, with astype"
        )


def booleans(name: str, mask: Array, values: str = "1 (attend) or 0 (masked)") -> Array:
    """Check that a mask holds nothing but 0 and 1, and make it boolean."""
    xp = array_namespace(mask)
    if mask.dtype != xp.bool:
        check_real(name, mask)
        check_all(name, mask, (mask == 0) | (mask == 1), values)
    return astype(mask, xp.bool)


def check_real(name: str, array: Array) -> None:
    """Refuse complex numbers."""
    if holds(array, "complex floating"):
        raise TypeError(f"{name} has dtype {dtype_name(array)}, but must hold real numbers")


def check_integers(name: str, array: Array) -> None:
    """Refuse floating-point numbers and booleans, and what an int64 does not hold."""
    if not is_integer(array):
        raise TypeError(
            f"{name} has dtype {dtype_name(array)}, but must hold integers: use int64 or int32"
        )
    xp = array_namespace(array)
    if array.dtype == xp.uint64:  # of which torch compares none
        check_all(name, array, astype(array, xp.int64) >= 0, "below 2**63, as an int64 is")


def check_not_empty(name: str, array: Array) -> None:
    """Refuse an array without elements."""
    if 0 in array.shape:
        raise ValueError(
            f"{name} is empty (shape {shown(list(array.shape))}): give at least one text of at "
            "least one token"
        )


def check_shape(name: str, array: Array, *allowed: Shape, why: str = "") -> None:
    """Check that the shape is one of those allowed."""
    if tuple(array.shape) not in allowed:
        choices = " or ".join(str(list(shape)) for shape in dict.fromkeys(allowed))
        raise ValueError(
            f"{name} has shape {shown(list(array.shape))}, but must have {choices}{why}"
        )


def check_range(name: str, ids: Array, stop: int, limit: str, also: str = "") -> None:
    """Check that ids are in [0, stop), and point to the first that is not."""
    if not has_values(ids):
        return
    xp = array_namespace(ids)
    if int(xp.min(ids)) >= 0 and int(xp.max(ids)) < stop:
        return
    host = to_numpy(ids)
    right = (host >= 0) & (host < stop)
    check_all(name, host, right, f"from 0 to {stop - 1}{also} ({limit})")


def check_all(name: str, array: Array, right: Array, rule: str) -> None:
    """Check that all elements are right, and point to the first that is not."""
    if not has_values(right) or bool(array_namespace(right).all(right)):
        return
    where = np.argwhere(~to_numpy(right))[0].tolist()
    raise ValueError(f"{name}{where} is {to_numpy(array)[tuple(where)]}, but must be {rule}")


def random_generator(train: bool, rng: Any) -> Any:
    """Give what dropout draws from: None outside of training.

    That is a generator from a seed, or any object whose ``random(shape)`` gives uniform numbers in
    [0, 1).
    """
    rules.check("train", train, rules.BOOLEAN, TypeError)
    if not train:
        return None
    if rng is None:
        raise ValueError(
            "train is True, so dropout needs random numbers: give rng, a seed or a "
            "numpy.random.Generator"
        )
    return rng if callable(getattr(rng, "random", None)) else seeded(rng)


def seeded(seed: Any) -> np.random.Generator:
    """Make a generator of a seed, or without one."""
    if seed is not None and not rules.is_integer(seed):
        raise TypeError(f"rng is {shown(seed)}, but must be a seed or a numpy.random.Generator")
    if seed is not None and seed < 0:
        raise ValueError(f"rng is {shown(seed)}, but a seed must be at least 0")
    return np.random.default_rng(seed)


def check_weight(name: str, array: Any) -> None:
    """Refuse what no weight can be; arrays that only act like one are taken."""
    if not hasattr(array, "shape") or isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is of type {type_name(array)}, but must be an array")
    if "float" not in str(array.dtype):
        raise TypeError(f"{name} has dtype {array.dtype}, but must be floating-point: convert it")
