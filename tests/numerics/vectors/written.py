"""The vectors, written once for all tests that read them."""

from functools import cache
from pathlib import Path

from minirobert.files.locks import locked
from minirobert.numerics.vectors import write_vectors
from minirobert.numerics.vectors.writing import MANIFEST, all_cases


def written(factory) -> Path:
    """Write them where the workers of a test run share them."""
    base = factory.getbasetemp()
    shared = base.parent if "popen" in base.name else base
    with locked(shared, 120):
        if not (shared / "vectors" / MANIFEST).exists():
            write_vectors(shared / "vectors")
    return shared / "vectors"


@cache
def cases():
    """Give the cases by the names of their directories."""
    return dict(all_cases())
