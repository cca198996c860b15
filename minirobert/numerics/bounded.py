"""Arrays that know how far rounding may have carried a port from them.

A `BoundedArray` holds numbers computed in float64, and for each a bound on the difference that
correct arithmetic of a port may make: what its inputs may be off, carried through the operation,
and what the operation rounds itself. The model runs on such arrays as on any others, by the Python
array API, so every formula is bounded that it is made of. The arrays pretend to have the dtype of
the port: half precision is summed in a wider format and then rounded, as the formulas say.

The elementary operations are here and in `minirobert.numerics.operations`; the formulas whose
rounding is not that of their parts, as softmax has more than one way to be computed, are in
`minirobert.numerics.bounds`.

Source: running error analysis, Higham 2002 (Accuracy and Stability of Numerical Algorithms),
section 3.3, and Higham & Mary 2019 (A New Approach to Probabilistic Rounding Error Analysis) for
``c(n)``, which takes the place of n.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arithmetic import Format

__all__ = [
    *("BoundedArray", "Numbers", "bounded", "c", "carried", "equal_pairs", "numbers", "pairs"),
    "rounded",
]

Numbers = np.ndarray[Any, Any]


def c(n: Any) -> Any:
    """Say how many roundoffs a sum of n terms is off at most: ``3 sqrt(n) + 4``, not n.

    Roundoffs have either sign and add up like steps of a random walk. Where one term is larger than
    all others, each step is up to a roundoff of the whole sum, 1 / sqrt(3) of one in the root mean
    square, so that these are 5 standard deviations: a model has millions of sums.

    Equal terms are rounded alike, so that their steps go one way: of these n is the number of
    `pairs`, and ``c(n^2)`` is what all n roundoffs come to, and more.
    """
    return 3.0 * np.sqrt(n) + 4.0


def pairs(
    x: Numbers, y: Numbers, unit: float
) -> Numbers:  # [..., M, X], [..., X, Y] -> [..., M, 1]
    """Count the pairs of terms of a product that are rounded alike, each with itself among them.

    The variance of a sum is that of all pairs of its terms: n where no two go together, as of n
    different keys, and n^2 where all do, as of a text that is padding alone. Terms are taken for
    equal whose rows of y are, to a roundoff of the sum; those that are 0 round nothing.
    """
    n = x.shape[-1]
    size = np.sum(y * y, axis=-1)[..., None]
    apart = size + np.matrix_transpose(size) - 2 * (y @ np.matrix_transpose(y))
    alike = (apart < max(n * unit, _EQUAL) ** 2 * size) & ~np.eye(n, dtype=bool)  # [..., X, X]
    if not alike.any():
        return np.full((*x.shape[:-1], 1), float(n))
    some = (x != 0).astype(np.float64)
    found = (some @ np.matrix_transpose(alike)) * some
    return np.asarray(n + np.sum(found, axis=-1, keepdims=True))


def equal_pairs(x: Numbers, apart: float, counted: Numbers) -> Numbers:  # [..., X] -> [..., 1]
    """Count the pairs of terms of the last axis that are no farther apart, of those that count.

    They are put into bins of that width, as of many terms each has a neighbour that is so near. To
    part equal ones at an edge leaves half of their pairs, and ``c`` of that is not below n.
    """
    n = x.shape[-1]
    bins, places = np.floor(x / apart), np.arange(n)
    order = np.argsort(bins, axis=-1)
    steps = np.diff(np.take_along_axis(bins, order, -1), axis=-1, prepend=-np.inf)
    first = np.maximum.accumulate(np.where(steps > 0, places, 0), axis=-1)
    found = 2 * (places - first) * np.take_along_axis(counted, order, -1)
    return np.asarray(n + np.sum(found, axis=-1, keepdims=True))


#: Rows that are no farther apart, for their size, are equal: the distance of such is lost in
#: float64, where it comes of their squares.
_EQUAL = 2.0**-20


class BoundedArray:
    """Numbers, a bound on how far a port may be from each, and the dtype that the port has.

    Parameters
    ----------
    value : NumPy array
        float64, integers or booleans.
    bound : NumPy array or None
        float64, of the shape of the value; None where the port has these very numbers.
    dtype : Format or NumPy dtype
        In what the port stores them.
    xp : Operations
        The functions for such arrays.
    maps : int
        Through how many products of matrices the bound has been carried.
    """

    # Without this NumPy would take a BoundedArray on its right for a list of numbers.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # as of arrays

    def __init__(
        self, value: Any, bound: Numbers | None, dtype: Any, xp: Any, maps: int = 0
    ) -> None:
        self.value: Numbers = np.asarray(value)
        self.bound = bound
        self.dtype = dtype
        self.xp = xp
        self.maps = maps
        #: Of the sum that it is, if it comes of one.
        self.terms: tuple[_Operand, ...] = ()

    device = "cpu"

    def __dlpack__(self, **options: Any) -> Any:
        return self.value.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.value.__dlpack_device__()

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return self.xp

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """The number of numbers."""
        return self.value.size

    def __getitem__(self, key: Any) -> BoundedArray:
        key = tuple(map(_plain, key)) if isinstance(key, tuple) else _plain(key)
        return self._like(self.value[key], None if self.bound is None else self.bound[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        key = tuple(map(_plain, key)) if isinstance(key, tuple) else _plain(key)
        self.value[key] = _plain(value)
        bound = getattr(value, "bound", None)
        if bound is not None or self.bound is not None:
            self.bound = np.zeros(self.shape) if self.bound is None else self.bound
            self.bound[key] = 0.0 if bound is None else bound
        self.maps = max(self.maps, getattr(value, "maps", 0))
        self.terms = ()

    def _like(self, value: Any, bound: Any) -> BoundedArray:
        """Give some of the numbers, or all in another shape."""
        return BoundedArray(value, bound, self.dtype, self.xp, self.maps)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"BoundedArray({self.value!r}, {self.bound!r}, {self.dtype!r})"

    def __add__(self, other: Any) -> BoundedArray:
        return _sum(self, other, np.add)

    def __radd__(self, other: Any) -> BoundedArray:
        return _sum(other, self, np.add)

    def __sub__(self, other: Any) -> BoundedArray:
        return _sum(self, other, np.subtract)

    def __rsub__(self, other: Any) -> BoundedArray:
        return _sum(other, self, np.subtract)

    def __mul__(self, other: Any) -> BoundedArray:
        a, b = numbers(self), numbers(other)
        value = a.value * b.value
        if not is_real(self, other):
            return bounded(value, self.xp)
        errors = [abs(y.value) * x.bound for x, y in ((a, b), (b, a)) if x.bound is not None]
        return rounded(value, errors + _constant(other, self, value), self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> BoundedArray:
        return _quotient(self, other)

    def __rtruediv__(self, other: Any) -> BoundedArray:
        return _quotient(other, self)

    def __pow__(self, other: int) -> BoundedArray:
        product = self
        for _ in range(other - 1):
            product = product * self
        return product

    def __matmul__(self, other: BoundedArray) -> BoundedArray:
        n, x, y = self.shape[-1], abs(self.value), abs(other.value)
        unit, floor = self.xp.sums.unit, self.xp.sums.floor
        errors = [c(pairs(x, other.value, unit)) * unit * (x @ y) + n * floor]
        errors += [self.bound @ y] if self.bound is not None else []
        errors += [x @ other.bound] if other.bound is not None else []
        product = rounded(self.value @ other.value, errors, self, other)
        product.maps = carried(self, other) + 1
        return product

    def __neg__(self) -> BoundedArray:
        return self._like(-self.value, self.bound)

    def __invert__(self) -> BoundedArray:
        return bounded(~self.value, self.xp)

    def __and__(self, other: Any) -> BoundedArray:
        return bounded(self.value & _plain(other), self.xp)

    def __or__(self, other: Any) -> BoundedArray:
        return bounded(self.value | _plain(other), self.xp)

    def __floordiv__(self, other: Any) -> BoundedArray:
        return bounded(self.value // _plain(other), self.xp)

    def __mod__(self, other: Any) -> BoundedArray:
        return bounded(self.value % _plain(other), self.xp)

    def __lt__(self, other: Any) -> BoundedArray:
        return bounded(self.value < _plain(other), self.xp)

    def __le__(self, other: Any) -> BoundedArray:
        return bounded(self.value <= _plain(other), self.xp)

    def __gt__(self, other: Any) -> BoundedArray:
        return bounded(self.value > _plain(other), self.xp)

    def __ge__(self, other: Any) -> BoundedArray:
        return bounded(self.value >= _plain(other), self.xp)

    def __eq__(self, other: object) -> BoundedArray:  # type: ignore[override]  # as arrays do
        return bounded(self.value == _plain(other), self.xp)

    def __ne__(self, other: object) -> BoundedArray:  # type: ignore[override]  # as arrays do
        return bounded(self.value != _plain(other), self.xp)


class _Operand(NamedTuple):
    """A value and its bound, of an array or of a plain number, which has none."""

    value: Any
    bound: Numbers | None


def numbers(operand: Any) -> _Operand:
    """Take an array or a plain number apart."""
    if isinstance(operand, BoundedArray):
        return _Operand(operand.value, operand.bound)
    return _Operand(operand, None)


def _plain(operand: Any) -> Any:
    return numbers(operand).value


def is_real(*operands: Any) -> bool:
    """Tell whether an operation computes in floating point."""
    return any(isinstance(getattr(one, "dtype", None), Format) for one in operands)


def bounded(value: Any, xp: Any) -> BoundedArray:
    """Make an array of integers or booleans, which are exact."""
    value = np.asarray(value)
    return BoundedArray(value, None, value.dtype, xp)


def carried(*operands: Any) -> int:
    """Count the products of matrices behind which an operation stands, -1 if there is no bound.

    Behind more than one the count goes on, though the bound may have been given up.
    """
    arrays = [one for one in operands if isinstance(one, BoundedArray)]
    return max((one.maps for one in arrays if one.bound is not None or one.maps > 1), default=-1)


def rounded(value: Any, errors: list[Numbers], *operands: Any) -> BoundedArray:
    """Make the result of an elementary operation: its errors, and one rounding of the value."""
    arrays = [one for one in operands if isinstance(getattr(one, "dtype", None), Format)]
    dtype = max((one.dtype for one in arrays), key=lambda one: -one.unit)
    bound = dtype.unit * np.abs(value) + dtype.floor
    for one in errors:
        bound = bound + one
    xp = arrays[0].xp
    return BoundedArray(value, bound, dtype, xp, max(carried(*operands), 0))


def _sum(a: Any, b: Any, add: Any) -> BoundedArray:
    """Add or subtract; of several terms, the partial sums of another order may be larger.

    None is larger than all terms of one sign, and k terms have k - 2 of them.
    """
    (x, dx), (y, dy) = numbers(a), numbers(b)
    value = add(x, y)
    if not is_real(a, b):
        return bounded(value, (a if isinstance(a, BoundedArray) else b).xp)
    if getattr(a, "dtype", None) != getattr(b, "dtype", None):
        errors = [one for one in (dx, dy) if one is not None]
        return rounded(value, errors + _constant(x, b, x) + _constant(y, a, y), a, b)
    terms = (*_terms(a, np.add), *_terms(b, add))
    errors = [one.bound for one in terms if one.bound is not None]
    if len(terms) > 2:
        signed = [sum(np.maximum(way * one.value, 0.0) for one in terms) for way in (1, -1)]
        errors.append((len(terms) - 2) * a.dtype.unit * np.maximum(*signed))
    total = rounded(value, errors, a, b)
    total.terms = terms
    return total


def _terms(array: BoundedArray, add: Any) -> tuple[_Operand, ...]:
    """Give what an array is the sum of, with the signs that adding or subtracting it gives."""
    terms = array.terms or (_Operand(array.value, array.bound),)
    return tuple(one._replace(value=add(0.0, one.value)) for one in terms)


def _quotient(a: Any, b: Any) -> BoundedArray:
    (x, dx), (y, dy) = numbers(a), numbers(b)
    value = x / y
    errors = [] if dx is None else [dx / np.abs(y)]
    errors += [] if dy is None else [np.abs(value) * dy / np.abs(y)]
    return rounded(value, errors + _constant(x, b, value) + _constant(y, a, value), a, b)


def _constant(operand: Any, array: Any, of: Any) -> list[Numbers]:
    """Let a number of Python's be rounded to the format of the array that it meets."""
    return [array.dtype.unit * np.abs(of)] if isinstance(operand, float) else []
