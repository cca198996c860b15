"""Results that have names: tensors that can also be unpacked, indexed and iterated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, overload

from .sentences import shown

__all__ = ["GIVEN", "ModelOutput"]

#: The default of a field that always has a value: it needs one where an optional field precedes it.
GIVEN: Any = None


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """Base of the outputs: a field is read by name, by position, or by unpacking.

    Fields that are None were not computed. They can be read as attributes, but do not count as
    keys or positions, so that ``output[0]`` is the loss with labels and the logits without.

    Iterating gives the values (in transformers it gives the names), so that
    ``loss, logits = model(input_ids, labels=labels)`` means what it says.

    >>> from minirobert import MaskedLMOutput
    >>> output = MaskedLMOutput(logits=3.5)
    >>> output.logits, output["logits"], output[0], output.loss, list(output.keys())
    (3.5, 3.5, 3.5, None, ['logits'])
    """

    def keys(self) -> tuple[str, ...]:
        """Name the fields that are not None, in order."""
        names = (one.name for one in fields(self))
        return tuple(name for name in names if getattr(self, name) is not None)

    def values(self) -> tuple[Any, ...]:
        """Give the fields that are not None, in order."""
        return tuple(getattr(self, name) for name in self.keys())

    def items(self) -> tuple[tuple[str, Any], ...]:
        """Give name and value of the fields that are not None, in order."""
        return tuple((name, getattr(self, name)) for name in self.keys())

    def to_tuple(self) -> tuple[Any, ...]:
        """Give the fields that are not None, in order."""
        return self.values()

    def get(self, name: str, default: Any = None) -> Any:
        """Give a field by name, or a default where it is None or there is none."""
        return getattr(self, name) if name in self.keys() else default

    @overload
    def __getitem__(self, key: str | int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, key: str | int | slice) -> Any:
        if not isinstance(key, str):
            return self.values()[key]
        if key not in self.keys():
            raise KeyError(
                f"{shown(key)} is not in this output, which has {', '.join(self.keys())}"
            )
        return getattr(self, key)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())

    def __len__(self) -> int:
        return len(self.keys())

    def __repr__(self) -> str:
        parts = (f"{name}={_brief(value)}" for name, value in self.items())
        return f"{type(self).__name__}({', '.join(parts)})"


def _brief(value: Any) -> str:
    """Show an array by its dtype and shape, a tuple by its length and first element."""
    if isinstance(value, tuple):
        return f"{len(value)} x {_brief(value[0])}" if value else "()"
    if getattr(value, "ndim", 0) == 0:  # a cache, too
        return repr(value)
    return f"{value.dtype}{list(value.shape)}"
