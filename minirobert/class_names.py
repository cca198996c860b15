"""Names of classes: ``id2label`` and ``label2id``, as files and callers write them."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from .rules import INT64, Rule, check, dictionary_of, either, integer, is_integer

__all__ = ["ID2LABEL", "LABEL2ID", "ClassNames", "agrees", "default_names", "ids_of"]


def _is_label(value: Any) -> bool:
    if value is None or isinstance(value, str):
        return True
    is_short = not is_integer(value) or int(value).bit_length() < 2**13  # so that str takes it
    return isinstance(value, Real) and is_short


def _are_digits(value: Any) -> bool:
    return isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 20


_LABEL = Rule(_is_label, "a string")
ID2LABEL = dictionary_of(
    either(INT64, Rule(_are_digits, "one in a string")),
    _LABEL,
    "a dictionary from integers to strings",
)
LABEL2ID = dictionary_of(_LABEL, INT64, "a dictionary from strings to integers")
#: Without names of their own: each is given one, which takes memory and time.
MOST_CLASSES = 1_000_000
#: Keys of JSON are strings: there, ``label2id`` has these in place of Python's constants.
_IN_JSON = {"true": "True", "false": "False", "null": "None"}


class ClassNames(dict[int, str]):
    """The names of C classes by their numbers, one for each number below C.

    Labels that are numbers, booleans or None become strings, as Python prints them. The numbers
    of the names need not be those of the classes: a class without a name is called ``LABEL_`` and
    its number, when it is asked for.

    Parameters
    ----------
    id2label : mapping from int, or an integer in a string, to label

    >>> names = ClassNames({"1": True, "3": 0.5})
    >>> names, len(names), names[0]
    ({1: 'True', 3: '0.5'}, 2, 'LABEL_0')
    """

    def __init__(self, id2label: Mapping[Any, Any] = {}):
        super().__init__({int(index): str(label) for index, label in id2label.items()})

    def __missing__(self, index: Any) -> str:
        """Name a class that has no name; there is none beyond them."""
        if not (is_integer(index) and 0 <= index < len(self)):
            raise KeyError(index)
        return f"LABEL_{index}"

    @property
    def beyond(self) -> list[int]:
        """The numbers that have a name, but are those of no class."""
        return sorted(index for index in self if not 0 <= index < len(self))


def default_names(count: int) -> ClassNames:
    """Name classes as transformers does, if nobody has."""
    check("num_labels", count, integer(0, MOST_CLASSES).but(", as each class has a name"))
    return ClassNames({index: f"LABEL_{index}" for index in range(count)})


def ids_of(label2id: Mapping[Any, int], names: Mapping[int, str]) -> dict[str, int]:
    """Spell the keys of ``label2id`` as the names themselves are spelt."""
    found = {str(label): index for label, index in label2id.items()}
    return {
        _IN_JSON.get(label, label) if names.get(index) == _IN_JSON.get(label) else label: index
        for label, index in found.items()
    }


def agrees(label2id: Mapping[str, int], names: Mapping[int, str]) -> bool:
    """Tell whether each label has the number of a class of its name."""
    return all(names.get(index) == label for label, index in label2id.items())
