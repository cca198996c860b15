"""Faults that the tests must find: each is put into a copy of the package, and tests are run.

    python -m tests.mutants                        # all, a few minutes
    python -m tests.mutants --only mask --jobs 2   # those with "mask" in their names

A mutant is *killed* where one of its tests fails, and has *survived* where all pass: then a test is
missing. Its text is searched in the whole package (or in one file of it), so moving code leaves the
list as it is. A text that is not there, or there twice, must be adapted to the code of today. The
tests of all mutants are first run on the package as it is, where they must pass. With
``--root DIR`` all this is done to another checkout. The exit code is 1 unless every mutant is
killed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import NamedTuple

LIST = Path(__file__).with_suffix(".txt")
COPIED = ("minirobert", "tests", "tutorials", "README.md", "pyproject.toml")


class Mutant(NamedTuple):
    """A fault: a text that stands once in the package, and what takes its place."""

    name: str
    tests: list[str]  # that are to find it
    old: str
    new: str
    file: str  # where the text is looked for, "*.py" for everywhere


def mutants(path: Path = LIST) -> Iterator[Mutant]:
    """Read a list."""
    text = "\n".join(line for line in path.read_text("utf-8").splitlines() if line[:1] != "#")
    for block in text.strip().split("\n\n"):
        name, *lines = block.strip().splitlines()
        parts: dict[str, list[str]] = {"    ": [], "  in": [], "  - ": [], "  + ": []}
        for line in lines:
            kind, rest = line[:4].ljust(4), line[4:]
            parts[kind].append(rest.strip() if kind == "  in" else rest)
        tests, file, old, new = parts.values()
        yield Mutant(name, tests, "\n".join(old), "\n".join(new), *file or ["*.py"])


def found_in(root: Path, mutant: Mutant) -> list[Path]:
    """Tell in which files a mutant's text stands, one that has it twice twice."""
    paths = sorted((root / "minirobert").rglob(mutant.file))
    return [path for path in paths for _ in range(path.read_text("utf-8").count(mutant.old))]


def run_tests(root: Path, tests: Iterable[str]) -> tuple[int, str]:
    """Run tests in a checkout, giving pytest's exit code and its last line."""
    environment = {**os.environ, "PYTHONPATH": str(root), "HYPOTHESIS_PROFILE": "mutants"}
    options = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
    command = [sys.executable, "-m", "pytest", *options, *tests]
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    return result.returncode, (result.stdout.strip() or result.stderr).splitlines()[-1]


def tried(root: Path, mutant: Mutant) -> str:
    """Put a mutant into a scratch copy, run its tests, and take it out again."""
    places = found_in(root, mutant)
    if len(places) != 1:
        return "not found" if not places else "found more than once"
    (path,) = places
    source = path.read_text("utf-8")
    path.write_text(source.replace(mutant.old, mutant.new), "utf-8")
    try:
        code, line = run_tests(root, mutant.tests)
    finally:
        path.write_text(source, "utf-8")
    return {0: "SURVIVED", 1: "killed"}.get(code, f"not applicable: {line}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="a part of the names of those to try")
    parser.add_argument("--jobs", type=int, default=1, help="how many to try at once")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    options = parser.parse_args()
    chosen = [mutant for mutant in mutants() if options.only in mutant.name]
    with tempfile.TemporaryDirectory() as directory:
        copies: Queue[Path] = Queue()
        for number in range(options.jobs):
            copies.put(copied(options.root, Path(directory) / str(number)))

        def in_a_copy(mutant: Mutant) -> str:
            copy, start = copies.get(), time.perf_counter()
            try:
                verdict = tried(copy, mutant)
            finally:
                copies.put(copy)
            print(f"{mutant.name:36} {verdict} ({time.perf_counter() - start:.0f} s)", flush=True)
            return verdict

        selected = dict.fromkeys(test for mutant in chosen for test in mutant.tests)
        code, line = run_tests(Path(directory) / "0", selected)
        if code:
            print(f"without any mutant: {line}", file=sys.stderr)
            return 1
        with ThreadPoolExecutor(options.jobs) as pool:
            verdicts = list(pool.map(in_a_copy, chosen))
    killed = verdicts.count("killed")
    print(f"{killed} of {len(verdicts)} killed")
    return 0 if chosen and killed == len(verdicts) else 1


def copied(root: Path, scratch: Path) -> Path:
    scratch.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, scratch / name)
    return scratch


if __name__ == "__main__":
    sys.exit(main())
