"""What may come out of a call: a result, or an error that was written for its reader."""

import linecache
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minirobert
from minirobert.sentences import LIMIT

PACKAGE = str(Path(minirobert.__file__).parent)


class Refused(NamedTuple):
    """A call that ended in a sentence."""

    error: Exception


def outcome(
    call: Callable[[], Any],
    kinds: tuple[type, ...] = (ValueError, TypeError),
    theirs: tuple[str, ...] = (),
) -> Any:
    """Give what a call returns, or `Refused`; all else that may happen to it is a failure.

    An error was written for its reader if a ``raise`` of this package is where it began: those of
    NumPy and of Python itself name no argument. What the caller's own objects raise, in one of the
    files of ``theirs``, may come through.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)  # those of this package
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            return call()
        except Exception as error:
            if not traceback.extract_tb(error.__traceback__)[-1].filename.endswith(theirs):
                check_sentence(error, kinds)
            return Refused(error)


def check_sentence(error: Exception, kinds: tuple[type, ...]) -> None:
    where = traceback.extract_tb(error.__traceback__)[-1]
    line = linecache.getline(where.filename, where.lineno or 0).strip()
    told = f"{type(error).__name__} at {where.filename}:{where.lineno}: {error}"
    assert type(error) in kinds, told
    assert where.filename.startswith(PACKAGE), told
    is_unknown = "unexpected keyword argument" in str(error)  # which Python tells in a sentence
    assert line.startswith("raise ") or is_unknown, told
    assert 10 < len(str(error)) <= LIMIT, f"{len(str(error))} characters: {told}"
    assert "\n" not in str(error), told


def arrays_of(value: Any) -> list[np.ndarray]:
    """List the arrays of an output in their order."""
    if isinstance(value, np.ndarray | np.generic):
        return [np.asarray(value)]
    if hasattr(value, "to_legacy_cache"):
        value = value.to_legacy_cache()
    if isinstance(value, dict):
        value = list(value.values())
    several = value if isinstance(value, tuple | list) or hasattr(value, "to_tuple") else ()
    return [array for one in several for array in arrays_of(one)]


def same(actual: Any, expected: Any) -> bool:
    """Tell whether two calls came to the same: equal arrays, or a sentence each."""
    if isinstance(actual, Refused) or isinstance(expected, Refused):
        return isinstance(actual, Refused) and isinstance(expected, Refused)
    ours, theirs = arrays_of(actual), arrays_of(expected)
    return len(ours) == len(theirs) and all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
        for a, b in zip(ours, theirs, strict=True)
    )
