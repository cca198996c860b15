"""Many names of tensors, told in few words: ``encoder.layer.{4…11}.* (128 tensors)``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["group_names"]

_FEW = 4  # names that are told one by one, though a star could stand for them
_PARTS = 12  # of a name that a star may stand behind
_DIGITS = 9  # of a number that is one of a range


def group_names(
    details: Mapping[str, str], among: Iterable[str] = (), *, stars: bool = True
) -> list[str]:
    """Group the names of tensors.

    Parameters
    ----------
    details : mapping of str to str
        For each name, what to say of it, such as its shape; names that differ in a number are one
        group only where the same is said of them.
    among : iterable of str
        All the names that they are some of. A star stands for all names that begin alike, and never
        for one that is not in ``details``.
    stars : bool
        Whether stars may stand for names at all: nothing is said of what is behind them.

    Returns
    -------
    list of str
        A line for each group, in the order of the names.

    >>> names = [f"layer.{i}.{j}" for i in range(12) for j in "abcdef"]
    >>> group_names(dict.fromkeys(names[24:], ""), names)
    ['layer.{4…11}.* (48 tensors)']
    >>> group_names({"layer.0.a": "[2]", "layer.1.a": "[2]", "layer.2.a": "[3]"})
    ['layer.{0,1}.a [2] (2 tensors)', 'layer.2.a [3]']
    """
    kept = {stem for name in among if name not in details for stem in _stems(name)}
    stem_of = {name: next((s for s in _stems(name) if s not in kept), name) for name in details}
    sizes = Counter(stem_of.values())
    groups: dict[tuple[str, str], int] = {}
    for name, detail in details.items():
        is_star = stars and sizes[stem_of[name]] > _FEW
        key = (f"{stem_of[name]}.*", "") if is_star else (name, detail)
        groups[key] = groups.get(key, 0) + 1
    return list(_lines(groups))


def _stems(name: str) -> Iterator[str]:
    """Give what a name begins with, the shortest first."""
    parts = name.split(".", _PARTS)
    return (".".join(parts[:length]) for length in range(1, len(parts)))


def _lines(groups: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Tell the groups, as one where only the first number in their names differs."""
    numbers: dict[tuple[str, str, str], list[int]] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for (name, detail), count in groups.items():
        before, number, after = _around_number(name)
        key = (before, after, detail)
        numbers.setdefault(key, []).extend([int(number)] if number else [])
        counts[key] += count
    for (before, after, detail), found in numbers.items():
        count = counts[before, after, detail]
        total = f"({count} tensors)" if count > 1 else ""
        yield " ".join(filter(None, [f"{before}{_ranges(found)}{after}", detail, total]))


def _around_number(name: str) -> tuple[str, str, str]:
    """Divide a name at the first of its parts that is a number."""
    parts = name.split(".")
    for i, part in enumerate(parts):
        if part.isdecimal() and len(part) <= _DIGITS and str(int(part)) == part:
            return ".".join([*parts[:i], ""]), part, ".".join(["", *parts[i + 1 :]])
    return name, "", ""


def _ranges(numbers: Iterable[int]) -> str:
    """Write numbers as ranges: ``{0,3…7}``, and a single one as it is."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [
        f"{run[0]}{'…' if run[2:] else ','}{run[-1]}" if run[1:] else str(run[0]) for run in runs
    ]
    return f"{{{','.join(texts)}}}" if runs and (runs[1:] or runs[0][1:]) else "".join(texts)
