"""The command ``bench``: how fast the encoder is on this machine, and how fast on torch."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from ..threads import check_threads, limited
from .common import add_command, show
from .models import BUNDLED
from .options import QUIET, THREADS, add_options, choice, switch
from .progress import is_terminal

__all__ = ["add_bench"]

#: Seconds that a row may take, but for what calls take so long that three of them need more.
LASTING, QUICKLY = 8.0, 0.2


def add_bench(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "bench",
        "Measure how fast the encoder is on this machine, in about a minute: times, tokens a "
        "second, and how much of what NumPy's matrix product reaches; where torch and transformers "
        "are installed, beside them. A ratio above 1 says that this package is faster.",
        "  minirobert bench\n"
        "  minirobert bench --threads 1 --json\n"
        "  minirobert bench --size bundled --quick",
        "",
    )
    add_options(
        command,
        choice(
            "--size",
            ("base", BUNDLED),
            "a model of roberta-base's size with random weights, half a gigabyte of them (base, "
            "the default), or the small one that comes with the package",
            default="base",
        ),
        THREADS,
        switch("--quick", "measure each row for a moment only", default=False),
        QUIET,
    )
    command.set_defaults(run=_bench)


def _bench(arguments: argparse.Namespace) -> None:
    from ..benchmarks.encoder import has_torch

    beside = has_torch()
    if beside:  # its threads can be limited only once it is there
        import_module("torch")
    with limited(check_threads(arguments.threads)):
        report = _report(arguments, beside)
    show(arguments, report, lambda: _told(report, arguments.size, beside))


def _report(arguments: argparse.Namespace, beside: bool) -> dict[str, Any]:
    from ..benchmarks.batches import BASE, batch_of, sentences
    from ..benchmarks.encoder import random_encoder
    from ..benchmarks.machine import machine, matmul_peak
    from ..benchmarks.rows import with_shares
    from ..models.base import RobertaModel

    about = machine(*(("torch", "transformers") if beside else ()))
    peak = matmul_peak()
    if arguments.size == "base":
        model = random_encoder(**BASE)
    else:
        model = RobertaModel.from_pretrained(add_pooling_layer=False)
    uniform = ([16], [128], [128] * 8)
    batches = [*(batch_of(lengths, model.config) for lengths in uniform), sentences(model.config)]
    bar = not arguments.quiet and is_terminal("stderr")
    lasting = QUICKLY if arguments.quick else LASTING
    rows = [*_rows(model, _with_bar(batches, bar), beside, lasting)]
    peak = max(peak, matmul_peak())  # others may use the machine, too
    return {
        "machine": about,
        "matmul_peak": peak,
        "size": arguments.size,
        "rows": with_shares((row.to_json() for row in rows), peak),
    }


def _rows(model: Any, batches: Iterable[Any], beside: bool, lasting: float) -> Iterator[Any]:
    from ..benchmarks.encoder import check_same, encoder_row, ours, theirs, twin
    from ..benchmarks.rows import OURS

    other = twin(model) if beside else None
    for number, batch in enumerate(batches):
        sides = {"transformers": theirs(other, batch)} if beside else {}
        sides[OURS] = ours(model, batch)
        if beside and number == 0:
            check_same(batch, sides[OURS](), sides["transformers"]())
        yield encoder_row(model.config, batch, sides, lasting, rounds=(3, 31))


def _with_bar(batches: list[Any], shown: bool) -> Iterable[Any]:
    if not shown:
        return batches
    from tqdm import tqdm  # 40 ms that most commands do not need

    bar: Iterable[Any] = tqdm(batches, unit=" row", dynamic_ncols=True)
    return bar


def _told(report: dict[str, Any], size: str, beside: bool) -> str:
    """Write the report for people."""
    from ..benchmarks.machine import described
    from ..benchmarks.table import cells, text

    weights = "random weights of roberta-base's size" if size == "base" else "the bundled model"
    if beside:
        what = "ratio: theirs / ours, above 1 minirobert is faster; with the middle 80% of rounds"
    else:
        what = "torch and transformers would be compared with, but are not both installed"
    peak = f"NumPy multiplies float32 matrices at {report['matmul_peak'] / 1e9:,.0f} GFLOP/s"
    lines = (described(report["machine"]), f"{weights}, float32; {peak}", what)
    return "\n".join([*lines, "", text(cells(report["rows"]))])
