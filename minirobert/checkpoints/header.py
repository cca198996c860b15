"""The header of a safetensors file: what it says of each tensor, and whether that can be true.

A file is eight bytes that tell how long the header is, the header, which is JSON, and the numbers
of one tensor after the other. What is accepted here is what the safetensors library accepts, up to
a number of commas that no model comes near. The library reads through a map of the file in memory,
and a file that becomes shorter meanwhile would end the process without a word; so nothing is mapped
here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..arrays import Shape
from ..sentences import shown

__all__ = ["LENGTH_BYTES", "HeaderError", "TensorInfo", "check_length", "parse_header"]

#: The bytes in front of the header.
LENGTH_BYTES = 8

_MOST_BYTES = 100_000_000  # of a header, as in the library
_MOST_COMMAS = 1_000_000  # about five for each tensor: more would only take memory and time
_DEEPEST = 125  # lists in lists, where nobody looks at them
_LARGEST = 2**64 - 1
_FIELDS = ("dtype", "shape", "data_offsets")

_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


class HeaderError(ValueError):
    """What is wrong with a header, in a few words."""


class TensorInfo(NamedTuple):
    """What a header says of a tensor; the bytes are counted from the end of the header."""

    dtype: str
    shape: Shape
    start: int
    stop: int


def check_length(length: int, file_size: int) -> None:
    """Check how long a header says that it is, before it is read."""
    if length > _MOST_BYTES:
        raise HeaderError(f"a header of {length:,} bytes, of at most {_MOST_BYTES:,}")
    if length + LENGTH_BYTES > file_size:
        raise HeaderError(f"a header of {length:,} bytes, in a file of {file_size:,}")


def parse_header(header: bytes, data_size: int) -> tuple[dict[str, TensorInfo], dict[str, str]]:
    """Read a header.

    Parameters
    ----------
    header : bytes
        Without the eight bytes in front of it.
    data_size : int
        The bytes of the file behind it.

    Returns
    -------
    dict of str to TensorInfo
        In the order of the file.
    dict of str to str
        The header's ``__metadata__``.

    Raises
    ------
    HeaderError
        If it is none, or if the tensors do not fill the data, each byte once.

    >>> parse_header(b'{"a": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}}', 12)
    ({'a': TensorInfo(dtype='F16', shape=(2, 3), start=0, stop=12)}, {})
    """
    tensors: dict[str, TensorInfo] = {}
    metadata = None
    for name, value in _parsed(header):
        if name != "__metadata__":
            tensors[name] = _tensor_info(name, value)
        elif metadata is None:
            metadata = _texts(value)
        else:
            raise HeaderError("two entries __metadata__")
    _check_places(tensors, data_size)
    return tensors, metadata or {}


def _parsed(header: bytes) -> Any:
    """Read JSON: its objects are tuples of pairs, as a name may come twice."""
    if header.count(b",") > _MOST_COMMAS:
        raise HeaderError(f"a header with more than {_MOST_COMMAS:,} commas")
    try:
        value = _JSON.decode(header.decode())
        if re.search(rb"\\u[dD][89a-fA-F]", header):
            json.dumps(value, ensure_ascii=False).encode()  # fails for half a character
    except RecursionError:
        raise HeaderError("a header that is nested too deeply") from None
    except UnicodeError:
        raise HeaderError("a header that is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise HeaderError(f"a header that is no JSON: {error.msg} at {error.pos}") from None
    if not isinstance(value, tuple) or isinstance(value, TensorInfo):
        raise HeaderError("a header that is no object of tensors")
    return value


def _object(pairs: list[tuple[str, Any]]) -> tuple[Any, ...]:
    """Keep an object of JSON: as what it nearly always is, or as it stands, to be judged later."""
    if len(pairs) == 3:
        (first, dtype), (second, shape), (third, offsets) = pairs
        if (first, second, third) == _FIELDS and _is_right(dtype, shape, offsets):
            return TensorInfo(dtype, tuple(shape), *offsets)
    return tuple(pairs)


def _whole_number(text: str) -> int | float:
    """Read an integer of JSON; what no size can be becomes a float, which no size may be."""
    is_size = text[0] != "-" and len(text) <= 20 and int(text) <= _LARGEST
    return int(text) if is_size else _fraction(text)


def _fraction(text: str) -> float:
    if math.isinf(float(text)):
        raise HeaderError("a header with a number that is too large")
    return float(text)


def _no_number(text: str) -> None:
    raise HeaderError(f"a header that is no JSON: {text}")


_JSON = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_whole_number,
    parse_float=_fraction,
    parse_constant=_no_number,
)


def _texts(value: Any) -> dict[str, str]:
    """Read the metadata, which may be null."""
    if value is None:
        return {}
    is_object = isinstance(value, tuple) and not isinstance(value, TensorInfo)
    if not is_object or not all(isinstance(text, str) for _, text in value):
        raise HeaderError("__metadata__ that is no object of strings")
    return dict(value)


def _tensor_info(name: str, value: Any) -> TensorInfo:
    """Read what is said of one tensor, or say what is wrong with it."""
    if isinstance(value, TensorInfo):
        return value
    if isinstance(value, list) and len(value) == 3:  # which the library takes, too
        value = tuple(zip(_FIELDS, value, strict=True))
    if not isinstance(value, tuple):
        raise HeaderError(f"{shown(name, 60)}, which is no object")
    fields = [(key, field) for key, field in value if key in _FIELDS]
    for key, field in value:
        if key not in _FIELDS:
            _check_depth(field)
    if len(fields) != 3 or len(dict(fields)) != 3:
        raise HeaderError(f"{shown(name, 60)} without one each of {', '.join(_FIELDS)}")
    dtype, shape, offsets = (dict(fields)[key] for key in _FIELDS)
    if not _is_right(dtype, shape, offsets):
        said = ", ".join(f"{key} {shown(field, 40)}" for key, field in fields)
        raise HeaderError(f"{said} for {shown(name, 60)}")
    return TensorInfo(dtype, tuple(shape), *offsets)


def _is_right(dtype: Any, shape: Any, offsets: Any) -> bool:
    are_lists = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2
    is_dtype = isinstance(dtype, str) and dtype in _BITS
    return is_dtype and are_lists and {*map(type, shape), *map(type, offsets)} == {int}


def _check_depth(value: Any) -> None:
    """Refuse what is nested more deeply than the library reads, though nobody looks at it."""
    level = [value]
    for _ in range(_DEEPEST + 1):
        level = [part for one in level if isinstance(one, list | tuple) for part in _parts(one)]
        if not level:
            return
    raise HeaderError("a header that is nested too deeply")


def _parts(value: list[Any] | tuple[Any, ...]) -> Iterable[Any]:
    """Give what is in a list or an object, or something in place of nothing."""
    if isinstance(value, TensorInfo):
        return [[None]]  # as deep as it was: lists in an object
    inner = value if isinstance(value, list) else [one for _, one in value]
    return inner or [None]


def _check_places(tensors: dict[str, TensorInfo], data_size: int) -> None:
    """Check that the tensors lie one behind the other, and have the bytes that they need."""
    end = 0
    for name, info in sorted(tensors.items(), key=lambda one: one[1][2:]):
        if info.start != end or info.stop < info.start:
            raise HeaderError(
                f"the data_offsets {info.start:,} to {info.stop:,} of {shown(name, 60)}, where "
                f"{end:,} bytes come before"
            )
        if info.stop - info.start != _n_bytes(name, info):
            raise HeaderError(
                f"{info.stop - info.start:,} bytes for {shown(name, 60)}, which is {info.dtype} of "
                f"shape {shown(list(info.shape), 60)}"
            )
        end = info.stop
    if end != data_size:
        raise HeaderError(f"tensors of {end:,} bytes, where there are {data_size:,}")


def _n_bytes(name: str, info: TensorInfo) -> float:
    """Count the bytes that a tensor needs, which may be none that a computer can count."""
    count = 1
    for size in (*info.shape, _BITS[info.dtype]):
        count *= size
        if count > _LARGEST:
            raise HeaderError(f"the shape {shown(list(info.shape), 60)} of {shown(name, 60)}")
    return count / 8 if count % 8 else count // 8
