"""Real texts of some size that every machine with Python has."""

import sysconfig
from pathlib import Path

LEAVE_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}


def standard_library(n_bytes):
    """Read the lines of the standard library's sources, its tests left out, up to a size."""
    root = Path(sysconfig.get_path("stdlib"))
    lines = []
    for path in sorted(root.rglob("*.py")):
        if LEAVE_OUT.isdisjoint(path.relative_to(root).parts):
            with path.open(encoding="utf-8", newline="\n") as file:
                for line in file:
                    n_bytes -= len(line.encode())
                    if n_bytes < 0:
                        return lines
                    lines.append(line)
    return lines
