"""Where an array is, and how it gets to another device or another library."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from numbers import Integral
from typing import Any, cast

import array_api_compat
import numpy as np
from array_api_compat import is_cupy_array, is_dask_array, is_numpy_array

from ..sentences import listed, plain, shown
from .dtypes import astype, dtype_name, float_dtype, index_dtype, is_integer, widened
from .namespaces import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    is_array_api_obj,
    library_name,
    namespace_name,
)
from .values import has_values

__all__ = [
    "as_array_like",
    "device_name",
    "first_device",
    "move_like",
    "to_device",
    "to_numpy",
]


def as_array_like(values: Array | Sequence[Any], like: Array) -> Array:
    """Make an array of the same library and on the same device as another.

    Arrays of another library that are in the same memory, such as tensors of torch on the CPU, are
    read where they are, through DLPack. All others pass through untouched: moving one to another
    device is the caller's decision (see `to_device`). Python numbers and nested lists live nowhere
    yet, so they are placed where ``like`` is.

    Raises
    ------
    BufferError
        If the other library does not let its array be read, such as torch where it requires a
        gradient.
    """
    if type(values) is type(like) or not has_values(values):
        return cast("Array", values)
    if _memory_of(values) is not None and _memory_of(values) == _memory_of(like):
        return _read_in_place(values, like)
    is_constant = type(values) is np.ndarray and not has_values(like)  # of what is recorded
    if is_array_api_obj(values) and not is_constant:
        return cast("Array", values)
    return array_namespace(like).asarray(values, device=device_of(like))


def _memory_of(array: Any) -> Any:
    """Tell in which memory an array is, by DLPack's numbers, or None if DLPack does not know it."""
    if is_dask_array(array):
        return _HOST[0], 0
    try:
        kind, number = map(int, array.__dlpack_device__())
    except (AttributeError, ValueError, TypeError, BufferError):  # as of torch's device "meta"
        return None
    if kind not in _HOST:
        return kind, number
    if is_array_api_obj(array) and "cpu" not in str(device_of(array)).lower():
        return None  # a device that its library only plays, in memory of the host
    return _HOST[0], 0


_HOST = (1, 3, 11)  # DLPack's numbers of the CPU, and of memory pinned for CUDA or ROCm


def _read_in_place(array: Any, like: Array) -> Array:
    xp = array_namespace(like)
    if is_array_api_obj(array) and array_namespace(array) is xp:
        return xp.asarray(array)  # as of a class that is NumPy's and more
    if isinstance(array, np.ndarray) and not array.dtype.isnative:
        return _sent(array.astype(array.dtype.newbyteorder("=")), xp, device_of(like))
    if is_dask_array(array) or is_dask_array(like) or index_dtype(xp) != xp.int64:
        return _sent(to_numpy(array), xp, device_of(like))
    return xp.from_dlpack(array)


def to_numpy(array: Any) -> np.ndarray[Any, Any]:
    """Copy an array to the host, as a NumPy array (a NumPy array is returned as it is).

    Raises
    ------
    ModuleNotFoundError
        If it holds bfloat16, and ml_dtypes is not installed.
    """
    host = array
    if is_cupy_array(array):
        host = array.get()
    elif is_dask_array(array):
        host = np.asarray(array)  # which has it computed
    elif library_name(array) == "ndonnx":  # which has no DLPack
        host = array.unwrap_numpy()
    elif not is_numpy_array(array):
        if is_array_api_obj(array) and dtype_name(array) == "bfloat16":  # DLPack's NumPy has none
            return to_numpy(widened(array)).astype(float_dtype(np, "bfloat16"))
        host = np.from_dlpack(array, device="cpu")
    return cast("np.ndarray[Any, Any]", host)


def move_like(array: Array, like: Array) -> Array:
    """Move an array to the library and device of another."""
    return to_device(array, device_of(like), array_namespace(like))


def to_device(array: Array, device: Any = "cpu", xp: Any = None) -> Array:
    """Move an array to a device.

    Parameters
    ----------
    array : Array
        Of any library.
    device : str, int or device object
        ``"cpu"`` gives a NumPy array; ``"cuda"``, ``"cuda:1"`` or the number of a CUDA device a
        CuPy array; with ``xp``, a device of that library, or the name of one. None is the library's
        first choice.
    xp : array namespace, optional
        Another library that follows the array API standard, such as ``torch`` or ``jax.numpy``.

    Returns
    -------
    Array
        The same values and dtype there. No copy is made where none is needed. Integers that fit may
        have 32 bits where a library has no others, as JAX unless it is told.

    Raises
    ------
    ValueError
        If the device's name is not known, or has a number that this machine does not; or if the
        library does not have the dtype.
    ModuleNotFoundError
        If CuPy is needed and not installed.
    TypeError
        If ``xp`` is no library.
    """
    if xp is not None and not hasattr(xp, "__name__"):
        raise TypeError(
            f"xp is {shown(xp)}, but must be an array library itself, such as torch or jax.numpy"
        )
    if xp is not None and namespace_name(xp) != "cupy":
        space = array_namespace(xp.empty(0))
        device = _device_of_library(device, space)
        if is_array_api_obj(array) and array_namespace(array) is space:
            at_place = device is None or device_of(array) == device
            return array if at_place else cast("Array", array_api_compat.to_device(array, device))
        return _sent(to_numpy(array), space, device)
    name, _, number = ("cuda" if device is None else device_name(device)).partition(":")
    if name == "cpu" and number in ("", "0") and xp is None:
        return to_numpy(array)
    if name == "cuda" and (not number or (number.isdecimal() and len(number) < 10)):
        return _to_cuda(array, int(number or 0))
    if xp is not None:
        raise ValueError(
            f'device {shown(device)} is none of CuPy\'s: use "cuda" or "cuda:N", or leave out xp '
            'for NumPy on the "cpu"'
        )
    raise ValueError(
        f'device {shown(device)} is not known: use "cpu", "cuda" or "cuda:N", '
        "or name another array library with xp="
    )


def _device_of_library(device: Any, xp: Namespace) -> Any:
    """Find a device of a library by its name, which not all libraries do themselves."""
    if not isinstance(device, str):
        return device
    try:
        xp.empty(0, device=device)
    except Exception:  # each library raises its own
        devices = [one for one in _devices_of(xp) if one is not None]
        named = [one for one in devices if device and device.lower() in str(one).lower()]
        if named:
            return named[0]
        raise ValueError(
            f"device {shown(device)} is none of {plain(namespace_name(xp))}'s"
            + (f": it has {listed(devices, each=shown)}" if devices else "")
        ) from None
    return device


def _devices_of(xp: Any) -> Sequence[Any]:
    try:
        return tuple(xp.__array_namespace_info__().devices())
    except AttributeError:  # of an older edition of the standard
        return ()


def _sent(host: np.ndarray[Any, Any], xp: Namespace, device: Any) -> Array:
    """Make an array of another library from one of NumPy, with the same dtype."""
    name = dtype_name(cast("Array", host))
    if "float" in name:
        dtype = float_dtype(xp, name)
        sent = xp.asarray(widened(host) if name == "bfloat16" else host, device=device)
        sent = sent if sent.dtype == dtype else astype(sent, dtype)
    elif is_integer(cast("Array", host)):
        sent = xp.asarray(_as_counted(host, xp), device=device)
    else:
        sent = xp.asarray(host, device=device)
    return sent


def _as_counted(host: np.ndarray[Any, Any], xp: Namespace) -> np.ndarray[Any, Any]:
    """Give integers of 64 bits 32 where the library has no others, if they fit."""
    if host.dtype.itemsize < 8 or index_dtype(xp) == xp.int64:
        return host
    narrow = host.astype(np.int32)
    if not np.array_equal(narrow, host):
        raise ValueError(
            f"an array holds integers beyond 32 bits, and {plain(namespace_name(xp))} has no "
            'others unless jax_enable_x64 is set: call jax.config.update("jax_enable_x64", True) '
            "before anything else"
        )
    return narrow


def device_name(device: Any) -> str:
    """Name a device as `to_device` takes it: from a number, or from a device of CuPy or torch.

    >>> device_name(1), device_name("cpu")
    ('cuda:1', 'cpu')
    """
    if type(device).__module__.startswith("cupy"):
        device = device.id
    return f"cuda:{device}" if isinstance(device, Integral) else plain(device)


def first_device() -> str:
    """Name the CUDA device where CuPy finds one, and otherwise the CPU."""
    return "cuda" if find_spec("cupy") is not None and _cuda_devices() else "cpu"


def _cuda_devices() -> int:
    """Count the CUDA devices of this machine."""
    import cupy

    try:
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


def _to_cuda(array: Array, number: int) -> Array:
    try:
        import cupy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'device "cuda" needs CuPy: pip install cupy-cuda12x (or cupy-cuda13x)'
        ) from error
    count = _cuda_devices()
    if number >= count:
        raise ValueError(
            f'device "cuda:{shown(number)}" does not exist: CuPy finds {count} CUDA devices on '
            'this machine; use "cpu"' + (f' or "cuda:0" … "cuda:{count - 1}"' if count else "")
        )
    with cupy.cuda.Device(number):
        moved: Array = cupy.asarray(array if is_cupy_array(array) else to_numpy(array))
        return moved
