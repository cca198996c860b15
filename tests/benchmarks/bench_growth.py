"""How the time of operations grows with the size of their input, beside transformers' tokenizer.

python -m tests.benchmarks.bench_growth [--seconds S] [--most N] [WORD ...]

Each operation of `tests.growing`, or those whose names have one of the words, is done with inputs
of 1,000, 2,000, 4,000 … up to N, or until one takes S seconds. The exponent is the slope of the
logarithm of the time over the last four sizes that took a millisecond or more: 1 is linear, 2
square. Times are the processor's, of one call, the better of two.
"""

import argparse
import math
import time
import warnings

import numpy as np

from tests.benchmarks.measure import machine
from tests.growing import OPERATIONS, THEIRS

MEASURABLE = 1e-3  # seconds


def seconds(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def growth(prepare, most, limit):
    """Give the largest size that was tried, its time, and the exponent."""
    times = {}
    size = 1000
    while size <= most and times.get(size // 2, 0) < limit:
        times[size] = min(seconds(prepare(size)) for _ in range(2))
        size *= 2
    long_enough = [(n, taken) for n, taken in times.items() if taken >= MEASURABLE][-4:]
    exponent = math.nan
    if len(long_enough) > 1:
        exponent = np.polyfit(*np.log(np.array(long_enough)).T, 1)[0]
    size = max(times)
    return size, times[size], exponent


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--most", type=int, default=2**10 * 1000)
    parser.add_argument("--ours-only", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    print(machine())
    print(f"{'':44} {'ours':>30} {'theirs':>30}")
    for name, prepare in OPERATIONS.items():
        if options.words and not any(word in name for word in options.words):
            continue
        sides = [prepare, *([THEIRS[name]] if name in THEIRS and not options.ours_only else [])]
        print(f"{name:44}", end="", flush=True)
        for side in sides:
            size, taken, exponent = growth(side, options.most, options.seconds)
            print(f" {size:>10,} {taken:8.3f} s n^{exponent:4.2f}", end="", flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
