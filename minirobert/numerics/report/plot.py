"""A comparison as a picture: error over budget by depth. It takes matplotlib."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...files import exchanging
from ...plots.canvas import new_figure
from ...sentences import plain
from ..steps import layer

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..rows import Row

__all__ = ["plot"]

#: Less than this is drawn as this, as nothing has no place on a logarithmic scale; and more.
_LEAST, _MOST = 1e-3, 1e9
#: What is drawn in one colour, by how names end.
_KINDS = {
    "products": ("query", "key", "value", "dense", "logits", "context"),
    "scores": ("scores", "masked", "distance_embedding"),
    "probabilities": ("probabilities", "head_mask"),
    "sums": ("sum",),
    "layer norms": ("LayerNorm", "layer_norm"),
    "activations": ("intermediate", "gelu", "tanh", "pooler"),
    "embeddings": ("word_embeddings", "token_type_embeddings", "position_embeddings"),
}
_OTHER = "others"


def plot(comparison: Comparison, path: str | os.PathLike[str] | None = None) -> Any:
    """Draw each tensor's error over its budget, in the order of the computation.

    Parameters
    ----------
    comparison : Comparison
    path : str or path, optional
        Where to write the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed.
    ValueError
        If there is no kind of picture for the end of the path.
    """
    figure = new_figure(11, 5)
    axes = figure.add_subplot()
    rows = comparison.compared
    for name, marked in _by_kind(rows).items():
        heights = [min(max(row.ratio, _LEAST), _MOST) for _, row in marked]
        axes.scatter([at for at, _ in marked], heights, label=name, s=16)
    axes.axhline(1, color="grey", linewidth=1)
    axes.set(yscale="log", ylabel="error / budget (above 1: departs)", title=_title(comparison))
    starts = _starts(rows)
    axes.set_xticks(list(starts), list(starts.values()), rotation=90)
    axes.legend(fontsize="small")
    if path is not None:
        _save(figure, Path(path))
    return figure


def _by_kind(rows: tuple[Row, ...]) -> dict[str, list[tuple[int, Row]]]:
    kinds: dict[str, list[tuple[int, Row]]] = {}
    for at, row in enumerate(rows):
        end = row.name.rpartition(".")[2]
        found = next((name for name, ends in _KINDS.items() if end in ends), _OTHER)
        kinds.setdefault(found, []).append((at, row))
    return dict(sorted(kinds.items()))


def _title(comparison: Comparison) -> str:
    return f"{comparison.architecture}, {comparison.arithmetic}: {comparison.verdict}"


def _starts(rows: tuple[Row, ...]) -> dict[int, str]:
    """Find where each layer begins, and what stands before and behind them."""
    starts: dict[int, str] = {}
    for at, row in enumerate(rows):
        number = layer(row.name)
        part = row.name.removeprefix("roberta.").partition(".")[0]
        name = part if number is None else f"layer {number}"
        if part.endswith(("_ids", "attend")):
            name = "inputs"
        if name not in list(starts.values())[-1:]:
            starts[at] = name
    return starts


def _save(figure: Any, path: Path) -> None:
    kinds = figure.canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        known = ", ".join(f".{one}" for one in sorted(kinds))
        raise ValueError(f"{plain(path)} is no name of a picture: it must end in one of {known}")
    with exchanging(path.parent) as new:
        figure.savefig(new / path.name)
