"""Values of every kind that a caller may give in place of an array of numbers."""

import array
import datetime
from collections import UserList, deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import torch

from tests.robustness.trouble import HURTFUL


class Subclass(np.ndarray):
    """An array of a class of its own."""


class FrameLike:
    """An object that can be made an array, as those of pandas."""

    def __init__(self, values):
        self.values, self.shape, self.columns = values, values.shape, ["a", "b"]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def _every_second(values):
    wide = np.zeros(tuple(2 * length for length in values.shape), values.dtype)
    places = tuple(slice(None, None, 2) for _ in values.shape)
    wide[places] = values
    return wide[places]


def _backwards(values):
    places = tuple(slice(None, None, -1) for _ in values.shape)
    return np.asarray(values[places], order="C")[places]


def _read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


def _list_of_lists(values):
    return values.tolist()


def _tuples(values):
    def tuples(value):
        return tuple(map(tuples, value)) if isinstance(value, list) else value

    return tuples(values.tolist())


#: The same numbers in other clothes: they must be taken, and change nothing.
SAME: dict[str, Callable[[np.ndarray], Any]] = {
    "lists": _list_of_lists,
    "tuples": _tuples,
    "a list of arrays": lambda v: list(v) if v.ndim else v,
    "big-endian": lambda v: v.astype(v.dtype.newbyteorder(">")),
    "little-endian": lambda v: v.astype(v.dtype.newbyteorder("<")),
    "Fortran order": lambda v: np.asarray(v, order="F"),
    "every second": _every_second,
    "backwards": _backwards,
    "read-only": _read_only,
    "a subclass": lambda v: v.view(Subclass),
    "a masked array without a mask": lambda v: np.ma.array(v),
    "a memoryview": lambda v: memoryview(np.asarray(v, order="C")),
    "a tensor": lambda v: torch.tensor(v),
    "frame-like": FrameLike,
    "a matrix": lambda v: v.view(np.matrix) if v.ndim == 2 else v,
    "an array of the module array": lambda v: (
        array.array("q" if v.dtype == np.int64 else v.dtype.char, v.tolist()) if v.ndim == 1 else v
    ),
}
INTEGER_DTYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64", ">i4", ">u8")


def of_dtype(name: str) -> Callable[[np.ndarray], Any]:
    """Convert integers where the dtype has room for them."""

    def convert(values: np.ndarray) -> np.ndarray:
        info = np.iinfo(np.dtype(name))
        fits = values.size == 0 or (values.min() >= info.min and values.max() <= info.max)
        return values.astype(name) if fits else values

    return convert


SAME_INTEGERS = {**SAME, **{name: of_dtype(name) for name in INTEGER_DTYPES}}

#: The same numbers, in a form that may also be refused.
PERHAPS: dict[str, Callable[[np.ndarray], Any]] = {
    "objects": lambda v: v.astype(object),
    "a UserList": lambda v: UserList(v.tolist()) if v.ndim else v,
    "a deque": lambda v: deque(v.tolist()) if v.ndim else v,
    "a generator": lambda v: (row for row in v.tolist()) if v.ndim else v,
    "decimals": lambda v: np.vectorize(Decimal, otypes=[object])(v),
    "fractions": lambda v: np.vectorize(Fraction, otypes=[object])(np.nan_to_num(v).astype(float)),
    "a masked constant": lambda v: np.ma.masked,
}


def _masked(values):
    mask = np.zeros(values.shape, bool)
    mask[...] = True
    return np.ma.array(values, mask=mask) if mask.size else None.__class__


def _ragged(values):
    rows = values.tolist()
    return [*rows, []] if isinstance(rows, list) else [rows, []]


def _with(one: Any) -> Callable[[np.ndarray], Any]:
    """Put something in place of the last number of lists."""

    def change(values: np.ndarray) -> Any:
        rows = inner = values.tolist()
        if not isinstance(rows, list):
            return [one]
        while inner and isinstance(inner[-1], list):
            inner = inner[-1]
        inner[-1:] = [one]
        return rows

    return change


def _in_itself(values):
    rows: list[Any] = []
    rows.append(rows)
    return rows


#: What is neither True nor False, no number, no text and no function.
OBJECTS: list[Any] = [
    *(object(), ..., NotImplemented, b"x", (), [], {}, set(), 1j, np.void(b"x"), Decimal("NaN")),
    *(np.zeros(2), np.zeros((0, 3)), np.array(None), [None], [[]], {"a": 1}, datetime.date.max),
    *(slice(None), np.datetime64("NaT"), Fraction(1, 3), range(3), memoryview(b"x")),
    *(torch.zeros(2), np.ma.masked, ["x", 1], float("nan"), float("inf"), {None: None}),
]
#: Besides, for what takes other numbers or texts than these, or none.
SCALARS: list[Any] = [
    *(-1, 0, 1, 3, 10**5000, -(10**5000), 2**63, 0.5, -0.0, True, False),
    *("", "x", "longest", "\ud800", "x" * 100_000, "np", "\0", np.str_("x"), np.bool_(True)),
    *(np.int8(3), np.uint64(2**64 - 1), np.float16(0.5), np.float32("nan"), np.array(3)),
]


#: What means no numbers, whatever they are for.
WRONG: dict[str, Callable[[np.ndarray], Any]] = {
    "a masked array": _masked,
    "ragged": _ragged,
    "None among them": _with(None),
    "a text among them": _with("<s>"),
    "a digit as text": _with("5"),
    "bytes among them": _with(b"5"),
    "an object among them": _with(object()),
    "complex": lambda v: v.astype(complex),
    "a dictionary": lambda v: {"input_ids": v},
    "a set": lambda v: set(v.ravel().tolist()),
    "a text": lambda v: "Hello world",
    "a long text": lambda v: "x" * 100_000,
    "bytes": lambda v: b"Hello",
    "texts": lambda v: v.astype(str),
    "bytes in an array": lambda v: v.astype("S"),
    "dates": lambda v: np.abs(v).astype(np.int64).astype("datetime64[s]"),
    "spans of time": lambda v: np.abs(v).astype(np.int64).astype("timedelta64[s]"),
    "a date": lambda v: datetime.date(2020, 1, 1),
    "structured": lambda v: np.zeros(v.shape, [("a", int), ("b", float)]),
    "void": lambda v: np.zeros(v.shape, "V8"),
    "one void": lambda v: np.zeros((), "V8")[()],
    "a function": lambda v: len,
    "a class": lambda v: np.ndarray,
    "an object": lambda v: object(),
    "not implemented": lambda v: NotImplemented,
    "an ellipsis": lambda v: ...,
    "in itself": _in_itself,
    "a slice": lambda v: slice(None),
    "a tensor on no device": lambda v: torch.zeros(v.shape, device="meta"),
    "a sparse tensor": lambda v: torch.zeros(v.shape).to_sparse(),
    "quite deep": lambda v: eval("[" * 80 + "]" * 80),
}
#: Besides: what is no integer, or none that an int64 can hold.
WRONG_INTEGERS: dict[str, Callable[[np.ndarray], Any]] = {
    **WRONG,
    "floats": lambda v: v.astype(float),
    "halves": lambda v: v + 0.5,
    "NaN": lambda v: np.full(v.shape, np.nan),
    "infinity among them": _with(float("inf")),
    "booleans": lambda v: v.astype(bool),
    "a huge integer among them": _with(10**5000),
    "beyond int64": _with(2**63),
    "beyond uint64": _with(2**64),
    "below int64": _with(-(2**63) - 1),
    "-100 as an unsigned integer": lambda v: np.full(v.shape, 2**64 - 100, np.uint64),
}


@dataclass(frozen=True)
class Numbers:
    """What may be given for an array of some kind."""

    same: dict[str, Callable[[np.ndarray], Any]]
    wrong: dict[str, Callable[[np.ndarray], Any]]

    def draw(self, values: np.ndarray, draw: Random) -> tuple[str, str, Any]:
        """Draw what should come of it (a key of the fates), its name, and the value."""
        fates = {"same": self.same, "wrong": self.wrong, "perhaps": PERHAPS, "hurtful": HURTFUL}
        fate = draw.choice(["same", "same", "wrong", "wrong", "perhaps", "hurtful"])
        choices = fates[fate]
        name = draw.choice(sorted(choices))
        return fate, name, choices[name](values)


IDS = Numbers(SAME_INTEGERS, WRONG_INTEGERS)
FLOATS = Numbers(SAME, WRONG)
