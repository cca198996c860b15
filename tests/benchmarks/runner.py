"""Runs comparisons one after the other, and writes each row as soon as it is there."""

import argparse
import logging
import sys
import time
import traceback
import warnings
from pathlib import Path

from minirobert.benchmarks.machine import machine, matmul_peak
from minirobert.benchmarks.table import cells, text
from tests.benchmarks.collected import chosen, comparisons
from tests.benchmarks.measure import Settings
from tests.benchmarks.results import Results
from tests.benchmarks.threads import THREADS

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "onnxruntime")
OUT = Path("build", "benchmarks")


def main(description):
    options = parse(description)
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


def parse(description):
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


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
