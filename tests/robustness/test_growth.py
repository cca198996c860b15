"""The work of each operation grows hardly faster than its input.

Time is no measure on a machine that does other things too. Counted are, instead, the steps of
Python's interpreter, and the bytes that each of them takes: a copy of a text or list is one step,
but takes its size. What goes unseen is a search that copies nothing, such as `in` with a list, or a
pattern that tries much: for that there is `tests.benchmarks.bench_growth`, which measures time, and
here, where it matters, a test of its own.
"""

import sys
import tracemalloc

import pytest

from minirobert import RobertaTokenizer
from minirobert.sentences import LIMIT
from minirobert.tokenization import AddedToken, added_tokens, components
from minirobert.tokenization.fast import piece_table
from tests.growing import OPERATIONS, ours, with_parts

#: n log n is about n^1.2 at these sizes, and n^2 shows as n^1.5 at least where other work is small.
EXPONENT = 1.3
FACTOR = 4

#: Where 4 n is not enough for the square to show beside other work, or costs more than needed.
SIZES = {
    "an added token as a single word": 2000,
    "windows of 6": 300,
    "train with n merges on one word": 100,
}
SIZE = 200


def work(function):
    """Count steps and bytes, of a function and all that it calls."""
    steps = taken = held = 0

    def trace(frame, event, arg):
        nonlocal steps, taken, held
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        steps += 1
        now, highest = tracemalloc.get_traced_memory()
        taken += max(highest - held, 0)
        tracemalloc.reset_peak()
        held = now
        return trace

    before = sys.gettrace()
    tracemalloc.start()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
        tracemalloc.stop()
    return steps, taken


def check_growth(prepare, size):
    prepare(size)()  # what happens only once
    small, large = work(prepare(size)), work(prepare(FACTOR * size))
    for what, less, more in zip(("steps", "bytes"), small, large, strict=True):
        assert more <= less * FACTOR**EXPONENT, (what, less, more)


@pytest.mark.parametrize("name", OPERATIONS)
def test_work_grows_as_the_input(name, times):
    check_growth(OPERATIONS[name], SIZES.get(name, SIZE) * times)


@pytest.mark.parametrize(
    "square",
    [
        lambda n: lambda: [i for i in range(n) for _ in range(n)],  # steps
        lambda n: lambda: [b"." * (100 * n) for i in range(n)],  # copies
    ],
)
def test_a_square_would_be_seen(square):
    with pytest.raises(AssertionError):
        check_growth(square, SIZE)
