"""How time and memory of an encoder grow with the batch, the length and the depth.

python -m tests.benchmarks.bench_scaling [--quick] [--out DIR]

The runner draws the rows into a picture, ``growth.svg``.
"""

from dataclasses import replace
from functools import cache, lru_cache, partial
from statistics import median

from minirobert.benchmarks.batches import BASE, batch_of
from minirobert.benchmarks.encoder import ours, random_encoder, theirs, twin
from minirobert.benchmarks.rows import OURS, Row
from minirobert.plots.canvas import new_figure
from tests.benchmarks.bench_memory import peaks
from tests.benchmarks.measure import Comparison, run_alone, timed

SIDES = ("transformers", OURS)
#: Of each axis its values, and what they make: layers, batch, length.
AXES = {
    "batch": ((1, 2, 4, 8, 16, 32, 64), lambda n: (12, n, 32)),
    "length": ((8, 16, 32, 64, 128, 256, 512), lambda n: (12, 1, n)),
    "depth": ((1, 2, 4, 8, 12, 24), lambda n: (n, 1, 128)),
}
TITLES = {
    "batch": "{} x 32 tokens",
    "length": "1 x {} tokens",
    "depth": "{} layers, 1 x 128 tokens",
}


@lru_cache(maxsize=1)
def encoders(layers):
    model = random_encoder(**{**BASE, "num_hidden_layers": layers})
    return model, twin(model)


@cache
def memory(axis):
    """Give the peak of each side at each value of an axis."""
    values, shape = AXES[axis]
    found = {side: peaks(side, [shape(n) for n in values]) for side in SIDES}
    return {n: {side: [found[side][i]] for side in SIDES} for i, n in enumerate(values)}


def measure_time(one, settings, axis, n):
    layers, batch, length = AXES[axis][1](n)
    model, other = encoders(layers)
    given = batch_of([length] * batch, model.config)
    sides = dict(zip(SIDES, (theirs(other, given), ours(model, given)), strict=True))
    return timed(one, replace(settings, lasting=settings.lasting / 5), sides)


def measure_memory(one, settings, axis, n):
    return Row(name=one.name, title=one.title, sides=memory(axis)[n], unit="MiB")


COMPARISONS = [
    Comparison(
        f"growth/{axis}/{what}/{n}",
        f"{what}, {TITLES[axis].format(n)}",
        partial(measure, axis=axis, n=n),
    )
    for axis, (values, _) in AXES.items()
    for what, measure in (("time", measure_time), ("memory", measure_memory))
    for n in values
]


def picture(rows):
    """Draw what there is of these rows: time above, memory below, an axis each."""
    figure = new_figure(12, 7)
    for (what, unit), line in zip(
        (("time", "s"), ("memory", "MiB")), figure.subplots(2, 3), strict=True
    ):
        for axis, ax in zip(AXES, line, strict=True):
            found = [row for row in rows if row["name"].startswith(f"growth/{axis}/{what}/")]
            for side in SIDES if found else ():
                at = [int(row["name"].rpartition("/")[2]) for row in found]
                ax.plot(at, [median(row["each"][side]) for row in found], "o-", label=side)
            ax.set(xscale="log", yscale="log", xlabel=axis, ylabel=f"{what} ({unit})")
            ax.grid(alpha=0.3, which="both")
    figure.axes[0].legend()
    return figure


if __name__ == "__main__":
    run_alone("growth")
