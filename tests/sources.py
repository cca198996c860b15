"""The package's own source, as tests read it: its files, and what each imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import minirobert

PACKAGE = Path(minirobert.__file__).parent


def source_files() -> Iterator[tuple[tuple[str, ...], Path]]:
    """Walk through the package: a file's place in it, ``("models", "auto")``, and its path."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).with_suffix("").parts, path


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST, parts: tuple[str, ...] = ()) -> Iterator[str]:
    """Name what a file imports, anywhere in it: modules, and the names taken from them, dotted.

    ``from a import b`` gives ``a.b``, for b may be a module; a relative import begins with
    ``minirobert``, which needs the file's place.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                base = ["minirobert", *parts[: len(parts) - node.level], *base]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def top_level(names: Iterator[str]) -> set[str]:
    """Keep of dotted names what comes before the first dot: the libraries."""
    return {name.partition(".")[0] for name in names}
