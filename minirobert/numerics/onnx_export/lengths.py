"""Lengths of axes that are not known yet: of the texts that an exported model will be given."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any, TypeAlias

from ...sentences import shown

__all__ = ["AnyShape", "Length", "broadcast", "split"]


class Length:
    """A number such as ``sequence``, or a product such as ``12 * batch * choices``.

    It stands in a shape where an integer would. What the shapes of a forward pass ask of a number
    can be answered: equal, or not; no past before it; and no limit that it is known to break, since
    only who gives a text can break one.

    >>> sequence = Length("sequence")
    >>> 2 * sequence // sequence, 0 + sequence, sequence - sequence, sequence > 512
    (2, sequence, 0, False)
    """

    def __init__(self, *names: str, times: int = 1) -> None:
        self.names = tuple(sorted(names))
        self.times = times

    def __mul__(self, other: Any) -> Length:
        if isinstance(other, Length):
            return Length(*self.names, *other.names, times=self.times * other.times)
        return Length(*self.names, times=self.times * other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> int | Length:
        other = other if isinstance(other, Length) else Length(times=other)
        left, gone = Counter(self.names), Counter(other.names)
        times, rest = divmod(self.times, other.times)
        if rest or gone - left:
            raise TypeError(
                f"{shown(self)} cannot be divided by {shown(other)} before the lengths are known"
            )
        return Length(*(left - gone).elements(), times=times) if left - gone else times

    def __add__(self, other: Any) -> Length:
        if other == 0:
            return self
        raise TypeError(
            f"{shown(other)} cannot be added to {shown(self)} before the length is known"
        )

    __radd__ = __add__

    def __sub__(self, other: Any) -> int | Length:
        return 0 if self == other else self + -other

    def __neg__(self) -> Length:
        return self * -1

    def __gt__(self, other: Any) -> bool:
        return False

    __lt__ = __gt__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Length):
            return False
        return (self.names, self.times) == (other.names, other.times)

    def __hash__(self) -> int:
        return hash((self.names, self.times))

    def __repr__(self) -> str:
        return " * ".join([*([str(self.times)] if self.times != 1 else []), *self.names])


#: The shape of an array in a program that is being recorded.
AnyShape: TypeAlias = tuple[int | Length, ...]


def split(shape: AnyShape) -> tuple[int, Length]:
    """Take the product of the lengths that are known, and that of the others."""
    known = prod(one for one in shape if not isinstance(one, Length))
    return known, prod((one for one in shape if isinstance(one, Length)), start=Length())


def broadcast(*shapes: AnyShape) -> AnyShape:
    """Give the shape of what is computed element by element from arrays of these shapes.

    >>> broadcast((Length("batch"), 1, 4), (Length("sequence"), 1))
    (batch, sequence, 4)
    """
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    result = []
    for lengths in zip(*padded, strict=True):
        others = [one for one in lengths if one != 1]
        if any(one != others[0] for one in others):
            raise ValueError(f"arrays of shapes {shown(list(shapes))} do not fit together")
        result.append(others[0] if others else 1)
    return tuple(result)
