"""Names of classes: ``id2label`` and ``label2id``, as files and callers write them.

Both say the same, and `num_labels` is the length of the first: here each follows from the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

from .checks import warn
from .rules import INT64, Rule, check, dictionary_of, either, integer, is_integer
from .sentences import shown

__all__ = [
    "ID2LABEL",
    "LABEL2ID",
    "LABEL_FIELDS",
    "ClassNames",
    "Labels",
    "agrees",
    "both_ways",
    "check_labels_agree",
    "default_names",
    "relabelled",
    "settled_labels",
]

LABEL_FIELDS = ("num_labels", "id2label", "label2id")


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


class Labels(NamedTuple):
    """The names of the classes, and their numbers."""

    id2label: ClassNames
    label2id: dict[str, int]


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


def both_ways(id2label: Mapping[Any, Any], label2id: Mapping[Any, int] | None = None) -> Labels:
    """Give the names, and the other way round; what contradicts them is told."""
    names = ClassNames(id2label)
    by_name = {label: index for index, label in names.items()}
    ids = ids_of(label2id or {}, names)
    # A label may have two ids; which of them it is given back is the file's own choice.
    if agrees(ids, names):
        by_name |= ids
    elif ids != {f"LABEL_{index}": index for index in ids.values()}:  # which say nothing
        warn(f"label2id is {shown(label2id)}, but id2label is {shown(dict(names))}, which is kept")
    if names.beyond:
        warn(
            f"id2label has names for {shown(names.beyond)}, but its {len(names)} classes are "
            "numbered from 0: no class has these names, and one without a name is LABEL_ and "
            "its number"
        )
    return Labels(names, by_name)


def settled_labels(
    num_labels: int | None, id2label: Mapping[Any, Any] | None, label2id: Mapping[Any, int] | None
) -> Labels:
    """Derive the names from what was given of the three.

    >>> settled_labels(None, None, {"yes": 0, "no": 1}).id2label
    {0: 'yes', 1: 'no'}
    """
    if id2label is None and label2id is None:
        id2label = default_names(2 if num_labels is None else num_labels)
    elif id2label is None:
        id2label = {index: label for label, index in (label2id or {}).items()}
        if num_labels is not None and all(0 <= index < num_labels for index in id2label):
            id2label = default_names(num_labels) | id2label
    labels = both_ways(id2label, label2id)
    if num_labels not in (None, len(labels.id2label)):
        warn(
            f"num_labels is {num_labels}, but there are {len(labels.id2label)} labels with names: "
            "the names are kept"
        )
    return labels


def relabelled(names: ClassNames, field: str, value: Any) -> Labels:
    """Let the other two of `LABEL_FIELDS` follow the one that has a new value.

    >>> relabelled(ClassNames({0: "yes"}), "num_labels", 2).label2id
    {'LABEL_0': 0, 'LABEL_1': 1}
    """
    if field == "num_labels" and value != len(names):
        names = default_names(2 if value is None else value)
    elif field == "id2label":
        names = default_names(2) if value is None else ClassNames(value)
    elif field == "label2id" and value is not None:
        ids = ids_of(value, names)
        if agrees(ids, names) and ids.keys() >= set(names.values()):
            return Labels(names, ids)
        names = ClassNames({index: label for label, index in value.items()})
    return both_ways(names)


def check_labels_agree(overrides: Mapping[str, Any]) -> None:
    """Refuse labels of a caller of which one contradicts another."""
    count, id2label, label2id = (overrides.get(name) for name in LABEL_FIELDS)
    named = id2label if id2label is not None else label2id
    if count is not None and isinstance(named, dict) and len(named) != count:
        name = "id2label" if named is id2label else "label2id"
        raise ValueError(
            f"num_labels is {count}, but {name} has {len(named)} labels: give one of them, or "
            "make them fit"
        )
    if id2label is None or label2id is None:
        return
    if ID2LABEL.allows(id2label) and LABEL2ID.allows(label2id):
        names = ClassNames(id2label)
        ids = ids_of(label2id, names)
        if not agrees(ids, names) or ids.keys() != set(names.values()):
            raise ValueError(
                f"id2label is {shown(id2label)}, but label2id is {shown(label2id)}: give one of "
                "them, the other follows from it"
            )
