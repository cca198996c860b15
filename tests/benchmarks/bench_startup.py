"""What a command costs from the start of its process: importing, and filling a mask.

python -m tests.benchmarks.bench_startup
"""

import os
import subprocess
import sys

import minirobert
from tests.benchmarks.measure import compare, machine

TEXT = "The color of the sky is <mask>."
THEIR_PIPELINE = (
    f"from transformers import pipeline; print(pipeline('fill-mask', {str(minirobert.TINY)!r})"
    f"({TEXT!r}))"
)


def process(*arguments):
    """Make a call that runs Python with these arguments."""

    def call():
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    return call


def show_memory(title, *arguments):
    """Run Python once, and print the most memory that it held."""
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, *arguments])
    _, _, usage = os.wait4(pid, 0)
    print(f"{title:44}  peak {usage.ru_maxrss / 1024:.0f} MiB", flush=True)


def main():
    print(machine())
    compare(
        "import numpy | import minirobert",
        process("-c", "import numpy"),
        process("-c", "import minirobert"),
        rounds=21,
    )
    ours = ["-m", "minirobert", "fill-mask", TEXT]
    compare(
        "transformers' pipeline | minirobert fill-mask",
        process("-c", THEIR_PIPELINE),
        process(*ours),
        rounds=5,
    )
    show_memory("transformers' pipeline", "-c", THEIR_PIPELINE)
    show_memory("minirobert fill-mask", *ours)


if __name__ == "__main__":
    main()
