"""``minirobert fill-mask``: words for a mask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...marking import Marked, marked
from ...marking.terminal import visible
from ...pipelines.results import Filling
from ..answer_files import Row, columns_of
from ..options import count, words
from ..task_command import TaskCommand

__all__ = ["FILL_MASK"]


def _masks(found: Any) -> Sequence[Sequence[Filling]]:
    return [found] if isinstance(found[0], dict) else found


def _show_fillings(line: str, found: Any) -> None:
    _list_fillings(line, found, [one["sequence"] for fillings in _masks(found) for one in fillings])


def _show_marked_fillings(line: str, given: str, found: Any) -> None:
    texts = [one._replace(before="") for one in marked(found, given).texts]
    _list_fillings(visible(line), found, [Marked([one]).in_colours() for one in texts])


def _list_fillings(line: str, found: Any, sequences: Iterable[str]) -> None:
    masks, texts = _masks(found), iter(sequences)
    print(line)
    for number, fillings in enumerate(masks, 1):
        if len(masks) > 1:
            print(f"  mask {number}:")
        width = max(len(repr(filling["token_str"])) for filling in fillings)
        for filling in fillings:
            word = repr(filling["token_str"])
            print(f"  {filling['score']:.4f}  {word:{width}}  {next(texts)}")


def _plot_fillings(found: Any) -> Any:
    """Draw the words of each mask beside those of the others."""
    from ...plots import probabilities
    from ...plots.canvas import new_figure

    masks = _masks(found)
    figure = new_figure(6 * len(masks), 1 + 0.3 * max(map(len, masks)))
    places = figure.subplots(1, len(masks), squeeze=False)[0]
    for number, (fillings, ax) in enumerate(zip(masks, places, strict=True), 1):
        scores = [filling["score"] for filling in fillings]
        probabilities(scores, [filling["token_str"] for filling in fillings], ax=ax)
        if len(masks) > 1:
            ax.set_title(f"mask {number}")
    return places[0]


def _rows_of_fillings(_pipe: Any, _line: str, found: Any) -> Iterator[Row]:
    for number, fillings in enumerate(_masks(found), 1):
        yield from ({"mask": number, **filling} for filling in fillings)


FILL_MASK = TaskCommand(
    task="fill-mask",
    purpose="Rank the words that could stand in place of <mask>.",
    examples=(
        'fill-mask "The color of the sky is <mask>."',
        'fill-mask "Grass is <mask>." --targets " green" " blue"',
        "fill-mask --json --top-k 1 < lines.txt",
    ),
    options=(
        count("--top-k", "words for each mask (default: 5)", default=5),
        words(
            "--targets",
            "WORD",
            'rank only these, given after the texts; most words begin with a space: " blue"',
        ),
    ),
    show=_show_fillings,
    show_marked=_show_marked_fillings,
    plot=_plot_fillings,
    plotted="the probabilities of the words",
    rows=_rows_of_fillings,
    columns=lambda pipe: {"mask": int, **columns_of(Filling)},
)
