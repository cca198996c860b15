"""``minirobert score``: how likely a text is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...pipelines.results import TextScore
from ..answer_files import Row, columns_of
from ..task_command import TaskCommand

__all__ = ["SCORE"]


def _show_likelihoods(line: str, found: Any) -> None:
    print(line)
    print(f"  {found['score']:.4f}  perplexity {found['perplexity']:.4f}", end="")
    print(f", {found['num_tokens']} tokens" if found["num_tokens"] > 1 else ", 1 token")
    for token in found["tokens"]:
        print(f"  {token['log_probability']:9.4f}  {token['token_str']!r}")


def _plot_likelihoods(found: Any) -> Any:
    from ...plots import log_likelihoods

    return log_likelihoods(found)


def _row_of_score(_pipe: Any, _line: str, found: Any) -> Iterator[Row]:
    yield {name: value for name, value in found.items() if name != "tokens"}


SCORE = TaskCommand(
    task="score",
    purpose="Tell how likely a text is: its (pseudo-)log-likelihood and perplexity, by token.",
    examples=(
        'score "Grass is green." "Grass is loud."',
        'score "Grass is loud." --plot tokens.png',
        "score --json --batch-size 8 < lines.txt",
        "score --out scores.csv < lines.txt",
    ),
    options=(),
    show=_show_likelihoods,
    plot=_plot_likelihoods,
    plotted="the log-likelihoods of the tokens",
    rows=_row_of_score,
    columns=lambda pipe: columns_of(TextScore),
)
