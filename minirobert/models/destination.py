"""Where the weights of a model go, and with which dtype they arrive there."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..arrays import (
    FLOAT_DTYPES,
    Array,
    array_namespace,
    astype,
    dtype_name,
    float_dtype,
    float_name,
    has_float,
    item_size,
    to_device,
    widened,
)

__all__ = ["Destination"]

_SIZES = {"float16": 2, "float32": 4, "float64": 8}


class Destination(NamedTuple):
    """What `RobertaPreTrainedModel.to` is asked for; None changes nothing."""

    device: Any = None
    xp: Any = None
    dtype: Any = None

    def settled(self, named: str | None) -> Destination:
        """Let ``"auto"`` be the dtype that a configuration names, if weights can have it there."""
        is_cuda = self.xp is None and self.device not in (None, "cpu")
        if self.dtype != "auto" or named not in FLOAT_DTYPES or (is_cuda and named == "bfloat16"):
            return self
        return self._replace(dtype=named) if has_float(self.xp, named) else self

    @property
    def read_as(self) -> Any:
        """The dtype in which NumPy reads the weights, which has no bfloat16 of its own."""
        is_elsewhere = self.xp is not None or self.device not in (None, "cpu")
        return "float32" if is_elsewhere and float_name(self.dtype) == "bfloat16" else self.dtype

    def placed(self, array: Array) -> Array:
        """Move an array, and convert it where that takes less: before, or once it is there.

        Nothing becomes wide before it is moved, where it might have no room or dtype; and bfloat16
        may be known only there, or only here.
        """
        name = float_name(self.dtype)
        if name in (None, "auto"):
            return self._moved(array)
        if name != "bfloat16" == dtype_name(array):
            array = widened(array)
        if name == "bfloat16" or _SIZES.get(name, 0) > item_size(array):
            return _converted(self._moved(array), name)
        return self._moved(_converted(array, name))

    def _moved(self, array: Array) -> Array:
        if self.device is None and self.xp is None:
            return array
        return to_device(array, self.device, self.xp)


def _converted(array: Array, name: Any) -> Array:
    return astype(array, float_dtype(array_namespace(array), name))
