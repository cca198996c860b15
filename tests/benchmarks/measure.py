"""What the benchmarks share: how each declares its comparisons, and how it may measure them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from minirobert.benchmarks.machine import described
from minirobert.benchmarks.machine import machine as machine_of
from minirobert.benchmarks.rows import OURS, Row
from minirobert.benchmarks.turns import in_rounds, in_turn, ratios, seconds, spread


@dataclass
class Settings:
    """How long to measure, and where files may be written."""

    quick: bool = False
    #: Seconds that the rounds of a comparison take together, unless the fewest take longer.
    lasting: float = 20.0
    rounds: tuple[int, int] = (5, 31)

    @classmethod
    def of(cls, quick: bool) -> Settings:
        return cls(quick=True, lasting=2.0, rounds=(3, 15)) if quick else cls()

    @cached_property
    def directory(self) -> Path:
        """Give a directory that is gone when the process ends."""
        self._scratch = TemporaryDirectory(prefix="minirobert-benchmarks-")
        return Path(self._scratch.name)


@dataclass(frozen=True)
class Comparison:
    """A row of the table, and what measures it."""

    name: str  # as "encoder/8x128"
    title: str
    measure: Callable[[Comparison, Settings], Row]

    def row(self, settings: Settings) -> Row:
        return self.measure(self, settings)


def timed(one: Comparison, settings: Settings, sides: Mapping[str, Callable], **more) -> Row:
    """Time sides in turn."""
    times = in_turn(sides, settings.lasting, settings.rounds)
    return Row(name=one.name, title=one.title, sides=times, **more)


def run_python(*arguments: str) -> str:
    """Run Python in a process of its own, which must succeed; give what it prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def run_alone(*names: str) -> None:
    """Do what ``python -m tests.benchmarks --only NAME …`` does."""
    command = [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:], "--only", *names]
    os.execv(sys.executable, command)  # so that the threads are told before NumPy starts them


# Of the benchmarks that print


def machine() -> str:
    """Describe the machine on a line."""
    return described(machine_of())


def compare(
    title: str,
    theirs: Callable[[], object],
    ours: Callable[[], object],
    rounds: int,
    time_one: Callable[[Callable[[], object]], float] = seconds,
) -> None:
    """Print both medians and the ratio theirs / ours: above 1 we are faster."""
    for function in (theirs, ours):
        function()
    times = in_rounds({"theirs": theirs, OURS: ours}, rounds, time_one=time_one)
    ratio = ratios(times["theirs"], times[OURS])
    their, our = (1e3 * spread(side).median for side in times.values())
    print(
        f"{title:44}  theirs {their:8.1f} ms  ours {our:8.1f} ms  ratio {ratio.median:.2f} "
        f"({ratio.low:.2f} to {ratio.high:.2f}, {rounds} rounds)",
        flush=True,
    )
