"""All comparisons of speed and memory, in one table.

    python -m tests.benchmarks                            # about half an hour on two quiet cores
    python -m tests.benchmarks --quick                    # fewer rounds and texts
    python -m tests.benchmarks --only encoder logits      # rows by their names, or their beginnings

The rows are written into DIR (build/benchmarks) as soon as each is measured: ``results.json`` has
all numbers, ``table.md`` what is told of them, ``growth.svg`` how time and memory grow. With
``--only``, rows of before that were measured on this machine with the same versions stay there.
"""

from __future__ import annotations

from tests.benchmarks.threads import THREADS, limit_threads

limit_threads()

import argparse  # noqa: E402  # the threads are told before NumPy starts them
import logging  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402

from minirobert.benchmarks.machine import machine, matmul_peak  # noqa: E402
from minirobert.benchmarks.table import cells, text  # noqa: E402
from tests.benchmarks.collected import chosen, comparisons  # noqa: E402
from tests.benchmarks.measure import Settings  # noqa: E402
from tests.benchmarks.results import Results  # noqa: E402

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "onnxruntime")
OUT = Path("build", "benchmarks")


def main(arguments=None):
    options = parse(arguments)
    quiet()
    found = comparisons()
    try:
        todo = chosen(found, options.only)
    except ValueError as error:
        sys.exit(str(error))
    about = {"machine": machine(*LIBRARIES), "threads": THREADS, "quick": options.quick}
    results = Results(options.out, about, keep=bool(options.only))
    failed = run(todo, [one.name for one in found], results, Settings.of(options.quick))
    print((options.out / "table.md").read_text("utf-8"))
    draw(results, found, options.out)
    return 1 if failed else 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(arguments)


def quiet():
    """Let libraries tell nothing between the rows."""
    import transformers

    warnings.simplefilter("ignore")
    logging.disable()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def run(todo, names, results, settings):
    """Measure comparisons, each of which may fail without the others; give how many do."""
    failed, start = 0, time.monotonic()
    for number, one in enumerate(todo, 1):
        say(f"[{number}/{len(todo)}, {(time.monotonic() - start) / 60:.1f} min] {one.name} …")
        results.peak = max(results.peak, matmul_peak())  # others may use the machine, too
        try:
            results.add(one.row(settings))
        except Exception:
            say(traceback.format_exc())
            failed += 1
            continue
        results.write(names)
        say(text(cells(results.in_order([one.name]))[1:]))
    return failed


def say(line):
    print(line, file=sys.stderr, flush=True)


def draw(results, found, directory):
    """Draw how time and memory grow, as far as that has been measured."""
    rows = results.in_order([one.name for one in found if one.name.startswith("growth/")])
    if rows:
        from minirobert.plots.files import save
        from tests.benchmarks.bench_scaling import picture

        save(picture(rows), directory / "growth.svg")


if __name__ == "__main__":
    sys.exit(main())
