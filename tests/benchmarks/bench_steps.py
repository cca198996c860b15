"""Where the time of an encoder goes, by the names of the intermediate tensors.

python -m tests.benchmarks.bench_steps [--shape BxS ...]

A model of roberta-base's size, two threads: what each step of the layers takes with the formulas,
with the kernels on NumPy alone, and where numba is installed with what it compiles. Those of the
formulas are the times between one tensor that is observed and the next; of the kernels the
functions that stand for a step are timed, with the threads of BLAS in each product. The last row is
a call as a user has it: nothing in it is timed, and of a large batch each thread has a group. The
last column is what the products of a step would take at the speed at which NumPy multiplies large
matrices here: no step can be faster.
"""

import argparse
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, nullcontext
from statistics import median
from unittest import mock

from tests.benchmarks.threads import limit_threads

limit_threads()

import numpy as np  # noqa: E402  # the threads are limited before NumPy starts them

from minirobert import kernels, watch  # noqa: E402
from minirobert.benchmarks.batches import BASE, batch_of  # noqa: E402
from minirobert.benchmarks.encoder import random_encoder  # noqa: E402
from minirobert.benchmarks.machine import described, machine, matmul_peak  # noqa: E402
from minirobert.benchmarks.turns import seconds  # noqa: E402
from minirobert.kernels import columns, compiled, encoder  # noqa: E402
from minirobert.kernels.steps import NUMPY, Steps  # noqa: E402

#: The step that each observed tensor of a layer belongs to, whose name is that of its last one.
STEP_OF = {
    **dict.fromkeys(
        [f"attention.self.{n}{end}" for n in ("query", "key", "value") for end in (".dense", "")],
        "query, key, value",
    ),
    **dict.fromkeys(
        [f"attention.self.{n}" for n in ("scores", "scores.masked", "probabilities", "context")],
        "scores to context",
    ),
    "attention.output.dense": "attention.output.dense",
    "attention.output.sum": "attention.output.LayerNorm",
    "attention.output.LayerNorm": "attention.output.LayerNorm",
    "intermediate.dense": "intermediate.dense",
    "intermediate": "intermediate",
    "output.dense": "output.dense",
    "output.sum": "output.LayerNorm",
    "output.LayerNorm": "output.LayerNorm",
}
OUTSIDE = "embeddings, and all else"


def of_formulas(call):
    """Time the steps between the tensors that are observed."""
    taken, before = Counter(), time.perf_counter()

    def note(name, _):
        nonlocal before
        now = time.perf_counter()
        inner = name.partition("encoder.layer.")[2].partition(".")[2]
        taken[STEP_OF.get(inner, OUTSIDE)] += now - before
        before = time.perf_counter()

    with kernels.disabled(), watch(note):
        call()
    return taken


def of_kernels(call, compile_):
    """Time the functions of the kernels that stand for steps."""
    taken, norms = Counter(), 0
    with ExitStack() as patches:

        def timed(name, function):
            def run(*arguments):
                start = time.perf_counter()
                result = function(*arguments)
                taken[name] += time.perf_counter() - start
                return result

            return run

        def norm_of(which):
            return f"{('attention.', '')[which % 2]}output.LayerNorm"

        def add_and_norm(*arguments):
            nonlocal norms
            timed(norm_of(norms), chosen.add_and_norm)(*arguments)

        def block(*arguments):
            nonlocal norms
            name = norm_of(norms).replace("LayerNorm", "dense")
            before = taken[norm_of(norms)]
            result = timed(name, of_block)(*arguments)
            taken[name] -= taken[norm_of(norms)] - before
            norms += 1
            return result

        chosen = compiled.steps_for(np.empty(compiled._FEW)) if compile_ else NUMPY
        of_block = columns._add_and_norm
        steps = Steps(timed("intermediate", chosen.gelu), chosen.exponentials, add_and_norm)
        for where, name, function in [
            (encoder, "steps_for", lambda _: steps),
            (encoder, "threads_for", lambda *_: 1),
            (encoder, "_self_attention", timed("query, key, value", encoder._self_attention)),
            (encoder, "attention", timed("scores to context", encoder.attention)),
            (encoder, "after_attention", timed("after", encoder.after_attention)),
            (columns, "_add_and_norm", block),
        ]:
            patches.enter_context(mock.patch.object(where, name, function))
        start = time.perf_counter()
        call()
        whole = time.perf_counter() - start
    taken["query, key, value"] -= taken["scores to context"]
    after = taken.pop("after")
    inside = (name for name in taken if "output" in name or name == "intermediate")
    taken["intermediate.dense"] = after - sum(taken[name] for name in [*inside])
    taken[OUTSIDE] = whole - sum(taken.values())
    return taken


def of_a_call(call, way):
    """Time a call as it is, when the threads of BLAS have stopped to wait for the next product."""
    time.sleep(0.2)
    steps = {"NumPy": NUMPY}.get(way) or compiled.steps_for(np.empty(compiled._FEW))
    disabled = kernels.disabled() if way == "formulas" else nullcontext()
    with disabled, mock.patch.object(encoder, "steps_for", return_value=steps):
        return seconds(call)


def products(config, shape, peak):
    """Tell how long the products of each step take at best, in seconds."""
    (batch, length), hidden, inner = shape, config.hidden_size, config.intermediate_size
    tokens = batch * length
    numbers = {
        "query, key, value": 3 * tokens * hidden**2,
        "scores to context": 2 * tokens * length * hidden,
        "attention.output.dense": tokens * hidden**2,
        "intermediate.dense": tokens * hidden * inner,
        "output.dense": tokens * hidden * inner,
    }
    layers = config.num_hidden_layers
    return Counter({name: 2 * layers * number / peak for name, number in numbers.items()})


@contextmanager
def rounds(times):
    """Give a function that notes the times of ways to compute, and in the end their medians."""
    noted = {}

    def note(way, taken):
        noted.setdefault(way, []).append(taken)

    yield note
    for way, found in noted.items():
        times[way] = {step: 1e3 * median(one[step] for one in found) for step in (*ORDER, CALL)}


ORDER = [*dict.fromkeys(STEP_OF.values()), OUTSIDE]
CALL = "a call as it is"


def table(shape, model, peak, n_rounds):
    batch = batch_of([shape[1]] * shape[0], model.config)

    def call():
        model(batch.ids, attention_mask=batch.mask)

    ways = {"formulas": of_formulas, "NumPy": lambda one: of_kernels(one, False)}
    if compiled.uses_numba():
        ways["with numba"] = lambda one: of_kernels(one, True)
    times = {}
    with rounds(times) as note:
        for number in range(n_rounds + 1):
            for way, measure in ways.items():
                taken = measure(call)
                taken[CALL] = of_a_call(call, way)
                if number:  # the first of each is a warm-up
                    note(way, taken)
    best = products(model.config, shape, peak)
    times["products at best"] = {step: 1e3 * best[step] for step in ORDER}
    yield "| {} | {} |".format(f"{shape[0]}x{shape[1]}, ms", " | ".join(times))
    yield "| --- |" + " --- |" * len(times)
    for step in ORDER:
        yield "| {} | {} |".format(step, " | ".join(f"{one[step]:.1f}" for one in times.values()))
    sums = [sum(one[step] for step in ORDER) for one in times.values()]
    yield f"| **all** | {' | '.join(f'{one:.0f}' for one in sums)} |"
    calls = [one.get(CALL) for one in times.values()]
    yield f"| **{CALL}** | {' | '.join(f'{one:.0f}' if one else '' for one in calls)} |"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_steps")
    parser.add_argument("--shape", nargs="+", default=["1x16", "8x128", "2x512"], metavar="BxS")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    peak = matmul_peak()
    print(f"{described(machine())}; products at {peak / 1e9:.0f} GFLOP/s")
    model = random_encoder(**BASE)
    for shape in options.shape:
        print()
        for line in table(tuple(map(int, shape.split("x"))), model, peak, options.rounds):
            print(line)


if __name__ == "__main__":
    main()
