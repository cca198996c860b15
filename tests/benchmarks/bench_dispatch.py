"""What NumPy's users pay for the other libraries, and for names that nobody watches.

Every formula looks for the library of its arrays and for a kernel, and every intermediate tensor
passes through `observe`. What this costs does not depend on the size of the arrays, so it is
measured where little else is done: with tiny arrays, with and without it, in turn.

python -m tests.benchmarks.bench_dispatch
"""

import sys
import time
from contextlib import contextmanager

from tests.benchmarks.threads import THREADS, limit_threads

limit_threads()

import numpy as np  # noqa: E402  # the threads are limited before NumPy starts them

import minirobert  # noqa: E402
from minirobert import arrays, functional  # noqa: E402
from minirobert.benchmarks.batches import BASE  # noqa: E402
from minirobert.benchmarks.turns import seconds  # noqa: E402
from minirobert.kernels import cpu  # noqa: E402
from tests.benchmarks.measure import machine  # noqa: E402

TINY = {**BASE, "vocab_size": 30, "hidden_size": 12, "intermediate_size": 12}
LENGTH, ROUNDS, WARM, BASE_ROUNDS, MOST = 16, 31, 20, 21, 0.02
XP = arrays.array_namespace(np.zeros(1))


class Nowhere:
    """A scope without a name."""

    def __init__(self, name):
        pass

    def __enter__(self):
        pass

    def __exit__(self, *error):
        pass


def is_widening(function):
    """Tell a formula that looks for arrays of 16 bits."""
    code = getattr(function, "__code__", None)
    return code is not None and code is functional.matmul.__code__


def instead_of(name, value):
    """Give what does the same for float32 arrays of NumPy alone, and names nothing."""
    kernels = {
        functional.linear: cpu.linear_cpu,
        functional.softmax: cpu.softmax_cpu,
        functional.layer_norm: cpu.layer_norm_cpu,
        functional.gelu: cpu.gelu_cpu,
    }
    bare = {
        "observe": lambda name, array: array,
        "scope": Nowhere,
        "array_namespace": lambda *given: XP,
        "device_of": lambda array: "cpu",
        "index_dtype": lambda xp: np.int64,
        "ACTIVATIONS": {"gelu": cpu.gelu_cpu.__wrapped__},
    }
    if name in bare:
        return bare[name]
    if callable(value) and value in kernels:
        return kernels[value].__wrapped__
    return value.__wrapped__ if is_widening(value) else value


@contextmanager
def bare():
    """Take the search for libraries, kernels and watchers out of the package."""
    before = [
        (module, name, value)
        for path, module in [*sys.modules.items()]
        if path.startswith("minirobert") and not path.startswith("minirobert.kernels")
        for name, value in [*vars(module).items()]
        if not name.startswith("__") and instead_of(name, value) is not value
    ]
    for module, name, value in before:
        setattr(module, name, instead_of(name, value))
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def forward(fields):
    model = minirobert.RobertaModel(minirobert.RobertaConfig(**fields), add_pooling_layer=False)
    ids = np.random.default_rng(0).integers(3, fields["vocab_size"], (1, LENGTH))
    mask = np.ones_like(ids)
    return lambda: model(ids, attention_mask=mask).last_hidden_state


def warm(function):
    """Time a call once Python has seen where the names in it lead, on this thread alone."""
    times = []
    for _ in range(WARM):
        start = time.thread_time()
        function()
        times.append(time.thread_time() - start)
    return min(times)


def main():
    print(machine())
    print(f"NumPy {np.__version__}, {THREADS} threads, float32, 1 x {LENGTH} tokens")
    tiny, base = forward(TINY), forward(BASE)
    expected = tiny()
    with bare():
        assert np.array_equal(tiny(), expected)
    whole, rest = [], []
    for _ in range(ROUNDS):
        whole.append(warm(tiny))
        with bare():
            rest.append(warm(tiny))
    cost = min(whole) - min(rest)
    least = min(seconds(base) for _ in range(BASE_ROUNDS))  # others may use the machine, too
    parts = f"{1e3 * min(whole):.2f} ms, without dispatch and observe {1e3 * min(rest):.2f} ms"
    print(f"a tiny pass {parts}")
    print(f"so they take {1e6 * cost:.0f} us; a pass of base size {1e3 * least:.1f} ms")
    print(f"{cost / least:.2%}, of at most {MOST:.0%}")
    return cost / least > MOST


if __name__ == "__main__":
    sys.exit(main())
