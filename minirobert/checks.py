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
    is_array_api_obj,
    is_floating,
    is_integer,
    library_name,
    to_numpy,
)
from .sentences import listed, plain, shown
from .warning import warn

__all__ = [
    "booleans",
    "check_all",
    "check_dtype",
    "check_integers",
    "check_not_empty",
    "check_range",
    "check_shape",
    "floats",
    "integers",
    "place",
    "random_generator",
    "warn",
]


def place(name: str, value: Any, like: Array) -> Array:
    """Make lists and arrays in the same memory the model's; refuse those that are elsewhere."""
    xp = array_namespace(like)
    if isinstance(value, Mapping):
        raise ValueError(
            f"{name} is a dictionary, of {listed(value)}: give what it holds by name, "
            "as in model(**inputs)"
        )
    try:
        array = as_array_like(value, like)
        is_numbers = array_namespace(array).isdtype(array.dtype, ("bool", "numeric"))
    except (BufferError, RuntimeError) as error:
        raise ValueError(
            f"{name} is a {library_name(value)} array that {library_name(like)} cannot read "
            f"({plain(error)}): convert it there first, as with detach() or float()"
        ) from None
    except (TypeError, ValueError):
        is_numbers = False
    if not is_numbers:
        raise ValueError(
            f"{name} is no array of numbers with rows of one length: tokenize texts, and pad rows"
        )
    if array_namespace(array) is xp and device_of(array) == device_of(like):
        return array
    raise ValueError(
        f"{name} is a {library_name(array)} array on device {device_of(array)}, but the model's "
        f"weights are {library_name(like)} arrays on device {device_of(like)}: move one of them, "
        "with minirobert.to_device or model.to"
    )


def integers(name: str, value: Any, like: Array, axes: str, rank: int) -> Array:
    """Check that an array holds integers, and has ``rank`` axes."""
    array = place(name, value, like)
    if array.ndim != rank:
        raise ValueError(
            f"{name} has {array.ndim} axes (shape {shown(list(array.shape))}), but must be {axes}"
            + (f": write {name}[None, :] for a batch of one" if array.ndim == rank - 1 else "")
        )
    check_not_empty(name, array)
    check_integers(name, array)
    return array


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


def booleans(name: str, mask: Array) -> Array:
    """Check that a mask holds nothing but 0 and 1, and make it boolean."""
    xp = array_namespace(mask)
    if mask.dtype != xp.bool:
        check_all(name, mask, (mask == 0) | (mask == 1), "1 (attend) or 0 (masked)")
    return astype(mask, xp.bool)


def check_integers(name: str, array: Array) -> None:
    """Refuse floating-point numbers and booleans."""
    if not is_integer(array):
        raise TypeError(
            f"{name} has dtype {dtype_name(array)}, but must hold integers: use int64 or int32"
        )


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
    xp = array_namespace(ids)
    if int(xp.min(ids)) >= 0 and int(xp.max(ids)) < stop:
        return
    host = to_numpy(ids)
    right = (host >= 0) & (host < stop)
    check_all(name, host, right, f"from 0 to {stop - 1}{also} ({limit})")


def check_all(name: str, array: Array, right: Array, rule: str) -> None:
    """Check that all elements are right, and point to the first that is not."""
    if bool(array_namespace(right).all(right)):
        return
    where = np.argwhere(~to_numpy(right))[0].tolist()
    raise ValueError(f"{name}{where} is {to_numpy(array)[tuple(where)]}, but must be {rule}")


def random_generator(train: bool, rng: Any) -> Any:
    """Give what dropout draws from: None outside of training.

    That is a generator from a seed, or any object whose ``random(shape)`` gives uniform numbers in
    [0, 1).
    """
    if not train:
        return None
    if rng is None:
        raise ValueError(
            "train is True, so dropout needs random numbers: give rng, a seed or a "
            "numpy.random.Generator"
        )
    if rules.is_integer(rng):
        return np.random.default_rng(rng)
    if not callable(getattr(rng, "random", None)):
        raise TypeError(f"rng is {shown(rng)}, but must be a seed or a numpy.random.Generator")
    return rng
