"""Which library an array belongs to, its dtype, and moves between host and device.

The mathematics of this package is written once, against the Python array API standard
(https://data-apis.org/array-api): ``xp = array_namespace(x)`` finds the library that ``x`` came
from, and only functions of the standard are called on it. What the standard does not say (where a
device is, how an array gets there, what to do with half precision) is here, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from importlib.util import find_spec
from numbers import Integral
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, cast

import array_api_compat
import numpy as np
from array_api_compat import is_cupy_array, is_numpy_array

from .sentences import plain, shown

__all__ = [
    "AXES",
    "Array",
    "Shape",
    "array_namespace",
    "as_array_like",
    "astype",
    "device_name",
    "device_of",
    "dtype_name",
    "first_device",
    "float_dtype",
    "half_in_float32",
    "has_values",
    "is_array_api_obj",
    "is_floating",
    "is_integer",
    "library_name",
    "move_like",
    "to_device",
    "to_numpy",
]

Shape: TypeAlias = tuple[int, ...]


class Array(Protocol):
    """An array of any library that follows the standard, as far as this package uses it."""

    @property
    def dtype(self) -> Any:
        """What it holds: an object of its library."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def shape(self) -> Shape:
        """The length of each axis."""

    def __getitem__(self, key: Any, /) -> Array: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __add__(self, other: Any, /) -> Array: ...
    def __radd__(self, other: Any, /) -> Array: ...
    def __sub__(self, other: Any, /) -> Array: ...
    def __rsub__(self, other: Any, /) -> Array: ...
    def __mul__(self, other: Any, /) -> Array: ...
    def __rmul__(self, other: Any, /) -> Array: ...
    def __truediv__(self, other: Any, /) -> Array: ...
    def __rtruediv__(self, other: Any, /) -> Array: ...
    def __floordiv__(self, other: Any, /) -> Array: ...
    def __matmul__(self, other: Any, /) -> Array: ...
    def __mod__(self, other: Any, /) -> Array: ...
    def __pow__(self, other: Any, /) -> Array: ...
    def __neg__(self) -> Array: ...
    def __invert__(self) -> Array: ...
    def __and__(self, other: Any, /) -> Array: ...
    def __or__(self, other: Any, /) -> Array: ...
    def __lt__(self, other: Any, /) -> Array: ...
    def __le__(self, other: Any, /) -> Array: ...
    def __gt__(self, other: Any, /) -> Array: ...
    def __ge__(self, other: Any, /) -> Array: ...
    def __eq__(self, other: object, /) -> Array: ...  # type: ignore[override]  # as arrays do
    def __ne__(self, other: object, /) -> Array: ...  # type: ignore[override]  # as arrays do
    def __bool__(self) -> bool: ...
    def __int__(self) -> int: ...
    def __float__(self) -> float: ...


class Namespace(Protocol):
    """The functions of an array library, most of which give an array."""

    __name__: str
    float32: Any
    int64: Any
    uint64: Any
    bool: Any
    finfo: Callable[[Any], Any]
    isdtype: Callable[[Any, Any], Any]
    result_type: Callable[..., Any]

    def __getattr__(self, name: str, /) -> Callable[..., Array]: ...


def array_namespace(*arrays: Any) -> Namespace:
    """Find the library that arrays belong to, which must be the same.

    Numbers of Python belong to none.
    """
    for array in arrays:
        if type(array) is not np.ndarray:
            return cast("Namespace", array_api_compat.array_namespace(*arrays))
    return _numpy()  # what that finds too, but it takes as long as a small formula


@cache
def _numpy() -> Namespace:
    return cast("Namespace", array_api_compat.array_namespace(np.empty(0)))


# Under types that say no more than this package relies on:
device_of: Callable[[Any], Any] = array_api_compat.device
is_array_api_obj: Callable[[Any], bool] = array_api_compat.is_array_api_obj
_to_device: Callable[..., Array] = array_api_compat.to_device


#: The letters that stand for axes in every file, as in ``[B, N, S, T]``; ``...`` is any number of
#: axes, and a product or sum of letters is one axis: ``[B C, S]``, ``[B, N, K + S, D]``.
AXES: Mapping[str, str] = MappingProxyType(
    {
        "B": "batch: the texts",
        "C": "classes of a text or token, or choices",
        "D": "size of a head, H / N",
        "E": "tokens of the encoder's text, which a decoder's cross-attention looks at",
        "H": "hidden size",
        "I": "intermediate size, inside the feed-forward network",
        "K": "tokens kept in the cache, the past",
        "L": "layers",
        "M": "rows of any kind, such as all tokens of all texts, or the masks of one",
        "N": "attention heads; fewer in a layer that was pruned",
        "P": "rows of the position table",
        "R": "sequences that are generated for each text",
        "S": "sequence: the tokens of this call, the queries of attention",
        "T": "keys of attention: K + S of them, or E",
        "V": "vocabulary",
        "W": "width of a beam search",
        "X": "what goes into a formula of any width",
        "Y": "what comes out of it",
    }
)

FLOAT_DTYPES = ("float16", "float32", "float64")


def dtype_name(array: Array) -> str:
    """Give the name of an array's dtype without its library: ``"float32"``, ``"int64"``.

    >>> dtype_name(np.zeros(3))
    'float64'
    """
    return str(array.dtype).rpartition(".")[2]


def is_integer(array: Array) -> bool:
    """Tell whether an array holds integers (booleans are not)."""
    return bool(array_namespace(array).isdtype(array.dtype, "integral"))


def is_floating(array: Array) -> bool:
    """Tell whether an array holds real floating-point numbers."""
    return bool(array_namespace(array).isdtype(array.dtype, "real floating"))


def astype(array: Array, dtype: Any) -> Array:
    """Convert an array to a dtype of its own library, without a copy where it has it already."""
    return array_namespace(array).astype(array, dtype, copy=False)


def float_dtype(xp: Any, name: str) -> Any:
    """Find a library's floating dtype by name.

    Parameters
    ----------
    xp : array namespace
    name : str
        ``"float16"``, ``"float32"`` or ``"float64"``. Dtypes of NumPy and of torch are accepted
        too, and ``"torch.float16"``.

    Raises
    ------
    ValueError
        If the name is no floating dtype, or the library does not have it.

    >>> float_dtype(np, "float16")
    <class 'numpy.float16'>
    """
    if name is not None and not isinstance(name, str):  # np.dtype(None) would be float64
        try:
            name = np.dtype(name).name
        except Exception:  # NumPy prints it, whatever it is
            name = plain(name)
    if isinstance(name, str):
        name = name.rpartition(".")[2]
    if name not in FLOAT_DTYPES or not hasattr(xp, name):
        library = xp.__name__.removeprefix("array_api_compat.")
        raise ValueError(
            f"dtype {shown(name)} is not available in {library}: choose one of "
            f"{', '.join(known for known in FLOAT_DTYPES if hasattr(xp, known))}"
        )
    return getattr(xp, name)


def half_in_float32(function: Callable[..., Array]) -> Callable[..., Array]:
    """Let a formula compute float16 arrays in float32 and round its result once, as torch does.

    Sums of float16 numbers lose their small terms and overflow at 65504, and ``eps = 1e-12``
    is zero in float16. So where torch keeps its accumulators in float32, this does too.
    """

    @wraps(function)
    def wrapper(x: Array, *args: Any, **kwargs: Any) -> Array:
        if not _is_half(x):
            return function(x, *args, **kwargs)
        wide_args = [_widen(value) for value in args]
        wide_kwargs = {name: _widen(value) for name, value in kwargs.items()}
        return astype(function(_widen(x), *wide_args, **wide_kwargs), x.dtype)

    return wrapper


def _is_half(value: Any) -> bool:
    if not hasattr(value, "dtype"):
        return False
    # Naming a dtype takes as long as a small formula, so its size is asked first where it is known.
    size = getattr(value.dtype, "itemsize", 2)
    return size == 2 and str(value.dtype).endswith("float16")


def _widen(value: Any) -> Any:
    return astype(value, array_namespace(value).float32) if _is_half(value) else value


def library_name(array: Array) -> str:
    """Name the library that an array belongs to, such as ``"numpy"``."""
    return type(array).__module__.partition(".")[0]


def has_values(array: Any) -> bool:
    """Tell whether the numbers of an array can be read.

    They cannot where a library records what is computed, to compile it, to differentiate it or to
    write it to a file: then an array has a dtype and a shape, and stands for any numbers.

    >>> has_values(np.zeros(3))
    True
    """
    if type(array) is np.ndarray:
        return True
    known = _HAVE_VALUES.get(library_name(array))
    return not getattr(array, "is_symbolic", False) if known is None else known(array)


def _has_values_in_torch(array: Any) -> bool:
    import torch

    return not (
        torch.compiler.is_compiling()  # torch.compile, torch.export
        or array.is_meta
        or torch._C._functorch.is_batchedtensor(array)  # torch.func.vmap
    )


def _has_values_in_jax(array: Any) -> bool:
    import jax

    return not isinstance(array, jax.core.Tracer)  # as jax.jit, vmap and grad pass


def _has_values_in_ndonnx(array: Any) -> bool:
    try:
        array.unwrap_numpy()
    except ValueError:  # it depends on an input of the graph
        return False
    return True


#: Arrays of JAX that hold numbers are from the module jaxlib.
_HAVE_VALUES: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "torch": _has_values_in_torch,
        "jax": _has_values_in_jax,
        "ndonnx": _has_values_in_ndonnx,
    }
)


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
    return xp.from_dlpack(array)


def to_numpy(array: Any) -> np.ndarray[Any, Any]:
    """Copy an array to the host, as a NumPy array (a NumPy array is returned as it is)."""
    host = array
    if is_cupy_array(array):
        host = array.get()
    elif not is_numpy_array(array):
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
        CuPy array; with ``xp``, a device of that library.
    xp : array namespace, optional
        Another library that follows the array API standard.

    Returns
    -------
    Array
        The same values and dtype there. No copy is made where none is needed.

    Raises
    ------
    ValueError
        If the device's name is not known, or has a number that this machine does not.
    ModuleNotFoundError
        If CuPy is needed and not installed.
    """
    if xp is not None:
        if is_array_api_obj(array) and array_namespace(array) is array_namespace(xp.empty(0)):
            return array if device_of(array) == device else _to_device(array, device)
        moved: Array = xp.asarray(to_numpy(array), device=device)
        return moved
    name, _, number = device_name(device).partition(":")
    if name == "cpu" and number in ("", "0"):
        return to_numpy(array)
    if name == "cuda" and (not number or (number.isdecimal() and len(number) < 10)):
        return _to_cuda(array, int(number or 0))
    raise ValueError(
        f'device {shown(device)} is not known: use "cpu", "cuda" or "cuda:N", '
        "or name another array library with xp="
    )


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
            'device "cuda" needs CuPy: pip install "minirobert[cuda12]" (or cuda13)'
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
