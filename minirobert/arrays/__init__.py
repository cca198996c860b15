"""Which library an array belongs to, its dtype, and moves between libraries and devices.

The mathematics of this package is written once, against the Python array API standard
(https://data-apis.org/array-api): ``xp = array_namespace(x)`` finds the library that ``x`` came
from, and only functions of the standard are called on it. What the standard does not say is here,
by name:

- `minirobert.arrays.namespaces`: what an array is, and the library that it came from;
- `minirobert.arrays.dtypes`: dtypes by their names, and half precision;
- `minirobert.arrays.moves`: where an array is, and how it gets elsewhere;
- `minirobert.arrays.lacking`: what some library lacks;
- `minirobert.arrays.values`: whether numbers can be read, or a library records what is computed.

`AXES` says what the letters of all shapes mean.
"""

from __future__ import annotations

from .dtypes import (
    FLOAT_DTYPES,
    astype,
    check_available,
    dtype_name,
    float_dtype,
    float_name,
    half_in_float32,
    has_float,
    holds,
    index_dtype,
    is_floating,
    is_half,
    is_integer,
    item_size,
    lowest,
    widened,
    widest_float,
)
from .lacking import is_lazy, is_writeable, take_along_last
from .moves import (
    as_array_like,
    device_name,
    first_device,
    move_like,
    to_device,
    to_numpy,
)
from .namespaces import (
    AXES,
    Array,
    Namespace,
    Shape,
    array_namespace,
    device_of,
    is_array_api_obj,
    library_name,
    namespace_name,
)
from .values import has_values

__all__ = [
    "AXES",
    "FLOAT_DTYPES",
    "Array",
    "Namespace",
    "Shape",
    "array_namespace",
    "as_array_like",
    "astype",
    "check_available",
    "device_name",
    "device_of",
    "dtype_name",
    "first_device",
    "float_dtype",
    "float_name",
    "half_in_float32",
    "has_float",
    "has_values",
    "holds",
    "index_dtype",
    "is_array_api_obj",
    "is_floating",
    "is_half",
    "is_integer",
    "is_lazy",
    "is_writeable",
    "item_size",
    "library_name",
    "lowest",
    "move_like",
    "namespace_name",
    "take_along_last",
    "to_device",
    "to_numpy",
    "widened",
    "widest_float",
]
