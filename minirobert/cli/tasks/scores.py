"""How scored names are shown."""

from collections.abc import Iterable

__all__ = ["show_scores"]


def show_scores(line: str, scored: Iterable[tuple[float, str]]) -> None:
    """Print a line, and below it each score with its name."""
    print(line)
    for score, name in scored:
        print(f"  {score:.4f}  {name}")
