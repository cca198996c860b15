"""The machine: its processor, the library of linear algebra, and how fast that multiplies."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ..kernels.compiled import uses_numba
from .turns import seconds

__all__ = ["described", "machine", "matmul_peak"]


def machine(*packages: str) -> dict[str, Any]:
    """Tell on what is measured.

    Parameters
    ----------
    *packages : str
        Whose versions are told, too, where they are installed.

    Returns
    -------
    dict
        ``processor``, ``cores`` that this process may use, ``system``, ``python``, ``blas``
        (``library``, ``version``, and, where threadpoolctl knows it, its ``kernel`` and
        ``threads``) and ``versions``, of numba where it is used.
    """
    numba = ["numba"] if uses_numba() else []
    return {
        "processor": _processor(),
        "cores": _cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "blas": _blas(),
        "versions": dict(_versions("minirobert", "numpy", *numba, *packages)),
    }


def _versions(*packages: str) -> Iterator[tuple[str, str]]:
    for name in packages:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _blas() -> dict[str, Any]:
    """Describe the library that NumPy multiplies matrices with."""
    from threadpoolctl import threadpool_info

    found = [one for one in threadpool_info() if one["user_api"] == "blas"]
    found.sort(key=lambda one: "numpy" not in one["filepath"])  # others may have brought their own
    if not found:  # Accelerate is none that threadpoolctl knows
        return {"library": "unknown", "version": None}
    one = found[0]
    return {
        "library": one["internal_api"],
        "version": one["version"],
        "kernel": one.get("architecture"),
        "threads": one["num_threads"],
    }


def described(about: dict[str, Any]) -> str:
    """Write what `machine` tells on a line.

    Parameters
    ----------
    about : dict

    Returns
    -------
    str

    >>> blas = {"library": "openblas", "version": "0.3.31", "kernel": "Haswell", "threads": 2}
    >>> about = {"processor": "EPYC", "cores": 2, "system": "Linux x86_64", "python": "3.11.2"}
    >>> print(described({**about, "blas": blas, "versions": {"numpy": "2.4.6"}}))
    EPYC, 2 cores, Linux x86_64; openblas 0.3.31 (Haswell kernels, 2 threads); Python 3.11.2, numpy
    2.4.6
    """
    blas = about["blas"]
    more = [f"{blas['kernel']} kernels"] if blas.get("kernel") else []
    more += [_counted(blas["threads"], "thread")] if blas.get("threads") else []
    library = " ".join(filter(None, (blas["library"], blas["version"])))
    in_brackets = f" ({', '.join(more)})" if more else ""
    versions = ", ".join(f"{name} {one}" for name, one in about["versions"].items())
    return (
        f"{about['processor']}, {_counted(about['cores'], 'core')}, {about['system']}; {library}"
        f"{in_brackets}; Python {about['python']}, {versions}"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def matmul_peak(size: int = 2048, times: int = 5) -> float:
    """Measure how fast NumPy multiplies large float32 matrices.

    Parameters
    ----------
    size : int
        Rows and columns.
    times : int
        The best of so many counts.

    Returns
    -------
    float
        Operations a second: a product and a sum are two.
    """
    matrix = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
    np.matmul(matrix, matrix)
    return 2 * size**3 / min(seconds(lambda: matrix @ matrix) for _ in range(times))
