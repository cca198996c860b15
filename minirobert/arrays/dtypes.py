"""Dtypes by their names, those that a library has or has not, and half precision.

Libraries do not have the same dtypes. NumPy has no bfloat16 but through ml_dtypes, which it does
not know; the standard has neither bfloat16 nor float16; and JAX has nothing of 64 bits unless it is
told so, but gives 32 bits in its place. What is not there is an error here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..sentences import listed, plain, shown
from .namespaces import Array, Namespace, array_namespace, is_numpy, namespace_name

__all__ = [
    "FLOAT_DTYPES",
    "astype",
    "check_available",
    "dtype_name",
    "float_dtype",
    "float_name",
    "half_in_float32",
    "has_float",
    "holds",
    "index_dtype",
    "is_floating",
    "is_half",
    "is_integer",
    "item_size",
    "lowest",
    "widened",
    "widest_float",
]

#: The names of the dtypes that weights may have, from the narrowest to the widest.
FLOAT_DTYPES = ("bfloat16", "float16", "float32", "float64")


_WITHHELD = (
    "JAX computes in float32 unless jax_enable_x64 is set: call "
    'jax.config.update("jax_enable_x64", True) before anything else'
)


def dtype_name(array: Array) -> str:
    """Give the name of an array's dtype without its library: ``"float32"``, ``"int64"``.

    >>> dtype_name(np.zeros(3))
    'float64'
    """
    return str(array.dtype).rpartition(".")[2]


def item_size(array: Array) -> int:
    """Count the bytes of one element."""
    name = dtype_name(array)
    return 2 if name == "bfloat16" else np.dtype(name).itemsize  # which NumPy may not know


def holds(array: Array, kind: str | tuple[str, ...]) -> bool:
    """Tell whether an array holds numbers of a kind, or of one of several.

    Parameters
    ----------
    array : Array
    kind : str or tuple of str
        As the standard names them: ``"bool"``, ``"integral"``, ``"real floating"``,
        ``"complex floating"``, ``"numeric"`` …
    """
    try:
        return bool(array_namespace(array).isdtype(array.dtype, kind))
    except TypeError:  # NumPy, of a dtype that is not its own
        kinds = {kind} if isinstance(kind, str) else {*kind}
        return dtype_name(array) == "bfloat16" and bool(kinds & {"real floating", "numeric"})


def is_integer(array: Array) -> bool:
    """Tell whether an array holds integers (booleans are not)."""
    return holds(array, "integral")


def is_floating(array: Array) -> bool:
    """Tell whether an array holds real floating-point numbers."""
    return holds(array, "real floating")


def astype(array: Array, dtype: Any) -> Array:
    """Convert an array to a dtype of its own library, without a copy where it has it already."""
    return array_namespace(array).astype(array, dtype, copy=False)


def float_dtype(xp: Any, name: str) -> Any:
    """Find a library's floating dtype by name.

    Parameters
    ----------
    xp : array namespace
    name : str
        ``"bfloat16"``, ``"float16"``, ``"float32"`` or ``"float64"``. Dtypes of NumPy and of torch
        are accepted too, and ``"torch.float16"``.

    Raises
    ------
    ValueError
        If the name is no floating dtype, or the library does not have it.
    ModuleNotFoundError
        If it is NumPy's bfloat16, and ml_dtypes is not installed.

    >>> float_dtype(np, "float16")
    <class 'numpy.float16'>
    """
    name = float_name(name)
    if name == "bfloat16" and is_numpy(xp):
        return _bfloat16_of_numpy()
    known = [one for one in FLOAT_DTYPES if hasattr(xp, one) and not _is_withheld(xp, one)]
    if name in known:
        return getattr(xp, name)
    is_withheld = name in FLOAT_DTYPES and _is_withheld(xp, name)
    cure = f"{_WITHHELD}, or " if is_withheld else ""
    known += ["bfloat16"] if is_numpy(xp) else []
    raise ValueError(
        f"dtype {shown(name)} is not available in {plain(namespace_name(xp))}: {cure}choose one of "
        f"{listed(known)}"
    )


def has_float(xp: Any, name: str) -> bool:
    """Tell whether a library has a floating dtype; None is NumPy."""
    try:
        float_dtype(np if xp is None else xp, name)
    except (ImportError, ValueError):
        return False
    return True


def float_name(dtype: Any) -> Any:
    """Name a dtype as this package does, whatever library's it is; None stays None.

    >>> float_name(np.float64), float_name("torch.float16")
    ('float64', 'float16')
    """
    name = dtype
    if name is not None and not isinstance(name, str):  # np.dtype(None) would be float64
        try:
            name = np.dtype(name).name
        except Exception:  # NumPy prints it, whatever it is
            name = plain(name)
    name = name.rpartition(".")[2] if isinstance(name, str) else name
    return _ALIASES.get(name, name) if isinstance(name, str) else name


_ALIASES = {"half": "float16", "double": "float64"}  # "float" is 64 bits in NumPy, 32 in torch


def check_available(array: Array) -> None:
    """Refuse weights of a dtype that their library does not compute in, or no longer."""
    if _is_withheld(array_namespace(array), dtype_name(array)):
        raise ValueError(
            f'the weights are float64, but {_WITHHELD}, or convert the model: astype("float32")'
        )


def _bfloat16_of_numpy() -> Any:
    try:
        from ml_dtypes import bfloat16
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'dtype "bfloat16" needs ml_dtypes in NumPy: pip install ml_dtypes'
        ) from error
    return bfloat16


def _is_withheld(xp: Any, name: str) -> bool:
    """Tell a dtype of 64 bits in whose place JAX gives one of 32, with no more than a warning."""
    return (
        name in ("float64", "int64")
        and namespace_name(xp) == "jax.numpy"
        and name not in xp.__array_namespace_info__().dtypes()
    )


def index_dtype(xp: Namespace) -> Any:
    """Give the integers that a library counts in: int64, but int32 where JAX is not told to.

    >>> index_dtype(array_namespace(np.zeros(1)))
    <class 'numpy.int64'>
    """
    return xp.int32 if _is_withheld(xp, "int64") else xp.int64


def widest_float(xp: Namespace) -> Any:
    """Give the floating dtype of the most digits: float64, but float32 where JAX has no other."""
    return xp.float32 if _is_withheld(xp, "float64") else xp.float64


_LARGEST_BFLOAT16 = (2 - 2**-7) * 2.0**127


def lowest(array: Array) -> Any:
    """Give the lowest number of an array's dtype, such that an array of both keeps the dtype."""
    xp = array_namespace(array)
    if is_half(array) and is_numpy(xp) and dtype_name(array) == "bfloat16":
        return array.dtype.type(-_LARGEST_BFLOAT16)  # a number of Python would make it float64
    return float(xp.finfo(array.dtype).min)


def half_in_float32(function: Callable[..., Array]) -> Callable[..., Array]:
    """Let a formula compute arrays of 16 bits in float32 and round its result once, as torch does.

    Sums of float16 numbers lose their small terms and overflow at 65504, and ``eps = 1e-12``
    is zero in float16; bfloat16 has but three digits. So where torch keeps its accumulators in
    float32, this does too.
    """

    @wraps(function)
    def wrapper(x: Array, *args: Any, **kwargs: Any) -> Array:
        if not is_half(x):
            return function(x, *args, **kwargs)
        wide_args = [widened(value) for value in args]
        wide_kwargs = {name: widened(value) for name, value in kwargs.items()}
        return astype(function(widened(x), *wide_args, **wide_kwargs), x.dtype)

    return wrapper


def is_half(value: Any) -> bool:
    """Tell an array of float16 or bfloat16."""
    if not hasattr(value, "dtype"):
        return False
    # Naming a dtype takes as long as a small formula, so its size is asked first where it is known.
    size = getattr(value.dtype, "itemsize", 2)
    return size == 2 and str(value.dtype).endswith("float16")


def widened(value: Any) -> Any:
    """Give an array of float16 or bfloat16 in float32, which holds it exactly, and others as is."""
    return astype(value, array_namespace(value).float32) if is_half(value) else value
