"""The vectors, written once for all tests that read them."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from minirobert.files.locks import locked
from minirobert.numerics.tensor_file import read_tensors
from minirobert.numerics.vectors.writing import MANIFEST, all_cases


def written(factory) -> Path:
    """Write them where the workers of a test run share them, as an old machine would.

    That is one without the instructions that this processor has beyond the oldest of its kind:
    `test_writing.SHA` is of what it writes with them.
    """
    base = factory.getbasetemp()
    shared = base.parent if "popen" in base.name else base
    without = " ".join(name for name in __cpu_dispatch__ if __cpu_features__[name])
    old = {"NPY_DISABLE_CPU_FEATURES": without, "OPENBLAS_CORETYPE": "Prescott"}
    command = [sys.executable, "-m", "minirobert", "vectors", "--out", str(shared / "vectors")]
    with locked(shared, 120):
        if not (shared / "vectors" / MANIFEST).exists():
            subprocess.run(command, env={**os.environ, **old}, check=True, timeout=100)
    return shared / "vectors"


@cache
def cases():
    """Give the cases by the names of their directories."""
    return dict(all_cases())


@cache
def expected(vectors, name):
    """Read what a case expects, and the budgets: nobody must change it."""
    return read_tensors(vectors / name / "expected.safetensors").tensors
