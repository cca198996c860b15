"""Rules for options: what a value may be, and the same as the end of a sentence.

Every table of options in this package is one of names to rules. An error is always of the form
"name is value, but must be …".
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeVar

from .sentences import shown

__all__ = [
    "BOOLEAN",
    "INT64",
    "INTEGER",
    "NONE",
    "NUMBER",
    "POSITIVE",
    "PROBABILITY",
    "STRING",
    "Rule",
    "check",
    "count",
    "dictionary_of",
    "did_you_mean",
    "either",
    "integer",
    "is_among",
    "is_integer",
    "is_missing",
    "is_number",
    "list_of",
    "near_miss",
    "number",
    "one_of",
    "optional",
]

T = TypeVar("T")

_LIMIT = 2**63  # of the integers in arrays
_LONGEST = 100  # characters of a name that can be meant


class Rule(NamedTuple):
    """What is allowed, and how to say it."""

    allows: Callable[[Any], bool]
    sentence: str

    def but(self, more: str) -> Rule:
        """Say more at the end of the sentence: why there is a limit, or how to cure it."""
        return Rule(self.allows, self.sentence + more)


def check(name: str, value: T, rule: Rule, error: type[Exception] = ValueError) -> T:
    """Give a value back, or refuse it with an error that begins with its name.

    >>> check("top_k", 3, integer(1))
    3
    >>> check("top_k", 0, integer(1))
    Traceback (most recent call last):
    ValueError: top_k is 0, but must be an integer of at least 1
    """
    if not rule.allows(value):
        raise error(
            f"{name} is {shown(value)}, but must be {rule.sentence}{_too_large(value, rule)}"
        )
    return value


def _too_large(value: Any, rule: Rule) -> str:
    """Mention the 64-bit limit only if the value exceeds it."""
    if is_integer(value) and value >= _LIMIT and rule.allows(_LIMIT - 1):
        return ", and below 2**63"
    return ""


def is_integer(value: Any) -> bool:
    """Tell whether a value is an integer, Python's or NumPy's; True and False are not."""
    return type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number, Python's or NumPy's; True and False are not."""
    is_theirs = isinstance(value, Real) and hasattr(value, "dtype")  # a fraction is neither's
    try:
        return (is_integer(value) or isinstance(value, float) or is_theirs) and math.isfinite(value)
    except OverflowError:  # an integer that no floating-point number is near to
        return False


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for none: None, NaN, or pandas' NA and NaT.

    >>> is_missing(float("nan")), is_missing("")
    (True, False)
    """
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def is_among(value: Any, *choices: Any) -> bool:
    """Tell whether a value is one of a few plain ones; arrays are not even compared with them."""
    is_plain = value is None or isinstance(value, str | Real | list | tuple | dict)
    return is_plain and value in choices


def integer(least: int, most: int | None = None) -> Rule:
    """Allow the integers from ``least``, up to ``most`` where it is given."""
    if most is None:
        return Rule(lambda v: is_integer(v) and v >= least, f"an integer of at least {least}")
    return Rule(
        lambda v: is_integer(v) and least <= v <= most, f"an integer from {least} to {most}"
    )


def count(least: int) -> Rule:
    """Allow the integers from ``least`` that arrays can hold: sizes, and ids of tokens.

    >>> check("vocab_size", 10**30, count(1))
    Traceback (most recent call last):
    ValueError: vocab_size is 1000000000000000000000000000000, but must be an integer of at least 1,
    and below 2**63
    """
    return Rule(lambda v: INT64.allows(v) and v >= least, integer(least).sentence)


def number(least: float, most: float | None = None) -> Rule:
    """Allow the finite numbers from ``least``, up to ``most`` where it is given."""
    if most is None:
        return Rule(lambda v: is_number(v) and v >= least, f"a number of at least {least}")
    sentence = f"a number from {least} to {most}"
    return Rule(lambda v: is_number(v) and least <= v <= most, sentence)


def one_of(*choices: str | None) -> Rule:
    """Allow some strings, and None where it is among the choices."""
    known = ", ".join(map(repr, choices))
    return Rule(lambda v: (v is None or isinstance(v, str)) and v in choices, f"one of {known}")


def either(*rules: Rule) -> Rule:
    """Allow what follows one of several rules."""
    sentence = " or ".join(rule.sentence for rule in rules)
    return Rule(lambda v: any(rule.allows(v) for rule in rules), sentence)


def optional(rule: Rule) -> Rule:
    """Allow None, too."""
    return either(NONE, rule)


def list_of(rule: Rule, what: str, kinds: Any = (list, tuple)) -> Rule:
    """Allow lists and tuples, or only those of ``kinds``, each of whose elements follows a rule."""
    return Rule(lambda v: isinstance(v, kinds) and all(map(rule.allows, v)), what)


def dictionary_of(keys: Rule, values: Rule, what: str) -> Rule:
    """Allow dictionaries whose keys follow one rule, and whose values another."""
    return Rule(
        lambda v: (
            isinstance(v, dict) and all(map(keys.allows, v)) and all(map(values.allows, v.values()))
        ),
        what,
    )


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """Find the name that a misspelled one was meant to be, if there is any.

    >>> near_miss("hiden_size", ["hidden_size", "vocab_size"]), near_miss("house", ["hidden_size"])
    ('hidden_size', None)
    """
    if name.startswith("_") or len(name) > _LONGEST:
        return None
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.84)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Give ": did you mean X?" for an unknown name, or "" if nothing is close.

    >>> did_you_mean("topk", ["top_k"]), did_you_mean("house", ["top_k"])
    (': did you mean top_k?', '')
    """
    meant = near_miss(name, known)
    return f": did you mean {meant}?" if meant else ""


NONE = Rule(lambda value: value is None, "None")
INTEGER = Rule(is_integer, "an integer")
INT64 = Rule(lambda value: is_integer(value) and -_LIMIT <= value < _LIMIT, "an integer")
NUMBER = Rule(is_number, "a number")
POSITIVE = Rule(lambda value: is_number(value) and value > 0, "a number above 0")
PROBABILITY = number(0, 1)
BOOLEAN = Rule(lambda value: isinstance(value, bool), "True or False")
STRING = Rule(lambda value: isinstance(value, str), "a string")
