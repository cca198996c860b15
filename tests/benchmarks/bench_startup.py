"""What a command costs from the start of its process: importing, and filling a mask.

python -m tests.benchmarks.bench_startup [--quick] [--out DIR]
"""

from functools import partial

import minirobert
from minirobert.benchmarks.rows import OURS, Row
from tests.benchmarks.measure import Comparison, run_alone, run_python, timed

TEXT = "The color of the sky is <mask>."
IMPORT = {"NumPy alone": "import numpy", OURS: "import minirobert"}
FILL = {
    "transformers": "from transformers import pipeline; "
    f"print(pipeline('fill-mask', {str(minirobert.TINY)!r})({TEXT!r}))",
    OURS: f"from minirobert.cli import main; main(['fill-mask', {TEXT!r}])",
}


def measure(one, settings, codes):
    sides = {side: partial(run_python, "-c", code) for side, code in codes.items()}
    return timed(one, settings, sides)


def measure_memory(one, settings, codes):
    tell = "from tests.benchmarks.peaks import peak_memory; print(peak_memory())"
    sides = {
        side: [float(run_python("-c", f"{code}\n{tell}").splitlines()[-1])]
        for side, code in codes.items()
    }
    return Row(name=one.name, title=one.title, sides=sides, unit="MiB")


COMPARISONS = [
    Comparison("start/import", "import minirobert", partial(measure, codes=IMPORT)),
    Comparison(
        "start/fill-mask", "one mask filled, from the process on", partial(measure, codes=FILL)
    ),
    Comparison("start/memory", "peak memory of that process", partial(measure_memory, codes=FILL)),
]

if __name__ == "__main__":
    run_alone("start")
