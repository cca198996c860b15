"""The most memory that a process has held; imports nothing that would take some itself."""

import resource
import sys
from pathlib import Path


def peak_memory() -> float:
    """Tell it in MiB.

    Linux hands ``ru_maxrss`` down from the process that starts another, but not ``VmHWM``.
    """
    try:
        status = Path("/proc/self/status").read_text("utf-8").splitlines()
        (line,) = (line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) / (1 << 10)
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
