"""The most memory that a process holds which runs a roberta-base-sized encoder once.

python -m tests.benchmarks.bench_memory [--quick] [--out DIR]

Each side has a process of its own, with its libraries and random weights.
"""

import json
from functools import partial

from minirobert.benchmarks.rows import OURS, Row
from tests.benchmarks.measure import Comparison, run_alone, run_python

SHAPES = [(8, 128), (64, 512)]


def peaks(side, shapes):
    """Give the peak of a process after each of some shapes, which grow: layers, batch, length."""
    printed = run_python("-m", "tests.benchmarks.child", side, json.dumps(shapes))
    return json.loads(printed)


def measure(one, settings, batch, length):
    shapes = [(12, batch, length)]
    sides = {side: peaks(side, shapes) for side in ("transformers", OURS)}
    return Row(name=one.name, title=one.title, sides=sides, unit="MiB")


COMPARISONS = [
    Comparison(
        f"memory/{batch}x{length}",
        f"peak memory, encoder, {batch} sequences of {length} tokens",
        partial(measure, batch=batch, length=length),
    )
    for batch, length in SHAPES
]

if __name__ == "__main__":
    run_alone("memory")
