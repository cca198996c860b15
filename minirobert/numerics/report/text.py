"""A comparison as a text of 80 columns: a table, and what it means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...sentences import cut, listed, plain
from ..arithmetic import FORMATS
from ..steps import formulas, in_words, kind, layer, section, short
from .advice import advice

if TYPE_CHECKING:
    from ...intermediates import Intermediate
    from ..comparison import Comparison
    from ..rows import Row

__all__ = ["Group", "exactly", "folded", "number", "place", "report"]

WIDTH = 80
_NAME = 40
_EXPLANATIONS = 4


@dataclass
class Group:
    """A line of the table: tensors that agree, or one that departs, with those like it."""

    rows: list[Row]
    again: list[Row] = field(default_factory=list)  # the same tensor of other layers and calls

    @property
    def departs(self) -> bool:
        """Whether it is a departure."""
        return self.rows[0].departs

    @property
    def worst(self) -> Row:
        """The row with the largest error for its budget."""
        return max(self.rows, key=lambda row: row.ratio)

    @property
    def label(self) -> str:
        """What the tensors have in common, and their number."""
        first = self.rows[0].name
        if len(self.rows) == 1:
            return short(first)
        numbers = [number for row in self.rows if (number := layer(row.name)) is not None]
        name = section(first)
        if numbers:
            one = f"{name} {numbers[0]}"
            name = one if numbers[0] == numbers[-1] else f"{name}s {numbers[0]} to {numbers[-1]}"
        return f"{name} ({len(self.rows)})"

    @property
    def verdict(self) -> str:
        """One word for all of them."""
        if self.departs:
            return self.rows[0].verdict
        if any(row.inherited for row in self.rows):
            return "inherits"
        return "exact" if all(row.verdict == "exact" for row in self.rows) else "rounding"


def report(comparison: Comparison, *, every: bool = False) -> str:
    """Give the text of a comparison.

    Parameters
    ----------
    comparison : Comparison
    every : bool
        Whether each tensor has a line of its own; otherwise those that agree are folded.

    Returns
    -------
    str
        Without a line feed at its end.
    """
    groups = [Group([row]) for row in comparison.compared] if every else folded(comparison)
    lines = [*_title(comparison), "", *_table(comparison, groups), *_remarks(comparison), ""]
    return "\n".join([*lines, *textwrap.wrap(advice(comparison), WIDTH)])


def folded(comparison: Comparison) -> list[Group]:
    """Put tensors together: neighbours that agree, and departures of one kind."""
    groups: list[Group] = []
    kinds: dict[str, Group] = {}
    for row in comparison.compared:
        if row.departs and kind(row.name) in kinds:
            kinds[kind(row.name)].again.append(row)
            continue
        last = groups[-1].rows if groups else []
        if last and not (row.departs or last[0].departs) and _belong(last[-1], row):
            last.append(row)
            continue
        groups.append(Group([row]))
        if row.departs:
            kinds[kind(row.name)] = groups[-1]
    return groups


def _belong(one: Row, two: Row) -> bool:
    return section(one.name) == section(two.name)


def _title(comparison: Comparison) -> Iterator[str]:
    layers = "1 layer" if comparison.n_layers == 1 else f"{comparison.n_layers} layers"
    yield (
        f"{comparison.architecture}, {layers}, {comparison.arithmetic}: "
        f"{len(comparison.compared)} of {len(comparison.rows)} tensors compared"
    )
    if comparison.made_by:
        yield from textwrap.wrap(f"port: {plain(comparison.made_by, 300)}", WIDTH)


def _table(comparison: Comparison, groups: list[Group]) -> Iterator[str]:
    yield _line("tensor", "error", "budget", "ratio", "verdict")
    table = formulas(comparison.config, comparison.architecture)
    for group in groups:
        row = group.worst
        numbers = (number(abs(row.port - row.expected)), number(row.budget))
        is_one = len(group.rows) == 1 and not row.reason and row.verdict != "exact"
        numbers = numbers if is_one else ("", "")
        ratio = "" if row.verdict == "exact" or row.reason else number(row.ratio)
        yield _line(group.label, *numbers, ratio, group.verdict)
        if group.departs:
            yield from _details(comparison, group, table)


def _line(name: str, error: str, budget: str, ratio: str, verdict: str) -> str:
    name = cut(plain(name), _NAME)
    return f"{name:{_NAME}}{error:>9} {budget:>9} {ratio:>9}  {verdict}".rstrip()


def number(x: float) -> str:
    """Print a number in at most nine characters.

    >>> number(0.30612), number(1743.758), number(4.7e-7), number(float("inf"))
    ('0.306', '1,744', '4.7e-07', 'inf')
    """
    if x == 0 or x != x or abs(x) == float("inf"):
        return f"{x:.3g}"
    if 0.01 <= abs(x) < 1e6:
        return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"
    return f"{x:.1e}"


def exactly(x: float, row: Row) -> str:
    """Print a number of a tensor, to the digits that its dtype has."""
    digits = {"float64": 16, "float16": 5, "bfloat16": 4}.get(row.dtype, 8)
    return f"{x:.{digits}g}"


def _details(comparison: Comparison, group: Group, table: dict[str, Intermediate]) -> Iterator[str]:
    """Tell of a departure: where it is worst, what explains it, and where it comes again."""
    row = group.rows[0]
    shape = f"shape {list(row.shape)}"
    if row.reason == "shape":
        found = table.get(kind(row.name))
        yield from _indented(f"{shape}, but must be {found.axes if found else 'another'}")
    else:
        yield from _indented(
            f"{shape}, worst at {place(comparison, row, table)}: yours {exactly(row.port, row)}, "
            f"here {exactly(row.expected, row)}"
        )
    if row.reason != "shape" and not row.name.endswith("scores.masked"):  # of -3e+38 none counts
        yield from _indented(
            f"error at most {number(row.max_abs)}, in the mean {number(row.mean_abs)}; "
            f"{number(row.ulp)} ulp; cosine {row.cosine:.6f}"
        )
    if row.reason == "range":
        yield from _indented("one of the two is infinite or not a number, the other is not")
    for one in row.explanations[:_EXPLANATIONS]:
        yield from _indented(
            f"fits: {plain(one.text, 300)} (ratio {number(one.ratio)})"
            + ("; it loses digits, and is no mistake" if one.is_coarse else "")
        )
    if len(row.explanations) > _EXPLANATIONS:
        yield from _indented(f"and {len(row.explanations) - _EXPLANATIONS} more that fit")
    if group.again:
        yield from _indented(_again(group))


def _again(group: Group) -> str:
    """Say where the same tensor departs, too."""
    inside = [n for row in group.again if (n := layer(row.name)) is not None]
    layers = sorted({*inside} - {layer(group.rows[0].name)})
    word = "layer" if len(layers) == 1 else "layers"
    where = f"{word} {listed(layers)}" if layers else f"{len(group.again)} other calls"
    worst = max(group.again, key=lambda row: row.ratio)
    return f"the same in {where} (ratio up to {number(worst.ratio)})"


def place(comparison: Comparison, row: Row, table: dict[str, Intermediate]) -> str:
    """Name the place where a tensor is worst: its index, and what that means."""
    found = table.get(kind(row.name))
    heads = [
        other.shape[1]
        for other in comparison.rows
        if other.name == row.name.replace(".context", ".scores") and len(other.shape) == 4
    ]
    size = row.shape[-1] if row.shape else 0
    n_heads = heads[0] if heads else None
    words = in_words(row.at, found.axes, n_heads, size) if found else ""
    return words or f"{list(row.at)}"


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def _remarks(comparison: Comparison) -> Iterator[str]:
    """Tell what is not in the table: outputs, notes, what is missing, and what is not known."""
    remarks = [
        *_notes(comparison),
        *_missing(comparison),
        *(
            [f"unknown names ({len(comparison.unknown)}): {_names(comparison.unknown)}"]
            if comparison.unknown
            else []
        ),
        *_outputs(comparison),
    ]
    if remarks:
        yield ""
    for text in remarks:
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _notes(comparison: Comparison) -> Iterator[str]:
    """Give the notes, those on weights as one."""
    weights = [note for note in comparison.notes if note.startswith("weights: ")]
    yield from (note for note in comparison.notes if note not in weights)
    for end in (" differs", " is the transpose"):
        own = [note.removeprefix("weights: ").removesuffix(end) for note in weights if end in note]
        if own:
            yield f"weights: {len(own)}{end}: {_names(own)}"


def _missing(comparison: Comparison) -> Iterator[str]:
    if comparison.missing:
        whole = {_part(row.name) for row in comparison.rows}
        whole -= {_part(row.name) for row in comparison.compared}
        names = (_part(name) if _part(name) in whole else name for name in comparison.missing)
        yield f"not shown ({len(comparison.missing)}): {_names(names)}"


def _part(name: str) -> str:
    """Give a pattern for all names of a layer, or of what is before or behind the layers."""
    number = layer(name)
    return section(name) + (".*" if number is None else f".{number}.*")


def _names(names: Iterable[str]) -> str:
    """List names, those of several layers as one."""
    layers: dict[str, list[int]] = {}
    for name in names:
        layers.setdefault(kind(name), [])
        if (found := layer(name)) is not None:
            layers[kind(name)].append(found)
    texts = [
        name.replace("layer.*", f"layer.{_range(found)}") if found else name
        for name, found in layers.items()
    ]
    return listed(texts, 300)


def _range(numbers: list[int]) -> str:
    """Name several layers.

    >>> _range([0, 1, 2, 3]), _range([0, 2]), _range([5])
    ('{0..3}', '{0,2}', '5')
    """
    own = sorted({*numbers})
    if len(own) == 1:
        return str(own[0])
    if own == list(range(own[0], own[-1] + 1)):
        return f"{{{own[0]}..{own[-1]}}}"
    return f"{{{','.join(map(str, own))}}}"


def _outputs(comparison: Comparison) -> Iterator[str]:
    store = FORMATS[comparison.arithmetic.store]
    for one in comparison.outputs:
        ours = "" if one.own != one.own else f", ours {number(one.own)}"
        yield (
            f"{short(one.name)}: yours is {number(one.port)} u from exact{ours}; rounding explains "
            f"up to {number(one.allowed)} (u = {store.unit:.1e} of {store})"
        )
