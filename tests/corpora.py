"""Real texts of some size that every machine with Python has."""

import random
import sysconfig
from pathlib import Path
from pydoc_data.topics import topics

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


def documentation(n_bytes):
    """Read the lines of Python's language reference, which is English, up to a size."""
    lines = "\n".join(topics.values()).splitlines(keepends=True)
    return cut(lines, n_bytes)


def random_characters(n_bytes, seed=0):
    """Draw lines of characters of all planes of Unicode, most of which are not assigned."""
    draw = random.Random(seed)
    lines = []
    while n_bytes > 0:
        line = "".join(map(chr, draw.choices(range(0x110000), k=40)))
        lines.append(line.encode("utf-8", "ignore").decode("utf-8"))  # without surrogates
        n_bytes -= len(lines[-1].encode())
    return lines


def cut(lines, n_bytes):
    """Take the first lines, up to a size."""
    kept = []
    for line in lines:
        n_bytes -= len(line.encode())
        if n_bytes < 0:
            break
        kept.append(line)
    return kept
