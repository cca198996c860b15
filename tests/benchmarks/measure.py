"""Two sides measured in turn, so that a machine that drifts drifts for both."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

THREADS = 2


def limit_threads() -> None:
    """Give BLAS two threads; must be called before NumPy is imported."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(THREADS)


def machine() -> str:
    """Describe the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor()
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def seconds(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(
    title: str,
    theirs: Callable[[], object],
    ours: Callable[[], object],
    rounds: int,
    time_one: Callable[[Callable[[], object]], float] = seconds,
) -> None:
    """Print both medians and the ratio theirs / ours: above 1 we are faster.

    The ratio is taken round by round; its median is given with the middle 80% of the rounds.
    """
    for function in (theirs, ours):
        time_one(function)
    pairs = [(time_one(theirs), time_one(ours)) for _ in range(rounds)]
    ratios = sorted(their / our for their, our in pairs)
    low, high = ratios[rounds // 10], ratios[-1 - rounds // 10]
    their, our = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(
        f"{title:44}  theirs {1e3 * their:8.1f} ms  ours {1e3 * our:8.1f} ms  "
        f"ratio {statistics.median(ratios):.2f} ({low:.2f} to {high:.2f}, {rounds} rounds)",
        flush=True,
    )
